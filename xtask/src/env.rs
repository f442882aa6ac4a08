//! The environment variables that xtask reads.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// Where the tests find their PostgreSQL. Set by a person, it is used as it is.
pub(crate) const DATABASE_URL: &str = "TEST_DATABASE_URL";
/// Tells the tests that there is no PostgreSQL, so that they pass over those cases.
pub(crate) const SKIP_POSTGRES: &str = "ARTDAG_TEST_SKIP_POSTGRES";
/// The Python that has the packages of the interop tests.
pub(crate) const PYTHON: &str = "ARTDAG_TEST_PYTHON";
/// Tells the tests that there is no such Python.
pub(crate) const SKIP_PYTHON: &str = "ARTDAG_TEST_SKIP_PYTHON";

/// The folder in which the packages of the interop tests in JavaScript are installed.
pub(crate) const NODE: &str = "ARTDAG_TEST_NODE";
/// Tells the tests that there is no such folder.
pub(crate) const SKIP_NODE: &str = "ARTDAG_TEST_SKIP_NODE";

/// The GOPATH that has the packages of the interop tests in Go.
pub(crate) const GOPATH: &str = "ARTDAG_TEST_GOPATH";
/// Tells the tests that there is no such path.
pub(crate) const SKIP_GO: &str = "ARTDAG_TEST_SKIP_GO";

/// On a CI machine nothing may be skipped: what a developer may lack, CI must have.
pub(crate) fn is_ci() -> bool {
    matches!(get("CI").as_deref(), Some("true" | "1"))
}

/// The variable's text, if it is set and not empty.
pub(crate) fn get(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The cargo that started xtask, so that a chosen toolchain stays chosen.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The folders in which programs are looked for.
pub(crate) fn path() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

/// The variables that cargo sets for xtask's own run and that must not reach a second cargo: build scripts that
/// watch them (ring's does) would run again, and all that depends on them would be built again.
pub(crate) fn set_for_this_run() -> Vec<OsString> {
    const PREFIXES: [&str; 5] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
    env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.to_str().is_some_and(|name| PREFIXES.iter().any(|prefix| name.starts_with(prefix))))
        .collect()
}
