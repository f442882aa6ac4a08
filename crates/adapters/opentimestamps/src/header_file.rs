//! The headers of a chain, in a file.

use crate::checked;
use artdag_anchoring::Assurance;
use artdag_anchoring::bitcoin::{AcceptError, BlockHeader, ChainRules, Change, HeaderChain, HeaderError, HeaderFault};
use artdag_anchoring::{BlockHeaders, HeadersError};
use async_trait::async_trait;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use tokio::task::JoinError;

/// How many headers are read, checked and written at a time.
const PIECE: usize = 8192;
const LENGTH: u64 = BlockHeader::LENGTH as u64;
const NO_HEADER: [u8; BlockHeader::LENGTH] = [0; BlockHeader::LENGTH];

/// A chain of headers and the file that it is kept in: 80 bytes a header, from the genesis block on, and nothing
/// else. So any such file can be copied here, and this one anywhere.
///
/// All that is in the file was checked, and is checked again when it is opened. What was added is written to disk
/// before [`Self::add`] returns. A process that is killed at any moment leaves a part of the chain, perhaps with a
/// piece of a header behind it, which is cut off at the next opening; the chain is brought up again by
/// [`sync`](crate::sync). Two processes cannot have it open for writing.
///
/// As a source of headers it says nothing until its chain has the least work of the rules.
#[derive(Debug)]
pub struct HeaderFile {
    path: PathBuf,
    chain: RwLock<HeaderChain>,
    /// Held by whoever changes the chain, from before that until it is written.
    disk: Mutex<Disk>,
}

/// Why a file of headers cannot be used, or headers cannot be added to it.
#[derive(Debug, thiserror::Error)]
pub enum HeaderFileError {
    /// The file system fails.
    #[error("the headers in {path} cannot be {doing}")]
    Io {
        /// The file.
        path: PathBuf,
        /// `opened`, `read`, `written`, or `read or written`.
        doing: &'static str,
        /// What failed.
        #[source]
        source: io::Error,
    },
    /// Another process has it open.
    #[error("the headers in {0} are in use by another process")]
    InUse(PathBuf),
    /// Its first header is not that of the network.
    #[error("the headers in {0} are those of another chain")]
    AnotherChain(PathBuf),
    /// A header is not a valid next one. If it does not follow on the one before, that one may be what is wrong.
    #[error("{} of {path}, the header of height {height}, are wrong", place_of(*.height))]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The height.
        height: u32,
        /// The rule that it breaks.
        #[source]
        fault: HeaderFault,
    },
    /// The headers to be added are not better than those that are there.
    #[error("the headers are not taken")]
    Refused(#[from] AcceptError),
}

#[derive(Debug)]
struct Disk {
    file: File,
    /// How many headers at the beginning of the file are those of the chain.
    written: u64,
}

