use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::witness::read_hashes;
use super::{InvalidSignedCheckpoint, SignedCheckpoint};
use crate::log::{InclusionProof, ProofError};
use crate::{Digest, text::decimal};

const HEAD: &str = "c2sp.org/tlog-proof@v1";

/// That an entry is in a log, in one text: its index, the proof, and the checkpoint with its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    extra: Option<Vec<u8>>,
    proof: InclusionProof,
    checkpoint: SignedCheckpoint,
}

/// The text is no such receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReceipt {
    /// The lines before the checkpoint are not what they should be.
    #[error("must begin with `c2sp.org/tlog-proof@v1`, possibly `extra`, then `index` and hashes, and an empty line")]
    Shape,
    /// The index does not fit the checkpoint's size, or not the number of hashes.
    #[error("the proof is not one for this index and size")]
    Proof(#[from] ProofError),
    /// The rest is not a signed checkpoint.
    #[error("the checkpoint is invalid")]
    Checkpoint(#[from] InvalidSignedCheckpoint),
}

impl Receipt {
    /// Joins a proof and the checkpoint of the tree that it leads to.
    ///
    /// # Errors
    ///
    /// If they are of trees of different size.
    pub fn new(proof: InclusionProof, checkpoint: SignedCheckpoint) -> Result<Self, InvalidReceipt> {
        if proof.size() == checkpoint.checkpoint().size() {
            Ok(Self { extra: None, proof, checkpoint })
        } else {
            Err(InvalidReceipt::Proof(ProofError::OutOfRange))
        }
    }

    /// Adds bytes that nobody vouches for.
    #[must_use]
    pub fn with_extra(self, extra: Vec<u8>) -> Self {
        Self { extra: Some(extra), ..self }
    }

    /// Reads a receipt.
    ///
    /// # Errors
    ///
    /// If the text is none.
    pub fn parse(text: &str) -> Result<Self, InvalidReceipt> {
        let (head, checkpoint) = text.split_once("\n\n").ok_or(InvalidReceipt::Shape)?;
        let (extra, index, hashes) = read_head(head).ok_or(InvalidReceipt::Shape)?;
        let checkpoint = SignedCheckpoint::parse(checkpoint)?;
        let proof = InclusionProof::new(index, checkpoint.checkpoint().size(), hashes)?;
        Ok(Self { extra, proof, checkpoint })
    }

    /// Bytes that nobody vouches for.
    #[must_use]
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// Where the entry stands.
    #[must_use]
    pub const fn proof(&self) -> &InclusionProof {
        &self.proof
    }

    /// The checkpoint. Its signatures have still to be checked.
    #[must_use]
    pub const fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// Checks that the checkpoint's tree has the entry.
    ///
    /// # Errors
    ///
    /// If it has not.
    pub fn verify(&self, entry: &Digest) -> Result<(), ProofError> {
        self.proof.verify(entry, &self.checkpoint.checkpoint().root())
    }
}

type Head = (Option<Vec<u8>>, u64, Vec<Digest>);

fn read_head(head: &str) -> Option<Head> {
    let mut lines = head.split('\n').peekable();
    lines.next().filter(|line| *line == HEAD)?;
    let extra = match lines.next_if(|line| line.starts_with("extra ")) {
        Some(line) => Some(STANDARD.decode(line.strip_prefix("extra ")?).ok()?),
        None => None,
    };
    let index = decimal(lines.next()?.strip_prefix("index ")?)?;
    Some((extra, index, read_hashes(lines)?))
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.proof.index())?;
        self.proof.hashes().iter().try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
