//! The port of renderers, against renderers good and bad.

use crate::support::{IMPATIENT, PATIENT, Reply, Seen, Server, builder, client, redirect, reply};
use artdag_http::{HttpRenderers, Limits, RendererLimits};
use artdag_kernel::{ContentHash, ServerUrl, Username};
use artdag_provenance::{Renderer, RendererError, RunId, RunReport, RunStatus};

fn renderers() -> HttpRenderers {
    renderers_within(PATIENT)
}

fn renderers_within(limits: Limits) -> HttpRenderers {
    HttpRenderers::with_limits(client(), RendererLimits { run: limits, content: limits, revocation: limits })
}

fn base(server: &Server) -> ServerUrl {
    server.url("/l1").as_str().parse().unwrap()
}

fn run_id(text: &str) -> RunId {
    text.parse().unwrap()
}

async fn fetch(server: &Server) -> Result<RunReport, RendererError> {
    renderers().fetch_run(&base(server), &run_id("b7c1")).await
}

async fn revoke(server: &Server) -> Result<(), RendererError> {
    revoke_within(PATIENT, server).await
}

async fn revoke_within(limits: Limits, server: &Server) -> Result<(), RendererError> {
    let username: Username = "giles".parse().unwrap();
    renderers_within(limits).revoke_user(&base(server), &username, "https://l2.example").await
}

async fn answering(status: u16, content_type: &'static str, body: &'static str) -> Server {
    Server::start(move |_| reply(status, content_type, body)).await
}

/// A server that nobody has started.
async fn absent() -> ServerUrl {
    let address = crate::support::listen("127.0.0.1:0").await.local_addr().unwrap();
    format!("http://{address}").parse().unwrap()
}

