//! Redirects: each is a new call.

use crate::support::{Server, builder, client, listen, redirect, reply};
use artdag_http::{AddressKind, FetchError, HeaderValue, Limits, RedirectFault, Refusal, Request, header};

fn fault(outcome: Result<artdag_http::Answer, FetchError>) -> RedirectFault {
    match outcome {
        Err(FetchError::Redirects(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

/// `/3` leads to `/2`, and so on to `/0`, which answers.
async fn chain() -> Server {
    Server::start(|seen| match seen.head.uri.path().trim_start_matches('/').parse() {
        Ok(0u32) => reply(200, "text/plain", "there"),
        Ok(left) => redirect([301, 302, 303, 307, 308][left as usize % 5], &(left - 1).to_string()),
        Err(_) => redirect(302, seen.head.uri.path()),
    })
    .await
}

#[tokio::test]
async fn three_are_followed_and_a_fourth_is_not() {
    let server = chain().await;
    let answer = client().send(Request::get(server.url("/3"))).await.unwrap();
    assert_eq!((&answer.body[..], answer.url), (&b"there"[..], server.url("/0")));
    assert_eq!(fault(client().send(Request::get(server.url("/4"))).await), RedirectFault::TooMany);
    assert_eq!(server.seen().len(), 8);
    let none = Limits { redirects: 0, ..Limits::default() };
    assert_eq!(fault(client().send(Request::get(server.url("/1")).limits(none)).await), RedirectFault::TooMany);
}

#[tokio::test]
async fn a_loop_ends() {
    let server = chain().await;
    assert_eq!(fault(client().send(Request::get(server.url("/loop"))).await), RedirectFault::TooMany);
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_post_is_not_redirected() {
    let server = chain().await;
    for (path, status) in [("/1", 302), ("/2", 303), ("/3", 307), ("/4", 308), ("/5", 301)] {
        let outcome = client().send(Request::post(server.url(path), "secret")).await;
        assert_eq!(fault(outcome), RedirectFault::NotFollowed(status));
    }
    assert_eq!(server.seen().len(), 5);
}

#[tokio::test]
async fn each_is_checked_anew() {
    // 127.0.0.1 is open, and 127.0.0.2 is inside.
    let inside = Server::on(listen("127.0.0.2:0").await, None, |_| reply(200, "text/plain", "inside"));
    let client = builder(&["127.0.0.1/32"]).build().unwrap();
    let loopback = Refusal::Address(AddressKind::Loopback);
    let port = inside.address.port();
    for (location, refusal) in [
        (inside.url("/").to_string(), loopback),
        (format!("//127.0.0.2:{port}/"), loopback),
        (format!("http://0x7f000002:{port}/"), loopback),
        (format!("http://[::ffff:127.0.0.2]:{port}/"), loopback),
        ("http://169.254.169.254/latest/".to_owned(), Refusal::Address(AddressKind::LinkLocal)),
        ("file:///etc/passwd".to_owned(), Refusal::Scheme),
        ("http://u:p@127.0.0.1/".to_owned(), Refusal::Credentials),
        ("http://[fe80::1%25lo]/".to_owned(), Refusal::Host),
        ("http://".to_owned(), Refusal::Host),
    ] {
        let said = location.clone();
        let server = Server::start(move |_| redirect(302, &said)).await;
        let outcome = client.send(Request::get(server.url("/"))).await;
        assert_eq!(fault(outcome), RedirectFault::Refused(refusal), "{location}");
    }
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn a_token_stays_with_the_server_that_it_was_for() {
    let target = Server::start(|_| reply(200, "application/json", "{}")).await;
    let location = target.url("/b").to_string();
    let server = Server::start(move |_| redirect(307, &location)).await;
    let request = Request::get(server.url("/a"))
        .accept(artdag_http::JSON)
        .header(header::AUTHORIZATION, HeaderValue::from_static("Bearer secret"))
        .header(header::COOKIE, HeaderValue::from_static("a=b"))
        .header(header::HOST, HeaderValue::from_static("elsewhere.example"));
    let answer = client().send(request).await.unwrap();
    assert_eq!(answer.url, target.url("/b"));
    assert_eq!(server.seen()[0].header("authorization"), Some("Bearer secret"));
    assert_eq!(server.seen()[0].header("host"), Some(server.address.to_string().as_str()));
    let seen = &target.seen()[0];
    let mut names: Vec<&str> = seen.head.headers.keys().map(header::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"]);
}

#[tokio::test]
async fn one_to_nowhere_is_a_protocol_error() {
    let server = Server::start(|_| reply(302, "text/plain", "")).await;
    let outcome = client().send(Request::get(server.url("/"))).await;
    assert!(matches!(outcome, Err(FetchError::Protocol(_))), "{outcome:?}");
}

#[tokio::test]
async fn other_statuses_of_the_family_are_answers() {
    for status in [300, 304, 305] {
        let server = Server::start(move |_| redirect(status, "/elsewhere")).await;
        assert_eq!(client().send(Request::get(server.url("/"))).await.unwrap().status, status);
    }
}
