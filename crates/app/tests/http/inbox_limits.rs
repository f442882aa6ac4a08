//! What strangers may cause, and what old or repeated words are worth.

use crate::federation::{among_peers, follow};
use crate::peer::{ACTIVITY_JSON, Outgoing, Peer, SILENCE, unique};
use crate::support::{TestApp, hash_of, plain_claim};
use artdag_database::{DatabaseUrl, open};
use artdag_federation::SignatureScheme::{Cavage, Rfc9421};
use artdag_federation::{DomainAction, DomainRule, Iri};
use artdag_kernel::{Page, PageLimit};
use artdag_registry::Store;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

async fn store(app: &TestApp) -> Arc<dyn Store> {
    let url: &DatabaseUrl = &app.settings.database;
    open(url, 2).await.unwrap()
}

async fn followers(app: &TestApp) -> Value {
    app.get("/users/giles/followers").await.body["totalItems"].clone()
}

/// A request to giles' inbox that is signed this many seconds from now. Sent again it is a copy.
fn signed(app: &TestApp, peer: &Peer, activity: &Value, seconds: i64) -> Outgoing {
    let inbox = app.url("/users/giles/inbox");
    peer.sign("alice", Cavage, &inbox, &activity.to_string(), TimeDelta::seconds(seconds))
}

async fn claims(app: &TestApp, name: &str) -> Value {
    app.get(&format!("/objects/{}/claims", hash_of(name))).await.body
}

fn iri(text: &str) -> Iri {
    text.parse().unwrap()
}

