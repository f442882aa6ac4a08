//! What a run could not check, said where it happens and again at the very end.

use anyhow::{Result, bail};

use crate::env;

/// The checks that were passed over.
#[derive(Default)]
pub(crate) struct Skips(Vec<Skip>);

struct Skip {
    what: String,
    why: String,
    mend: String,
}

impl Skips {
    /// Passes over `what`, which on a CI machine is a failure.
    pub(crate) fn skip(&mut self, what: &str, why: &str, mend: &str) -> Result<()> {
        if env::is_ci() {
            bail!("{what}: cannot be run ({why}), and with CI=true nothing may be skipped.\n{mend}");
        }
        self.skip_even_in_ci(what, why, mend);
        Ok(())
    }

    /// Passes over what even a CI machine may lack.
    pub(crate) fn skip_even_in_ci(&mut self, what: &str, why: &str, mend: &str) {
        let skip = Skip { what: what.into(), why: why.into(), mend: mend.into() };
        skip.print();
        self.0.push(skip);
    }

    /// The last words of a run.
    pub(crate) fn print(&self) {
        self.0.iter().for_each(Skip::print);
    }
}

impl Skip {
    fn print(&self) {
        let line = "!".repeat(80);
        eprintln!("\n{line}\n!! SKIPPED: {}\n!! why:  {}", self.what, self.why.replace('\n', "\n!!       "));
        eprintln!("!! mend: {}\n{line}\n", self.mend.replace('\n', "\n!!       "));
    }
}
