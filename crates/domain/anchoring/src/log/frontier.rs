use super::{Digest, empty_root, leaf_hash, node_hash, subtree::bag};

/// The right edge of a tree: as much of it as appending and the root need, a hash for each bit of its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// The full subtrees from left to right; there is one for each bit that is set in the size.
    peaks: Vec<Digest>,
}

/// The number of hashes does not fit the size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tree of {size} leaves has {} hashes at its edge, not {given}", size.count_ones())]
pub struct InvalidFrontier {
    size: u64,
    given: usize,
}

impl Frontier {
    /// The edge of the empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// Takes up an edge that was stored.
    ///
    /// # Errors
    ///
    /// If there is not one hash for each bit that is set in the size.
    pub fn from_peaks(size: u64, peaks: Vec<Digest>) -> Result<Self, InvalidFrontier> {
        if usize::try_from(size.count_ones()) != Ok(peaks.len()) {
            return Err(InvalidFrontier { size, given: peaks.len() });
        }
        Ok(Self { size, peaks })
    }

    /// How many entries were appended.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The full subtrees, the largest first.
    #[must_use]
    pub fn peaks(&self) -> &[Digest] {
        &self.peaks
    }

    /// Appends an entry.
    pub fn append(&mut self, entry: &Digest) {
        self.append_leaf(leaf_hash(entry), |_, _| {});
    }

    /// The root of the tree as it is now.
    #[must_use]
    pub fn root(&self) -> Digest {
        bag(&self.peaks).unwrap_or_else(empty_root)
    }

    /// Appends a leaf and tells of each full subtree that it completes, by height, itself included.
    pub(super) fn append_leaf(&mut self, leaf: Digest, mut completed: impl FnMut(u32, Digest)) {
        let mut hash = leaf;
        completed(0, hash);
        for height in 0..self.size.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
            completed(height + 1, hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::naive;

    #[test]
    fn has_the_root_of_the_whole_tree_at_every_size() {
        let entries = naive::entries(300);
        let mut frontier = Frontier::new();
        for size in 0..=entries.len() {
            assert_eq!(frontier.root(), naive::root(&entries[..size]), "size {size}");
            let again = Frontier::from_peaks(frontier.size(), frontier.peaks().to_vec());
            assert_eq!(again.as_ref(), Ok(&frontier));
            if let Some(entry) = entries.get(size) {
                frontier.append(entry);
            }
        }
    }

    #[test]
    fn a_wrong_number_of_peaks_is_refused() {
        let error = Frontier::from_peaks(6, vec![Digest::default()]).unwrap_err();
        assert_eq!(error.to_string(), "a tree of 6 leaves has 2 hashes at its edge, not 1");
        assert!(Frontier::from_peaks(0, vec![Digest::default()]).is_err());
    }
}
