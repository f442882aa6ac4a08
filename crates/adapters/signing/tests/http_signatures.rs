//! Requests that real peers sent verify until a byte changes, and what we sign is what we read.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use artdag_federation::http_signature::{
    Algorithm, BodyDigest, CannotSign, Challenge, Content, KeyKind, OutgoingRequest, RequestSignature, Scheme,
    SignatureFault, SignedRequest, SigningKey, answer, sign_cavage, sign_rfc9421,
};
use artdag_federation::multikey;
use artdag_kernel::Instant;
use artdag_kernel::testing::SeededRandomness;
use artdag_signing::{ActorKeys, VerificationKey, new_keys};
use chrono::TimeDelta;
use serde_json::Value;
use url::Url;

const CAPTURED: [&str; 4] = [
    include_str!("../../../domain/federation/tests/peers/fedify-cavage.json"),
    include_str!("../../../domain/federation/tests/peers/fedify-rfc9421.json"),
    include_str!("../../../domain/federation/tests/peers/hs2019-created-expires.json"),
    include_str!("../../../domain/federation/tests/peers/hs2019-date.json"),
];

#[derive(Clone)]
struct Received {
    method: String,
    origin: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Option<Vec<u8>>,
}

impl Received {
    fn read(&self, now: Instant) -> Result<RequestSignature, SignatureFault> {
        let headers: Vec<(&str, &[u8])> = self.headers.iter().map(|(n, v)| (n.as_str(), v.as_slice())).collect();
        let Self { method, origin, target, .. } = self;
        RequestSignature::read(&SignedRequest { method, origin, target, headers: &headers }, self.body.as_deref(), now)
    }

    fn verify(&self, key: &VerificationKey, now: Instant) -> Result<(), SignatureFault> {
        key.verify(&self.read(now)?)
    }

    fn header(&mut self, name: &str) -> &mut Vec<u8> {
        &mut self.headers.iter_mut().find(|(other, _)| other == name).unwrap().1
    }
}

fn captured(text: &str) -> (Received, VerificationKey, Instant) {
    let recorded: Value = serde_json::from_str(text).unwrap();
    let url = Url::parse(recorded["url"].as_str().unwrap()).unwrap();
    let headers = recorded["headers"].as_object().unwrap().iter();
    let headers: Vec<_> = headers.map(|(n, v)| (n.clone(), v.as_str().unwrap().as_bytes().to_vec())).collect();
    let date = recorded["headers"]["date"].as_str().unwrap();
    let now = chrono::DateTime::parse_from_rfc2822(date).unwrap().to_utc();
    let received = Received {
        method: recorded["method"].as_str().unwrap().to_owned(),
        origin: url.origin().ascii_serialization(),
        target: url.path().to_owned(),
        headers,
        body: Some(recorded["body"].as_str().unwrap().as_bytes().to_vec()),
    };
    let pem = recorded["actor"]["publicKey"]["publicKeyPem"].as_str().unwrap();
    (received, VerificationKey::from_pem(pem).unwrap(), now)
}

#[test]
fn what_peers_sent_verifies() {
    for text in CAPTURED {
        let (received, key, now) = captured(text);
        assert_eq!(received.verify(&key, now), Ok(()));
        let recorded: Value = serde_json::from_str(text).unwrap();
        assert_eq!(recorded["actor"]["publicKey"]["id"], received.read(now).unwrap().key_id());
        assert!(received.verify(&key, now + TimeDelta::hours(13)).is_err());
        assert!(received.verify(&key, now - TimeDelta::hours(2)).is_err());
    }
}

#[test]
fn the_same_key_as_an_rsa_multikey() {
    for text in &CAPTURED[..2] {
        let (received, _, now) = captured(text);
        let recorded: Value = serde_json::from_str(text).unwrap();
        let keys = recorded["actor"]["assertionMethod"].as_array().unwrap().iter();
        let keys = keys.map(|key| VerificationKey::from_multikey(key["publicKeyMultibase"].as_str().unwrap()).unwrap());
        let verdicts: Vec<_> = keys.map(|key| (key.kind(), received.verify(&key, now).is_ok())).collect();
        assert_eq!(verdicts, [(KeyKind::Rsa, true), (KeyKind::Ed25519, false)]);
    }
}

