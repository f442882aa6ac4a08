//! The log: an append-only Merkle tree as of RFC 6962, in the tiles of C2SP's `tlog-tiles`.
//!
//! An entry is a [`Digest`]; where it stands is its index, from 0. [`Tree`] holds all nodes in memory. A server
//! holds none: it appends with an [`Appender`], which knows the unfinished tiles alone, and proves with an
//! [`InclusionPlan`] or a [`ConsistencyPlan`], which say what tiles to read. Proofs are checked without either.

mod appender;
mod bundle;
mod frontier;
mod plan;
mod proof;
mod subtree;
mod tile;
mod tile_set;
mod tree;

pub use appender::{Appended, Appender, CannotResume};
pub use bundle::{EntryBundle, InvalidBundle};
pub use frontier::{Frontier, InvalidFrontier};
pub use plan::{ConsistencyPlan, InclusionPlan, RootPlan};
pub use proof::{ConsistencyProof, InclusionProof, OutOfRange, ProofError, Step};
pub use tile::{BundleId, InvalidTilePath, TILE_WIDTH, TileId, TilePath};
pub use tile_set::{InvalidTile, MissingTile, TileSet};
pub use tree::Tree;

use crate::{Digest, sha256};

/// What stands before an entry when it is hashed, so that no leaf can be taken for a node.
pub(crate) const LEAF_PREFIX: u8 = 0;
/// What stands before two hashes when they become one.
pub(crate) const NODE_PREFIX: u8 = 1;

/// The hash of an entry: SHA-256 of a zero byte and the entry.
#[must_use]
pub fn leaf_hash(entry: &Digest) -> Digest {
    sha256::of_33(LEAF_PREFIX, entry)
}

/// The hash of two subtrees: SHA-256 of a byte of one and their hashes.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    sha256::of_65(NODE_PREFIX, left, right)
}

/// The root of a log without entries: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Digest {
    Digest::of(b"")
}

#[cfg(test)]
pub(crate) mod naive {
    //! RFC 6962, section 2.1, word for word: what everything else is compared with.

    use super::*;

    pub(crate) fn entries(count: u64) -> Vec<Digest> {
        (0..count).map(|at| Digest::of(&at.to_be_bytes())).collect()
    }

    pub(crate) fn root(entries: &[Digest]) -> Digest {
        match entries {
            [] => empty_root(),
            [entry] => leaf_hash(entry),
            _ => {
                let (left, right) = entries.split_at(split(entries.len()));
                node_hash(&root(left), &root(right))
            }
        }
    }

    pub(crate) fn path(index: usize, entries: &[Digest]) -> Vec<Digest> {
        if entries.len() == 1 {
            return Vec::new();
        }
        let (left, right) = entries.split_at(split(entries.len()));
        let (mut path, sibling) = if index < left.len() {
            (path(index, left), root(right))
        } else {
            (path(index - left.len(), right), root(left))
        };
        path.push(sibling);
        path
    }

    pub(crate) fn consistency(old: usize, entries: &[Digest]) -> Vec<Digest> {
        subproof(old, entries, true)
    }

    fn subproof(old: usize, entries: &[Digest], known: bool) -> Vec<Digest> {
        if old == entries.len() {
            return if known { Vec::new() } else { vec![root(entries)] };
        }
        let (left, right) = entries.split_at(split(entries.len()));
        let (mut proof, other) = if old <= left.len() {
            (subproof(old, left, known), root(right))
        } else {
            (subproof(old - left.len(), right, false), root(left))
        };
        proof.push(other);
        proof
    }

    /// The largest power of two below the count.
    fn split(count: usize) -> usize {
        count.next_power_of_two() / 2
    }
}
