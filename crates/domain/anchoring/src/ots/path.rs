use super::{Argument, Op};
use crate::log::{InclusionProof, LEAF_PREFIX, NODE_PREFIX, Step};
use crate::{Digest, log};

/// The steps from an entry of the log to the root: what an [`InclusionProof`] says, for the standard tools.
///
/// ```
/// use artdag_anchoring::Digest;
/// use artdag_anchoring::log::Tree;
/// use artdag_anchoring::ots::inclusion_ops;
///
/// let entries: Vec<Digest> = (0..100_u8).map(|at| Digest::of(&[at])).collect();
/// let tree: Tree = entries.iter().copied().collect();
/// let mut message = entries[42].as_bytes().to_vec();
/// for op in inclusion_ops(&tree.prove_inclusion(42, 100)?) {
///     message = op.apply(&message)?;
/// }
/// assert_eq!(message, tree.root().as_bytes());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn inclusion_ops(proof: &InclusionProof) -> Vec<Op> {
    let mut ops = vec![Op::Prepend(Argument::of([LEAF_PREFIX])), Op::SHA256];
    for step in proof.steps() {
        match step {
            Step::Left(sibling) => {
                let mut before = [NODE_PREFIX; 33];
                before[1..].copy_from_slice(sibling.as_bytes());
                ops.push(Op::Prepend(Argument::of(before)));
            }
            Step::Right(sibling) => {
                ops.push(Op::Append(Argument::of(*sibling.as_bytes())));
                ops.push(Op::Prepend(Argument::of([NODE_PREFIX])));
            }
        }
        ops.push(Op::SHA256);
    }
    ops
}

/// Several digests that are stamped as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// What to submit to calendars.
    pub root: Digest,
    /// For each digest the steps to the root.
    pub paths: Vec<Vec<Op>>,
}

/// Makes one digest of several, each with 16 random bytes that hide it from calendars and from those who know
/// another one of them.
///
/// The bytes are appended and hashed; neighbours are then hashed together until one is left, where the last one of an
/// odd number goes up as it is. Of no digests it makes [`log::empty_root`].
#[must_use]
pub fn batch(digests: &[(Digest, [u8; 16])]) -> Batch {
    let mut paths: Vec<Vec<Op>> = digests.iter().map(|(_, nonce)| append(*nonce)).collect();
    // Each with the digests below it, which are neighbours.
    let mut row: Vec<(Digest, std::ops::Range<usize>)> = digests
        .iter()
        .enumerate()
        .map(|(at, (digest, nonce))| (Digest::of(&[&digest.as_bytes()[..], nonce].concat()), at..at + 1))
        .collect();
    while row.len() > 1 {
        let join = |pair: &[(Digest, std::ops::Range<usize>)]| match pair {
            [(left, below_left), (right, below_right)] => {
                for path in &mut paths[below_left.clone()] {
                    path.extend(append(*right.as_bytes()));
                }
                for path in &mut paths[below_right.clone()] {
                    path.extend([Op::Prepend(Argument::of(*left.as_bytes())), Op::SHA256]);
                }
                let both = Digest::of(&[left.as_bytes().as_slice(), right.as_bytes()].concat());
                (both, below_left.start..below_right.end)
            }
            odd => odd[0].clone(),
        };
        row = row.chunks(2).map(join).collect();
    }
    Batch { root: row.first().map_or_else(log::empty_root, |(root, _)| *root), paths }
}

fn append<const N: usize>(bytes: [u8; N]) -> Vec<Op> {
    vec![Op::Append(Argument::of(bytes)), Op::SHA256]
}