/// Changes every byte of `part` in turn, and expects that the request does not verify any more.
fn no_change_passes(
    request: &Received,
    key: &VerificationKey,
    now: Instant,
    part: impl Fn(&mut Received) -> &mut Vec<u8>,
) {
    let length = part(&mut request.clone()).len();
    assert!(length > 0);
    for at in 0..length {
        let mut changed = request.clone();
        part(&mut changed)[at] ^= 1;
        assert!(changed.verify(key, now).is_err(), "byte {at} of {length}");
    }
    assert_eq!(request.verify(key, now), Ok(()));
}

#[test]
fn one_changed_byte_of_what_peers_sent_is_noticed() {
    for text in CAPTURED {
        let (received, key, now) = captured(text);
        let signature = received.read(now).unwrap();
        no_change_passes(&received, &key, now, |request| request.body.as_mut().unwrap());
        let names = received.headers.iter().map(|(name, _)| name.clone());
        let covered: Vec<_> = names.filter(|name| signature.covers(name)).collect();
        assert!(covered.len() >= 3, "{covered:?}");
        for name in covered {
            no_change_passes(&received, &key, now, |request| request.header(&name));
        }
        for at in 0..received.target.len() {
            let mut changed = received.clone();
            let other = if changed.target.as_bytes()[at] == b'x' { "y" } else { "x" };
            changed.target.replace_range(at..=at, other);
            assert_eq!(changed.verify(&key, now), Err(SignatureFault::Mismatch));
        }
        assert_eq!(
            Received { method: "PUT".to_owned(), ..received.clone() }.verify(&key, now),
            Err(SignatureFault::Mismatch)
        );
        // Played back to another server, which sees its own name.
        let mut replayed = Received { origin: "http://other.example".to_owned(), ..received.clone() };
        assert_eq!(replayed.verify(&key, now), Err(SignatureFault::Host));
        *replayed.header("host") = b"other.example".to_vec();
        assert_eq!(replayed.verify(&key, now), Err(SignatureFault::Mismatch));
    }
}

#[test]
fn one_changed_byte_of_the_signature_is_noticed() {
    for text in CAPTURED {
        let (received, key, now) = captured(text);
        if received.read(now).unwrap().scheme() == Scheme::Rfc9421 {
            no_change_passes(&received, &key, now, |request| request.header("signature-input"));
        }
        let value = String::from_utf8(received.clone().header("signature").clone()).unwrap();
        // All but the key's id, which says where to look and is not signed by cavage.
        for part in ["headers=\"", "signature=\"", "sig1=:"] {
            let Some(start) = value.find(part).map(|at| at + part.len()) else { continue };
            let end = start + value[start..].find(['"', ':']).unwrap();
            for at in (start..end).step_by(3) {
                let mut changed = received.clone();
                changed.header("signature")[at] ^= 1;
                assert!(changed.verify(&key, now).is_err(), "{value} at {at}");
            }
        }
    }
}

fn keys() -> ActorKeys {
    let randomness = SeededRandomness::default();
    ActorKeys::from_pem(&new_keys::rsa(&randomness).unwrap(), &new_keys::ed25519(&randomness).unwrap()).unwrap()
}

const ID: &str = "https://art.example/users/giles#main-key";
const BODY: &[u8] = b"{\"type\":\"Create\"}";

fn now() -> Instant {
    "2026-11-22T07:21:19Z".parse().unwrap()
}

fn verification_keys(keys: &ActorKeys) -> [(KeyKind, VerificationKey); 2] {
    use artdag_federation::ActorSigner;
    let public = keys.public_keys();
    let ed25519 = VerificationKey::from_multikey(&multikey::encode(&public.ed25519)).unwrap();
    [(KeyKind::Rsa, VerificationKey::from_pem(&public.rsa_pem).unwrap()), (KeyKind::Ed25519, ed25519)]
}

/// The request with the added headers, as it arrives.
fn sent(request: &OutgoingRequest<'_>, body: Option<&[u8]>, added: Vec<(&'static str, String)>) -> Received {
    let url = request.url;
    let authority = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap()),
        None => url.host_str().unwrap().to_owned(),
    };
    let mut headers = vec![("host".to_owned(), authority.into_bytes())];
    if let Some(content) = request.content {
        headers.push(("content-type".to_owned(), content.media_type.as_bytes().to_vec()));
    }
    headers.extend(request.more.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())));
    headers.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())));
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    Received {
        method: request.method.to_owned(),
        origin: url.origin().ascii_serialization(),
        target: format!("{}{query}", url.path()),
        headers,
        body: body.map(<[u8]>::to_vec),
    }
}

