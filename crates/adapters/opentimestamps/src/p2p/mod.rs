//! Headers from Bitcoin's own network.
//!
//! Nobody stays connected: a peer is visited when somebody wants to know the tip, says which headers follow on those that
//! are kept, and is left. So there is no task that could hang or die, whoever stops waiting ends the visit, and the next
//! visit may go to somebody else.

mod addresses;
mod connection;
mod shown;
mod wire;

use crate::failure::Failure;
use crate::kept_headers::KeptHeaders;
use crate::peer_address::Peers;
use addresses::addresses;
use artdag_anchoring::bitcoin::{BlockHash, BlockHeader, ChainRules, Network};
use artdag_anchoring::{Assurance, BlockHeaders, HeadersError};
use artdag_http::SystemResolver;
use artdag_kernel::Clock;
use async_trait::async_trait;
use connection::Connection;
use shown::{Locator, Shown, locator};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// How many headers are taken in one visit, at least. They are in memory until they are checked and stored.
const ENOUGH: usize = 20_000;
/// For so long what was shown is worth taking, if nobody has taken it yet.
const RECENT: Duration = Duration::from_secs(10);
/// A visit may take so many times what one answer may take; so may looking for somebody who can be visited.
const ANSWERS: u32 = 12;

/// Peers of Bitcoin's own network, asked for what follows on the headers that are kept. They are strangers, and believed
/// in nothing: what they show only counts once it is in the kept chain.
pub struct P2pHeaders {
    network: Network,
    peers: Peers,
    kept: Arc<KeptHeaders>,
    clock: Arc<dyn Clock>,
    resolver: SystemResolver,
    patience: Duration,
    /// For so long nobody is visited again after a peer has shown all that it has.
    fresh_for: Duration,
    /// Who is visited next. Somebody else's turn comes when one fails, has nothing new, or shows what is not kept.
    turn: AtomicUsize,
    // One visit at a time.
    shown: Mutex<Option<Shown>>,
}

impl P2pHeaders {
    /// Asks these peers what follows on what is kept. They are told the time, as the protocol has it.
    #[must_use]
    pub fn new(network: Network, peers: Peers, kept: Arc<KeptHeaders>, clock: Arc<dyn Clock>) -> Self {
        // On regtest blocks are made at will.
        let fresh_for = if network == Network::Regtest { Duration::ZERO } else { Duration::from_secs(10) };
        Self {
            network,
            peers,
            kept,
            clock,
            resolver: SystemResolver::default(),
            patience: Duration::from_secs(5),
            fresh_for,
            turn: AtomicUsize::new(0),
            shown: Mutex::new(None),
        }
    }

