use super::LogWitness;
use crate::checkpoint::{NoteSignature, SignedCheckpoint};
use crate::log::{Appended, BundleId, EntryBundle, TileId, TileSet};
use artdag_kernel::{Instant, StoreError};
use async_trait::async_trait;

/// How far a log has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogHead {
    /// How many activities have their place.
    pub size: u64,
    /// How many of them are in the tree.
    pub tree_size: u64,
    /// How many the newest checkpoint speaks for.
    pub signed_size: u64,
}

/// A checkpoint that was signed and stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptCheckpoint {
    /// The note.
    pub signed: SignedCheckpoint,
    /// When it was stored.
    pub created_at: Instant,
}

/// Reads the log's tree.
#[async_trait]
pub trait LogReads: Send {
    /// How far the log has come.
    async fn log_head(&mut self) -> Result<LogHead, StoreError>;

    /// Those of the tiles that are there, in the widest version that is stored.
    async fn load_tiles(&mut self, tiles: &[TileId]) -> Result<TileSet, StoreError>;

    /// A bundle of entries, with exactly as many as its name says.
    async fn find_bundle(&mut self, bundle: BundleId) -> Result<Option<EntryBundle>, StoreError>;

    /// The checkpoint of the largest size.
    async fn newest_checkpoint(&mut self) -> Result<Option<KeptCheckpoint>, StoreError>;

    /// The checkpoint of that size.
    async fn find_checkpoint(&mut self, size: u64) -> Result<Option<KeptCheckpoint>, StoreError>;

    /// At most so many checkpoints, largest first: those of a size below `before`, if it is given.
    async fn list_checkpoints(&mut self, before: Option<u64>, limit: u16) -> Result<Vec<KeptCheckpoint>, StoreError>;

    /// The witnesses of the log that were ever asked, in the order of their keys.
    async fn log_witnesses(&mut self) -> Result<Vec<LogWitness>, StoreError>;
}

/// Keeps the log's tree.
#[async_trait]
pub trait LogRepository: LogReads {
    /// Takes it upon this unit of work to bring the tree from one size to the next. `false`, and nothing is written,
    /// when the tree is not of the size `from`. Whoever else wants to waits for the end of this unit of work.
    async fn advance_tree(&mut self, from: u64, to: u64) -> Result<bool, StoreError>;

    /// Writes new tiles and bundles, and the wider versions of those that are there.
    async fn write_tiles(&mut self, appended: &Appended) -> Result<(), StoreError>;

    /// Adds a checkpoint. One of the same size stays as it is, and is [`StoreError::Conflict`] if it has another
    /// root.
    async fn add_checkpoint(&mut self, signed: &SignedCheckpoint, now: Instant) -> Result<(), StoreError>;

    /// Adds signatures to the note of the checkpoint of that size, unless they are there; nothing else of it changes.
    /// `false` if there is no such checkpoint.
    async fn add_cosignatures(&mut self, size: u64, signatures: &[NoteSignature]) -> Result<bool, StoreError>;

    /// Writes how far a witness has come, over what was written of it before.
    async fn save_log_witness(&mut self, witness: &LogWitness) -> Result<(), StoreError>;
}
