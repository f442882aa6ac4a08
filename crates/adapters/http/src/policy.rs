//! Whom this server may call.

use crate::address::{AddressKind, kind_of, unwrapped};
use artdag_kernel::ServerUrl;
use http::Uri;
use ipnet::IpNet;
use std::collections::HashSet;
use std::net::IpAddr;
use url::Url;

/// What the operator has opened beyond `https` to public hosts on port 443. The default opens nothing.
#[derive(Clone, Debug, Default)]
pub struct GuardPolicy {
    allowed_networks: Vec<IpNet>,
    operator_origins: HashSet<Origin>,
}

/// Why the guard let a call not happen. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Neither `https` nor `http`.
    #[error("its URL is neither https nor http")]
    Scheme,
    /// `http`, to a server for which only `https` will do.
    #[error("its URL must be https")]
    PlainHttp,
    /// `user:password@` in the URL.
    #[error("its URL holds credentials")]
    Credentials,
    /// No host, or one that cannot be the name of a server.
    #[error("its URL names no proper host")]
    Host,
    /// A port that the operator has not named.
    #[error("its URL names another port than 443")]
    Port,
    /// The URL cannot be written into a request.
    #[error("its URL cannot be requested")]
    Unwritable,
    /// The caller's own rules.
    #[error("the caller does not let it be called")]
    Barred,
    /// Every address of the host is one that is not called.
    #[error("its host has {0}")]
    Address(AddressKind),
}

impl GuardPolicy {
    /// Opens `allowed_networks` (every scheme and port there), and the servers that the operator's settings name:
    /// under that scheme, host and port they may live in a private network and speak plain `http`.
    pub fn new<'a>(allowed_networks: Vec<IpNet>, operator_origins: impl IntoIterator<Item = &'a ServerUrl>) -> Self {
        let origins = operator_origins.into_iter();
        let origins = origins.filter_map(|url| Url::parse(url.as_str()).ok());
        Self {
            allowed_networks,
            operator_origins: origins.filter_map(|url| Target::of(&url).ok()).map(|t| t.origin).collect(),
        }
    }

    /// Whether the operator has opened any network, or the one that this host lies in: what has no name to look up.
    pub(crate) fn opens(&self, host: Option<IpAddr>) -> bool {
        self.allowed_networks.iter().any(|net| host.is_none_or(|address| net.contains(&address)))
    }

    /// What can be said of a URL before its host is looked up.
    pub(crate) fn check_url(&self, url: &Url) -> Result<Target, Refusal> {
        let target = Target::of(url)?;
        let origin = &target.origin;
        if self.allowed_networks.is_empty() && !self.operator_origins.contains(origin) {
            origin.must_be_default()?;
        }
        Ok(target)
    }

    /// Whether the origin may be called at this address, which is the one that the connection will have.
    pub(crate) fn check_address(&self, origin: &Origin, address: IpAddr) -> Result<(), Refusal> {
        let inner = unwrapped(address);
        let is_allowed = |net: &IpNet| net.contains(&address) || net.contains(&inner);
        if self.allowed_networks.iter().any(is_allowed) {
            return Ok(());
        }
        let kind = kind_of(address);
        if self.operator_origins.contains(origin) {
            return match kind.filter(|kind| !kind.is_private_network()) {
                Some(kind) => Err(Refusal::Address(kind)),
                None => Ok(()),
            };
        }
        kind.map_or(Ok(()), |kind| Err(Refusal::Address(kind)))?;
        origin.must_be_default()
    }
}

/// Scheme, host and port, spelled in one way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    is_https: bool,
    /// In lower case, without a dot at its end and without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Origin {
    /// The origin of a URI that came from [`Target::of`].
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let is_https = uri.scheme_str()? == "https";
        Some(Self {
            is_https,
            host: uri.host()?.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(if is_https { 443 } else { 80 }),
        })
    }

    fn must_be_default(&self) -> Result<(), Refusal> {
        match (self.is_https, self.port) {
            (true, 443) => Ok(()),
            (true, _) => Err(Refusal::Port),
            (false, _) => Err(Refusal::PlainHttp),
        }
    }
}

/// A URL that may be asked for, if its host's address passes too.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) uri: Uri,
    origin: Origin,
}

