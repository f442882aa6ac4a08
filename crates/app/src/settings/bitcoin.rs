//! Which Bitcoin it is, and where its headers come from.

use super::raw::{InvalidSetting, Raw, joined};
use artdag_anchoring::bitcoin::{Network, UnknownNetwork};
use artdag_kernel::ServerUrl;
use artdag_opentimestamps::{NodeUrl, Peers};
use ipnet::IpNet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use url::{Host, Url};

/// The word for the peers that a network's seeds name.
const SEEDS: &str = "seeds";

/// What the operator says of Bitcoin.
#[derive(Debug)]
pub struct BitcoinSettings {
    /// The network that proofs are about.
    pub network: Network,
    /// The operator's own node.
    pub rpc_url: Option<NodeUrl>,
    /// Peers of Bitcoin's own network.
    pub peers: Option<Peers>,
    /// Explorers on the web.
    pub esplora_urls: Vec<ServerUrl>,
    /// The file that the headers are kept in.
    pub headers: PathBuf,
}

impl BitcoinSettings {
    pub(super) fn from(raw: &Raw, data: &Path, private_networks: &[IpNet]) -> Result<Self, InvalidSetting> {
        let network = raw.parse_or("BITCOIN_NETWORK", Network::Mainnet, |text| {
            text.parse().map_err(|error: UnknownNetwork| format!("`{text}` {error}"))
        })?;
        let esplora_urls: Vec<ServerUrl> = raw.list("ESPLORA_URLS")?;
        if let Some(url) = esplora_urls.iter().find(|url| !may_be_asked(url, private_networks)) {
            let message = format!("`{url}` must be https, or its host in ALLOW_PRIVATE_NETWORKS");
            return Err(InvalidSetting::new("ESPLORA_URLS", message));
        }
        let headers = match network {
            Network::Mainnet => "headers",
            Network::Signet => "headers-signet",
            Network::Regtest => "headers-regtest",
        };
        Ok(Self {
            network,
            // The text is not shown: it may hold a password.
            rpc_url: raw.parse_or("BITCOIN_RPC_URL", None, |text| text.parse::<NodeUrl>().map(Some))?,
            peers: peers(raw, network)?,
            esplora_urls,
            headers: raw.get("BITCOIN_HEADERS").map_or_else(|| data.join(headers), PathBuf::from),
        })
    }

