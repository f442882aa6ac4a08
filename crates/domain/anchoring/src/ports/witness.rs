use crate::Digest;
use crate::checkpoint::SignedCheckpoint;
use artdag_kernel::{Instant, StoreError};
use async_trait::async_trait;

/// Reads what this server, as a witness, has seen of other logs.
#[async_trait]
pub trait WitnessReads: Send {
    /// The size and root at which a log was last seen, by its origin.
    async fn last_seen(&mut self, origin: &str) -> Result<Option<(u64, Digest)>, StoreError>;
}

/// Keeps what this server, as a witness, has seen of other logs.
#[async_trait]
pub trait WitnessRepository: WitnessReads {
    /// Notes a checkpoint if the log was last seen at the size and root of `before`, or, at size 0, never. `false`,
    /// and nothing is written, otherwise.
    async fn note_seen(
        &mut self,
        before: (u64, Digest),
        seen: &SignedCheckpoint,
        now: Instant,
    ) -> Result<bool, StoreError>;
}
