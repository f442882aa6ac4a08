//! From what the operator says to addresses that may be called.

use crate::failure::Failure;
use crate::peer_address::{PeerAddress, Peers};
use artdag_anchoring::bitcoin::Network;
use artdag_http::{AddressKind, Resolve};
use futures_util::future::join_all;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::time::timeout;
use url::Host;

/// Names under which people of the network list peers that answer, and the port of these.
const fn seeds(network: Network) -> (&'static [&'static str], u16) {
    const MAINNET: &[&str] = &[
        "seed.bitcoin.sipa.be",
        "dnsseed.bluematt.me",
        "seed.bitcoin.jonasschnelli.ch",
        "seed.btc.petertodd.net",
        "seed.bitcoin.sprovoost.nl",
        "dnsseed.emzy.de",
        "seed.bitcoin.wiz.biz",
        "seed.mainnet.achownodes.xyz",
    ];
    const SIGNET: &[&str] = &["seed.signet.bitcoin.sprovoost.nl", "seed.signet.achownodes.xyz"];
    match network {
        Network::Mainnet => (MAINNET, 8333),
        Network::Signet => (SIGNET, 38333),
        Network::Regtest => (&[], 18444),
    }
}

/// The addresses of the peers, in an order of no meaning. There is at least one.
pub(super) async fn addresses(
    peers: &Peers,
    network: Network,
    resolver: &dyn Resolve,
    patience: Duration,
) -> Result<Vec<SocketAddr>, Failure> {
    // Whom the operator names may live in the operator's network; whom a seed names may not.
    let (names, may_be_private) = match peers {
        Peers::Listed(listed) => (listed.clone(), true),
        Peers::Seeds => (of_seeds(network), false),
    };
    let found = join_all(names.iter().map(|name| lookup(name, resolver, patience))).await;
    let mut failure = Failure::Unreachable("there are no such peers".into());
    let mut lists = Vec::new();
    for (found, name) in found.into_iter().zip(&names) {
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                failure = error;
                continue;
            }
        };
        let mut list = Vec::new();
        for address in found {
            match AddressKind::of(address).filter(|kind| !(may_be_private && kind.is_private_network())) {
                Some(kind) => failure = Failure::Refused(format!("{name} has {kind}").into()),
                None => list.push(SocketAddr::new(address, name.port)),
            }
        }
        // Most machines reach IPv4.
        list.sort_by_key(SocketAddr::is_ipv6);
        lists.push(list);
    }
    let addresses = in_turns(&lists);
    if addresses.is_empty() { Err(failure) } else { Ok(addresses) }
}

fn of_seeds(network: Network) -> Vec<PeerAddress> {
    let (names, port) = seeds(network);
    names.iter().map(|name| PeerAddress { host: Host::Domain((*name).to_owned()), port }).collect()
}

async fn lookup(peer: &PeerAddress, resolver: &dyn Resolve, patience: Duration) -> Result<Vec<IpAddr>, Failure> {
    match &peer.host {
        Host::Ipv4(address) => Ok(vec![(*address).into()]),
        Host::Ipv6(address) => Ok(vec![(*address).into()]),
        Host::Domain(name) => Ok(timeout(patience, resolver.resolve(name)).await.map_err(|_| Failure::Slow)??),
    }
}

/// The first of each, then the second of each: no list fills the beginning alone.
fn in_turns(lists: &[Vec<SocketAddr>]) -> Vec<SocketAddr> {
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let mut addresses = Vec::new();
    for address in (0..longest).flat_map(|at| lists.iter().filter_map(move |list| list.get(at))) {
        if !addresses.contains(address) {
            addresses.push(*address);
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use std::io;

    struct Names(&'static [(&'static str, &'static [&'static str])]);

    #[async_trait]
    impl Resolve for Names {
        async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
            let known = self.0.iter().find(|(name, _)| *name == host);
            let (_, addresses) = known.ok_or_else(|| io::Error::other(format!("no {host}")))?;
            Ok(addresses.iter().map(|address| address.parse().unwrap()).collect())
        }
    }

    async fn found(peers: &Peers, network: Network, names: &Names) -> Result<Vec<String>, String> {
        match addresses(peers, network, names, Duration::from_secs(5)).await {
            Ok(addresses) => Ok(addresses.iter().map(ToString::to_string).collect()),
            Err(Failure::Refused(cause) | Failure::Unreachable(cause)) => Err(cause.to_string()),
            Err(failure) => panic!("{failure:?}"),
        }
    }

    #[tokio::test]
    async fn seeds_name_public_hosts_only_and_each_has_its_turn() {
        let names = Names(&[
            ("dnsseed.bluematt.me", &["2001:4860::1", "8.8.8.1", "10.0.0.1", "8.8.8.2", "127.0.0.1"]),
            ("dnsseed.emzy.de", &["9.9.9.1", "8.8.8.2", "::ffff:192.168.0.1", "169.254.169.254"]),
        ]);
        let expected = ["8.8.8.1:8333", "9.9.9.1:8333", "8.8.8.2:8333", "[2001:4860::1]:8333"];
        assert_eq!(found(&Peers::Seeds, Network::Mainnet, &names).await.unwrap(), expected);
        let private = Names(&[("seed.signet.achownodes.xyz", &["10.0.0.1"])]);
        let error = found(&Peers::Seeds, Network::Signet, &private).await.unwrap_err();
        assert_eq!(error, "seed.signet.achownodes.xyz:38333 has a private address");
        assert!(found(&Peers::Seeds, Network::Regtest, &names).await.is_err());
    }

    #[tokio::test]
    async fn listed_peers_may_be_private_but_no_metadata_service() {
        let names = Names(&[("node.example", &["10.0.0.1", "169.254.169.254"])]);
        let listed = |texts: &[&str]| Peers::Listed(texts.iter().map(|text| text.parse().unwrap()).collect());
        let peers = listed(&["127.0.0.1:18444", "[::1]:18444", "node.example:1", "gone.example:2"]);
        let addresses = found(&peers, Network::Regtest, &names).await.unwrap();
        assert_eq!(addresses, ["127.0.0.1:18444", "[::1]:18444", "10.0.0.1:1"]);
        let error = found(&listed(&["169.254.169.254:80"]), Network::Mainnet, &names).await.unwrap_err();
        assert_eq!(error, "169.254.169.254:80 has a link-local address");
        let error = found(&listed(&["gone.example:2"]), Network::Mainnet, &names).await.unwrap_err();
        assert_eq!(error, "no gone.example");
    }
}
