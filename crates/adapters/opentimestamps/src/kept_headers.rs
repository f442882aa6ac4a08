//! A chain of headers that several processes keep together.

use crate::checked;
use crate::header_file::{HeaderFile, HeaderFileError, stopped};
use crate::sync::{Progress, SyncError, Synced, sync};
use artdag_anchoring::Assurance;
use artdag_anchoring::bitcoin::{BlockHeader, ChainRules, Change, HeaderChain};
use artdag_anchoring::{BlockHeaders, HeadersError};
use async_trait::async_trait;
use std::io;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tokio::task::spawn_blocking;

/// The chain in a file that nobody holds open: whoever changes it opens it as a [`HeaderFile`] for just so long, and
/// everybody sees what it holds now. So a server, its workers and commands share one file.
///
/// In memory is the last good state of the file, which is looked up again when the file has another length or time
/// than it had. A missing file is a chain of the genesis block alone, which on most networks has too little work to
/// say anything.
#[derive(Debug)]
pub struct KeptHeaders {
    path: PathBuf,
    rules: ChainRules,
    seen: Mutex<Seen>,
    /// Held by whoever reads the file, so that nobody reads it at the same time.
    reading: tokio::sync::Mutex<()>,
}

/// What came of an attempt to change the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt<T> {
    /// It was changed as far as there was something to change.
    Done(T),
    /// Another process is changing it. Nothing was done; what that one does will be seen here too.
    InUse,
}

/// What was found when the file was looked at last.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// Which state of the file that was.
    stamp: Option<Stamp>,
    /// Its last good state.
    chain: Option<Arc<HeaderChain>>,
    /// What is wrong with the present one.
    fault: Option<Arc<HeaderFileError>>,
}

/// Length and time of change, or why there is neither.
type Stamp = Result<(u64, Option<SystemTime>), io::ErrorKind>;

