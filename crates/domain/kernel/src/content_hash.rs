use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha3::{Digest, Sha3_256};
use std::fmt;
use std::str::FromStr;

const PREFIX: &str = "sha3-256:";

/// The SHA3-256 digest (FIPS 202) of an asset's bytes: its identity.
///
/// Read from 64 hex digits of any case, with or without `sha3-256:` before them; written with the prefix and
/// in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; 32]);

/// The text is not a content hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a SHA3-256 hash: 64 hex digits, bare or after `sha3-256:`")]
pub struct InvalidContentHash;

impl ContentHash {
    /// Hashes bytes that are at hand.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = ContentHasher::default();
        hasher.update(bytes);
        hasher.finish()
    }

    /// Wraps a digest that was computed elsewhere.
    pub const fn from_bytes(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The 32 bytes of the digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hex digits without the prefix, as in `/objects/{hash}`.
    pub fn to_bare_hex(&self) -> String {
        hex::encode(self.0)
    }
}

/// Hashes a stream piece by piece.
#[derive(Default)]
pub struct ContentHasher(Sha3_256);

impl ContentHasher {
    /// Takes in the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The hash of all pieces.
    pub fn finish(self) -> ContentHash {
        ContentHash(self.0.finalize().into())
    }
}

impl FromStr for ContentHash {
    type Err = InvalidContentHash;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix(PREFIX).unwrap_or(text);
        let mut digest = [0; 32];
        hex::decode_to_slice(digits, &mut digest).map_err(|_| InvalidContentHash)?;
        Ok(Self(digest))
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.to_bare_hex())
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for ContentHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NIST's example for the empty message.
    const EMPTY: &str = "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a";

    #[test]
    fn hashes_as_fips_202_says() {
        assert_eq!(ContentHash::of(b"").to_bare_hex(), EMPTY);
    }

    #[test]
    fn pieces_hash_as_the_whole() {
        let mut hasher = ContentHasher::default();
        hasher.update(b"a pic");
        hasher.update(b"ture");
        assert_eq!(hasher.finish(), ContentHash::of(b"a picture"));
    }

    #[test]
    fn reads_both_spellings_in_any_case_and_writes_one() {
        let expected = format!("sha3-256:{EMPTY}");
        for text in
            [EMPTY.to_owned(), EMPTY.to_uppercase(), expected.clone(), format!("sha3-256:{}", EMPTY.to_uppercase())]
        {
            assert_eq!(text.parse::<ContentHash>().unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        let long = format!("{EMPTY}0");
        let foreign = format!("sha256:{EMPTY}");
        let shouted = format!("SHA3-256:{EMPTY}");
        let twice = format!("sha3-256:sha3-256:{EMPTY}");
        let spaced = format!(" {EMPTY}");
        for text in ["", "abc", "sha3-256:", &EMPTY[1..], &long, &foreign, &shouted, &twice, &spaced, &"é".repeat(32)]
        {
            assert_eq!(text.parse::<ContentHash>(), Err(InvalidContentHash), "{text}");
        }
    }
}
