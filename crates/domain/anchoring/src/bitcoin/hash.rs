use std::fmt;
use std::str::FromStr;

/// The hash that names a block.
///
/// Written as everybody writes it, in hex with the bytes reversed: the zeros that show the work stand in front.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockHash([u8; 32]);

/// The text is not a block hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a block hash: 64 hex digits")]
pub struct InvalidBlockHash;

impl BlockHash {
    /// Wraps the bytes as they stand in a header.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes as they stand in a header.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for BlockHash {
    type Err = InvalidBlockHash;

    fn from_str(text: &str) -> Result<Self, InvalidBlockHash> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidBlockHash)?;
        bytes.reverse();
        Ok(Self(bytes))
    }
}

impl fmt::Display for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.0;
        bytes.reverse();
        f.write_str(&hex::encode(bytes))
    }
}

impl fmt::Debug for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
