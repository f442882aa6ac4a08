//! A verifier in another language, written from the specifications, accepts both signatures and notices changes.

#![expect(clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use artdag_federation::{ActorSigner, KeyStore, data_integrity, engine_signature, multikey};
use artdag_kernel::testing::{ManualClock, SeededRandomness};
use artdag_signing::{FileKeyStore, HeavyWork, verify_ed25519, verify_rsa_sha256};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

const VERIFIER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/interop/verify_activity.py");
const ACTOR: &str = "https://art.example/users/giles";
const CREATED: &str = "2026-11-22T07:21:19Z";

/// The Python that has the packages of `tests/interop/requirements.txt`.
#[expect(clippy::disallowed_methods, reason = "the way `cargo xtask test` tells tests where its Python is")]
fn python() -> Option<OsString> {
    let python = std::env::var_os("ARTDAG_TEST_PYTHON");
    if python.is_none() {
        let skip = std::env::var_os("ARTDAG_TEST_SKIP_PYTHON").is_some_and(|skip| skip == "1");
        assert!(skip, "ARTDAG_TEST_PYTHON is not set: run `cargo xtask test`, or set ARTDAG_TEST_SKIP_PYTHON=1");
        eprintln!(
            "\n*** SKIPPED: signatures were NOT checked by the independent verifier (ARTDAG_TEST_SKIP_PYTHON=1)\n"
        );
    }
    python
}

/// What the verifier says: `Err` with its lines when it does not accept.
fn verdict(python: &OsString, activity: &str, actor: &Value) -> Result<(), String> {
    let mut command = Command::new(python);
    let mut child = command.arg(VERIFIER).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let input = json!({"activity": activity, "actor": actor}).to_string();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    match output.status.code() {
        Some(0) => {
            assert_eq!(said, "ok");
            Ok(())
        }
        Some(1) if !said.is_empty() => Err(said),
        other => panic!("the verifier broke: {other:?} {said}"),
    }
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
async fn our_own_verification_agrees() {
    let signer = signer().await;
    let public = signer.public_keys();
    let method = format!("{ACTOR}#ed25519-key");
    let verify = |document: &Value| {
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
