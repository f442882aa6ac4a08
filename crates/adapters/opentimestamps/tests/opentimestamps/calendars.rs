//! Calendars that work and calendars that do not.

use crate::support::{Parrot, Peer, calendars, client};
use artdag_anchoring::bitcoin::AttestationError;
use artdag_anchoring::ots::{CalendarUri, Calendars, Timestamp};
use artdag_anchoring::{Calendar, CalendarError, Digest, Refuted, Verdict};
use artdag_opentimestamps::{BitcoinCoreRpc, HttpCalendars};
use artdag_testing::{PATIENT, free_port};
use std::net::TcpListener;
use std::time::{Duration, Instant};

fn root() -> Digest {
    Digest::of(b"a root")
}

/// What an answer is told to be, without the words that a calendar chooses.
fn told<T>(result: &Result<T, CalendarError>, asked: &CalendarUri) -> String {
    match result {
        Ok(_) => "fine".to_owned(),
        Err(CalendarError::Unreachable(cause)) => format!("unreachable: {cause}"),
        Err(CalendarError::Slow) => "slow".to_owned(),
        Err(CalendarError::NotYet(words)) => format!("not yet: {words}"),
        Err(CalendarError::Nonsense { calendar, why }) => {
            assert_eq!(calendar, asked, "the liar is named");
            format!("nonsense: {why}")
        }
        Err(CalendarError::Refused(cause)) => format!("refused: {cause}"),
    }
}

/// The bad one has five seconds, as calendars usually have.
fn impatient(uris: &[CalendarUri]) -> HttpCalendars {
    calendars(uris).with_timeout(Duration::from_secs(5))
}

#[tokio::test]
async fn each_fault_at_submission_is_told_apart_and_the_others_are_used() {
    let (Some(good), Some(bad)) = (Peer::start().await, Peer::start().await) else { return };
    let uris = [good.uri(), bad.uri()];
    for (fault, expected) in [
        ("none", "fine"),
        ("slow", "slow"),
        ("500", "unreachable: its status is 500"),
        ("404", "nonsense: its status is 404"),
        ("garbage", "nonsense: "),
        ("truncate", "nonsense: the proof is cut short"),
        ("huge", "nonsense: it answers more than is read"),
        ("wrongmsg", "nonsense: it leads to no calendar that may be asked later"),
        ("badroot", "nonsense: it leads to no calendar that may be asked later"),
        ("never", "fine"),
        ("hang", "slow"),
    ] {
        bad.control(&format!("fault/{fault}")).await;
        let start = Instant::now();
        let (asking, digest) = (impatient(&uris), root());
        let (of_good, of_bad) = tokio::join!(asking.submit(&uris[0], &digest), asking.submit(&uris[1], &digest));
        assert!(start.elapsed() < PATIENT, "{fault}");
        assert!(of_good.unwrap().pending().any(|(uri, _)| *uri == uris[0]), "{fault}");
        let told = told(&of_bad, &uris[1]);
        assert!(told == expected || (fault == "garbage" && told.starts_with(expected)), "{fault}: {told}");
        assert!(told != "slow" || start.elapsed() >= Duration::from_secs(5), "{fault}");
    }
}

/// Submits, and answers with what is to be asked later.
async fn stamp(peer: &Peer, digest: &Digest) -> (Timestamp, Vec<u8>) {
    let timestamp = calendars(&[peer.uri()]).submit(&peer.uri(), digest).await.unwrap();
    let message = timestamp.pending().next().unwrap().1.to_vec();
    (timestamp, message)
}

/// What the node says of all that the answer claims of blocks.
async fn verdicts(peer: &Peer, answer: &Timestamp) -> Vec<Verdict> {
    let (node, rules) = (BitcoinCoreRpc::new(client(), peer.node()).with_timeout(PATIENT), peer.rules().await);
    let mut verdicts = Vec::new();
    for (height, message) in answer.bitcoin() {
        verdicts.push(Verdict::by_source(&node, &rules, height, &message).await.unwrap());
    }
    verdicts
}

#[tokio::test]
async fn each_fault_at_upgrade_is_told_apart_and_the_others_are_used() {
    let (Some(good), Some(bad)) = (Peer::start().await, Peer::start().await) else { return };
    let ((_, of_good), (_, of_bad)) = (stamp(&good, &root()).await, stamp(&bad, &root()).await);
    for peer in [&good, &bad] {
        peer.control("mine/7").await;
    }
    let uris = [good.uri(), bad.uri()];
    let asking = impatient(&uris);
    for (fault, expected) in [
        ("none", "true"),
        ("slow", "slow"),
        ("500", "unreachable: its status is 500"),
        ("404", "not yet: nope Success! fake second line"),
        ("garbage", "nonsense: "),
        ("truncate", "nonsense: the proof is cut short"),
        ("huge", "nonsense: it answers more than is read"),
        ("wrongmsg", "false"),
        ("badroot", "false"),
        ("never", "true"),
        ("hang", "slow"),
    ] {
        bad.control(&format!("fault/{fault}")).await;
        let start = Instant::now();
        let answer = asking.upgrade(&uris[1], &of_bad).await;
        assert!(start.elapsed() < PATIENT, "{fault}");
        let told = match &answer {
            Ok(answer) => match &verdicts(&bad, answer).await[..] {
                [Verdict::Verified(evidence)] => evidence.is_final().to_string(),
                [Verdict::False(Refuted { error: AttestationError::AnotherRoot, .. })] => "false".to_owned(),
                other => panic!("{fault}: {other:?}"),
            },
            error @ Err(_) => told(error, &uris[1]),
        };
        assert!(told == expected || (fault == "garbage" && told.starts_with(expected)), "{fault}: {told}");
        let other = asking.upgrade(&uris[0], &of_good).await.unwrap();
        assert!(matches!(verdicts(&good, &other).await[..], [Verdict::Verified(_)]), "{fault}");
    }
}

