//! Files that hold secrets: whole or absent, never readable by others on the way, never overwritten by accident.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use zeroize::Zeroizing;

/// For their owner alone.
pub(crate) const PRIVATE: u32 = 0o600;
/// For everybody to read.
pub(crate) const PUBLIC: u32 = 0o644;

const MAX_LENGTH: u64 = 64 * 1024;

/// A file as it was at one moment.
pub(crate) struct Kept {
    pub(crate) text: Zeroizing<String>,
    pub(crate) stamp: Stamp,
    /// Others than its owner may read or write it.
    pub(crate) exposed: bool,
}

/// Changes whenever the file is written or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    file: (u64, u64),
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Self {
            file: (metadata.dev(), metadata.ino()),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            // A copy may bring its old modification time along, but not this.
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// The directory a file is in; the current one for a bare name.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the directory, for its owner alone, unless it exists.
pub(crate) fn make_private_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    sync_directory(parent(path))
}

/// Makes names that were just given in a directory outlive a loss of power.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The file's stamp, if there is one.
pub(crate) fn stamp(path: &Path) -> io::Result<Option<Stamp>> {
    absent_is_none(fs::metadata(path)).map(|metadata| metadata.as_ref().map(Stamp::from))
}

/// The whole file, if there is one.
pub(crate) fn read(path: &Path) -> io::Result<Option<Kept>> {
    let Some(file) = absent_is_none(File::open(path))? else {
        return Ok(None);
    };
    let metadata = file.metadata()?;
    if metadata.len() > MAX_LENGTH {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "the file is too long for what it should hold"));
    }
    // Room for all of it, so that no copy is left behind by growing.
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1));
    file.take(MAX_LENGTH).read_to_string(&mut text)?;
    Ok(Some(Kept { text, stamp: Stamp::from(&metadata), exposed: metadata.mode() & 0o077 != 0 }))
}

/// Writes a file that must not exist yet; `false` when it does, and then nothing is changed. `temporary` is a name
/// in the same directory that nobody else uses. The caller syncs the directory.
pub(crate) fn write_new(path: &Path, temporary: &Path, text: &str, mode: u32) -> io::Result<bool> {
    write_temporary(temporary, text, mode)?;
    // Unlike renaming, linking never takes the place of a file.
    let linked = fs::hard_link(temporary, path);
    fs::remove_file(temporary)?;
    match linked {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(e),
    }
}

/// Writes a file in place of another: readers see the old one or the new one.
pub(crate) fn write_over(path: &Path, temporary: &Path, text: &str, mode: u32) -> io::Result<()> {
    write_temporary(temporary, text, mode)?;
    fs::rename(temporary, path)
}

/// Waits until no other process holds the lock of this directory. It is held until dropped, or the process ends.
pub(crate) fn lock(directory: &Path) -> io::Result<File> {
    let path = directory.join(".lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(PRIVATE).open(path)?;
    file.lock()?;
    Ok(file)
}

fn write_temporary(temporary: &Path, text: &str, mode: u32) -> io::Result<()> {
    // Left behind by a process that was killed.
    absent_is_none(fs::remove_file(temporary))?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn absent_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_is_new_and_over_is_over() {
        let directory = tempfile::tempdir().unwrap();
        let (path, temporary) = (directory.path().join("a"), directory.path().join(".a.tmp"));
        // As a killed process leaves it: nobody may write it, and it is half.
        fs::write(&temporary, "ha").unwrap();
        assert!(read(&path).unwrap().is_none() && stamp(&path).unwrap().is_none());
        assert!(write_new(&path, &temporary, "one", PRIVATE).unwrap());
        assert!(!write_new(&path, &temporary, "two", PRIVATE).unwrap());
        let kept = read(&path).unwrap().unwrap();
        assert_eq!((kept.text.as_str(), kept.exposed), ("one", false));
        assert_eq!(stamp(&path).unwrap(), Some(kept.stamp));
        write_over(&path, &temporary, "two", PUBLIC).unwrap();
        let over = read(&path).unwrap().unwrap();
        assert_eq!((over.text.as_str(), over.exposed), ("two", true));
        assert_ne!(over.stamp, kept.stamp);
        assert!(!temporary.exists());
    }
}