#[test]
fn what_we_sign_is_what_we_read() {
    let keys = keys();
    let digest = BodyDigest::of(BODY);
    let content = Content { media_type: "application/activity+json", digest: &digest };
    for address in
        ["https://peer.example/inbox", "http://127.0.0.1:4012/users/bob/inbox?a=b%20c&d", "https://[2001:db8::1]:8443"]
    {
        let url = Url::parse(address).unwrap();
        let more = [("collection-synchronization", "collectionId=\"https://art.example/f\"")];
        let post = OutgoingRequest { method: "POST", url: &url, content: Some(content), more: &[] };
        let get = OutgoingRequest { method: "GET", content: None, ..post };
        let synchronizing = OutgoingRequest { more: &more, ..post };
        for (request, body) in [(post, Some(BODY)), (get, None), (synchronizing, Some(BODY))] {
            for (kind, verification_key) in verification_keys(&keys) {
                let key = SigningKey { id: ID, kind, signer: &keys };
                let (_, other_key) = verification_keys(&keys).into_iter().find(|(other, _)| *other != kind).unwrap();
                for scheme in [Scheme::Cavage, Scheme::Rfc9421] {
                    let added = match scheme {
                        Scheme::Cavage => sign_cavage(&request, &key, now()).unwrap(),
                        Scheme::Rfc9421 => sign_rfc9421(&request, &key, now()).unwrap(),
                    };
                    let received = sent(&request, body, added);
                    let signature = received.read(now()).unwrap();
                    assert_eq!((signature.scheme(), signature.key_id()), (scheme, ID));
                    assert_eq!(verification_key.verify(&signature), Ok(()), "{address} {kind} {scheme:?}");
                    assert_eq!(signature.covers("collection-synchronization"), !request.more.is_empty());
                    let expected = match (scheme, kind) {
                        (Scheme::Cavage, KeyKind::Rsa) => Algorithm::RsaSha256,
                        (Scheme::Cavage, KeyKind::Ed25519) => Algorithm::Hs2019,
                        (Scheme::Rfc9421, KeyKind::Rsa) => Algorithm::RsaV15Sha256,
                        (Scheme::Rfc9421, KeyKind::Ed25519) => Algorithm::Ed25519,
                    };
                    assert_eq!(signature.algorithm(), Some(expected));
                    let wrong = other_key.verify(&signature).unwrap_err();
                    let told = SignatureFault::KeyKind { algorithm: expected, key: other_key.kind() };
                    let expected = if expected == Algorithm::Hs2019 { SignatureFault::Mismatch } else { told };
                    assert_eq!(wrong, expected);
                }
            }
        }
    }
}

#[test]
fn the_headers_are_as_described() {
    let keys = keys();
    let digest = BodyDigest::of(BODY);
    let url = Url::parse("https://peer.example/inbox").unwrap();
    let content = Content { media_type: "application/activity+json", digest: &digest };
    let request = OutgoingRequest { method: "POST", url: &url, content: Some(content), more: &[] };
    let key = SigningKey { id: ID, kind: KeyKind::Rsa, signer: &keys };
    let cavage = sign_cavage(&request, &key, now()).unwrap();
    assert_eq!(cavage.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["date", "digest", "signature"]);
    assert_eq!(cavage[0].1, "Sun, 22 Nov 2026 07:21:19 GMT");
    let start = format!(
        r#"keyId="{ID}",algorithm="rsa-sha256",headers="(request-target) host date digest content-type",signature=""#
    );
    assert!(cavage[2].1.starts_with(&start), "{}", cavage[2].1);
    let message = sign_rfc9421(&request, &key, now()).unwrap();
    assert_eq!(
        message.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["content-digest", "signature-input", "signature"]
    );
    let input = format!(
        r#"sig1=("@method" "@target-uri" "content-digest" "content-type");created=1795332079;keyid="{ID}";alg="rsa-v1_5-sha256""#
    );
    assert_eq!(message[1].1, input);

    for id in ["a\"b", "a\\b", "é", "a\nb"] {
        let refused = |signed: Result<_, CannotSign>| matches!(signed, Err(CannotSign::Request(SignatureFault::KeyId)));
        let key = SigningKey { id, ..key };
        assert!(refused(sign_cavage(&request, &key, now())), "{id}");
        // RFC 9421 has escapes for the first two.
        assert_eq!(refused(sign_rfc9421(&request, &key, now())), !id.starts_with(['a']) || id.contains('\n'), "{id}");
    }
    let broken = [("x-more", "a\nb")];
    let request = OutgoingRequest { more: &broken, ..request };
    let fault = sign_cavage(&request, &key, now()).unwrap_err();
    assert!(matches!(fault, CannotSign::Request(SignatureFault::Value(name)) if name == "x-more"));
}

