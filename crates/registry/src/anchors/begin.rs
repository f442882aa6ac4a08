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
        let Some(anchor) = self.begin_anchor().await? else { return Ok(None) };
        let tended = self.tend_anchor(&anchor.root, false).await?;
        Ok(Some(tended.unwrap_or(anchor)))
    }

    /// Waits a little until all that is published has been signed for.
    async fn catch_up(&self) -> Result<(), StoreError> {
        let signed = async {
            loop {
                let mut reader = self.read().await?;
                // In this order: what gets its place between the two is in the size that is read afterwards.
                let waiting = reader.has_unindexed().await?;
                let head = reader.log_head().await?;
                if !waiting && head.signed_size == head.size {
                    return Ok(());
                }
                drop(reader);
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
            let anchor = Anchor::begin(checkpoint, from_index, nonces, calendars, self.now());
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
