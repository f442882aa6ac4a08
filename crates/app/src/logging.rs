//! Logs go to standard error, a line an event.

use crate::settings::{LogFormat, Settings};
use std::error::Error;
use tracing_subscriber::EnvFilter;

/// An error and its causes in one line, for a person.
pub fn one_line(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

/// Starts logging for the whole process.
///
/// # Errors
/// When `LOG` is no filter, or logging has started before.
pub fn start(settings: &Settings) -> Result<(), String> {
    // The framework tells of each of its workers; whoever wants to know says so later in LOG, which goes before.
    let filter =
        EnvFilter::try_new(format!("actix_server=warn,{}", settings.log)).map_err(|error| format!("LOG: {error}"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match settings.log_format {
        LogFormat::Text => builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| format!("logging: {error}"))
}
