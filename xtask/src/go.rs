//! The Go packages of the interop tests, in which Go's own code checks our log.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process;

/// Where Debian puts the sources of Go packages.
const DEBIAN: &str = "/usr/share/gocode";
const NEEDED: &str = "src/golang.org/x/mod/sumdb/tlog";

/// What a person can do who has no such packages.
pub(crate) const HOW_TO_INSTALL: &str = "install Go and golang.org/x/mod (Debian: apt-get install golang-go golang-golang-x-mod-dev),\n\
     or set ARTDAG_TEST_GOPATH to a GOPATH that has golang.org/x/mod";

/// The GOPATH that has the packages.
pub(crate) fn path() -> Result<PathBuf> {
    process::output(Command::new("go").arg("version"))?;
    let path = PathBuf::from(DEBIAN);
    if !path.join(NEEDED).is_dir() {
        bail!("there is no {DEBIAN}/{NEEDED}");
    }
    Ok(path)
}
