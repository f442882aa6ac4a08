//! Connections that are used again.

use crate::support::{Server, client, reply};
use artdag_http::Request;

#[tokio::test]
async fn calls_to_one_server_share_a_connection() {
    let server = Server::start(|_| reply(200, "text/plain", "hello")).await;
    let client = client();
    for _ in 0..20 {
        client.send(Request::get(server.url("/"))).await.unwrap();
        // Let the connection go back to the pool.
        tokio::task::yield_now().await;
    }
    assert_eq!(server.seen().len(), 20);
    assert!(server.connections() <= 3, "{} connections", server.connections());
}

#[tokio::test]
async fn a_connection_that_the_server_has_closed_is_not_missed() {
    let server = Server::says("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let client = client();
    for _ in 0..5 {
        assert_eq!(client.send(Request::get(server.url("/"))).await.unwrap().body, "ok");
    }
}

#[tokio::test]
async fn many_calls_at_once_all_get_their_own_answer() {
    let server = Server::start(|seen| reply(200, "text/plain", seen.head.uri.path().to_owned())).await;
    let client = client();
    let calls = (0..50).map(|n| {
        let (client, url) = (client.clone(), server.url(&format!("/{n}")));
        tokio::spawn(async move { client.send(Request::get(url)).await.unwrap() })
    });
    for (n, call) in calls.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(call.await.unwrap().body, format!("/{n}"));
    }
}
