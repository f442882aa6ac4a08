//! The Python environment of the interop tests, in which other people's code checks our signatures and our JSON.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{process, workspace};

const REQUIREMENTS: &str = "tests/interop/requirements.txt";

/// What a person can do who has no such Python.
pub(crate) const HOW_TO_INSTALL: &str = "install Python 3 with venv (Debian: apt-get install python3 python3-venv) and let it reach a package index,\n\
     or set ARTDAG_TEST_PYTHON to a python that has the packages of tests/interop/requirements.txt";

/// The python of the environment, which is made anew only when the requirements change.
pub(crate) fn environment() -> Result<PathBuf> {
    let requirements = workspace::root().join(REQUIREMENTS);
    let wanted = fs::read_to_string(&requirements).with_context(|| format!("cannot read {REQUIREMENTS}"))?;
    let venv = workspace::target_dir()?.join("interop/venv");
    let python = venv.join("bin/python");
    // Written last, so an environment that was left half made is never taken for a whole one.
    let stamp = venv.join("installed-requirements.txt");
    let whole = fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted);
    if whole && process::succeeds(Command::new(&python).arg("--version")) {
        return Ok(python);
    }
    println!("making the Python environment of the interop tests");
    make(&venv, &python, &requirements)?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(python)
}

fn make(venv: &Path, python: &Path, requirements: &Path) -> Result<()> {
    process::output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv))?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--requirement"]);
    process::output(pip.arg(requirements))?;
    let packages =
        "import cryptography, http_message_signatures, opentimestamps, otsclient, prov, rdflib, rfc8785, rocrate";
    process::output(Command::new(python).args(["-c", packages]))?;
    Ok(())
}
