//! Which Bitcoin this server believes in, and who shows it.

mod follow;

pub use follow::run_follower;

use crate::settings::Settings;
use crate::wiring::StartError;
use artdag_anchoring::BlockHeaders;
use artdag_anchoring::bitcoin::{ChainRules, Network};
use artdag_http::{GuardPolicy, GuardedClient};
use artdag_kernel::ServerUrl;
use artdag_opentimestamps::{BATCH, BitcoinCoreRpc, CachedHeaders, Esplora, Explorers, KeptHeaders, Peers};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

/// Bitcoin as it is seen from here. Clones are the same.
#[derive(Clone)]
pub struct Bitcoin {
    /// The network that proofs are about.
    pub network: Network,
    /// What holds for its headers.
    pub rules: ChainRules,
    /// The headers that were checked here.
    pub kept: Arc<KeptHeaders>,
    /// The operator's own node.
    pub node: Option<Arc<dyn BlockHeaders>>,
    /// Peers of Bitcoin's own network, who are believed in nothing: their headers are checked and kept, or count for
    /// nothing.
    pub peers: Option<Arc<dyn BlockHeaders>>,
    /// All of the operator's explorers, of which more than half must agree.
    pub explorers: Option<Arc<dyn BlockHeaders>>,
    /// Whom to ask about a block, the best first: what was checked here, then the node, then the explorers.
    pub sources: Vec<Arc<dyn BlockHeaders>>,
}

/// Whom new headers are fetched from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// The operator's own node, which answers some thousand questions a second.
    Node,
    /// Peers of Bitcoin's own network, which give two thousand headers at a time to anybody.
    Peers,
    /// Explorers, which are other people's, and are asked twice for each header.
    Explorers,
}

impl Feed {
    /// How many headers are fetched before they are checked and written.
    pub(crate) const fn batch(self) -> NonZeroU32 {
        const FROM_EXPLORERS: NonZeroU32 = NonZeroU32::new(100).unwrap();
        match self {
            Self::Node | Self::Peers => BATCH,
            Self::Explorers => FROM_EXPLORERS,
        }
    }
}

impl Bitcoin {
    /// The source, if the settings name it.
    pub(crate) fn feed(&self, feed: Feed) -> Option<&Arc<dyn BlockHeaders>> {
        match feed {
            Feed::Node => self.node.as_ref(),
            Feed::Peers => self.peers.as_ref(),
            Feed::Explorers => self.explorers.as_ref(),
        }
    }

    /// Those that there are, the best first.
    pub(crate) fn feeds(&self) -> impl Iterator<Item = Feed> {
        [Feed::Node, Feed::Peers, Feed::Explorers].into_iter().filter(|feed| self.feed(*feed).is_some())
    }

    /// The best of them.
    pub(crate) fn best_feed(&self) -> Option<Feed> {
        self.feeds().next()
    }
}

/// Makes the sources of headers that the settings name. Nobody is called yet, and no file is read.
///
/// # Errors
/// [`StartError`] when no client can be made.
pub fn sources(settings: &Settings) -> Result<Bitcoin, StartError> {
    let network = settings.bitcoin.network;
    let rules = ChainRules::of(network);
    let kept = Arc::new(KeptHeaders::new(&settings.bitcoin.headers, rules.clone()));
    let node = node(settings)?.map(|node| -> Arc<dyn BlockHeaders> { Arc::new(node) });
    let peers = settings.bitcoin.peers.clone().and_then(|peers| self::peers(network, peers, &kept));
    let explorers = compared(explorers(settings)?)?;
    // What follows the chain asks them itself; whoever looks at proofs is not to wear them out.
    let fresh_for = if network == Network::Regtest { Duration::ZERO } else { Duration::from_secs(10) };
    let others = [node.clone(), explorers.clone()].into_iter().flatten();
    let cached = others.map(|source| -> Arc<dyn BlockHeaders> { Arc::new(CachedHeaders::new(source, fresh_for)) });
    let first: Arc<dyn BlockHeaders> = kept.clone();
    let sources = std::iter::once(first).chain(cached).collect();
    Ok(Bitcoin { network, rules, kept, node, peers, explorers, sources })
}

/// Every source that the settings name by itself, to see which of them answer.
///
/// # Errors
/// [`StartError`] when no client can be made.
pub(crate) fn each_source(settings: &Settings, bitcoin: &Bitcoin) -> Result<Vec<Arc<dyn BlockHeaders>>, StartError> {
    let node = node(settings)?.into_iter().map(|node| -> Arc<dyn BlockHeaders> { Arc::new(node) });
    let explorers = explorers(settings)?.into_iter().map(|one| -> Arc<dyn BlockHeaders> { Arc::new(one) });
    let peers: Vec<Peers> = match settings.bitcoin.peers.clone() {
        Some(Peers::Listed(peers)) => peers.into_iter().map(|peer| Peers::Listed(vec![peer])).collect(),
        Some(Peers::Seeds) => vec![Peers::Seeds],
        None => Vec::new(),
    };
    let peers = peers.into_iter().filter_map(|peers| self::peers(bitcoin.network, peers, &bitcoin.kept));
    Ok(node.chain(peers).chain(explorers).collect())
}

