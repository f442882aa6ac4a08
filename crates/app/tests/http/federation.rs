//! With other servers: what they send, and what is sent to them.

use crate::peer::Peer;
use crate::support::{Account, TestApp, hash_of, plain_claim};
use reqwest::Method;
use serde_json::{Value, json};

/// Makes each test twice, with a server that may call loopback.
macro_rules! among_peers {
    ($($(#[doc = $doc:literal])* async fn $name:ident($app:ident: $type:ident) $body:block)+) => {
        $($(#[doc = $doc])* async fn $name($app: $type) $body)+

        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::support::TestApp::on_sqlite($crate::federation::PEERS).await).await;
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if let Some(app) = $crate::support::TestApp::on_postgres($crate::federation::PEERS).await {
                    super::$name(app).await;
                }
            })+
        }
    };
}
pub(crate) use among_peers;

/// What a server is told that has its peers on loopback.
pub(crate) const PEERS: &[(&str, &str)] = &[("ALLOW_PRIVATE_NETWORKS", "127.0.0.0/8")];

/// Lets a user here follow an actor there, as far as the two servers are concerned.
pub(crate) async fn follow(app: &TestApp, who: &Account, username: &str, peer: &Peer, actor: &str) {
    let asked = app.post("/federation/follow", who, &json!({"actor": peer.handle(actor)})).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let inbox = format!("/users/{actor}/inbox");
    let follow = peer.hears(&inbox, |activity| activity["type"] == "Follow").await;
    assert_eq!(follow["object"], json!(peer.actor(actor)));
    let accept = peer.activity(actor, "Accept", follow);
    assert_eq!(peer.post(actor, &app.url(&format!("/users/{username}/inbox")), &accept).await, 202);
    let following = app.send(Method::GET, "/federation/following?state=accepted", who, &Value::Null).await;
    assert_eq!(following.body["following"][0]["actor"], json!(peer.actor(actor)), "{following:?}");
}

among_peers! {
    async fn a_follower_gets_what_is_published(app: TestApp) {
        let (giles, peer) = (app.register("giles").await, Peer::start().await);
        let follow = peer.activity("alice", "Follow", json!(app.url("/users/giles")));
        assert_eq!(peer.post("alice", &app.url("/users/giles/inbox"), &follow).await, 202);
        let accept = peer.hears("/users/alice/inbox", |a| a["type"] == "Accept").await;
        assert_eq!(accept["object"]["id"], follow["id"]);
        let followers = app.get("/users/giles/followers").await;
        assert_eq!(followers.body["totalItems"], 1);
        let page = app.get("/users/giles/followers?page=true").await;
        assert_eq!(page.body["orderedItems"], json!([peer.actor("alice")]));

        app.claim(&giles, &plain_claim("a")).await;
        let create = peer.hears("/inbox", |a| a["type"] == "Create").await;
        assert_eq!(create["object"]["content"], json!(hash_of("a")));
        // Exactly the bytes that were signed.
        let canonical = app.text(&format!("{}/canonical.json", create["id"].as_str().unwrap())).await;
        assert_eq!(create.to_string(), serde_json::from_str::<Value>(&canonical).unwrap().to_string());
        let headers = peer.received_headers("/inbox").remove(0);
        assert!(headers["collection-synchronization"].contains("/users/giles/followers"), "{headers:?}");

        let undo = peer.activity("alice", "Undo", follow);
        assert_eq!(peer.post("alice", &app.url("/inbox"), &undo).await, 202);
        assert_eq!(app.get("/users/giles/followers").await.body["totalItems"], 0);
    }

    async fn what_is_followed_is_heard(app: TestApp) {
        let (giles, peer) = (app.register("giles").await, Peer::start().await);
        follow(&app, &giles, "giles", &peer, "bob").await;
        let claim = peer.with_proof("bob", peer.claim("bob", &hash_of("b")));
        assert_eq!(peer.post("bob", &app.url("/inbox"), &claim).await, 202);
        let heard = app.send(Method::GET, "/federation/heard", &giles, &Value::Null).await;
        assert_eq!(heard.body["heard"][0]["content_hash"], json!(hash_of("b")), "{heard:?}");
        assert_eq!(heard.body["heard"][0]["signatures"], json!(["eddsa-jcs-2022"]));

        app.claim(&giles, &plain_claim("b")).await;
        let claims = app.get(&format!("/objects/{}/claims", hash_of("b"))).await;
        assert_eq!(claims.body["contested"], true, "{claims:?}");
        let origins: Vec<&Value> = claims.body["claims"].as_array().unwrap().iter().map(|c| &c["origin"]).collect();
        assert_eq!(origins, ["elsewhere", "here"]);

        let object = claim["object"]["id"].clone();
        let delete = peer.activity("bob", "Delete", json!({"id": object, "type": "Tombstone"}));
        assert_eq!(peer.post("bob", &app.url("/inbox"), &delete).await, 202);
        let claims = app.get(&format!("/objects/{}/claims", hash_of("b"))).await;
        assert_eq!(claims.body["contested"], false, "{claims:?}");
        assert!(claims.body["claims"][0]["withdrawn_at"].is_string(), "{claims:?}");
    }
}
