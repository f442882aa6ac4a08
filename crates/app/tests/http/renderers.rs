//! Renderers: attachment, scoped tokens, recorded runs, federated logout.

use crate::l1_server::L1Server;
use crate::support::{Account, Answer, PASSWORD, TestApp, hash_of, plain_claim};
use artdag_app::{bitcoin, wiring};
use artdag_kernel::{ServerUrl, StoreError};
use artdag_registry::{
    AttachRendererError, AuthenticateError, Reader, RecordRun, RecordRunError, Registry, Store, UnitOfWork,
};
use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// As `on_both_databases`, with two renderers on the operator's list.
macro_rules! with_renderers {
    ($($(#[doc = $doc:literal])* async fn $name:ident($app:ident: TestApp, $l1:ident: L1Server, $other:ident: L1Server) $body:block)+) => {
        $($(#[doc = $doc])* async fn $name($app: TestApp, $l1: L1Server, $other: L1Server) $body)+

        mod sqlite {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let (l1, other) = (L1Server::start().await, L1Server::start().await);
                let app = TestApp::on_sqlite(&[("L1_SERVERS", &format!("{}, {}/", l1.url, other.url))]).await;
                super::$name(app, l1, other).await;
            })+
        }

        mod postgres {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let (l1, other) = (L1Server::start().await, L1Server::start().await);
                if let Some(app) = TestApp::on_postgres(&[("L1_SERVERS", &format!("{}, {}/", l1.url, other.url))]).await {
                    super::$name(app, l1, other).await;
                }
            })+
        }
    };
}

/// Gives a unit of work to those who wait longer than a renderer does.
struct SlowStore(Arc<dyn Store>);

#[async_trait]
impl Store for SlowStore {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        tokio::time::sleep(Duration::from_secs(45)).await;
        self.0.begin().await
    }

    async fn read(&self) -> Result<Box<dyn Reader>, StoreError> {
        self.0.read().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.0.ping().await
    }
}

/// Goes through the attachment as a browser does, and answers the scoped token with what the renderer said.
async fn attach(app: &TestApp, who: &Account, l1: &L1Server) -> (Account, Answer) {
    l1.belongs_to(&app.base);
    let path = format!("/renderers/attach?l1_url={}", l1.url);
    let sent = app.request(Method::GET, &path).bearer_auth(&who.token).send().await.unwrap();
    assert_eq!(sent.status(), 303);
    assert_eq!(sent.headers()["cache-control"], "no-store");
    let location = sent.headers()["location"].to_str().unwrap().to_owned();
    assert!(location.starts_with(&format!("{}/auth?auth_token=", l1.url)), "{location}");
    let token = location.split_once("auth_token=").unwrap().1.to_owned();
    (Account { token }, Answer::of(app.client.get(location).send().await.unwrap()).await)
}

async fn verify(app: &TestApp, token: &Account, l1_server: &str) -> Answer {
    app.post("/auth/verify", token, &json!({"l1_server": l1_server})).await
}

fn run(l1: &L1Server, run_id: &str, name: &str) -> Value {
    json!({"run_id": run_id, "l1_server": l1.url, "output_name": name})
}

