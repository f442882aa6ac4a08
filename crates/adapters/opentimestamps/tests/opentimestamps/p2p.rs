//! Headers from a peer that speaks Bitcoin's own protocol, over real connections.

use artdag_anchoring::bitcoin::{BlockHeader, ChainRules, HeaderFault, Network};
use artdag_anchoring::{Assurance, BlockHeaders, HeadersError};
use artdag_kernel::testing::ManualClock;
use artdag_opentimestamps::{Attempt, BATCH, KeptHeaders, P2pHeaders, Peers, SyncError, Synced};
use artdag_testing::{OtsCalendars, PATIENT, free_port};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;

/// Long enough for an answer on this machine, and soon over.
const SOON: Duration = Duration::from_millis(700);

struct Place {
    _folder: TempDir,
    kept: Arc<KeptHeaders>,
}

impl Place {
    fn new() -> Self {
        Self::of(Network::Regtest)
    }

    fn of(network: Network) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kept = KeptHeaders::new(folder.path().join("headers"), ChainRules::of(network));
        Self { _folder: folder, kept: Arc::new(kept) }
    }

    fn source(&self, network: Network, peers: &[&str]) -> P2pHeaders {
        let listed = Peers::Listed(peers.iter().map(|peer| peer.parse().unwrap()).collect());
        P2pHeaders::new(network, listed, Arc::clone(&self.kept), Arc::new(ManualClock::default()))
    }

    fn patient(&self, peers: &[&str]) -> P2pHeaders {
        self.source(Network::Regtest, peers).with_timeout(PATIENT)
    }

    async fn follow(&self, source: &P2pHeaders) -> Result<Synced, SyncError> {
        match self.kept.sync(source, BATCH, &mut |_| {}).await? {
            Attempt::Done(synced) => Ok(synced),
            Attempt::InUse => panic!("nobody else has the file"),
        }
    }

    async fn headers(&self) -> Vec<BlockHeader> {
        self.kept.chain().await.unwrap().headers().to_vec()
    }
}

async fn start() -> Option<OtsCalendars> {
    OtsCalendars::start_with_peer(1, 6).await
}

fn synced(height: u32, added: usize, reorg: Option<u32>) -> Synced {
    Synced { height, added, reorg, is_ahead: false }
}

/// The headers that the chain shows by another way.
async fn theirs(chain: &OtsCalendars) -> Vec<BlockHeader> {
    chain.headers().await.iter().map(|header| header.parse().unwrap()).collect()
}

/// The kind of an error and what it says in the end.
fn told(error: &SyncError) -> (&'static str, String) {
    match error {
        SyncError::Source(HeadersError::Unreachable(cause)) => ("unreachable", cause.to_string()),
        SyncError::Source(HeadersError::Slow) => ("slow", String::new()),
        SyncError::Source(HeadersError::Nonsense { whose, why }) => {
            assert!(whose.starts_with("the Bitcoin peer 127.0.0.1:"), "{whose}");
            ("nonsense", why.clone())
        }
        SyncError::Source(HeadersError::Refused(cause)) => ("refused", cause.to_string()),
        SyncError::Invalid { error, .. } => ("invalid", error.to_string()),
        error => ("other", error.to_string()),
    }
}

#[tokio::test]
async fn a_peer_is_followed_through_reorganisations_of_any_depth() {
    let Some(chain) = start().await else { return };
    let place = Place::new();
    let source = place.patient(&[&chain.peer()]);
    assert_eq!(source.name(), format!("the Bitcoin peer {}", chain.peer()));
    assert_eq!(source.assurance(), Assurance::SuppliedHeader, "a peer is believed in nothing");
    assert_eq!(place.follow(&source).await.unwrap(), synced(9, 9, None));
    assert_eq!(place.headers().await, theirs(&chain).await);
    assert_eq!(place.follow(&source).await.unwrap(), synced(9, 0, None));

    chain.mine(31).await;
    assert_eq!(place.follow(&source).await.unwrap(), synced(40, 31, None));
    for (depth, height, fork) in [(1, 41, 39), (5, 42, 36), (30, 43, 12), (43, 44, 0)] {
        chain.reorganise(depth).await;
        let added = usize::try_from(depth + 1).unwrap();
        assert_eq!(place.follow(&source).await.unwrap(), synced(height, added, Some(fork)), "{depth}");
        assert_eq!(place.headers().await, theirs(&chain).await, "{depth}");
    }
}

