//! How far a long command is, on standard error.
#![expect(clippy::print_stderr, reason = "what is told on the way is no result, and for the person at the terminal")]

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How often a line is written where no bar can be.
const EVERY: Duration = Duration::from_secs(5);

/// A bar on a terminal, and elsewhere a line every few seconds.
pub(super) struct Gauge {
    what: &'static str,
    bar: Option<ProgressBar>,
    told: Instant,
}

impl Gauge {
    /// Counts such things.
    pub(super) fn of(what: &'static str) -> Self {
        Self::new(what, std::io::stderr().is_terminal())
    }

    fn new(what: &'static str, is_terminal: bool) -> Self {
        let bar = is_terminal.then(|| {
            let bar = ProgressBar::new(0);
            let style = ProgressStyle::with_template("{wide_bar} {human_pos} of {human_len} {msg}, {eta} to go");
            bar.with_message(what).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { what, bar, told: Instant::now() }
    }

    /// So many are done.
    pub(super) fn tell(&mut self, done: u64, all: u64) {
        if let Some(bar) = &self.bar {
            let is_first = bar.length() == Some(0);
            bar.set_length(all);
            bar.set_position(done);
            if is_first {
                // What was done before says nothing of how fast it goes now.
                bar.reset_eta();
            }
        } else if self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            say(&format!("{done} of {all} {}", self.what));
        }
    }
}

impl Drop for Gauge {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A line that is no result. No bar may be there.
pub(super) fn say(line: &str) {
    eprintln!("{line}");
}
