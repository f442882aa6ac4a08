//! `artdag-l2`: see [`artdag_app::cli`].

use artdag_app::logging::one_line;
use clap::Parser;
use std::process::ExitCode;

/// After how many pieces of work the runtime looks for what came in, although there is more work. A signature takes half a
/// millisecond: after tokio's own 61 of them an answer of the database would have waited for 30.
const WORK_BETWEEN_EVENTS: u32 = 3;

fn main() -> ExitCode {
    let cli = artdag_app::cli::Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().event_interval(WORK_BETWEEN_EVENTS).build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(cli.run()),
        Err(error) => Err(error.into()),
    };
    match outcome {
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
