//! Hostile and odd requests to inboxes that are well signed: nobody speaks for another, and what is said has the effect
//! that it should have and no other.

use crate::federation::{among_peers, follow};
use crate::inbox_torture::Scene;
use crate::peer::{Peer, second_keys};
use crate::support::{Account, TestApp, hash_of, plain_claim};
use artdag_federation::SignatureScheme::{Cavage, Rfc9421};
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

among_peers! {
    async fn nobody_speaks_for_another(app: TestApp) {
        let scene = Scene::new(app).await;
        let (peer, other) = (&scene.peer, Peer::start().await);
        let giles = json!(scene.app.url("/users/giles"));
        let edit = |edit: &dyn Fn(&mut Value)| {
            let mut wish = scene.wish();
            edit(&mut wish);
            wish.to_string()
        };
        let proof_by_eve = peer.with_proof("eve", peer.activity("alice", "Follow", giles.clone()));
        let mut tampered = other.with_proof("bob", other.activity("bob", "Follow", giles.clone()));
        tampered["published"] = json!("2026-11-22T07:21:19Z");
        let rows: Vec<(&str, String, u16)> = vec![
            ("somebody else of the same server", edit(&|w| w["actor"] = json!(peer.actor("eve"))), 401),
            ("somebody of another server", edit(&|w| { w["actor"] = json!(other.actor("alice")); w["id"] = json!(other.actor("alice#1")) }), 401),
            ("somebody here", edit(&|w| { w["actor"] = giles.clone(); w["id"] = json!(scene.app.url("/activities/1")) }), 401),
            ("an id of another server", edit(&|w| w["id"] = json!(other.actor("alice#1"))), 400),
            ("no id", edit(&|w| w["id"] = json!(null)), 400),
            ("an id that is a number", edit(&|w| w["id"] = json!(7)), 400),
            ("an id that is no URL", edit(&|w| w["id"] = json!("urn:uuid:1")), 400),
            ("no actor", edit(&|w| w["actor"] = json!(null)), 400),
            ("an actor that is a number", edit(&|w| w["actor"] = json!(7)), 400),
            ("two actors", edit(&|w| w["actor"] = json!([peer.actor("alice"), peer.actor("eve")])), 400),
            ("no type", edit(&|w| w["type"] = json!(null)), 400),
            ("another's object", peer.activity("alice", "Create", json!({"id": other.actor("o"), "type": "Note"})).to_string(), 400),
            ("an object of another", peer.activity("alice", "Create", json!({"id": peer.actor("o"), "type": "Note", "attributedTo": peer.actor("eve")})).to_string(), 400),
            ("an object without id", peer.activity("alice", "Create", json!({"type": "Note"})).to_string(), 400),
            ("another server's deletion", peer.activity("alice", "Delete", json!(other.actor("o"))).to_string(), 400),
            ("another's profile", peer.activity("alice", "Update", json!({"id": peer.actor("eve"), "type": "Person"})).to_string(), 400),
            ("another's follow undone", peer.activity("alice", "Undo", json!({"id": peer.actor("eve#1"), "type": "Follow", "actor": peer.actor("eve"), "object": giles})).to_string(), 400),
            ("another server's undone", peer.activity("alice", "Undo", json!(other.actor("alice#1"))).to_string(), 400),
            ("a proof by somebody else", edit(&|w| { *w = proof_by_eve.clone(); w["actor"] = json!(peer.actor("bob")) }), 401),
            ("a proof of something else", tampered.to_string(), 401),
        ];
        for (name, body, status) in rows {
            scene.refuses(name, scene.signed(Rfc9421, &body), status).await;
        }
        let ours = peer.sign_with(&scene.app.url("/users/giles#main-key"), second_keys().as_ref(), Cavage, &scene.inbox(), &scene.wish().to_string(), TimeDelta::zero());
        scene.refuses("a key of somebody here", ours, 400).await;

        // However old it is, if only somebody dated another proof.
        let undated = |created: Option<&str>| {
            let mut letter = other.with_dated_proof("bob", other.activity("bob", "Follow", giles.clone()), created);
            let mut dummy = letter["proof"].clone();
            dummy["created"] = other.with_proof("bob", json!({}))["proof"]["created"].clone();
            dummy["verificationMethod"] = json!(scene.peer.actor("alice#ed25519-key"));
            letter["proof"] = json!([letter["proof"], dummy]);
            letter.to_string()
        };
        for (name, created) in [("a proof without a time", None), ("an old proof", Some("2026-01-01T00:00:00Z"))] {
            scene.refuses(name, scene.signed(Rfc9421, &undated(created)), 401).await;
        }

        // A letter that its author signed may come from anybody.
        let letter = other.with_proof("bob", other.activity("bob", "Follow", giles)).to_string();
        assert_eq!(scene.peer.send(scene.signed(Rfc9421, &letter)).await.status(), 202);
        assert_eq!(scene.followers().await, 1);
    }

    async fn odd_bodies_do_no_harm(app: TestApp) {
        let scene = Scene::new(app).await;
        let peer = &scene.peer;
        let nested = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
        let rows: Vec<(&str, String, u16)> = vec![
            ("nothing", String::new(), 400),
            ("no JSON", "Follow me".to_owned(), 400),
            ("half of it", scene.wish().to_string()[..40].to_owned(), 400),
            ("two of them", format!("{0}{0}", scene.wish()), 400),
            ("null", "null".to_owned(), 400),
            ("a number", "7".to_owned(), 400),
            ("a text", "\"Follow\"".to_owned(), 400),
            ("a list", json!([scene.wish()]).to_string(), 400),
            ("too deep", nested(64), 400),
            ("much too deep", nested(100_000), 400),
            ("a hundred thousand objects", peer.activity("alice", "Follow", json!(vec![json!({"": 0}); 100_000])).to_string(), 400),
            ("a byte order mark", format!("\u{feff}{}", scene.wish()), 400),
            ("a number beyond all numbers", scene.wish().to_string().replace("\"type\"", "\"n\":1e999,\"type\""), 400),
            ("more than a mebibyte", scene.wish().to_string() + &" ".repeat(1 << 20), 413),
            ("an unknown type", peer.activity("alice", "Dance", json!(scene.app.url("/users/giles"))).to_string(), 202),
            ("no object", peer.activity("alice", "Follow", json!(null)).to_string(), 202),
            ("an object that is a number", peer.activity("alice", "Follow", json!(7)).to_string(), 202),
            ("ten thousand objects", peer.activity("alice", "Follow", json!(vec![json!({}); 10_000])).to_string(), 202),
            ("two wishes in one", peer.activity("alice", "Follow", json!([scene.app.url("/users/giles"), scene.app.url("/users/eve")])).to_string(), 202),
            ("somebody who is not here", peer.activity("alice", "Follow", json!(scene.app.url("/users/nobody"))).to_string(), 202),
            ("somebody elsewhere", peer.activity("alice", "Follow", json!(peer.actor("eve"))).to_string(), 202),
            ("a page of this server", peer.activity("alice", "Follow", json!(scene.app.url("/assets"))).to_string(), 202),
            ("this server itself", peer.activity("alice", "Follow", json!(scene.app.url("/actor"))).to_string(), 202),
            ("an answer that nobody asked for", peer.activity("alice", "Accept", json!(scene.app.url("/activities/01990000-0000-7000-8000-000000000000"))).to_string(), 202),
            ("an undoing of nothing", peer.activity("alice", "Undo", json!(peer.actor("alice#nothing"))).to_string(), 202),
            ("a deletion of nothing", peer.activity("alice", "Delete", json!(peer.actor("alice/nothing"))).to_string(), 202),
            ("members of every kind", json!({"id": peer.actor("alice#odd"), "type": ["Odd", 7, null], "actor": {"id": peer.actor("alice"), "x": [[]]}, "@context": 7, "object": {"object": {"object": {}}}}).to_string(), 202),
        ];
        for (name, body, status) in rows {
            scene.refuses(name, scene.signed(Rfc9421, &body), status).await;
        }
        let mut bytes = scene.request(Rfc9421);
        bytes.headers.retain(|(name, _)| name != "content-type");
        scene.refuses("no type", bytes.with("content-type", ""), 415).await;
        scene.refuses("a type that is not JSON", scene.request(Rfc9421).with("content-type", "text/plain"), 415).await;
        let nobody = scene.peer.sign("alice", Rfc9421, &scene.app.url("/users/nobody/inbox"), &scene.wish().to_string(), TimeDelta::zero());
        scene.refuses("nobody's inbox", nobody, 404).await;
        let get = scene.app.get("/inbox").await;
        get.assert_problem(405, "method-not-allowed");
    }

    async fn a_farewell_of_a_stranger_costs_nothing(app: TestApp) {
        let scene = Scene::new(app).await;
        let farewell = scene.peer.activity("alice", "Delete", json!(scene.peer.actor("alice"))).to_string();
        let outgoing = scene.peer.sign("alice", Rfc9421, &scene.app.url("/inbox"), &farewell, TimeDelta::zero());
        assert_eq!(scene.peer.send(outgoing).await.status(), 202);
        assert_eq!(scene.peer.all_fetches(), 0);
        // Of somebody who is known it counts.
        assert_eq!(scene.peer.send(scene.request(Rfc9421)).await.status(), 202);
        assert_eq!(scene.followers().await, 1);
        let outgoing = scene.signed(Rfc9421, &scene.peer.activity("alice", "Delete", json!(scene.peer.actor("alice"))).to_string());
        assert_eq!(scene.peer.send(outgoing).await.status(), 202);
        assert_eq!(scene.followers().await, 0);
    }

    async fn only_its_author_changes_what_was_said(app: TestApp) {
        let (giles, peer) = (app.register("giles").await, Peer::start().await);
        follow(&app, &giles, "giles", &peer, "bob").await;
        let inbox = app.url("/inbox");
        let claim = peer.claim("bob", &hash_of("b"));
        assert_eq!(peer.post("bob", &inbox, &claim).await, 202);
        let object = claim["object"]["id"].clone();
        let name = async |app: &TestApp| first_heard(app, &giles).await["name"].clone();
        assert_eq!(name(&app).await, "bob's picture");

        // Somebody else of the same server, who is followed as well.
        follow(&app, &giles, "giles", &peer, "eve").await;
        let mut stolen = claim["object"].clone();
        stolen["attributedTo"] = json!(peer.actor("eve"));
        stolen["name"] = json!("eve's picture");
        assert_eq!(peer.post("eve", &inbox, &peer.activity("eve", "Update", stolen)).await, 202);
        assert_eq!(name(&app).await, "bob's picture");
        assert_eq!(peer.post("eve", &inbox, &peer.activity("eve", "Delete", object.clone())).await, 202);
        assert_eq!(name(&app).await, "bob's picture");
        let wish = peer.activity("bob", "Follow", json!(app.url("/users/giles")));
        assert_eq!(peer.post("bob", &inbox, &wish).await, 202);
        assert_eq!(peer.post("eve", &inbox, &peer.activity("eve", "Undo", wish["id"].clone())).await, 202);
        assert_eq!(app.get("/users/giles/followers").await.body["totalItems"], 1);

        let mut renamed = claim["object"].clone();
        renamed["name"] = json!("bob's dog");
        assert_eq!(peer.post("bob", &inbox, &peer.activity("bob", "Update", renamed)).await, 202);
        assert_eq!(name(&app).await, "bob's dog");
        assert_eq!(peer.post("bob", &inbox, &peer.activity("bob", "Undo", wish["id"].clone())).await, 202);
        assert_eq!(app.get("/users/giles/followers").await.body["totalItems"], 0);
        assert_eq!(peer.post("bob", &inbox, &peer.activity("bob", "Delete", object)).await, 202);
        assert_eq!(app.send(Method::GET, "/federation/heard", &giles, &Value::Null).await.body["heard"], json!([]));
        // What was withdrawn stays withdrawn.
        let again = peer.activity("bob", "Create", claim["object"].clone());
        assert_eq!(peer.post("bob", &inbox, &again).await, 202);
        assert_eq!(app.send(Method::GET, "/federation/heard", &giles, &Value::Null).await.body["heard"], json!([]));
    }

    async fn only_what_was_asked_for_is_heard(app: TestApp) {
        let (giles, peer) = (app.register("giles").await, Peer::start().await);
        let inbox = app.url("/inbox");
        let heard = async |app: &TestApp| {
            app.send(Method::GET, "/federation/heard", &giles, &Value::Null).await.body["heard"].as_array().unwrap().len()
        };
        assert_eq!(peer.post("bob", &inbox, &peer.claim("bob", &hash_of("b"))).await, 202);
        assert_eq!(heard(&app).await, 0);
        // Asked, but not answered yet; and then answered by somebody else.
        app.post("/federation/follow", &giles, &json!({"actor": peer.actor("bob")})).await;
        let wish = peer.hears("/users/bob/inbox", |a| a["type"] == "Follow").await;
        assert_eq!(peer.post("eve", &inbox, &peer.activity("eve", "Accept", wish.clone())).await, 202);
        assert_eq!(peer.post("bob", &inbox, &peer.claim("bob", &hash_of("c"))).await, 202);
        assert_eq!(heard(&app).await, 0);
        assert_eq!(peer.post("bob", &inbox, &peer.activity("bob", "Accept", wish["id"].clone())).await, 202);
        let mut private = peer.claim("bob", &hash_of("d"));
        private["to"] = json!([peer.actor("eve")]);
        assert_eq!(peer.post("bob", &inbox, &private).await, 202);
        assert_eq!(heard(&app).await, 0);
        assert_eq!(peer.post("bob", &inbox, &peer.claim("bob", &hash_of("e"))).await, 202);
        assert_eq!(heard(&app).await, 1);
        // The one who is followed ends it.
        assert_eq!(peer.post("bob", &inbox, &peer.activity("bob", "Reject", wish)).await, 202);
        assert_eq!(peer.post("bob", &inbox, &peer.claim("bob", &hash_of("f"))).await, 202);
        let states = app.send(Method::GET, "/federation/following", &giles, &Value::Null).await;
        assert_eq!(states.body["following"][0]["state"], "rejected", "{states:?}");
    }

    async fn copies_act_once(app: TestApp) {
        let scene = Scene::new(app).await;
        let wish = scene.wish().to_string();
        // The key is known, so that all of them arrive at once.
        assert_eq!(scene.peer.send(scene.signed(Rfc9421, &scene.peer.activity("alice", "Dance", json!(null)).to_string())).await.status(), 202);
        let copies = (0..100).map(|_| scene.peer.send(scene.signed(Rfc9421, &wish)));
        for answer in futures_util::future::join_all(copies).await {
            assert_eq!(answer.status(), 202);
        }
        assert_eq!(scene.followers().await, 1);
        scene.peer.hears("/users/alice/inbox", |a| a["type"] == "Accept").await;
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        assert_eq!(scene.peer.received("/users/alice/inbox").len(), 1, "one wish, one answer");
        assert_eq!(scene.peer.fetches("/users/alice"), 1);
    }

    async fn a_thousand_bad_signatures_cause_one_fetch(app: TestApp) {
        let scene = Scene::new(app).await;
        let wish = scene.wish().to_string();
        let forged = scene.peer.sign_with(&scene.peer.key("alice"), second_keys().as_ref(), Cavage, &scene.inbox(), &wish, TimeDelta::zero());
        for _ in 0..10 {
            let copies = (0..100).map(|_| scene.peer.send(forged.clone()));
            for answer in futures_util::future::join_all(copies).await {
                assert_eq!(answer.status(), 401);
            }
        }
        assert!(scene.peer.fetches("/users/alice") <= 2, "{}", scene.peer.fetches("/users/alice"));
        assert_eq!(scene.followers().await, 0);
    }

    async fn reactions_are_counted(app: TestApp) {
        let (giles, peer) = (app.register("giles").await, Peer::start().await);
        app.claim(&giles, &plain_claim("a")).await;
        let object = app.get(&format!("/objects/{}", hash_of("a"))).await.text("/id");
        for (actor, kind) in [("alice", "Like"), ("bob", "Like"), ("bob", "Announce"), ("bob", "Like")] {
            assert_eq!(peer.post(actor, &app.url("/inbox"), &peer.activity(actor, kind, json!(object))).await, 202);
        }
        let claims = app.get(&format!("/objects/{}/claims", hash_of("a"))).await;
        assert_eq!(claims.body["claims"][0]["likes"], 2, "{claims:?}");
        assert_eq!(claims.body["claims"][0]["shares"], 1, "{claims:?}");
    }
}

async fn first_heard(app: &TestApp, who: &Account) -> Value {
    app.send(Method::GET, "/federation/heard", who, &Value::Null).await.body["heard"][0].clone()
}
