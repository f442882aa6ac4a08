use artdag_anchoring::checkpoint::SignedCheckpoint;
use artdag_anchoring::{Anchor, Digest};
use artdag_assets::Asset;
use artdag_federation::Activity;
use artdag_kernel::StoreError;
use async_trait::async_trait;
use std::ops::Range;

/// A row by its key, and what it holds, if that can be read.
pub type Stored<K, T> = (K, Result<T, StoreError>);

/// A checkpoint as its row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// The root, which the note repeats.
    pub root: Digest,
    /// The note.
    pub signed: SignedCheckpoint,
}

/// A live asset as its row has it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredAsset {
    /// The asset.
    pub asset: Asset,
    /// The activity that it names as its claim, if there is one of that id.
    pub claim: Option<Activity>,
}

/// Reads rows as they are stored, for whoever checks them: a page at a time, in the order of their keys. One that
/// cannot be read hides no other.
#[async_trait]
pub trait StoredReads: Send {
    /// At most so many activities at these places of the log. There may be gaps.
    async fn stored_activities(
        &mut self,
        places: Range<u64>,
        limit: u16,
    ) -> Result<Vec<Stored<u64, Activity>>, StoreError>;

    /// At most so many tiles of a level, by their index: the bytes of their hashes. Without a level, the bundles: the
    /// bytes of their entries.
    async fn stored_tiles(
        &mut self,
        level: Option<u8>,
        indices: Range<u64>,
        limit: u16,
    ) -> Result<Vec<(u64, Vec<u8>)>, StoreError>;

    /// At most so many checkpoints of these sizes.
    async fn stored_checkpoints(
        &mut self,
        sizes: Range<u64>,
        limit: u16,
    ) -> Result<Vec<Stored<u64, StoredCheckpoint>>, StoreError>;

    /// At most so many anchors of trees of these sizes.
    async fn stored_anchors(&mut self, sizes: Range<u64>, limit: u16) -> Result<Vec<Stored<u64, Anchor>>, StoreError>;

    /// At most so many live assets, behind the one with this id.
    async fn stored_assets(
        &mut self,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Vec<Stored<String, StoredAsset>>, StoreError>;
}
