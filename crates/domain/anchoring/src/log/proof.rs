use super::{Digest, leaf_hash, node_hash};

/// The hashes that lead from one leaf to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof {
    index: u64,
    size: u64,
    hashes: Vec<Digest>,
}

/// The hashes that lead from an older tree to a newer one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsistencyProof {
    old_size: u64,
    size: u64,
    hashes: Vec<Digest>,
}

/// One step on the way from a leaf to the root: the sibling and the side on which it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The sibling comes before the hash so far.
    Left(Digest),
    /// The sibling comes after it.
    Right(Digest),
}

/// The tree is too small for what is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tree is too small")]
pub struct OutOfRange;

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The index is not in a tree of this size, or the old size is above the new one.
    #[error("the tree is too small")]
    OutOfRange,
    /// There are more or fewer hashes than the sizes ask for.
    #[error("a proof here has {expected} hashes, not {given}")]
    WrongLength {
        /// How many there must be.
        expected: usize,
        /// How many there are.
        given: usize,
    },
    /// The hashes lead elsewhere.
    #[error("the hashes do not lead to the root")]
    WrongRoot,
    /// The hashes do not begin at the older tree's root.
    #[error("the hashes do not begin at the older root")]
    WrongOldRoot,
}

impl InclusionProof {
    /// A proof from elsewhere; it need not be a true one.
    ///
    /// # Errors
    ///
    /// If the index is not below the size, or the number of hashes does not fit them.
    pub fn new(index: u64, size: u64, hashes: Vec<Digest>) -> Result<Self, ProofError> {
        if index >= size {
            return Err(ProofError::OutOfRange);
        }
        check_length(sides(index, size).count(), hashes.len())?;
        Ok(Self { index, size, hashes })
    }

    /// One whose hashes were planned for exactly these sizes.
    pub(super) const fn planned(index: u64, size: u64, hashes: Vec<Digest>) -> Self {
        Self { index, size, hashes }
    }

    /// The place of the entry.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The size of the tree that has the root.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The siblings, the leaf's first.
    #[must_use]
    pub fn hashes(&self) -> &[Digest] {
        &self.hashes
    }

    /// The siblings with their sides, the leaf's first.
    pub fn steps(&self) -> impl Iterator<Item = Step> {
        let steps = sides(self.index, self.size).zip(&self.hashes);
        steps.map(|(left, sibling)| if left { Step::Left(*sibling) } else { Step::Right(*sibling) })
    }

    /// The root of the tree that has the entry at the index.
    #[must_use]
    pub fn root(&self, entry: &Digest) -> Digest {
        self.steps().fold(leaf_hash(entry), |hash, step| match step {
            Step::Left(sibling) => node_hash(&sibling, &hash),
            Step::Right(sibling) => node_hash(&hash, &sibling),
        })
    }

    /// Checks that the tree with this root has the entry at the index.
    ///
    /// # Errors
    ///
    /// If it has not, or this is no proof of it.
    pub fn verify(&self, entry: &Digest, root: &Digest) -> Result<(), ProofError> {
        if self.root(entry) == *root { Ok(()) } else { Err(ProofError::WrongRoot) }
    }
}

impl ConsistencyProof {
    /// A proof from elsewhere; it need not be a true one.
    ///
    /// # Errors
    ///
    /// If the old size is above the new one, or the number of hashes does not fit them.
    pub fn new(old_size: u64, size: u64, hashes: Vec<Digest>) -> Result<Self, ProofError> {
        if old_size > size {
            return Err(ProofError::OutOfRange);
        }
        check_length(consistency_length(old_size, size), hashes.len())?;
        Ok(Self { old_size, size, hashes })
    }

    /// One whose hashes were planned for exactly these sizes.
    pub(super) const fn planned(old_size: u64, size: u64, hashes: Vec<Digest>) -> Self {
        Self { old_size, size, hashes }
    }

    /// The size of the older tree.
    #[must_use]
    pub const fn old_size(&self) -> u64 {
        self.old_size
    }

    /// The size of the newer tree.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The hashes in the order of RFC 6962.
    #[must_use]
    pub fn hashes(&self) -> &[Digest] {
        &self.hashes
    }

    /// Checks that the tree with the old root is the beginning of the one with the new root.
    ///
    /// The empty tree is the beginning of every tree, whatever is given as its root.
    ///
    /// # Errors
    ///
    /// If it is not, or this is no proof of it.
    pub fn verify(&self, old_root: &Digest, root: &Digest) -> Result<(), ProofError> {
        if self.old_size == 0 {
            return Ok(());
        }
        if self.old_size == self.size {
            return if old_root == root { Ok(()) } else { Err(ProofError::WrongRoot) };
        }
        // The largest full subtree at the right end of the old tree: both trees have it.
        let shared = self.old_size.trailing_zeros();
        let mut hashes = self.hashes.iter();
        let start = if self.old_size.is_power_of_two() { old_root } else { hashes.next().unwrap_or(old_root) };
        let (mut old, mut new) = (*start, *start);
        for (left, hash) in sides_above(shared, self.old_size, self.size).zip(hashes) {
            if left {
                old = node_hash(hash, &old);
                new = node_hash(hash, &new);
            } else {
                new = node_hash(&new, hash);
            }
        }
        match (old == *old_root, new == *root) {
            (true, true) => Ok(()),
            (true, false) => Err(ProofError::WrongRoot),
            (false, _) => Err(ProofError::WrongOldRoot),
        }
    }
}

fn check_length(expected: usize, given: usize) -> Result<(), ProofError> {
    if expected == given { Ok(()) } else { Err(ProofError::WrongLength { expected, given }) }
}

fn consistency_length(old: u64, size: u64) -> usize {
    if old == 0 || old == size {
        return 0;
    }
    let shared = old.trailing_zeros();
    let start = usize::from(!old.is_power_of_two());
    start + sides_above(shared, old, size).count()
}

/// From the last full subtree of that height in the old tree upwards.
const fn sides_above(height: u32, old: u64, size: u64) -> Sides {
    Sides { node: (old - 1) >> height, last: (size - 1) >> height }
}

const fn sides(index: u64, size: u64) -> Sides {
    Sides { node: index, last: size - 1 }
}

/// For each sibling on the way from a node to the root whether it stands to the left. `last` is the last node of
/// the same height; it may have no sibling and then rises until it has one.
struct Sides {
    node: u64,
    last: u64,
}

impl Iterator for Sides {
    type Item = bool;

    fn next(&mut self) -> Option<bool> {
        if self.last == 0 {
            return None;
        }
        if self.node == self.last {
            let risen = self.node.trailing_zeros();
            self.node >>= risen;
            self.last >>= risen;
        }
        let left = self.node & 1 == 1;
        self.node >>= 1;
        self.last >>= 1;
        Some(left)
    }
}
