use super::AnchorError;
use crate::Registry;
use artdag_anchoring::{Anchor, AnchorState};
use artdag_kernel::StoreError;
use std::time::Duration;

/// How long a round waits at most for what was published just before it.
const CATCH_UP: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(20);

impl Registry {
    /// Stamps what is in the log and in no anchor yet, and comes back when every calendar has answered or failed.
    /// `None` when there is nothing to stamp.
    ///
    /// # Errors
    /// [`AnchorError`]. The anchor may be there all the same, and is then seen to by the next worker.
    pub async fn create_anchor(&self) -> Result<Option<Anchor>, AnchorError> {
        self.catch_up().await?;
        let Some(anchor) = self.begin_anchor().await? else { return self.revive_last().await };
        let tended = self.tend_anchor(&anchor.root, false).await?;
        Ok(Some(tended.unwrap_or(anchor)))
    }

    /// What is in no anchor but one that was given up is in none: that one is taken up again.
    async fn revive_last(&self) -> Result<Option<Anchor>, AnchorError> {
        match self.last_anchor().await? {
            Some(last) if last.state == AnchorState::Failed => self.tend_anchor(&last.root, true).await,
            _ => Ok(None),
        }
    }

    /// Waits a little until all that was published before has been signed for. What is published meanwhile is for others.
    async fn catch_up(&self) -> Result<(), StoreError> {
        let signed = async {
            let mut reader = self.read().await?;
            // In this order: what gets its place between the two is counted twice, and not missed.
            let waiting = reader.count_unindexed().await?;
            let size = reader.log_head().await?.size + waiting;
            drop(reader);
            loop {
                let mut reader = self.read().await?;
                let is_all = !reader.has_unindexed().await?;
                let head = reader.log_head().await?;
                drop(reader);
                if head.signed_size >= size || (is_all && head.signed_size == head.size) {
                    return Ok(());
                }
                self.published.notify_one();
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(CATCH_UP, signed).await.unwrap_or(Ok(()))
    }

    /// Writes down a round, from where the last one ends to the newest checkpoint. Nobody was asked yet.
    async fn begin_anchor(&self) -> Result<Option<Anchor>, AnchorError> {
        let calendars = &self.parts.policy.anchors.calendars;
        if calendars.is_empty() {
            return Err(AnchorError::NoCalendars);
        }
        loop {
            let mut reader = self.read().await?;
            let Some(newest) = reader.newest_checkpoint().await? else { return Ok(None) };
            let checkpoint = newest.signed.checkpoint();
            let from_index = reader.list_anchors(None, 1).await?.first().map_or(0, |last| last.tree_size);
            drop(reader);
            if checkpoint.size() <= from_index {
                return Ok(None);
            }
            let mut nonces = [[0; 16]; 2];
            nonces.iter_mut().for_each(|nonce| self.parts.randomness.fill(nonce));
            let network = self.parts.blocks.network;
            let anchor = Anchor::begin(checkpoint, network, from_index, nonces, calendars, self.now());
            let mut unit = self.parts.store.begin().await?;
            if unit.add_anchor(&anchor).await? {
                unit.commit().await?;
                tracing::info!(root = %anchor.root, from = from_index, to = anchor.tree_size, "anchoring the log");
                return Ok(Some(anchor));
            }
            // Somebody else has just begun one: what is left may be nothing.
            unit.rollback().await?;
        }
    }

    /// Begins a round if it is time for one.
    pub(super) async fn begin_anchor_on_time(&self) -> Result<(), AnchorError> {
        let Some(interval) = self.parts.policy.anchors.interval else { return Ok(()) };
        let last = self.read().await?.list_anchors(None, 1).await?.pop();
        let is_time = last.is_none_or(|last| {
            // While calendars are out of reach, one round waits for them, and not one for every hour.
            last.state != AnchorState::Submitting && last.created_at + interval <= self.now()
        });
        if is_time && !self.parts.policy.anchors.calendars.is_empty() {
            self.begin_anchor().await?;
        }
        Ok(())
    }
}
