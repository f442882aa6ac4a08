//! The way of a root into Bitcoin.

mod answer;
mod ask;
mod assemble;
mod hear;
mod judge;
mod pace;
mod state;
#[cfg(test)]
mod tests;

pub use ask::{Ask, Question, Standing, UnknownStanding};
pub use pace::Pace;
pub use state::{AnchorEvent, AnchorState, FINAL_CONFIRMATIONS, InvalidTransition, UnknownAnchorState};

use std::collections::BTreeSet;
use std::sync::Arc;

use artdag_kernel::Instant;
use chrono::TimeDelta;

use crate::bitcoin::Network;
use crate::checkpoint::Checkpoint;
use crate::ots::{self, Batch, CalendarUri, Timestamp, limits};
use crate::{CalendarError, Digest, Evidence};

/// A stamping of the log: which root and checkpoint, who was asked to carry them to Bitcoin, and what came of it.
///
/// It changes by what calendars say ([`Self::heard`]) and by what blocks say ([`Self::judged`]), in whatever order and
/// however often: the same once more makes no difference. Only blocks make it [`AnchorState::Confirmed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The log's root.
    pub root: Digest,
    /// How many entries the tree of that root has.
    pub tree_size: u64,
    /// The first entry that no earlier anchor has.
    pub from_index: u64,
    /// SHA-256 of the checkpoint's text, which is stamped beside the root.
    pub checkpoint: Digest,
    /// What hides the root and the checkpoint's digest from calendars.
    pub nonces: [[u8; 16]; 2],
    /// Which of Bitcoin's networks it is stamped for; `None` if that was not written down.
    pub network: Option<Network>,
    /// How far it has come.
    pub state: AnchorState,
    /// Who is asked what.
    pub asks: Vec<Ask>,
    /// What is claimed of [`Self::digest`] so far, and not known to be false: what the answers in [`Self::asks`] come to,
    /// put together as far as a proof may go.
    pub timestamp: Option<Timestamp>,
    /// The lowest block that shows its age, as it was last looked up.
    pub evidence: Option<Evidence>,
    /// When that was.
    pub verified_at: Option<Instant>,
    /// When it was begun.
    pub created_at: Instant,
    /// When enough calendars had answered, the last time.
    pub stamped_at: Option<Instant>,
    /// When there is something to do for it next, if ever.
    pub due_at: Option<Instant>,
    /// Counts the changes in the store.
    pub revision: u32,
}

/// A block that the proof names: its height, and what must be its Merkle root.
pub type Claim = (u32, Arc<[u8]>);

/// What a calendar gave.
pub type Reply = Result<Timestamp, CalendarError>;

/// When other calendars are given what those that took it do not get into a block.
const OVERDUE: TimeDelta = TimeDelta::days(3);

impl Anchor {
    /// A stamping of a checkpoint for this network by these calendars. Nobody was asked yet.
    #[must_use]
    pub fn begin(
        checkpoint: &Checkpoint,
        network: Network,
        from_index: u64,
        nonces: [[u8; 16]; 2],
        calendars: &[CalendarUri],
        now: Instant,
    ) -> Self {
        let different: BTreeSet<&CalendarUri> = calendars.iter().collect();
        Self {
            root: checkpoint.root(),
            tree_size: checkpoint.size(),
            from_index,
            checkpoint: checkpoint.digest(),
            nonces,
            network: Some(network),
            state: AnchorState::Submitting,
            asks: different.into_iter().map(|calendar| Ask::new(calendar.clone(), Question::Submit, now)).collect(),
            timestamp: None,
            evidence: None,
            verified_at: None,
            created_at: now,
            stamped_at: None,
            due_at: Some(now),
            revision: 0,
        }
    }

    /// Whether it is stamped for this network, as far as is known.
    #[must_use]
    pub fn is_for(&self, network: Network) -> bool {
        self.network.is_none_or(|its| its == network)
    }

    /// As it counts on this network: what another one shows is nothing here.
    #[must_use]
    pub fn on(&self, network: Network) -> Self {
        let mut seen = self.clone();
        if !self.is_for(network) {
            (seen.evidence, seen.verified_at, seen.due_at) = (None, None, None);
            if seen.state == AnchorState::Confirmed {
                seen.state = AnchorState::Pending;
            }
        }
        seen
    }

