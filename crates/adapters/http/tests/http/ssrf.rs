//! Attempts to lead this server into its own network: every range, by every way to it, through the client and through
//! the port of peers.

use crate::peers::{ACTIVITY_JSON, speaking};
use crate::signer::giles;
use crate::support::{Names, PATIENT, Seen, Server, builder, open_gate, redirect, reply};
use artdag_federation::delivery::Attempt;
use artdag_federation::{Iri, Letter, PeerError, Peers};
use artdag_http::AddressKind::*;
use artdag_http::{AddressKind, FetchError, GuardedClient, RedirectFault, Refusal, Request};
use rustls::RootCertStore;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// One address or two of each range, and what it is.
const INSIDE: &[(&str, AddressKind)] = &[
    ("0.0.0.0", Unspecified),
    ("0.1.2.3", Unspecified),
    ("10.0.0.1", Private),
    ("100.64.0.1", Shared),
    ("100.127.255.254", Shared),
    ("127.0.0.2", Loopback),
    ("127.255.255.254", Loopback),
    ("168.63.129.16", Platform),
    ("169.254.0.1", LinkLocal),
    ("169.254.169.254", LinkLocal),
    ("172.16.0.1", Private),
    ("172.31.255.254", Private),
    ("192.0.0.170", Reserved),
    ("192.0.2.1", Documentation),
    ("192.88.99.1", Reserved),
    ("192.168.1.1", Private),
    ("198.18.0.1", Benchmarking),
    ("198.19.255.254", Benchmarking),
    ("198.51.100.1", Documentation),
    ("203.0.113.1", Documentation),
    ("224.0.0.1", Multicast),
    ("239.255.255.250", Multicast),
    ("240.0.0.1", Reserved),
    ("255.255.255.255", Multicast),
    ("::", Unspecified),
    ("::1", Loopback),
    ("64:ff9b:1::a00:1", Wrapping),
    ("100::1", Discard),
    ("2001::1", Wrapping),
    ("2001:2::1", Benchmarking),
    ("2001:10::1", Reserved),
    ("2001:db8::1", Documentation),
    ("2002:a00:1::", Wrapping),
    ("3fff::1", Documentation),
    ("4000::1", Reserved),
    ("fc00::1", Private),
    ("fd00:ec2::254", Private),
    ("fe80::1", LinkLocal),
    ("fec0::1", Private),
    ("ff02::1", Multicast),
];

/// Every address above, and those of version 4 in each of their wrappings.
fn inside() -> impl Iterator<Item = (IpAddr, AddressKind)> {
    INSIDE.iter().flat_map(|(text, kind)| {
        let address: IpAddr = text.parse().unwrap();
        let mut all = vec![(address, *kind)];
        if let IpAddr::V4(inner) = address {
            let [a, b, c, d] = inner.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let mapped = inner.to_ipv6_mapped();
            let nat64 = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low);
            // Of ::/96 the first two addresses are known by other names.
            let compatible = Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low);
            let its_kind = if compatible.is_unspecified() { Unspecified } else { Wrapping };
            let six_to_four = Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1);
            let teredo = Ipv6Addr::new(0x2001, 0, high, low, 0, 0, 0, 1);
            let isatap_at_home = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0x5efe, high, low);
            all.extend([
                (mapped.into(), *kind),
                (nat64.into(), *kind),
                (compatible.into(), its_kind),
                (six_to_four.into(), Wrapping),
                (teredo.into(), Wrapping),
                (isatap_at_home.into(), LinkLocal),
            ]);
        }
        all
    })
}

/// The address as a URL's host.
fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

/// In these tests 127.0.0.1 stands for a public host. No certificates are read, since hundreds of clients are made.
fn client(names: &Arc<Names>) -> GuardedClient {
    builder(&["127.0.0.1/32"]).roots(RootCertStore::empty()).resolver(names.clone()).build().unwrap()
}

fn naming(address: IpAddr) -> Arc<Names> {
    Names::new(&[&[address.to_string().as_str()]])
}

/// A server that closes after each answer, so that each call needs a connection.
async fn closing() -> Server {
    Server::start(|_: &Seen| {
        let mut reply = reply(200, ACTIVITY_JSON, "{}");
        reply.headers_mut().insert("connection", "close".parse().unwrap());
        reply
    })
    .await
}

