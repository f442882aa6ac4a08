//! `cargo xtask ci`

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::skips::Skips;
use crate::{boundaries, fuzz, openapi, process, test, workspace};

/// Run everything that CI runs, in its order, up to the first failure
///
/// With CI=true nothing may be skipped but the advisories, whose database may be out of reach.
#[derive(clap::Args)]
pub(crate) struct Args {}

type Step = fn(&mut Skips) -> Result<()>;

/// The quick ones first; the long ones in an order in which each builds on what the last one built.
const STEPS: &[(&str, Step)] = &[
    ("format", format),
    ("boundaries", |_| boundaries::run(&boundaries::Args {})),
    ("clippy", clippy),
    ("deny", deny),
    ("openapi", |_| openapi::check_in_ci()),
    ("tests", test::run_in_ci),
    ("documentation", documentation),
    ("fuzz", |_| fuzz::run_in_ci()),
];

pub(crate) fn run(_: &Args) -> Result<()> {
    let before = generated_files()?;
    let mut skips = Skips::default();
    let mut report = Report::default();
    let outcome = report.steps(&before, &mut skips);
    skips.print();
    report.print();
    outcome
}

#[derive(Default)]
struct Report(Vec<(&'static str, Option<Duration>, &'static str)>);

impl Report {
    fn steps(&mut self, before: &Generated, skips: &mut Skips) -> Result<()> {
        let mut outcome = Ok(());
        for (name, step) in STEPS {
            outcome = outcome.and_then(|()| self.step(name, || step(skips)));
            if outcome.is_err() && self.0.last().is_some_and(|(last, ..)| last != name) {
                self.0.push((name, None, "not run"));
            }
        }
        match outcome {
            Ok(()) => self.step("generated files", || before.check()),
            Err(error) => {
                self.0.push(("generated files", None, "not run"));
                Err(error)
            }
        }
    }

    fn step(&mut self, name: &'static str, step: impl FnOnce() -> Result<()>) -> Result<()> {
        println!("\n==== {name} ====");
        let start = Instant::now();
        let outcome = step();
        self.0.push((name, Some(start.elapsed()), if outcome.is_ok() { "ok" } else { "FAILED" }));
        outcome.with_context(|| format!("the step `{name}` failed"))
    }

    fn print(&self) {
        println!();
        for (name, took, result) in &self.0 {
            let took = took.map(|took| format!("{:.1} s", took.as_secs_f64())).unwrap_or_default();
            println!("{name:<16} {took:>9}  {result}");
        }
        let total: Duration = self.0.iter().filter_map(|(_, took, _)| *took).sum();
        println!("{:<16} {:>7.1} s", "all", total.as_secs_f64());
    }
}

fn format(_: &mut Skips) -> Result<()> {
    process::run(&mut process::cargo(["fmt", "--all", "--check"])).context("`cargo fmt --all` mends it")
}

fn clippy(_: &mut Skips) -> Result<()> {
    let args = ["clippy", "--workspace", "--all-targets", "--locked"];
    let deny = ["--", "-D", "warnings"];
    process::run(process::cargo(args).args(deny))?;
    // Only the two crates that have the feature are looked at again.
    process::run(process::cargo(args).args(["--features", test::OPTIONAL]).args(deny))
}

fn deny(skips: &mut Skips) -> Result<()> {
    if !process::succeeds(&mut process::cargo(["deny", "--version"])) {
        let mend = "cargo install cargo-deny --locked";
        return skips.skip("licences, bans, sources and advisories", "cargo-deny is not installed", mend);
    }
    // Duplicates are warnings; shown without the tree of each.
    let check = ["deny", "--locked", "check", "--hide-inclusion-graph"];
    process::run(process::cargo(check).args(["licenses", "bans", "sources"]))?;

    // Advisories come by git from another host than the crates, which this machine may not reach.
    if let Err(error) = process::output(&mut process::cargo(["deny", "fetch", "db"])) {
        process::check_stopped()?;
        let why = format!("the advisory database cannot be fetched: {}", last_line(&format!("{error:#}")));
        skips.skip_even_in_ci("security advisories", &why, "run `cargo deny check advisories` where it can be");
        return Ok(());
    }
    process::run(process::cargo(check).args(["--disable-fetch", "advisories"]))
}

fn last_line(text: &str) -> &str {
    text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or(text).trim()
}

/// Examples are named so that the dependencies have the features that clippy already checked them with: without a
/// target that may use dev-dependencies, cargo leaves their features out and checks much of the tree again.
fn documentation(_: &mut Skips) -> Result<()> {
    let args = ["doc", "--no-deps", "--workspace", "--lib", "--bins", "--examples", "--locked"];
    process::run(process::cargo(args).env("RUSTDOCFLAGS", "-D warnings"))
}

/// What the run might have changed behind our back: Cargo.lock, a snapshot, a generated document.
struct Generated {
    /// What git calls changed, with the changes; `None` outside a clone.
    changes: Option<String>,
}

fn generated_files() -> Result<Generated> {
    let git = |args: &[&str]| process::output(Command::new("git").args(args).current_dir(workspace::root()));
    let changes = match git(&["status", "--porcelain", "--untracked-files=all"]) {
        Ok(status) => Some(status + &git(&["diff", "--no-ext-diff"])?),
        Err(_) => None,
    };
    Ok(Generated { changes })
}

impl Generated {
    fn check(&self) -> Result<()> {
        let unreviewed = unreviewed_snapshots(workspace::root());
        if !unreviewed.is_empty() {
            let list: Vec<String> = unreviewed.iter().map(|path| path.display().to_string()).collect();
            bail!("snapshots that nobody has accepted (`cargo insta review`) lie in the tree:\n{}", list.join("\n"));
        }
        let now = generated_files()?.changes;
        if self.changes.is_none() {
            println!("not a git clone, so only snapshots were looked for");
        }
        if now != self.changes {
            process::run(Command::new("git").args(["status", "--short"]).current_dir(workspace::root()))?;
            bail!(
                "the run changed files that are committed or added new ones: commit them, or ignore what is not a source"
            );
        }
        Ok(())
    }
}

/// Files that insta leaves when a snapshot differs; git is told to ignore them.
fn unreviewed_snapshots(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if name != "target" && !name.starts_with('.') {
                found.extend(unreviewed_snapshots(&path));
            }
        } else if name.ends_with(".snap.new") || name.ends_with(".pending-snap") {
            found.push(path);
        }
    }
    found
}
