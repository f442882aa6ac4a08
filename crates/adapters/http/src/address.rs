//! Which addresses are not ordinary hosts of the public internet.

use ipnet::{Ipv4Net, Ipv6Net};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is that is no ordinary public host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// This machine.
    Loopback,
    /// A private network: RFC 1918, unique local, site-local.
    Private,
    /// The network between a provider and its customers (RFC 6598).
    Shared,
    /// Only on this link: neighbours, and the metadata services of cloud providers.
    LinkLocal,
    /// A cloud provider's own service under a public number.
    Platform,
    /// "This network", or no address at all.
    Unspecified,
    /// A group, or everybody on the network.
    Multicast,
    /// Examples in documents.
    Documentation,
    /// Measuring of networks.
    Benchmarking,
    /// Carries another address inside, whose host a relay would reach for us.
    Wrapping,
    /// Thrown away by routers.
    Discard,
    /// Kept for protocols, or given to nobody.
    Reserved,
}

impl AddressKind {
    /// What the address is, or `None` for an ordinary public host. For those who call by another protocol than HTTP, so
    /// that they keep to the same rules.
    #[must_use]
    pub fn of(address: IpAddr) -> Option<Self> {
        kind_of(address)
    }

    /// Whether a server that the operator named may live there. It may be in the operator's own networks; metadata
    /// services live beside the machine, and nobody's renderer does.
    #[must_use]
    pub fn is_private_network(self) -> bool {
        matches!(self, Self::Loopback | Self::Private | Self::Shared)
    }
}

impl fmt::Display for AddressKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::Shared => "a carrier's shared address",
            Self::LinkLocal => "a link-local address",
            Self::Platform => "a cloud platform's own address",
            Self::Unspecified => "an unspecified address",
            Self::Multicast => "a multicast or broadcast address",
            Self::Documentation => "an address for documentation",
            Self::Benchmarking => "an address for benchmarks",
            Self::Wrapping => "an address that wraps another",
            Self::Discard => "an address that is discarded",
            Self::Reserved => "a reserved address",
        })
    }
}

const fn v4(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::from_octets(octets), prefix)
}

const fn v6(a: u16, b: u16, c: u16, d: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), prefix)
}

/// From IANA's registry of special-purpose addresses and RFC 5771. The first row that holds an address names it.
const V4: &[(Ipv4Net, AddressKind)] = &[
    (v4([0, 0, 0, 0], 8), AddressKind::Unspecified),
    (v4([10, 0, 0, 0], 8), AddressKind::Private),
    (v4([100, 64, 0, 0], 10), AddressKind::Shared),
    (v4([127, 0, 0, 0], 8), AddressKind::Loopback),
    // Azure answers its machines here: their names, their certificates, their agents.
    (v4([168, 63, 129, 16], 32), AddressKind::Platform),
    (v4([169, 254, 0, 0], 16), AddressKind::LinkLocal),
    (v4([172, 16, 0, 0], 12), AddressKind::Private),
    (v4([192, 0, 0, 0], 24), AddressKind::Reserved),
    (v4([192, 0, 2, 0], 24), AddressKind::Documentation),
    // The relays of 6to4.
    (v4([192, 88, 99, 0], 24), AddressKind::Reserved),
    (v4([192, 168, 0, 0], 16), AddressKind::Private),
    (v4([198, 18, 0, 0], 15), AddressKind::Benchmarking),
    (v4([198, 51, 100, 0], 24), AddressKind::Documentation),
    (v4([203, 0, 113, 0], 24), AddressKind::Documentation),
    (v4([224, 0, 0, 0], 4), AddressKind::Multicast),
    (v4([255, 255, 255, 255], 32), AddressKind::Multicast),
    (v4([240, 0, 0, 0], 4), AddressKind::Reserved),
];

const UNSPECIFIED_V6: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128);
const LOOPBACK_V6: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128);

const V6: &[(Ipv6Net, AddressKind)] = &[
    (UNSPECIFIED_V6, AddressKind::Unspecified),
    (LOOPBACK_V6, AddressKind::Loopback),
    // IPv4-compatible, which nothing uses any more.
    (v6(0, 0, 0, 0, 96), AddressKind::Wrapping),
    // NAT64 with a prefix of the operator's own network (RFC 8215).
    (v6(0x64, 0xff9b, 1, 0, 48), AddressKind::Wrapping),
    (v6(0x100, 0, 0, 0, 64), AddressKind::Discard),
    // Teredo, and after it the other protocols of 2001::/23.
    (v6(0x2001, 0, 0, 0, 32), AddressKind::Wrapping),
    (v6(0x2001, 2, 0, 0, 48), AddressKind::Benchmarking),
    (v6(0x2001, 0, 0, 0, 23), AddressKind::Reserved),
    (v6(0x2001, 0xdb8, 0, 0, 32), AddressKind::Documentation),
    // 6to4.
    (v6(0x2002, 0, 0, 0, 16), AddressKind::Wrapping),
    (v6(0x3fff, 0, 0, 0, 20), AddressKind::Documentation),
    // All that IANA has given out for hosts lies in 2000::/3, so that what is not named above is public.
    (v6(0xfc00, 0, 0, 0, 7), AddressKind::Private),
    (v6(0xfe80, 0, 0, 0, 10), AddressKind::LinkLocal),
    (v6(0xfec0, 0, 0, 0, 10), AddressKind::Private),
    (v6(0xff00, 0, 0, 0, 8), AddressKind::Multicast),
];

