//! What blocks say.

use std::collections::{BTreeMap, BTreeSet};

use super::{Anchor, AnchorEvent, AnchorState, Ask, Claim, Pace, Question, Standing, why};
use crate::ots::{Attestation, Timestamp};
use crate::{Assurance, Evidence, Refuted, Verdict};
use artdag_kernel::Instant;
use chrono::TimeDelta;

/// How old the last look may be before the same once more is written down.
const NEWS: TimeDelta = TimeDelta::hours(1);

/// What was found of the blocks that one answer names.
#[derive(Clone, Default)]
struct Found {
    lie: Option<String>,
    lost: Option<u32>,
    is_verified: bool,
    /// What a person may want to know of the rest.
    note: Option<String>,
}

impl Anchor {
    /// The blocks that the proof names, to be looked up.
    #[must_use]
    pub fn claims(&self) -> BTreeSet<Claim> {
        self.timestamp.iter().flat_map(Timestamp::bitcoin).collect()
    }

    /// Takes in what was found of the blocks that it names. Of others, which it named before, nothing is taken in.
    pub fn judged(&mut self, verdicts: &[(Claim, Verdict)], now: Instant, pace: Pace) {
        let claims = self.claims();
        let verdicts: Vec<&(Claim, Verdict)> = verdicts.iter().filter(|(claim, _)| claims.contains(claim)).collect();
        let (givers, true_before) = (self.givers(), self.true_before());
        let believed = self.evidence.as_ref().map(|evidence| evidence.assurance);
        let mut found = vec![Found::default(); self.asks.len()];
        let mut lost = BTreeSet::new();
        for (claim, verdict) in &verdicts {
            let was_true = true_before.contains(claim);
            for at in givers.get(claim).into_iter().flatten() {
                found[*at].take(&mut self.asks[*at], claim, verdict, was_true, believed);
            }
            if was_true && is_refuted(verdict, believed) {
                lost.insert(claim.0);
            }
        }
        for (ask, found) in self.asks.iter_mut().zip(found) {
            if ask.question != Question::Submit {
                ask.judged(found, now, pace);
            }
        }
        let verified = verdicts.iter().filter_map(|(_, verdict)| match verdict {
            Verdict::Verified(evidence) => Some(evidence),
            _ => None,
        });
        self.rest_on(verified.min_by_key(|evidence| evidence.height), &lost, now);
        // What is left of a proof may not be as deep as what is gone.
        if !lost.is_empty() && !self.evidence.as_ref().is_some_and(Evidence::is_final) {
            self.happens(AnchorEvent::BlockLost);
            self.stamp_again(now);
        }
        self.assemble();
    }

    /// Whether this is worth writing down in place of what is stored. That a final block has got deeper, or was looked up
    /// once more, is none for an hour.
    #[must_use]
    pub fn is_news(&self, stored: &Self) -> bool {
        let mut seen = self.clone();
        let is_recent = matches!((self.verified_at, stored.verified_at), (Some(now), Some(then)) if now < then + NEWS);
        if is_recent && self.state == AnchorState::Confirmed {
            seen.verified_at = stored.verified_at;
            if let (Some(evidence), Some(stored)) = (&mut seen.evidence, &stored.evidence) {
                evidence.confirmations = stored.confirmations;
            }
        }
        seen != *stored
    }

    /// Takes the block for its evidence, unless that is a weaker word for what is final already.
    fn rest_on(&mut self, found: Option<&Evidence>, lost: &BTreeSet<u32>, now: Instant) {
        if self.evidence.as_ref().is_some_and(|known| lost.contains(&known.height)) {
            (self.evidence, self.verified_at) = (None, None);
        }
        let Some(found) = found else { return };
        let is_better = |known: &Evidence| known.is_final() && found.assurance.is_weaker_than(known.assurance);
        if !self.evidence.as_ref().is_some_and(is_better) {
            (self.evidence, self.verified_at) = (Some(found.clone()), Some(now));
            self.happens(AnchorEvent::Verified { confirmations: found.confirmations.unwrap_or(0) });
        }
    }

