//! Signed activities, by a verifier that was written from the specifications, and by one of others.

use crate::tools::{self, node, node_folder, python};
use artdag_federation::{ActorSigner, KeyStore, data_integrity, engine_signature, multikey};
use artdag_kernel::testing::{ManualClock, SeededRandomness};
use artdag_signing::{FileKeyStore, HeavyWork, verify_ed25519, verify_rsa_sha256};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::process::Command;
use std::sync::Arc;

const VERIFIER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/interop/verify_activity.py");
const VERIFY_PROOF: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/interop/node/verify_proof.mjs"));
const ACTOR: &str = "https://art.example/users/giles";
const CREATED: &str = "2026-11-22T07:21:19Z";

/// What the verifier says: `Err` with its lines when it does not accept.
fn verdict(python: &OsString, activity: &str, actor: &Value) -> Result<(), String> {
    let input = json!({"activity": activity, "actor": actor});
    tools::verdict(Command::new(python).arg(VERIFIER), &input).map(|said| assert_eq!(said, "ok"))
}

async fn signer() -> Arc<dyn ActorSigner> {
    let directory = tempfile::tempdir().unwrap();
    let (randomness, clock) = (Arc::new(SeededRandomness::default()), Arc::new(ManualClock::new()));
    let store = FileKeyStore::new(directory.path(), randomness, clock, HeavyWork::one_per_core());
    let giles = "giles".parse().unwrap();
    store.ensure(&giles).await.unwrap();
    store.signer(&giles).await.unwrap().unwrap()
}

fn actor(signer: &dyn ActorSigner) -> Value {
    let public = signer.public_keys();
    json!({
        "id": ACTOR,
        "type": "Person",
        "publicKey": {"id": format!("{ACTOR}#main-key"), "owner": ACTOR, "publicKeyPem": public.rsa_pem},
        "assertionMethod": [{
            "id": format!("{ACTOR}#ed25519-key"),
            "type": "Multikey",
            "controller": ACTOR,
            "publicKeyMultibase": multikey::encode(&public.ed25519),
        }],
    })
}

fn signed(signer: &dyn ActorSigner) -> Value {
    let mut activity = json!({
        "@context": [
            "https://www.w3.org/ns/activitystreams",
            "https://w3id.org/security/data-integrity/v1",
            {"artdag": "https://art.example/ns#"},
        ],
        "id": "https://art.example/activities/019339f0-0000-7000-8000-000000000001",
        "type": "Create",
        "actor": ACTOR,
        "published": "2026-11-22T07:21:19.000001Z",
        "to": ["https://www.w3.org/ns/activitystreams#Public"],
        "object": {
            "type": "Image",
            "name": "été → ✨ 𝒳",
            "summary": "\"quoted\" \\ / \u{7f} \u{80} \u{2028} \t line\nbreak \u{1}",
            // Their order differs between code points and UTF-16.
            "\u{1f600}": true,
            "\u{fb33}": null,
            "tag": [],
        },
    });
    engine_signature::attach(&mut activity, signer, &format!("{ACTOR}#main-key"), CREATED).unwrap();
    data_integrity::attach(&mut activity, signer, &format!("{ACTOR}#ed25519-key"), CREATED).unwrap();
    activity
}

#[tokio::test]
async fn an_independent_verifier_agrees() {
    let Some(python) = python() else { return };
    let signer = signer().await;
    let (actor, text) = (actor(&*signer), signed(&*signer).to_string());
    assert_eq!(verdict(&python, &text, &actor), Ok(()));

    let both = "signature: does not match the activity\nproof: does not match the activity";
    assert_eq!(verdict(&python, &text.replacen("été", "êté", 1), &actor), Err(both.to_owned()));
    // Outside the six members of the engine.
    let proof_only = "proof: does not match the activity";
    assert_eq!(verdict(&python, &text.replacen("#Public", "#public", 1), &actor), Err(proof_only.to_owned()));
    let mut document: Value = serde_json::from_str(&text).unwrap();
    document["@context"].as_array_mut().unwrap().push(json!("https://other.example/ns"));
    assert_eq!(verdict(&python, &document.to_string(), &actor), Ok(()), "terms may be added behind");

    let mut stranger = actor.clone();
    stranger["assertionMethod"][0]["controller"] = json!("https://art.example/users/eve");
    stranger["publicKey"]["owner"] = json!("https://art.example/users/eve");
    let refused = verdict(&python, &text, &stranger).unwrap_err();
    assert!(refused.contains("does not own") && refused.contains("controlled by somebody else"), "{refused}");
}

#[tokio::test]
async fn the_cryptosuite_of_others_agrees() {
    let Some(folder) = node_folder() else { return };
    let signer = signer().await;
    let method = actor(&*signer)["assertionMethod"][0].clone();
    let activity = signed(&*signer);
    let check = |activity: &Value| {
        let input = json!({"activity": activity, "method": method});
        tools::verdict(&mut node(&folder, VERIFY_PROOF), &input)
    };
    assert_eq!(check(&activity), Ok("ok".to_owned()));
    for edit in [
        (|activity| activity["object"]["name"] = json!("other")) as fn(&mut Value),
        |activity| activity["published"] = json!("2026-11-22T07:21:19.000002Z"),
        |activity| activity["proof"]["created"] = json!("2026-11-22T07:21:20Z"),
    ] {
        let mut changed = activity.clone();
        edit(&mut changed);
        assert_eq!(check(&changed), Err("the proof does not match".to_owned()));
    }
    let mut changed = activity.clone();
    changed["@context"][2]["artdag"] = json!("https://eve.example/ns#");
    assert!(check(&changed).is_err());
}

#[tokio::test]
async fn our_own_verification_agrees() {
    let signer = signer().await;
    let public = signer.public_keys();
    let method = format!("{ACTOR}#ed25519-key");
    let verify = |document: &Value| {
        let document = document.as_object().unwrap();
        let engine = engine_signature::verify(document, |m, s| verify_rsa_sha256(&public.rsa_pem, m, s));
        let proof = data_integrity::verify(document, &method, CREATED.parse().unwrap(), |m, s| {
            verify_ed25519(&public.ed25519, m, s)
        });
        (engine, proof)
    };
    let document = signed(&*signer);
    assert_eq!(verify(&document), (Ok(()), Ok(())));
    let changed: Value = serde_json::from_str(&document.to_string().replacen("été", "êté", 1)).unwrap();
    let expected = (Err(engine_signature::Fault::Mismatch), Err(data_integrity::Fault::Mismatch));
    assert_eq!(verify(&changed), expected);
}
