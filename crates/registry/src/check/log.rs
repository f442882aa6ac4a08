use super::activities::KnownActors;
use super::anchors::Expected;
use super::report::Kind;
use super::stored::{Stored, StoredCheckpoint};
use super::tree::Regrown;
use super::{Check, CheckError, PAGE, Progress, Step};
use crate::OwnKey;
use artdag_anchoring::checkpoint::{KeyName, SignedCheckpoint, VerifierKey};
use artdag_anchoring::log::{BundleId, TILE_WIDTH};
use artdag_anchoring::{Digest, LogHead};
use artdag_kernel::StoreError;
use std::collections::BTreeMap;
use std::ops::Range;

/// Where the check of the log has come to.
struct Walk {
    regrown: Regrown,
    /// The keys that the log has or had.
    keys: Vec<VerifierKey>,
    /// Those of the witnesses that are known here.
    witnesses: Vec<VerifierKey>,
    /// Where the last anchor ends.
    anchored: u64,
}

impl Check<'_> {
    /// Checks the log as it is now, from its first place on.
    pub(super) async fn log(&mut self) -> Result<(), CheckError> {
        let head = self.reader.log_head().await?;
        let keys = self.log_keys().await?;
        let witnesses = self.reader.log_witnesses().await?.into_iter().map(|witness| witness.key).collect();
        let mut walk = Walk { regrown: Regrown::default(), keys, witnesses, anchored: 0 };
        let mut actors = KnownActors::default();
        if head.tree_size > head.size {
            let what = format!("has {} entries, and only {} activities have a place", head.tree_size, head.size);
            self.report.faults.add(Kind::Log, "tree", what);
        }
        // Where there is no activity there is nothing to compute the tree from.
        let (end, tree_size) = (head.size, head.tree_size.min(head.size));
        let mut from = 0;
        while from < end {
            let to = end.min(from + u64::from(PAGE));
            self.tell(Step::Log, from, end);
            let stored = self.reader.stored_activities(from..to, PAGE).await?;
            if stored.is_empty() && self.reader.stored_activities(to..u64::MAX, 1).await?.is_empty() {
                let what =
                    format!("is {end}, and there are no activities from place {from} on, so nothing there was checked");
                self.report.faults.add(Kind::Log, "size", what);
                break;
            }
            let texts = self.activities(&mut actors, from..to, stored).await?;
            self.page(&mut walk, from..to.min(tree_size), &texts, tree_size).await?;
            from = to;
        }
        self.tell(Step::Log, end, end);
        self.surplus(head).await
    }

    pub(super) fn tell(&mut self, step: Step, done: u64, all: u64) {
        (self.progress)(Progress { step, done, all });
    }

    async fn log_keys(&self) -> Result<Vec<VerifierKey>, CheckError> {
        let name = self.registry.log_origin().parse::<KeyName>()?;
        let history = self.registry.keys().history(&OwnKey::Log.owner()).await?;
        Ok(history.ed25519.into_iter().map(|key| VerifierKey::ed25519(name.clone(), key)).collect())
    }

    /// The tree over these places, and what is signed and stamped of it there.
    async fn page(
        &mut self,
        walk: &mut Walk,
        places: Range<u64>,
        texts: &[Option<Digest>],
        size: u64,
    ) -> Result<(), CheckError> {
        // What is said of the tree when each of these places has just been filled.
        let sizes = places.start + 1..places.end + 1;
        // In this order: an anchor is made of a checkpoint that is there.
        let anchors = self.reader.stored_anchors(sizes.clone(), PAGE).await?;
        let mut anchors: BTreeMap<u64, _> = anchors.into_iter().collect();
        let checkpoints = self.reader.stored_checkpoints(sizes, PAGE).await?;
        let mut checkpoints: BTreeMap<u64, _> = checkpoints.into_iter().collect();
        let width = usize::from(TILE_WIDTH);
        let bundles = places.clone().step_by(width).filter_map(|place| BundleId::at_size(place / width as u64, size));
        let mut at = places.start;
        for (bundle, texts) in bundles.zip(texts.chunks(width)) {
            for entry in self.bundle(&mut walk.regrown, bundle, texts, size).await? {
                walk.regrown.grow(entry.as_ref());
                at += 1;
                let checkpoint = checkpoints.remove(&at);
                let readable = checkpoint.as_ref().and_then(|row: &Result<StoredCheckpoint, _>| row.as_ref().ok());
                let text = readable.map(|row| row.signed.checkpoint().digest());
                if let Some(checkpoint) = checkpoint {
                    self.checkpoint(walk, at, checkpoint);
                }
                if let Some(anchor) = anchors.remove(&at) {
                    self.anchor(at, anchor, Expected { from: walk.anchored, root: walk.regrown.root(), text });
                    walk.anchored = at;
                }
            }
        }
        Ok(())
    }

    fn checkpoint(&mut self, walk: &Walk, size: u64, row: Result<StoredCheckpoint, StoreError>) {
        self.report.checkpoints += 1;
        let faults = &mut self.report.faults;
        let StoredCheckpoint { root, signed } = match row {
            Ok(row) => row,
            Err(error) => return faults.add(Kind::Checkpoint, size, error),
        };
        let checkpoint = signed.checkpoint();
        if checkpoint.size() != size {
            faults.add(Kind::Checkpoint, size, format!("its note is of the size {}", checkpoint.size()));
        }
        if checkpoint.root() != root {
            faults.add(
                Kind::Checkpoint,
                size,
                format!("its note has the root {}, and its row {root}", checkpoint.root()),
            );
        }
        if let Some(expected) = walk.regrown.root().filter(|expected| *expected != checkpoint.root()) {
            faults.add(
                Kind::Checkpoint,
                size,
                format!("its root is {}, and the tree's is {expected}", checkpoint.root()),
            );
        }
        self.signatures(walk, size, &signed);
    }

    /// That the log has signed it, and that all signatures are good that can be checked.
    fn signatures(&mut self, walk: &Walk, size: u64, signed: &SignedCheckpoint) {
        let is_good = |key: &[u8; 32], text: &[u8], bytes: &[u8; 64]| self.registry.is_ed25519(key, text, bytes);
        let faults = &mut self.report.faults;
        let mut claimed: Vec<&VerifierKey> = walk.keys.iter().filter(|key| signed.claims_signature_of(key)).collect();
        if claimed.is_empty() {
            // Then it is told what is missing: the one of the key that signs now.
            claimed.extend(walk.keys.first());
        }
        if claimed.is_empty() {
            faults.add(Kind::Checkpoint, size, "there are no keys of the log here, so it cannot be checked");
        }
        for error in claimed.into_iter().filter_map(|key| signed.verify(key, is_good).err()) {
            faults.add(Kind::Checkpoint, size, error);
        }
        for key in walk.witnesses.iter().filter(|key| signed.claims_signature_of(key)) {
            if let Err(error) = signed.cosigners(std::slice::from_ref(key), is_good) {
                faults.add(Kind::Checkpoint, size, format!("the cosignature of {} is not good: {error}", key.name()));
            }
        }
    }

    /// What is stored behind the end of the log, which is looked up later: by then it has all that was found.
    async fn surplus(&mut self, checked: LogHead) -> Result<(), CheckError> {
        let mut next = Some(checked.size);
        while let Some(from) = next {
            let places = keys(&self.reader.stored_activities(from..u64::MAX, PAGE).await?);
            let end = self.reader.log_head().await?.size;
            next = self.behind(Kind::Activity, &places, end);
        }
        self.surplus_tiles(checked.tree_size).await?;
        let mut next = Some(checked.tree_size + 1);
        while let Some(from) = next {
            let sizes = keys(&self.reader.stored_checkpoints(from..u64::MAX, PAGE).await?);
            let end = self.reader.log_head().await?.tree_size;
            next = self.behind(Kind::Checkpoint, &sizes, end + 1);
        }
        let mut next = Some(checked.tree_size + 1);
        while let Some(from) = next {
            let sizes = keys(&self.reader.stored_anchors(from..u64::MAX, PAGE).await?);
            let end = self.reader.log_head().await?.tree_size;
            next = self.behind(Kind::Anchor, &sizes, end + 1);
        }
        Ok(())
    }

    /// Names what is not before the end. Answers where to go on, if there was anything.
    fn behind(&mut self, kind: Kind, keys: &[u64], end: u64) -> Option<u64> {
        for key in keys.iter().filter(|key| **key >= end) {
            self.report.faults.add(kind, key, "is behind the end of the log");
        }
        keys.last().map(|last| last + 1)
    }
}

fn keys<T>(rows: &[Stored<u64, T>]) -> Vec<u64> {
    rows.iter().map(|(key, _)| *key).collect()
}