#[tokio::test]
async fn more_headers_come_than_one_answer_holds() {
    let Some(chain) = start().await else { return };
    chain.mine(2100).await;
    let all = theirs(&chain).await;
    let place = Place::new();
    let source = place.patient(&[&chain.peer()]);
    assert_eq!(source.tip().await.unwrap(), 2109);
    assert_eq!(source.headers(1990, 100).await.unwrap(), all[1990..2090]);
    assert_eq!(source.headers(2100, 100).await.unwrap(), all[2100..]);

    // What was shown before it falls silent is not lost.
    chain.control(0, "p2p/once").await;
    let hasty = place.source(Network::Regtest, &[&chain.peer()]).with_timeout(SOON);
    assert_eq!(hasty.tip().await.unwrap(), 2000);
    assert_eq!(place.follow(&hasty).await.unwrap(), synced(2109, 2109, None), "and the next visit goes on from there");
    assert_eq!(place.headers().await, all);
}

#[tokio::test]
async fn what_is_kept_is_not_sent_again() {
    let Some(chain) = start().await else { return };
    let place = Place::new();
    let source = place.patient(&[&chain.peer()]);
    place.follow(&source).await.unwrap();
    chain.mine(1).await;
    let all = theirs(&chain).await;

    let source = place.patient(&[&chain.peer()]);
    assert_eq!(source.header(0).await.unwrap(), Some(all[0]), "whoever asks for no tip is told what there is");
    assert_eq!(source.tip().await.unwrap(), 10);
    assert_eq!(source.headers(7, 100).await.unwrap(), all[7..], "some of them are kept, one was sent");
    assert_eq!(source.headers(7, 2).await.unwrap(), all[7..9]);
    assert_eq!(source.header(10).await.unwrap(), Some(all[10]));
    assert_eq!(source.header(11).await.unwrap(), None);
    assert_eq!(source.headers(u32::MAX, u32::MAX).await.unwrap(), []);

    chain.control(0, "p2p/behind").await;
    let expected = Synced { is_ahead: true, ..synced(9, 0, None) };
    assert_eq!(place.follow(&source).await.unwrap(), expected, "a peer that has less has no say");
}

#[tokio::test]
async fn peers_that_lie_are_seen_through() {
    let Some(chain) = start().await else { return };
    let place = Place::new();
    let source = place.patient(&[&chain.peer()]);
    place.follow(&source).await.unwrap();
    let before = place.headers().await;
    chain.mine(3).await;
    for (mode, expected) in [
        ("gone", ("unreachable", "early eof")),
        ("garbage", ("nonsense", "it does not speak the protocol of this network")),
        ("magic", ("nonsense", "it does not speak the protocol of this network")),
        ("checksum", ("nonsense", "a message does not have its checksum")),
        ("huge", ("nonsense", "it says more than is read")),
        ("early", ("nonsense", "a message ends too early")),
        ("count", ("nonsense", "a message ends too early")),
        ("many", ("nonsense", "it gives more headers at a time than there may be")),
        ("badwork", ("nonsense", "it gives a header without its work")),
        ("unlinked", ("nonsense", "its headers do not follow one another")),
        ("elsewhere", ("nonsense", "its headers follow on none that it was asked about")),
    ] {
        chain.control(0, &format!("p2p/{mode}")).await;
        let error = place.follow(&source).await.unwrap_err();
        assert_eq!(told(&error), (expected.0, expected.1.to_owned()), "{mode}");
        assert_eq!(place.headers().await, before, "{mode}");
    }
    // It has work, but not the work that the chain takes: only the rules of the chain know.
    chain.control(0, "p2p/bits").await;
    let error = place.follow(&source).await.unwrap_err();
    let is_seen =
        matches!(&error, SyncError::Invalid { error, .. } if matches!(error.fault, HeaderFault::WrongTarget { .. }));
    assert!(is_seen, "{error:?}");
    assert_eq!(place.headers().await, before);

    chain.control(0, "p2p/none").await;
    assert_eq!(place.follow(&source).await.unwrap(), synced(12, 3, None));
}

