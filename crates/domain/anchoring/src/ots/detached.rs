use super::reader::Reader;
use super::{FileHash, OtsError, Timestamp};

/// An `.ots` file: the digest of another file and what is claimed of it.
///
/// ```
/// use artdag_anchoring::Digest;
/// use artdag_anchoring::ots::{Attestation, DetachedTimestamp, FileHash, Op, Timestamp};
///
/// let digest = Digest::of(b"a picture");
/// let claimed = Timestamp::new(digest.as_bytes())?.attested(Attestation::Pending("https://ots.example".parse()?));
/// let proof = DetachedTimestamp::new(FileHash::sha256(digest), claimed)?;
/// let bytes = proof.to_bytes()?;
/// assert_eq!(DetachedTimestamp::parse(&bytes)?, proof);
/// assert!(proof.file_hash().matches(b"a picture"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetachedTimestamp {
    file_hash: FileHash,
    timestamp: Timestamp,
}

const MAGIC: [u8; 31] = *b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94";
const VERSION: u8 = 1;

impl DetachedTimestamp {
    /// Joins a digest and what is claimed of it.
    ///
    /// # Errors
    ///
    /// If the timestamp is of another message.
    pub fn new(file_hash: FileHash, timestamp: Timestamp) -> Result<Self, OtsError> {
        if file_hash.digest() != timestamp.message() {
            return Err(OtsError::AnotherMessage);
        }
        Ok(Self { file_hash, timestamp })
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// If the bytes are not exactly one proof, or it goes beyond the [limits](super::limits).
    pub fn parse(bytes: &[u8]) -> Result<Self, OtsError> {
        let mut reader = Reader::new(bytes);
        if reader.array() != Ok(MAGIC) {
            return Err(OtsError::WrongMagic);
        }
        match reader.byte()? {
            VERSION => {}
            version => return Err(OtsError::UnknownVersion(version)),
        }
        let file_hash = FileHash::parse(&mut reader)?;
        let rest = reader.bytes(reader.remaining())?;
        let timestamp = Timestamp::parse(file_hash.digest(), rest)?;
        Ok(Self { file_hash, timestamp })
    }

    /// Writes the file.
    ///
    /// # Errors
    ///
    /// If a branch ends without an attestation.
    pub fn to_bytes(&self) -> Result<Vec<u8>, OtsError> {
        let mut bytes = MAGIC.to_vec();
        bytes.push(VERSION);
        self.file_hash.write(&mut bytes);
        bytes.extend(self.timestamp.to_bytes()?);
        Ok(bytes)
    }

    /// The digest of the file that the proof is for.
    #[must_use]
    pub const fn file_hash(&self) -> &FileHash {
        &self.file_hash
    }

    /// What is claimed of it.
    #[must_use]
    pub const fn timestamp(&self) -> &Timestamp {
        &self.timestamp
    }

    /// What is claimed of it, to add to or take from. The message stays the same.
    pub const fn timestamp_mut(&mut self) -> &mut Timestamp {
        &mut self.timestamp
    }
}
