//! One file of headers, and several who keep it. Within one process they are to each other as strangers.

use crate::support::{EASY, HARD, Peer, chain, client, mine_on};
use artdag_anchoring::bitcoin::{BlockHeader, ChainRules, HeaderFault, Network};
use artdag_anchoring::{Assurance, BlockHeaders, HeadersError};
use artdag_opentimestamps::{
    Attempt, BATCH, BitcoinCoreRpc, HeaderFile, HeaderFileError, KeptHeaders, SyncError, Synced,
};
use artdag_testing::PATIENT;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

struct Place {
    folder: TempDir,
    rules: ChainRules,
}

impl Place {
    fn new(rules: ChainRules) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), rules }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("headers")
    }

    fn keeper(&self) -> KeptHeaders {
        KeptHeaders::new(self.path(), self.rules.clone())
    }

    fn open(&self) -> HeaderFile {
        HeaderFile::open(self.path(), self.rules.clone()).unwrap()
    }

    fn write(&self, headers: &[BlockHeader]) {
        fs::write(self.path(), bytes(headers)).unwrap();
    }

    /// Another file beside it.
    fn beside(&self, headers: &[BlockHeader]) -> PathBuf {
        let path = self.folder.path().join("other");
        fs::write(&path, bytes(headers)).unwrap();
        path
    }
}

fn bytes(headers: &[BlockHeader]) -> Vec<u8> {
    headers.iter().flat_map(BlockHeader::as_bytes).copied().collect()
}

async fn follow(kept: &KeptHeaders, source: &dyn BlockHeaders) -> Result<Attempt<Synced>, SyncError> {
    kept.sync(source, BATCH, &mut |_| {}).await
}

fn done(height: u32, added: usize, reorg: Option<u32>) -> Attempt<Synced> {
    Attempt::Done(Synced { height, added, reorg, is_ahead: false })
}

async fn headers_of(kept: &KeptHeaders) -> Vec<BlockHeader> {
    kept.chain().await.unwrap().headers().to_vec()
}

#[tokio::test]
async fn what_one_fetches_the_other_sees() {
    let Some(peer) = Peer::start().await else { return };
    let node = BitcoinCoreRpc::new(client(), peer.node()).with_timeout(PATIENT);
    let place = Place::new(peer.rules().await);
    let (one, other) = (place.keeper(), place.keeper());
    assert_eq!(other.tip().await.unwrap(), 0, "there is no file yet");
    assert!(!place.path().exists(), "and none is made by looking");
    assert_eq!(follow(&one, &node).await.unwrap(), done(9, 9, None));
    let theirs = peer.all_headers().await;
    for kept in [&one, &other] {
        assert_eq!((kept.assurance(), kept.tip().await.unwrap()), (Assurance::PowChain, 9));
        assert_eq!(kept.header(9).await.unwrap(), Some(theirs[9]));
        assert_eq!(kept.header(10).await.unwrap(), None);
        assert_eq!(kept.headers(3, 100).await.unwrap(), theirs[3..]);
    }

    peer.control("mine/1").await;
    assert_eq!(follow(&other, &node).await.unwrap(), done(10, 1, None));
    assert_eq!(headers_of(&one).await, peer.all_headers().await);
    for (depth, height, fork) in [(1, 11, 9), (5, 12, 6)] {
        peer.control(&format!("reorg/{depth}")).await;
        assert_eq!(follow(&one, &node).await.unwrap(), done(height, depth + 1, Some(fork)));
        assert_eq!(headers_of(&other).await, peer.all_headers().await, "{depth}");
        assert_eq!(headers_of(&one).await, peer.all_headers().await, "{depth}");
    }
}

