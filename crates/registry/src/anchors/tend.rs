use super::AnchorError;
use crate::Registry;
use artdag_anchoring::{Anchor, AnchorState, Ask, Digest, Question, Reply};
use artdag_kernel::{Instant, StoreError};
use chrono::TimeDelta;
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};

/// How many anchors are seen to in one go, and how many of them at once.
const BATCH: u16 = 64;
const AT_ONCE: usize = 4;
/// Blocks that lie deeper are not looked up again and again: a day of them.
const WATCHED_BLOCKS: u32 = 144;
/// The shortest pause, also when something is due that just failed.
const SHORTEST: TimeDelta = TimeDelta::seconds(1);
/// How long nobody looks when nothing is known to be due.
const IDLE: TimeDelta = TimeDelta::seconds(60);

impl Registry {
    /// Asks the calendars of an anchor what is due, or with `urged` all that is open, and looks up the blocks that
    /// they name. Every step is written down before the next. `None` if there is no such anchor.
    ///
    /// # Errors
    /// [`AnchorError`]. What calendars and blocks fail to say is no error: it stands in the anchor.
    pub async fn tend_anchor(&self, root: &Digest, urged: bool) -> Result<Option<Anchor>, AnchorError> {
        let Some(mut anchor) = self.read().await?.find_anchor(root).await? else { return Ok(None) };
        let now = self.now();
        let calendars = &self.parts.policy.anchors.calendars;
        if anchor.invite(calendars, now) {
            let invite = |anchor: &mut Anchor, now| {
                anchor.invite(calendars, now);
            };
            let Some(invited) = self.change_anchor(root, invite).await? else { return Ok(None) };
            anchor = invited;
        }
        let asks: Vec<&Ask> = anchor.open_asks().filter(|ask| urged || ask.is_due(now)).collect();
        let digest = &anchor.digest();
        let replies = join_all(asks.into_iter().map(|ask| async move { (ask, self.ask(ask, digest).await) })).await;
        let pace = self.parts.policy.anchors.pace();
        let heard = |anchor: &mut Anchor, now| {
            for (ask, reply) in &replies {
                anchor.heard(&ask.calendar, &ask.question, reply, now, pace);
            }
        };
        match self.change_anchor(root, heard).await? {
            Some(anchor) => self.look_up_blocks(&anchor).await,
            None => Ok(None),
        }
    }

    async fn ask(&self, ask: &Ask, digest: &Digest) -> Reply {
        let calendars = &self.parts.calendars;
        match &ask.question {
            Question::Submit => calendars.submit(&ask.calendar, digest).await,
            Question::Upgrade(message) => calendars.upgrade(&ask.calendar, message).await,
        }
    }

    /// Looks up the blocks that an anchor names.
    async fn look_up_blocks(&self, anchor: &Anchor) -> Result<Option<Anchor>, AnchorError> {
        let verdicts = self.parts.blocks.judge_all(anchor.claims()).await;
        let pace = self.parts.policy.anchors.pace();
        self.change_anchor(&anchor.root, |anchor, now| anchor.judged(&verdicts, now, pace)).await
    }

    /// Changes an anchor as it is stored at that moment; once more if somebody else was quicker.
    async fn change_anchor(
        &self,
        root: &Digest,
        change: impl Fn(&mut Anchor, Instant) + Send + Sync,
    ) -> Result<Option<Anchor>, AnchorError> {
        let policy = &self.parts.policy.anchors;
        loop {
            let Some(stored) = self.read().await?.find_anchor(root).await? else { return Ok(None) };
            let mut anchor = stored.clone();
            let now = self.now();
            change(&mut anchor, now);
            anchor.settle(policy.quorum, now, policy.pace());
            if anchor == stored {
                return Ok(Some(stored));
            }
            let mut unit = self.parts.store.begin().await?;
            if unit.save_anchor(&anchor).await? {
                unit.commit().await?;
                tell(&stored, &anchor);
                anchor.revision = anchor.revision.wrapping_add(1);
                return Ok(Some(anchor));
            }
            unit.rollback().await?;
        }
    }

    /// Gives an anchor up: nobody is asked about it any more. `None` if there is no such anchor.
    ///
    /// # Errors
    /// [`AnchorError::Transition`] if it is confirmed.
    pub async fn give_up_anchor(&self, root: &Digest) -> Result<Option<Anchor>, AnchorError> {
        loop {
            let Some(mut anchor) = self.read().await?.find_anchor(root).await? else { return Ok(None) };
            anchor.give_up()?;
            let mut unit = self.parts.store.begin().await?;
            if unit.save_anchor(&anchor).await? {
                unit.commit().await?;
                return Ok(Some(anchor));
            }
            unit.rollback().await?;
        }
    }

    /// Does all that is due for anchors. Says when to look again.
    pub(crate) async fn see_to_anchors(&self) -> Result<Instant, AnchorError> {
        self.begin_anchor_on_time().await?;
        let due = self.read().await?.due_anchors(self.now(), BATCH).await?;
        let tended: Vec<Result<_, AnchorError>> = stream::iter(due)
            .map(|anchor| async move { self.tend_anchor(&anchor.root, false).await })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        tended.into_iter().try_for_each(|tended| tended.map(drop))?;
        self.watch_confirmed().await?;
        let now = self.now();
        let next = self.read().await?.next_anchor_due().await?;
        let idle = self.parts.policy.anchors.interval.map_or(IDLE, |interval| interval.clamp(SHORTEST, IDLE));
        Ok(next.map_or(now + idle, |next| next.clamp(now + SHORTEST, now + idle)))
    }

    /// Looks whether the blocks of the latest confirmed anchors are still there, when the chain has changed.
    async fn watch_confirmed(&self) -> Result<(), AnchorError> {
        let Some((height, hash)) = self.parts.blocks.tip().await else { return Ok(()) };
        if self.watched_tip.lock().is_ok_and(|tip| *tip == Some(hash)) {
            return Ok(());
        }
        let latest = self.read().await?.anchors_from_block(height.saturating_sub(WATCHED_BLOCKS)).await?;
        for anchor in latest {
            self.look_up_blocks(&anchor).await?;
        }
        if let Ok(mut tip) = self.watched_tip.lock() {
            *tip = Some(hash);
        }
        Ok(())
    }

    /// The last anchor, whatever has become of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn last_anchor(&self) -> Result<Option<Anchor>, StoreError> {
        Ok(self.read().await?.list_anchors(None, 1).await?.pop())
    }
}

/// What an operator wants to hear.
fn tell(before: &Anchor, after: &Anchor) {
    let root = after.root;
    match (before.state, after.state) {
        (before, after) if before == after => {}
        (_, AnchorState::Confirmed) => {
            let block = after.evidence.as_ref().map(|evidence| evidence.height);
            tracing::info!(%root, block, "the anchor is confirmed");
        }
        (_, AnchorState::Reorged) => {
            tracing::warn!(%root, "the anchor's block is no longer part of the chain; its root is stamped again");
        }
        (from, to) => tracing::info!(%root, %from, %to, "the anchor has come further"),
    }
}
