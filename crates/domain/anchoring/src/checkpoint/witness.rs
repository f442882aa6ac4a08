use std::fmt;

use super::{InvalidNote, InvalidSignedCheckpoint, NoteSignature, SignedCheckpoint};
use crate::log::{ConsistencyProof, ProofError};
use crate::{Digest, text::decimal};

/// What a log sends to a witness that is to cosign its checkpoint: how it has grown since the witness last saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    proof: ConsistencyProof,
    checkpoint: SignedCheckpoint,
}

/// The text is no such request. The answer is 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    /// The lines before the checkpoint are not what they should be.
    #[error("must begin with `old`, a size, and at most 63 hashes in base64, before an empty line")]
    Shape,
    /// The sizes do not fit each other, or not the number of hashes.
    #[error("the proof is not one for these sizes")]
    Proof(#[from] ProofError),
    /// The rest is not a signed checkpoint.
    #[error("the checkpoint is invalid")]
    Checkpoint(#[from] InvalidSignedCheckpoint),
}

/// Why a witness does not cosign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The witness has last seen the log at this size, or at this size with another root. The answer is 409, with
    /// the size.
    #[error("the log was last seen at size {0}")]
    Conflict(u64),
    /// The log was rewritten, or the proof is wrong. The answer is 422.
    #[error("the proof does not hold")]
    Proof(#[from] ProofError),
}

/// What a witness answers to a log that asked it to cosign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WitnessAnswer {
    /// Signatures, which have still to be checked.
    Cosigned(Vec<NoteSignature>),
    /// It has last seen the log at this size, and has to be asked with a proof from there.
    SeenAt(u64),
}

impl WitnessAnswer {
    /// Reads the body of a success.
    ///
    /// # Errors
    ///
    /// If it is not lines of signatures, or there are too many.
    pub fn cosigned(body: &str) -> Result<Self, InvalidNote> {
        NoteSignature::parse_lines(body).map(Self::Cosigned)
    }

    /// Reads the body of a conflict: a size. `None` if it is none.
    #[must_use]
    pub fn seen_at(body: &str) -> Option<Self> {
        decimal(body.strip_suffix('\n').unwrap_or(body)).map(Self::SeenAt)
    }
}

impl AddCheckpoint {
    /// Joins a checkpoint and the proof that leads to it.
    ///
    /// # Errors
    ///
    /// If the proof leads to another size.
    pub fn new(proof: ConsistencyProof, checkpoint: SignedCheckpoint) -> Result<Self, InvalidRequest> {
        if proof.size() == checkpoint.checkpoint().size() {
            Ok(Self { proof, checkpoint })
        } else {
            Err(InvalidRequest::Proof(ProofError::OutOfRange))
        }
    }

    /// Reads the body of a request.
    ///
    /// # Errors
    ///
    /// If the text is none.
    pub fn parse(text: &str) -> Result<Self, InvalidRequest> {
        let (head, checkpoint) = text.split_once("\n\n").ok_or(InvalidRequest::Shape)?;
        let (old, lines) = head.split_once('\n').map_or((head, None), |(old, lines)| (old, Some(lines)));
        let old_size = old.strip_prefix("old ").and_then(decimal).ok_or(InvalidRequest::Shape)?;
        let hashes = read_hashes(lines.into_iter().flat_map(|lines| lines.split('\n'))).ok_or(InvalidRequest::Shape)?;
        let checkpoint = SignedCheckpoint::parse(checkpoint)?;
        let proof = ConsistencyProof::new(old_size, checkpoint.checkpoint().size(), hashes)?;
        Ok(Self { proof, checkpoint })
    }

    /// How the log has grown.
    #[must_use]
    pub const fn proof(&self) -> &ConsistencyProof {
        &self.proof
    }

    /// The checkpoint. Its signature has still to be checked, before anything else: 404 for a log that is not known,
    /// 403 for a wrong signature.
    #[must_use]
    pub const fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// Whether a witness that last saw the log at that size and root, or at size 0 never, may cosign. It must then
    /// store the new size and root, if they are still the ones it compared with, before it does.
    ///
    /// # Errors
    ///
    /// If it must not.
    pub fn check(&self, last_size: u64, last_root: &Digest) -> Result<(), Refusal> {
        let root = self.checkpoint.checkpoint().root();
        let is_other = last_size == self.proof.size() && last_size > 0 && root != *last_root;
        if last_size != self.proof.old_size() || is_other {
            return Err(Refusal::Conflict(last_size));
        }
        Ok(self.proof.verify(last_root, &root)?)
    }
}

/// Hashes in base64, at most as many as a tree is high.
pub(super) fn read_hashes<'a>(mut lines: impl Iterator<Item = &'a str>) -> Option<Vec<Digest>> {
    let hashes = lines.by_ref().take(63).map(Digest::from_base64).collect::<Result<_, _>>().ok()?;
    lines.next().is_none().then_some(hashes)
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.proof.old_size())?;
        self.proof.hashes().iter().try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
