//! A source of headers that is not asked for the same again and again.

use artdag_anchoring::bitcoin::{BlockHash, BlockHeader};
use artdag_anchoring::{Assurance, BlockHeaders, HeadersError};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How many headers are remembered.
const MOST: usize = 4096;

/// Remembers what a source has shown, until its chain has another tip. The tip is asked for anew after a while. Whoever
/// may look at proofs can have blocks looked up, so without this anybody could use up a node's or an explorer's
/// patience.
pub struct CachedHeaders {
    source: Arc<dyn BlockHeaders>,
    fresh_for: Duration,
    // One question at a time.
    seen: Mutex<Option<Seen>>,
}

struct Seen {
    at: Instant,
    tip: u32,
    hash: Option<BlockHash>,
    headers: BTreeMap<u32, BlockHeader>,
}

impl CachedHeaders {
    /// Asks the source for its tip no more often than once in that time.
    #[must_use]
    pub fn new(source: Arc<dyn BlockHeaders>, fresh_for: Duration) -> Self {
        Self { source, fresh_for, seen: Mutex::new(None) }
    }

    /// What was seen of the chain that the source has now.
    async fn look<'a>(&self, seen: &'a mut Option<Seen>) -> Result<&'a mut Seen, HeadersError> {
        // Taken out, so that nothing is left of it if the source fails.
        let fresh = match seen.take() {
            Some(seen) if seen.at.elapsed() < self.fresh_for => seen,
            last => {
                let tip = self.source.tip().await?;
                let hash = self.source.header(tip).await?.map(|header| header.hash());
                let same = last.filter(|last| hash.is_some() && last.hash == hash);
                let headers = same.map(|last| last.headers).unwrap_or_default();
                Seen { at: Instant::now(), tip, hash, headers }
            }
        };
        Ok(seen.insert(fresh))
    }
}

#[async_trait]
impl BlockHeaders for CachedHeaders {
    fn assurance(&self) -> Assurance {
        self.source.assurance()
    }

    fn name(&self) -> String {
        self.source.name()
    }

    async fn tip(&self) -> Result<u32, HeadersError> {
        Ok(self.look(&mut *self.seen.lock().await).await?.tip)
    }

    async fn header(&self, height: u32) -> Result<Option<BlockHeader>, HeadersError> {
        let mut seen = self.seen.lock().await;
        if seen.as_ref().is_some_and(|seen| seen.tip < height) {
            // It may have been made meanwhile; shown beside an older tip, it would lie above the end of the chain.
            *seen = None;
        }
        let seen = self.look(&mut seen).await?;
        if height > seen.tip {
            return Ok(None);
        }
        if let Some(header) = seen.headers.get(&height) {
            return Ok(Some(*header));
        }
        let header = self.source.header(height).await?;
        if let Some(header) = header {
            if seen.headers.len() >= MOST {
                seen.headers.clear();
            }
            seen.headers.insert(height, header);
        }
        Ok(header)
    }

    /// Whoever wants many wants them for themselves.
    async fn headers(&self, from: u32, count: u32) -> Result<Vec<BlockHeader>, HeadersError> {
        self.source.headers(from, count).await
    }
}
