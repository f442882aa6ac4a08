use super::Cause;
use crate::Digest;
use crate::ots::{CalendarUri, Timestamp};
use async_trait::async_trait;

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
