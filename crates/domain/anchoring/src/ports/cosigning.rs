use super::Cause;
use crate::checkpoint::{AddCheckpoint, VerifierKey, WitnessAnswer};
use artdag_kernel::{Instant, ServerUrl};
use async_trait::async_trait;

/// How far a witness of this server's log has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogWitness {
    /// Its key, which tells it from the others.
    pub key: VerifierKey,
    /// The size at which it has last seen the log, as far as is known here; 0: never.
    pub seen_size: u64,
    /// When it last cosigned a checkpoint.
    pub cosigned_at: Option<Instant>,
    /// How often it has failed since then.
    pub failures: u32,
    /// What was wrong the last time.
    pub last_error: Option<String>,
    /// Before that it is not asked again.
    pub due_at: Instant,
}

impl LogWitness {
    /// One of which nothing is known yet.
    #[must_use]
    pub const fn new(key: VerifierKey, now: Instant) -> Self {
        Self { key, seen_size: 0, cosigned_at: None, failures: 0, last_error: None, due_at: now }
    }
}

/// Witnesses, which are asked to cosign the checkpoints of this server's log. None of them is believed: what they
/// answer has still to be checked.
#[async_trait]
pub trait Witness: Send + Sync {
    /// Shows a checkpoint, and how the log has grown, to the witness below this URL.
    ///
    /// # Errors
    ///
    /// [`WitnessError`]. The witness may have cosigned all the same, which does no harm.
    async fn add_checkpoint(&self, witness: &ServerUrl, request: &AddCheckpoint)
    -> Result<WitnessAnswer, WitnessError>;
}

/// Why a witness gave neither a cosignature nor a size, by what to do about it.
///
/// | variant | what to do |
/// |---|---|
/// | `Unreachable`, `Slow` | try again later, with longer and longer pauses |
/// | `UnknownLog`, `UnknownKey` | the same; its operator has to watch this log, by its key |
/// | `Rewritten` | the same; somebody has to look why |
/// | `Nonsense` | the same; say whose fault it is |
/// | `Refused` | nothing was sent: wait for the operator |
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// Nobody answers there, or what answers says itself that it is out of order.
    #[error("the witness cannot be reached")]
    Unreachable(#[source] Cause),
    /// It took longer than it may.
    #[error("the witness did not answer in time")]
    Slow,
    /// It does not watch this log, or there is no witness there.
    #[error("the witness does not watch this log")]
    UnknownLog,
    /// It watches a log of this name, but by another key.
    #[error("the witness does not accept the signature of this log")]
    UnknownKey,
    /// It finds that the checkpoint does not continue the one that it has seen.
    #[error("the witness finds that the log does not continue what it has seen")]
    Rewritten,
    /// An answer that cannot be true, or is none.
    #[error("the witness gives an answer that cannot be: {0}")]
    Nonsense(String),
    /// This server does not call it.
    #[error("the witness may not be asked")]
    Refused(#[source] Cause),
}
