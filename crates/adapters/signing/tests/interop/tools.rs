//! The programs of others, and how a test learns where they are.

use serde_json::Value;
use std::ffi::OsString;
use std::io::Write;
use std::process::{Command, Stdio};

/// The Python that has the packages of `tests/interop/requirements.txt`.
pub(crate) fn python() -> Option<OsString> {
    given("ARTDAG_TEST_PYTHON", "ARTDAG_TEST_SKIP_PYTHON")
}

/// The folder that has the packages of `tests/interop/node/package.json` installed.
pub(crate) fn node_folder() -> Option<OsString> {
    given("ARTDAG_TEST_NODE", "ARTDAG_TEST_SKIP_NODE")
}

#[expect(clippy::disallowed_methods, reason = "the way `cargo xtask test` tells tests where its programs are")]
fn given(variable: &str, skip: &str) -> Option<OsString> {
    let given = std::env::var_os(variable);
    if given.is_none() {
        let may_skip = std::env::var_os(skip).is_some_and(|skip| skip == "1");
        assert!(may_skip, "{variable} is not set: run `cargo xtask test`, or set {skip}=1");
        eprintln!("\n*** SKIPPED: signatures were NOT checked by an independent verifier ({skip}=1)\n");
    }
    given
}

/// A program of `tests/interop/node`, which finds its packages in the folder that it is run in.
pub(crate) fn node(folder: &OsString, program: &str) -> Command {
    let mut command = Command::new("node");
    command.current_dir(folder).args(["--input-type=module", "--eval", program]);
    command
}

/// What the program says of the input: `Ok` if it accepts, else `Err`.
pub(crate) fn verdict(command: &mut Command, input: &Value) -> Result<String, String> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    match output.status.code() {
        Some(0) if !said.is_empty() => Ok(said),
        Some(1) if !said.is_empty() => Err(said),
        other => panic!("the verifier broke: {other:?} {said}"),
    }
}