/// The node may live in a private network, and speak plain http.
fn node(settings: &Settings) -> Result<Option<BitcoinCoreRpc>, StartError> {
    let Some(url) = &settings.bitcoin.rpc_url else { return Ok(None) };
    let client = client(settings, [url.server()])?;
    Ok(Some(BitcoinCoreRpc::new(client, url.clone())))
}

#[cfg(feature = "p2p-headers")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature there is none")]
fn peers(network: Network, peers: Peers, kept: &Arc<KeptHeaders>) -> Option<Arc<dyn BlockHeaders>> {
    let clock = Arc::new(crate::system::SystemClock);
    Some(Arc::new(artdag_opentimestamps::P2pHeaders::new(network, peers, Arc::clone(kept), clock)))
}

/// The settings see to it that nobody asks for them.
#[cfg(not(feature = "p2p-headers"))]
fn peers(_: Network, _: Peers, _: &Arc<KeptHeaders>) -> Option<Arc<dyn BlockHeaders>> {
    None
}

/// Explorers are guarded like any other server.
fn explorers(settings: &Settings) -> Result<Vec<Esplora>, StartError> {
    let client = client(settings, [])?;
    let urls = settings.bitcoin.esplora_urls.iter();
    Ok(urls.map(|url| Esplora::new(client.clone(), url.clone())).collect())
}

fn compared(explorers: Vec<Esplora>) -> Result<Option<Arc<dyn BlockHeaders>>, StartError> {
    if explorers.is_empty() {
        return Ok(None);
    }
    let majority = explorers.len() / 2 + 1;
    let explorers = explorers.into_iter().map(|explorer| -> Box<dyn BlockHeaders> { Box::new(explorer) });
    Ok(Some(Arc::new(Explorers::new(explorers.collect(), majority)?)))
}

fn client<'a>(
    settings: &Settings,
    operators: impl IntoIterator<Item = &'a ServerUrl>,
) -> Result<GuardedClient, StartError> {
    let policy = GuardPolicy::new(settings.private_networks.clone(), operators);
    let public_url: ServerUrl = settings.site.base().parse()?;
    Ok(GuardedClient::builder(&public_url, policy).build()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn names(pairs: &[(&str, &str)]) -> Vec<String> {
        let environment = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let settings = Settings::from(&environment, None, Some(Path::new("/home/giles"))).unwrap();
        let bitcoin = sources(&settings).unwrap();
        bitcoin.sources.iter().map(|source| format!("{}: {}", source.assurance(), source.name())).collect()
    }

    #[test]
    fn what_was_checked_here_goes_before_what_others_say() {
        let kept = "pow-chain: a chain of headers that was checked here";
        assert_eq!(names(&[]), [kept]);
        let urls = "https://a.example/api,https://b.example/api,https://c.example";
        let named = names(&[("BITCOIN_RPC_URL", "http://u:hunter2@127.0.0.1:8332"), ("ESPLORA_URLS", urls)]);
        let explorers = "the explorer https://a.example/api, the explorer https://b.example/api, \
                         the explorer https://c.example";
        let expected =
            [kept, "node: the node http://127.0.0.1:8332", &format!("explorers 2/3: {explorers}")].map(str::to_owned);
        assert_eq!(named, expected);
        assert!(names(&[("ESPLORA_URLS", "https://a.example")])[1].starts_with("explorers 1/1: "));
    }

    #[cfg(feature = "p2p-headers")]
    #[test]
    fn p2p_peers_are_asked_for_headers_and_never_about_a_block() {
        let kept = "pow-chain: a chain of headers that was checked here";
        assert_eq!(names(&[("BITCOIN_PEERS", "seeds")]), [kept]);
        let feed = |pairs: &[(&str, &str)]| {
            let environment = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            sources(&Settings::from(&environment, None, Some(Path::new("/home/giles"))).unwrap()).unwrap().best_feed()
        };
        let (node, explorer) = (("BITCOIN_RPC_URL", "http://127.0.0.1:8332"), ("ESPLORA_URLS", "https://a.example"));
        let peers = ("BITCOIN_PEERS", "127.0.0.1:8333");
        assert_eq!(feed(&[explorer, peers]), Some(Feed::Peers));
        assert_eq!(feed(&[explorer, peers, node]), Some(Feed::Node));
    }
}
