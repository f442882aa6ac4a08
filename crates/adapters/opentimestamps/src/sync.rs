//! Brings the chain of headers up to date.

use crate::header_file::{HeaderFile, HeaderFileError, stopped};
use artdag_anchoring::bitcoin::{AcceptError, BlockHeader, Change, HeaderError, HeaderFault};
use artdag_anchoring::{BlockHeaders, HeadersError};
use std::num::NonZeroU32;
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// How many headers are asked for at a time, if there is no reason for another number. It is lost if the process is
/// killed, and it is how often progress is told.
pub const BATCH: NonZeroU32 = NonZeroU32::new(2000).unwrap();

/// Mainnet gets there about the year 2085. Headers of its first years can be made at will, and disks are finite.
const HIGHEST: u32 = 4_000_000;

/// How often in a row a source may give headers that do not follow one another. A reorganisation while they are
/// fetched has that effect.
const PATIENCE: u32 = 3;

/// How far the chain has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The height of the chain, all of which is on disk.
    pub height: u32,
    /// That of the source.
    pub tip: u32,
    /// If headers were replaced just now: the last height that is as it was. What was confirmed above no longer is.
    pub reorg: Option<u32>,
}

/// How the chain stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Synced {
    /// Its height.
    pub height: u32,
    /// How many headers are new.
    pub added: usize,
    /// If headers were replaced: the last height that is as it was.
    pub reorg: Option<u32>,
    /// Whether the source had nothing better: its chain is shorter, or on a branch without more work.
    pub is_ahead: bool,
}

/// Why the chain is not up to date. What was added before stays.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The source fails.
    #[error("the headers could not be fetched")]
    Source(#[from] HeadersError),
    /// The source has another first block: it is of another network.
    #[error("{0} has the headers of another chain")]
    AnotherChain(String),
    /// The source gives headers that are not valid.
    #[error("{whose} gives headers that are not valid")]
    Invalid {
        /// The source.
        whose: String,
        /// What is wrong.
        #[source]
        error: HeaderError,
    },
    /// The source gives headers that do not follow one another, time and again, or claims heights that there
    /// cannot be.
    #[error("{0} contradicts itself")]
    Unsteady(String),
    /// The headers cannot be stored.
    #[error("the headers could not be stored")]
    File(#[source] HeaderFileError),
}

/// Brings the chain up to the source's tip, and tells of each step. The source is not believed: whatever it gives is
/// checked, and it can at worst give nothing.
///
/// Each batch is on disk before the next is fetched, so this may be stopped, dropped or killed at any time, and goes
/// on from there. A branch is taken as soon as it has more work than what it replaces.
///
/// # Errors
///
/// [`SyncError`].
pub async fn sync(
    file: &Arc<HeaderFile>,
    source: &dyn BlockHeaders,
    batch: NonZeroU32,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Synced, SyncError> {
    let height = height_of(file);
    let mut run =
        Run { file, source, batch, progress, synced: Synced { height, added: 0, reorg: None, is_ahead: false } };
    let mut failures = 0;
    loop {
        let before = run.synced.added;
        match run.round().await? {
            Round::Level => return Ok(Synced { is_ahead: false, ..run.synced }),
            Round::Ahead => return Ok(Synced { is_ahead: true, ..run.synced }),
            Round::Grown | Round::Torn => {}
        }
        failures = if run.synced.added > before { 0 } else { failures + 1 };
        if failures > PATIENCE {
            return Err(SyncError::Unsteady(source.name()));
        }
    }
}

/// What came of one look at the source's tip.
enum Round {
    /// The chain ends where the source's does.
    Level,
    /// The chain is better than the source's.
    Ahead,
    /// The chain has all of what the source had; by now it may have more.
    Grown,
    /// The source changed meanwhile, or does not know what it says.
    Torn,
}

struct Run<'a> {
    file: &'a Arc<HeaderFile>,
    source: &'a dyn BlockHeaders,
    batch: NonZeroU32,
    progress: &'a mut (dyn FnMut(Progress) + Send),
    synced: Synced,
}

impl Run<'_> {
    async fn round(&mut self) -> Result<Round, SyncError> {
        let tip = self.source.tip().await?;
        if tip > HIGHEST {
            return Err(SyncError::Unsteady(self.source.name()));
        }
        let own = height_of(self.file);
        let common = common(self.file, self.source, own.min(tip)).await?;
        if common == tip {
            return Ok(if tip == own { Round::Level } else { Round::Ahead });
        }
        let mut branch: Vec<BlockHeader> = Vec::new();
        // What only extends the chain is added at once. A branch may have to grow first.
        let mut enough = if common == own { 1 } else { self.batch.get() as usize };
        let mut next = common + 1;
        while next <= tip {
            let more = self.source.headers(next, self.batch.get().min(tip - next + 1)).await?;
            let Ok(count @ 1..) = u32::try_from(more.len()) else { return Ok(Round::Torn) };
            next = next.saturating_add(count);
            branch.extend(more);
            if branch.len() < enough && next <= tip {
                continue;
            }
            let (rest, result) = add(self.file, branch).await?;
            branch = rest;
            match result {
                // All of them were known: the fork is still to come.
                Ok(change) if change.added == 0 => branch.clear(),
                Ok(change) => {
                    branch.clear();
                    enough = 1;
                    self.tell(tip, &change);
                }
                // Twice as many each time: all of them are checked anew.
                Err(AcceptError::NotHeavier { .. }) => enough = branch.len() * 2,
                Err(AcceptError::Unknown | AcceptError::Invalid(HeaderError { fault: HeaderFault::NotLinked, .. })) => {
                    return Ok(Round::Torn);
                }
                Err(AcceptError::Invalid(error)) => {
                    return Err(SyncError::Invalid { whose: self.source.name(), error });
                }
            }
        }
        Ok(if branch.is_empty() { Round::Grown } else { Round::Ahead })
    }

    fn tell(&mut self, tip: u32, change: &Change) {
        let reorg = change.is_reorg().then_some(change.fork_height);
        let synced = &mut self.synced;
        synced.height = height_of(self.file);
        synced.added += change.added;
        synced.reorg = [synced.reorg, reorg].into_iter().flatten().min();
        (self.progress)(Progress { height: synced.height, tip, reorg });
    }
}

