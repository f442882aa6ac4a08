//! The way of a root into Bitcoin.

mod ask;
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

use crate::checkpoint::Checkpoint;
use crate::ots::{self, Attestation, Batch, CalendarUri, Timestamp};
use crate::{CalendarError, Digest, Evidence, Verdict};

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
    /// How far it has come.
    pub state: AnchorState,
    /// Who is asked what.
    pub asks: Vec<Ask>,
    /// What is claimed of [`Self::digest`] so far, and not known to be false.
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

/// How many blocks and calendars one answer may name: each is looked up or asked. Calendars name one or two.
const MOST_ATTESTATIONS: usize = 16;

/// A block that the proof names: its height, and what must be its Merkle root.
pub type Claim = (u32, Arc<[u8]>);

/// What a calendar gave.
pub type Reply = Result<Timestamp, CalendarError>;

impl Anchor {
    /// A stamping of a checkpoint by these calendars. Nobody was asked yet.
    #[must_use]
    pub fn begin(
        checkpoint: &Checkpoint,
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

    fn batch(&self) -> Batch {
        ots::batch(&[(self.root, self.nonces[0]), (self.checkpoint, self.nonces[1])])
    }

    /// What calendars are given: the root and the checkpoint's digest, hidden and joined.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.batch().root
    }

