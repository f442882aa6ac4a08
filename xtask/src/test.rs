//! `cargo xtask test`

use std::ffi::OsString;
use std::process::Command;

use anyhow::Result;

use crate::postgres::{self, Cluster, Programs};
use crate::skips::Skips;
use crate::{db, env, go, node, process, python};

/// Run all tests, over SQLite and over a throwaway PostgreSQL
///
/// TEST_DATABASE_URL, if set, names the PostgreSQL to use. Else the one of `cargo xtask db up` is used, else one is
/// started for this run and stopped at its end. ARTDAG_TEST_PYTHON, if set, is the python of the interop tests; else
/// an environment is made under target/. The same goes for ARTDAG_TEST_NODE, a folder with Node.js packages, and ARTDAG_TEST_GOPATH, a GOPATH with golang.org/x/mod. What cannot be run is skipped and said so; with CI=true it is a failure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Passed to `cargo nextest run` (or `cargo test`), and doc tests are left out: a test's name, `-p artdag-assets`
    #[arg(last = true)]
    rest: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut skips = Skips::default();
    let outcome = run_tests(&args.rest, false, &mut skips);
    skips.print();
    outcome
}

/// The tests as `ci` runs them: all, and with the committed Cargo.lock.
pub(crate) fn run_in_ci(skips: &mut Skips) -> Result<()> {
    run_tests(&[], true, skips)
}

fn run_tests(rest: &[OsString], locked: bool, skips: &mut Skips) -> Result<()> {
    let programs =
        OtherPrograms { python: Python::prepare(skips)?, node: Node::prepare(skips)?, go: Go::prepare(skips)? };
    let database = Database::prepare(skips)?;
    let outcome = run_over(&database, &programs, rest, locked, skips);
    // Stopped whatever the tests said; their failure is the more telling one.
    let stopped = database.stop();
    outcome.and(stopped)
}

/// A feature that is off by default, and what the names of its tests have in them.
pub(crate) const OPTIONAL: &str = "artdag-app/p2p-headers";
const OPTIONAL_TESTS: &str = "p2p";

fn run_over(
    database: &Database,
    programs: &OtherPrograms,
    rest: &[OsString],
    locked: bool,
    skips: &mut Skips,
) -> Result<()> {
    let nextest = process::succeeds(&mut process::cargo(["nextest", "--version"]));
    let mut tests = if nextest {
        process::cargo(["nextest", "run"])
    } else {
        skips.skip_even_in_ci(
            "the limits on slow tests (.config/nextest.toml)",
            "cargo-nextest is not installed; the tests themselves run under `cargo test`",
            "cargo install cargo-nextest --locked",
        );
        // Named kinds of targets leave out the doc tests, which come last.
        process::cargo(["test", "--lib", "--bins", "--tests", "--examples"])
    };
    tests.args((!names_packages(rest)).then_some("--workspace")).args(locked.then_some("--locked")).args(rest);
    run_with(&mut tests, database, programs)?;

    if rest.is_empty() {
        println!("\n-- what is off by default: {OPTIONAL}");
        let mut tests = if nextest { process::cargo(["nextest", "run"]) } else { process::cargo(["test", "--tests"]) };
        // The whole workspace, so that its dependencies have the features that they were just built with.
        tests.args(["--workspace", "--features", OPTIONAL]).args(locked.then_some("--locked")).arg(OPTIONAL_TESTS);
        run_with(&mut tests, database, programs)?;
    } else {
        println!("doc tests left out, since the tests were chosen; `cargo test --doc --workspace` runs them");
        return Ok(());
    }
    let mut doc_tests = process::cargo(["test", "--doc", "--workspace"]);
    run_with(doc_tests.args(locked.then_some("--locked")), database, programs)
}

/// Beside `--workspace` cargo would pass over a choice of packages without a word.
fn names_packages(args: &[OsString]) -> bool {
    args.iter().filter_map(|arg| arg.to_str()).any(|arg| arg.starts_with("-p") || arg.starts_with("--package"))
}

fn run_with(command: &mut Command, database: &Database, programs: &OtherPrograms) -> Result<()> {
    // Only xtask says what is skipped, and says it aloud.
    command.env_remove(env::SKIP_POSTGRES).env_remove(env::SKIP_PYTHON).env_remove(env::SKIP_NODE);
    command.env_remove(env::SKIP_GO);
    database.tell(command);
    programs.python.tell(command);
    programs.node.tell(command);
    programs.go.tell(command);
    process::run(command)
}

pub(crate) enum Database {
    /// By a person, in TEST_DATABASE_URL.
    Given,
    /// By `cargo xtask db up`, and left running.
    Running(Cluster),
    Ours(Cluster),
    Missing,
}

