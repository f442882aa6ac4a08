//! Judging a timestamp by whatever source there is.

use crate::ports::{BlockHeaders, HeadersError};
use artdag_anchoring::bitcoin::{ChainRules, LookupError};
use artdag_anchoring::{ShownBlock, Unknown, Verdict};

/// Whether the message is attested by the block of that height, on the source's word. A
/// [`HeaderFile`](crate::HeaderFile) as the source makes it nobody's word.
///
/// # Errors
///
/// [`HeadersError`], if the source fails; this says nothing about the message.
pub async fn verify(
    source: &dyn BlockHeaders,
    rules: &ChainRules,
    height: u32,
    message: &[u8],
) -> Result<Verdict, HeadersError> {
    let last = source.tip().await?;
    let Some(header) = source.header(height).await? else {
        return Ok(Verdict::Unknown(Unknown::Headers(LookupError::AboveTip { last })));
    };
    let shown = ShownBlock {
        assurance: source.assurance(),
        height,
        header,
        // None, if the chain has just got shorter than it was.
        confirmations: last.checked_sub(height).map(|above| above.saturating_add(1)),
        source: &source.name(),
    };
    Ok(Verdict::by_header(rules, shown, message))
}
