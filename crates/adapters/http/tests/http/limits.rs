//! Servers that are slow, large or garbled.

use crate::support::{IMPATIENT, PATIENT, Server, client, reply};
use artdag_http::{FetchError, JSON, Limits, Request, StatusCode};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

async fn fetch_within(limits: Limits, server: &Server) -> Result<artdag_http::Answer, FetchError> {
    client().send(Request::get(server.url("/")).accept(JSON).limits(limits)).await
}

async fn fetch(server: &Server) -> Result<artdag_http::Answer, FetchError> {
    fetch_within(PATIENT, server).await
}

#[tokio::test]
async fn an_answer_comes_whole_with_its_status_headers_and_place() {
    let server = Server::start(|_| reply(201, "application/json; charset=utf-8", "{}")).await;
    let answer = client().send(Request::get(server.url("/a?b=c")).accept(JSON)).await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (StatusCode::CREATED, &b"{}"[..]));
    assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8");
    assert_eq!(answer.url, server.url("/a?b=c"));

    let seen = &server.seen()[0];
    assert_eq!(seen.head.uri, "/a?b=c");
    assert_eq!(seen.header("host"), Some(server.address.to_string().as_str()));
    assert_eq!(seen.header("accept"), Some("application/json"));
    assert_eq!(seen.header("accept-encoding"), Some("gzip"));
    let agent = format!("artdag-l2/{} (+https://l2.example)", env!("CARGO_PKG_VERSION"));
    assert_eq!(seen.header("user-agent"), Some(agent.as_str()));
}

#[tokio::test]
async fn silence_ends_with_the_total_limit() {
    let server = Server::stops_after("").await;
    let start = Instant::now();
    assert!(matches!(fetch_within(IMPATIENT, &server).await, Err(FetchError::Timeout)));
    assert!(start.elapsed() >= IMPATIENT.total);
}

#[tokio::test]
async fn silence_in_the_middle_ends_with_the_stall_limit() {
    let server =
        Server::stops_after("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{").await;
    let patient = Limits { total: Duration::from_secs(60), ..IMPATIENT };
    let start = Instant::now();
    let outcome = client().send(Request::get(server.url("/")).limits(patient)).await;
    assert!(matches!(outcome, Err(FetchError::Timeout)), "{outcome:?}");
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn a_trickle_that_never_stalls_ends_with_the_total_limit() {
    let server = Server::raw(|mut stream| async move {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n";
        let _ = stream.write_all(head).await;
        while stream.write_all(b" ").await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let start = Instant::now();
    let limits = Limits { total: IMPATIENT.total, ..PATIENT };
    assert!(matches!(fetch_within(limits, &server).await, Err(FetchError::Timeout)));
    assert!(start.elapsed() >= IMPATIENT.total);
}

#[tokio::test]
async fn too_large_is_known_from_the_announcement() {
    // Were the body waited for, this would be a timeout.
    let server =
        Server::stops_after("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1048577\r\n\r\n")
            .await;
    assert!(matches!(fetch(&server).await, Err(FetchError::TooLarge)));
}

#[tokio::test]
async fn too_large_is_known_without_an_announcement() {
    let two_mib = vec![b' '; 2 * 1024 * 1024];
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
    let server = Server::says([&head[..], &two_mib].concat()).await;
    assert!(matches!(fetch(&server).await, Err(FetchError::TooLarge)));
}

#[tokio::test]
async fn the_limit_itself_is_not_too_large() {
    let server = Server::start(|_| reply(200, "application/json", vec![b' '; 1024 * 1024])).await;
    assert_eq!(fetch(&server).await.unwrap().body.len(), 1024 * 1024);
}

fn gzipped(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

async fn gzip_server(text: &[u8]) -> Server {
    let packed = gzipped(text);
    Server::start(move |_| {
        let mut reply = reply(200, "application/json", packed.clone());
        reply.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
        reply
    })
    .await
}

#[tokio::test]
async fn gzip_is_unpacked_and_bombs_are_not() {
    let honest = br#"{"run_id": "b7c1"}"#.repeat(100);
    assert_eq!(fetch(&gzip_server(&honest).await).await.unwrap().body, honest);
    for bomb in [1000 * 1024, 4 * 1024 * 1024] {
        let server = gzip_server(&vec![b' '; bomb]).await;
        assert!(matches!(fetch(&server).await, Err(FetchError::TooLarge)), "{bomb}");
    }
}

#[tokio::test]
async fn other_types_are_refused_and_none_too() {
    let server = Server::start(|_| reply(200, "text/html", "<html>")).await;
    let error = fetch(&server).await.unwrap_err();
    assert!(matches!(error, FetchError::ContentType(_)));
    assert_eq!(error.to_string(), "it answers text/html");

    let server = Server::says("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    assert!(matches!(fetch(&server).await, Err(FetchError::ContentType(_))));
}

#[tokio::test]
async fn an_error_page_is_an_answer_cut_to_size() {
    let server = Server::start(|_| reply(500, "text/html", vec![b'x'; 2 * 1024 * 1024])).await;
    let answer = fetch(&server).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.body.len()), (500, 16 * 1024));
}

#[tokio::test]
async fn a_connection_closed_too_early_is_broken() {
    for text in [
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{",
        "HTTP/1.1 200 OK\r\ncontent-type: app",
        "",
    ] {
        let outcome = fetch(&Server::says(text).await).await;
        assert!(matches!(outcome, Err(FetchError::Broken(_))), "{text}: {outcome:?}");
    }
}

#[tokio::test]
async fn what_is_no_http_is_a_protocol_error() {
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(1024 * 1024));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(200));
    for text in [
        "SSH-2.0-OpenSSH_9.6\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: br\r\n\r\n{}",
        &long,
        &many,
    ] {
        let outcome = fetch(&Server::says(text).await).await;
        assert!(matches!(outcome, Err(FetchError::Protocol(_))), "{text:.60}: {outcome:?}");
    }
}

#[tokio::test]
async fn nobody_listening_is_no_connection() {
    let address = crate::support::listen("127.0.0.1:0").await.local_addr().unwrap();
    let url = format!("http://{address}/").parse().unwrap();
    assert!(matches!(client().send(Request::get(url)).await, Err(FetchError::Connect(_))));
}

#[tokio::test]
async fn of_a_head_the_body_is_not_waited_for() {
    let server = Server::stops_after("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n").await;
    let answer = client().send(Request::get(server.url("/")).head_only().limits(PATIENT)).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn a_call_that_is_dropped_hangs_up() {
    let (begun, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell_begun, tell_gone) = (Arc::clone(&begun), Arc::clone(&gone));
    let server = Server::raw(move |mut stream| {
        let (begun, gone) = (Arc::clone(&tell_begun), Arc::clone(&tell_gone));
        async move {
            begun.notify_one();
            let _ = stream.read(&mut [0]).await;
            gone.notify_one();
        }
    })
    .await;
    let (client, url) = (client(), server.url("/"));
    let call = tokio::spawn(async move { client.send(Request::get(url)).await });
    begun.notified().await;
    call.abort();
    timeout(Duration::from_secs(60), gone.notified()).await.unwrap();
}
