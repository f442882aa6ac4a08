//! Mail that comes late: deletions that overtake what they delete.

use crate::federation::{among_peers, follow};
use crate::peer::Peer;
use crate::support::{Account, TestApp, hash_of, plain_claim};
use reqwest::Method;
use serde_json::{Value, json};

/// The names of what is heard.
async fn heard(app: &TestApp, who: &Account) -> Vec<String> {
    let answer = app.send(Method::GET, "/federation/heard", who, &Value::Null).await;
    let items = answer.body["heard"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
    items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

/// What deletes a claim.
type Deletion = fn(&Peer, &Value) -> Value;

/// Deletions that come before the claim of `bob`, and whether the claim appears after that.
const EARLY: &[(&str, Deletion, bool)] = &[
    ("the object", |peer, claim| peer.activity("bob", "Delete", claim["object"]["id"].clone()), false),
    (
        "a tombstone",
        |peer, claim| peer.activity("bob", "Delete", json!({"id": claim["object"]["id"], "type": "Tombstone"})),
        false,
    ),
    ("the activity", |peer, claim| peer.activity("bob", "Delete", claim["id"].clone()), false),
    ("something else", |peer, _| peer.activity("bob", "Delete", json!(peer.actor("bob/other"))), true),
    ("somebody else's", |peer, claim| peer.activity("eve", "Delete", claim["object"]["id"].clone()), true),
    ("a stranger's", |peer, claim| peer.activity("mallory", "Delete", claim["object"]["id"].clone()), true),
    ("another's activity", |peer, claim| peer.activity("eve", "Delete", claim["id"].clone()), true),
];

among_peers! {
    async fn a_deletion_that_comes_first_counts(app: TestApp) {
        let (giles, peer) = (app.register("giles").await, Peer::start().await);
        for actor in ["bob", "eve"] {
            follow(&app, &giles, "giles", &peer, actor).await;
        }
        let inbox = app.url("/inbox");
        let mut expected = Vec::new();
        for (name, deletion, appears) in EARLY {
            let mut claim = peer.claim("bob", &hash_of(name));
            claim["object"]["name"] = json!(name);
            let deletion = deletion(&peer, &claim);
            let by = deletion["actor"].as_str().unwrap().rsplit('/').next().unwrap();
            assert_eq!(peer.post(by, &inbox, &deletion).await, 202, "{name}");
            if *appears {
                expected.insert(0, (*name).to_owned());
            }
            // The activity itself, a copy of it, and the same told anew; a change of it afterwards brings nothing back.
            let mut again = peer.activity("bob", "Create", claim["object"].clone());
            for _ in 0..2 {
                assert_eq!(peer.post("bob", &inbox, &claim).await, 202, "{name}");
                assert_eq!(heard(&app, &giles).await, expected, "{name}");
            }
            if *name == "the activity" {
                continue;
            }
            assert_eq!(peer.post("bob", &inbox, &again).await, 202, "{name}");
            again["type"] = json!("Update");
            again["id"] = json!(peer.actor(&format!("bob#{}", crate::peer::unique())));
            assert_eq!(peer.post("bob", &inbox, &again).await, 202, "{name}");
            assert_eq!(heard(&app, &giles).await, expected, "{name}");
        }

        // Nor is it told as a claim to content that is registered here.
        app.claim(&giles, &plain_claim("the object")).await;
        let claims = app.get(&format!("/objects/{}/claims", hash_of("the object"))).await;
        assert_eq!(claims.body["claims"].as_array().map(Vec::len), Some(1), "{claims:?}");
        assert_eq!(claims.body["contested"], false, "{claims:?}");
    }

    async fn a_strangers_deletion_leaves_nothing(app: TestApp) {
        let (giles, peer) = (app.register("giles").await, Peer::start().await);
        let claim = peer.claim("bob", &hash_of("b"));
        let deletion = peer.activity("bob", "Delete", claim["object"]["id"].clone());
        assert_eq!(peer.post("bob", &app.url("/inbox"), &deletion).await, 202);
        follow(&app, &giles, "giles", &peer, "bob").await;
        assert_eq!(peer.post("bob", &app.url("/inbox"), &claim).await, 202);
        assert_eq!(heard(&app, &giles).await, ["bob's picture"]);
    }
}
