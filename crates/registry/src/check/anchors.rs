use super::report::Kind;
use super::{Check, CheckError, Step};
use artdag_anchoring::{Anchor, AnchorState, Claim, Digest, Evidence, Unknown, Verdict};
use artdag_kernel::StoreError;
use std::collections::BTreeMap;

/// How many anchors' blocks are looked up at once: a source that does not answer is not asked again for them.
const BATCH: u16 = 100;

/// What an anchor must be of.
pub(super) struct Expected {
    /// Where the one before ends.
    pub(super) from: u64,
    /// The tree's root, if it could be computed.
    pub(super) root: Option<Digest>,
    /// The digest of the checkpoint of that tree, if there is one.
    pub(super) text: Option<Digest>,
}

impl Check<'_> {
    /// Compares an anchor with the log.
    pub(super) fn anchor(&mut self, size: u64, row: Result<Anchor, StoreError>, expected: Expected) {
        self.report.anchors += 1;
        let faults = &mut self.report.faults;
        let anchor = match row {
            Ok(anchor) => anchor,
            // That its proof begins with what was stamped is part of reading it.
            Err(error) => return faults.add(Kind::Anchor, size, error),
        };
        let Expected { from, root, text } = expected;
        let name = name(&anchor);
        if anchor.from_index != from {
            let what = format!("begins at place {}, and the one before ends at {from}", anchor.from_index);
            faults.add(Kind::Anchor, &name, what);
        }
        if let Some(root) = root.filter(|root| *root != anchor.root) {
            faults.add(Kind::Anchor, &name, format!("is not of the tree's root, which is {root}"));
        }
        match text {
            Some(text) if text == anchor.checkpoint => {}
            Some(_) => faults.add(Kind::Anchor, &name, "stamps another checkpoint than the one of its size"),
            None => faults.add(Kind::Anchor, &name, "there is no checkpoint of its size"),
        }
    }

    /// Looks up the blocks that all confirmed anchors name.
    pub(super) async fn anchors(&mut self) -> Result<(), CheckError> {
        let all = self.reader.count_anchors().await?;
        let (mut from, mut done) = (0, 0);
        loop {
            self.tell(Step::Anchors, done, all);
            let rows = self.reader.stored_anchors(from..u64::MAX, BATCH).await?;
            let Some((last, _)) = rows.last() else { return Ok(()) };
            from = last + 1;
            done += rows.len() as u64;
            let confirmed: Vec<Anchor> = rows
                .into_iter()
                .filter_map(|(_, row)| row.ok())
                .filter(|anchor| anchor.state == AnchorState::Confirmed)
                .collect();
            let claims = confirmed.iter().flat_map(Anchor::claims);
            let verdicts = self.registry.parts.blocks.judge_all(claims).await.into_iter().collect();
            for anchor in &confirmed {
                self.blocks(anchor, &verdicts);
            }
        }
    }

    fn blocks(&mut self, anchor: &Anchor, verdicts: &BTreeMap<Claim, Verdict>) {
        let (name, claims) = (name(anchor), anchor.claims());
        let faults = &mut self.report.faults;
        let rests_on = anchor.evidence.as_ref();
        if !rests_on.is_some_and(|evidence| claims.iter().any(|(height, _)| *height == evidence.height)) {
            faults.add(Kind::Anchor, &name, "is confirmed, and its proof does not name the block that it rests on");
        }
        // Several calendars may have led to one block.
        let (mut is_elsewhere, mut unknown) = (false, BTreeMap::new());
        for claim in claims {
            match verdicts.get(&claim) {
                Some(Verdict::Verified(found)) => {
                    is_elsewhere |= rests_on.is_some_and(|told| is_another_block(told, found));
                }
                Some(Verdict::False(error)) => {
                    faults.add(Kind::Anchor, &name, format!("its proof names block {}: {error}", claim.0));
                }
                Some(Verdict::Unknown(reason)) => _ = unknown.insert(claim.0, *reason),
                // All of them were asked about.
                None => {}
            }
        }
        if is_elsewhere {
            faults.add(Kind::Anchor, &name, "rests on another block than the one of that height");
        }
        for (height, reason) in unknown {
            self.report.unknown.add(Kind::Anchor, &name, NotLookedUp(height, reason));
        }
    }
}

/// Nobody knows the block.
#[derive(Debug, thiserror::Error)]
#[error("block {0} could not be looked up")]
struct NotLookedUp(u32, #[source] Unknown);

fn is_another_block(told: &Evidence, found: &Evidence) -> bool {
    told.height == found.height && (told.block_hash, told.block_time) != (found.block_hash, found.block_time)
}

fn name(anchor: &Anchor) -> String {
    format!("{} ({} activities)", anchor.root, anchor.tree_size)
}