impl Target {
    fn of(url: &Url) -> Result<Self, Refusal> {
        if !matches!(url.scheme(), "https" | "http") {
            return Err(Refusal::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Credentials);
        }
        // A name with and without the dot of the root is one host, and must be one in the pool and in the policy.
        let host = url.host_str().ok_or(Refusal::Host)?;
        let host = host.strip_suffix('.').unwrap_or(host);
        if host.len() > 253 || host.split('.').any(str::is_empty) {
            return Err(Refusal::Host);
        }
        let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let uri = Uri::builder().scheme(url.scheme()).authority(authority).path_and_query(path);
        let uri = uri.build().map_err(|_| Refusal::Unwritable)?;
        let origin = Origin::of(&uri).ok_or(Refusal::Unwritable)?;
        Ok(Self { uri, origin })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(networks: &[&str], servers: &[&str]) -> GuardPolicy {
        let servers: Vec<ServerUrl> = servers.iter().map(|text| text.parse().unwrap()).collect();
        GuardPolicy::new(networks.iter().map(|text| text.parse().unwrap()).collect(), &servers)
    }

    /// The guard's word on a URL whose host has this address.
    fn judge(policy: &GuardPolicy, url: &str, address: &str) -> Result<(), Refusal> {
        let target = policy.check_url(&Url::parse(url).map_err(|_| Refusal::Host)?)?;
        policy.check_address(&Origin::of(&target.uri).unwrap(), address.parse().unwrap())
    }

    /// As [`judge`], for a host that is its own address.
    fn judge_literal(url: &str) -> Result<(), Refusal> {
        let policy = policy(&[], &[]);
        let target = policy.check_url(&Url::parse(url).map_err(|_| Refusal::Host)?)?;
        let origin = Origin::of(&target.uri).unwrap();
        let address = origin.host.parse().expect("the host is no address");
        policy.check_address(&origin, address)
    }

    #[test]
    fn by_default_only_https_on_its_port_to_public_hosts() {
        let closed = policy(&[], &[]);
        assert_eq!(judge(&closed, "https://l1.example/a?b", "9.9.9.9"), Ok(()));
        assert_eq!(judge(&closed, "https://l1.example:443/", "9.9.9.9"), Ok(()));
        for (url, address, refusal) in [
            ("http://l1.example/", "9.9.9.9", Refusal::PlainHttp),
            ("http://l1.example:443/", "9.9.9.9", Refusal::PlainHttp),
            ("https://l1.example:8443/", "9.9.9.9", Refusal::Port),
            ("https://l1.example:80/", "9.9.9.9", Refusal::Port),
            ("https://u@l1.example/", "9.9.9.9", Refusal::Credentials),
            ("https://:p@l1.example/", "9.9.9.9", Refusal::Credentials),
            ("ftp://l1.example/", "9.9.9.9", Refusal::Scheme),
            ("file:///etc/passwd", "9.9.9.9", Refusal::Scheme),
            ("gopher://l1.example/", "9.9.9.9", Refusal::Scheme),
            ("https://l1.example/", "127.0.0.1", Refusal::Address(AddressKind::Loopback)),
            ("https://l1.example/", "::ffff:10.0.0.1", Refusal::Address(AddressKind::Private)),
        ] {
            assert_eq!(judge(&closed, url, address), Err(refusal), "{url} at {address}");
        }
    }

    #[test]
    fn allowed_networks_open_every_scheme_and_port_there_and_nowhere_else() {
        let open = policy(&["127.0.0.0/8", "fd00::/8"], &[]);
        for address in ["127.0.0.1", "127.255.255.255", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1", "fd12::1"] {
            assert_eq!(judge(&open, "http://l1.example:8080/", address), Ok(()), "{address}");
        }
        for (address, kind) in
            [("10.0.0.1", AddressKind::Private), ("::1", AddressKind::Loopback), ("fc00::1", AddressKind::Private)]
        {
            let refused = judge(&open, "https://l1.example/", address);
            assert_eq!(refused, Err(Refusal::Address(kind)), "{address}");
        }
        assert_eq!(judge(&open, "http://l1.example/", "9.9.9.9"), Err(Refusal::PlainHttp));
        assert_eq!(judge(&open, "https://l1.example:8443/", "9.9.9.9"), Err(Refusal::Port));
    }

    #[test]
    fn a_server_of_the_operator_may_be_private_under_its_own_origin_alone() {
        let named = policy(&[], &["http://l1.example:8100", "https://inner.example/l1"]);
        for address in ["10.0.0.1", "127.0.0.1", "100.64.0.1", "fd00::1", "9.9.9.9"] {
            assert_eq!(judge(&named, "http://l1.example:8100/runs/1", address), Ok(()), "{address}");
            assert_eq!(judge(&named, "http://L1.EXAMPLE.:8100/", address), Ok(()), "{address}");
            assert_eq!(judge(&named, "https://inner.example/other", address), Ok(()), "{address}");
        }
        let private = Err(Refusal::Address(AddressKind::Private));
        assert_eq!(judge(&named, "https://l1.example/", "10.0.0.1"), private);
        assert_eq!(judge(&named, "https://other.example/", "10.0.0.1"), private);
        assert_eq!(judge(&named, "http://l1.example:8101/", "10.0.0.1"), Err(Refusal::PlainHttp));
        assert_eq!(judge(&named, "https://inner.example:8100/", "10.0.0.1"), Err(Refusal::Port));
    }

    #[test]
    fn not_even_a_server_of_the_operator_is_called_where_no_server_lives() {
        let named = policy(&[], &["http://l1.example:8100"]);
        for (address, kind) in [
            ("169.254.169.254", AddressKind::LinkLocal),
            ("168.63.129.16", AddressKind::Platform),
            ("0.0.0.0", AddressKind::Unspecified),
            ("::", AddressKind::Unspecified),
            ("224.0.0.1", AddressKind::Multicast),
            ("255.255.255.255", AddressKind::Multicast),
            ("2002:7f00:1::1", AddressKind::Wrapping),
        ] {
            let refused = judge(&named, "http://l1.example:8100/", address);
            assert_eq!(refused, Err(Refusal::Address(kind)), "{address}");
        }
    }

    #[test]
    fn every_spelling_of_an_inner_address_is_seen_through() {
        use AddressKind::*;
        for (host, kind) in [
            ("127.0.0.1", Loopback),
            ("127.1", Loopback),
            ("127.0.0.1.", Loopback),
            ("0177.0.0.1", Loopback),
            ("0x7f.0.0.1", Loopback),
            ("0x7F000001", Loopback),
            ("2130706433", Loopback),
            ("017700000001", Loopback),
            ("%31%32%37.0.0.1", Loopback),
            ("１２７.０.０.１", Loopback),
            ("127。0。0。1", Loopback),
            ("①②⑦.0.0.1", Loopback),
            ("0", Unspecified),
            ("0.0.0.0", Unspecified),
            ("10.1", Private),
            ("0xa9fea9fe", LinkLocal),
            ("[::1]", Loopback),
            ("[0:0:0:0:0:0:0:1]", Loopback),
            ("[::ffff:127.0.0.1]", Loopback),
            ("[::FFFF:7f00:1]", Loopback),
            ("[::127.0.0.1]", Wrapping),
            ("[64:ff9b::169.254.169.254]", LinkLocal),
            ("[2002:a9fe:a9fe::]", Wrapping),
            ("[fe80::1]", LinkLocal),
            ("[fd00:ec2::254]", Private),
        ] {
            assert_eq!(judge_literal(&format!("https://{host}/")), Err(Refusal::Address(kind)), "{host}");
        }
    }

    #[test]
    fn hosts_that_are_none_are_refused() {
        for host in [
            "",
            ".",
            "..",
            "a..b",
            "a.example..",
            ".example",
            "[fe80::1%25eth0]",
            "[fe80::1%eth0]",
            "[::1",
            "1.2.3.4.5",
            "256.1.1.1",
            "a%00b",
            "a%2fb",
            "a b",
            "xn--a",
        ] {
            let refused = judge(&policy(&[], &[]), &format!("https://{host}/"), "9.9.9.9");
            assert_eq!(refused, Err(Refusal::Host), "{host}");
        }
        let long = format!("https://{}example/", "a.".repeat(130));
        assert_eq!(judge(&policy(&[], &[]), &long, "9.9.9.9"), Err(Refusal::Host));
    }

    #[test]
    fn spellings_of_one_name_are_one_host() {
        for url in [
            "https://l1.example/",
            "HTTPS://L1.Example./",
            "https:\\\\l1.example\\",
            "https://l1%2eexample/",
            "https://ｌ１.example/",
            "https://l1\u{ad}.example/",
            "https://l1.exam\tple/",
            "https://@l1.example/",
        ] {
            let target = policy(&[], &[]).check_url(&Url::parse(url).unwrap()).unwrap();
            assert_eq!(target.uri.to_string(), "https://l1.example/", "{url}");
        }
        let idna = policy(&[], &[]).check_url(&Url::parse("https://Bücher.example/?q=ä#f").unwrap()).unwrap();
        assert_eq!(idna.uri.to_string(), "https://xn--bcher-kva.example/?q=%C3%A4");
    }
}