impl KeptHeaders {
    /// Keeps the chain in this file. Nothing is read before it is asked for.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, rules: ChainRules) -> Self {
        Self { path: path.into(), rules, seen: Mutex::default(), reading: tokio::sync::Mutex::default() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The chain as it is now, be there much work in it or little. While the file is wrong, or in the middle of a
    /// change, this is what it was before.
    ///
    /// # Errors
    ///
    /// [`HeadersError`], if the file is wrong and was never right since this was made.
    pub async fn chain(&self) -> Result<Arc<HeaderChain>, HeadersError> {
        let Seen { chain, fault, .. } = self.look().await?;
        match (chain, fault) {
            (Some(chain), _) => Ok(chain),
            (None, Some(fault)) => Err(HeadersError::Unreachable(fault.into())),
            (None, None) => Ok(Arc::new(HeaderChain::new(self.rules.clone()))),
        }
    }

    /// Brings the file up to the source's tip, as [`sync`](crate::sync) does. It is not opened if there is nothing to
    /// do, and belongs to this process no longer than the source takes.
    ///
    /// # Errors
    ///
    /// [`SyncError`]. That another process has the file open is none.
    pub async fn sync(
        &self,
        source: &dyn BlockHeaders,
        batch: NonZeroU32,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Attempt<Synced>, SyncError> {
        if let Some(height) = self.level_with(source).await? {
            return Ok(Attempt::Done(Synced { height, added: 0, reorg: None, is_ahead: false }));
        }
        let Attempt::Done(file) = self.open().await.map_err(SyncError::File)? else { return Ok(Attempt::InUse) };
        let file = Arc::new(file);
        let synced = sync(&file, source, batch, progress).await;
        // After a failure to write, the chain in memory is not the one of the file.
        if !matches!(synced, Err(SyncError::File(_)))
            && let Some(file) = Arc::into_inner(file)
        {
            self.take_over(file);
        }
        synced.map(Attempt::Done)
    }

    /// Adds the headers of another file, as [`HeaderFile::import`] does.
    ///
    /// # Errors
    ///
    /// [`HeaderFileError`], but not that another process has the file open.
    pub async fn import(&self, other: &Path) -> Result<Attempt<Change>, HeaderFileError> {
        let Attempt::Done(file) = self.open().await? else { return Ok(Attempt::InUse) };
        let other = other.to_owned();
        let imported = spawn_blocking(move || (file.import(&other), file)).await;
        let (change, file) = imported.map_err(|error| stopped(&self.path, error))?;
        let change = change?;
        self.take_over(file);
        Ok(Attempt::Done(change))
    }

    async fn open(&self) -> Result<Attempt<HeaderFile>, HeaderFileError> {
        let (path, rules) = (self.path.clone(), self.rules.clone());
        let opened = spawn_blocking(move || HeaderFile::open(path, rules)).await;
        match opened.map_err(|error| stopped(&self.path, error))? {
            Ok(file) => Ok(Attempt::Done(file)),
            Err(HeaderFileError::InUse(_)) => Ok(Attempt::InUse),
            Err(error) => Err(error),
        }
    }

    /// Closes the file, and goes on with its chain in place of another copy.
    fn take_over(&self, file: HeaderFile) {
        // Looked up while nobody else can change it.
        let stamp = Some(stamp_of(&self.path));
        *self.seen() = Seen { stamp, chain: Some(Arc::new(file.into_chain())), fault: None };
    }

    /// The height of both, if the file ends with the same header as the source.
    async fn level_with(&self, source: &dyn BlockHeaders) -> Result<Option<u32>, HeadersError> {
        let Seen { stamp: Some(Ok(_)), chain: Some(chain), fault: None } = self.look().await? else {
            return Ok(None);
        };
        let height = source.tip().await?;
        if height != chain.height() {
            return Ok(None);
        }
        let header = source.header(height).await?;
        Ok((header.as_ref() == chain.headers().last()).then_some(height))
    }

    /// What is in the file now, which is read if it was changed.
    async fn look(&self) -> Result<Seen, HeadersError> {
        if let Some(seen) = self.present() {
            return Ok(seen);
        }
        let _turn = self.reading.lock().await;
        // Somebody else may just have read it.
        if let Some(seen) = self.present() {
            return Ok(seen);
        }
        // Looked up before the file is read: if it changes meanwhile, it is read again.
        let stamp = Some(stamp_of(&self.path));
        let (path, rules) = (self.path.clone(), self.rules.clone());
        let read = spawn_blocking(move || HeaderFile::read(&path, rules)).await;
        let read = read.map_err(|error| HeadersError::Unreachable(error.into()))?;
        let mut seen = self.seen();
        *seen = match read {
            Ok(chain) => Seen { stamp, chain: Some(Arc::new(chain)), fault: None },
            Err(HeaderFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Seen { stamp, chain: None, fault: None }
            }
            Err(error) => {
                let known = if seen.chain.is_some() { "what was known before stays" } else { "no headers are known" };
                tracing::warn!(error = &error as &dyn std::error::Error, "the file of headers is wrong; {known}");
                Seen { stamp, chain: seen.chain.take(), fault: Some(Arc::new(error)) }
            }
        };
        Ok(seen.clone())
    }

    /// What was seen, if the file is as it was then.
    fn present(&self) -> Option<Seen> {
        let seen = self.seen().clone();
        (seen.stamp == Some(stamp_of(&self.path))).then_some(seen)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A look at the folder, which takes microseconds.
fn stamp_of(path: &Path) -> Stamp {
    let metadata = path.metadata().map_err(|error| error.kind())?;
    Ok((metadata.len(), metadata.modified().ok()))
}

#[async_trait]
impl BlockHeaders for KeptHeaders {
    fn assurance(&self) -> Assurance {
        Assurance::PowChain
    }

    fn name(&self) -> String {
        checked::NAME.to_owned()
    }

    async fn tip(&self) -> Result<u32, HeadersError> {
        checked::tip(&*self.chain().await?)
    }

    async fn header(&self, height: u32) -> Result<Option<BlockHeader>, HeadersError> {
        checked::header(&*self.chain().await?, height)
    }

    async fn headers(&self, from: u32, count: u32) -> Result<Vec<BlockHeader>, HeadersError> {
        checked::headers(&*self.chain().await?, from, count)
    }
}
