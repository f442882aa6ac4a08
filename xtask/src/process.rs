//! Runs other programs, and sees to it that a stopped xtask stops in order.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::{env, workspace};

static STOPPED: AtomicBool = AtomicBool::new(false);
/// The process that is being waited for, 0 for none.
static CHILD: AtomicI32 = AtomicI32::new(0);

/// From here on a signal no longer ends xtask at once: it ends the running child, `run` then returns an error, and
/// what was started is stopped on the way out.
pub(crate) fn watch_signals() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot watch for signals")?;
    thread::spawn(move || {
        for signal in signals.forever() {
            // A terminal's Ctrl-C reaches the child by itself, and many programs take a second one as "at once".
            let repeated = STOPPED.swap(true, Ordering::SeqCst);
            if signal != SIGINT || repeated {
                end_child();
            }
        }
    });
    Ok(())
}

fn end_child() {
    if let Some(pid) = Pid::from_raw(CHILD.load(Ordering::SeqCst)) {
        // It may have ended by itself just now, which is as good.
        let _ = kill_process(pid, Signal::TERM);
    }
}

/// Fails once a signal has asked xtask to stop.
pub(crate) fn check_stopped() -> Result<()> {
    if STOPPED.load(Ordering::SeqCst) {
        bail!("stopped by a signal");
    }
    Ok(())
}

/// A cargo command over this workspace.
pub(crate) fn cargo<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env::cargo());
    command.args(args).current_dir(workspace::root());
    for name in env::set_for_this_run() {
        command.env_remove(name);
    }
    command
}

/// The server itself, in the folder that the person is in: paths given to it are named from there.
pub(crate) fn server() -> Command {
    let mut command = cargo(["run", "-q", "-p", "artdag-app", "--bin", "artdag-l2", "--"]);
    command.current_dir(".");
    command
}

/// Runs the command to its end and fails unless it succeeds.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    if !status.success() {
        bail!("`{}` failed ({status})", describe(command));
    }
    Ok(())
}

/// Runs the command to its end.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    check_stopped()?;
    let mut child = command.spawn().with_context(|| format!("cannot start `{}`", describe(command)))?;
    CHILD.store(child.id() as i32, Ordering::SeqCst);
    if STOPPED.load(Ordering::SeqCst) {
        end_child();
    }
    let status = child.wait();
    CHILD.store(0, Ordering::SeqCst);
    check_stopped()?;
    status.with_context(|| format!("cannot wait for `{}`", describe(command)))
}

/// Runs the command and returns what it printed. Its error output goes into the error if it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    check_stopped()?;
    let output = command.output().with_context(|| format!("cannot start `{}`", describe(command)))?;
    check_stopped()?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed ({})\n{}", describe(command), output.status, stderr.trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` printed what is not UTF-8", describe(command)))
}

/// Whether the command can be started and succeeds; it prints nothing.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// The first program of this name in `PATH`, then in the further folders.
pub(crate) fn find_program(name: &str, further: &[PathBuf]) -> Option<PathBuf> {
    env::path().iter().chain(further).map(|folder| folder.join(name)).find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// The command as a person would type it, with the program's bare name.
pub(crate) fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut text = program.file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned();
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}