with_renderers! {
    async fn the_whole_way_from_attachment_to_logout(app: TestApp, l1: L1Server, _other: L1Server) {
        let giles = app.register("giles").await;
        let list = app.send(Method::GET, "/renderers", &giles, &json!({})).await;
        assert_eq!(list.body["renderers"][0]["attached"], false);
        let (scoped, told) = attach(&app, &giles, &l1).await;
        assert_eq!(told.status, 200, "{told:?}");
        for (field, expected) in [("valid", json!(true)), ("username", json!("giles")), ("sub", json!("giles")), ("l2_server", json!(app.base)), ("l1_server", json!(l1.url))] {
            assert_eq!(told.body[field], expected, "{told:?}");
        }
        let list = app.send(Method::GET, "/renderers", &giles, &json!({})).await;
        assert_eq!((&list.body["renderers"][0]["l1_server"], &list.body["renderers"][0]["attached"]), (&json!(l1.url), &json!(true)));

        // The renderer records the run in its user's name, with the token it was given.
        let recorded = app.post("/assets/record-run", &scoped, &run(&l1, "old-run", "rendered")).await;
        assert_eq!(recorded.status, 201, "{recorded:?}");
        assert_eq!(recorded.header("location"), app.url("/assets/rendered"));
        let asset = app.eventually("/assets/rendered", |asset| asset["activity_index"].is_u64()).await;
        assert_eq!(asset["content_hash"], hash_of("old output"));
        let provenance = &asset["provenance"];
        assert_eq!(provenance["inputs"], json!([hash_of("input 1"), hash_of("input 2")]));
        assert_eq!((&provenance["recipe"], &provenance["run_id"], &provenance["l1_server"]), (&json!("beat-sync"), &json!("old-run"), &json!(l1.url)));
        let activity = app.get(asset["activity"].as_str().unwrap()).await.body;
        assert_eq!((&activity["type"], &activity["object"]["artdag:provenance"]["run_id"]), (&json!("Create"), &json!("old-run")));
        assert!(activity["signature"].is_object() && activity["proof"].is_object());
        for n in [1, 2] {
            let hash = hash_of(&format!("input {n}"));
            let input = app.get(&format!("/assets/input-{}", &hash[9..25])).await;
            assert_eq!((input.status.as_u16(), &input.body["content_hash"]), (200, &json!(hash)));
        }
        assert_eq!(app.get("/assets/by-run-id/old-run").await.body["name"], "rendered");
        app.get("/assets/by-run-id/unknown").await.assert_problem(404, "not-found");

        // The later era: its inputs are objects, one of them made here before.
        let recorded = app.post("/assets/record-run", &scoped, &run(&l1, "new-run", "blended")).await;
        assert_eq!(recorded.status, 201, "{recorded:?}");
        assert_eq!((recorded.text("/content_hash"), recorded.text("/asset_type")), (hash_of("new output"), "video".to_owned()));
        assert_eq!(recorded.body["provenance"]["inputs"], json!([hash_of("old output"), hash_of("input 3")]));
        let lineage = app.get("/assets/blended/provenance").await.body;
        assert_eq!(lineage["nodes"].as_array().unwrap().len(), 5);
        assert_eq!(lineage["edges"].as_array().unwrap().len(), 4);

        // Logged out here, the renderer's token is dead at once, and the renderer hears of it.
        assert_eq!(app.post("/logout", &giles, &json!({})).await.status, 204);
        verify(&app, &scoped, &l1.url).await.assert_problem(401, "unauthorized");
        app.post("/assets/record-run", &scoped, &run(&l1, "old-run", "rendered")).await.assert_problem(401, "unauthorized");
        for _ in 0..250 {
            if !l1.heard("POST", "/auth/revoke-user").is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(l1.heard("POST", "/auth/revoke-user"), [json!({"username": "giles", "l2_server": app.base})]);
    }

    async fn a_token_for_one_renderer_is_no_use_elsewhere(app: TestApp, l1: L1Server, other: L1Server) {
        let giles = app.register("giles").await;
        app.claim(&giles, &plain_claim("a")).await;
        let (scoped, _) = attach(&app, &giles, &l1).await;
        assert_eq!(verify(&app, &scoped, &l1.url).await.status, 200);
        assert_eq!(verify(&app, &scoped, &format!("{}/", l1.url.to_uppercase().replace("HTTP", "http"))).await.status, 200);
        verify(&app, &scoped, &other.url).await.assert_problem(403, "insufficient-scope");
        verify(&app, &scoped, "https://l1.example").await.assert_problem(403, "unknown-renderer");
        verify(&app, &giles, &l1.url).await.assert_problem(403, "insufficient-scope");
        verify(&app, &scoped, "nonsense").await.assert_problem(422, "invalid-fields");
        app.post("/auth/verify", &scoped, &json!({})).await.assert_problem(422, "invalid-fields");
        let in_body = json!({"token": scoped.token, "l1_url": l1.url});
        assert_eq!(Answer::of(app.request(Method::POST, "/auth/verify").json(&in_body).send().await.unwrap()).await.status, 200);
        Answer::of(app.request(Method::POST, "/auth/verify").json(&json!({"l1_server": l1.url})).send().await.unwrap()).await.assert_problem(401, "unauthorized");

        app.post("/assets/record-run", &scoped, &run(&other, "old-run", "b")).await.assert_problem(403, "insufficient-scope");
        let cached = json!({"content_hash": hash_of("cached"), "l1_server": other.url, "name": "b", "asset_type": "image"});
        app.post("/assets/publish-cache", &scoped, &cached).await.assert_problem(403, "insufficient-scope");
        app.post("/assets", &scoped, &plain_claim("b")).await.assert_problem(403, "insufficient-scope");
        app.send(Method::PATCH, "/assets/a", &scoped, &json!({"tags": []})).await.assert_problem(403, "insufficient-scope");
        app.send(Method::DELETE, "/assets/a", &scoped, &json!({})).await.assert_problem(403, "insufficient-scope");
        app.send(Method::GET, "/renderers", &scoped, &json!({})).await.assert_problem(403, "insufficient-scope");
        app.send(Method::GET, &format!("/renderers/attach?l1_url={}", other.url), &scoped, &json!({})).await.assert_problem(403, "insufficient-scope");
        app.post("/renderers/detach", &scoped, &json!({"l1_url": l1.url})).await.assert_problem(403, "insufficient-scope");
        app.post("/logout", &scoped, &json!({})).await.assert_problem(403, "insufficient-scope");
        assert_eq!(app.send(Method::GET, "/auth/me", &scoped, &json!({})).await.text("/l1_server"), l1.url);
        assert_eq!(app.published().await, 1);
    }

    async fn detaching_revokes_the_tokens_of_that_renderer_alone(app: TestApp, l1: L1Server, other: L1Server) {
        let giles = app.register("giles").await;
        let (first, _) = attach(&app, &giles, &l1).await;
        let (second, _) = attach(&app, &giles, &l1).await;
        let (elsewhere, _) = attach(&app, &giles, &other).await;
        l1.turn_deaf(true);
        let detached = app.post("/renderers/detach", &giles, &json!({"l1_url": l1.url})).await;
        assert_eq!((detached.status.as_u16(), &detached.body["detached"]), (200, &json!(true)));
        verify(&app, &first, &l1.url).await.assert_problem(401, "unauthorized");
        verify(&app, &second, &l1.url).await.assert_problem(401, "unauthorized");
        assert_eq!(verify(&app, &elsewhere, &other.url).await.status, 200);
        assert_eq!(app.send(Method::GET, "/auth/me", &giles, &json!({})).await.status, 200);
        let again = app.request(Method::POST, "/renderers/detach").bearer_auth(&giles.token).form(&[("l1_url", &l1.url)]);
        assert_eq!(Answer::of(again.send().await.unwrap()).await.body["detached"], false);
        // A renderer that does not listen changes nothing here.
        for _ in 0..250 {
            if !l1.heard("POST", "/auth/revoke-user").is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(l1.heard("POST", "/auth/revoke-user").len(), 1);
        verify(&app, &first, &l1.url).await.assert_problem(401, "unauthorized");
        assert!(other.heard("POST", "/auth/revoke-user").is_empty());
    }

    async fn only_the_operators_renderers_count(app: TestApp, _l1: L1Server, _other: L1Server) {
        let giles = app.register("giles").await;
        let stranger = L1Server::start().await;
        let attach = app.send(Method::GET, &format!("/renderers/attach?l1_url={}", stranger.url), &giles, &json!({})).await;
        attach.assert_problem(403, "unknown-renderer");
        app.post("/assets/record-run", &giles, &run(&stranger, "old-run", "a")).await.assert_problem(403, "unknown-renderer");
        let cached = json!({"content_hash": hash_of("cached"), "l1_server": stranger.url, "name": "a", "asset_type": "image"});
        app.post("/assets/publish-cache", &giles, &cached).await.assert_problem(403, "unknown-renderer");
        assert!(stranger.heard("GET", "/runs/old-run").is_empty());
        app.send(Method::GET, "/renderers/attach", &giles, &json!({})).await.assert_problem(422, "invalid-fields");
        app.get(&format!("/renderers/attach?l1_url={}", stranger.url)).await.assert_problem(401, "unauthorized");
        assert_eq!(app.published().await, 0);
    }

    async fn a_renderers_bad_day_writes_nothing(app: TestApp, l1: L1Server, _other: L1Server) {
        let giles = app.register("giles").await;
        for (run_id, status, slug) in [
            ("unknown", 404, "not-found"), ("running", 409, "run-not-completed"), ("error", 502, "renderer-failed"),
            ("html", 502, "renderer-failed"), ("large", 502, "renderer-failed"), ("no-hash", 502, "renderer-failed"),
            ("no-output", 502, "renderer-failed"), ("bad-input", 502, "renderer-failed"), ("other-id", 502, "renderer-failed"),
            ("array", 502, "renderer-failed"), ("private", 502, "renderer-failed"), ("cut", 502, "renderer-failed"), ("../../etc", 404, "not-found"),
            ("hang", 504, "renderer-slow"),
        ] {
            let answer = app.post("/assets/record-run", &giles, &run(&l1, run_id, "a")).await;
            answer.assert_problem(status, slug);
            assert!(!answer.text("/detail").contains('<'), "{answer:?}");
        }
        for (body, field) in [
            (json!({"run_id": "x"}), vec!["/l1_server", "/output_name"]),
            (json!({"run_id": "", "l1_server": "x", "output_name": "a/b"}), vec!["/run_id", "/l1_server", "/output_name"]),
        ] {
            let answer = app.post("/assets/record-run", &giles, &body).await;
            answer.assert_problem(422, "invalid-fields");
            assert_eq!(answer.fields(), field);
        }
        assert_eq!(app.published().await, 0);
        assert_eq!(app.get("/assets").await.body["assets"], json!([]));
        // No worker is stuck: it goes on.
        assert_eq!(app.post("/assets/record-run", &giles, &run(&l1, "old-run", "a")).await.status, 201);
    }

    async fn a_run_is_recorded_once(app: TestApp, l1: L1Server, _other: L1Server) {
        let (giles, eve) = (app.register("giles").await, app.register("eve").await);
        let record = run(&l1, "old-run", "rendered");
        let answers = futures_util::future::join_all((0..20).map(|_| app.post("/assets/record-run", &giles, &record))).await;
        let mut statuses: Vec<u16> = answers.iter().map(|a| a.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [&[200; 19][..], &[201]].concat());
        // The output and two inputs, each with one claim.
        assert_eq!(app.published().await, 3);
        let other_name = app.post("/assets/record-run", &giles, &run(&l1, "old-run", "another")).await;
        other_name.assert_problem(409, "run-recorded");
        assert_eq!(other_name.body["existing"]["name"], "rendered");
        app.post("/assets/record-run", &eve, &record).await.assert_problem(409, "run-recorded");
        // A taken name is told before anything is written.
        app.claim(&eve, &plain_claim("taken")).await;
        app.post("/assets/record-run", &giles, &run(&l1, "new-run", "taken")).await.assert_problem(409, "name-taken");
        assert_eq!(app.published().await, 4);
    }

    /// Anybody may claim any run; nobody may put their claim in the place of what a renderer was asked about.
    async fn a_recorded_run_is_not_displaced_by_a_claim(app: TestApp, l1: L1Server, other: L1Server) {
        let (giles, eve) = (app.register("giles").await, app.register("eve").await);
        let claim = |name: &str, l1_server: &str| {
            let mut claim = plain_claim(name);
            claim["provenance"] = json!({"run_id": "old-run", "l1_server": l1_server});
            claim
        };
        app.claim(&eve, &claim("early", &l1.url)).await;
        assert_eq!(app.get("/assets/by-run-id/old-run").await.body["name"], "early");
        assert_eq!(app.post("/assets/record-run", &giles, &run(&l1, "old-run", "rendered")).await.status, 201);
        app.claim(&eve, &claim("late", &l1.url)).await;
        assert_eq!(app.get("/assets/by-run-id/old-run").await.body["name"], "rendered");

        let of = |l1: &str| format!("/assets/by-run-id/old-run?l1_server={l1}");
        assert_eq!(app.get(&of(&format!("{}/", l1.url))).await.body["name"], "rendered");
        // There is a claim for the other one, which nobody asked.
        app.claim(&eve, &claim("latest", &other.url)).await;
        app.get(&of(&other.url)).await.assert_problem(404, "not-found");
        app.get(&of("nonsense")).await.assert_problem(422, "invalid-fields");

        // Once the output is deleted, there are claims alone.
        assert_eq!(app.send(Method::DELETE, "/assets/rendered", &giles, &json!({})).await.status, 200);
        app.get(&of(&l1.url)).await.assert_problem(404, "not-found");
        assert_eq!(app.get("/assets/by-run-id/old-run").await.body["name"], "latest");
    }

    /// The renderer's answer is there at once, but the database takes its time.
    async fn a_run_is_recorded_within_the_time_that_a_renderer_waits(app: TestApp, l1: L1Server, _other: L1Server) {
        app.register("giles").await;
        let mut parts = wiring::parts(&app.settings, bitcoin::sources(&app.settings).unwrap()).await.unwrap();
        parts.store = Arc::new(SlowStore(parts.store));
        let record = RecordRun {
            l1_server: l1.url.parse().unwrap(),
            run_id: "old-run".parse().unwrap(),
            output_name: "rendered".parse().unwrap(),
            asset_type: None,
            tags: Default::default(),
        };
        let recorded = Registry::new(parts).record_run(&"giles".parse().unwrap(), &record).await;
        assert!(matches!(recorded, Err(RecordRunError::Slow)), "{recorded:?}");
        assert_eq!(app.published().await, 0);
    }

    async fn renderers_are_listed_as_everything_is(app: TestApp, l1: L1Server, other: L1Server) {
        let giles = app.register("giles").await;
        let list = async |query: &str| app.send(Method::GET, &format!("/renderers{query}"), &giles, &json!({})).await;
        let all = list("").await.body;
        assert_eq!((&all["limit"], &all["next"], &all["total"]), (&json!(50), &Value::Null, &json!(2)));
        let first = list("?limit=1").await.body;
        assert_eq!((&first["renderers"][0]["l1_server"], &first["total"]), (&json!(l1.url), &json!(2)));
        let next = first["next"].as_str().unwrap().trim_start_matches(&app.base).to_owned();
        let second = app.send(Method::GET, &next, &giles, &json!({})).await.body;
        assert_eq!((&second["renderers"][0]["l1_server"], &second["next"]), (&json!(other.url), &Value::Null));
        assert_eq!(second["renderers"].as_array().unwrap().len(), 1);
        assert_eq!(list("?page=2&limit=1").await.body["renderers"], second["renderers"]);
        list("?limit=0").await.assert_problem(422, "invalid-fields");
    }

    /// A request that was let in before a logout, and does its work after it.
    async fn no_token_outlives_a_logout(app: TestApp, l1: L1Server, _other: L1Server) {
        app.register("giles").await;
        let registry = wiring::build(&app.settings).await.unwrap();
        let url: ServerUrl = l1.url.parse().unwrap();
        let log_in = async || {
            let password = artdag_auth::Password::new(PASSWORD.to_owned()).unwrap();
            let session = registry.log_in("giles", password).await.unwrap();
            registry.authenticate(&session.token).await.unwrap()
        };
        let identity = log_in().await;
        registry.log_out(&identity).await.unwrap();
        let late = registry.attach_renderer(&identity, &url).await;
        assert!(matches!(late, Err(AttachRendererError::Revoked)), "{late:?}");
        for round in 0..10 {
            let identity = log_in().await;
            let (other, late, url) = (registry.clone(), identity.clone(), url.clone());
            let attaching = tokio::spawn(async move { other.attach_renderer(&late, &url).await });
            if round % 2 == 0 {
                tokio::task::yield_now().await;
            }
            registry.log_out(&identity).await.unwrap();
            if let Ok(token) = attaching.await.unwrap() {
                let alive = registry.authenticate(&token).await;
                assert!(matches!(alive, Err(AuthenticateError::Revoked)), "round {round}: {alive:?}");
            }
            let attached = registry.read().await.unwrap().list_attachments(&"giles".parse().unwrap()).await.unwrap();
            assert!(attached.is_empty(), "round {round}");
        }
    }

    async fn cached_content_is_registered_when_the_renderer_has_it(app: TestApp, l1: L1Server, _other: L1Server) {
        let giles = app.register("giles").await;
        let (scoped, _) = attach(&app, &giles, &l1).await;
        let item = json!({"content_hash": &hash_of("cached")[9..], "l1_server": l1.url, "name": "from the cache", "asset_type": "image", "tags": ["x"], "metadata": {"n": 1}});
        let published = app.post("/assets/publish-cache", &scoped, &item).await;
        assert_eq!(published.status, 201, "{published:?}");
        assert_eq!((&published.body["provenance"]["l1_server"], &published.body["metadata"]), (&json!(l1.url), &json!({"n": 1})));
        assert_eq!(app.post("/assets/publish-cache", &scoped, &item).await.status, 200);
        // The renderer may forget it: the answer to that very claim may have been lost.
        l1.evict();
        assert_eq!(app.post("/assets/publish-cache", &scoped, &item).await.status, 200);
        let mut missing = item.clone();
        missing["content_hash"] = json!(hash_of("not there"));
        missing["name"] = json!("b");
        app.post("/assets/publish-cache", &giles, &missing).await.assert_problem(404, "not-found");
        missing["name"] = json!("from the cache");
        app.post("/assets/publish-cache", &giles, &missing).await.assert_problem(409, "name-taken");
        assert_eq!(app.published().await, 1);
    }
}
