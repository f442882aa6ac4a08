//! Tokens that must open, and all those that must not.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use artdag_auth::{AccessToken, Claims, InvalidToken, Scope, TokenCodec};
use artdag_kernel::Clock;
use artdag_kernel::testing::ManualClock;
use artdag_signing::{JwtCodec, SecretTooShort};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use ring::hmac;
use serde_json::{Value, json};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const HERE: &str = "https://art.example";

fn codec() -> JwtCodec {
    JwtCodec::new(SECRET).unwrap()
}

fn claims() -> Claims {
    let scope = Scope::Renderer("https://l1.example".parse().unwrap());
    Claims::new("giles".parse().unwrap(), HERE, scope, ManualClock::new().now(), TimeDelta::days(30), "é → 𝒳")
}

fn open(compact: impl Into<String>) -> Result<Claims, InvalidToken> {
    codec().open(&AccessToken::new(compact.into()))
}

fn forge(header: &Value, payload: &Value, algorithm: hmac::Algorithm, key: &[u8]) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(payload));
    let tag = hmac::sign(&hmac::Key::new(algorithm, key), message.as_bytes());
    format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
}

#[test]
fn opens_what_it_sealed_and_what_its_twin_sealed() {
    let token = codec().seal(&claims());
    // A second codec of the process, and an old token: time is checked elsewhere.
    assert_eq!(codec().open(&token), Ok(claims()));
    let payload = serde_json::to_value(claims()).unwrap();
    let header = json!({"alg": "HS256", "typ": "JWT"});
    assert_eq!(open(forge(&header, &payload, hmac::HMAC_SHA256, SECRET)), Ok(claims()));
    let other = JwtCodec::new(b"another secret of 32 bytes or more").unwrap();
    assert_eq!(other.open(&token), Err(InvalidToken));
}

#[test]
fn the_header_cannot_choose_the_algorithm() {
    let payload = serde_json::to_value(claims()).unwrap();
    let public_pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    for name in ["none", "None", "NONE", "", "HS384", "HS512", "RS256", "PS256", "ES256", "EdDSA", "hs256"] {
        let header = json!({"alg": name, "typ": "JWT"});
        for algorithm in [hmac::HMAC_SHA256, hmac::HMAC_SHA384, hmac::HMAC_SHA512] {
            for key in [SECRET, public_pem.as_bytes(), b""] {
                let token = forge(&header, &payload, algorithm, key);
                assert_eq!(open(&token), Err(InvalidToken), "{name}");
                let (message, _) = token.rsplit_once('.').unwrap();
                assert_eq!(open(format!("{message}.")), Err(InvalidToken), "{name}, unsigned");
            }
        }
    }
    let hs256 = json!({"alg": "HS256"});
    for key in [public_pem.as_bytes(), b""] {
        assert_eq!(open(forge(&hs256, &payload, hmac::HMAC_SHA256, key)), Err(InvalidToken));
    }
    for header in [json!({}), json!({"alg": ["HS256"]}), json!({"alg": null}), json!("HS256"), json!(null)] {
        assert_eq!(open(forge(&header, &payload, hmac::HMAC_SHA256, SECRET)), Err(InvalidToken), "{header}");
    }
}

#[test]
fn tampered_and_malformed_tokens_do_not_open() {
    let token = codec().seal(&claims());
    let good = token.reveal();
    for at in 0..good.len() {
        let mut bytes = good.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(open(String::from_utf8(bytes).unwrap()), Err(InvalidToken), "byte {at}");
        assert_eq!(open(&good[..at]), Err(InvalidToken), "cut at {at}");
    }
    let parts: Vec<_> = good.split('.').collect();
    let [header, payload, tag] = parts[..] else { panic!("three parts") };
    let admin = BASE64_URL_SAFE_NO_PAD.encode(r#"{"sub":"admin"}"#);
    let odd = [
        String::new(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        "é.é.é".to_owned(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!("{header}..{tag}"),
        format!(".{payload}.{tag}"),
        format!("{header}.{admin}.{tag}"),
        format!("{good}."),
        format!("{good}.{tag}"),
        format!(" {good}"),
        format!("{good}="),
        format!("{good}\n"),
        good.repeat(10_000),
        "a".repeat(10_000_000),
    ];
    for text in odd {
        assert_eq!(open(text.clone()), Err(InvalidToken), "{text:.80}");
    }
    for payload in [json!({}), json!([]), json!({"sub": 1}), json!("giles"), json!(null)] {
        let token = forge(&json!({"alg": "HS256"}), &payload, hmac::HMAC_SHA256, SECRET);
        assert_eq!(open(token), Err(InvalidToken), "{payload}");
    }
}

#[test]
fn the_secret_is_long_and_not_shown() {
    assert_eq!(JwtCodec::new(&SECRET[1..]).unwrap_err(), SecretTooShort);
    assert_eq!(format!("{:?}", codec()), "JwtCodec(..)");
}
