use artdag_kernel::{TextFault, check_text};
use std::fmt;
use std::str::FromStr;

/// A renderer's own name for one run: opaque text of 1 to 255 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RunId(String);

/// The text cannot name a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct InvalidRunId(#[from] TextFault);

impl RunId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RunId {
    type Err = InvalidRunId;

    fn from_str(text: &str) -> Result<Self, InvalidRunId> {
        check_text(text, 255)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