    /// Asks these calendars too to take the digest, if it needs to be taken: an operator may replace calendars that are
    /// gone for good. Whether there was one that is new.
    pub fn invite(&mut self, calendars: &[CalendarUri], now: Instant) -> bool {
        if !matches!(self.state, AnchorState::Submitting | AnchorState::Reorged) {
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
        is_time && ask.standing.is_open()
    }

    /// Takes in what a calendar gave for a question. What was not asked is passed over.
    pub fn heard(&mut self, calendar: &CalendarUri, question: &Question, reply: &Reply, now: Instant, pace: Pace) {
        let Some(at) = self.asks.iter().position(|ask| ask.calendar == *calendar && ask.question == *question) else {
            return;
        };
        if !self.wants(&self.asks[at]) {
            return;
        }
        let outcome = match reply {
            Ok(answer) => self.take(question, answer),
            Err(error) => Err(error.into()),
        };
        let age = now - self.stamped_at.unwrap_or(self.created_at);
        let ask = &mut self.asks[at];
        ask.asked_at = Some(now);
        match outcome {
            Ok(standing) => {
                (ask.standing, ask.detail, ask.failures) = (standing, None, 0);
                ask.due_at = now + pace.patient(age);
            }
            Err(Trouble::NotYet(words)) => {
                (ask.standing, ask.detail, ask.failures) = (Standing::Waiting, Some(words), 0);
                ask.due_at = now + pace.patient(age);
            }
            Err(Trouble::Silent(why)) => ask.fail(Standing::Silent, why, now, pace),
            Err(Trouble::False(why)) => ask.fail(Standing::False, why, now, pace),
        }
        self.ask_the_promising(now, pace);
    }

    fn take(&mut self, question: &Question, answer: &Timestamp) -> Result<Standing, Trouble> {
        if answer.attestations().len() > MOST_ATTESTATIONS {
            return Err(Trouble::False("it names more blocks and calendars than anybody could ask".to_owned()));
        }
        let unusable = |error: ots::OtsError| Trouble::False(format!("its answer cannot be joined: {error}"));
        match question {
            Question::Submit => {
                // Nothing that it claims is a block's yet.
                let mut answer = answer.clone();
                answer.retain(|_, attestation| matches!(attestation, Attestation::Pending(_)));
                if answer.is_empty() {
                    return Err(Trouble::False("it promises nothing".to_owned()));
                }
                if answer.message() != self.digest().as_bytes() {
                    return Err(unusable(ots::OtsError::AnotherMessage));
                }
                match &mut self.timestamp {
                    Some(timestamp) => timestamp.merge(answer).map_err(unusable)?,
                    none => *none = Some(answer),
                }
                Ok(Standing::Answered)
            }
            Question::Upgrade(message) => {
                let mut answer = answer.clone();
                let useful = |attestation: &Attestation| {
                    matches!(attestation, Attestation::Pending(_) | Attestation::Bitcoin(_))
                };
                answer.retain(|_, attestation| useful(attestation));
                if answer.message() != message.as_slice() {
                    return Err(unusable(ots::OtsError::AnotherMessage));
                }
                let names_a_block = answer.bitcoin().next().is_some();
                if let Some(timestamp) = &mut self.timestamp {
                    timestamp.insert(&answer).map_err(unusable)?;
                }
                Ok(if names_a_block { Standing::Answered } else { Standing::Waiting })
            }
        }
    }

    /// Asks those who have promised to know more later.
    fn ask_the_promising(&mut self, now: Instant, pace: Pace) {
        let Some(timestamp) = &self.timestamp else { return };
        for (calendar, message) in timestamp.pending() {
            let question = Question::Upgrade(message.to_vec());
            if !self.asks.iter().any(|ask| ask.calendar == *calendar && ask.question == question) {
                self.asks.push(Ask::new(calendar.clone(), question, now + pace.period()));
            }
        }
    }

    /// The blocks that the proof names, to be looked up.
    #[must_use]
    pub fn claims(&self) -> BTreeSet<Claim> {
        self.timestamp.iter().flat_map(Timestamp::bitcoin).collect()
    }

    /// Takes in what was found of the blocks that it names.
    pub fn judged(&mut self, verdicts: &[(Claim, Verdict)], now: Instant, pace: Pace) {
        let mut is_lost = false;
        for (claim, verdict) in verdicts {
            match verdict {
                Verdict::Verified(_) => {
                    for at in self.asks_with(claim) {
                        let ask = &mut self.asks[at];
                        (ask.standing, ask.detail, ask.failures) = (Standing::Verified, None, 0);
                    }
                }
                Verdict::False(error) => is_lost |= self.refute(claim, &error.to_string(), now, pace),
                Verdict::Unknown(reason) => {
                    for at in self.asks_with(claim) {
                        let ask = &mut self.asks[at];
                        ask.detail = Some(format!("block {} is not looked up: {}", claim.0, why(reason)));
                    }
                }
            }
        }
        let found = verdicts.iter().filter_map(|(_, verdict)| match verdict {
            Verdict::Verified(evidence) => Some(evidence),
            _ => None,
        });
        if let Some(evidence) = found.min_by_key(|evidence| evidence.height) {
            (self.evidence, self.verified_at) = (Some(evidence.clone()), Some(now));
            // What is left of a proof may not be as deep as what is gone.
            is_lost &= !evidence.is_final();
            self.happens(AnchorEvent::Verified { confirmations: evidence.confirmations.unwrap_or(0) });
        } else if is_lost {
            (self.evidence, self.verified_at) = (None, None);
        }
        if is_lost {
            self.happens(AnchorEvent::BlockLost);
            self.stamp_again(now);
        }
        if self.state == AnchorState::Confirmed {
            self.drop_promises();
        }
    }

    /// Takes out a claim that is not true. Whether it was true before.
    fn refute(&mut self, claim: &Claim, error: &str, now: Instant, pace: Pace) -> bool {
        let mut is_lost = false;
        for at in self.asks_with(claim) {
            let ask = &mut self.asks[at];
            if ask.standing == Standing::Verified {
                is_lost = true;
                ask.standing = Standing::Waiting;
                ask.detail = Some(format!("block {} is not the one that it was", claim.0));
                ask.due_at = now;
            } else {
                ask.fail(Standing::False, format!("it names block {}: {error}", claim.0), now, pace);
            }
        }
        if let Some(timestamp) = &mut self.timestamp {
            timestamp.retain(|message, attestation| {
                !(matches!(attestation, Attestation::Bitcoin(height) if *height == claim.0) && *message == *claim.1)
            });
            if timestamp.is_empty() {
                self.timestamp = None;
            }
        }
        is_lost
    }

    /// The questions by whose answers a block was named.
    fn asks_with(&self, claim: &Claim) -> Vec<usize> {
        let names = |ask: &Ask| {
            let Question::Upgrade(message) = &ask.question else { return false };
            let part = self.timestamp.as_ref().and_then(|timestamp| timestamp.part(message));
            part.is_some_and(|part| part.bitcoin().any(|named| named == *claim))
        };
        self.asks.iter().enumerate().filter(|(_, ask)| names(ask)).map(|(at, _)| at).collect()
    }

    /// The proof is final: what was only promised is not needed any more.
    fn drop_promises(&mut self) {
        if let Some(timestamp) = &mut self.timestamp {
            timestamp.retain(|_, attestation| matches!(attestation, Attestation::Bitcoin(_)));
        }
    }

    /// Asks every calendar to take the digest once more, and forgets the questions that led to blocks which are gone.
    fn stamp_again(&mut self, now: Instant) {
        let promised: BTreeSet<(CalendarUri, Vec<u8>)> = self
            .timestamp
            .iter()
            .flat_map(Timestamp::pending)
            .map(|(calendar, message)| (calendar.clone(), message.to_vec()))
            .collect();
        self.asks.retain(|ask| match &ask.question {
            Question::Submit => true,
            Question::Upgrade(message) => promised.contains(&(ask.calendar.clone(), message.clone())),
        });
        for ask in self.asks.iter_mut().filter(|ask| ask.question == Question::Submit) {
            *ask = Ask::new(ask.calendar.clone(), Question::Submit, now);
        }
    }

    /// Sees whether enough calendars have answered, and when to look again. To be called after every change.
    pub fn settle(&mut self, quorum: usize, now: Instant, pace: Pace) {
        let submissions = || self.asks.iter().filter(|ask| ask.question == Question::Submit);
        let answered = submissions().filter(|ask| ask.standing == Standing::Answered).count();
        let quorum = quorum.min(submissions().count()).max(1);
        let is_stamped = self.timestamp.is_some() && answered >= quorum;
        if is_stamped && matches!(self.state, AnchorState::Submitting | AnchorState::Reorged) {
            self.stamped_at = Some(now);
            self.happens(AnchorEvent::Stamped);
        }
        let next_ask = self.open_asks().map(|ask| ask.due_at).min();
        let next_look = (self.state == AnchorState::Pending && !self.claims().is_empty()).then(|| now + pace.period());
        self.due_at = if self.state.is_settled() { None } else { [next_ask, next_look].into_iter().flatten().min() };
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
        // The path leads to what was submitted, and is short.
        self.timestamp.clone()?.behind(digest.as_bytes(), path).ok()
    }
}

impl Ask {
    fn fail(&mut self, standing: Standing, why: String, now: Instant, pace: Pace) {
        self.standing = standing;
        self.detail = Some(why);
        self.due_at = now + pace.after_failures(self.failures);
        self.failures = self.failures.saturating_add(1);
    }
}

enum Trouble {
    NotYet(String),
    Silent(String),
    False(String),
}

impl From<&CalendarError> for Trouble {
    fn from(error: &CalendarError) -> Self {
        match error {
            CalendarError::NotYet(words) => Self::NotYet(words.clone()),
            CalendarError::Nonsense { why, .. } => Self::False(why.clone()),
            CalendarError::Unreachable(_) | CalendarError::Slow | CalendarError::Refused(_) => Self::Silent(why(error)),
        }
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