    pub(super) fn shown(&self) -> [(&'static str, String); 5] {
        [
            ("BITCOIN_NETWORK", self.network.to_string()),
            ("BITCOIN_RPC_URL", self.rpc_url.as_ref().map(NodeUrl::masked).unwrap_or_default()),
            ("BITCOIN_PEERS", self.peers.as_ref().map(shown_peers).unwrap_or_default()),
            ("ESPLORA_URLS", joined(&self.esplora_urls)),
            ("BITCOIN_HEADERS", self.headers.display().to_string()),
        ]
    }
}

/// Their list, or the word for those whom nobody listed.
fn peers(raw: &Raw, network: Network) -> Result<Option<Peers>, InvalidSetting> {
    const NAME: &str = "BITCOIN_PEERS";
    let Some(text) = raw.get(NAME) else { return Ok(None) };
    if cfg!(not(feature = "p2p-headers")) {
        let message = "this program was built without the feature `p2p-headers`, which it takes to ask peers";
        return Err(InvalidSetting::new(NAME, message));
    }
    match text.trim() {
        SEEDS if network == Network::Regtest => Err(InvalidSetting::new(NAME, "regtest has no seeds: list the peers")),
        SEEDS => Ok(Some(Peers::Seeds)),
        _ => Ok(Some(raw.list(NAME)?).filter(|listed| !listed.is_empty()).map(Peers::Listed)),
    }
}

fn shown_peers(peers: &Peers) -> String {
    match peers {
        Peers::Listed(listed) => joined(listed),
        Peers::Seeds => SEEDS.to_owned(),
    }
}

/// Whether the guard will not refuse it whatever the address of its host: plain http is for networks that were opened.
fn may_be_asked(server: &ServerUrl, private_networks: &[IpNet]) -> bool {
    let Ok(url) = Url::parse(server.as_str()) else { return false };
    let is_open = |address: IpAddr| private_networks.iter().any(|network| network.contains(&address));
    url.scheme() == "https"
        || match url.host() {
            Some(Host::Ipv4(address)) => is_open(address.into()),
            Some(Host::Ipv6(address)) => is_open(address.into()),
            // What its address is, the guard sees when it is called.
            Some(Host::Domain(_)) => !private_networks.is_empty(),
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn bitcoin(pairs: &[(&str, &str)]) -> Result<BitcoinSettings, String> {
        let environment = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let settings = Settings::from(&environment, None, Some(Path::new("/home/giles")));
        settings.map(|settings| settings.bitcoin).map_err(|error| error.to_string())
    }

    #[test]
    fn each_network_has_its_own_file() {
        let headers = |pairs: &[(&str, &str)]| bitcoin(pairs).unwrap().headers;
        assert_eq!(headers(&[]), Path::new("/home/giles/.artdag/l2/headers"));
        assert_eq!(headers(&[("BITCOIN_NETWORK", "mainnet"), ("ARTDAG_DATA", "/d")]), Path::new("/d/headers"));
        for network in ["signet", "regtest"] {
            let file = headers(&[("BITCOIN_NETWORK", network), ("ARTDAG_DATA", "/d")]);
            assert_eq!(file, Path::new("/d").join(format!("headers-{network}")));
        }
        assert_eq!(headers(&[("BITCOIN_HEADERS", "/var/h"), ("BITCOIN_NETWORK", "signet")]), Path::new("/var/h"));
    }

    #[test]
    fn what_lets_into_the_node_is_not_shown() {
        let settings = bitcoin(&[("BITCOIN_RPC_URL", "http://u:hunter2@127.0.0.1:8332/")]).unwrap();
        assert_eq!(settings.shown()[1].1, "http://***@127.0.0.1:8332");
        assert!(!format!("{settings:?}").contains("hunter2"));
        let error = bitcoin(&[("BITCOIN_RPC_URL", "ftp://u:hunter2@127.0.0.1:8332/")]).unwrap_err();
        assert!(error.starts_with("BITCOIN_RPC_URL: must be an http or https URL") && !error.contains("hunter2"));
    }

    #[test]
    fn explorers_speak_https_unless_their_network_is_opened() {
        let allowed = |urls: &str, networks: &str| {
            bitcoin(&[("ESPLORA_URLS", urls), ("ALLOW_PRIVATE_NETWORKS", networks)])
                .map(|bitcoin| bitcoin.shown()[3].1.clone())
        };
        let two = "https://blockstream.info/api, https://mempool.space/api/";
        assert_eq!(allowed(two, "").unwrap(), "https://blockstream.info/api,https://mempool.space/api");
        for (url, networks) in [
            ("http://127.0.0.1:3000/api", "127.0.0.0/8"),
            ("http://[fd00::1]", "fd00::/8"),
            ("http://electrs:3000", "10.0.0.0/8"),
        ] {
            assert_eq!(allowed(url, networks).unwrap(), url);
        }
        for (url, networks) in [
            ("http://blockstream.info/api", ""),
            ("http://127.0.0.1:3000", ""),
            ("http://127.0.0.1:3000", "10.0.0.0/8"),
        ] {
            let error = allowed(&format!("https://a.example,{url}"), networks).unwrap_err();
            assert_eq!(error, format!("ESPLORA_URLS: `{url}` must be https, or its host in ALLOW_PRIVATE_NETWORKS"));
        }
    }

    #[cfg(feature = "p2p-headers")]
    #[test]
    fn p2p_peers_are_listed_or_left_to_the_seeds() {
        let shown = |pairs: &[(&str, &str)]| bitcoin(pairs).map(|bitcoin| bitcoin.shown()[2].1.clone());
        assert_eq!(shown(&[]).unwrap(), "");
        assert_eq!(shown(&[("BITCOIN_PEERS", " seeds ")]).unwrap(), "seeds");
        let listed = "127.0.0.1:8333, [::1]:8333,node.example:8333, 127.0.0.1:8333,";
        assert_eq!(shown(&[("BITCOIN_PEERS", listed)]).unwrap(), "127.0.0.1:8333,[::1]:8333,node.example:8333");
        let error = shown(&[("BITCOIN_PEERS", "node.example")]).unwrap_err();
        assert_eq!(error, "BITCOIN_PEERS: `node.example` must be a host and a port, as in `127.0.0.1:8333`");
        let error = shown(&[("BITCOIN_PEERS", "seeds"), ("BITCOIN_NETWORK", "regtest")]).unwrap_err();
        assert_eq!(error, "BITCOIN_PEERS: regtest has no seeds: list the peers");
    }

    #[cfg(not(feature = "p2p-headers"))]
    #[test]
    fn peers_take_a_program_that_can_ask_them() {
        let error = bitcoin(&[("BITCOIN_PEERS", "seeds")]).unwrap_err();
        let expected =
            "BITCOIN_PEERS: this program was built without the feature `p2p-headers`, which it takes to ask peers";
        assert_eq!(error, expected);
        assert_eq!(bitcoin(&[]).unwrap().peers, None);
    }
}
