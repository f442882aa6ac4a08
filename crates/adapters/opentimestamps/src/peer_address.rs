//! The peers of Bitcoin's own network that the operator names.

use std::fmt;
use std::str::FromStr;
use url::Host;

/// Where a Bitcoin node takes the calls of its network: `HOST:PORT`. Nothing is let in there, so nothing is hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerAddress {
    pub(crate) host: Host,
    pub(crate) port: u16,
}

/// The text is not the address of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a host and a port, as in `127.0.0.1:8333`")]
pub struct InvalidPeerAddress;

/// Whom to ask in Bitcoin's own network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peers {
    /// These and nobody else.
    Listed(Vec<PeerAddress>),
    /// Those that the network's seeds name in the DNS, which are strangers. Regtest has none.
    Seeds,
}

impl FromStr for PeerAddress {
    type Err = InvalidPeerAddress;

    fn from_str(text: &str) -> Result<Self, InvalidPeerAddress> {
        let (host, port) = text.rsplit_once(':').ok_or(InvalidPeerAddress)?;
        let host = Host::parse(host).map_err(|_| InvalidPeerAddress)?;
        match port.parse() {
            Ok(port @ 1..) => Ok(Self { host, port }),
            Ok(_) | Err(_) => Err(InvalidPeerAddress),
        }
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_a_port_are_an_address() {
        for (text, shown) in [
            ("127.0.0.1:8333", "127.0.0.1:8333"),
            ("[::1]:18444", "[::1]:18444"),
            ("Node.Example:8333", "node.example:8333"),
        ] {
            assert_eq!(text.parse::<PeerAddress>().unwrap().to_string(), shown);
        }
        for text in
            ["", "127.0.0.1", ":8333", "a:0", "a:65536", "a:-1", "::1:8333", "http://a:1", "u@a:1", "a/b:1", "a b:1"]
        {
            assert_eq!(text.parse::<PeerAddress>(), Err(InvalidPeerAddress), "{text}");
        }
    }
}
