//! The project's own commands, run as `cargo xtask COMMAND`.
//!
//! What a person or a CI machine must do more than once stands here in Rust instead of in shell scripts. It must
//! never depend on a crate of the workspace: `cargo xtask` has to build and run while the rest is broken.
//!
//! To add a command: one file with `Args` and `run`, one variant of `Command`, one arm in `main`.

#![expect(clippy::disallowed_methods, reason = "xtask drives processes; the bans are for the server")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "xtask talks to the person at the terminal")]

mod bench;
mod boundaries;
mod ci;
mod db;
mod env;
mod fuzz;
mod go;
mod keys;
mod migrate;
mod node;
mod openapi;
mod postgres;
mod process;
mod python;
mod skips;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Build, check and run Art DAG L2", long_about = None)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Test(test::Args),
    Ci(ci::Args),
    Boundaries(boundaries::Args),
    Openapi(openapi::Args),
    Migrate(migrate::Args),
    Keys(keys::Args),
    Db(db::Args),
    Bench(bench::Args),
    Fuzz(fuzz::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = process::watch_signals().and_then(|()| match cli.command {
        Command::Test(args) => test::run(&args),
        Command::Ci(args) => ci::run(&args),
        Command::Boundaries(args) => boundaries::run(&args),
        Command::Openapi(args) => openapi::run(&args),
        Command::Migrate(args) => migrate::run(&args),
        Command::Keys(args) => keys::run(&args),
        Command::Db(args) => db::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
