//! Published proofs: the same key makes the same value, and each verifies until one byte is changed.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use artdag_federation::data_integrity::{Fault, attach, verify};
use artdag_federation::{ActorSigner, multikey};
use artdag_kernel::testing::SeededRandomness;
use artdag_signing::{ActorKeys, new_keys, verify_ed25519};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

const SECRET: &str = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq";
const PUBLIC: &str = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";
const CREATED: &str = "2023-02-24T23:36:38Z";

/// FEP-8b32's `fep-8b32.feature`.
fn fep_8b32() -> (Value, &'static str, &'static str) {
    let document = json!({
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v2"],
        "id": "https://server.example/activities/1",
        "type": "Create",
        "actor": "https://server.example/users/alice",
        "object": {
            "id": "https://server.example/objects/1",
            "type": "Note",
            "attributedTo": "https://server.example/users/alice",
            "content": "Hello world",
            "location": {"type": "Place", "longitude": -71.184902, "latitude": 25.273962}
        }
    });
    let method = "https://server.example/users/alice#ed25519-key";
    (document, method, "z42ffGu6AUKPCFcFPiabmUvnGLPJzC7e4DGWC52NUasSSH37UMa9c58tdgVszUcZfytxa4fQ5TYHaJENCxUDe9SdL")
}

/// W3C's "Representation: eddsa-jcs-2022" of Data Integrity EdDSA Cryptosuites.
fn w3c() -> (Value, &'static str, &'static str) {
    let document = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "AlumniCredential"],
        "name": "Alumni Credential",
        "description": "A minimum viable example of an Alumni Credential.",
        "issuer": "https://vc.example/issuers/5678",
        "validFrom": "2023-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"}
    });
    let method =
        "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2#z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";
    (document, method, "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX")
}

/// The published secret, beside any RSA key.
fn keys() -> ActorKeys {
    let secret = bs58::decode(&SECRET[1..]).into_vec().unwrap();
    // `0x80 0x26` says "Ed25519 private key".
    let seed = secret.strip_prefix(&[0x80, 0x26]).unwrap();
    let pkcs8 = [&[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20], seed].concat();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64_STANDARD.encode(pkcs8));
    ActorKeys::from_pem(&new_keys::rsa(&SeededRandomness::default()).unwrap(), &pem).unwrap()
}

fn verdict(document: &Value, method: &str) -> Result<(), Fault> {
    let public = multikey::decode(PUBLIC).unwrap();
    let check = |message: &[u8; 64], signature: &[u8; 64]| verify_ed25519(&public, message, signature);
    verify(document.as_object().unwrap(), method, CREATED.parse().unwrap(), check)
}

#[test]
fn the_secret_belongs_to_the_public_key() {
    assert_eq!(multikey::encode(&keys().public_keys().ed25519), PUBLIC);
}

#[test]
fn signs_to_the_published_values() {
    let keys = keys();
    for (mut document, method, expected) in [fep_8b32(), w3c()] {
        attach(&mut document, &keys, method, CREATED).unwrap();
        assert_eq!(document["proof"]["proofValue"], expected);
        assert_eq!(document["proof"]["@context"], document["@context"]);
        assert_eq!(verdict(&document, method), Ok(()));
    }
}

#[test]
fn the_w3c_hashes_and_signature() {
    let (mut document, method, _) = w3c();
    attach(&mut document, &keys(), method, CREATED).unwrap();
    let check = |message: &[u8; 64], signature: &[u8; 64]| {
        assert_eq!(hex::encode(&message[..32]), "66ab154f5c2890a140cb8388a22a160454f80575f6eae09e5a097cabe539a1db");
        assert_eq!(hex::encode(&message[32..]), "59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19");
        let expected = "407cd12654b33d718ecbb99179a1506daaa849450bf3fc523cce3e1c96f8b80351da3f253d725c6f00b07c9e5448d50b3ef78012b9ab54255116d069c6dd2808";
        assert_eq!(hex::encode(signature), expected);
        true
    };
    assert_eq!(verify(document.as_object().unwrap(), method, CREATED.parse().unwrap(), check), Ok(()));
}

#[test]
fn one_changed_byte_is_noticed() {
    for (mut document, method, value) in [fep_8b32(), w3c()] {
        attach(&mut document, &keys(), method, CREATED).unwrap();
        let text = document.to_string();
        for (from, to) in [("https://server", "https://serves"), ("School", "Schoo1"), ("Hello", "Hallo")] {
            if text.contains(from) {
                let changed = serde_json::from_str(&text.replacen(from, to, 1)).unwrap();
                assert_eq!(verdict(&changed, method), Err(Fault::Mismatch), "{from}");
            }
        }
        let mut changed = document.clone();
        changed["proof"]["created"] = json!("2023-02-24T23:36:39Z");
        assert_eq!(verdict(&changed, method), Err(Fault::Mismatch));
        let mut changed = document.clone();
        let other = if value.ends_with('L') { 'M' } else { 'L' };
        changed["proof"]["proofValue"] = json!(format!("{}{other}", &value[..value.len() - 1]));
        assert_eq!(verdict(&changed, method), Err(Fault::Mismatch));
    }
}