#[tokio::test]
async fn nobody_keeps_the_file_open_and_a_file_in_use_is_no_error() {
    let Some(peer) = Peer::start().await else { return };
    let node = BitcoinCoreRpc::new(client(), peer.node()).with_timeout(PATIENT);
    let place = Place::new(peer.rules().await);
    let kept = place.keeper();
    let theirs = peer.all_headers().await;
    let file = place.open();
    file.add(&theirs[..5]).unwrap();
    assert_eq!(follow(&kept, &node).await.unwrap(), Attempt::InUse);
    assert_eq!(kept.import(&place.beside(&theirs)).await.unwrap(), Attempt::InUse);
    assert_eq!(headers_of(&kept).await, theirs[..5], "who has it open is seen at work");
    drop(file);

    assert_eq!(follow(&kept, &node).await.unwrap(), done(9, 5, None));
    let file = place.open();
    assert_eq!(file.chain(|chain| chain.headers().to_vec()), theirs);
    assert_eq!(
        follow(&kept, &node).await.unwrap(),
        done(9, 0, None),
        "where nothing is to be done, nobody is in the way"
    );
    drop(file);

    // One that fails leaves it closed, too.
    peer.control("mine/1").await;
    let stranger = Place::new(chain(EASY, 2).0);
    let error = follow(&stranger.keeper(), &node).await.unwrap_err();
    assert!(matches!(error, SyncError::AnotherChain(_)), "{error:?}");
    drop(stranger.open());
    let gone = BitcoinCoreRpc::new(client(), "http://127.0.0.1:9/".parse().unwrap());
    let error = follow(&kept, &gone).await.unwrap_err();
    assert!(matches!(error, SyncError::Source(HeadersError::Unreachable(_))), "{error:?}");
    drop(place.open());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_follow_at_once_end_with_the_same() {
    let Some(peer) = Peer::start().await else { return };
    let place = Arc::new(Place::new(peer.rules().await));
    peer.control("mine/200").await;
    let (uri, mut running) = (peer.node(), tokio::task::JoinSet::new());
    for _ in 0..6 {
        let (place, uri) = (Arc::clone(&place), uri.clone());
        running.spawn(async move {
            let (kept, node) = (place.keeper(), BitcoinCoreRpc::new(client(), uri).with_timeout(PATIENT));
            let mut in_use = 0;
            while follow(&kept, &node).await.unwrap() == Attempt::InUse {
                // Whatever the others have written by now is a chain.
                assert!(kept.chain().await.unwrap().height() <= 209);
                in_use += 1;
                tokio::task::yield_now().await;
            }
            (headers_of(&kept).await, in_use)
        });
    }
    let theirs = peer.all_headers().await;
    let mut in_use = 0;
    while let Some(ended) = running.join_next().await {
        let (headers, waited) = ended.unwrap();
        assert_eq!(headers, theirs);
        in_use += waited;
    }
    assert!(in_use > 0, "they were in each other's way");
}

#[tokio::test]
async fn a_missing_file_is_a_chain_without_work() {
    let place = Place::new(ChainRules::of(Network::Mainnet));
    let kept = place.keeper();
    assert!(matches!(kept.tip().await, Err(HeadersError::NotYet(_))));
    assert!(matches!(kept.header(0).await, Err(HeadersError::NotYet(_))));
    assert!(matches!(kept.headers(0, 1).await, Err(HeadersError::NotYet(_))));
    assert_eq!(kept.chain().await.unwrap().height(), 0);

    let (rules, headers) = chain(EASY, 9);
    let place = Place::new(rules);
    let kept = place.keeper();
    place.write(&headers);
    assert_eq!(kept.tip().await.unwrap(), 8);
    fs::remove_file(place.path()).unwrap();
    assert_eq!(kept.tip().await.unwrap(), 0, "whoever takes it away means it");
}

#[tokio::test]
async fn a_file_that_is_wrong_hides_nothing_that_was_right() {
    let (rules, headers) = chain(HARD, 12);
    let place = Place::new(rules);
    let kept = place.keeper();
    place.write(&headers[..8]);
    assert_eq!(headers_of(&kept).await, headers[..8]);
    let mut damaged = headers.clone();
    damaged.remove(5);
    for wrong in [&damaged[..], &chain(EASY, 3).1] {
        place.write(wrong);
        assert_eq!(headers_of(&kept).await, headers[..8]);
        assert_eq!(kept.tip().await.unwrap(), 7);
        let fresh = place.keeper().tip().await.unwrap_err();
        assert!(matches!(fresh, HeadersError::Unreachable(_)), "{fresh:?}");
    }
    place.write(&damaged);
    let cause = place.keeper().chain().await.unwrap_err().source().unwrap().to_string();
    assert!(cause.contains("the header of height 5, are wrong"), "{cause}");
    let source = HeaderFile::open(place.beside(&headers), place.rules.clone()).unwrap();
    let error = follow(&kept, &source).await.unwrap_err();
    let is_named =
        matches!(error, SyncError::File(HeaderFileError::Corrupt { height: 5, fault: HeaderFault::NotLinked, .. }));
    assert!(is_named, "{error:?}");
    assert_eq!(fs::read(place.path()).unwrap(), bytes(&damaged), "and nothing of it is changed");
    place.write(&headers[..10]);
    assert_eq!(headers_of(&kept).await, headers[..10]);
    assert_eq!(follow(&kept, &source).await.unwrap(), done(11, 2, None));
}

#[tokio::test]
async fn a_file_is_imported_into_what_is_kept() {
    let (rules, headers) = chain(HARD, 12);
    let place = Place::new(rules);
    let (kept, other) = (place.keeper(), place.keeper());
    let Attempt::Done(change) = kept.import(&place.beside(&headers[..8])).await.unwrap() else { panic!("in use") };
    assert_eq!((change.added, change.fork_height), (7, 0));
    let heavy = [&headers[..6], &mine_on(&headers[5], 4, "heavy")].concat();
    let Attempt::Done(change) = kept.import(&place.beside(&heavy)).await.unwrap() else { panic!("in use") };
    assert_eq!((change.added, change.fork_height, change.removed.len()), (4, 5, 2));
    assert_eq!(headers_of(&kept).await, heavy);
    assert_eq!(headers_of(&other).await, heavy);

    let mut damaged = headers.clone();
    damaged.remove(9);
    let error = kept.import(&place.beside(&damaged)).await.unwrap_err();
    assert!(matches!(error, HeaderFileError::Corrupt { height: 9, .. }), "{error:?}");
    let error = kept.import(&place.folder.path().join("missing")).await.unwrap_err();
    assert!(matches!(error, HeaderFileError::Io { .. }), "{error:?}");
    assert_eq!(headers_of(&kept).await, heavy);
    drop(place.open());
}
