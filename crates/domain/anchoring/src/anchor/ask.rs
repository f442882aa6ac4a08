use std::fmt;
use std::str::FromStr;

use crate::ots::CalendarUri;
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
}

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It was not asked yet, or it knows no more yet.
    Waiting,
    /// It does not answer, or not so that it could be used.
    Silent,
    /// It said what is not true. It is asked again all the same: servers are repaired.
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

    /// Whether the question is still to be asked.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Silent | Self::False)
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
        Self { calendar, question, standing: Standing::Waiting, detail: None, failures: 0, asked_at: None, due_at }
    }

    /// Whether it is to be asked by now.
    #[must_use]
    pub fn is_due(&self, now: Instant) -> bool {
        self.standing.is_open() && self.due_at <= now
    }
}
