//! The port of peers: documents and deliveries, with peers good and bad.

use crate::signer::{ED25519_KEY, RSA_KEY, giles, keyless, scheme, verify};
use crate::support::{
    IMPATIENT, Names, PATIENT, Reply, Seen, Server, builder, client, gate_against, listen, open_gate, redirect, reply,
};
use artdag_federation::delivery::Attempt;
use artdag_federation::http_signature::Scheme;
use artdag_federation::{Barred, Fetched, Handover, Iri, Letter, LetterBody, PeerError, Peers, SignatureScheme};
use artdag_http::{GuardedClient, HttpPeers, Limits, PeerLimits};
use artdag_kernel::testing::ManualClock;
use chrono::TimeDelta;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

pub(crate) const ACTIVITY_JSON: &str = "application/activity+json";
const BODY: &str = r#"{"type":"Create","id":"https://l2.example/activities/1"}"#;

/// Peers, and the clock that their requests are dated by.
pub(crate) fn speaking(client: GuardedClient, limits: Limits) -> (HttpPeers, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    let limits = PeerLimits {
        document: limits,
        handle: Limits { max_body: PeerLimits::default().handle.max_body, ..limits },
        delivery: limits,
    };
    (HttpPeers::with_limits(client, clock.clone(), limits), clock)
}

fn patient() -> (HttpPeers, Arc<ManualClock>) {
    speaking(client(), PATIENT)
}

fn iri(server: &Server, path: &str) -> Iri {
    server.url(path).as_str().parse().unwrap()
}

fn origin(server: &Server) -> String {
    format!("http://{}", server.address)
}

async fn fetch(server: &Server) -> Result<Fetched, PeerError> {
    patient().0.fetch(&iri(server, "/users/ada"), &giles(), &open_gate()).await
}

fn letter(inbox: Iri) -> Letter {
    Letter::new(inbox, BODY, None)
}

async fn deliver(server: &Server, known: Option<SignatureScheme>) -> Handover {
    patient().0.deliver(&letter(iri(server, "/inbox")), &giles(), known).await
}

fn answered(status: u16) -> Attempt {
    Attempt::Answered { status, retry_after: None }
}

fn empty(status: u16) -> Reply {
    reply(status, "text/plain", "")
}

/// Answers each scheme with a status of its own.
async fn answering(rfc9421: u16, cavage: u16) -> Server {
    Server::start(move |seen| match scheme(seen) {
        Scheme::Rfc9421 => reply(rfc9421, ACTIVITY_JSON, "{}"),
        Scheme::Cavage => reply(cavage, ACTIVITY_JSON, "{}"),
    })
    .await
}

fn schemes(server: &Server) -> Vec<Scheme> {
    server.seen().iter().map(scheme).collect()
}

