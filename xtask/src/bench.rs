//! `cargo xtask bench`

use std::ffi::OsString;

use anyhow::Result;

use crate::process;
use crate::skips::Skips;
use crate::test::{Database, Node, Python};

/// Measure the server: what renderers ask it, what other servers send it, how it fills its log, or how fast proofs are made
///
/// `verify` measures POST /auth/verify beside a handler that only checks the token; `federation` measures what an inbox
/// takes and what a fan-out delivers, beside Fedify and beside the bare signatures, over a PostgreSQL that syncs to disk;
/// `log` measures how fast waiting activities get into the log, and how long proofs take then, over such a PostgreSQL too;
/// `anchoring` measures trees, proofs and headers in memory, beside python-opentimestamps and the bare hashes, without a database.
/// TEST_DATABASE_URL, if set, names the PostgreSQL to use. Else `verify` uses the one of `cargo xtask db up`, else one is
/// started for this run and stopped at its end. Builds for release, runs for some minutes, and prints a table; docs/benchmarks.md says how to read it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to measure
    #[arg(default_value = "verify", value_parser = ["verify", "federation", "log", "anchoring"])]
    what: String,
    /// Passed to the benchmark; `-- --help` shows what it takes
    #[arg(last = true)]
    rest: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut skips = Skips::default();
    let outcome = measure(args, &mut skips);
    skips.print();
    outcome
}

fn measure(args: &Args, skips: &mut Skips) -> Result<()> {
    let package = if args.what == "anchoring" { "artdag-anchoring" } else { "artdag-app" };
    let mut bench = process::cargo(["bench", "--package", package, "--bench", &args.what, "--"]);
    bench.args(&args.rest);
    if args.what == "anchoring" {
        Python::prepare(skips)?.tell(&mut bench);
        return process::run(&mut bench);
    }
    if args.what == "federation" {
        Node::prepare(skips)?.tell(&mut bench);
    }
    let database = if args.what == "verify" { Database::prepare(skips)? } else { Database::prepare_durable(skips)? };
    database.tell(&mut bench);
    let measured = process::run(&mut bench);
    // Stopped whatever became of the measurements; their failure is the more telling one.
    measured.and(database.stop())
}
