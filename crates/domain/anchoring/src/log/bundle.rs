use super::{BundleId, Digest, TILE_WIDTH};

/// What stands before each entry: its length, as 16 bits.
const LENGTH: [u8; 2] = [0, 32];
/// An entry with its length.
const RECORD: usize = 34;

/// The entries of one bundle, in the form in which it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryBundle(Vec<Digest>);

/// The bytes are not those of a bundle of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a bundle of {width} entries of 32 bytes")]
pub struct InvalidBundle {
    width: u16,
}

impl EntryBundle {
    /// Bundles entries that a store keeps one by one. `None` if there are none or more than 256.
    #[must_use]
    pub fn new(entries: Vec<Digest>) -> Option<Self> {
        (1..=usize::from(TILE_WIDTH)).contains(&entries.len()).then_some(Self(entries))
    }

    /// Reads a bundle.
    ///
    /// # Errors
    ///
    /// If it has not exactly the entries that its name says, or one of them is not of 32 bytes.
    pub fn parse(id: BundleId, bytes: &[u8]) -> Result<Self, InvalidBundle> {
        let invalid = InvalidBundle { width: id.width() };
        let (records, rest) = bytes.as_chunks::<RECORD>();
        if !rest.is_empty() || records.len() != usize::from(id.width()) {
            return Err(invalid);
        }
        let entries = records.iter().map(|record| {
            let entry = record.strip_prefix(&LENGTH)?;
            entry.try_into().ok().map(Digest::from_bytes)
        });
        entries.collect::<Option<_>>().map(Self).ok_or(invalid)
    }

    /// The entries.
    #[must_use]
    pub fn entries(&self) -> &[Digest] {
        &self.0
    }

    /// The bytes to store and to serve.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        bytes_of(&self.0)
    }
}

pub(super) fn bytes_of(entries: &[Digest]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len() * RECORD);
    for entry in entries {
        bytes.extend(LENGTH);
        bytes.extend(entry.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_length_prefixed() {
        let entries = [Digest::of(b"one"), Digest::of(b"two")];
        let id = BundleId::at_size(0, 2).unwrap();
        let bytes = bytes_of(&entries);
        assert_eq!(bytes[..2], [0, 32]);
        assert_eq!(bytes[36..], *entries[1].as_bytes());
        let bundle = EntryBundle::parse(id, &bytes).unwrap();
        assert_eq!(bundle.entries(), entries);
        assert_eq!(bundle.to_bytes(), bytes);
        assert_eq!(EntryBundle::new(entries.to_vec()), Some(bundle));
        assert!(EntryBundle::new(Vec::new()).is_none() && EntryBundle::new(vec![entries[0]; 257]).is_none());
        let mut wrong = bytes.clone();
        wrong[35] = 31;
        for wrong in [&wrong, &bytes[1..], &bytes[..34], &[&bytes[..], &[0]].concat(), &[][..]] {
            assert_eq!(EntryBundle::parse(id, wrong), Err(InvalidBundle { width: 2 }));
        }
    }
}