#[test]
fn challenges_are_answered_or_refused() {
    let keys = keys();
    let digest = BodyDigest::of(BODY);
    let url = Url::parse("https://peer.example/inbox?a=b").unwrap();
    let content = Content { media_type: "application/activity+json", digest: &digest };
    let post = OutgoingRequest { method: "POST", url: &url, content: Some(content), more: &[] };
    let rsa = SigningKey { id: ID, kind: KeyKind::Rsa, signer: &keys };
    let ed25519 =
        SigningKey { id: "https://art.example/users/giles#ed25519-key", kind: KeyKind::Ed25519, signer: &keys };
    let asked = |request: &OutgoingRequest<'_>, challenge: &str| {
        answer(request, &Challenge::read(challenge).unwrap(), &[rsa, ed25519], now())
    };

    // What Fedify 2.3 asks for.
    let fedify = r#"sig1=("@method" "@target-uri" "@authority" "content-digest");created;nonce="bm9uY2U""#;
    let added = asked(&post, fedify).unwrap();
    let received = sent(&post, Some(BODY), added.clone());
    let [(_, rsa_key), (_, ed25519_key)] = verification_keys(&keys);
    assert_eq!(received.verify(&rsa_key, now()), Ok(()));
    assert!(
        added.iter().any(|(_, value)| value.starts_with("sig1=(") && value.ends_with(r#";nonce="bm9uY2U""#)),
        "{added:?}"
    );

    let everything = r#"other=("@status"), me=("@method" "@authority" "@scheme" "@path" "@query" "@request-target" "host" "date" "digest" "content-digest" "content-type" "content-length");alg="ed25519";expires;tag="t""#;
    let received = sent(&post, Some(BODY), asked(&post, everything).unwrap());
    let signature = received.read(now()).unwrap();
    assert_eq!(ed25519_key.verify(&signature), Ok(()));
    assert_eq!(signature.expires(), Some(now() + TimeDelta::minutes(5)));
    assert!(signature.covers("content-length") && signature.covers("digest"));

    let get = OutgoingRequest { method: "GET", content: None, ..post };
    let received = sent(
        &get,
        None,
        asked(
            &get,
            r#"a=("@method" "@target-uri" "content-digest");keyid="https://art.example/users/giles#ed25519-key""#,
        )
        .unwrap(),
    );
    assert_eq!(received.verify(&ed25519_key, now()), Ok(()));

    for (challenge, expected) in [
        ("", "there is none"),
        (r#"a=("@method" "@target-uri" "content-digest");alg="hmac-sha256""#, "it wants another key or algorithm"),
        (
            r#"a=("@method" "@target-uri" "content-digest");keyid="https://other.example""#,
            "it wants another key or algorithm",
        ),
        (r#"a=("@method" "@target-uri" "content-digest";sf)"#, "it wants components with parameters"),
        (r#"a=()"#, "it wants less signed than the method, the address and the body"),
        (r#"a=("@method" "@target-uri")"#, "it wants less signed than the method, the address and the body"),
        (
            r#"a=("@method" "@authority" "content-digest")"#,
            "it wants less signed than the method, the address and the body",
        ),
        (
            r#"a=("@method" "@target-uri" "content-digest" "cookie")"#,
            "it wants a component that the request does not have",
        ),
        (
            r#"a=("@method" "@target-uri" "content-digest" "@status")"#,
            "it wants a component that the request does not have",
        ),
    ] {
        let refused = asked(&post, challenge).unwrap_err();
        assert!(matches!(refused, CannotSign::Challenge(reason) if reason == expected), "{challenge}: {refused:?}");
    }
    for unreadable in [
        "a",
        "a=1",
        "a=(",
        r#"a=("@method");nonce=1"#,
        &"x".repeat(9000),
        "a=(),b=(),c=(),d=(),e=(),f=(),g=(),h=(),i=()",
    ] {
        assert!(Challenge::read(unreadable).is_err(), "{unreadable:.40}");
    }
}
