//! A source that is spared the same questions.

use crate::support::Peer;
use artdag_anchoring::bitcoin::BlockHeader;
use artdag_anchoring::{Assurance, BlockHeaders, HeadersError};
use artdag_opentimestamps::{CachedHeaders, Esplora};
use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// An explorer, and how often it was asked.
struct Counted {
    explorer: Esplora,
    questions: AtomicUsize,
}

#[async_trait]
impl BlockHeaders for Counted {
    fn assurance(&self) -> Assurance {
        self.explorer.assurance()
    }

    fn name(&self) -> String {
        self.explorer.name()
    }

    async fn tip(&self) -> Result<u32, HeadersError> {
        self.questions.fetch_add(1, Ordering::SeqCst);
        self.explorer.tip().await
    }

    async fn header(&self, height: u32) -> Result<Option<BlockHeader>, HeadersError> {
        self.questions.fetch_add(1, Ordering::SeqCst);
        self.explorer.header(height).await
    }

    async fn headers(&self, from: u32, count: u32) -> Result<Vec<BlockHeader>, HeadersError> {
        self.explorer.headers(from, count).await
    }
}

#[tokio::test]
async fn the_same_is_asked_once_until_the_chain_changes() {
    let Some(peer) = Peer::start().await else { return };
    let source = Arc::new(Counted { explorer: peer.esplora(), questions: AtomicUsize::new(0) });
    let asked = || source.questions.swap(0, Ordering::SeqCst);
    let cached = CachedHeaders::new(source.clone(), Duration::from_secs(3600));
    for _ in 0..50 {
        assert_eq!(cached.tip().await.unwrap(), 9);
        assert_eq!(cached.header(5).await.unwrap(), Some(peer.header(5).await));
        assert_eq!(cached.header(9).await.unwrap(), Some(peer.header(9).await));
    }
    assert_eq!(asked(), 4, "the tip, its header to know it by, and one more for each of the two");
    assert_eq!(cached.header(10).await.unwrap(), None);
    peer.control("mine/1").await;
    assert!(cached.header(10).await.unwrap().is_some(), "what was not there is asked for again");
    assert_eq!(cached.tip().await.unwrap(), 10, "and is not above the end of the chain");

    let impatient = CachedHeaders::new(source.clone(), Duration::ZERO);
    let before = impatient.header(8).await.unwrap();
    assert_eq!(impatient.header(8).await.unwrap(), before);
    asked();
    impatient.header(8).await.unwrap();
    assert_eq!(asked(), 2, "the tip and its header, which are the same");
    peer.control("reorg/4").await;
    let after = impatient.header(8).await.unwrap();
    assert_eq!(after, Some(peer.header(8).await));
    assert_ne!(after, before, "another tip is another chain");
    assert_eq!(impatient.tip().await.unwrap(), 11);
}
