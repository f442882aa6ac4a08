//! The Node.js packages of the interop tests, in which other people's code checks our signatures.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{process, workspace};

const FOLDER: &str = "tests/interop/node";
/// What decides about the packages. The programs beside them are read by the tests themselves.
const FILES: [&str; 3] = [".npmrc", "package.json", "package-lock.json"];

/// What a person can do who has no such packages.
pub(crate) const HOW_TO_INSTALL: &str = "install Node.js 18 or later with npm (Debian: apt-get install nodejs npm) and let it reach a package index,\n\
     or set ARTDAG_TEST_NODE to a folder in which tests/interop/node/package.json is installed";

/// The folder that has the packages, which are installed anew only when the files change.
pub(crate) fn folder() -> Result<PathBuf> {
    let contents = FILES
        .iter()
        .map(|name| {
            let path = workspace::root().join(FOLDER).join(name);
            fs::read_to_string(path).with_context(|| format!("cannot read {FOLDER}/{name}"))
        })
        .collect::<Result<Vec<_>>>()?;
    let folder = workspace::target_dir()?.join("interop/node");
    process::output(Command::new("node").arg("--version"))?;
    // Written last, so packages that were left half installed are never taken for whole ones.
    let stamp = folder.join("installed-packages.txt");
    let wanted = contents.concat();
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    println!("installing the Node.js packages of the interop tests");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, content) in FILES.iter().zip(&contents) {
        fs::write(folder.join(name), content).with_context(|| format!("cannot write {name}"))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&folder);
    process::output(&mut npm)?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(folder)
}
