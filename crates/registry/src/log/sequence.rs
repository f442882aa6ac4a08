use super::LogError;
use crate::{Registry, UnitOfWork};
use artdag_anchoring::Digest;
use artdag_anchoring::log::{Appender, BundleId, TILE_WIDTH, TileId};
use artdag_kernel::StoreError;
use chrono::TimeDelta;
use std::time::Duration;
use tokio::sync::watch;

/// The lease that one sequencer at a time holds.
const LEASE: &str = "sequencer";
/// A killed holder is replaced after this.
const LEASE_TIME: TimeDelta = TimeDelta::seconds(5);
/// How many activities get their index in one transaction.
const BATCH: u16 = 2000;
/// How long a publication by another process waits at most when nobody rings.
const POLL: Duration = Duration::from_millis(500);
/// How long to leave another holder alone.
const BACK_OFF: Duration = Duration::from_millis(50);

impl Registry {
    /// Gives every published activity that has none its index in the log, oldest first and without gaps, and its
    /// place in the tree; then signs a checkpoint. Answers `false` when another process is at it.
    ///
    /// The lease keeps processes from doing the same work; that no index is given twice is assured by the
    /// compare-and-set on the log's size, also against a holder that was suspended and lost its lease.
    ///
    /// # Errors
    /// [`LogError`]; every batch before it is done. What cannot be signed gets its index all the same.
    pub async fn sequence(&self, holder: &str) -> Result<bool, LogError> {
        loop {
            let behind = self.is_behind().await?;
            if behind && !self.sequence_batch(holder).await? {
                return Ok(false);
            }
            let signed = self.sign_checkpoint().await;
            if !behind {
                return signed.map(|()| true);
            }
        }
    }

    async fn is_behind(&self) -> Result<bool, StoreError> {
        let mut reader = self.read().await?;
        let head = reader.log_head().await?;
        Ok(head.tree_size < head.size || reader.has_unindexed().await?)
    }

    /// One transaction. `false` when another process is at it.
    async fn sequence_batch(&self, holder: &str) -> Result<bool, LogError> {
        let now = self.parts.clock.now();
        let mut unit = self.parts.store.begin().await?;
        if !unit.take_lease(LEASE, holder, now, now + LEASE_TIME).await? {
            unit.rollback().await?;
            return Ok(false);
        }
        let head = unit.log_head().await?;
        let from = head.tree_size;
        let to = if from < head.size {
            // Places that were given before there was a tree.
            head.size.min(from + u64::from(BATCH))
        } else if let Some(given) = unit.extend_log(head.size, BATCH).await? {
            head.size + given
        } else {
            unit.rollback().await?;
            return Ok(true);
        };
        if !grow_tree(unit.as_mut(), from, to).await? {
            unit.rollback().await?;
            return Ok(true);
        }
        if to - from < u64::from(BATCH) {
            unit.release_lease(LEASE, holder).await?;
        }
        unit.commit().await?;
        tracing::debug!(from, to, "extended the log");
        Ok(true)
    }
}

/// Appends the activities at these places to the tree. `false` when the tree is not of the size `from`.
async fn grow_tree(unit: &mut (dyn UnitOfWork + '_), from: u64, to: u64) -> Result<bool, LogError> {
    // First of all: behind this nobody else changes the tree until the end of this unit of work.
    if !unit.advance_tree(from, to).await? {
        return Ok(false);
    }
    let documents = unit.list_documents(from, u16::try_from(to - from).unwrap_or(u16::MAX)).await?;
    if documents.len() as u64 != to - from {
        return Err(LogError::Gap { from, to, found: documents.len() });
    }
    let entries: Vec<Digest> = documents.iter().map(|document| Digest::of(document.as_str().as_bytes())).collect();
    let needed: Vec<TileId> = Appender::needs(from).collect();
    let tiles = unit.load_tiles(&needed).await?;
    let unfinished = match BundleId::at_size(from / u64::from(TILE_WIDTH), from) {
        Some(bundle) => unit.find_bundle(bundle).await?,
        None => None,
    };
    let unfinished = unfinished.as_ref().map_or(&[][..], |bundle| bundle.entries());
    let appended = Appender::resume(from, &tiles, unfinished)?.append(&entries);
    unit.write_tiles(&appended).await?;
    Ok(true)
}

/// Sequences until told to stop: woken by each publication of this process, and looking by itself for those of
/// others. `holder` names this process.
pub async fn run_sequencer(registry: Registry, holder: String, mut stop: watch::Receiver<bool>) {
    loop {
        let wait = match registry.sequence(&holder).await {
            Ok(true) => POLL,
            Ok(false) => BACK_OFF,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the log could not be extended; trying again");
                POLL
            }
        };
        tokio::select! {
            () = registry.published.notified() => {}
            () = tokio::time::sleep(wait) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}
