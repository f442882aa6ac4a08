//! What calendars say.

use std::collections::BTreeSet;

use super::answer::{self, Unusable};
use super::{Anchor, Ask, Pace, Question, Reply, Standing, why};
use crate::CalendarError;
use crate::ots::{CalendarUri, Timestamp};
use artdag_kernel::Instant;

impl Anchor {
    /// Takes in what a calendar gave for a question. What was not asked is passed over.
    pub fn heard(&mut self, calendar: &CalendarUri, question: &Question, reply: &Reply, now: Instant, pace: Pace) {
        let Some(at) = self.asks.iter().position(|ask| ask.calendar == *calendar && ask.question == *question) else {
            return;
        };
        if !self.wants(&self.asks[at]) {
            return;
        }
        let outcome = match reply {
            Ok(answer) => self.take(at, answer),
            Err(error) => Err(error.into()),
        };
        let pause = pace.patient(now - self.stamped_at.unwrap_or(self.created_at));
        let ask = &mut self.asks[at];
        ask.asked_at = Some(now);
        match outcome {
            Ok(()) => {
                // Whether it is true shows later, and until then it may be another lie.
                if *question == Question::Submit {
                    ask.failures = 0;
                }
                (ask.standing, ask.detail) = (Standing::Answered, None);
                ask.put_off(now + pause, now, pace);
            }
            Err(Trouble::NotYet(words)) => {
                (ask.standing, ask.detail, ask.failures) = (ask.unless_answered(Standing::Waiting), words, 0);
                ask.put_off(now + pause, now, pace);
            }
            Err(Trouble::Silent(why)) => ask.fail(ask.unless_answered(Standing::Silent), why, now, pace),
            Err(Trouble::False(why)) => ask.fail(ask.unless_answered(Standing::False), why, now, pace),
        }
        self.ask_the_promising(now, pace);
        self.assemble();
    }

    /// Keeps an answer beside the question.
    fn take(&mut self, at: usize, answer: &Timestamp) -> Result<(), Trouble> {
        let digest = self.digest();
        let question = &self.asks[at].question;
        let message = match question {
            Question::Submit => digest.as_bytes(),
            Question::Upgrade(message) => message.as_slice(),
        };
        let answer = answer::sift(question, message, answer)?;
        if answer.is_empty() {
            return Err(match question {
                Question::Submit => Unusable::Empty.into(),
                Question::Upgrade(_) => Trouble::NotYet(None),
            });
        }
        let joined = self.joined_with_earlier(at, answer)?;
        self.asks[at].answer = Some(joined);
        Ok(())
    }

    /// With what it said before: it may have been given the digest a second time. Of that only what came true is kept if
    /// both are too much.
    fn joined_with_earlier(&self, at: usize, answer: Timestamp) -> Result<Timestamp, Unusable> {
        let ask = &self.asks[at];
        let Some(mut earlier) = ask.answer.clone() else { return Ok(answer) };
        let join = |mut earlier: Timestamp| {
            earlier.merge(answer.clone()).map_err(Unusable::Unjoined)?;
            answer::check(&ask.question, &earlier).map(|()| earlier)
        };
        join(earlier.clone()).or_else(|_| {
            let mut came_true = BTreeSet::new();
            for ask in self.asks.iter().filter(|ask| !ask.verified.is_empty()) {
                if let Question::Upgrade(message) = &ask.question {
                    came_true.insert(message.as_slice());
                }
                came_true.extend(ask.verified.iter().map(|(_, message)| &message[..]));
            }
            earlier.retain(|message, _| came_true.contains(message));
            join(earlier)
        })
    }

    /// Asks those who have promised to know more later, and nobody about a promise that was given up.
    pub(super) fn ask_the_promising(&mut self, now: Instant, pace: Pace) {
        let mut promised: BTreeSet<(CalendarUri, Vec<u8>)> = BTreeSet::new();
        for answer in self.submissions().filter_map(|ask| ask.answer.as_ref()) {
            promised.extend(answer.pending().map(|(calendar, message)| (calendar.clone(), message.to_vec())));
        }
        self.asks.retain(|ask| match &ask.question {
            Question::Submit => true,
            Question::Upgrade(message) => promised.remove(&(ask.calendar.clone(), message.clone())),
        });
        let due_at = now + pace.period();
        let ask = |(calendar, message)| Ask::new(calendar, Question::Upgrade(message), due_at);
        self.asks.extend(promised.into_iter().map(ask));
    }
}

enum Trouble {
    NotYet(Option<String>),
    Silent(String),
    False(String),
}

impl From<&CalendarError> for Trouble {
    fn from(error: &CalendarError) -> Self {
        match error {
            CalendarError::NotYet(words) => Self::NotYet(Some(words.clone())),
            CalendarError::Nonsense { why, .. } => Self::False(why.clone()),
            CalendarError::Unreachable(_) | CalendarError::Slow | CalendarError::Refused(_) => Self::Silent(why(error)),
        }
    }
}

impl From<Unusable> for Trouble {
    fn from(error: Unusable) -> Self {
        Self::False(format!("its answer {error}"))
    }
}
