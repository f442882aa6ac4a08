//! Sources of headers, by themselves.

use crate::support::{EASY, Parrot, Peer, chain, client};
use artdag_anchoring::bitcoin::BlockHeader;
use artdag_anchoring::{BlockHeaders, HeadersError};
use artdag_opentimestamps::{BitcoinCoreRpc, Esplora, Explorers, InvalidQuorum, NodeUrl};
use artdag_testing::{PATIENT, free_port};
use serde_json::{Value, json};
use std::error::Error;
use std::time::Duration;

fn node(url: &NodeUrl) -> BitcoinCoreRpc {
    BitcoinCoreRpc::new(client(), url.clone()).with_timeout(PATIENT)
}

#[tokio::test]
async fn node_and_explorer_show_the_same_chain() {
    let Some(peer) = Peer::start().await else { return };
    let headers = peer.all_headers().await;
    let sources: [&dyn BlockHeaders; 2] = [&node(&peer.node()), &peer.esplora()];
    for source in sources {
        assert_eq!(source.tip().await.unwrap(), 9);
        assert_eq!(source.headers(0, 100).await.unwrap(), headers, "{}", source.name());
        assert_eq!(source.headers(3, 4).await.unwrap(), headers[3..7]);
        assert_eq!(source.headers(10, 4).await.unwrap(), []);
        assert_eq!(source.header(9).await.unwrap(), Some(headers[9]));
        for beyond in [10, i32::MAX as u32, u32::MAX] {
            assert_eq!(source.header(beyond).await.unwrap(), None, "{beyond}");
        }
    }
    peer.control("reorg/4").await;
    let now = peer.all_headers().await;
    assert!(now.len() == 11 && now[..6] == headers[..6] && now[6] != headers[6]);
    for source in sources {
        assert_eq!(source.headers(0, 100).await.unwrap(), now, "{}", source.name());
    }
}

