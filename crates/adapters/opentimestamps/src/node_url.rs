//! The address of a Bitcoin node, and how to get in.

use artdag_http::HeaderValue;
use artdag_kernel::ServerUrl;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use std::fmt;
use std::str::FromStr;
use url::Url;

/// Where a Bitcoin node answers JSON-RPC: `http://user:password@host:port/`. What stands in a node's cookie file is
/// of the form `user:password` too. Neither is ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct NodeUrl {
    server: ServerUrl,
    authorization: Option<HeaderValue>,
}

/// The text is not the address of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an http or https URL, as in `http://user:password@127.0.0.1:8332/`")]
pub struct InvalidNodeUrl;

impl NodeUrl {
    /// The address without what lets in. Because it is mostly this machine's, it has to be in the
    /// [`GuardPolicy`](artdag_http::GuardPolicy) of the client.
    #[must_use]
    pub const fn server(&self) -> &ServerUrl {
        &self.server
    }

    /// The address, with stars in place of what lets in.
    #[must_use]
    pub fn masked(&self) -> String {
        let address = self.server.as_str();
        if self.authorization.is_some() { address.replacen("://", "://***@", 1) } else { address.to_owned() }
    }

    pub(crate) const fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }
}

impl FromStr for NodeUrl {
    type Err = InvalidNodeUrl;

    fn from_str(text: &str) -> Result<Self, InvalidNodeUrl> {
        let mut url = Url::parse(text).map_err(|_| InvalidNodeUrl)?;
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        let authorization = has_credentials.then(|| {
            let mut pair: Vec<u8> = percent_decode_str(url.username()).collect();
            pair.push(b':');
            pair.extend(percent_decode_str(url.password().unwrap_or_default()));
            let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair)))?;
            value.set_sensitive(true);
            Ok(value)
        });
        let authorization: Result<_, artdag_http::header::InvalidHeaderValue> = authorization.transpose();
        url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| InvalidNodeUrl)?;
        let server = url.as_str().parse().map_err(|_| InvalidNodeUrl)?;
        Ok(Self { server, authorization: authorization.map_err(|_| InvalidNodeUrl)? })
    }
}

impl fmt::Display for NodeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.server, f)
    }
}

impl fmt::Debug for NodeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.server, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authorization(text: &str) -> Option<String> {
        let url: NodeUrl = text.parse().unwrap();
        url.authorization().map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn what_lets_in_becomes_a_header() {
        assert_eq!(authorization("http://u:p@127.0.0.1:8332/"), Some("Basic dTpw".to_owned()));
        assert_eq!(authorization("http://__cookie__:ab12@[::1]:8332"), Some("Basic X19jb29raWVfXzphYjEy".to_owned()));
        assert_eq!(authorization("http://u:a%40%3Ab%25@node/"), Some(format!("Basic {}", STANDARD.encode("u:a@:b%"))));
        assert_eq!(authorization("http://u@node/"), Some(format!("Basic {}", STANDARD.encode("u:"))));
        assert_eq!(authorization("http://127.0.0.1:8332/"), None);
    }

    #[test]
    fn what_lets_in_is_never_shown() {
        let url: NodeUrl = "http://user:secret@127.0.0.1:8332/rpc".parse().unwrap();
        assert_eq!(url.to_string(), "http://127.0.0.1:8332/rpc");
        assert_eq!(format!("{url:?} {:?}", url.server()), "http://127.0.0.1:8332/rpc http://127.0.0.1:8332/rpc");
        assert!(url.authorization().unwrap().is_sensitive());
        assert_eq!(url.masked(), "http://***@127.0.0.1:8332/rpc");
        assert_eq!("http://127.0.0.1:8332/".parse::<NodeUrl>().unwrap().masked(), "http://127.0.0.1:8332");
    }

    #[test]
    fn only_urls_of_nodes_are_taken() {
        for text in ["", "127.0.0.1:8332", "ftp://u:p@host/", "http://", "http://u:p@host/?wallet", "file:///cookie"] {
            assert_eq!(text.parse::<NodeUrl>(), Err(InvalidNodeUrl), "{text}");
        }
    }
}
