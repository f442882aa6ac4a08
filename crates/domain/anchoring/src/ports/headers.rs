use super::Cause;
use crate::Assurance;
use crate::bitcoin::{BlockHeader, TooLittleWork};
use async_trait::async_trait;

/// Where Bitcoin's block headers come from. What comes is as good as [`Self::assurance`] says, and only
/// checking all of the chain makes `pow-chain` of it.
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
