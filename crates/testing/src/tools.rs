use serde_json::Value;
use std::collections::hash_map::RandomState;
use std::ffi::OsString;
use std::hash::BuildHasher;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

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

/// The `GOPATH` that has the packages of `tests/interop/check_log.go`. `None`, and loud words, if
/// `ARTDAG_TEST_SKIP_GO=1` says to do without; `what` completes "SKIPPED: ".
///
/// # Panics
/// When neither that nor `ARTDAG_TEST_GOPATH` is set.
pub fn go_path(what: &str) -> Option<OsString> {
    given("ARTDAG_TEST_GOPATH", "ARTDAG_TEST_SKIP_GO", what)
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

/// What the official client of OpenTimestamps says of these files, whose proofs lie beside them as `FILE.ots`, when it
/// asks that node: for each whether it accepts the proof, and its words.
///
/// # Panics
/// When there is no Python to run it.
pub fn official_client(node: &str, files: &[PathBuf]) -> Vec<(bool, String)> {
    let python = python("no proof was verified by the official client").expect("a Python, as the calendars have");
    let output = Command::new(python).arg(interop_file("check_ots.py")).arg(node).args(files).output();
    let output = output.expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Vec<Value> = serde_json::from_slice(&output.stdout).expect("a list in JSON");
    let of = |said: &Value| (said["ok"] == true, said["said"].as_str().unwrap_or_default().to_owned());
    said.iter().map(of).collect()
}

/// A port that is free now.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of this machine");
    listener.local_addr().expect("a listener has an address").port()
}

/// Where a test that tries its luck begins: `ARTDAG_TEST_SEED`, or a new one every time. It is printed, and shown if the
/// test fails, so that the same can be tried again.
///
/// # Panics
/// When `ARTDAG_TEST_SEED` is no number.
#[expect(clippy::disallowed_methods, reason = "what a person asks of one test is no setting of the server")]
pub fn seed() -> u64 {
    let given = std::env::var_os("ARTDAG_TEST_SEED");
    let given =
        given.map(|seed| seed.to_str().and_then(|seed| seed.parse().ok()).expect("ARTDAG_TEST_SEED is a number"));
    // The standard library's maps begin with chance, too.
    let seed = given.unwrap_or_else(|| RandomState::new().hash_one(()));
    eprintln!("to try the same again: ARTDAG_TEST_SEED={seed}");
    seed
}
