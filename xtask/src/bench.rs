//! `cargo xtask bench`

use std::ffi::OsString;

use anyhow::Result;

use crate::postgres::{self, Cluster, Programs};
use crate::skips::Skips;
use crate::{db, env, process};

/// Measure POST /auth/verify over SQLite and PostgreSQL, beside a handler that only checks the token
///
/// TEST_DATABASE_URL, if set, names the PostgreSQL to use. Else the one of `cargo xtask db up` is used, else one is
/// started for this run and stopped at its end. Builds for release, runs for about three minutes, and prints a table;
/// docs/benchmarks.md says how to read it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Passed to the benchmark: `--rounds 9`, `--seconds 10`, `--connections 16,64`, `--help`
    #[arg(last = true)]
    rest: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut skips = Skips::default();
    let outcome = measure(&args.rest, &mut skips);
    skips.print();
    outcome
}

fn measure(rest: &[OsString], skips: &mut Skips) -> Result<()> {
    let mut bench = process::cargo(["bench", "--package", "artdag-app", "--bench", "verify", "--"]);
    bench.args(rest);
    if env::get(env::DATABASE_URL).is_some() {
        println!("PostgreSQL: the one of TEST_DATABASE_URL");
        return process::run(&mut bench);
    }
    if let Some(cluster) = db::running()? {
        println!("PostgreSQL: {} (of `cargo xtask db up`)", cluster.url());
        return process::run(bench.env(env::DATABASE_URL, cluster.url()));
    }
    let Some(programs) = Programs::find() else {
        let why = "`initdb` and `postgres` are not on this machine";
        skips.skip("the measurements over PostgreSQL", why, postgres::HOW_TO_INSTALL)?;
        return process::run(&mut bench);
    };
    let cluster = Cluster::start(&programs)?;
    println!("PostgreSQL: {} (for this run only)", cluster.url());
    let measured = process::run(bench.env(env::DATABASE_URL, cluster.url()));
    // Stopped whatever became of the measurements; their failure is the more telling one.
    let stopped = cluster.stop();
    measured.and(stopped)
}