impl HeaderFile {
    /// Opens the file, or makes it, and checks all that is in it. This reads the whole file: call it where blocking
    /// is allowed.
    ///
    /// # Errors
    ///
    /// [`HeaderFileError`]. Nothing of a file that has an error in it is changed.
    pub fn open(path: impl Into<PathBuf>, rules: ChainRules) -> Result<Self, HeaderFileError> {
        let path = path.into();
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = opened.map_err(|error| io_error(&path, "opened", error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(HeaderFileError::InUse(path)),
            Err(TryLockError::Error(error)) => return Err(io_error(&path, "opened", error)),
        }
        let mut disk = Disk { file, written: 0 };
        let (chain, written) = load(&disk.file, &path, rules)?;
        disk.written = written;
        disk.save(chain.headers()).map_err(|error| io_error(&path, "written", error))?;
        sync_folder(&path).map_err(|error| io_error(&path, "written", error))?;
        Ok(Self { path, chain: RwLock::new(chain), disk: Mutex::new(disk) })
    }

    /// Checks a file that may belong to another process, and leaves it as it is.
    ///
    /// # Errors
    ///
    /// [`HeaderFileError`]. A piece of a header at the end is passed over.
    pub fn read(path: &Path, rules: ChainRules) -> Result<HeaderChain, HeaderFileError> {
        let file = File::open(path).map_err(|source| io_error(path, "opened", source))?;
        Ok(load(&file, path, rules)?.0)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Looks into the chain. Nothing can be added to it meanwhile.
    pub fn chain<T>(&self, look: impl FnOnce(&HeaderChain) -> T) -> T {
        look(&self.chain.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Closes it, so that another process can open it, and keeps the chain.
    #[must_use]
    pub fn into_chain(self) -> HeaderChain {
        self.chain.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds headers, by the rules of [`HeaderChain::accept`], and writes them to disk. This blocks until they are
    /// there.
    ///
    /// # Errors
    ///
    /// If they are not taken, or cannot be written. In the second case the chain has them, and the next call that
    /// adds anything, or nothing, writes them too.
    pub fn add(&self, headers: &[BlockHeader]) -> Result<Change, HeaderFileError> {
        let mut disk = self.disk();
        let change = self.chain.write().unwrap_or_else(PoisonError::into_inner).accept(headers)?;
        if change.is_reorg() {
            disk.written = disk.written.min(u64::from(change.fork_height) + 1);
        }
        let saved = self.chain(|chain| disk.save(chain.headers()));
        saved.map_err(|source| io_error(&self.path, "written", source))?;
        Ok(change)
    }

    /// Adds the headers of another file. Both are checked to their ends, so this takes some seconds.
    ///
    /// # Errors
    ///
    /// If there is anything wrong with the other file, or it has a branch that is not better. Nothing was added then.
    pub fn import(&self, other: &Path) -> Result<Change, HeaderFileError> {
        let rules = self.chain(|chain| chain.rules().clone());
        self.add(Self::read(other, rules)?.headers())
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk {
    /// Makes the file hold these headers, of which the first so many as are known to be written are.
    fn save(&mut self, headers: &[BlockHeader]) -> io::Result<()> {
        let end = self.written * LENGTH;
        if self.file.metadata()?.len() > end {
            // On disk before anything is written over it: otherwise a power cut could leave a mixture.
            self.file.set_len(end)?;
            self.file.sync_all()?;
        }
        let new = &headers[usize::try_from(self.written).unwrap_or(usize::MAX).min(headers.len())..];
        if new.is_empty() {
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(end))?;
        for piece in new.chunks(PIECE) {
            let bytes: Vec<u8> = piece.iter().flat_map(BlockHeader::as_bytes).copied().collect();
            self.file.write_all(&bytes)?;
        }
        self.file.sync_all()?;
        self.written += new.len() as u64;
        Ok(())
    }
}

impl Drop for Disk {
    /// Closing it is not enough: a process that is just being started from this one has it open too.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// Reads a chain, and returns with it how many of its headers are in the file: none, if it is empty.
fn load(file: &File, path: &Path, rules: ChainRules) -> Result<(HeaderChain, u64), HeaderFileError> {
    if !begins_with(file, rules.genesis()).map_err(|source| io_error(path, "read", source))? {
        return Err(HeaderFileError::AnotherChain(path.to_owned()));
    }
    let mut reader = BufReader::with_capacity(PIECE * BlockHeader::LENGTH, file);
    let mut read = || read_piece(&mut reader).map_err(|source| io_error(path, "read", source));
    let mut chain = HeaderChain::new(rules);
    let mut count = 0;
    loop {
        let mut piece = read()?;
        // A power cut may leave a file longer than what was written into it.
        let zeros = piece.iter().position(|header| *header.as_bytes() == NO_HEADER);
        let rest = piece.split_off(zeros.unwrap_or(piece.len()));
        let Some(first) = piece.first() else { return end_of(chain, count, rest, read, path) };
        let corrupt = |height, fault| HeaderFileError::Corrupt { path: path.to_owned(), height, fault };
        let height = u32::try_from(count).map_err(|_| corrupt(u32::MAX, HeaderFault::TooHigh))?;
        if count > 0 && first.previous() != chain.tip() {
            return Err(corrupt(height, HeaderFault::NotLinked));
        }
        match chain.accept(&piece) {
            Ok(_) => {}
            Err(AcceptError::Invalid(HeaderError { height, fault })) => return Err(corrupt(height, fault)),
            // What follows on the tip is known and replaces nothing, so neither can be.
            Err(AcceptError::Unknown | AcceptError::NotHeavier { .. }) => {
                return Err(corrupt(height, HeaderFault::NotLinked));
            }
        }
        count += piece.len() as u64;
        if !rest.is_empty() {
            return end_of(chain, count, rest, read, path);
        }
    }
}

/// The chain, if nothing but zeros follows.
fn end_of(
    chain: HeaderChain,
    count: u64,
    mut rest: Vec<BlockHeader>,
    mut read: impl FnMut() -> Result<Vec<BlockHeader>, HeaderFileError>,
    path: &Path,
) -> Result<(HeaderChain, u64), HeaderFileError> {
    while !rest.is_empty() {
        if rest.iter().any(|header| *header.as_bytes() != NO_HEADER) {
            let height = u32::try_from(count).unwrap_or(u32::MAX);
            return Err(HeaderFileError::Corrupt { path: path.to_owned(), height, fault: HeaderFault::NotLinked });
        }
        rest = read()?;
    }
    Ok((chain, count))
}

/// Whether the file begins with this header, or with as much of it as was written before an end. Otherwise it may be
/// anything, and nothing of it is to be cut off.
fn begins_with(mut file: &File, header: &BlockHeader) -> io::Result<bool> {
    let mut first = Vec::new();
    file.take(LENGTH).read_to_end(&mut first)?;
    file.rewind()?;
    Ok(header.as_bytes().starts_with(&first) || NO_HEADER.starts_with(&first))
}

/// The next headers of a file, none at its end. A piece of a header is no header.
fn read_piece(reader: &mut impl Read) -> io::Result<Vec<BlockHeader>> {
    let mut bytes = Vec::new();
    reader.by_ref().take(PIECE as u64 * LENGTH).read_to_end(&mut bytes)?;
    let whole = bytes.len() - bytes.len() % BlockHeader::LENGTH;
    BlockHeader::parse_all(&bytes[..whole]).map_err(io::Error::other)
}

/// Makes the name of a new file last.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn place_of(height: u32) -> String {
    let start = u64::from(height) * LENGTH;
    format!("bytes {start} to {}", start + LENGTH - 1)
}

/// What was done with it on another thread did not come to its end.
pub(crate) fn stopped(path: &Path, error: JoinError) -> HeaderFileError {
    io_error(path, "read or written", io::Error::other(error))
}

fn io_error(path: &Path, doing: &'static str, source: io::Error) -> HeaderFileError {
    HeaderFileError::Io { path: path.to_owned(), doing, source }
}

#[async_trait]
impl BlockHeaders for HeaderFile {
    fn assurance(&self) -> Assurance {
        Assurance::PowChain
    }

    fn name(&self) -> String {
        checked::NAME.to_owned()
    }

    async fn tip(&self) -> Result<u32, HeadersError> {
        self.chain(checked::tip)
    }

    async fn header(&self, height: u32) -> Result<Option<BlockHeader>, HeadersError> {
        self.chain(|chain| checked::header(chain, height))
    }

    async fn headers(&self, from: u32, count: u32) -> Result<Vec<BlockHeader>, HeadersError> {
        self.chain(|chain| checked::headers(chain, from, count))
    }
}
