//! `artdag-l2`: see [`artdag_app::cli`].

use artdag_app::logging::one_line;
use clap::Parser;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match artdag_app::cli::Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&one_line(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "the last word of a failed command is for the person at the terminal")]
fn tell(error: &str) {
    eprintln!("artdag-l2: {error}");
}
