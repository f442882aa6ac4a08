//! What the guard does when a call is made; the rules themselves are tested beside them.

use crate::support::{IMPATIENT, Names, Server, builder, client, listen, reply};
use artdag_http::{AddressKind, FetchError, GuardPolicy, GuardedClient, Refusal, Request};
use std::time::Duration;
use tokio::net::TcpListener;
use url::Url;

const LOOPBACK: Refusal = Refusal::Address(AddressKind::Loopback);

/// In these tests 127.0.0.1 stands for a public host and 127.0.0.2 for one inside, on the same port.
async fn outside_and_inside() -> (TcpListener, TcpListener) {
    loop {
        let outside = listen("127.0.0.1:0").await;
        let port = outside.local_addr().unwrap().port();
        if let Ok(inside) = TcpListener::bind(("127.0.0.2", port)).await {
            return (outside, inside);
        }
    }
}

fn named(server: &Server) -> Url {
    format!("http://l1.example:{}/", server.address.port()).parse().unwrap()
}

fn is_refused<T>(outcome: &Result<T, FetchError>, expected: Refusal) -> bool {
    matches!(outcome, Err(FetchError::Refused(reason)) if *reason == expected)
}

#[tokio::test]
async fn a_name_that_changes_its_mind_after_the_check_gains_nothing() {
    let (outside, inside) = outside_and_inside().await;
    let closing = |_: &_| {
        let mut reply = reply(200, "text/plain", "outside");
        reply.headers_mut().insert("connection", "close".parse().unwrap());
        reply
    };
    let outside = Server::on(outside, None, closing);
    let inside = Server::on(inside, None, |_| reply(200, "text/plain", "inside"));
    let names = Names::new(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let client = builder(&["127.0.0.1/32"]).resolver(names.clone()).build().unwrap();

    let answer = client.send(Request::get(named(&outside))).await.unwrap();
    assert_eq!(answer.body, "outside");
    assert_eq!(names.asked(), 1, "the connection goes to the address that was checked");

    let refused = client.send(Request::get(named(&outside))).await;
    assert!(is_refused(&refused, LOOPBACK), "{refused:?}");
    assert_eq!((names.asked(), outside.connections(), inside.connections()), (2, 1, 0));
}

#[tokio::test]
async fn of_many_addresses_only_those_that_pass_are_tried() {
    let (outside, inside) = outside_and_inside().await;
    let outside = Server::on(outside, None, |_| reply(200, "text/plain", "outside"));
    let inside = Server::on(inside, None, |_| reply(200, "text/plain", "inside"));
    let names = Names::new(&[&["127.0.0.2", "10.0.0.1", "::1", "127.0.0.1", "169.254.169.254"]]);
    let client = builder(&["127.0.0.1/32"]).resolver(names).build().unwrap();
    assert_eq!(client.send(Request::get(named(&outside))).await.unwrap().body, "outside");
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn a_host_with_none_that_pass_is_refused() {
    let inside = Server::start(|_| reply(200, "text/plain", "inside")).await;
    let names = Names::new(&[&["127.0.0.1", "10.0.0.1"]]);
    let client = builder(&[]).resolver(names.clone()).build().unwrap();
    let refused = client.send(Request::get("https://l1.example/".parse().unwrap())).await;
    assert!(is_refused(&refused, LOOPBACK), "{refused:?}");
    // Plain http can be known to be refused without asking anybody.
    let refused = client.send(Request::get(named(&inside))).await;
    assert!(is_refused(&refused, Refusal::PlainHttp), "{refused:?}");
    assert_eq!((names.asked(), inside.connections()), (1, 0));
}

#[tokio::test]
async fn an_address_that_does_not_answer_gives_way_to_the_next() {
    let server = Server::start(|_| reply(200, "text/plain", "here")).await;
    // Nobody listens at the first.
    let names = Names::new(&[&["127.0.0.77", "127.0.0.1"]]);
    let client = builder(&["127.0.0.0/8"]).resolver(names).build().unwrap();
    assert_eq!(client.send(Request::get(named(&server))).await.unwrap().body, "here");
}

#[tokio::test]
async fn a_server_of_the_operator_is_reached_in_private_under_its_origin_only() {
    let server = Server::start(|_| reply(200, "text/plain", "mine")).await;
    let other = Server::start(|_| reply(200, "text/plain", "not mine")).await;
    let policy = GuardPolicy::new(Vec::new(), [&server.url("/l1").as_str().parse().unwrap()]);
    let client = GuardedClient::builder(&"https://l2.example".parse().unwrap(), policy).build().unwrap();
    assert_eq!(client.send(Request::get(server.url("/any"))).await.unwrap().body, "mine");
    let refused = client.send(Request::get(other.url("/"))).await;
    assert!(is_refused(&refused, Refusal::PlainHttp), "{refused:?}");
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn an_address_of_version_6_is_called_in_its_brackets() {
    // A machine may be without.
    let Ok(listener) = TcpListener::bind("[::1]:0").await else { return };
    let server = Server::on(listener, None, |_| reply(200, "text/plain", "six"));
    let open = builder(&["::1/128"]).build().unwrap();
    assert_eq!(open.send(Request::get(server.url("/"))).await.unwrap().body, "six");
    assert_eq!(server.seen()[0].header("host"), Some(server.address.to_string().as_str()));
    let closed = builder(&["127.0.0.0/8"]).build().unwrap();
    assert!(is_refused(&closed.send(Request::get(server.url("/"))).await, LOOPBACK));
}

#[tokio::test]
async fn no_spelling_of_loopback_reaches_it() {
    let server = Server::start(|_| reply(200, "text/plain", "inside")).await;
    // Loopback is all that is closed here, so that neither scheme nor port is the reason.
    let client = builder(&["10.0.0.0/8"]).build().unwrap();
    let port = server.address.port();
    for host in [
        "127.0.0.1",
        "127.1",
        "0177.0.0.1",
        "0x7f.1",
        "2130706433",
        "%31%32%37.0.0.1",
        "127.0.0.1.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost",
        "LOCALHOST.",
    ] {
        let refused = client.send(Request::get(format!("http://{host}:{port}/").parse().unwrap())).await;
        assert!(is_refused(&refused, LOOPBACK), "{host}: {refused:?}");
    }
    for host in ["0", "0.0.0.0", "[::]"] {
        let refused = client.send(Request::get(format!("http://{host}:{port}/").parse().unwrap())).await;
        let expected = Refusal::Address(AddressKind::Unspecified);
        assert!(is_refused(&refused, expected), "{host}: {refused:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn credentials_in_a_url_are_refused() {
    let server = Server::start(|_| reply(200, "text/plain", "")).await;
    let mut url = server.url("/");
    url.set_username("giles").unwrap();
    assert!(is_refused(&client().send(Request::get(url)).await, Refusal::Credentials));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_name_without_addresses_is_no_connection() {
    for answers in [&[][..], &[&[][..]]] {
        let client = builder(&["127.0.0.0/8"]).resolver(Names::new(answers)).build().unwrap();
        let outcome = client.send(Request::get("https://l1.example/".parse().unwrap())).await;
        assert!(matches!(outcome, Err(FetchError::Connect(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn connecting_has_a_limit_of_its_own() {
    // Somebody listens and never shakes hands.
    let silent = Server::stops_after("").await;
    let client = builder(&["127.0.0.0/8"]).connect_limit(Duration::from_millis(100)).build().unwrap();
    let url = format!("https://{}/", silent.address).parse().unwrap();
    let patient = artdag_http::Limits { total: Duration::from_secs(60), ..IMPATIENT };
    let outcome = tokio::time::timeout(Duration::from_secs(30), client.send(Request::get(url).limits(patient))).await;
    assert!(matches!(outcome, Ok(Err(FetchError::Connect(_)))), "{outcome:?}");
}
