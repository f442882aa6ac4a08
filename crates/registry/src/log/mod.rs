//! The log of all activities: their places, the tree over them, and the checkpoints that are signed of it and
//! cosigned by witnesses.

mod ask_witnesses;
mod checkpoint;
mod cosign;
mod prove;
mod sequence;

pub use ask_witnesses::WitnessServer;
pub use cosign::CosignError;
pub use prove::{list_entries, prove_consistency, prove_inclusion, tree_root};
pub use sequence::run_sequencer;

use crate::PublishError;
use artdag_anchoring::checkpoint::{InvalidCheckpoint, InvalidKeyName};
use artdag_anchoring::log::{CannotResume, MissingTile, OutOfRange};
use artdag_kernel::StoreError;

/// Why the log does not go on, or cannot prove something.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// An index that is not below the size, or an older size above the newer one.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// A tile that should be stored is not there.
    #[error("the stored tree is not whole")]
    Tile(#[from] MissingTile),
    /// What is stored of the tree's edge does not fit.
    #[error("the stored tree cannot be continued")]
    Edge(#[from] CannotResume),
    /// Activities that have a place cannot be read from there.
    #[error("of the activities {from} to {to} of the log only {found} are there")]
    Gap {
        /// The first.
        from: u64,
        /// Behind the last.
        to: u64,
        /// How many there are.
        found: usize,
    },
    /// The stored tree contradicts what was signed. Nothing more is signed until somebody has looked.
    #[error("the tree of size {size} does not continue the signed one of size {signed}, and is not signed")]
    Inconsistent {
        /// Of what was signed last.
        signed: u64,
        /// Of what is there now.
        size: u64,
    },
    /// The domain cannot name a key.
    #[error("the domain cannot name the log's key")]
    Name(#[from] InvalidKeyName),
    /// The domain cannot name a log.
    #[error("the domain cannot name the log")]
    Origin(#[from] InvalidCheckpoint),
    /// There is no key to sign with.
    #[error("the log's key cannot be used")]
    Key(#[from] PublishError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
