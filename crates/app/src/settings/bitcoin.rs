//! Which Bitcoin it is, and where its headers come from.

use super::raw::{InvalidSetting, Raw, joined};
use artdag_anchoring::bitcoin::{Network, UnknownNetwork};
use artdag_kernel::ServerUrl;
use artdag_opentimestamps::NodeUrl;
use ipnet::IpNet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use url::{Host, Url};

/// What the operator says of Bitcoin.
#[derive(Debug)]
pub struct BitcoinSettings {
    /// The network that proofs are about.
    pub network: Network,
    /// The operator's own node.
    pub rpc_url: Option<NodeUrl>,
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
            esplora_urls,
            headers: raw.get("BITCOIN_HEADERS").map_or_else(|| data.join(headers), PathBuf::from),
        })
    }

    pub(super) fn shown(&self) -> [(&'static str, String); 4] {
        [
            ("BITCOIN_NETWORK", self.network.to_string()),
            ("BITCOIN_RPC_URL", self.rpc_url.as_ref().map(NodeUrl::masked).unwrap_or_default()),
            ("ESPLORA_URLS", joined(&self.esplora_urls)),
            ("BITCOIN_HEADERS", self.headers.display().to_string()),
        ]
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
                .map(|bitcoin| bitcoin.shown()[2].1.clone())
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
}