#[tokio::test]
async fn a_calendar_that_never_gets_anything_into_a_block_stays_pending() {
    let Some(peer) = Peer::start().await else { return };
    peer.control("fault/never").await;
    let (_, message) = stamp(&peer, &root()).await;
    peer.control("mine/50").await;
    let answer = calendars(&[peer.uri()]).upgrade(&peer.uri(), &message).await;
    assert_eq!(told(&answer, &peer.uri()), "not yet: Pending confirmation in Bitcoin blockchain");
}

#[tokio::test]
async fn nobody_is_asked_who_is_not_on_the_list() {
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    stranger.set_nonblocking(true).unwrap();
    let address = stranger.local_addr().unwrap();
    let asking = HttpCalendars::new(client(), &["https://ots.example".parse().unwrap()], Calendars::public());
    let address = format!("http://{address}");
    for uri in [&address, &format!("{address}/"), "file:///etc/passwd", "https://evil.example", "", "https://"] {
        let uri = uri.parse().unwrap();
        assert!(!asking.allows(&uri));
        let refused = "refused: it is not among the calendars that may be asked";
        assert_eq!(told(&asking.upgrade(&uri, b"a message").await, &uri), refused, "{uri}");
        assert_eq!(told(&asking.submit(&uri, &root()).await, &uri), refused, "{uri}");
    }
    assert_eq!(stranger.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nobody called");
    for uri in ["https://ots.example", "https://ots.example/", "https://alice.btc.calendar.opentimestamps.org"] {
        assert!(asking.allows(&uri.parse().unwrap()), "{uri}");
    }
}

#[tokio::test]
async fn a_calendar_that_is_not_there_is_unreachable() {
    let uri: CalendarUri = format!("http://127.0.0.1:{}", free_port()).parse().unwrap();
    let answer = calendars(std::slice::from_ref(&uri)).submit(&uri, &root()).await;
    assert!(matches!(answer, Err(CalendarError::Unreachable(_))), "{answer:?}");
}

#[tokio::test]
async fn what_is_sent_is_what_calendars_expect() {
    let parrot = Parrot::answering("404 Not Found", "text/plain", "").await;
    let uri: CalendarUri = format!("{}/below/", parrot.url()).parse().unwrap();
    let asking = calendars(std::slice::from_ref(&uri));
    let digest = Digest::from_bytes([b'~'; 32]);
    asking.submit(&uri, &digest).await.unwrap_err();
    assert_eq!(told(&asking.upgrade(&uri, &[0xab, 0x01]).await, &uri), "not yet: ");
    let heard = parrot.heard();
    assert!(
        heard[0].starts_with("POST /below/digest HTTP/1.1\r\n")
            && heard[0].ends_with(&format!("\r\n\r\n{}", "~".repeat(32))),
        "{heard:?}"
    );
    assert!(heard[1].starts_with("GET /below/timestamp/ab01 HTTP/1.1\r\n"), "{heard:?}");
    for request in heard {
        assert!(request.contains("accept: application/vnd.opentimestamps.v1\r\n"), "{request}");
    }
}

#[tokio::test]
async fn a_calendar_cannot_send_this_server_elsewhere() {
    let elsewhere = Parrot::answering("200 OK", "text/plain", "").await;
    let redirect = format!("HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", elsewhere.url());
    let parrot = Parrot::saying(redirect, true).await;
    let asking = calendars(&[parrot.uri(), elsewhere.uri()]);
    assert_eq!(told(&asking.upgrade(&parrot.uri(), b"x").await, &parrot.uri()), "nonsense: it redirects too often");
    assert_eq!(
        told(&asking.submit(&parrot.uri(), &root()).await, &parrot.uri()),
        "nonsense: it redirects a request that cannot be redirected"
    );
    assert_eq!(elsewhere.heard(), [""; 0]);
}

#[tokio::test]
async fn an_answer_without_an_end_is_waited_for_only_so_long() {
    let parrot = Parrot::saying("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n\0", false).await;
    let asking = calendars(&[parrot.uri()]).with_timeout(Duration::from_millis(300));
    assert_eq!(told(&asking.upgrade(&parrot.uri(), b"x").await, &parrot.uri()), "slow");
}

/// A pending attestation of this calendar for the message that was asked about.
fn pending(uri: &CalendarUri) -> Vec<u8> {
    let uri = uri.as_str().as_bytes();
    let (uri_length, length) = (u8::try_from(uri.len()).unwrap(), u8::try_from(uri.len() + 1).unwrap());
    [b"\0\x83\xdf\xe3\x0d\x2e\xf9\x0c\x8e", &[length, uri_length][..], uri].concat()
}

#[tokio::test]
async fn an_upgrade_that_says_nothing_new_is_none() {
    let elsewhere = "http://127.0.0.1:9".parse().unwrap();
    for (steps, told_to_be) in [(&b""[..], "nonsense: it names no block"), (b"\x08", "fine")] {
        let parrot = Parrot::answering("200 OK", "text/plain", [steps, &pending(&elsewhere)].concat()).await;
        let asking = calendars(&[parrot.uri(), elsewhere.clone()]);
        assert_eq!(told(&asking.upgrade(&parrot.uri(), b"x").await, &parrot.uri()), told_to_be, "{steps:?}");
        let asking = calendars(&[parrot.uri()]);
        let leads_astray = told(&asking.upgrade(&parrot.uri(), b"x").await, &parrot.uri());
        assert_eq!(leads_astray, "nonsense: it names no block", "{steps:?}");
    }
}
