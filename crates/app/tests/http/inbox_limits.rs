//! What strangers may cause, and what old or repeated words are worth.

use crate::federation::{among_peers, follow};
use crate::peer::{ACTIVITY_JSON, Peer, SILENCE, unique};
use crate::support::{TestApp, hash_of};
use artdag_database::{DatabaseUrl, open};
use artdag_federation::SignatureScheme::{Cavage, Rfc9421};
use artdag_federation::{DomainAction, DomainRule, Iri};
use artdag_registry::Store;
use chrono::TimeDelta;
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

fn iri(text: &str) -> Iri {
    text.parse().unwrap()
}

among_peers! {
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
