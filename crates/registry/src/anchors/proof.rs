use super::AnchorError;
use crate::log::prove_inclusion;
use crate::{Reader, Registry};
use artdag_anchoring::bitcoin::Network;
use artdag_anchoring::log::InclusionProof;
use artdag_anchoring::ots::{DetachedTimestamp, FileHash, inclusion_ops, limits};
use artdag_anchoring::{Anchor, AnchorState, Digest, Evidence, Verdict};
use artdag_federation::Activity;
use artdag_kernel::Instant;
use std::collections::BTreeSet;

/// How an activity stands with Bitcoin.
#[derive(Clone, Debug)]
pub struct ActivityAnchor {
    /// The anchor by which it is proven best.
    pub anchor: Anchor,
    /// That the anchor's tree has it.
    pub inclusion: InclusionProof,
    /// How far it has come, as it was found just now.
    pub state: AnchorState,
    /// The lowest block that shows its age.
    pub evidence: Option<Evidence>,
    /// When that block was looked up.
    pub verified_at: Option<Instant>,
}

/// The anchor by which the activity is proven best, one for this network if there is any, and the proof that its tree has
/// it. `None` if there is no anchor yet.
///
/// # Errors
/// [`AnchorError`].
pub async fn prove_by_anchor(
    reader: &mut (dyn Reader + '_),
    activity: &Activity,
    network: Option<Network>,
) -> Result<Option<(Anchor, InclusionProof)>, AnchorError> {
    let Some(index) = activity.index else { return Ok(None) };
    let Some(anchor) = reader.anchors_of(&[index], network).await?.pop().flatten() else { return Ok(None) };
    let inclusion = prove_inclusion(reader, index, anchor.tree_size).await?;
    Ok(Some((anchor, inclusion)))
}

/// The proof of a root, for the standard tools. `None` while no calendar has answered.
///
/// # Errors
/// [`AnchorError::Proof`].
pub fn root_proof(anchor: &Anchor) -> Result<Option<DetachedTimestamp>, AnchorError> {
    let Some(timestamp) = anchor.timestamp_of_root() else { return Ok(None) };
    Ok(Some(DetachedTimestamp::new(FileHash::sha256(anchor.root), timestamp)?))
}

/// The proof of a checkpoint's text, for the standard tools. `None` while no calendar has answered.
///
/// # Errors
/// [`AnchorError::Proof`].
pub fn checkpoint_proof(anchor: &Anchor) -> Result<Option<DetachedTimestamp>, AnchorError> {
    let Some(timestamp) = anchor.timestamp_of_checkpoint() else { return Ok(None) };
    Ok(Some(DetachedTimestamp::new(FileHash::sha256(anchor.checkpoint), timestamp)?))
}

/// The proof of an activity's canonical bytes, for the standard tools: the path to the log's root, and from there the
/// calendars' paths. `None` while no calendar has answered.
///
/// # Errors
/// [`AnchorError::Proof`].
pub fn activity_proof(
    anchor: &Anchor,
    inclusion: &InclusionProof,
    entry: Digest,
) -> Result<Option<DetachedTimestamp>, AnchorError> {
    let Some(timestamp) = anchor.timestamp_of_root() else { return Ok(None) };
    let path = inclusion_ops(inclusion);
    // A branch that is too deep to be shown together with the path is left out, and the others are as good without it.
    let timestamp = timestamp.within(limits::DEPTH.saturating_sub(path.len()));
    if timestamp.is_empty() {
        return Ok(None);
    }
    let timestamp = timestamp.behind(entry.as_bytes(), path)?;
    Ok(Some(DetachedTimestamp::new(FileHash::sha256(entry), timestamp)?))
}

impl Registry {
    /// Verifies how an activity stands with Bitcoin: that the tree of its anchor has it, and that the blocks which the
    /// proof names are as it says. `None` if no anchor has it yet.
    ///
    /// # Errors
    /// [`AnchorError`].
    pub async fn verify_anchored(&self, activity: &Activity) -> Result<Option<ActivityAnchor>, AnchorError> {
        let mut reader = self.read().await?;
        let network = self.parts.blocks.network;
        let proven = prove_by_anchor(reader.as_mut(), activity, Some(network)).await?;
        let Some((anchor, inclusion)) = proven else { return Ok(None) };
        drop(reader);
        let anchor = anchor.on(network);
        let entry = Digest::of(activity.document.as_str().as_bytes());
        inclusion
            .verify(&entry, &anchor.root)
            .map_err(|_| crate::LogError::Inconsistent { signed: anchor.tree_size, size: anchor.tree_size })?;
        let mut found = anchor.clone();
        let claims = if anchor.is_for(network) { anchor.claims() } else { BTreeSet::new() };
        let verdicts = self.parts.blocks.judge_all(claims).await;
        found.judged(&verdicts, self.now(), self.parts.policy.anchors.pace());
        let has_told = verdicts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Verified(_) | Verdict::False(_)));
        let source = if has_told { found } else { anchor.clone() };
        let (state, evidence, verified_at) = (source.state, source.evidence, source.verified_at);
        Ok(Some(ActivityAnchor { anchor, inclusion, state, evidence, verified_at }))
    }
}
