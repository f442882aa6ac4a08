//! The port of witnesses, against witnesses good and bad.

use crate::support::{Server, builder, client, redirect, reply};
use artdag_anchoring::checkpoint::{AddCheckpoint, Checkpoint, SignedCheckpoint, VerifierKey, WitnessAnswer};
use artdag_anchoring::log::Tree;
use artdag_anchoring::{Digest, Witness, WitnessError};
use artdag_http::HttpWitnesses;
use artdag_kernel::ServerUrl;
use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

/// Nobody checks its signature here.
fn request() -> AddCheckpoint {
    let tree: Tree = (0..9_u8).map(|n| Digest::of(&[n])).collect();
    let key = VerifierKey::ed25519("art.example/log".parse().unwrap(), [1; 32]);
    let checkpoint = Checkpoint::new("art.example/log", 9, tree.root()).unwrap();
    let Ok(signed) = SignedCheckpoint::sign(checkpoint, &key, 0, |_| Ok::<_, Infallible>([7; 64]));
    AddCheckpoint::new(tree.prove_consistency(4, 9).unwrap(), signed).unwrap()
}

fn cosignature() -> String {
    let key = VerifierKey::cosignature_v1("witness.example/w".parse().unwrap(), [2; 32]);
    let Ok(signature) = key.sign("text\n", 1, |_| Ok::<_, Infallible>([8; 64]));
    format!("{signature}\n")
}

fn base(server: &Server) -> ServerUrl {
    server.url("/log").as_str().parse().unwrap()
}

async fn ask(server: &Server) -> Result<WitnessAnswer, WitnessError> {
    let witnesses = HttpWitnesses::new(client()).with_timeout(Duration::from_secs(60));
    witnesses.add_checkpoint(&base(server), &request()).await
}

async fn answering(status: u16, content_type: &'static str, body: impl Into<String>) -> Server {
    let body = body.into();
    Server::start(move |_| reply(status, content_type, body.clone())).await
}

fn cause(outcome: Result<WitnessAnswer, WitnessError>) -> String {
    match outcome {
        Err(WitnessError::Unreachable(cause)) => cause.to_string(),
        other => panic!("{other:?}"),
    }
}

fn nonsense(outcome: Result<WitnessAnswer, WitnessError>) -> String {
    match outcome {
        Err(WitnessError::Nonsense(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_checkpoint_is_shown_and_its_cosignature_read() {
    let server = answering(200, "text/plain", cosignature()).await;
    assert_eq!(ask(&server).await.unwrap(), WitnessAnswer::cosigned(&cosignature()).unwrap());
    let seen = &server.seen()[0];
    assert_eq!((seen.head.method.as_str(), seen.head.uri.path()), ("POST", "/log/add-checkpoint"));
    assert_eq!(AddCheckpoint::parse(str::from_utf8(&seen.body).unwrap()), Ok(request()));
}

#[tokio::test]
async fn a_conflict_tells_the_size() {
    let server = answering(409, "text/x.tlog.size", "40\n").await;
    assert_eq!(ask(&server).await.unwrap(), WitnessAnswer::SeenAt(40));
    for (content_type, body) in [("text/plain", "40\n"), ("text/x.tlog.size", "forty\n"), ("text/x.tlog.size", "")] {
        let outcome = ask(&answering(409, content_type, body).await).await;
        assert_eq!(nonsense(outcome), "its conflict names no size", "{content_type} {body}");
    }
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let of = async |status: u16| ask(&answering(status, "application/problem+json", "{}").await).await;
    assert!(matches!(of(404).await, Err(WitnessError::UnknownLog)));
    assert!(matches!(of(403).await, Err(WitnessError::UnknownKey)));
    assert!(matches!(of(422).await, Err(WitnessError::Rewritten)));
    for status in [500, 502, 503, 429, 408] {
        assert_eq!(cause(of(status).await), format!("its status is {status}"));
    }
    for status in [201, 204, 400, 401, 418] {
        assert_eq!(nonsense(of(status).await), format!("its status is {status}"));
    }
}

#[tokio::test]
async fn answers_that_make_no_sense_are_told_apart_without_quoting_them() {
    let secret = "<html>internal secret</html>\n";
    let line = cosignature();
    let lines = "the note has no valid lines of signatures";
    for (server, expected) in [
        (answering(200, "text/html", secret).await, lines),
        (answering(200, "text/plain", "").await, lines),
        (answering(200, "text/plain", line.trim_end()).await, lines),
        (Server::start(|_| reply(200, "text/plain", vec![0xff; 100])).await, "it is no text"),
        (Server::start(|_| reply(200, "text/plain", vec![b' '; 100 * 1024])).await, "it answers more than is read"),
        (Server::says("220 mail.example ESMTP\r\n\r\n").await, "it does not speak proper HTTP"),
    ] {
        assert_eq!(nonsense(ask(&server).await), expected);
    }
    let other = answering(200, "text/plain", line).await;
    let elsewhere = other.url("/log/add-checkpoint").to_string();
    for status in [301, 302, 307, 308] {
        let to = elsewhere.clone();
        nonsense(ask(&Server::start(move |_| redirect(status, &to)).await).await);
    }
    assert!(other.seen().is_empty(), "the operator has not named that one");
}

#[tokio::test]
async fn a_slow_witness_is_slow_and_a_dead_one_unreachable() {
    let impatient = HttpWitnesses::new(client()).with_timeout(Duration::from_millis(300));
    let silent = Server::stops_after("").await;
    assert!(matches!(impatient.add_checkpoint(&base(&silent), &request()).await, Err(WitnessError::Slow)));
    let address = crate::support::listen("127.0.0.1:0").await.local_addr().unwrap();
    let absent: ServerUrl = format!("http://{address}/log").parse().unwrap();
    let outcome = HttpWitnesses::new(client()).add_checkpoint(&absent, &request()).await;
    assert!(matches!(outcome, Err(WitnessError::Unreachable(_))), "{outcome:?}");
    // In a network that the operator has not opened.
    let there = answering(200, "text/plain", cosignature()).await;
    let outcome = HttpWitnesses::new(builder(&[]).build().unwrap()).add_checkpoint(&base(&there), &request()).await;
    let Err(error @ WitnessError::Refused(_)) = outcome else { panic!("{outcome:?}") };
    assert!(error.source().is_some() && there.seen().is_empty());
}