    /// By whose answers each block was named.
    fn givers(&self) -> BTreeMap<Claim, Vec<usize>> {
        let mut givers: BTreeMap<Claim, Vec<usize>> = BTreeMap::new();
        for (at, ask) in self.asks.iter().enumerate() {
            for claim in ask.answer.iter().flat_map(Timestamp::bitcoin).collect::<BTreeSet<Claim>>() {
                givers.entry(claim).or_default().push(at);
            }
        }
        givers
    }

    /// The claims that were found true when they were looked up last.
    fn true_before(&self) -> BTreeSet<Claim> {
        let mut claims: BTreeSet<Claim> = self.asks.iter().flat_map(|ask| ask.verified.iter().cloned()).collect();
        // Anchors that were confirmed before that was written down for each claim.
        if let Some(evidence) = &self.evidence
            && !claims.iter().any(|(height, _)| *height == evidence.height)
        {
            claims.extend(self.claims().into_iter().filter(|(height, _)| *height == evidence.height));
        }
        claims
    }

    /// Asks every calendar to take the digest once more. What they promised before they are asked about, too.
    fn stamp_again(&mut self, now: Instant) {
        for ask in self.asks.iter_mut().filter(|ask| ask.question == Question::Submit) {
            let fresh = Ask::new(ask.calendar.clone(), Question::Submit, now);
            *ask = Ask { answer: ask.answer.take(), verified: std::mem::take(&mut ask.verified), ..fresh };
        }
    }
}

impl Found {
    fn take(&mut self, ask: &mut Ask, claim: &Claim, verdict: &Verdict, was_true: bool, believed: Option<Assurance>) {
        let height = claim.0;
        match verdict {
            Verdict::Verified(_) => {
                self.is_verified = true;
                ask.verified.insert(claim.clone());
            }
            Verdict::False(refuted) if !was_true => {
                self.lie = Some(format!("it names block {height}: {}", refuted.error));
                ask.withdraw(claim);
            }
            Verdict::False(_) if is_refuted(verdict, believed) => {
                self.lost = Some(height);
                ask.withdraw(claim);
            }
            Verdict::False(Refuted { assurance, .. }) => {
                self.note = Some(format!("block {height} is in doubt, on no better word than {assurance}"));
            }
            Verdict::Unknown(reason) => {
                self.note = Some(format!("block {height} is not looked up: {}", why(reason)));
            }
        }
    }
}

/// Whether what was true is so no longer. A weaker word than the one that it was believed on does not take it back.
fn is_refuted(verdict: &Verdict, believed: Option<Assurance>) -> bool {
    let Verdict::False(Refuted { assurance, .. }) = verdict else { return false };
    believed.is_none_or(|believed| !assurance.is_weaker_than(believed))
}

impl Ask {
    /// Takes out a claim that is not true.
    fn withdraw(&mut self, claim: &Claim) {
        self.verified.remove(claim);
        if let Some(answer) = &mut self.answer {
            answer.retain(|message, attestation| {
                !(matches!(attestation, Attestation::Bitcoin(height) if *height == claim.0) && *message == *claim.1)
            });
        }
        self.answer.take_if(|answer| answer.is_empty());
    }

    fn judged(&mut self, found: Found, now: Instant, pace: Pace) {
        let Found { lie, lost, is_verified, note } = found;
        if let Some(why) = lie {
            self.fail(Standing::False, why, now, pace);
        } else if let Some(height) = lost.filter(|_| self.verified.is_empty()) {
            self.standing = Standing::Waiting;
            self.detail = Some(format!("block {height} is not the one that it was"));
            self.due_at = now;
        } else if is_verified && self.standing != Standing::False {
            // Who also named a false one stays a liar until it gives another answer.
            (self.standing, self.detail, self.failures) = (Standing::Verified, note, 0);
        } else if note.is_some() && self.standing != Standing::False {
            self.detail = note;
        }
    }
}
