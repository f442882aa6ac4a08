use std::fmt;
use std::str::FromStr;

use crate::{Digest, text::decimal};

/// What a log says of itself: that it has so many entries and this root.
///
/// Written as the text of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Digest,
    extensions: Vec<String>,
}

/// The text is not that of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be lines of an origin, a size, a root in base64, and possibly more, none of them empty")]
pub struct InvalidCheckpoint;

impl Checkpoint {
    /// Of a log by its origin.
    ///
    /// # Errors
    ///
    /// If the origin is empty, or not a line.
    pub fn new(origin: &str, size: u64, root: Digest) -> Result<Self, InvalidCheckpoint> {
        check_line(origin)?;
        Ok(Self { origin: origin.to_owned(), size, root, extensions: Vec::new() })
    }

    /// Which log it is of.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many entries the log has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of its tree.
    #[must_use]
    pub const fn root(&self) -> Digest {
        self.root
    }

    /// Further lines. They mean what the log says they mean, and nobody checks them.
    #[must_use]
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }

    /// SHA-256 of the text, which can be stamped like any other digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_string().as_bytes())
    }
}

fn check_line(line: &str) -> Result<(), InvalidCheckpoint> {
    if line.is_empty() || line.contains(|c: char| c < ' ') { Err(InvalidCheckpoint) } else { Ok(()) }
}

impl FromStr for Checkpoint {
    type Err = InvalidCheckpoint;

    fn from_str(text: &str) -> Result<Self, InvalidCheckpoint> {
        let mut lines = text.strip_suffix('\n').ok_or(InvalidCheckpoint)?.split('\n');
        let mut line = || lines.next().ok_or(InvalidCheckpoint);
        let (origin, size, root) = (line()?, line()?, line()?);
        let size = decimal(size).ok_or(InvalidCheckpoint)?;
        let root = Digest::from_base64(root).map_err(|_| InvalidCheckpoint)?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        extensions.iter().try_for_each(|line| check_line(line))?;
        Ok(Self { extensions, ..Self::new(origin, size, root)? })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root.to_base64())?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
