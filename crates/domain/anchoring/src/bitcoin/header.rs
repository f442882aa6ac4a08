use std::fmt;
use std::str::FromStr;

use super::{BlockHash, CompactTarget};
use crate::{Digest, sha256};

/// The 80 bytes that head a block, kept as they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BlockHeader([u8; 80]);

/// The bytes or the text are not those of headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be block headers of 80 bytes each")]
pub struct InvalidHeader;

impl BlockHeader {
    /// How long a header is.
    pub const LENGTH: usize = 80;

    /// Wraps a header's bytes. They are checked by whoever asks the header something.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 80]) -> Self {
        Self(bytes)
    }

    /// Headers that stand one after the other, as in a file of them.
    ///
    /// # Errors
    ///
    /// If the last of them is cut short.
    pub fn parse_all(bytes: &[u8]) -> Result<Vec<Self>, InvalidHeader> {
        let (headers, rest) = bytes.as_chunks();
        if rest.is_empty() { Ok(headers.iter().copied().map(Self).collect()) } else { Err(InvalidHeader) }
    }

    /// The 80 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 80] {
        &self.0
    }

    /// The block's name: SHA-256 of SHA-256 of the header.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        BlockHash::from_bytes(sha256::twice_of_80(&self.0))
    }

    /// The block's version.
    #[must_use]
    pub fn version(&self) -> i32 {
        i32::from_le_bytes(self.part(0))
    }

    /// The name of the block before.
    #[must_use]
    pub fn previous(&self) -> BlockHash {
        BlockHash::from_bytes(self.part(4))
    }

    /// The root over the block's transactions, in the order of its bytes here; explorers show it reversed.
    #[must_use]
    pub fn merkle_root(&self) -> Digest {
        Digest::from_bytes(self.part(36))
    }

    /// When the miner says the block was made, in seconds since 1970. It may be off by two hours and more.
    #[must_use]
    pub fn time(&self) -> u32 {
        u32::from_le_bytes(self.part(68))
    }

    /// The target that the block's hash must not exceed.
    #[must_use]
    pub fn bits(&self) -> CompactTarget {
        CompactTarget::from_consensus(u32::from_le_bytes(self.part(72)))
    }

    /// What the miner varied.
    #[must_use]
    pub fn nonce(&self) -> u32 {
        u32::from_le_bytes(self.part(76))
    }

    /// Whether the hash is at most the target that the header itself names. How hard that target must be, only a
    /// chain can tell.
    #[must_use]
    pub fn has_its_work(&self) -> bool {
        self.bits().target().is_some_and(|target| target.is_met_by(&self.hash()))
    }

    fn part<const N: usize>(&self, at: usize) -> [u8; N] {
        std::array::from_fn(|offset| self.0[at + offset])
    }
}

impl FromStr for BlockHeader {
    type Err = InvalidHeader;

    fn from_str(text: &str) -> Result<Self, InvalidHeader> {
        let mut bytes = [0; 80];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidHeader)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for BlockHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for BlockHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