among_peers! {
    /// Misskey's ids of a follow and of its end are the same for a pair whenever it happens.
    async fn who_asks_again_with_the_same_id_follows_again(app: TestApp) {
        let (giles, peer) = (app.register("giles").await, Peer::start().await);
        let mut wish = peer.activity("alice", "Follow", json!(app.url("/users/giles")));
        wish["id"] = json!(peer.actor("alice/follows/giles"));
        let mut undo = peer.activity("alice", "Undo", wish.clone());
        undo["id"] = json!(peer.actor("alice/follows/giles/undo"));
        let wishes = [0, 20, 40, 60, 70].map(|seconds| signed(&app, &peer, &wish, seconds));
        let undoings = [10, 30, 50].map(|seconds| signed(&app, &peer, &undo, seconds));
        let [wish, wish20, wish40, wish60, wish70] = &wishes;
        let [undo, undo30, undo50] = &undoings;
        for (n, (outgoing, expected)) in [
            (wish, 1), (undo, 0), (wish20, 1), (undo30, 0), (wish40, 1),
            // Copies of what was signed before.
            (undo30, 1), (undo, 1), (undo50, 0), (wish40, 0), (wish20, 0), (wish60, 1),
        ].into_iter().enumerate() {
            assert_eq!(peer.send(outgoing.clone()).await.status(), 202);
            assert_eq!(followers(&app).await, expected, "step {n}");
        }
        // Whom the user removes may ask again.
        let reject = "/federation/followers/reject";
        let removed = app.post(reject, &giles, &json!({"actor": peer.actor("alice")})).await;
        assert!(removed.status.is_success(), "{removed:?}");
        for (outgoing, expected) in [(wish60, 0), (wish70, 1)] {
            assert_eq!(peer.send(outgoing.clone()).await.status(), 202);
            assert_eq!(followers(&app).await, expected);
        }
    }

    async fn who_asks_without_end_is_not_told_without_end(app: TestApp) {
        let (_giles, peer) = (app.register("giles").await, Peer::start().await);
        for _ in 0..20 {
            let wish = peer.activity("alice", "Follow", json!(app.url("/users/giles")));
            assert_eq!(peer.post("alice", &app.url("/inbox"), &wish).await, 202);
        }
        let like = peer.activity("bob", "Follow", json!(app.url("/users/giles")));
        assert_eq!(peer.post("bob", &app.url("/inbox"), &like).await, 202);
        peer.hears("/users/bob/inbox", |a| a["type"] == "Accept").await;
        assert_eq!(peer.received("/users/alice/inbox").len(), 1);
        assert_eq!(followers(&app).await, 2);
    }

    async fn a_follow_of_one_who_was_forgotten_is_not_lost(app: TestApp) {
        let (_giles, peer) = (app.register("giles").await, Peer::start().await);
        let dance = peer.activity("alice", "Dance", json!(null));
        assert_eq!(peer.post("alice", &app.url("/inbox"), &dance).await, 202);
        // The key is still at hand when the sweep forgets its owner.
        let mut unit = store(&app).await.begin().await.unwrap();
        assert!(unit.forget_remote_actor(&iri(&peer.actor("alice")), chrono::DateTime::UNIX_EPOCH).await.unwrap());
        unit.commit().await.unwrap();
        let wish = peer.activity("alice", "Follow", json!(app.url("/users/giles")));
        assert_eq!(peer.post("alice", &app.url("/inbox"), &wish).await, 429);
        let mut unit = store(&app).await.begin().await.unwrap();
        unit.sweep_federation(chrono::DateTime::from_timestamp(4_000_000_000, 0).unwrap()).await.unwrap();
        unit.commit().await.unwrap();
        assert_eq!(peer.post("alice", &app.url("/inbox"), &wish).await, 202);
        assert_eq!(followers(&app).await, 1);
    }

    async fn a_slow_page_holds_up_nobody_elses_first_word(app: TestApp) {
        let (_giles, peer) = (app.register("giles").await, Peer::start().await);
        peer.put("/users/slow", SILENCE, ACTIVITY_JSON, "");
        let inbox = app.url("/users/giles/inbox");
        let wish = peer.activity("alice", "Follow", json!(app.url("/users/giles")));
        let outgoing = peer.sign_with(&peer.key("slow"), crate::peer::first_keys().as_ref(), Cavage, &inbox, &wish.to_string(), TimeDelta::zero());
        assert_eq!(peer.send(outgoing).await.status(), 429);
        assert_eq!(peer.post("alice", &inbox, &wish).await, 202);
        assert_eq!(followers(&app).await, 1);
    }

    async fn redirects_lead_to_nobody_who_is_blocked(app: TestApp) {
        let (giles, peer) = (app.register("giles").await, Peer::start().await);
        let blocked = Peer::start().await.base.replace("127.0.0.1", "localhost");
        let mut unit = store(&app).await.begin().await.unwrap();
        let created_at = chrono::DateTime::UNIX_EPOCH;
        let rule = DomainRule { pattern: "localhost".parse().unwrap(), action: DomainAction::Block, reason: None, created_at };
        unit.save_domain_rule(&rule).await.unwrap();
        unit.commit().await.unwrap();
        peer.put("/users/eve", 302, "text/plain", format!("{blocked}/users/eve"));
        for actor in [peer.actor("eve"), format!("{blocked}/users/eve"), format!("@eve@{}", blocked.trim_start_matches("http://").to_uppercase())] {
            let asked = app.post("/federation/follow", &giles, &json!({"actor": actor})).await;
            asked.assert_problem(403, "not-federated");
        }
    }

    async fn one_activity_causes_so_many_requests_and_no_more(app: TestApp) {
        let (giles, peer) = (app.register("giles").await, Peer::start().await);
        follow(&app, &giles, "giles", &peer, "alice").await;
        // Each proof names another key, whose page leads on and on, and each is asked for in two ways.
        let mut claim = peer.with_proof("alice", peer.claim("alice", &hash_of("x")));
        let proofs: Vec<Value> = (0..3).map(|n| {
            let path = format!("/keys/{}", unique());
            for hop in 0..4 {
                let from = if hop == 0 { path.clone() } else { format!("{path}/{hop}") };
                let to = format!("{}{path}/{}", peer.base, hop + 1);
                if hop < 3 { peer.put(&from, 302, "text/plain", to) } else { peer.put(&from, 401, "text/plain", "") }
            }
            let mut proof = claim["proof"].clone();
            proof["verificationMethod"] = json!(format!("{}{path}#{n}", peer.base));
            proof
        }).collect();
        claim["proof"] = json!(proofs);
        let before = peer.all_fetches();
        assert_eq!(peer.post("alice", &app.url("/inbox"), &claim).await, 202);
        assert_eq!(peer.all_fetches() - before, 20);
    }

    async fn an_old_key_is_asked_for_anew(app: TestApp) {
        let (_giles, peer) = (app.register("giles").await, Peer::start().await);
        let dance = || peer.activity("alice", "Dance", json!(null));
        assert_eq!(peer.post("alice", &app.url("/inbox"), &dance()).await, 202);
        assert_eq!(peer.fetches("/users/alice"), 1);
        let other = peer.activity("bob", "Dance", json!(null));
        let store = store(&app).await;
        let mut bob = store.read().await.unwrap().find_remote_actor(&iri(&peer.actor("alice"))).await.unwrap().unwrap();
        let renamed = |text: &Iri| iri(&text.as_str().replace("/alice", "/bob"));
        bob.actor.id = renamed(&bob.actor.id);
        bob.actor.inbox = renamed(&bob.actor.inbox);
        bob.actor.keys.iter_mut().for_each(|key| key.id = renamed(&key.id));
        let mut unit = store.begin().await.unwrap();
        unit.save_remote_actor(&bob.actor, bob.fetched_at - TimeDelta::hours(25)).await.unwrap();
        unit.commit().await.unwrap();
        assert_eq!(peer.post("bob", &app.url("/inbox"), &other).await, 202);
        for _ in 0..500 {
            if peer.fetches("/users/bob") > 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(peer.fetches("/users/bob"), 1);
        assert_eq!(peer.post("alice", &app.url("/inbox"), &dance()).await, 202);
        assert_eq!(peer.fetches("/users/alice"), 1, "that one is new enough");
    }

    async fn notices_and_posts_fill_no_disk(app: TestApp) {
        let (giles, peer) = (app.register("giles").await, Peer::start().await);
        for _ in 0..102 {
            let flag = peer.activity("eve", "Flag", json!(app.url("/users/giles")));
            assert_eq!(peer.post("eve", &app.url("/inbox"), &flag).await, 202);
        }
        let page = Page::newest(PageLimit::new(200).unwrap());
        let store = store(&app).await;
        assert_eq!(store.read().await.unwrap().list_notices(page).await.unwrap().items.len(), 100);

        follow(&app, &giles, "giles", &peer, "bob").await;
        let mut post = peer.claim("bob", "<p>no hash</p>");
        post["object"]["type"] = json!("Note");
        assert_eq!(peer.post("bob", &app.url("/inbox"), &post).await, 202);
        let claim = peer.claim("bob", &hash_of("x"));
        assert_eq!(peer.post("bob", &app.url("/inbox"), &claim).await, 202);
        let mut reader = store.read().await.unwrap();
        for (activity, is_kept) in [(&post, false), (&claim, true)] {
            let heard = reader.find_heard(&iri(activity["object"]["id"].as_str().unwrap())).await.unwrap().unwrap();
            assert_eq!(!heard.document.is_empty(), is_kept, "{heard:?}");
        }
    }

    async fn a_hundred_false_claims_do_not_keep_out_a_true_one(app: TestApp) {
        let (giles, crowd, author) = (app.register("giles").await, Peer::start().await, Peer::start().await);
        app.claim(&giles, &plain_claim("x")).await;
        for n in 0..101 {
            let mut claim = crowd.claim("eve", &hash_of("x"));
            if n % 2 == 0 {
                claim = crowd.with_proof("eve", claim);
            }
            assert_eq!(crowd.post("eve", &app.url("/inbox"), &claim).await, 202);
        }
        let told = async || claims(&app, "x").await["claims"].as_array().unwrap().clone();
        assert_eq!(told().await.len(), 101);
        let long = author.with_proof("ada", { let mut claim = author.claim("ada", &hash_of("x")); claim["object"]["summary"] = json!("x".repeat(70_000)); claim });
        assert_eq!(author.post("ada", &app.url("/inbox"), &long).await, 202);
        assert!(told().await.iter().all(|claim| claim["actor"] != json!(author.actor("ada"))), "too long for a stranger");
        let true_one = author.with_proof("ada", author.claim("ada", &hash_of("x")));
        assert_eq!(author.post("ada", &app.url("/inbox"), &true_one).await, 202);
        let all = told().await;
        assert_eq!(all.len(), 101);
        assert!(all.iter().any(|claim| claim["object"] == true_one["object"]["id"]), "{all:#?}");
    }

    async fn a_claim_is_shown_with_its_anchor(app: TestApp) {
        let giles = app.register("giles").await;
        app.claim(&giles, &plain_claim("x")).await;
        let path = format!("/objects/{}/claims", hash_of("x"));
        let shown = app.eventually(&path, |body| body["claims"][0]["activity_index"] == 0).await;
        assert_eq!(shown["claims"][0]["anchor"], json!({"status": "unanchored"}), "{shown:#}");
        assert_eq!(shown["proven_first"], Value::Null);
        app.send(Method::DELETE, "/assets/x", &giles, &Value::Null).await;
        let shown = claims(&app, "x").await;
        assert_eq!(shown["claims"][0]["activity_index"], 0, "its place outlasts it: {shown:#}");
    }

    /// Many large bodies whose keys do not come: some wait, and the others are told to come again.
    async fn those_who_wait_for_keys_hold_so_much_and_no_more(app: TestApp) {
        let (_giles, peer) = (app.register("giles").await, Peer::start().await);
        let inbox = app.url("/inbox");
        let waiting = (0..16).map(|n| {
            let name = format!("slow{n}");
            peer.put(&format!("/users/{name}"), SILENCE, ACTIVITY_JSON, "");
            let mut activity = peer.activity(&name, "Dance", json!(null));
            activity["summary"] = json!("x".repeat(1_000_000));
            let outgoing = peer.sign(&name, Rfc9421, &inbox, &activity.to_string(), TimeDelta::zero());
            async {
                let start = Instant::now();
                let answer = peer.send(outgoing).await;
                assert_eq!(answer.status(), 429);
                assert!(answer.headers().contains_key("retry-after"));
                start.elapsed().as_secs() < 3
            }
        });
        let at_once = futures_util::future::join_all(waiting).await.into_iter().filter(|at_once| *at_once).count();
        assert!((4..=6).contains(&at_once), "{at_once} of 16 were sent away at once");
    }
}
