//! From where a request came. What a proxy says counts only when the proxy is trusted.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use ipnet::IpNet;
use std::net::IpAddr;

/// The proxies whose word counts: `TRUSTED_PROXIES`.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(pub Vec<IpNet>);

impl TrustedProxies {
    /// The address of the client. Behind trusted proxies, the nearest address of `X-Forwarded-For` or `Forwarded`
    /// that is not a trusted proxy itself: what stands further left, anybody can write.
    pub fn client_of(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = canonical(request.peer_addr()?.ip());
        if !self.trusts(peer) {
            return Some(peer);
        }
        let mut client = peer;
        for hop in forwarded(request.headers()).into_iter().rev() {
            let Some(address) = hop else { break };
            client = address;
            if !self.trusts(address) {
                break;
            }
        }
        Some(client)
    }

    /// The host that a trusted proxy was asked for, if it says so.
    pub fn host_of(&self, request: &HttpRequest) -> Option<String> {
        let peer = canonical(request.peer_addr()?.ip());
        let host = request.headers().get("x-forwarded-host").filter(|_| self.trusts(peer))?;
        // The first proxy's word, which is the client's.
        Some(host.to_str().ok()?.split(',').next()?.trim().to_owned())
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// The hops in their order, client first; `None` for what is no address.
fn forwarded(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lists = |name: &str| -> Vec<String> {
        let values = headers.get_all(name).filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',').map(|hop| hop.trim().to_owned())).collect()
    };
    let plain = lists("x-forwarded-for");
    if !plain.is_empty() {
        return plain.iter().map(|hop| address(hop)).collect();
    }
    let pairs = lists("forwarded");
    let hops = pairs.iter().map(|hop| {
        let named = hop.split(';').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"'))
        });
        named.and_then(address)
    });
    hops.collect()
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`
fn address(text: &str) -> Option<IpAddr> {
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None if text.matches(':').count() == 1 => text.split_once(':')?.0,
        None => text,
    };
    bare.parse().ok().map(canonical)
}

/// An IPv4 address that came over an IPv6 socket is an IPv4 address.
fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn client(peer: &str, header: (&'static str, &str)) -> String {
        let request = TestRequest::default().peer_addr(format!("{peer}:1").parse().unwrap()).insert_header(header);
        let proxies = TrustedProxies(vec!["10.0.0.0/8".parse().unwrap(), "127.0.0.1/32".parse().unwrap()]);
        proxies.client_of(&request.to_http_request()).unwrap().to_string()
    }

    #[test]
    fn only_a_trusted_proxys_word_counts() {
        assert_eq!(client("192.0.2.9", ("x-forwarded-for", "198.51.100.1")), "192.0.2.9");
        assert_eq!(client("10.0.0.1", ("x-forwarded-for", "198.51.100.1")), "198.51.100.1");
        assert_eq!(client("10.0.0.1", ("x-forwarded-for", "1.2.3.4, 198.51.100.1, 10.0.0.2")), "198.51.100.1");
        assert_eq!(client("10.0.0.1", ("x-forwarded-for", "1.2.3.4, nonsense")), "10.0.0.1");
        assert_eq!(
            client("10.0.0.1", ("forwarded", "for=\"[2001:db8::1]:80\";proto=https, for=10.0.0.3")),
            "2001:db8::1"
        );
        assert_eq!(client("10.0.0.1", ("x-other", "1.2.3.4")), "10.0.0.1");
        assert_eq!(client("127.0.0.1", ("x-forwarded-for", "::ffff:192.0.2.1")), "192.0.2.1");
    }
}
