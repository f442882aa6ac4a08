//! The chain of headers follows its sources, as far as they are right.

use crate::support::{EASY, Peer, chain, client, mine_on};
use artdag_anchoring::Assurance;
use artdag_anchoring::bitcoin::{BlockHeader, ChainRules, HeaderError, HeaderFault};
use artdag_anchoring::{BlockHeaders, HeadersError};
use artdag_opentimestamps::{BitcoinCoreRpc, Explorers, HeaderFile, Progress, SyncError, Synced, sync};
use artdag_testing::PATIENT;
use async_trait::async_trait;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

struct Place {
    _folder: TempDir,
    file: Arc<HeaderFile>,
}

fn place(rules: ChainRules) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let file = Arc::new(HeaderFile::open(folder.path().join("headers"), rules).unwrap());
    Place { _folder: folder, file }
}

impl Place {
    async fn sync(&self, source: &dyn BlockHeaders, batch: u32) -> (Result<Synced, SyncError>, Vec<Progress>) {
        let mut told = Vec::new();
        let batch = NonZeroU32::new(batch).unwrap();
        let outcome = sync(&self.file, source, batch, &mut |progress| told.push(progress)).await;
        (outcome, told)
    }

    /// What is in the file, which is also what is in memory.
    fn headers(&self) -> Vec<BlockHeader> {
        let headers = self.file.chain(|chain| chain.headers().to_vec());
        let rules = self.file.chain(|chain| chain.rules().clone());
        assert_eq!(HeaderFile::read(self.file.path(), rules).unwrap().headers(), headers);
        headers
    }
}

fn level(height: u32, added: usize, reorg: Option<u32>) -> Synced {
    Synced { height, added, reorg, is_ahead: false }
}

#[tokio::test]
async fn the_chain_follows_a_node_through_reorganisations() {
    let Some(peer) = Peer::start().await else { return };
    let node = BitcoinCoreRpc::new(client(), peer.node()).with_timeout(PATIENT);
    let here = place(peer.rules().await);
    let (outcome, told) = here.sync(&node, 4).await;
    assert_eq!(outcome.unwrap(), level(9, 9, None));
    let step = |height| Progress { height, tip: 9, reorg: None };
    assert_eq!(told, [step(4), step(8), step(9)]);
    assert_eq!(here.headers(), peer.all_headers().await);

    let (outcome, told) = here.sync(&node, 4).await;
    assert_eq!((outcome.unwrap(), told), (level(9, 0, None), vec![]));
    peer.control("mine/20").await;
    assert_eq!(here.sync(&node, 4).await.0.unwrap(), level(29, 20, None));
    for (depth, batch, height) in [(1, 4, 30), (3, 4, 31), (12, 4, 32), (12, 100, 33), (30, 7, 34)] {
        peer.control(&format!("reorg/{depth}")).await;
        let (outcome, told) = here.sync(&node, batch).await;
        let fork = height - 1 - depth;
        assert_eq!(outcome.unwrap(), level(height, depth as usize + 1, Some(fork)));
        assert_eq!(told.first().unwrap().reorg, Some(fork));
        assert_eq!(here.headers(), peer.all_headers().await, "{depth}");
    }
}

#[tokio::test]
async fn the_chain_follows_explorers() {
    let Some(peer) = Peer::start().await else { return };
    let boxed = || -> Box<dyn BlockHeaders> { Box::new(peer.esplora()) };
    let explorers = Explorers::new(vec![boxed(), boxed(), boxed()], 2).unwrap();
    let here = place(peer.rules().await);
    assert_eq!(here.sync(&peer.esplora(), 6).await.0.unwrap(), level(9, 9, None));
    peer.control("reorg/2").await;
    assert_eq!(here.sync(&explorers, 6).await.0.unwrap(), level(10, 3, Some(7)));
    assert_eq!(here.headers(), peer.all_headers().await);
}

/// A source that says what it is told to.
struct Told {
    /// What it shows, and once it was asked for headers so often, what it shows from then on.
    headers: Vec<BlockHeader>,
    later: Option<(usize, Vec<BlockHeader>)>,
    /// A height that it claims and does not have.
    tip: Option<u32>,
    /// After so many questions for headers it fails.
    breaks_after: usize,
    asked: Mutex<Vec<u32>>,
}

impl Told {
    fn by(headers: &[BlockHeader]) -> Self {
        let headers = headers.to_vec();
        Self { headers, later: None, tip: None, breaks_after: usize::MAX, asked: Mutex::default() }
    }

    fn now(&self) -> &[BlockHeader] {
        let asked = self.asked.lock().unwrap().len();
        self.later.as_ref().filter(|(after, _)| asked > *after).map_or(&self.headers, |(_, headers)| headers)
    }