    fn batch(&self) -> Batch {
        ots::batch(&[(self.root, self.nonces[0]), (self.checkpoint, self.nonces[1])])
    }

    /// What calendars are given: the root and the checkpoint's digest, hidden and joined.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.batch().root
    }

    /// Asks these calendars too to take the digest, if it needs to be taken or those that took it come to nothing: an
    /// operator may replace calendars that are gone for good. Whether there was one that is new.
    pub fn invite(&mut self, calendars: &[CalendarUri], now: Instant) -> bool {
        let is_wanted = match self.state {
            AnchorState::Submitting | AnchorState::Reorged => true,
            AnchorState::Pending => self.stamped_at.is_some_and(|stamped_at| stamped_at + OVERDUE <= now),
            AnchorState::Confirmed | AnchorState::Failed => false,
        };
        if !is_wanted {
            return false;
        }
        let before = self.asks.len();
        for calendar in calendars {
            if !self.asks.iter().any(|ask| ask.calendar == *calendar && ask.question == Question::Submit) {
                self.asks.push(Ask::new(calendar.clone(), Question::Submit, now));
            }
        }
        self.asks.len() > before
    }

    /// What there is to ask, be it due or not.
    pub fn open_asks(&self) -> impl Iterator<Item = &Ask> {
        self.asks.iter().filter(|ask| self.wants(ask))
    }

    fn wants(&self, ask: &Ask) -> bool {
        let is_time = match ask.question {
            Question::Submit => !self.state.is_settled(),
            Question::Upgrade(_) => self.state == AnchorState::Pending,
        };
        is_time && ask.is_open()
    }

    /// Sees whether enough calendars have answered, and when to look again. To be called after every change.
    pub fn settle(&mut self, quorum: usize, now: Instant, pace: Pace) {
        let answered = self.submissions().filter(|ask| ask.standing == Standing::Answered).count();
        let quorum = quorum.min(self.submissions().count()).max(1);
        let is_stamped = self.timestamp.is_some() && answered >= quorum;
        if is_stamped && matches!(self.state, AnchorState::Submitting | AnchorState::Reorged) {
            self.stamped_at = Some(now);
            self.happens(AnchorEvent::Stamped);
        }
        let next_ask = self.open_asks().map(|ask| ask.due_at).min();
        let next_look = (self.state == AnchorState::Pending && !self.claims().is_empty()).then(|| now + pace.period());
        self.due_at = if self.state.is_settled() { None } else { [next_ask, next_look].into_iter().flatten().min() };
    }

    /// Takes up again what was given up, at once. Whether it had been.
    pub fn revive(&mut self, now: Instant) -> bool {
        if self.state != AnchorState::Failed {
            return false;
        }
        self.happens(AnchorEvent::Revived);
        self.asks.iter_mut().for_each(|ask| (ask.due_at, ask.failures) = (now, 0));
        self.due_at = Some(now);
        true
    }

    /// An operator gives it up: nobody is asked any more.
    ///
    /// # Errors
    ///
    /// If it is confirmed.
    pub fn give_up(&mut self) -> Result<(), InvalidTransition> {
        self.state = self.state.after(AnchorEvent::GivenUp)?;
        self.due_at = None;
        Ok(())
    }

    /// What cannot happen in its state changes nothing: two processes may bring the same news.
    fn happens(&mut self, event: AnchorEvent) {
        if let Ok(state) = self.state.after(event) {
            self.state = state;
        }
    }

    /// What is claimed of the log's root.
    #[must_use]
    pub fn timestamp_of_root(&self) -> Option<Timestamp> {
        self.timestamp_behind(&self.root, 0)
    }

    /// What is claimed of the checkpoint's digest.
    #[must_use]
    pub fn timestamp_of_checkpoint(&self) -> Option<Timestamp> {
        self.timestamp_behind(&self.checkpoint, 1)
    }

    fn timestamp_behind(&self, digest: &Digest, at: usize) -> Option<Timestamp> {
        let path = self.batch().paths.into_iter().nth(at)?;
        let proof = self.timestamp.clone()?.within(limits::DEPTH.saturating_sub(path.len()));
        // The path leads to what was submitted, and is short.
        if proof.is_empty() { None } else { proof.behind(digest.as_bytes(), path).ok() }
    }
}

/// An error with its causes, in one line.
fn why(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text.chars().take(300).collect()
}
