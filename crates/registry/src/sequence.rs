use crate::Registry;
use artdag_kernel::StoreError;
use chrono::TimeDelta;
use std::time::Duration;
use tokio::sync::watch;

/// The lease that one sequencer at a time holds.
const LEASE: &str = "sequencer";
/// A killed holder is replaced after this.
const LEASE_TIME: TimeDelta = TimeDelta::seconds(5);
/// How many activities get their index in one transaction.
const BATCH: u16 = 500;
/// How long a publication by another process waits at most when nobody rings.
const POLL: Duration = Duration::from_millis(500);
/// How long to leave another holder alone.
const BACK_OFF: Duration = Duration::from_millis(50);

impl Registry {
    /// Gives every published activity that has none its index in the log, oldest first and without gaps.
    /// Answers `false` when another process is at it.
    ///
    /// The lease keeps processes from doing the same work; that no index is given twice is assured by the
    /// compare-and-set on the log's size, also against a holder that was suspended and lost its lease.
    ///
    /// # Errors
    /// [`StoreError`]; every batch before it is done.
    pub async fn sequence(&self, holder: &str) -> Result<bool, StoreError> {
        while self.read().await?.has_unindexed().await? {
            let now = self.parts.clock.now();
            let mut unit = self.parts.store.begin().await?;
            if !unit.take_lease(LEASE, holder, now, now + LEASE_TIME).await? {
                unit.rollback().await?;
                return Ok(false);
            }
            let size = unit.log_size().await?;
            let Some(given) = unit.extend_log(size, BATCH).await? else {
                unit.rollback().await?;
                continue;
            };
            if given < u64::from(BATCH) {
                unit.release_lease(LEASE, holder).await?;
            }
            unit.commit().await?;
            tracing::debug!(from = size, given, "extended the log");
        }
        Ok(true)
    }
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
