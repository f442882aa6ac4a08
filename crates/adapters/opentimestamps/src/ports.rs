//! What the use cases of anchoring ask of the world outside.

use artdag_anchoring::bitcoin::{BlockHeader, TooLittleWork};
use artdag_anchoring::ots::{CalendarUri, Timestamp};
use artdag_anchoring::{Assurance, Digest};
use async_trait::async_trait;
use std::error::Error;

/// What is behind an error, for the operator.
pub type Cause = Box<dyn Error + Send + Sync>;

/// OpenTimestamps calendars. None of them is believed: what their answers claim has still to be checked.
#[async_trait]
pub trait Calendar: Send + Sync {
    /// Hands a digest to a calendar. The answer leads from the digest to where a calendar will know more.
    ///
    /// # Errors
    ///
    /// [`CalendarError`]. The calendar may have taken the digest all the same, which does no harm.
    async fn submit(&self, calendar: &CalendarUri, digest: &Digest) -> Result<Timestamp, CalendarError>;

    /// Asks what became of the message at a pending attestation of this calendar.
    ///
    /// # Errors
    ///
    /// [`CalendarError`]; [`CalendarError::NotYet`] is the usual answer for some hours.
    async fn upgrade(&self, calendar: &CalendarUri, message: &[u8]) -> Result<Timestamp, CalendarError>;
}

/// Why a calendar gave nothing that can be used, by what to do about it.
///
/// | variant | what to do |
/// |---|---|
/// | `Unreachable`, `Slow` | try again later, with longer and longer pauses |
/// | `NotYet` | ask again after the next blocks |
/// | `Nonsense` | write down whose fault it is, go on with the others, and try again later |
/// | `Refused` | nothing was sent: wait for the operator |
#[derive(Debug, thiserror::Error)]
pub enum CalendarError {
    /// Nobody answers there, or what answers says itself that it is out of order.
    #[error("the calendar cannot be reached")]
    Unreachable(#[source] Cause),
    /// It took longer than it may.
    #[error("the calendar did not answer in time")]
    Slow,
    /// It has no more to say for now; in its own words, of which only printable ASCII is left. They are still a
    /// stranger's, and to be escaped wherever they are shown.
    #[error("the calendar knows no more yet: {0}")]
    NotYet(String),
    /// An answer that cannot be true, or is none.
    #[error("{calendar} gives an answer that cannot be: {why}")]
    Nonsense {
        /// Whose answer.
        calendar: CalendarUri,
        /// What is wrong with it; nothing of the answer itself.
        why: String,
    },
    /// This server does not call it.
    #[error("the calendar may not be asked")]
    Refused(#[source] Cause),
}

/// Where Bitcoin's block headers come from. What comes is as good as [`Self::assurance`] says, and only
/// [`sync`](crate::sync) makes `pow-chain` of it.
#[async_trait]
pub trait BlockHeaders: Send + Sync {
    /// On whose word its headers are believed.
    fn assurance(&self) -> Assurance;

    /// What it is, in words for a person, without secrets.
    fn name(&self) -> String;

    /// The height of its last header.
    ///
    /// # Errors
    ///
    /// [`HeadersError`].
    async fn tip(&self) -> Result<u32, HeadersError>;

    /// The header at a height, `None` where its chain does not reach.
    ///
    /// # Errors
    ///
    /// [`HeadersError`].
    async fn header(&self, height: u32) -> Result<Option<BlockHeader>, HeadersError>;

    /// At most so many headers from a height on, fewer where its chain ends or it fails on the way. They need not
    /// follow one another if the chain changes meanwhile.
    ///
    /// # Errors
    ///
    /// [`HeadersError`], if there is not even the first.
    async fn headers(&self, from: u32, count: u32) -> Result<Vec<BlockHeader>, HeadersError>;
}

/// Why there are no headers, by what to do about it.
///
/// | variant | what to do |
/// |---|---|
/// | `Unreachable`, `Slow` | try again later |
/// | `NotYet` | wait for the headers to be brought up to date |
/// | `Nonsense` | tell the operator which source it is |
/// | `Refused` | tell the operator, who has to change something |
#[derive(Debug, thiserror::Error)]
pub enum HeadersError {
    /// Nobody answers there, or what answers says itself that it is out of order.
    #[error("the source of headers cannot be reached")]
    Unreachable(#[source] Cause),
    /// It took longer than it may.
    #[error("the source of headers did not answer in time")]
    Slow,
    /// The headers here do not yet have the work to be believed.
    #[error("there are too few headers yet")]
    NotYet(#[from] TooLittleWork),
    /// An answer that cannot be true, or is none.
    #[error("{whose} gives an answer that cannot be: {why}")]
    Nonsense {
        /// The source's name.
        whose: String,
        /// What is wrong with it.
        why: String,
    },
    /// This server does not call it, or it does not let this server in.
    #[error("the source of headers may not be asked")]
    Refused(#[source] Cause),
}