#[tokio::test]
async fn a_document_is_asked_for_in_our_name_and_found_where_it_was_said_to_be() {
    let server = Server::start(|_| reply(200, ACTIVITY_JSON, r#"{"id": "x"}"#)).await;
    let (peers, clock) = patient();
    // Ids are compared as they are spelled, so the spelling must come back.
    let id: Iri = format!("HTTP://{}/users/ada?#main-key", server.address).parse().unwrap();
    let fetched = peers.fetch(&id, &giles(), &open_gate()).await.unwrap();
    assert_eq!(fetched.url.as_str(), format!("HTTP://{}/users/ada?", server.address));
    assert_eq!(fetched.body, br#"{"id": "x"}"#);

    let seen = &server.seen()[0];
    assert_eq!((seen.head.method.as_str(), seen.head.uri.to_string().as_str()), ("GET", "/users/ada?"));
    let accepted = r#"application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams""#;
    assert_eq!(seen.header("accept"), Some(accepted));
    let signature = verify(seen, &origin(&server), &clock).unwrap();
    assert_eq!((signature.scheme(), signature.key_id()), (Scheme::Rfc9421, RSA_KEY));
}

#[tokio::test]
async fn only_what_was_meant_as_activitypub_is_a_document() {
    for good in [
        ACTIVITY_JSON,
        "application/activity+json; charset=utf-8",
        r#"application/ld+json; profile="https://www.w3.org/ns/activitystreams""#,
    ] {
        let server = Server::start(move |_| reply(200, good, "{}")).await;
        assert!(fetch(&server).await.is_ok(), "{good}");
    }
    for bad in ["application/json", "application/ld+json", "text/html", "application/activity+xml", "activity+json"] {
        let server = Server::start(move |_| reply(200, bad, "{}")).await;
        let outcome = fetch(&server).await;
        assert!(matches!(outcome, Err(PeerError::Nonsense(_))), "{bad}: {outcome:?}");
        assert_eq!(server.seen().len(), 1);
    }
    for text in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ncontent-type: application/activity+json\r\ncontent-type: text/html\r\n\r\n{}",
    ] {
        let outcome = fetch(&Server::says(text).await).await;
        assert!(matches!(outcome, Err(PeerError::Nonsense(_))), "{text}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_document_refused_by_the_new_scheme_is_asked_for_by_the_old_one() {
    for refusal in [400, 401, 403] {
        let server = answering(refusal, 200).await;
        let (peers, clock) = patient();
        assert!(peers.fetch(&iri(&server, "/users/ada?page=1"), &giles(), &open_gate()).await.is_ok(), "{refusal}");
        assert_eq!(schemes(&server), [Scheme::Rfc9421, Scheme::Cavage]);
        let signature = verify(&server.seen()[1], &origin(&server), &clock).unwrap();
        assert!(["(request-target)", "host", "date"].into_iter().all(|name| signature.covers(name)));
    }
}

#[tokio::test]
async fn a_status_that_is_no_success_is_no_document() {
    for (status, requests) in [(404, 1), (410, 1), (400, 2), (401, 2), (403, 2), (429, 1), (500, 1), (304, 1)] {
        let server = answering(status, status).await;
        match fetch(&server).await {
            Err(PeerError::Gone(said)) => assert_eq!((said, said == 404 || said == 410), (status, true)),
            Err(PeerError::Refused(said)) => assert_eq!((said, said == 404 || said == 410), (status, false)),
            other => panic!("{status}: {other:?}"),
        }
        assert_eq!(server.seen().len(), requests, "{status}");
    }
}

#[tokio::test]
async fn each_request_on_the_way_is_signed_for_its_own_target() {
    let target = answering(401, 200).await;
    let location = target.url("/moved?a=b").to_string();
    let server = Server::start(move |seen| match seen.head.uri.path() {
        "/users/ada" => redirect(301, "/here"),
        _ => redirect(307, &format!("{location}#me")),
    })
    .await;
    let (peers, clock) = patient();
    let fetched = peers.fetch(&iri(&server, "/users/ada"), &giles(), &open_gate()).await.unwrap();
    assert_eq!(fetched.url, iri(&target, "/moved?a=b"));

    let mut signatures = Vec::new();
    for (server, paths) in [(&server, &["/users/ada", "/here"][..]), (&target, &["/moved"])] {
        let seen = server.seen();
        // Once by each scheme.
        assert_eq!(seen.len(), 2 * paths.len());
        for seen in &seen {
            assert!(paths.contains(&seen.head.uri.path()));
            assert!(verify(seen, &origin(server), &clock).is_ok(), "{seen:?}");
            signatures.push(seen.header("signature").unwrap().to_owned());
        }
    }
    signatures.sort_unstable();
    signatures.dedup();
    assert_eq!(signatures.len(), 6, "no signature is used twice");
}

#[tokio::test]
async fn redirects_without_end_or_into_the_inside_bring_nothing() {
    let server = Server::start(|seen| redirect(302, seen.head.uri.path())).await;
    let outcome = fetch(&server).await;
    assert!(matches!(outcome, Err(PeerError::Nonsense(_))), "{outcome:?}");
    assert_eq!(server.seen().len(), 4);

    let inside = Server::on(listen("127.0.0.2:0").await, None, |_| reply(200, ACTIVITY_JSON, "{}"));
    let location = inside.url("/").to_string();
    let server = Server::start(move |_| redirect(302, &location)).await;
    let (peers, _) = speaking(builder(&["127.0.0.1/32"]).build().unwrap(), PATIENT);
    let outcome = peers.fetch(&iri(&server, "/"), &giles(), &open_gate()).await;
    assert!(matches!(outcome, Err(PeerError::Forbidden(_))), "{outcome:?}");
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn a_document_that_does_not_come_whole_is_none() {
    let large = Server::start(|_| reply(200, ACTIVITY_JSON, vec![b' '; 2 * 1024 * 1024])).await;
    let outcome = fetch(&large).await;
    assert!(matches!(outcome, Err(PeerError::Nonsense(_))), "{outcome:?}");

    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/activity+json\r\ncontent-length: 9\r\n\r\n{";
    for text in [head, "HTTP/1.1 200", ""] {
        let outcome = fetch(&Server::says(text).await).await;
        assert!(matches!(outcome, Err(PeerError::Unreachable(_))), "{text}: {outcome:?}");
    }
    let outcome = fetch(&Server::says("220 smtp.example\r\n\r\n").await).await;
    assert!(matches!(outcome, Err(PeerError::Nonsense(_))), "{outcome:?}");

    let (hasty, _) = speaking(client(), IMPATIENT);
    for silent in [head, ""] {
        let server = Server::stops_after(silent).await;
        let outcome = hasty.fetch(&iri(&server, "/"), &giles(), &open_gate()).await;
        assert!(matches!(outcome, Err(PeerError::Unreachable(_))), "{silent}: {outcome:?}");
    }
    let outcome = hasty.fetch(&iri(&drip().await, "/"), &giles(), &open_gate()).await;
    assert!(matches!(outcome, Err(PeerError::Unreachable(_))), "{outcome:?}");

    let nobody = listen("127.0.0.1:0").await.local_addr().unwrap();
    let outcome = patient().0.fetch(&format!("http://{nobody}/").parse().unwrap(), &giles(), &open_gate()).await;
    assert!(matches!(outcome, Err(PeerError::NoConnection(_))), "{outcome:?}");
    // A redirect there says nothing of the server that redirects.
    let server = Server::start(move |_| redirect(302, &format!("http://{nobody}/"))).await;
    let outcome = fetch(&server).await;
    assert!(matches!(outcome, Err(PeerError::Unreachable(_))), "{outcome:?}");
}

#[tokio::test]
async fn every_request_passes_the_gate() {
    let blocked = Server::on(listen("127.0.0.2:0").await, None, |_| reply(200, ACTIVITY_JSON, "{}"));
    let location = blocked.url("/").to_string();
    let server = Server::start(move |seen| match seen.head.uri.path() {
        "/" => redirect(302, "/next"),
        _ => redirect(302, &location),
    })
    .await;
    let (seen, gate) = gate_against(&[blocked.address.to_string()]);
    let outcome = patient().0.fetch(&iri(&server, "/"), &giles(), &gate).await;
    assert!(matches!(outcome, Err(PeerError::Barred(Barred::Shunned(_)))), "{outcome:?}");
    assert_eq!(blocked.connections(), 0);
    assert_eq!(*seen.passed.lock().unwrap(), vec![server.address.to_string(); 2]);

    // What is signed anew passes it anew.
    let picky = Server::start(|_| empty(401)).await;
    let (seen, gate) = gate_against(&[]);
    let outcome = patient().0.fetch(&iri(&picky, "/"), &giles(), &gate).await;
    assert!(matches!(outcome, Err(PeerError::Refused(401))), "{outcome:?}");
    assert_eq!(seen.passed.lock().unwrap().len(), picky.seen().len());
}

/// A body that never stalls and never ends.
async fn drip() -> Server {
    Server::raw(|mut stream| async move {
        let head = b"HTTP/1.1 202 OK\r\ncontent-type: application/activity+json\r\ncontent-length: 100000\r\n\r\n";
        let _ = stream.write_all(head).await;
        while stream.write_all(b" ").await.is_ok() {
            sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_letter_arrives_as_it_is_and_signed() {
    let server = Server::start(|_| empty(202)).await;
    let (peers, clock) = patient();
    let body = LetterBody::from("{\"name\":\"caf\u{e9}\"}");
    for path in ["/inbox", "/users/ada/inbox?x=%20y"] {
        let letter = Letter::new(iri(&server, path), body.clone(), None);
        let handover = peers.deliver(&letter, &giles(), None).await;
        assert_eq!(handover, Handover { attempt: answered(202), scheme: Some(SignatureScheme::Rfc9421) });
    }
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    for seen in &seen {
        assert_eq!((seen.head.method.as_str(), &seen.body[..]), ("POST", body.text().as_bytes()));
        assert_eq!(seen.header("content-type"), Some(ACTIVITY_JSON));
        let signature = verify(seen, &origin(&server), &clock).unwrap();
        assert_eq!((signature.scheme(), signature.key_id()), (Scheme::Rfc9421, RSA_KEY));
        assert!(["@method", "@target-uri", "content-digest", "content-type"].into_iter().all(|n| signature.covers(n)));
    }
}

#[tokio::test]
async fn the_second_try_is_signed_anew_at_its_own_time() {
    for refusal in [400, 401, 403] {
        let clock = Arc::new(ManualClock::new());
        let moving = Arc::clone(&clock);
        let server = Server::start(move |seen| match scheme(seen) {
            Scheme::Rfc9421 => {
                moving.advance(TimeDelta::minutes(7));
                empty(refusal)
            }
            Scheme::Cavage => empty(200),
        })
        .await;
        let peers = HttpPeers::new(client(), clock.clone());
        let handover = peers.deliver(&letter(iri(&server, "/inbox")), &giles(), None).await;
        assert_eq!(handover, Handover { attempt: answered(200), scheme: Some(SignatureScheme::Cavage) });
        let seen = &server.seen()[1];
        assert_eq!(seen.header("date"), Some("Thu, 01 Jan 2026 00:07:00 GMT"));
        assert_eq!(&seen.body[..], BODY.as_bytes());
        let signature = verify(seen, &origin(&server), &clock).unwrap();
        let covered = ["(request-target)", "host", "date", "digest", "content-type"];
        assert!(covered.into_iter().all(|name| signature.covers(name)));
        assert_eq!(seen.header("signature-input"), None);
    }
}

#[tokio::test]
async fn the_known_way_is_the_only_one_until_it_is_refused() {
    use SignatureScheme::{Cavage, Rfc9421};
    for (known, rfc9421, cavage, tried, accepted) in [
        (Cavage, 500, 202, &[Scheme::Cavage][..], Some(Cavage)),
        (Rfc9421, 202, 500, &[Scheme::Rfc9421], Some(Rfc9421)),
        (Cavage, 202, 401, &[Scheme::Cavage, Scheme::Rfc9421], Some(Rfc9421)),
        (Rfc9421, 403, 202, &[Scheme::Rfc9421, Scheme::Cavage], Some(Cavage)),
        (Cavage, 202, 404, &[Scheme::Cavage], None),
        (Rfc9421, 503, 202, &[Scheme::Rfc9421], None),
    ] {
        let server = answering(rfc9421, cavage).await;
        let handover = deliver(&server, Some(known)).await;
        assert_eq!((handover.scheme, schemes(&server).as_slice()), (accepted, tried), "{known}: {rfc9421} {cavage}");
    }
}

#[tokio::test]
async fn of_two_refusals_the_telling_one_is_handed_on() {
    use SignatureScheme::{Cavage, Rfc9421};
    for (known, rfc9421, cavage, told) in [
        // The way is known to be understood, so it is the letter that is refused.
        (Some(Rfc9421), 400, 401, 400),
        (Some(Cavage), 401, 400, 400),
        (Some(Cavage), 400, 403, 403),
        // Nothing is known, so no letter is given up while one answer leaves hope.
        (None, 400, 401, 401),
        (None, 401, 400, 401),
        (None, 401, 403, 403),
        (None, 400, 400, 400),
        // What is no refusal of a signature tells more.
        (None, 401, 410, 410),
        (None, 401, 503, 503),
        (Some(Rfc9421), 401, 404, 404),
    ] {
        let server = answering(rfc9421, cavage).await;
        let handover = deliver(&server, known).await;
        let expected = Handover { attempt: answered(told), scheme: None };
        assert_eq!(handover, expected, "{known:?}: {rfc9421} {cavage}");
        assert_eq!(server.seen().len(), 2);
    }
}

/// Refuses with this challenge until a request has the label and what else is asked for.
async fn challenging(challenge: &'static str, wanted: &'static [&'static str]) -> Server {
    Server::start(move |seen| {
        let input = seen.header("signature-input").unwrap_or_default();
        if wanted.iter().all(|wanted| input.contains(wanted)) {
            return empty(202);
        }
        let mut reply = empty(401);
        reply.headers_mut().insert("accept-signature", challenge.parse().unwrap());
        reply
    })
    .await
}

#[tokio::test]
async fn a_challenge_is_answered() {
    let asked = r#"mine=("@method" "@authority" "@path" "@query" "content-digest");created;expires;nonce="n1";tag="t""#;
    let wanted = &["mine=(", ";nonce=\"n1\"", ";tag=\"t\"", ";expires="];
    for known in [None, Some(SignatureScheme::Rfc9421), Some(SignatureScheme::Cavage)] {
        let server = challenging(asked, wanted).await;
        let (peers, clock) = patient();
        let handover = peers.deliver(&letter(iri(&server, "/inbox")), &giles(), known).await;
        assert_eq!(handover, Handover { attempt: answered(202), scheme: Some(SignatureScheme::Rfc9421) });
        let seen = server.seen();
        assert_eq!(seen.len(), 2, "{known:?}");
        assert_eq!(verify(&seen[1], &origin(&server), &clock).unwrap().key_id(), RSA_KEY);
    }
}

#[tokio::test]
async fn whoever_asks_for_ed25519_gets_it() {
    let asked = r#"sig1=("@method" "@target-uri" "content-digest");alg="ed25519""#;
    let server = challenging(asked, &["alg=\"ed25519\""]).await;
    let (peers, clock) = patient();
    let handover = peers.deliver(&letter(iri(&server, "/inbox")), &giles(), None).await;
    assert_eq!(handover, Handover { attempt: answered(202), scheme: Some(SignatureScheme::Rfc9421) });
    assert_eq!(verify(&server.seen()[1], &origin(&server), &clock).unwrap().key_id(), ED25519_KEY);
}

#[tokio::test]
async fn a_document_behind_a_challenge_is_reached() {
    let server = Server::start(|seen| {
        if seen.header("signature-input").is_some_and(|input| input.contains("nonce=\"n\"")) {
            return reply(200, ACTIVITY_JSON, "{}");
        }
        let mut reply = empty(401);
        let asked = r#"a=("@method" "@target-uri");nonce="n""#;
        reply.headers_mut().insert("accept-signature", asked.parse().unwrap());
        reply
    })
    .await;
    assert!(fetch(&server).await.is_ok());
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_challenge_that_cannot_be_met_is_passed_over() {
    for asked in [
        // Its answer could be used for another letter in our name.
        r#"a=("@method" "@target-uri")"#,
        r#"a=("@method" "@target-uri" "content-digest");alg="ecdsa-p256-sha256""#,
        r#"a=("@method" "@target-uri" "content-digest" "x-unknown")"#,
        "no list at all (",
    ] {
        let server = challenging(asked, &["nobody says this"]).await;
        let handover = deliver(&server, None).await;
        assert_eq!(handover, Handover { attempt: answered(401), scheme: None }, "{asked}");
        assert_eq!(schemes(&server), [Scheme::Rfc9421, Scheme::Cavage], "{asked}");
    }
}

#[tokio::test]
async fn who_is_never_content_is_asked_three_times() {
    let server = challenging(r#"a=("@method" "@target-uri" "content-digest")"#, &["nobody says this"]).await;
    assert_eq!(deliver(&server, None).await, Handover { attempt: answered(401), scheme: None });
    assert_eq!(schemes(&server), [Scheme::Rfc9421, Scheme::Rfc9421, Scheme::Cavage]);
}

#[tokio::test]
async fn the_word_on_followers_is_sent_and_signed() {
    let word = r#"collectionId="https://l2.example/f", url="https://l2.example/s", digest="00""#;
    let (peers, clock) = patient();
    for known in [SignatureScheme::Rfc9421, SignatureScheme::Cavage] {
        let server = Server::start(|_| empty(202)).await;
        let letter = Letter::new(iri(&server, "/inbox"), BODY, Some(word.to_owned()));
        let handover = peers.deliver(&letter, &giles(), Some(known)).await;
        assert_eq!(handover, Handover { attempt: answered(202), scheme: Some(known) });
        let seen = &server.seen()[0];
        assert_eq!(seen.header("collection-synchronization"), Some(word));
        assert!(verify(seen, &origin(&server), &clock).unwrap().covers("collection-synchronization"));
    }
    let server = Server::start(|_| empty(202)).await;
    let letter = Letter::new(iri(&server, "/inbox"), BODY, Some("a\r\nb: c".to_owned()));
    let handover = peers.deliver(&letter, &giles(), None).await;
    assert!(matches!(handover.attempt, Attempt::Forbidden(_)), "{handover:?}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn how_long_to_wait_is_handed_on_as_it_was_said() {
    let long = "1".repeat(101);
    for (said, handed_on) in [
        ("120", Some("120")),
        ("Thu, 01 Jan 2026 00:07:00 GMT", Some("Thu, 01 Jan 2026 00:07:00 GMT")),
        ("soon", Some("soon")),
        (long.as_str(), None),
    ] {
        let header = said.to_owned();
        let server = Server::start(move |_| {
            let mut reply = empty(503);
            reply.headers_mut().insert("retry-after", header.parse().unwrap());
            reply
        })
        .await;
        let retry_after = handed_on.map(str::to_owned);
        assert_eq!(deliver(&server, None).await.attempt, Attempt::Answered { status: 503, retry_after }, "{said}");
    }
}

#[tokio::test]
async fn a_letter_is_not_redirected() {
    let target = Server::start(|_| empty(202)).await;
    for status in [300, 301, 302, 303, 304, 305, 307, 308] {
        let location = target.url("/inbox").to_string();
        let server = Server::start(move |_| redirect(status, &location)).await;
        let expected = Handover { attempt: answered(status), scheme: None };
        assert_eq!(deliver(&server, None).await, expected);
        assert_eq!(server.seen().len(), 1);
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn what_comes_with_the_answer_does_not_matter() {
    let accepted = Handover { attempt: answered(202), scheme: Some(SignatureScheme::Rfc9421) };
    let large = Server::start(|_| reply(202, "text/html", vec![b'x'; 2 * 1024 * 1024])).await;
    assert_eq!(deliver(&large, None).await, accepted);
    assert_eq!(deliver(&drip().await, None).await, accepted);
    for text in [
        "HTTP/1.1 202 Accepted\r\ncontent-encoding: br\r\n\r\nx",
        "HTTP/1.1 202 Accepted\r\ncontent-length: 99\r\n\r\nx",
        "HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ] {
        assert_eq!(deliver(&Server::says(text).await, None).await, accepted, "{text}");
    }
}

#[tokio::test]
async fn many_letters_share_a_connection() {
    let server = Server::start(|_| reply(202, "text/plain", "thank you")).await;
    let (peers, _) = patient();
    for _ in 0..20 {
        peers.deliver(&letter(iri(&server, "/inbox")), &giles(), None).await;
        // Let the connection go back to the pool.
        tokio::task::yield_now().await;
    }
    assert_eq!(server.seen().len(), 20);
    assert!(server.connections() <= 3, "{} connections", server.connections());
}

#[tokio::test]
async fn who_does_not_answer_is_unreachable() {
    for text in ["", "HTTP/1.1 20", "220 smtp.example\r\n\r\n"] {
        let handover = deliver(&Server::says(text).await, None).await;
        assert!(
            matches!(handover, Handover { attempt: Attempt::Unreachable(_), scheme: None }),
            "{text}: {handover:?}"
        );
    }
    let silent = Server::stops_after("").await;
    let (hasty, _) = speaking(client(), IMPATIENT);
    let handover = hasty.deliver(&letter(iri(&silent, "/inbox")), &giles(), None).await;
    assert_eq!(handover.attempt, Attempt::Unreachable("it did not answer in time".to_owned()));

    let nobody = listen("127.0.0.1:0").await.local_addr().unwrap();
    let inbox = format!("http://{nobody}/inbox").parse().unwrap();
    let handover = patient().0.deliver(&letter(inbox), &giles(), None).await;
    let Attempt::Unreachable(why) = handover.attempt else { panic!("{handover:?}") };
    assert!(why.starts_with("no connection to it could be made: ") && why.contains("refused"), "{why}");
}

#[tokio::test]
async fn without_a_key_nothing_is_sent() {
    let server = Server::start(|_| empty(202)).await;
    let (peers, _) = patient();
    let handover = peers.deliver(&letter(iri(&server, "/inbox")), &keyless(), None).await;
    let Attempt::Unreachable(why) = &handover.attempt else { panic!("{handover:?}") };
    assert!(why.contains("the key cannot sign"), "{why}");
    let outcome = peers.fetch(&iri(&server, "/"), &keyless(), &open_gate()).await;
    assert!(matches!(outcome, Err(PeerError::Unreachable(_))), "{outcome:?}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn what_is_signed_is_what_is_sent() {
    let server = Server::start(|_| reply(202, ACTIVITY_JSON, "{}")).await;
    let client = builder(&["127.0.0.0/8"]).resolver(Names::new(&[&["127.0.0.1"]])).build().unwrap();
    let (peers, clock) = speaking(client, PATIENT);
    let port = server.address.port();
    for known in [SignatureScheme::Rfc9421, SignatureScheme::Cavage] {
        for (spelled, sent) in [
            ("HTTP://Peer.Example:PORT/inbox", "http://peer.example:PORT"),
            ("http://b\u{fc}cher.example:PORT/\u{e9}?\u{e4}=1#f", "http://xn--bcher-kva.example:PORT"),
            ("http://peer.example:PORT/a/../b/./c?", "http://peer.example:PORT"),
            ("http://peer.example:PORT", "http://peer.example:PORT"),
            ("http://0x7f.1:PORT/%7euser", "http://127.0.0.1:PORT"),
        ] {
            let [spelled, sent] = [spelled, sent].map(|url| url.replace("PORT", &port.to_string()));
            let handover = peers.deliver(&letter(spelled.parse().unwrap()), &giles(), Some(known)).await;
            assert_eq!(handover.scheme, Some(known), "{spelled}: {handover:?}");
            let seen = server.seen().pop().unwrap();
            assert_eq!(seen.header("host").unwrap(), sent.trim_start_matches("http://"));
            assert!(verify(&seen, &sent, &clock).is_ok(), "{spelled}: {seen:?}");
        }
    }
}

#[tokio::test]
async fn the_public_is_spoken_to_by_https_alone() {
    let client = builder(&[]).resolver(Names::new(&[&["9.9.9.9"]])).build().unwrap();
    let (peers, _) = speaking(client, PATIENT);
    for url in ["http://peer.example/inbox", "https://peer.example:8443/inbox", "http://peer.example:443/inbox"] {
        let url: Iri = url.parse().unwrap();
        let handover = peers.deliver(&letter(url.clone()), &giles(), None).await;
        assert!(matches!(handover.attempt, Attempt::Forbidden(_)), "{url}: {handover:?}");
        let outcome = peers.fetch(&url, &giles(), &open_gate()).await;
        assert!(matches!(outcome, Err(PeerError::Forbidden(_))), "{url}: {outcome:?}");
    }
}

#[tokio::test]
async fn over_http2_the_authority_is_the_host() {
    let reply = |_: &Seen| reply(202, ACTIVITY_JSON, "{}");
    let (server, roots) = crate::tls::answering("peer.example", &["h2"], reply).await;
    let client = builder(&["127.0.0.0/8"]).resolver(Names::new(&[&["127.0.0.1"]])).roots(roots).build().unwrap();
    let (peers, clock) = speaking(client, PATIENT);
    let origin = format!("https://peer.example:{}", server.address.port());
    for known in [SignatureScheme::Rfc9421, SignatureScheme::Cavage] {
        let inbox = format!("{origin}/inbox").parse().unwrap();
        assert_eq!(peers.deliver(&letter(inbox), &giles(), Some(known)).await.scheme, Some(known));
    }
    for seen in server.seen() {
        assert_eq!(seen.head.version, http::Version::HTTP_2);
        assert!(verify(&seen, &origin, &clock).is_ok(), "{seen:?}");
    }
    assert_eq!((server.seen().len(), server.connections()), (2, 1));
}
