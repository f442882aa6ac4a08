//! `cargo xtask migrate`

use std::ffi::OsString;

use anyhow::Result;

use crate::process;

/// Bring the database to this version's schema: `artdag-l2 migrate`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Passed on to the server as they are
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    process::run(process::server().arg("migrate").args(&args.rest))
}
