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
/// How many blocks may have been made since the tip was asked for. To look higher up is no reason to ask again.
const SOON: u32 = 6;

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
    async fn look<'a>(&self, seen: &'a mut Option<Seen>, height: u32) -> Result<&'a mut Seen, HeadersError> {
        // Taken out, so that nothing is left of it if the source fails.
        let fresh = match seen.take() {
            // The next ones may have been made meanwhile; shown beside an older tip, they would lie above the end of
            // the chain.
            Some(seen) if seen.at.elapsed() < self.fresh_for && !seen.is_just_below(height) => seen,
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

impl Seen {
    const fn is_just_below(&self, height: u32) -> bool {
        self.tip < height && height - self.tip <= SOON
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
        Ok(self.look(&mut *self.seen.lock().await, 0).await?.tip)
    }

    async fn header(&self, height: u32) -> Result<Option<BlockHeader>, HeadersError> {
        let mut seen = self.seen.lock().await;
        let seen = self.look(&mut seen, height).await?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use artdag_anchoring::bitcoin::{ChainRules, Network};
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A chain of the same header again and again, which counts how often it is asked.
    struct Counted {
        tip: AtomicU32,
        asked: AtomicU32,
    }

    #[async_trait]
    impl BlockHeaders for Counted {
        fn assurance(&self) -> Assurance {
            Assurance::Node
        }

        fn name(&self) -> String {
            "a chain".to_owned()
        }

        async fn tip(&self) -> Result<u32, HeadersError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            Ok(self.tip.load(Ordering::Relaxed))
        }

        async fn header(&self, _height: u32) -> Result<Option<BlockHeader>, HeadersError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            Ok(Some(*ChainRules::of(Network::Regtest).genesis()))
        }

        async fn headers(&self, _from: u32, _count: u32) -> Result<Vec<BlockHeader>, HeadersError> {
            Ok(Vec::new())
        }
    }

    #[tokio::test]
    async fn heights_of_no_block_cost_nothing() {
        let source = Arc::new(Counted { tip: AtomicU32::new(10), asked: AtomicU32::new(0) });
        let cached = CachedHeaders::new(source.clone(), Duration::from_secs(60));
        assert!(cached.header(5).await.unwrap().is_some());
        let asked = source.asked.load(Ordering::Relaxed);
        for height in [4_000_000_000, 17, 5, 4_000_000_000] {
            assert_eq!(cached.header(height).await.unwrap().is_some(), height == 5);
        }
        assert_eq!(source.asked.load(Ordering::Relaxed), asked, "what is known of others is still known");
        source.tip.store(12, Ordering::Relaxed);
        assert!(cached.header(12).await.unwrap().is_some(), "the next ones may have been made meanwhile");
        assert_eq!(cached.tip().await.unwrap(), 12);
    }
}
