use std::convert::Infallible;

use super::proof::{ConsistencyProof, InclusionProof, OutOfRange};
use super::subtree::{self, Node, Subtree};
use super::{Digest, empty_root, leaf_hash, node_hash};

/// A tree with all of its nodes in memory: 64 bytes for each leaf, and every proof in less than a microsecond.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The full subtrees by height, the leaves first.
    levels: Vec<Vec<Digest>>,
}

impl Tree {
    /// The empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self { levels: Vec::new() }
    }

    /// How many entries it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Appends an entry.
    pub fn append(&mut self, entry: &Digest) {
        self.extend([*entry]);
    }

    /// The root of the whole tree.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.root_of(Subtree::whole(self.size()))
    }

    /// The root that the tree had at a size.
    ///
    /// # Errors
    ///
    /// If it is larger than the tree.
    pub fn root_at(&self, size: u64) -> Result<Digest, OutOfRange> {
        self.check_size(size)?;
        Ok(self.root_of(Subtree::whole(size)))
    }

    /// Proves that the entry at the index was there at a size.
    ///
    /// # Errors
    ///
    /// If the index is not below the size, or the size is larger than the tree.
    pub fn prove_inclusion(&self, index: u64, size: u64) -> Result<InclusionProof, OutOfRange> {
        self.check_size(size)?;
        let hashes = subtree::of_inclusion(index, size)?.into_iter().map(|part| self.root_of(part)).collect();
        Ok(InclusionProof::planned(index, size, hashes))
    }

    /// Proves that the tree only grew from one size to another.
    ///
    /// # Errors
    ///
    /// If the old size is above the new one, or that is larger than the tree.
    pub fn prove_consistency(&self, old_size: u64, size: u64) -> Result<ConsistencyProof, OutOfRange> {
        self.check_size(size)?;
        let hashes = subtree::of_consistency(old_size, size)?.into_iter().map(|part| self.root_of(part)).collect();
        Ok(ConsistencyProof::planned(old_size, size, hashes))
    }

    fn check_size(&self, size: u64) -> Result<(), OutOfRange> {
        if size <= self.size() { Ok(()) } else { Err(OutOfRange) }
    }

    fn root_of(&self, part: Subtree) -> Digest {
        let Ok(hash) = part.hash(|node| Ok::<_, Infallible>(self.node(node)));
        hash.unwrap_or_else(empty_root)
    }

    /// A node that the sizes say is there.
    fn node(&self, Node { height, index }: Node) -> Digest {
        self.levels[height as usize][usize::try_from(index).unwrap_or(usize::MAX)]
    }
}

impl Extend<Digest> for Tree {
    fn extend<T: IntoIterator<Item = Digest>>(&mut self, entries: T) {
        if self.levels.is_empty() {
            self.levels.push(Vec::new());
        }
        self.levels[0].extend(entries.into_iter().map(|entry| leaf_hash(&entry)));
        let mut height = 0;
        while self.levels[height].len() > 1 {
            if self.levels.len() == height + 1 {
                self.levels.push(Vec::new());
            }
            let (below, above) = self.levels.split_at_mut(height + 1);
            let (below, above) = (&below[height], &mut above[0]);
            let new = below[above.len() * 2..].chunks_exact(2);
            above.extend(new.map(|pair| node_hash(&pair[0], &pair[1])));
            height += 1;
        }
    }
}

impl FromIterator<Digest> for Tree {
    fn from_iter<T: IntoIterator<Item = Digest>>(entries: T) -> Self {
        let mut tree = Self::new();
        tree.extend(entries);
        tree
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::naive;

    #[test]
    fn proofs_are_those_of_the_definition() {
        let entries = naive::entries(40);
        let mut tree = Tree::new();
        for size in 1..=entries.len() {
            let part = &entries[..size];
            tree.append(&part[size - 1]);
            assert_eq!(tree.root(), naive::root(part));
            for index in 0..size {
                let proof = tree.prove_inclusion(index as u64, size as u64).unwrap();
                assert_eq!(proof.hashes(), naive::path(index, part), "{index} of {size}");
                let proof = tree.prove_consistency(index as u64 + 1, size as u64).unwrap();
                assert_eq!(proof.hashes(), naive::consistency(index + 1, part), "{} to {size}", index + 1);
            }
        }
    }
}
