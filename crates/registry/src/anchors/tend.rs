use super::AnchorError;
use crate::Registry;
use artdag_anchoring::{Anchor, AnchorState, Ask, Digest, Pace, Question, Reply, Verdict};
use artdag_kernel::{Instant, StoreError};
use chrono::TimeDelta;
use futures_util::stream::{self, FuturesUnordered, StreamExt};

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
        if !anchor.is_for(self.parts.blocks.network) {
            return Ok(Some(anchor));
        }
        let calendars = &self.parts.policy.anchors.calendars;
        // Whoever is in a hurry takes up again what an operator gave up, unless a later round has taken its place.
        let revives = urged && self.last_anchor().await?.is_some_and(|last| last.root == anchor.root);
        let prepare = |anchor: &mut Anchor, now: Instant| {
            let revived = revives && anchor.revive(now);
            anchor.invite(calendars, now) || revived
        };
        if prepare(&mut anchor.clone(), self.now()) {
            let prepare = |anchor: &mut Anchor, now| _ = prepare(anchor, now);
            let Some(prepared) = self.change_anchor(root, prepare).await? else { return Ok(None) };
            anchor = prepared;
        }
        let pace = self.parts.policy.anchors.pace();
        let pace = if urged { pace.urged() } else { pace };
        let (now, digest) = (self.now(), &anchor.digest());
        let asks: Vec<Ask> = anchor.open_asks().filter(|ask| urged || ask.is_due(now)).cloned().collect();
        let mut replies: FuturesUnordered<_> =
            asks.iter().map(|ask| async move { (ask, self.ask(ask, digest).await) }).collect();
        // Each is written down when it comes, and waits for nobody who is slower.
        while let Some((ask, reply)) = replies.next().await {
            let heard = |anchor: &mut Anchor, now| anchor.heard(&ask.calendar, &ask.question, &reply, now, pace);
            let Some(changed) = self.change_anchor(root, heard).await? else { return Ok(None) };
            anchor = changed;
        }
        self.look_up_blocks(&anchor, pace).await
    }

    async fn ask(&self, ask: &Ask, digest: &Digest) -> Reply {
        let calendars = &self.parts.calendars;
        match &ask.question {
            Question::Submit => calendars.submit(&ask.calendar, digest).await,
            Question::Upgrade(message) => calendars.upgrade(&ask.calendar, message).await,
        }
    }

    /// Looks up the blocks that an anchor names.
    async fn look_up_blocks(&self, anchor: &Anchor, pace: Pace) -> Result<Option<Anchor>, AnchorError> {
        let blocks = &self.parts.blocks;
        if !anchor.is_for(blocks.network) {
            return Ok(Some(anchor.clone()));
        }
        let verdicts = blocks.judge_all(anchor.claims()).await;
        let is_found = verdicts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Verified(_)));
        let judged = |anchor: &mut Anchor, now| {
            anchor.judged(&verdicts, now, pace);
            if is_found {
                anchor.network = Some(blocks.network);
            }
        };
        self.change_anchor(&anchor.root, judged).await
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
            if !anchor.is_news(&stored) {
                return Ok(Some(anchor));
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

    /// Does all that is due for anchors. Says when to look again. What is amiss with one of them is told, and is in the
    /// way of no other.
    pub(crate) async fn see_to_anchors(&self) -> Result<Instant, AnchorError> {
        let mut failures = u32::from(told(self.begin_anchor_on_time().await).is_none());
        let due = self.read().await?.due_anchors(self.now(), BATCH).await?;
        let tended: Vec<Option<_>> = stream::iter(due)
            .map(|anchor| async move { told(self.tend_due(anchor).await) })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        failures += tended.iter().fold(0, |failures, tended| failures + u32::from(tended.is_none()));
        failures += self.watch_confirmed().await?;
        let now = self.now();
        let next = self.read().await?.next_anchor_due().await?;
        let idle = self.parts.policy.anchors.interval.map_or(IDLE, |interval| interval.clamp(SHORTEST, IDLE));
        // What has failed is due still.
        let soonest = if failures > 0 { idle } else { SHORTEST };
        Ok(next.map_or(now + idle, |next| next.clamp(now + soonest, now + idle)))
    }

    async fn tend_due(&self, anchor: Result<Anchor, StoreError>) -> Result<(), AnchorError> {
        self.tend_anchor(&anchor?.root, false).await.map(drop)
    }

    /// Looks whether the blocks of the latest confirmed anchors are still there, when the chain has changed. For how many
    /// that failed.
    async fn watch_confirmed(&self) -> Result<u32, AnchorError> {
        // Of all sources: the best one may stand still while others know more, and come to know it later.
        let tips = self.parts.blocks.tips().await;
        let Some(height) = tips.iter().map(|(height, _)| *height).max() else { return Ok(0) };
        if self.watched_tips.lock().is_ok_and(|watched| *watched == tips) {
            return Ok(0);
        }
        let latest = self.read().await?.anchors_from_block(height.saturating_sub(WATCHED_BLOCKS)).await?;
        let mut failures = 0;
        for anchor in latest {
            let looked = async { self.look_up_blocks(&anchor?, self.parts.policy.anchors.pace()).await };
            failures += u32::from(told(looked.await).is_none());
        }
        if let Ok(mut watched) = self.watched_tips.lock() {
            *watched = tips;
        }
        Ok(failures)
    }

    /// The last anchor, whatever has become of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn last_anchor(&self) -> Result<Option<Anchor>, StoreError> {
        Ok(self.read().await?.list_anchors(None, 1).await?.pop())
    }
}

/// The outcome; of a failure the operator hears here.
fn told<T>(outcome: Result<T, AnchorError>) -> Option<T> {
    let tell = |error| tracing::error!(error = &error as &dyn std::error::Error, "an anchor cannot be seen to");
    outcome.map_err(tell).ok()
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
