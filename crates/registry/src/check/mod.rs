//! Computes anew what is stored and can be computed anew, and names what is wrong.
//!
//! All of it is read in pages, so a long log takes time and no memory. Nothing is changed, and the server may run
//! meanwhile: what is checked is the log as it was at the beginning, and what comes later is no fault.
//!
//! To check one more kind of thing: a variant of [`Kind`], its rows in [`StoredReads`], and a file here that reads them
//! and adds what it finds to the [`Report`].

mod activities;
mod anchors;
mod assets;
mod log;
mod report;
mod stored;
mod tree;

pub use report::{Kind, Remark, Remarks, Report};
pub use stored::{Stored, StoredAsset, StoredCheckpoint, StoredReads};

use crate::{Reader, Registry};
use artdag_anchoring::checkpoint::InvalidKeyName;
use artdag_federation::KeyError;
use artdag_kernel::StoreError;
use tokio::task::JoinError;

/// How many rows are read at once: the entries of two tiles.
const PAGE: u16 = 512;

/// What is being checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The log: activities, tree, checkpoints, and the ranges of anchors.
    Log,
    /// What anchors say of Bitcoin's blocks.
    Anchors,
    /// Live assets.
    Assets,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// With what.
    pub step: Step,
    /// How many of them are done.
    pub done: u64,
    /// How many there are; more may come meanwhile.
    pub all: u64,
}

/// Why nothing can be said of what is stored.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The keys of the log cannot be read.
    #[error("the log's keys cannot be read")]
    Key(#[from] KeyError),
    /// The domain cannot name a key.
    #[error("the domain cannot name the log's key")]
    Name(#[from] InvalidKeyName),
    /// This process is ending.
    #[error("the check was stopped")]
    Stopped(#[from] JoinError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A check that is under way.
struct Check<'a> {
    registry: &'a Registry,
    reader: Box<dyn Reader>,
    report: Report,
    progress: &'a mut (dyn FnMut(Progress) + Send),
}

impl Registry {
    /// Checks all that is stored: the activities with their signatures, the tree, the checkpoints, the anchors with
    /// their blocks, and the live assets. Whatever is wrong stands in the report.
    ///
    /// # Errors
    /// [`CheckError`], if it could not come to an end.
    pub async fn check(&self, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<Report, CheckError> {
        let mut check = Check { registry: self, reader: self.read().await?, report: Report::default(), progress };
        check.log().await?;
        check.anchors().await?;
        check.assets().await?;
        Ok(check.report)
    }
}