#[tokio::test]
async fn a_node_is_told_who_asks_and_nobody_else_is() {
    let parrot = Parrot::answering("401 Unauthorized", "text/html", "").await;
    let url: NodeUrl = parrot.url().replacen("//", "//u:secret@", 1).parse().unwrap();
    let error = node(&url).tip().await.unwrap_err();
    assert!(matches!(error, HeadersError::Refused(_)), "{error:?}");
    let heard = parrot.heard();
    assert!(heard[0].contains("authorization: Basic dTpzZWNyZXQ=\r\n"), "{heard:?}");
    assert!(heard[0].contains(r#""method":"getblockcount""#), "{heard:?}");
    let shown = format!("{error} {error:?} {} {:?} {url} {url:?}", node(&url).name(), node(&url));
    for secret in ["secret", "dTpzZWNyZXQ"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// What is made of an answer of a node: the error's kind, and what it says.
async fn made_of(status: &str, kind: &str, body: &str) -> (&'static str, String) {
    let parrot = Parrot::answering(status, kind, body).await;
    let url = parrot.url().parse().unwrap();
    let error = node(&url).header(5).await.unwrap_err();
    match error {
        HeadersError::Unreachable(cause) => ("unreachable", cause.to_string()),
        HeadersError::Slow => ("slow", String::new()),
        HeadersError::NotYet(_) => ("not yet", String::new()),
        HeadersError::Nonsense { whose, why } => {
            assert_eq!(whose, format!("the node {}", parrot.url()));
            ("nonsense", why)
        }
        HeadersError::Refused(cause) => ("refused", cause.to_string()),
    }
}

#[tokio::test]
async fn a_node_out_of_order_is_told_from_one_that_lies() {
    let error =
        |code: i32, message: &str| json!({"result": null, "error": {"code": code, "message": message}}).to_string();
    let result = |result: Value| json!({"result": result, "error": null}).to_string();
    let kind = "application/json";
    for (status, body, expected) in [
        ("500 Internal Server Error", error(-28, "Loading block index…"), ("unreachable", "it is still starting")),
        ("503 Service Unavailable", "Work queue depth exceeded".to_owned(), ("unreachable", "its status is 503")),
        ("403 Forbidden", String::new(), ("refused", "it does not let this server in")),
        (
            "500 Internal Server Error",
            error(-1, "a\n\u{1b}[31mb"),
            ("nonsense", "it fails to getblockhash: a [31mb (-1)"),
        ),
        ("200 OK", error(-1, "c"), ("nonsense", "it fails to getblockhash: c (-1)")),
        ("404 Not Found", "not here".to_owned(), ("nonsense", "its status is 404")),
        ("200 OK", "<html>".to_owned(), ("nonsense", "it does not speak JSON-RPC")),
        ("200 OK", "{}".to_owned(), ("nonsense", "it gives neither a result nor an error")),
        ("200 OK", r#"{"error": "no"}"#.to_owned(), ("nonsense", "its error has no code")),
        ("200 OK", result(json!(5)), ("nonsense", "its block's hash is none")),
        ("200 OK", result(json!("00")), ("nonsense", "its block's hash is none")),
        ("200 OK", result(json!("0".repeat(64))), ("nonsense", "its block's header is not the one of that hash")),
        ("200 OK", " ".repeat(20_000), ("nonsense", "it answers more than is read")),
    ] {
        let (of_kind, why) = made_of(status, kind, &body).await;
        assert_eq!((of_kind, why.as_str()), expected, "{status} {body}");
    }
}

#[tokio::test]
async fn sources_that_do_not_answer_are_given_up() {
    let parrot = Parrot::saying("", false).await;
    let soon = Duration::from_millis(300);
    let silent_node = BitcoinCoreRpc::new(client(), parrot.url().parse().unwrap()).with_timeout(soon);
    let silent_explorer = Esplora::new(client(), parrot.server()).with_timeout(soon);
    let gone =
        Esplora::new(client(), format!("http://127.0.0.1:{}", free_port()).parse().unwrap()).with_timeout(PATIENT);
    assert!(matches!(silent_node.tip().await, Err(HeadersError::Slow)));
    assert!(matches!(silent_explorer.headers(0, 10).await, Err(HeadersError::Slow)));
    assert!(matches!(gone.header(0).await, Err(HeadersError::Unreachable(_))));
}

#[tokio::test]
async fn an_explorer_that_shows_another_block_lies() {
    let header = chain(EASY, 1).1[0];
    for (body, why) in [
        ("0".repeat(64), "its block's header is none"),
        (header.to_string(), "its block's hash is none"),
        ("<html>".to_owned(), "its block's hash is none"),
        (" ".repeat(2000), "it answers more than is read"),
    ] {
        let parrot = Parrot::answering("200 OK", "text/plain", body).await;
        let explorer = Esplora::new(client(), parrot.server()).with_timeout(PATIENT);
        let error = explorer.header(3).await.unwrap_err();
        assert_eq!(error.to_string(), format!("the explorer {} gives an answer that cannot be: {why}", parrot.url()));
    }
    for body in ["", "-1", "4294967296", "<html>", "1.5", "\u{661}"] {
        let parrot = Parrot::answering("200 OK", "text/plain", body).await;
        let explorer = Esplora::new(client(), parrot.server()).with_timeout(PATIENT);
        let error = explorer.tip().await.unwrap_err();
        assert!(
            matches!(&error, HeadersError::Nonsense { why, .. } if why == "its height is none"),
            "{body}: {error:?}"
        );
    }
    let parrot = Parrot::answering("429 Too Many Requests", "text/plain", "").await;
    let error = Esplora::new(client(), parrot.server()).tip().await.unwrap_err();
    assert!(matches!(error, HeadersError::Unreachable(_)), "{error:?}");
    assert_eq!(error.source().unwrap().to_string(), "its status is 429");
}

fn compared(explorers: Vec<Esplora>, least: usize) -> Explorers {
    let boxed = explorers.into_iter().map(|explorer| -> Box<dyn BlockHeaders> { Box::new(explorer) });
    Explorers::new(boxed.collect(), least).unwrap()
}

fn down() -> Esplora {
    Esplora::new(client(), format!("http://127.0.0.1:{}", free_port()).parse().unwrap()).with_timeout(PATIENT)
}

#[tokio::test]
async fn explorers_that_fail_or_lie_are_outvoted() {
    let (Some(peer), Some(liar)) = (Peer::start().await, Peer::start().await) else { return };
    liar.control("mine/3").await;
    let headers: Vec<BlockHeader> = peer.all_headers().await;
    for odd in [liar.esplora(), down()] {
        let explorers = compared(vec![odd, peer.esplora(), peer.esplora()], 2);
        assert_eq!(explorers.assurance().to_string(), "explorers 2/3");
        assert_eq!(explorers.tip().await.unwrap(), 9);
        assert_eq!(explorers.headers(0, 100).await.unwrap(), headers);
        assert_eq!(explorers.header(7).await.unwrap(), Some(headers[7]));
        assert_eq!(explorers.header(11).await.unwrap(), None, "two of them end below");
    }
    let split = compared(vec![liar.esplora(), peer.esplora()], 2);
    assert_eq!(split.tip().await.unwrap(), 9, "both have reached that");
    let error = split.header(9).await.unwrap_err();
    let name = split.name();
    assert_eq!(
        error.to_string(),
        format!("{name} gives an answer that cannot be: no 2 of 2 show the same header at height 9")
    );
    let alone = compared(vec![down(), peer.esplora(), down()], 2);
    assert!(matches!(alone.tip().await, Err(HeadersError::Unreachable(_))));
    assert!(matches!(alone.header(3).await, Err(HeadersError::Unreachable(_))));
}

#[test]
fn only_a_majority_can_agree() {
    for (count, least) in [(0, 0), (0, 1), (1, 0), (2, 1), (3, 1), (4, 2), (3, 4)] {
        let explorers = (0..count).map(|_| -> Box<dyn BlockHeaders> { Box::new(down()) }).collect();
        assert_eq!(Explorers::new(explorers, least).err(), Some(InvalidQuorum), "{least} of {count}");
    }
}