const GLOBAL_UNICAST: Ipv6Net = v6(0x2000, 0, 0, 0, 3);
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 0, 96);

/// The IPv4 address that would really be reached, for the two wrappings that are in honest use: IPv4-mapped, which
/// a system may hand out for an IPv4 host, and the well-known prefix of NAT64, which is how a network without IPv4
/// reaches it. Any other address is itself.
pub(crate) fn unwrapped(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if NAT64.contains(&v6) => {
            let [.., a, b, c, d] = v6.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        canonical => canonical,
    }
}

/// What the address is, or `None` for an ordinary public host.
pub(crate) fn kind_of(address: IpAddr) -> Option<AddressKind> {
    match unwrapped(address) {
        IpAddr::V4(address) => V4.iter().find(|(net, _)| net.contains(&address)).map(|(_, kind)| *kind),
        IpAddr::V6(address) => {
            let named = V6.iter().find(|(net, _)| net.contains(&address)).map(|(_, kind)| *kind);
            named.or_else(|| (!GLOBAL_UNICAST.contains(&address)).then_some(AddressKind::Reserved))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AddressKind::*;
    use super::*;
    use ipnet::IpNet;

    fn kind(text: &str) -> Option<AddressKind> {
        kind_of(text.parse().unwrap())
    }

    /// First and last address of a range, what it is, and its neighbours on both sides.
    type Row = (&'static str, &'static str, AddressKind, Neighbour, Neighbour);
    type Neighbour = Option<(&'static str, Option<AddressKind>)>;

    const RANGES: &[Row] = &[
        ("0.0.0.0", "0.255.255.255", Unspecified, None, Some(("1.0.0.0", None))),
        ("10.0.0.0", "10.255.255.255", Private, Some(("9.255.255.255", None)), Some(("11.0.0.0", None))),
        ("100.64.0.0", "100.127.255.255", Shared, Some(("100.63.255.255", None)), Some(("100.128.0.0", None))),
        ("127.0.0.0", "127.255.255.255", Loopback, Some(("126.255.255.255", None)), Some(("128.0.0.0", None))),
        ("168.63.129.16", "168.63.129.16", Platform, Some(("168.63.129.15", None)), Some(("168.63.129.17", None))),
        ("169.254.0.0", "169.254.255.255", LinkLocal, Some(("169.253.255.255", None)), Some(("169.255.0.0", None))),
        ("172.16.0.0", "172.31.255.255", Private, Some(("172.15.255.255", None)), Some(("172.32.0.0", None))),
        ("192.0.0.0", "192.0.0.255", Reserved, Some(("191.255.255.255", None)), Some(("192.0.1.0", None))),
        ("192.0.2.0", "192.0.2.255", Documentation, Some(("192.0.1.255", None)), Some(("192.0.3.0", None))),
        ("192.88.99.0", "192.88.99.255", Reserved, Some(("192.88.98.255", None)), Some(("192.88.100.0", None))),
        ("192.168.0.0", "192.168.255.255", Private, Some(("192.167.255.255", None)), Some(("192.169.0.0", None))),
        ("198.18.0.0", "198.19.255.255", Benchmarking, Some(("198.17.255.255", None)), Some(("198.20.0.0", None))),
        ("198.51.100.0", "198.51.100.255", Documentation, Some(("198.51.99.255", None)), Some(("198.51.101.0", None))),
        ("203.0.113.0", "203.0.113.255", Documentation, Some(("203.0.112.255", None)), Some(("203.0.114.0", None))),
        (
            "224.0.0.0",
            "239.255.255.255",
            Multicast,
            Some(("223.255.255.255", None)),
            Some(("240.0.0.0", Some(Reserved))),
        ),
        (
            "240.0.0.0",
            "255.255.255.254",
            Reserved,
            Some(("239.255.255.255", Some(Multicast))),
            Some(("255.255.255.255", Some(Multicast))),
        ),
        ("::", "::", Unspecified, None, Some(("::1", Some(Loopback)))),
        ("::1", "::1", Loopback, None, Some(("::2", Some(Wrapping)))),
        ("::2", "::ffff:ffff", Wrapping, None, Some(("::1:0:0", Some(Reserved)))),
        (
            "64:ff9b:1::",
            "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
            Wrapping,
            Some(("64:ff9b:0:ffff:ffff:ffff:ffff:ffff", Some(Reserved))),
            Some(("64:ff9b:2::", Some(Reserved))),
        ),
        (
            "100::",
            "100::ffff:ffff:ffff:ffff",
            Discard,
            Some(("ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some(Reserved))),
            Some(("100:0:0:1::", Some(Reserved))),
        ),
        (
            "2001::",
            "2001:0:ffff:ffff:ffff:ffff:ffff:ffff",
            Wrapping,
            Some(("2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None)),
            Some(("2001:1::", Some(Reserved))),
        ),
        (
            "2001:2::",
            "2001:2:0:ffff:ffff:ffff:ffff:ffff",
            Benchmarking,
            Some(("2001:1:ffff:ffff:ffff:ffff:ffff:ffff", Some(Reserved))),
            Some(("2001:2:1::", Some(Reserved))),
        ),
        (
            "2001:1::",
            "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
            Reserved,
            Some(("2001:0:ffff:ffff:ffff:ffff:ffff:ffff", Some(Wrapping))),
            Some(("2001:200::", None)),
        ),
        (
            "2001:db8::",
            "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
            Documentation,
            Some(("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", None)),
            Some(("2001:db9::", None)),
        ),
        (
            "2002::",
            "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            Wrapping,
            Some(("2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None)),
            Some(("2003::", None)),
        ),
        (
            "3fff::",
            "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
            Documentation,
            Some(("3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None)),
            Some(("3fff:1000::", None)),
        ),
        (
            "4000::",
            "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            Reserved,
            Some(("3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None)),
            Some(("fc00::", Some(Private))),
        ),
        (
            "fc00::",
            "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            Private,
            Some(("fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some(Reserved))),
            Some(("fe00::", Some(Reserved))),
        ),
        (
            "fe80::",
            "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            LinkLocal,
            Some(("fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some(Reserved))),
            Some(("fec0::", Some(Private))),
        ),
        ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Private, None, Some(("ff00::", Some(Multicast)))),
        ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Multicast, None, None),
    ];

    #[test]
    fn ranges_begin_and_end_where_they_should() {
        for (first, last, expected, before, after) in RANGES {
            assert_eq!(kind(first), Some(*expected), "{first}");
            assert_eq!(kind(last), Some(*expected), "{last}");
            for (neighbour, its_kind) in [before, after].into_iter().flatten() {
                assert_eq!(kind(neighbour), *its_kind, "{neighbour}, beside {first} to {last}");
            }
        }
    }

    #[test]
    fn no_row_of_the_tables_is_without_a_test() {
        let v4 = V4.iter().map(|(net, kind)| (IpNet::V4(*net), *kind));
        let v6 = V6.iter().map(|(net, kind)| (IpNet::V6(*net), *kind));
        for (net, kind) in v4.chain(v6).filter(|(net, _)| *net != broadcast()) {
            let holds = |text: &str| net.contains(&text.parse::<IpAddr>().unwrap());
            let is_tested = |(first, last, expected, ..): &Row| holds(first) && holds(last) && *expected == kind;
            assert!(RANGES.iter().any(is_tested), "{net}");
        }
    }

    /// It is tested as the neighbour of what lies before it.
    fn broadcast() -> IpNet {
        IpNet::from(IpAddr::V4(Ipv4Addr::BROADCAST))
    }

    #[test]
    fn the_two_wrappings_in_use_are_judged_by_what_is_inside() {
        for (first, last, expected, ..) in RANGES.iter().filter(|(first, ..)| first.contains('.')) {
            for inner in [first, last] {
                for wrapped in [format!("::ffff:{inner}"), format!("64:ff9b::{inner}")] {
                    assert_eq!(kind(&wrapped), Some(*expected), "{wrapped}");
                }
            }
        }
        assert_eq!(kind("::ffff:9.9.9.9"), None);
        assert_eq!(kind("64:ff9b::9.9.9.9"), None);
        // Neither is anything but the 96 bits that say so.
        assert_eq!(kind("::fffe:9.9.9.9"), Some(Reserved));
        assert_eq!(kind("64:ff9b::1:9.9.9.9"), Some(Reserved));
    }

    #[test]
    fn the_other_wrappings_are_refused_whatever_is_inside() {
        for text in
            ["::9.9.9.9", "::127.0.0.1", "2002:7f00:1::1", "2002:909:909::1", "2001:0:7f00:1::", "64:ff9b:1::7f00:1"]
        {
            assert_eq!(kind(text), Some(Wrapping), "{text}");
        }
    }

    #[test]
    fn public_hosts_are_nothing_special() {
        for text in ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450::1", "2620:fe::fe"] {
            assert_eq!(kind(text), None, "{text}");
        }
    }
}
