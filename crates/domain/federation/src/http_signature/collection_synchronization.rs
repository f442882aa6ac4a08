//! FEP-8fcf: two servers notice that they disagree about who follows whom.
//!
//! What is sent to the followers of an actor carries a digest of those of them that the recipient has. A recipient
//! that counts others fetches the list at [`url`](CollectionSynchronization::url), and only then mends its own.

use super::parameters::Parameters;
use sha2::{Digest, Sha256};
use std::fmt;

/// The name of the header, in lower case.
pub const HEADER: &str = "collection-synchronization";

const MAX_HEADER: usize = 8 * 1024;

/// The digest of a set of followers: the SHA-256 of their ids, all joined by exclusive or, so that their order does
/// not matter and each comes and goes without the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FollowersDigest([u8; 32]);

impl FollowersDigest {
    /// Of the followers with these ids. An id that is there twice counts for nothing.
    pub fn of<'a>(ids: impl IntoIterator<Item = &'a str>) -> Self {
        let mut digest = Self::default();
        for id in ids {
            digest.toggle(id);
        }
        digest
    }

    /// Adds a follower, or takes one away.
    pub fn toggle(&mut self, id: &str) {
        for (byte, other) in self.0.iter_mut().zip(Sha256::digest(id)) {
            *byte ^= other;
        }
    }

    fn read(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            *byte = digit(0)? << 4 | digit(1)?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for FollowersDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The value of the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectionSynchronization {
    /// The sender's followers collection.
    pub collection_id: String,
    /// Where the recipient finds those of them that it has.
    pub url: String,
    /// Of these.
    pub digest: FollowersDigest,
}

/// The header is not one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the header `Collection-Synchronization` needs `collectionId`, `url` and a `digest` of 64 hex digits")]
pub struct Unreadable;

impl CollectionSynchronization {
    /// Reads the header's value. Who sent it, and whether the two URLs are the sender's, is not looked at.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn read(value: &str) -> Result<Self, Unreadable> {
        if value.len() > MAX_HEADER {
            return Err(Unreadable);
        }
        let parameters = Parameters::read(value).map_err(|_| Unreadable)?;
        let get = |name| parameters.get(name).filter(|value| !value.is_empty()).ok_or(Unreadable);
        Ok(Self {
            collection_id: get("collectionId")?.to_owned(),
            url: get("url")?.to_owned(),
            digest: FollowersDigest::read(get("digest")?).ok_or(Unreadable)?,
        })
    }
}

impl fmt::Display for CollectionSynchronization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { collection_id, url, digest } = self;
        write!(f, r#"collectionId="{collection_id}", url="{url}", digest="{digest}""#)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The FEP's example.
    const IDS: [&str; 2] = ["https://testing.example.org/users/1", "https://testing.example.org/users/2"];
    const DIGEST: &str = "c33f48cd341ef046a206b8a72ec97af65079f9a3a9b90eef79c5920dce45c61f";

    #[test]
    fn fep_8fcf() {
        assert_eq!(FollowersDigest::of(IDS).to_string(), DIGEST);
        assert_eq!(FollowersDigest::of(IDS.into_iter().rev()).to_string(), DIGEST);
        assert_eq!(FollowersDigest::of([]).to_string(), "0".repeat(64));
        let mut digest = FollowersDigest::of(IDS);
        digest.toggle(IDS[1]);
        assert_eq!(digest, FollowersDigest::of([IDS[0]]));
    }

    #[test]
    fn the_header_comes_back() {
        let header = CollectionSynchronization {
            collection_id: "https://art.example/users/giles/followers".to_owned(),
            url: "https://art.example/users/giles/followers?domain=testing.example.org".to_owned(),
            digest: FollowersDigest::of(IDS),
        };
        assert_eq!(CollectionSynchronization::read(&header.to_string()), Ok(header.clone()));
        let shouted = header.to_string().replace(DIGEST, &DIGEST.to_uppercase());
        assert_eq!(CollectionSynchronization::read(&shouted), Ok(header));
    }

    #[test]
    fn refuses_what_lacks_something() {
        let digest = "0".repeat(64);
        for hostile in [
            String::new(),
            format!(r#"url="https://a.example", digest="{digest}""#),
            format!(r#"collectionId="", url="https://a.example", digest="{digest}""#),
            format!(r#"collectionId="https://a.example/f", digest="{digest}""#),
            r#"collectionId="https://a.example/f", url="https://a.example/s""#.to_owned(),
            format!(r#"collectionId="https://a.example/f", url="https://a.example/s", digest="{}""#, &digest[1..]),
            format!(r#"collectionId="https://a.example/f", url="https://a.example/s", digest="{}é""#, &digest[2..]),
            format!(r#"collectionId="https://a.example/f", url="https://a.example/s", digest="g{}""#, &digest[1..]),
            "x".repeat(10_000),
        ] {
            assert_eq!(CollectionSynchronization::read(&hostile), Err(Unreadable), "{hostile:.80}");
        }
    }
}