/// A height at which both have the same header; the highest, if the source has not branched off.
async fn common(file: &HeaderFile, source: &dyn BlockHeaders, from: u32) -> Result<u32, SyncError> {
    let (mut height, mut step) = (from, 1);
    loop {
        let theirs = source.header(height).await?;
        if theirs.is_some() && theirs == header_of(file, height) {
            return Ok(height);
        }
        if height == 0 {
            return Err(SyncError::AnotherChain(source.name()));
        }
        height = height.saturating_sub(step);
        step *= 2;
    }
}

/// Checks and stores headers, away from the threads that serve others.
async fn add(
    file: &Arc<HeaderFile>,
    headers: Vec<BlockHeader>,
) -> Result<(Vec<BlockHeader>, Result<Change, AcceptError>), SyncError> {
    let changed = Arc::clone(file);
    let added = spawn_blocking(move || {
        let result = changed.add(&headers);
        (headers, result)
    });
    let (headers, result) = added.await.map_err(|error| SyncError::File(stopped(file.path(), error)))?;
    match result {
        Ok(change) => Ok((headers, Ok(change))),
        Err(HeaderFileError::Refused(error)) => Ok((headers, Err(error))),
        Err(error) => Err(SyncError::File(error)),
    }
}

fn height_of(file: &HeaderFile) -> u32 {
    file.chain(artdag_anchoring::bitcoin::HeaderChain::height)
}

/// Of the chain as it is, be there much work in it or little.
fn header_of(file: &HeaderFile, height: u32) -> Option<BlockHeader> {
    file.chain(|chain| chain.headers().get(usize::try_from(height).ok()?).copied())
}