fn nonsense<T: std::fmt::Debug>(outcome: Result<T, RendererError>) -> String {
    match outcome {
        Err(RendererError::Nonsense(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_run_is_asked_for_by_its_id_and_read() {
    let hash = ContentHash::of(b"output");
    let body = format!(r#"{{"run_id": "a/b ..", "status": "completed", "output_hash": "{}"}}"#, hash.to_bare_hex());
    let server = Server::start(move |_| reply(200, "application/json", body.clone())).await;
    let report = renderers().fetch_run(&base(&server), &run_id("a/b ..")).await.unwrap();
    assert_eq!((report.status, report.output), (RunStatus::Completed, Some(hash)));
    let seen = &server.seen()[0];
    assert_eq!((seen.head.method.as_str(), seen.head.uri.path()), ("GET", "/l1/runs/a%2Fb%20.."));
    assert_eq!(seen.header("accept"), Some("application/json"));
}

#[tokio::test]
async fn a_run_that_is_unknown_is_not_found() {
    let server = answering(404, "application/json", "{}").await;
    assert!(matches!(fetch(&server).await, Err(RendererError::NotFound)));
    let outcome = renderers().fetch_run(&base(&server), &run_id("..")).await;
    assert!(matches!(outcome, Err(RendererError::NotFound)));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn answers_that_make_no_sense_are_told_apart_without_quoting_them() {
    let secret = "<html>internal secret</html>";
    for (server, expected) in [
        (answering(500, "application/json", secret).await, "its status is 500"),
        (answering(401, "application/json", secret).await, "its status is 401"),
        (answering(200, "text/html", secret).await, "it answers text/html"),
        (answering(200, "application/json", secret).await, "it is not JSON"),
        (answering(200, "application/json", "").await, "it is not JSON"),
        (
            Server::start(|_| reply(200, "application/json", vec![b' '; 2 * 1024 * 1024])).await,
            "it answers more than is read",
        ),
        (Server::says("220 mail.example ESMTP\r\n\r\n").await, "it does not speak proper HTTP"),
        (Server::start(|_| redirect(302, "/again")).await, "it redirects too often"),
        (
            Server::start(|_| redirect(302, "http://169.254.169.254/")).await,
            "it redirects to where it may not: its host has a link-local address",
        ),
    ] {
        assert_eq!(nonsense(fetch(&server).await), expected);
    }
}

#[tokio::test]
async fn json_that_is_no_run_makes_no_sense() {
    for body in ["[]", "null", "1", r#"{"status": "completed", "output_hash": "xyz"}"#] {
        let text = nonsense(fetch(&answering(200, "application/json", body).await).await);
        assert!(!text.contains("xyz") && text.len() < 200, "{text}");
    }
}

#[tokio::test]
async fn a_slow_renderer_is_slow_and_a_dead_one_unreachable() {
    let silent = Server::stops_after("").await;
    let outcome = renderers_within(IMPATIENT).fetch_run(&base(&silent), &run_id("b7c1")).await;
    assert!(matches!(outcome, Err(RendererError::Slow)));
    let outcome = renderers().fetch_run(&absent().await, &run_id("b7c1")).await;
    assert!(matches!(outcome, Err(RendererError::Unreachable(_))));
    let cut = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"run_id\":";
    assert!(matches!(fetch(&Server::says(cut).await).await, Err(RendererError::Unreachable(_))));
    // Not on the operator's list after all.
    let closed = HttpRenderers::new(builder(&[]).build().unwrap());
    let outcome = closed.fetch_run(&base(&Server::stops_after("").await), &run_id("b7c1")).await;
    assert!(matches!(outcome, Err(RendererError::Unreachable(_))));
}

#[tokio::test]
async fn content_is_known_under_either_name() {
    let hash = ContentHash::of(b"picture");
    let bare = format!("/l1/cache/{}", hash.to_bare_hex());
    let prefixed = format!("/l1/cache/{hash}");
    for (known, asked) in [(bare.clone(), 1), (prefixed, 2)] {
        let path = known.clone();
        let has = move |seen: &Seen| -> Reply {
            let status = if seen.head.uri.path() == path { 200 } else { 404 };
            reply(status, "image/png", vec![0; 100])
        };
        let server = Server::start(has).await;
        assert!(renderers().has_content(&base(&server), &hash).await.unwrap(), "{known}");
        assert_eq!(server.seen().len(), asked);
        assert_eq!(server.seen()[0].head.uri.path(), bare);
    }
}

#[tokio::test]
async fn content_that_is_unknown_is_not_there_and_errors_are_errors() {
    let hash = ContentHash::of(b"picture");
    let server = answering(404, "text/html", "no").await;
    assert!(!renderers().has_content(&base(&server), &hash).await.unwrap());
    let server = answering(503, "text/html", "no").await;
    assert_eq!(nonsense(renderers().has_content(&base(&server), &hash).await), "its status is 503");
    let silent = Server::stops_after("").await;
    let outcome = renderers_within(IMPATIENT).has_content(&base(&silent), &hash).await;
    assert!(matches!(outcome, Err(RendererError::Slow)));
}

#[tokio::test]
async fn of_content_only_the_head_is_read() {
    let server = Server::stops_after("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n").await;
    assert!(renderers().has_content(&base(&server), &ContentHash::of(b"film")).await.unwrap());
}

#[tokio::test]
async fn a_logout_is_told_as_json() {
    let server = answering(204, "text/plain", "").await;
    revoke(&server).await.unwrap();
    let seen = &server.seen()[0];
    assert_eq!((seen.head.method.as_str(), seen.head.uri.path()), ("POST", "/l1/auth/revoke-user"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(body, serde_json::json!({"username": "giles", "l2_server": "https://l2.example"}));
}

#[tokio::test]
async fn a_logout_that_nobody_heard_is_an_error() {
    for status in [200, 202, 404] {
        revoke(&answering(status, "text/html", "whatever").await).await.unwrap();
    }
    assert_eq!(nonsense(revoke(&answering(500, "text/html", "").await).await), "its status is 500");
    let moved = Server::start(|_| redirect(307, "/auth/revoke-user")).await;
    assert_eq!(nonsense(revoke(&moved).await), "it redirects a request that cannot be redirected");
    assert!(matches!(revoke_within(IMPATIENT, &Server::stops_after("").await).await, Err(RendererError::Slow)));
}