    /// How long an answer may take, if not 5 s. A visit may take as long as a dozen, and so may the search for a peer.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.patience = timeout;
        self
    }

    /// What was shown just now, or is shown when somebody is asked.
    async fn look<'a>(&self, shown: &'a mut Option<Shown>) -> Result<&'a mut Shown, HeadersError> {
        // Taken out, so that nothing is left of it if nobody answers.
        let now = match shown.take() {
            Some(last) if self.will_do(&last).await? => last,
            _ => self.ask().await?,
        };
        Ok(shown.insert(now))
    }

    /// Whether nobody need be asked again so soon.
    async fn will_do(&self, last: &Shown) -> Result<bool, HeadersError> {
        let age = last.at.elapsed();
        if last.is_all && age < self.fresh_for {
            return Ok(true);
        }
        if last.is_in(&*self.kept.chain().await?) {
            return Ok(false);
        }
        if last.was_taken {
            // It did not pass. Otherwise a liar could be asked first for ever.
            self.turn.store(last.turn.wrapping_add(1), Ordering::Relaxed);
        }
        Ok(!last.was_taken && age < RECENT)
    }

    /// Goes from one peer to the next until somebody answers.
    async fn ask(&self) -> Result<Shown, HeadersError> {
        let kept = self.kept.chain().await?;
        let (height, locator) = (kept.height(), locator(&kept));
        drop(kept);
        let found = addresses(&self.peers, self.network, &self.resolver, self.patience).await;
        let addresses = found.map_err(|failure| failure.of_source(self.name()))?;
        let (start, mut error) = (Instant::now(), HeadersError::Slow);
        for _ in &addresses {
            let turn = self.turn.load(Ordering::Relaxed);
            let address = addresses[turn % addresses.len()];
            let visited = self.visit(turn, address, &locator).await;
            if !visited.as_ref().is_ok_and(|shown| shown.tip() > height) {
                self.turn.store(turn.wrapping_add(1), Ordering::Relaxed);
            }
            match visited {
                Ok(shown) => return Ok(shown),
                Err(failure) => {
                    let failure = failure.of_source(format!("the Bitcoin peer {address}"));
                    tracing::debug!(%address, error = &failure as &dyn Error, "a Bitcoin peer shows no headers");
                    // That somebody lies is more worth telling than that somebody is away.
                    if !matches!(error, HeadersError::Nonsense { .. }) {
                        error = failure;
                    }
                }
            }
            if start.elapsed() > self.patience * ANSWERS {
                break;
            }
        }
        Err(error)
    }

    /// What a peer shows before it is done, fails or takes too long.
    async fn visit(&self, turn: usize, address: SocketAddr, locator: &Locator) -> Result<Shown, Failure> {
        let mut shown =
            Shown { at: Instant::now(), turn, fork: 0, headers: Vec::new(), is_all: false, was_taken: false };
        let visited = timeout(self.patience * ANSWERS, self.fetch(address, locator, &mut shown)).await;
        match visited {
            Ok(Err(failure)) if shown.headers.is_empty() => Err(failure),
            Err(_) if shown.headers.is_empty() => Err(Failure::Slow),
            // The next visit goes on from what was good, and may go elsewhere.
            Ok(_) | Err(_) => Ok(shown),
        }
    }

    async fn fetch(&self, address: SocketAddr, locator: &Locator, shown: &mut Shown) -> Result<(), Failure> {
        let rules = ChainRules::of(self.network);
        let seconds = self.clock.now().timestamp();
        let mut peer = Connection::open(address, self.network, seconds, self.patience).await?;
        let mut known: Vec<BlockHash> = locator.iter().map(|(_, hash)| *hash).collect();
        // If it sends nothing, it has no more than what is kept, though it may have less.
        shown.fork = locator.first().map_or(0, |(height, _)| *height).min(peer.height);
        while shown.headers.len() < ENOUGH {
            let headers = peer.headers_after(&known).await?;
            let is_full = headers.len() == wire::FULL;
            let Some(first) = headers.first() else {
                shown.is_all = true;
                break;
            };
            if shown.headers.is_empty() {
                let fork = locator.iter().find(|(_, hash)| *hash == first.previous());
                let unasked = || Failure::Nonsense("its headers follow on none that it was asked about".to_owned());
                shown.fork = fork.ok_or_else(unasked)?.0;
            }
            check(shown.headers.last(), &headers, &rules).map_err(|why| Failure::Nonsense(why.to_owned()))?;
            shown.headers.extend(headers);
            if !is_full {
                shown.is_all = true;
                break;
            }
            known.splice(..1, shown.headers.last().map(BlockHeader::hash));
        }
        Ok(())
    }
}

/// What costs nothing to see. The rules that take the whole chain come when it is stored.
fn check(last: Option<&BlockHeader>, headers: &[BlockHeader], rules: &ChainRules) -> Result<(), &'static str> {
    let mut previous = last.map(BlockHeader::hash);
    for header in headers {
        if previous.is_some_and(|previous| header.previous() != previous) {
            return Err("its headers do not follow one another");
        }
        if !rules.admit(header) {
            return Err("it gives a header without its work");
        }
        previous = Some(header.hash());
    }
    Ok(())
}

#[async_trait]
impl BlockHeaders for P2pHeaders {
    fn assurance(&self) -> Assurance {
        Assurance::SuppliedHeader
    }

    fn name(&self) -> String {
        match &self.peers {
            Peers::Listed(peers) => {
                let names: Vec<String> = peers.iter().map(|peer| format!("the Bitcoin peer {peer}")).collect();
                names.join(", ")
            }
            Peers::Seeds => "the peers of Bitcoin's network".to_owned(),
        }
    }

    async fn tip(&self) -> Result<u32, HeadersError> {
        Ok(self.look(&mut *self.shown.lock().await).await?.tip())
    }

    /// Of the chain whose tip was asked for last.
    async fn header(&self, height: u32) -> Result<Option<BlockHeader>, HeadersError> {
        let mut shown = self.shown.lock().await;
        let shown = match &mut *shown {
            Some(shown) => shown,
            none @ None => self.look(none).await?,
        };
        Ok(shown.part(&self.kept, height, 1).await?.first().copied())
    }

    /// Of the same.
    async fn headers(&self, from: u32, count: u32) -> Result<Vec<BlockHeader>, HeadersError> {
        let mut shown = self.shown.lock().await;
        let shown = match &mut *shown {
            Some(shown) => shown,
            none @ None => self.look(none).await?,
        };
        shown.was_taken = true;
        shown.part(&self.kept, from, count).await
    }
}
