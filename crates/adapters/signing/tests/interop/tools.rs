//! The programs of others, and how a test learns where they are.

use serde_json::Value;
use std::ffi::OsString;
use std::io::Write;
use std::process::{Command, Stdio};

const WHAT: &str = "signatures were NOT checked by an independent verifier";

/// The Python that has the packages of `tests/interop/requirements.txt`.
pub(crate) fn python() -> Option<OsString> {
    artdag_testing::python(WHAT)
}

/// The folder that has the packages of `tests/interop/node/package.json` installed.
pub(crate) fn node_folder() -> Option<OsString> {
    artdag_testing::node_folder(WHAT)
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
