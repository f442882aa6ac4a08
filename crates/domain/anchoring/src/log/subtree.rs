//! Which parts of a tree the hashes of a proof stand for. Whoever makes proofs asks here, wherever the nodes are.

use super::{Digest, OutOfRange, node_hash};

/// A full subtree: `2^height` leaves from the `index`-th such group on. Such a node never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) height: u32,
    pub(super) index: u64,
}

/// The leaves from `start` on, of which a tree makes one hash. It need not be full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Subtree {
    start: u64,
    len: u64,
}

impl Subtree {
    /// The whole tree.
    pub(super) const fn whole(size: u64) -> Self {
        Self { start: 0, len: size }
    }

    /// The full subtrees it consists of, from left to right, each smaller than the one before.
    pub(super) fn nodes(self) -> impl Iterator<Item = Node> {
        let Self { mut start, mut len } = self;
        std::iter::from_fn(move || {
            let height = len.checked_ilog2()?;
            let node = Node { height, index: start >> height };
            start += 1 << height;
            len -= 1 << height;
            Some(node)
        })
    }

    /// Its hash, `None` for the one without leaves.
    pub(super) fn hash<E>(self, mut node: impl FnMut(Node) -> Result<Digest, E>) -> Result<Option<Digest>, E> {
        // Nearly always it is full, and its hash is there.
        if self.len.is_power_of_two() {
            return self.nodes().next().map(node).transpose();
        }
        let mut peaks = [Digest::default(); 64];
        let mut count = 0;
        for (at, peak) in self.nodes().zip(&mut peaks) {
            *peak = node(at)?;
            count += 1;
        }
        Ok(bag(&peaks[..count]))
    }

    fn halves(self) -> (Self, Self) {
        let left = 1 << (self.len - 1).ilog2();
        (Self { start: self.start, len: left }, Self { start: self.start + left, len: self.len - left })
    }

    const fn end(self) -> u64 {
        self.start + self.len
    }
}

/// Hashes full subtrees of falling size together, from the right.
pub(super) fn bag(peaks: &[Digest]) -> Option<Digest> {
    peaks.iter().rev().copied().reduce(|right, left| node_hash(&left, &right))
}

/// The siblings on the way from a leaf to the root, the leaf's first.
pub(super) fn of_inclusion(index: u64, size: u64) -> Result<Vec<Subtree>, OutOfRange> {
    if index >= size {
        return Err(OutOfRange);
    }
    let mut siblings = Vec::with_capacity(64);
    let mut tree = Subtree::whole(size);
    while tree.len > 1 {
        let (left, right) = tree.halves();
        let (inside, sibling) = if index < right.start { (left, right) } else { (right, left) };
        siblings.push(sibling);
        tree = inside;
    }
    siblings.reverse();
    Ok(siblings)
}

/// What shows that the tree of `old` leaves is the beginning of the one of `size`.
pub(super) fn of_consistency(old: u64, size: u64) -> Result<Vec<Subtree>, OutOfRange> {
    if old > size {
        return Err(OutOfRange);
    }
    let mut parts = Vec::with_capacity(64);
    if old == 0 {
        return Ok(parts);
    }
    let mut tree = Subtree::whole(size);
    while old < tree.end() {
        let (left, right) = tree.halves();
        let (inside, other) = if old <= right.start { (left, right) } else { (right, left) };
        parts.push(other);
        tree = inside;
    }
    // Whoever checks knows the hash of the old tree; of a part of it, not.
    if tree.start > 0 {
        parts.push(tree);
    }
    parts.reverse();
    Ok(parts)
}
