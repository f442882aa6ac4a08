//! Many headers, from a source that is asked for each.

use artdag_anchoring::bitcoin::BlockHeader;
use artdag_anchoring::{BlockHeaders, HeadersError};
use futures_util::stream::{self, StreamExt};

/// Asks for headers one by one, some of the questions at a time.
pub(crate) async fn one_by_one(
    source: &dyn BlockHeaders,
    from: u32,
    count: u32,
    at_a_time: usize,
) -> Result<Vec<BlockHeader>, HeadersError> {
    let heights = stream::iter(from..from.saturating_add(count));
    let mut headers = heights.map(|height| source.header(height)).buffered(at_a_time);
    let mut fetched = Vec::new();
    while let Some(header) = headers.next().await {
        match header {
            Ok(Some(header)) => fetched.push(header),
            // What came before is not thrown away: the next call meets the error again, if it lasts.
            Err(error) if fetched.is_empty() => return Err(error),
            Ok(None) | Err(_) => break,
        }
    }
    Ok(fetched)
}
