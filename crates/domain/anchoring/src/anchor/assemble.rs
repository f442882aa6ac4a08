//! The proof, put together from what calendars gave.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Anchor, AnchorState, Ask, Question, answer};
use crate::ots::{Attestation, CalendarUri, Cost, Timestamp};

/// What comes of one calendar's taking the digest.
struct Contribution<'a> {
    answers: Vec<&'a Timestamp>,
    cost: Cost,
    is_verified: bool,
}

impl Anchor {
    pub(super) fn submissions(&self) -> impl Iterator<Item = &Ask> {
        self.asks.iter().filter(|ask| ask.question == Question::Submit)
    }

    /// Puts the proof together anew. Those that hold a block which is there go first, then those that take the least. So
    /// whoever makes it too large goes, and not whoever comes last.
    pub(super) fn assemble(&mut self) {
        let mut contributions = self.contributions();
        contributions.sort_by_key(|one| (Reverse(one.is_verified), one.cost.work, one.cost.bytes));
        let (mut all, mut chosen) = (Cost::default(), Vec::new());
        for Contribution { answers, cost, .. } in contributions {
            let with_it = sum(all, cost);
            if answer::fits(&with_it) {
                all = with_it;
                chosen.extend(answers);
            }
        }
        let Ok(mut proof) = Timestamp::joined(self.digest().as_bytes(), chosen) else { return };
        if self.state == AnchorState::Confirmed {
            // It is final: what was only promised is not needed.
            proof.retain(|_, attestation| matches!(attestation, Attestation::Bitcoin(_)));
        }
        self.timestamp = (!proof.is_empty()).then_some(proof);
    }

    fn contributions(&self) -> Vec<Contribution<'_>> {
        let mut contributions = Vec::new();
        for submission in self.submissions() {
            let Some(answer) = &submission.answer else { continue };
            let promised: BTreeSet<(&CalendarUri, Arc<[u8]>)> = answer.pending().collect();
            let is_promised = |ask: &&Ask| match &ask.question {
                Question::Submit => false,
                Question::Upgrade(message) => promised.contains(&(&ask.calendar, message.as_slice().into())),
            };
            let upgrades = || self.asks.iter().filter(is_promised);
            let answers: Vec<&Timestamp> =
                std::iter::once(answer).chain(upgrades().filter_map(|ask| ask.answer.as_ref())).collect();
            contributions.push(Contribution {
                cost: answers.iter().fold(Cost::default(), |cost, answer| sum(cost, answer.cost())),
                answers,
                is_verified: std::iter::once(submission).chain(upgrades()).any(|ask| !ask.verified.is_empty()),
            });
        }
        contributions
    }
}

fn sum(one: Cost, other: Cost) -> Cost {
    Cost {
        messages: one.messages + other.messages,
        work: one.work + other.work,
        depth: one.depth.max(other.depth),
        attestations: one.attestations + other.attestations,
        bytes: one.bytes + other.bytes,
    }
}
