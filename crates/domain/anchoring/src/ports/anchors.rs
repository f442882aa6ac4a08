use crate::bitcoin::Network;
use crate::{Anchor, Digest};
use artdag_kernel::{Instant, StoreError};
use async_trait::async_trait;

/// Reads anchors. What is asked about each is in one order: submissions first, then by calendar and message.
#[async_trait]
pub trait AnchorReads: Send {
    /// The anchor of this root.
    async fn find_anchor(&mut self, root: &Digest) -> Result<Option<Anchor>, StoreError>;

    /// For each of these places in the log the anchor by which it is proven best, in their order: the first one whose
    /// tree has it and that is confirmed on this network. Or else the first one that was stamped for it and not given
    /// up, or else the first one.
    async fn anchors_of(
        &mut self,
        indices: &[u64],
        network: Option<Network>,
    ) -> Result<Vec<Option<Anchor>>, StoreError>;

    /// At most so many anchors, largest tree first: those of a tree below `before`, if it is given.
    async fn list_anchors(&mut self, before: Option<u64>, limit: u16) -> Result<Vec<Anchor>, StoreError>;

    /// How many anchors there are.
    async fn count_anchors(&mut self) -> Result<u64, StoreError>;

    /// At most so many anchors for which there is something to do by now, those that wait longest first. One that cannot
    /// be read is in the way of no other.
    async fn due_anchors(&mut self, now: Instant, limit: u16) -> Result<Vec<Result<Anchor, StoreError>>, StoreError>;

    /// When there is something to do next, if ever.
    async fn next_anchor_due(&mut self) -> Result<Option<Instant>, StoreError>;

    /// The confirmed anchors that rest on a block of this height or a later one, lowest block first. One that cannot be
    /// read is in the way of no other.
    async fn anchors_from_block(&mut self, height: u32) -> Result<Vec<Result<Anchor, StoreError>>, StoreError>;
}

/// Keeps anchors.
#[async_trait]
pub trait AnchorRepository: AnchorReads {
    /// Adds one. `false`, and nothing is written, if there is already one that begins at the same place of the log, or
    /// of the same tree.
    async fn add_anchor(&mut self, anchor: &Anchor) -> Result<bool, StoreError>;

    /// Writes what has changed, if the stored one is still of this revision; it is of the next one then. `false`, and
    /// nothing is written, otherwise.
    async fn save_anchor(&mut self, anchor: &Anchor) -> Result<bool, StoreError>;
}
