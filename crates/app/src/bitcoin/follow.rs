//! Keeps the headers up to date, beside whatever else the process does.

use super::{Bitcoin, Feed};
use artdag_anchoring::bitcoin::Network;
use artdag_anchoring::{BlockHeaders, HeadersError};
use artdag_opentimestamps::{Attempt, Progress, SyncError, Synced};
use std::error::Error;
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// On regtest, in trials and tests, blocks are made at will.
const AT_WILL: Duration = Duration::from_secs(1);
/// A node of one's own is asked as often as one likes.
const OFTEN: Duration = Duration::from_secs(60);
/// There is a new block every ten minutes, and peers and explorers serve others too.
const SELDOM: Duration = Duration::from_secs(600);
/// Two weeks of blocks: more than that is not fetched from explorers unless a person says so.
const FAR: u32 = 2016;

/// Brings the headers up to date, now and again and again, until `stop` turns true. Without a source it ends at once.
pub async fn run_follower(bitcoin: Bitcoin, mut stop: watch::Receiver<bool>) {
    let Some(mut follower) = Follower::new(bitcoin) else { return };
    loop {
        // What was fetched is on disk, batch by batch: it may be stopped anywhere.
        tokio::select! {
            () = follower.round() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        tokio::select! {
            () = tokio::time::sleep(follower.pause()) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

struct Follower {
    bitcoin: Bitcoin,
    feed: Feed,
    source: Arc<dyn BlockHeaders>,
    /// Whom to ask while the better one fails.
    other: Option<(Feed, Arc<dyn BlockHeaders>)>,
    /// When the other one was asked last: it is not asked more often for being asked in place of the better one.
    asked_other: Option<Instant>,
    /// How many headers are many.
    far: u32,
    state: State,
}

/// How the last round ended, as far as the operator should hear of it: once, and not at each round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fine,
    /// Too many headers are missing for explorers.
    TooFar,
    /// Of faults of one kind only the first is told.
    Failing(Discriminant<SyncError>, Option<Discriminant<HeadersError>>),
}

impl Follower {
    fn new(bitcoin: Bitcoin) -> Option<Self> {
        let feed = bitcoin.best_feed()?;
        let source = Arc::clone(bitcoin.feed(feed)?);
        let next = bitcoin.feeds().nth(1);
        let other = next.and_then(|feed| Some((feed, Arc::clone(bitcoin.feed(feed)?))));
        Some(Self { bitcoin, feed, source, other, asked_other: None, far: FAR, state: State::Fine })
    }

    fn pause(&self) -> Duration {
        self.pause_of(self.feed)
    }

    const fn pause_of(&self, feed: Feed) -> Duration {
        match (self.bitcoin.network, feed) {
            (Network::Regtest, _) => AT_WILL,
            (_, Feed::Node) => OFTEN,
            (_, Feed::Peers | Feed::Explorers) => SELDOM,
        }
    }

    async fn round(&mut self) {
        let before = self.state;
        self.state = match self.follow(self.feed, &*self.source).await {
            Ok(state) => state,
            Err(error) => {
                let state = State::of(&error);
                if state != before {
                    let source = self.source.name();
                    let error = &error as &dyn Error;
                    tracing::warn!(%source, error, "the headers of blocks could not be brought up to date; trying again");
                }
                self.follow_other().await;
                state
            }
        };
        if self.state == State::Fine && before != State::Fine {
            tracing::info!("the headers of blocks are brought up to date again");
        }
    }

    /// Goes on with the other source, at its own pace. It is no matter for the operator, who has heard of the better one.
    async fn follow_other(&mut self) {
        let Some((feed, source)) = self.other.clone() else { return };
        if self.asked_other.is_some_and(|asked| asked.elapsed() < self.pause_of(feed)) {
            return;
        }
        self.asked_other = Some(Instant::now());
        if let Err(error) = self.follow(feed, &*source).await {
            let (source, error) = (source.name(), &error as &dyn Error);
            tracing::debug!(%source, error, "nor could they be by the other source");
        }
    }

    async fn follow(&self, feed: Feed, source: &dyn BlockHeaders) -> Result<State, SyncError> {
        let kept = &self.bitcoin.kept;
        if feed == Feed::Explorers {
            let (height, tip) = (kept.chain().await?.height(), source.tip().await?);
            if tip.saturating_sub(height) > self.far {
                if self.state != State::TooFar {
                    tracing::warn!(
                        height,
                        tip,
                        "too many headers of blocks are missing to fetch them from explorers by and by: \
                         use `artdag-l2 headers import FILE`, or `artdag-l2 headers sync` once"
                    );
                }
                return Ok(State::TooFar);
            }
        }
        let mut announced = false;
        let mut progress = |Progress { height, tip, .. }| {
            if !announced && tip.saturating_sub(height) > self.far {
                tracing::info!(height, tip, "fetching the headers of blocks; this takes some minutes");
                announced = true;
            }
        };
        match kept.sync(source, feed.batch(), &mut progress).await? {
            Attempt::Done(synced) => tell(synced),
            // The other process sees to it.
            Attempt::InUse => {}
        }
        Ok(State::Fine)
    }
}

impl State {
    fn of(error: &SyncError) -> Self {
        let cause = if let SyncError::Source(cause) = error { Some(discriminant(cause)) } else { None };
        Self::Failing(discriminant(error), cause)
    }
}

fn tell(synced: Synced) {
    let Synced { height, added, reorg, is_ahead: _ } = synced;
    if let Some(fork) = reorg {
        tracing::info!(height, fork, "blocks above this one were replaced by others");
    }
    if added > 0 {
        tracing::debug!(height, added, "there are new headers of blocks");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitcoin::sources;
    use crate::settings::Settings;
    use artdag_opentimestamps::{HeaderFile, KeptHeaders};
    use artdag_testing::{OtsCalendars, PATIENT};
    use tempfile::TempDir;

    struct Place {
        data: TempDir,
        bitcoin: Bitcoin,
    }

    fn place(pairs: &[(&str, &str)]) -> Place {
        let data = tempfile::tempdir().unwrap();
        let usual = [("BITCOIN_NETWORK", "regtest"), ("ALLOW_PRIVATE_NETWORKS", "127.0.0.0/8")];
        let environment = usual.iter().chain(pairs).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let mut settings = Settings::from(&environment, None, Some(data.path())).unwrap();
        settings.bitcoin.headers = data.path().join("headers");
        Place { bitcoin: sources(&settings).unwrap(), data }
    }

    impl Place {
        fn follower(&self) -> Follower {
            Follower::new(self.bitcoin.clone()).unwrap()
        }

        async fn height(&self) -> u32 {
            self.bitcoin.kept.chain().await.unwrap().height()
        }
    }

    #[tokio::test]
    async fn a_node_is_followed_through_its_troubles() {
        let Some(chain) = OtsCalendars::start(1, 1).await else { return };
        let place = place(&[("BITCOIN_RPC_URL", &chain.node_url()), ("ESPLORA_URLS", "https://a.example")]);
        let mut follower = place.follower();
        assert_eq!((follower.feed, follower.pause()), (Feed::Node, AT_WILL));
        follower.round().await;
        assert_eq!((follower.state, place.height().await), (State::Fine, 9));
        chain.reorganise(3).await;
        follower.round().await;
        assert_eq!((follower.state, place.height().await), (State::Fine, 10));

        chain.mine(25).await;
        follower.far = 20;
        let rules = place.bitcoin.rules.clone();
        let file = HeaderFile::open(place.data.path().join("headers"), rules).unwrap();
        follower.round().await;
        assert_eq!((follower.state, place.height().await), (State::Fine, 10), "whoever has it open sees to it");
        drop(file);
        follower.round().await;
        assert_eq!((follower.state, place.height().await), (State::Fine, 35), "of a node any number is fetched");
        drop(chain);
        follower.round().await;
        assert!(matches!(follower.state, State::Failing(..)), "{:?}", follower.state);
        assert_eq!(place.height().await, 35);
    }

    #[tokio::test]
    async fn explorers_stand_in_for_a_node_that_fails() {
        let Some(chain) = OtsCalendars::start(1, 1).await else { return };
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let dead = format!("http://u:p@{}", nobody.local_addr().unwrap());
        drop(nobody);
        let place = place(&[("BITCOIN_RPC_URL", &dead), ("ESPLORA_URLS", &chain.explorer_url())]);
        let mut follower = place.follower();
        follower.round().await;
        assert!(matches!(follower.state, State::Failing(..)), "{:?}", follower.state);
        assert_eq!(place.height().await, 9);
        // At their pace, and not at the node's.
        follower.bitcoin.network = Network::Mainnet;
        chain.mine(1).await;
        follower.round().await;
        assert_eq!(place.height().await, 9);
    }

    #[tokio::test]
    async fn explorers_are_not_asked_for_many_headers() {
        let Some(chain) = OtsCalendars::start(1, 1).await else { return };
        let place = place(&[("ESPLORA_URLS", &chain.explorer_url())]);
        let mut follower = place.follower();
        assert_eq!((follower.feed, follower.pause()), (Feed::Explorers, AT_WILL));
        follower.bitcoin.network = Network::Mainnet;
        assert_eq!(follower.pause(), SELDOM);
        follower.feed = Feed::Node;
        assert_eq!(follower.pause(), OFTEN);
        follower.feed = Feed::Explorers;
        follower.round().await;
        assert_eq!((follower.state, place.height().await), (State::Fine, 9));
        follower.far = 20;
        chain.mine(20).await;
        follower.round().await;
        assert_eq!((follower.state, place.height().await), (State::Fine, 29));
        chain.mine(21).await;
        for _ in 0..2 {
            follower.round().await;
            assert_eq!((follower.state, place.height().await), (State::TooFar, 29));
        }
        // Another process, which shares the file and has a node.
        let mut other = self::place(&[("BITCOIN_RPC_URL", &chain.node_url())]).bitcoin;
        other.kept = Arc::new(KeptHeaders::new(place.bitcoin.kept.path(), other.rules.clone()));
        Follower::new(other).unwrap().round().await;
        follower.round().await;
        assert_eq!((follower.state, place.height().await), (State::Fine, 50));
    }

    #[cfg(feature = "p2p-headers")]
    #[tokio::test]
    async fn p2p_peers_are_followed_through_their_troubles() {
        let Some(chain) = OtsCalendars::start_with_peer(1, 1).await else { return };
        let place = place(&[("BITCOIN_PEERS", &chain.peer()), ("ESPLORA_URLS", "https://a.example")]);
        let mut follower = place.follower();
        assert_eq!((follower.feed, follower.pause()), (Feed::Peers, AT_WILL));
        follower.bitcoin.network = Network::Mainnet;
        assert_eq!(follower.pause(), SELDOM);
        follower.far = 20;
        chain.mine(25).await;
        follower.round().await;
        assert_eq!((follower.state, place.height().await), (State::Fine, 34), "of peers any number is fetched");
        chain.reorganise(30).await;
        follower.round().await;
        assert_eq!((follower.state, place.height().await), (State::Fine, 35));
        for mode in ["badwork", "bits", "gone"] {
            chain.control(0, &format!("p2p/{mode}")).await;
            chain.mine(1).await;
            follower.round().await;
            assert!(matches!(follower.state, State::Failing(..)), "{mode}: {:?}", follower.state);
            assert_eq!(place.height().await, 35, "{mode}");
        }
        chain.control(0, "p2p/none").await;
        follower.round().await;
        assert_eq!((follower.state, place.height().await), (State::Fine, 38));
    }

    #[tokio::test]
    async fn it_ends_when_it_is_told_to_whatever_its_source_does() {
        // Takes calls and never answers.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let place = place(&[("BITCOIN_RPC_URL", &url)]);
        let (stop, stopped) = watch::channel(false);
        let running = tokio::spawn(run_follower(place.bitcoin.clone(), stopped));
        let _call = tokio::task::spawn_blocking(move || silent.accept()).await.unwrap().unwrap();
        stop.send_replace(true);
        // Less than a question may take.
        tokio::time::timeout(Duration::from_secs(8), running).await.unwrap().unwrap();

        let nobody = self::place(&[]);
        let (_stop, stopped) = watch::channel(false);
        tokio::time::timeout(PATIENT, run_follower(nobody.bitcoin.clone(), stopped)).await.unwrap();
    }
}
