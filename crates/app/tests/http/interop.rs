//! Somebody else's code checks what this server serves.

use crate::support::{TestApp, hash_of, on_both_databases};
use artdag_testing::{interop_file, python};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Stdio};

/// Whether the independent verifier accepts both signatures.
fn accepts(python: &OsStr, activity: &str, actor: &Value) -> bool {
    let mut child = Command::new(python)
        .arg(interop_file("verify_activity.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let input = json!({"activity": activity, "actor": actor}).to_string();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    output.status.success()
}

on_both_databases! {
    async fn an_independent_verifier_accepts_both_signatures(app: TestApp) {
        let Some(python) = python("signatures were NOT checked by an independent verifier") else { return };
        let giles = app.register("giles").await;
        let name = "été → ✨ 𝒳 \"\\ \u{7f}é".replace('\u{7f}', "");
        let claim = json!({
            "name": name, "content_hash": hash_of("a"), "asset_type": "image", "tags": ["dé", "✨"],
            "description": "</script> & \"quotes\"\n\ttabs, 👩‍🎨", "provenance": {"inputs": [hash_of("b")], "recipe": {"bpm": 120.50, "é": [1e3]}},
        });
        app.claim(&giles, &claim).await;
        let path = format!("/assets/{}", url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20"));
        app.send(reqwest::Method::PATCH, &path, &giles, &json!({"tags": ["𝒳"]})).await;
        assert_eq!(app.send(reqwest::Method::DELETE, &path, &giles, &json!({})).await.status, 200);
        let actor = app.get("/users/giles").await.body;
        let activities = app.get("/activities").await.body["activities"].clone();
        assert_eq!(activities.as_array().unwrap().len(), 3);
        for activity in activities.as_array().unwrap() {
            let text = app.text(activity["canonical"].as_str().unwrap()).await;
            assert!(accepts(&python, &text, &actor), "{text}");
            let changed = text.replacen("published\":\"2", "published\":\"3", 1);
            assert!(changed != text && !accepts(&python, &changed, &actor), "{changed}");
        }
    }
}
