use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::{Claim, Pace};
use crate::ots::{CalendarUri, Timestamp};
use artdag_kernel::Instant;

/// What a calendar is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// To take the anchor's digest.
    Submit,
    /// What became of this message, of which it said that it would know more.
    Upgrade(Vec<u8>),
}

/// One question to one calendar, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Who is asked.
    pub calendar: CalendarUri,
    /// What.
    pub question: Question,
    /// What came of it.
    pub standing: Standing,
    /// Why, in words of this server that are for a person to read.
    pub detail: Option<String>,
    /// How often in a row it came to nothing.
    pub failures: u32,
    /// When it was asked last.
    pub asked_at: Option<Instant>,
    /// When it is to be asked next, as long as there is something to learn.
    pub due_at: Instant,
    /// What it gave, as far as that is not known to be false.
    pub answer: Option<Timestamp>,
    /// The blocks that it named and that were there when they were looked up last.
    pub verified: BTreeSet<Claim>,
}

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It was not asked yet, or it knows no more yet.
    Waiting,
    /// It does not answer.
    Silent,
    /// It gave what cannot be used or is not true. It is asked again all the same: servers are repaired.
    False,
    /// It has taken the digest, or named a block that nobody has looked up yet.
    Answered,
    /// It named a block, and that block is as it said.
    Verified,
}

/// The text names no standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be `waiting`, `silent`, `false`, `answered` or `verified`")]
pub struct UnknownStanding;

impl Standing {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Silent, Self::False, Self::Answered, Self::Verified];

    /// Its name in the store and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Silent => "silent",
            Self::False => "false",
            Self::Answered => "answered",
            Self::Verified => "verified",
        }
    }
}

impl FromStr for Standing {
    type Err = UnknownStanding;

    fn from_str(text: &str) -> Result<Self, UnknownStanding> {
        Self::ALL.into_iter().find(|standing| standing.as_str() == text).ok_or(UnknownStanding)
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Ask {
    /// A question that was not asked yet.
    #[must_use]
    pub const fn new(calendar: CalendarUri, question: Question, due_at: Instant) -> Self {
        Self {
            calendar,
            question,
            standing: Standing::Waiting,
            detail: None,
            failures: 0,
            asked_at: None,
            due_at,
            answer: None,
            verified: BTreeSet::new(),
        }
    }

    /// Whether it is to be asked by now.
    #[must_use]
    pub fn is_due(&self, now: Instant) -> bool {
        self.is_open() && self.due_at <= now
    }

    /// Whether there is still something to learn. Who named a block that nobody could look up may come to name another.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self.standing {
            Standing::Waiting | Standing::Silent | Standing::False => true,
            Standing::Answered => self.question != Question::Submit,
            Standing::Verified => false,
        }
    }

    /// Puts off the next time, unless it was asked out of turn.
    pub(super) fn put_off(&mut self, due_at: Instant, now: Instant, pace: Pace) {
        if pace.counts() || self.due_at <= now {
            self.due_at = due_at;
        }
    }

    /// What was said before is not unsaid by failing to say it again.
    pub(super) const fn unless_answered(&self, standing: Standing) -> Standing {
        if matches!(self.standing, Standing::Answered) { Standing::Answered } else { standing }
    }

    pub(super) fn fail(&mut self, standing: Standing, why: String, now: Instant, pace: Pace) {
        self.standing = standing;
        self.detail = Some(why);
        if pace.counts() || self.due_at <= now {
            self.due_at = now + pace.after_failures(self.failures);
            self.failures = self.failures.saturating_add(1);
        }
    }
}
