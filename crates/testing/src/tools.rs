use std::ffi::OsString;
use std::net::TcpListener;
use std::path::PathBuf;

/// The Python that has the packages of `tests/interop/requirements.txt`. `None`, and loud words, if
/// `ARTDAG_TEST_SKIP_PYTHON=1` says to do without; `what` completes "SKIPPED: ".
///
/// # Panics
/// When neither that nor `ARTDAG_TEST_PYTHON` is set.
pub fn python(what: &str) -> Option<OsString> {
    given("ARTDAG_TEST_PYTHON", "ARTDAG_TEST_SKIP_PYTHON", what)
}

/// The folder that has the packages of `tests/interop/node/package.json` installed. `None`, and loud words, if
/// `ARTDAG_TEST_SKIP_NODE=1` says to do without; `what` completes "SKIPPED: ".
///
/// # Panics
/// When neither that nor `ARTDAG_TEST_NODE` is set.
pub fn node_folder(what: &str) -> Option<OsString> {
    given("ARTDAG_TEST_NODE", "ARTDAG_TEST_SKIP_NODE", what)
}

#[expect(clippy::disallowed_methods, reason = "the way `cargo xtask test` tells tests where its programs are")]
fn given(variable: &str, skip: &str, what: &str) -> Option<OsString> {
    let given = std::env::var_os(variable);
    if given.is_none() {
        let may_skip = std::env::var_os(skip).is_some_and(|skip| skip == "1");
        assert!(may_skip, "{variable} is not set: run `cargo xtask test`, or set {skip}=1");
        eprintln!("\n*** SKIPPED: {what} ({skip}=1)\n");
    }
    given
}

/// A file of `tests/interop`.
pub fn interop_file(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/interop")).join(name)
}

/// A port that is free now.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of this machine");
    listener.local_addr().expect("a listener has an address").port()
}
