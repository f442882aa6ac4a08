//! Signed requests.

use crate::tools::{node, node_folder, python, verdict};
use artdag_federation::ActorSigner;
use artdag_federation::http_signature::{
    BodyDigest, Content, KeyKind, OutgoingRequest, SigningKey, sign_cavage, sign_rfc9421,
};
use artdag_kernel::Instant;
use artdag_kernel::testing::SeededRandomness;
use artdag_signing::{ActorKeys, new_keys};
use serde_json::{Map, Value, json};
use std::process::Command;
use url::Url;

const VERIFY_REQUEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/interop/verify_request.py");
const VERIFY_CAVAGE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/interop/node/verify_cavage.mjs"));

const ID: &str = "https://art.example/users/giles#main-key";
const BODY: &str = r#"{"type":"Create","content":"été"}"#;
const MEDIA_TYPE: &str = "application/activity+json";

fn keys() -> ActorKeys {
    let randomness = SeededRandomness::default();
    ActorKeys::from_pem(&new_keys::rsa(&randomness).unwrap(), &new_keys::ed25519(&randomness).unwrap()).unwrap()
}

/// The verifiers look at the machine's clock, and cannot be told another time.
#[expect(clippy::disallowed_methods, reason = "other programs compare with the same clock")]
fn now() -> Instant {
    std::time::SystemTime::now().into()
}

/// Runs `check` for a request with a body and one without: the request, its body, and the headers it has by itself.
fn for_both(check: impl Fn(&OutgoingRequest<'_>, Option<&str>, Map<String, Value>)) {
    let url = Url::parse("https://peer.example:8443/users/bob/inbox?a=b%20c").unwrap();
    let digest = BodyDigest::of(BODY.as_bytes());
    let content = Content { media_type: MEDIA_TYPE, digest: &digest };
    let post = OutgoingRequest { method: "POST", url: &url, content: Some(content), more: &[] };
    for (request, body) in [(post, Some(BODY)), (OutgoingRequest { method: "GET", content: None, ..post }, None)] {
        let mut headers = Map::new();
        headers.insert("host".to_owned(), "peer.example:8443".into());
        if let Some(content) = request.content {
            headers.insert("content-type".to_owned(), content.media_type.into());
        }
        check(&request, body, headers);
    }
}

fn add(headers: &mut Map<String, Value>, added: Vec<(&'static str, String)>) {
    headers.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value.into())));
}

#[test]
fn rfc_9421_by_an_independent_verifier() {
    let Some(python) = python() else { return };
    let keys = keys();
    let ed25519 = keys.ed25519_public_pem().unwrap();
    let by = |kind| match kind {
        KeyKind::Rsa => ("rsa-v1_5-sha256", keys.public_keys().rsa_pem.as_str()),
        KeyKind::Ed25519 => ("ed25519", ed25519.as_str()),
    };
    for_both(|request, body, headers| {
        for kind in [KeyKind::Rsa, KeyKind::Ed25519] {
            let mut headers = headers.clone();
            let key = SigningKey { id: ID, kind, signer: &keys };
            add(&mut headers, sign_rfc9421(request, &key, now()).unwrap());
            let (algorithm, pem) = by(kind);
            let input = json!({
                "method": request.method,
                "url": request.url.as_str(),
                "headers": headers,
                // Without a body it would ask for a digest.
                "body": body,
                "key": pem,
                "key_id": ID,
                "algorithm": algorithm,
            });
            let check = |input: &Value| verdict(Command::new(&python).arg(VERIFY_REQUEST), input);
            let covered = match body {
                Some(_) => "\"@method\"\n\"@target-uri\"\n\"content-digest\"\n\"content-type\"",
                None => "\"@method\"\n\"@target-uri\"",
            };
            let said = check(&input).unwrap();
            assert!(said.starts_with(covered), "{said}");
            let changed = |edit: &dyn Fn(&mut Value)| {
                let mut input = input.clone();
                edit(&mut input);
                check(&input)
            };
            assert!(changed(&|input| input["url"] = "https://peer.example:8443/users/eve/inbox".into()).is_err());
            assert!(changed(&|input| input["method"] = "DELETE".into()).is_err());
            if body.is_some() {
                assert!(changed(&|input| input["body"] = "{}".into()).is_err());
                assert!(changed(&|input| input["headers"]["content-type"] = "text/html".into()).is_err());
            }
        }
    });
}

#[test]
fn cavage_by_an_independent_verifier() {
    let Some(folder) = node_folder() else { return };
    let keys = keys();
    for_both(|request, body, mut headers| {
        let key = SigningKey { id: ID, kind: KeyKind::Rsa, signer: &keys };
        add(&mut headers, sign_cavage(request, &key, now()).unwrap());
        let target = format!("{}?{}", request.url.path(), request.url.query().unwrap());
        let input = json!({
            "request": {"method": request.method, "url": target, "headers": headers},
            "key": keys.public_keys().rsa_pem,
        });
        let check = |input: &Value| verdict(&mut node(&folder, VERIFY_CAVAGE), input);
        assert_eq!(check(&input), Ok("ok".to_owned()));
        let mut covered = vec!["host"];
        covered.extend(body.and(Some("digest")));
        for name in covered {
            let mut changed = input.clone();
            changed["request"]["headers"][name] = "other".into();
            assert_eq!(check(&changed), Err("the signature does not match".to_owned()), "{name}");
        }
        let mut changed = input.clone();
        changed["request"]["url"] = "/users/eve/inbox".into();
        assert_eq!(check(&changed), Err("the signature does not match".to_owned()));
    });
}