#[tokio::test]
async fn no_address_inside_is_called_by_number_or_by_name() {
    for (address, kind) in inside() {
        let names = naming(address);
        let client = client(&names);
        for url in [format!("http://{}:8080/", bracketed(address)), "https://l1.example/".to_owned()] {
            let outcome = client.send(Request::get(url.parse().unwrap())).await;
            let is_refused = matches!(&outcome, Err(FetchError::Refused(Refusal::Address(reason))) if *reason == kind);
            assert!(is_refused, "{url} at {address}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn a_name_that_moves_inside_after_its_first_answer_is_followed_nowhere() {
    for (address, kind) in inside() {
        let server = closing().await;
        let names = Names::new(&[&["127.0.0.1"], &[address.to_string().as_str()]]);
        let (peers, _) = speaking(client(&names), PATIENT);
        let url: Iri = format!("http://peer.example:{}/", server.address.port()).parse().unwrap();
        assert!(peers.fetch(&url, &giles(), &open_gate()).await.is_ok(), "{address}");
        let Err(PeerError::Forbidden(why)) = peers.fetch(&url, &giles(), &open_gate()).await else {
            panic!("{address}")
        };
        assert!(why.contains(&kind.to_string()), "{address}: {why}");
        assert_eq!((names.asked(), server.connections()), (2, 1), "{address}");
    }
}

#[tokio::test]
async fn no_redirect_leads_inside() {
    for (address, kind) in inside() {
        for location in [format!("http://{}:8080/", bracketed(address)), "http://inside.example:8080/".to_owned()] {
            let said = location.clone();
            let server = Server::start(move |_| redirect(302, &said)).await;
            let outcome = client(&naming(address)).send(Request::get(server.url("/"))).await;
            let expected = RedirectFault::Refused(Refusal::Address(kind));
            assert!(
                matches!(&outcome, Err(FetchError::Redirects(fault)) if *fault == expected),
                "{location} at {address}: {outcome:?}"
            );
        }
    }
}

#[tokio::test]
async fn no_port_of_peers_opens_the_inside() {
    for (address, kind) in inside() {
        let (peers, _) = speaking(client(&naming(address)), PATIENT);
        for host in [bracketed(address), "peer.example".to_owned()] {
            let url: Iri = format!("https://{host}/x").parse().unwrap();
            let Err(PeerError::Forbidden(why)) = peers.fetch(&url, &giles(), &open_gate()).await else {
                panic!("{url}")
            };
            assert!(why.contains(&kind.to_string()), "{url}: {why}");
            let Err(PeerError::Forbidden(why)) = peers.resolve_handle("ada", &host, &open_gate()).await else {
                panic!("{host}")
            };
            assert!(why.contains(&kind.to_string()), "{host}: {why}");
            let handover = peers.deliver(&Letter::new(url, "{}", None), &giles(), None).await;
            let Attempt::Forbidden(why) = &handover.attempt else { panic!("{host}: {handover:?}") };
            assert!(why.contains(&kind.to_string()), "{host}: {why}");
        }
    }
}

/// Hosts that somebody, somewhere, reads as an address inside; and what the guard makes of each.
const SPELLINGS: &[(&str, Refusal)] = &[
    ("127.0.0.2", Refusal::Address(Loopback)),
    ("127.2", Refusal::Address(Loopback)),
    ("127.0.2", Refusal::Address(Loopback)),
    ("127.0.0.2.", Refusal::Address(Loopback)),
    ("2130706434", Refusal::Address(Loopback)),
    ("0x7f000002", Refusal::Address(Loopback)),
    ("0X7F.2", Refusal::Address(Loopback)),
    ("0x7f.0x0.0x0.0x2", Refusal::Address(Loopback)),
    ("0177.0.0.02", Refusal::Address(Loopback)),
    ("017700000002", Refusal::Address(Loopback)),
    ("0000000177.0.0.2", Refusal::Address(Loopback)),
    ("0177.0x0.2", Refusal::Address(Loopback)),
    ("127.0.0.0x", Refusal::Address(Loopback)),
    ("%31%32%37.0.0.2", Refusal::Address(Loopback)),
    ("127%2e0%2E0.2", Refusal::Address(Loopback)),
    ("\u{ff11}\u{ff12}\u{ff17}.0.0.2", Refusal::Address(Loopback)),
    ("127\u{3002}0\u{ff0e}0\u{ff61}2", Refusal::Address(Loopback)),
    ("\u{2460}\u{2461}\u{2466}.0.0.2", Refusal::Address(Loopback)),
    ("1\u{ad}27.0.0.2", Refusal::Address(Loopback)),
    ("0", Refusal::Address(Unspecified)),
    ("0x0", Refusal::Address(Unspecified)),
    ("2852039166", Refusal::Address(LinkLocal)),
    ("0xA9FEA9FE", Refusal::Address(LinkLocal)),
    ("0251.0376.0251.0376", Refusal::Address(LinkLocal)),
    ("169.16689662", Refusal::Address(LinkLocal)),
    ("[::1]", Refusal::Address(Loopback)),
    ("[0000:0000:0000:0000:0000:0000:0000:0001]", Refusal::Address(Loopback)),
    ("[0:0::0:1]", Refusal::Address(Loopback)),
    ("[::FFFF:127.0.0.2]", Refusal::Address(Loopback)),
    ("[::ffff:7f00:2]", Refusal::Address(Loopback)),
    ("[::ffff:0:127.0.0.2]", Refusal::Address(Reserved)),
    ("[::127.0.0.2]", Refusal::Address(Wrapping)),
    ("[64:ff9b::7f00:2]", Refusal::Address(Loopback)),
    ("[2002:7f00:2::]", Refusal::Address(Wrapping)),
    ("[FE80::1]", Refusal::Address(LinkLocal)),
    ("[::]", Refusal::Address(Unspecified)),
    ("u@127.0.0.2", Refusal::Credentials),
    ("u:p@127.0.0.2", Refusal::Credentials),
    ("peer.example@127.0.0.2", Refusal::Credentials),
    ("peer.example:443@127.0.0.2", Refusal::Credentials),
    (":p@127.0.0.2", Refusal::Credentials),
];

/// Hosts that no URL has, whatever others read in them.
const NO_HOSTS: &[&str] = &[
    "[127.0.0.2]",
    "[::1",
    "::1",
    "[fe80::1%25eth0]",
    "[fe80::1%eth0]",
    "[::1]x",
    "[1:2:3:4:5:6:7:8:9]",
    "[::ffff:127.0.0.2.3]",
    "127.0.0.2.3",
    "127.0.0.256",
    "0x100000000",
    "08.0.0.1",
    "127%00.0.0.2",
    "127.0.0.2%0d%0ahost: x",
    "peer.example:65536",
    "peer.example:8o",
    "peer.example:-1",
    "a..b",
    "",
];

#[tokio::test]
async fn no_spelling_of_an_address_hides_it() {
    let names = Names::new(&[]);
    let client = client(&names);
    for (host, refusal) in SPELLINGS {
        let location = format!("https://{host}/");
        let outcome = client.send(Request::get(location.parse().unwrap())).await;
        assert!(matches!(&outcome, Err(FetchError::Refused(reason)) if reason == refusal), "{host}: {outcome:?}");

        let server = moving(&location).await;
        let outcome = client.send(Request::get(server.url("/"))).await;
        let expected = RedirectFault::Refused(*refusal);
        assert!(matches!(&outcome, Err(FetchError::Redirects(fault)) if *fault == expected), "to {host}: {outcome:?}");
    }
    assert_eq!(names.asked(), 0, "each is known for an address before anybody is asked");
}

#[tokio::test]
async fn what_is_no_host_is_not_looked_up() {
    let names = Names::new(&[&["127.0.0.1"]]);
    let client = client(&names);
    let (peers, _) = speaking(client.clone(), PATIENT);
    for host in NO_HOSTS {
        let location = format!("https://{host}/");
        if let Ok(url) = location.parse() {
            let outcome = client.send(Request::get(url)).await;
            assert!(matches!(outcome, Err(FetchError::Refused(Refusal::Host))), "{host}: {outcome:?}");
        }
        let server = moving(&location).await;
        let outcome = client.send(Request::get(server.url("/"))).await;
        let expected = RedirectFault::Refused(Refusal::Host);
        assert!(matches!(&outcome, Err(FetchError::Redirects(fault)) if *fault == expected), "{host}: {outcome:?}");
        let outcome = peers.resolve_handle("ada", host, &open_gate()).await;
        assert!(matches!(outcome, Err(PeerError::Forbidden(_))), "ada@{host}: {outcome:?}");
    }
    assert_eq!(names.asked(), 0);
}

#[tokio::test]
async fn other_ports_and_schemes_are_closed_unless_a_network_is_open() {
    let names = Names::new(&[&["9.9.9.9"]]);
    let client = builder(&[]).resolver(names.clone()).build().unwrap();
    for (url, refusal) in [
        ("https://peer.example:0/", Refusal::Port),
        ("https://peer.example:22/", Refusal::Port),
        ("https://peer.example:80/", Refusal::Port),
        ("https://peer.example:4430/", Refusal::Port),
        ("https://peer.example:65535/", Refusal::Port),
        ("http://peer.example:80/", Refusal::PlainHttp),
        ("http://peer.example:443/", Refusal::PlainHttp),
        ("gopher://peer.example:443/", Refusal::Scheme),
        ("ws://peer.example/", Refusal::Scheme),
        ("file://peer.example/etc/passwd", Refusal::Scheme),
        ("data:application/activity+json,{}", Refusal::Scheme),
    ] {
        let outcome = client.send(Request::get(url.parse().unwrap())).await;
        assert!(matches!(&outcome, Err(FetchError::Refused(reason)) if *reason == refusal), "{url}: {outcome:?}");
    }
    assert_eq!(names.asked(), 0);
}

/// Redirects to a place that a header can hold in bytes alone.
async fn moving(location: &str) -> Server {
    let location = http::HeaderValue::from_bytes(location.as_bytes()).unwrap();
    Server::start(move |_| {
        let mut reply = redirect(302, "/");
        reply.headers_mut().insert("location", location.clone());
        reply
    })
    .await
}
