use ripemd::Ripemd160;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use sha3::Keccak256;

use super::OtsError;
use super::reader::Reader;
use crate::Digest;

/// The hashes that proofs use, in the order of their tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// SHA-1. What is attested here may have a twin.
    Sha1,
    /// RIPEMD-160.
    Ripemd160,
    /// SHA-256.
    Sha256,
    /// Keccak-256 as Ethereum has it, which is not SHA3-256.
    Keccak256,
}

/// The digest of a file, with which its proof begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileHash {
    algorithm: HashAlgorithm,
    digest: Vec<u8>,
}

impl HashAlgorithm {
    /// The hash of bytes.
    #[must_use]
    pub fn hash(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Ripemd160 => Ripemd160::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Keccak256 => Keccak256::digest(bytes).to_vec(),
        }
    }

    /// How long its digests are.
    #[must_use]
    pub const fn digest_length(self) -> usize {
        match self {
            Self::Sha1 | Self::Ripemd160 => 20,
            Self::Sha256 | Self::Keccak256 => 32,
        }
    }

    pub(super) const fn tag(self) -> u8 {
        match self {
            Self::Sha1 => 0x02,
            Self::Ripemd160 => 0x03,
            Self::Sha256 => 0x08,
            Self::Keccak256 => 0x67,
        }
    }

    pub(super) fn of_tag(tag: u8) -> Option<Self> {
        let all = [Self::Sha1, Self::Ripemd160, Self::Sha256, Self::Keccak256];
        all.into_iter().find(|algorithm| algorithm.tag() == tag)
    }
}

impl FileHash {
    /// Hashes a file that is at hand.
    #[must_use]
    pub fn of(algorithm: HashAlgorithm, file: &[u8]) -> Self {
        Self { algorithm, digest: algorithm.hash(file) }
    }

    /// Wraps a SHA-256 that was computed elsewhere.
    #[must_use]
    pub fn sha256(digest: Digest) -> Self {
        Self { algorithm: HashAlgorithm::Sha256, digest: digest.as_bytes().to_vec() }
    }

    /// How the file was hashed.
    #[must_use]
    pub const fn algorithm(&self) -> HashAlgorithm {
        self.algorithm
    }

    /// The digest.
    #[must_use]
    pub fn digest(&self) -> &[u8] {
        &self.digest
    }

    /// Whether this is the file.
    #[must_use]
    pub fn matches(&self, file: &[u8]) -> bool {
        self.algorithm.hash(file) == self.digest
    }

    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, OtsError> {
        let tag = reader.byte()?;
        let algorithm = HashAlgorithm::of_tag(tag).ok_or(OtsError::UnknownFileHash(tag))?;
        Ok(Self { algorithm, digest: reader.bytes(algorithm.digest_length())?.to_vec() })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(self.algorithm.tag());
        out.extend_from_slice(&self.digest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_the_hash_of_its_name() {
        for (algorithm, of_nothing) in [
            (HashAlgorithm::Sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            (HashAlgorithm::Ripemd160, "9c1185a5c5e9fc54612808977ee8f548b2258d31"),
            (HashAlgorithm::Sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (HashAlgorithm::Keccak256, "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        ] {
            let digest = algorithm.hash(b"");
            assert_eq!(hex::encode(&digest), of_nothing);
            assert_eq!(digest.len(), algorithm.digest_length());
            assert_eq!(HashAlgorithm::of_tag(algorithm.tag()), Some(algorithm));
            assert!(FileHash::of(algorithm, b"a").matches(b"a") && !FileHash::of(algorithm, b"a").matches(b"b"));
        }
    }
}