impl Database {
    pub(crate) fn prepare(skips: &mut Skips) -> Result<Self> {
        if env::get(env::DATABASE_URL).is_some() {
            println!("PostgreSQL: the one of TEST_DATABASE_URL");
            return Ok(Self::Given);
        }
        if let Some(cluster) = db::running()? {
            println!("PostgreSQL: {} (of `cargo xtask db up`)", cluster.url());
            return Ok(Self::Running(cluster));
        }
        let Some(programs) = Programs::find() else {
            let why = "`initdb` and `postgres` are not on this machine";
            skips.skip("every test over PostgreSQL", why, postgres::HOW_TO_INSTALL)?;
            return Ok(Self::Missing);
        };
        let cluster = Cluster::start(&programs)?;
        println!("PostgreSQL: {} (for this run only)", cluster.url());
        Ok(Self::Ours(cluster))
    }

    /// One of its own that is as durable as in production, unless a person named another.
    pub(crate) fn prepare_durable(skips: &mut Skips) -> Result<Self> {
        match (env::get(env::DATABASE_URL), Programs::find()) {
            (None, Some(programs)) => Ok(Self::Ours(Cluster::start_durable(&programs)?)),
            _ => Self::prepare(skips),
        }
    }

    /// Tells a program of tests or of measurements where it is.
    pub(crate) fn tell(&self, command: &mut Command) {
        match self {
            Self::Given => {}
            Self::Running(cluster) | Self::Ours(cluster) => {
                command.env(env::DATABASE_URL, cluster.url());
            }
            Self::Missing => {
                command.env(env::SKIP_POSTGRES, "1");
            }
        }
    }

    pub(crate) fn stop(&self) -> Result<()> {
        match self {
            Self::Ours(cluster) => cluster.stop(),
            Self::Given | Self::Running(_) | Self::Missing => Ok(()),
        }
    }
}

/// What the interop tests run.
struct OtherPrograms {
    python: Python,
    node: Node,
    go: Go,
}

pub(crate) enum Python {
    /// By a person, in ARTDAG_TEST_PYTHON.
    Given,
    Ours(std::path::PathBuf),
    Missing,
}

impl Python {
    /// Tells a program of tests or of measurements where it is.
    pub(crate) fn tell(&self, command: &mut Command) {
        match self {
            Self::Given => {}
            Self::Ours(python) => {
                command.env(env::PYTHON, python);
            }
            Self::Missing => {
                command.env(env::SKIP_PYTHON, "1");
            }
        }
    }

    pub(crate) fn prepare(skips: &mut Skips) -> Result<Self> {
        if env::get(env::PYTHON).is_some() {
            println!("Python: the one of ARTDAG_TEST_PYTHON");
            return Ok(Self::Given);
        }
        match python::environment() {
            Ok(python) => Ok(Self::Ours(python)),
            Err(error) => {
                process::check_stopped()?;
                skips.skip("the interop tests in Python", &format!("{error:#}"), python::HOW_TO_INSTALL)?;
                Ok(Self::Missing)
            }
        }
    }
}

pub(crate) enum Node {
    /// By a person, in ARTDAG_TEST_NODE.
    Given,
    Ours(std::path::PathBuf),
    Missing,
}

impl Node {
    /// Tells a program of tests or of measurements where the packages are.
    pub(crate) fn tell(&self, command: &mut Command) {
        match self {
            Self::Given => {}
            Self::Ours(folder) => {
                command.env(env::NODE, folder);
            }
            Self::Missing => {
                command.env(env::SKIP_NODE, "1");
            }
        }
    }

    pub(crate) fn prepare(skips: &mut Skips) -> Result<Self> {
        if env::get(env::NODE).is_some() {
            println!("Node.js packages: those of ARTDAG_TEST_NODE");
            return Ok(Self::Given);
        }
        match node::folder() {
            Ok(folder) => Ok(Self::Ours(folder)),
            Err(error) => {
                process::check_stopped()?;
                skips.skip("the interop tests in JavaScript", &format!("{error:#}"), node::HOW_TO_INSTALL)?;
                Ok(Self::Missing)
            }
        }
    }
}

enum Go {
    /// By a person, in ARTDAG_TEST_GOPATH.
    Given,
    Found(std::path::PathBuf),
    Missing,
}

impl Go {
    fn tell(&self, command: &mut Command) {
        match self {
            Self::Given => {}
            Self::Found(path) => {
                command.env(env::GOPATH, path);
            }
            Self::Missing => {
                command.env(env::SKIP_GO, "1");
            }
        }
    }

    fn prepare(skips: &mut Skips) -> Result<Self> {
        if env::get(env::GOPATH).is_some() {
            println!("Go packages: those of ARTDAG_TEST_GOPATH");
            return Ok(Self::Given);
        }
        match go::path() {
            Ok(path) => Ok(Self::Found(path)),
            Err(error) => {
                process::check_stopped()?;
                skips.skip("the interop tests in Go", &format!("{error:#}"), go::HOW_TO_INSTALL)?;
                Ok(Self::Missing)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::names_packages;

    #[test]
    fn a_choice_of_packages_is_seen() {
        for (args, expected) in [
            (["-p", "artdag-kernel"], true),
            (["-partdag-kernel", "x"], true),
            (["x", "--package=a"], true),
            (["a_test", "--no-fail-fast"], false),
        ] {
            assert_eq!(names_packages(&args.map(Into::into)), expected, "{args:?}");
        }
    }
}