    fn asked(&self) -> Vec<u32> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl BlockHeaders for Told {
    fn assurance(&self) -> Assurance {
        Assurance::Node
    }

    fn name(&self) -> String {
        "the test".to_owned()
    }

    async fn tip(&self) -> Result<u32, HeadersError> {
        Ok(self.tip.unwrap_or_else(|| u32::try_from(self.now().len() - 1).unwrap()))
    }

    async fn header(&self, height: u32) -> Result<Option<BlockHeader>, HeadersError> {
        Ok(self.now().get(height as usize).copied())
    }

    async fn headers(&self, from: u32, count: u32) -> Result<Vec<BlockHeader>, HeadersError> {
        self.asked.lock().unwrap().push(from);
        if self.asked().len() > self.breaks_after {
            return Err(HeadersError::Slow);
        }
        Ok(self.now().iter().skip(from as usize).take(count as usize).copied().collect())
    }
}

#[tokio::test]
async fn what_was_fetched_before_a_failure_is_not_fetched_again() {
    let (rules, headers) = chain(EASY, 101);
    let here = place(rules);
    let broken = Told { breaks_after: 3, ..Told::by(&headers) };
    let (outcome, told) = here.sync(&broken, 10).await;
    assert!(matches!(outcome, Err(SyncError::Source(HeadersError::Slow))), "{outcome:?}");
    assert_eq!((told.len(), here.headers().len()), (3, 31));
    let whole = Told::by(&headers);
    assert_eq!(here.sync(&whole, 40).await.0.unwrap(), level(100, 70, None));
    assert_eq!(whole.asked(), [31, 71]);
    assert_eq!(here.headers(), headers);
}

#[tokio::test]
async fn a_deep_branch_is_gathered_until_it_outweighs_the_chain() {
    let (rules, headers) = chain(EASY, 200);
    let here = place(rules);
    here.file.add(&headers).unwrap();
    let branch = [&headers[..50], &mine_on(&headers[49], 400, "b")].concat();
    let source = Told::by(&branch);
    let (outcome, told) = here.sync(&source, 16).await;
    assert_eq!(outcome.unwrap(), level(449, 400, Some(49)));
    assert_eq!(here.headers(), branch);
    assert_eq!(told.iter().filter(|progress| progress.reorg.is_some()).count(), 1);
    assert!(source.asked().len() < 40, "each header is fetched once, but for some before the fork");
}

#[tokio::test]
async fn a_chain_of_no_more_work_changes_nothing() {
    let (rules, headers) = chain(EASY, 30);
    let here = place(rules);
    here.file.add(&headers).unwrap();
    let as_heavy = [&headers[..20], &mine_on(&headers[19], 10, "b")].concat();
    for lighter in [&headers[..25], &headers[..1], &as_heavy, &as_heavy[..25]] {
        let (outcome, told) = here.sync(&Told::by(lighter), 4).await;
        let expected = Synced { is_ahead: true, ..level(29, 0, None) };
        assert_eq!((outcome.unwrap(), told), (expected, vec![]));
        assert_eq!(here.headers(), headers);
    }
}

#[tokio::test]
async fn a_change_while_fetching_is_no_lie() {
    let (rules, headers) = chain(EASY, 60);
    let branch = [&headers[..15], &mine_on(&headers[14], 60, "b")].concat();
    for after in 0..6 {
        let here = place(rules.clone());
        let source = Told { later: Some((after, branch.clone())), ..Told::by(&headers) };
        let outcome = here.sync(&source, 10).await.0.unwrap();
        assert_eq!((outcome.height, outcome.is_ahead), (74, false), "{after}");
        assert_eq!(here.headers(), branch, "{after}");
    }
}

#[tokio::test]
async fn liars_are_named_and_get_nothing_in() {
    let (rules, headers) = chain(EASY, 30);
    let mut cheap = *headers[25].as_bytes();
    cheap[72..76].copy_from_slice(&0x207f_fffe_u32.to_le_bytes());
    let mut wrong_target = headers.clone();
    wrong_target[25] = BlockHeader::from_bytes(cheap);
    let here = place(rules);
    let (outcome, _) = here.sync(&Told::by(&wrong_target), 10).await;
    let is_named = |error: &SyncError| match error {
        SyncError::Invalid { whose, error: HeaderError { height: 25, fault: HeaderFault::WrongTarget { .. } } } => {
            whose == "the test"
        }
        _ => false,
    };
    assert!(outcome.as_ref().is_err_and(is_named), "{outcome:?}");
    assert_eq!(here.headers(), headers[..21], "what was right stays");

    let mut torn = headers.clone();
    torn.remove(27);
    let heights_without_headers = Told { tip: Some(40), ..Told::by(&headers[..25]) };
    let too_high = Told { tip: Some(u32::MAX), ..Told::by(&headers) };
    for source in [Told::by(&torn), heights_without_headers, too_high] {
        let (outcome, _) = here.sync(&source, 10).await;
        assert!(matches!(&outcome, Err(SyncError::Unsteady(name)) if name == "the test"), "{outcome:?}");
        assert!(source.asked().len() < 20, "nobody is asked for ever");
        let now = here.headers();
        assert_eq!(now, headers[..now.len()]);
    }

    let other = chain(EASY - 1, 40).1;
    let (outcome, _) = here.sync(&Told::by(&other), 10).await;
    assert!(matches!(outcome, Err(SyncError::AnotherChain(name)) if name == "the test"));
}

#[tokio::test]
async fn a_run_that_is_dropped_anywhere_goes_on_later() {
    let (rules, headers) = chain(EASY, 60);
    let here = place(rules);
    let source = Told::by(&headers);
    let mut runs = 0;
    loop {
        runs += 1;
        let one = NonZeroU32::new(5).unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let mut stop = Some(stop);
        let mut on_progress = |_| drop(stop.take());
        tokio::select! {
            biased;
            _ = stopped => {}
            outcome = sync(&here.file, &source, one, &mut on_progress) => {
                outcome.unwrap();
                break;
            }
        }
    }
    assert!(runs > 1);
    assert_eq!(here.headers(), headers);
}