#[tokio::test]
async fn peers_that_hang_are_given_up() {
    let Some(chain) = start().await else { return };
    let place = Place::new();
    let source = place.source(Network::Regtest, &[&chain.peer()]).with_timeout(SOON);
    for mode in ["silent", "mute", "chatty", "drip"] {
        chain.control(0, &format!("p2p/{mode}")).await;
        let start = Instant::now();
        let error = place.follow(&source).await.unwrap_err();
        assert_eq!(told(&error).0, "slow", "{mode}");
        assert!(start.elapsed() < PATIENT / 2, "{mode}");
    }
    let dead = format!("127.0.0.1:{}", free_port());
    let error = place.follow(&place.patient(&[&dead])).await.unwrap_err();
    assert_eq!(told(&error).0, "unreachable");
    let error = place.follow(&place.patient(&["169.254.169.254:80"])).await.unwrap_err();
    assert_eq!(told(&error), ("refused", "169.254.169.254:80 has a link-local address".to_owned()));
}

#[tokio::test]
async fn where_one_peer_fails_the_next_is_asked() {
    let (Some(chain), Some(liar)) = (start().await, start().await) else { return };
    liar.control(0, "p2p/badwork").await;
    let dead = format!("127.0.0.1:{}", free_port());
    let place = Place::new();
    for peers in [[&dead, &*liar.peer()], [&liar.peer(), &*dead]] {
        let error = place.follow(&place.patient(&peers)).await.unwrap_err();
        assert_eq!(told(&error).0, "nonsense", "a liar is told of rather than one who is away");
    }
    let source = place.patient(&[&dead, &liar.peer(), &chain.peer()]);
    assert_eq!(place.follow(&source).await.unwrap(), synced(9, 9, None));
    assert_eq!(place.headers().await, theirs(&chain).await);

    // One whose lie is only seen by the whole of the chain is not asked first again, either.
    liar.control(0, "p2p/bits").await;
    chain.mine(1).await;
    let source = place.patient(&[&liar.peer(), &chain.peer()]);
    let error = place.follow(&source).await.unwrap_err();
    assert_eq!(told(&error).0, "invalid");
    assert_eq!(place.follow(&source).await.unwrap(), synced(10, 1, None));

    // One that has nothing new is not asked first again, so it cannot hide what others have.
    chain.control(0, "p2p/behind").await;
    liar.control(0, "p2p/none").await;
    liar.mine(3).await;
    let start = Instant::now();
    while place.headers().await != theirs(&liar).await {
        place.follow(&source).await.unwrap();
        assert!(start.elapsed() < PATIENT, "the longer chain is never seen");
    }
}

#[tokio::test]
async fn a_peer_of_another_network_shows_nothing() {
    let Some(chain) = start().await else { return };
    for network in [Network::Mainnet, Network::Signet] {
        let place = Place::of(network);
        let source = place.source(network, &[&chain.peer()]).with_timeout(PATIENT);
        assert_eq!(told(&place.follow(&source).await.unwrap_err()).0, "unreachable", "it hangs up");
    }
}

#[tokio::test]
async fn whoever_stops_waiting_ends_the_visit() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = Place::new();
    let source = Arc::new(place.patient(&[&silent.local_addr().unwrap().to_string()]));
    let visitor = Arc::clone(&source);
    let visit = tokio::spawn(async move { visitor.tip().await });
    let (mut call, _) = silent.accept().await.unwrap();
    let mut greeting = [0; 24];
    call.read_exact(&mut greeting).await.unwrap();
    assert!(greeting[4..].starts_with(b"version\0"), "{greeting:?}");
    visit.abort();
    let mut rest = Vec::new();
    tokio::time::timeout(PATIENT, call.read_to_end(&mut rest)).await.unwrap().unwrap();
}
