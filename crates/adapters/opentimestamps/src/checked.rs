//! What a chain that was checked here answers as a source of headers.

use artdag_anchoring::HeadersError;
use artdag_anchoring::bitcoin::{BlockHeader, HeaderChain, LookupError};

pub(crate) const NAME: &str = "a chain of headers that was checked here";

pub(crate) fn tip(chain: &HeaderChain) -> Result<u32, HeadersError> {
    chain.check_work()?;
    Ok(chain.height())
}

pub(crate) fn header(chain: &HeaderChain, height: u32) -> Result<Option<BlockHeader>, HeadersError> {
    match chain.confirm(height) {
        Ok(confirmed) => Ok(Some(confirmed.header)),
        Err(LookupError::TooLittleWork(error)) => Err(error.into()),
        Err(LookupError::AboveTip { .. } | LookupError::BelowStart { .. }) => Ok(None),
    }
}

/// Of a chain that begins with the genesis block.
pub(crate) fn headers(chain: &HeaderChain, from: u32, count: u32) -> Result<Vec<BlockHeader>, HeadersError> {
    chain.check_work()?;
    let at = |height: u32| usize::try_from(height).unwrap_or(usize::MAX).min(chain.headers().len());
    Ok(chain.headers()[at(from)..at(from.saturating_add(count))].to_vec())
}
