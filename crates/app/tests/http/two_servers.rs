//! Two of these servers with each other.

use crate::federation::PEERS;
use crate::support::{Account, TestApp, hash_of, plain_claim};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

async fn heard(app: &TestApp, who: &Account, condition: impl Fn(&Value) -> bool) -> Value {
    let mut body = Value::Null;
    for _ in 0..1500 {
        body = app.send(Method::GET, "/federation/heard", who, &Value::Null).await.body;
        if condition(&body) {
            return body;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never heard what was expected: {body:#}");
}

/// A's user follows B's; what B's user claims, shares and withdraws reaches A.
async fn assets_travel(a: TestApp, b: TestApp) {
    let (alice, bob) = (a.register("alice").await, b.register("bob").await);
    for app in [&a, &b] {
        assert_eq!(app.get("/actor").await.status, 200);
    }
    let asked = a.post("/federation/follow", &alice, &json!({"actor": b.url("/users/bob")})).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    b.eventually("/users/bob/followers", |body| body["totalItems"] == 1).await;
    a.eventually("/users/alice/following", |body| body["totalItems"] == 1).await;

    // What B's asset was made from is known to nobody but B.
    b.claim(&bob, &plain_claim("ingredient")).await;
    let mut claim = plain_claim("picture");
    claim["provenance"] = json!({"inputs": [hash_of("ingredient")], "recipe": "blend"});
    b.claim(&bob, &claim).await;
    let picture = |body: &Value| {
        let heard = body["heard"].as_array().into_iter().flatten();
        heard.clone().find(|item| item["content_hash"] == json!(hash_of("picture"))).cloned()
    };
    let item = picture(&heard(&a, &alice, |body| picture(body).is_some()).await).unwrap();
    assert_eq!(item["actor"], json!(b.url("/users/bob")));
    assert_eq!(item["provenance"]["inputs"], json!([hash_of("ingredient")]), "{item:#}");
    assert_eq!(item["provenance"]["recipe"], "blend");
    assert_eq!(item["signatures"], json!(["RsaSignature2017", "eddsa-jcs-2022"]), "both are checked");

    // Both claim the same bytes; both claims are shown, with their times, at both servers that know of them.
    a.claim(&alice, &plain_claim("picture")).await;
    let claims = a.get(&format!("/objects/{}/claims", hash_of("picture"))).await.body;
    assert_eq!(claims["contested"], true, "{claims:#}");
    let claims = claims["claims"].as_array().unwrap();
    let origins: Vec<&Value> = claims.iter().map(|claim| &claim["origin"]).collect();
    assert_eq!(origins, ["elsewhere", "here"]);
    assert!(claims.iter().all(|claim| claim["known_since"].is_string() && claim["claimed_at"].is_string()));

    // A shares what B claims.
    let object = claims[0]["object"].clone();
    let shared = a.post("/federation/share", &alice, &json!({"object": object})).await;
    assert_eq!(shared.status, 201, "{shared:?}");
    let announce = a.get(&shared.text("/activity")).await;
    assert_eq!((&announce.body["type"], &announce.body["object"]), (&json!("Announce"), &object));
    // The share points at B's object, and A's own object stays A's.
    let own = a.get(&format!("/objects/{}", hash_of("picture"))).await;
    assert_eq!(own.body["attributedTo"], json!(a.url("/users/alice")), "{own:?}");

    // B takes it back.
    assert_eq!(b.send(Method::DELETE, "/assets/picture", &bob, &Value::Null).await.status, 200);
    heard(&a, &alice, |body| picture(body).is_none()).await;
    let claims = a.get(&format!("/objects/{}/claims", hash_of("picture"))).await.body;
    assert_eq!(claims["contested"], false, "{claims:#}");
    assert!(claims["claims"][0]["withdrawn_at"].is_string(), "{claims:#}");
    assert_eq!(claims["claims"][0]["name"], Value::Null, "a tombstone says no more than it must");

    // A's user looks no longer, and B knows.
    let ended = a.post("/federation/unfollow", &alice, &json!({"actor": b.url("/users/bob")})).await;
    assert_eq!(ended.status, 204, "{ended:?}");
    b.eventually("/users/bob/followers", |body| body["totalItems"] == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn assets_travel_between_two_on_sqlite() {
    assets_travel(TestApp::on_sqlite(PEERS).await, TestApp::on_sqlite(PEERS).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn assets_travel_between_two_on_postgres() {
    if let (Some(a), Some(b)) = (TestApp::on_postgres(PEERS).await, TestApp::on_postgres(PEERS).await) {
        assets_travel(a, b).await;
    }
}

/// With FOLLOWERS=approval the user decides, and with AUTHORIZED_FETCH strangers see nothing.
async fn the_shy(a: TestApp, b: TestApp) {
    let (alice, bob) = (a.register("alice").await, b.register("bob").await);
    assert_eq!(a.get("/actor").await.status, 200);
    let asked = a.post("/federation/follow", &alice, &json!({"actor": b.url("/users/bob")})).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let mut pending = Value::Null;
    for _ in 0..1500 {
        pending = b.send(Method::GET, "/federation/followers?state=pending", &bob, &Value::Null).await.body;
        if pending["followers"].as_array().is_some_and(|f| f.len() == 1) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(pending["followers"][0]["actor"], json!(a.url("/users/alice")), "{pending:#}");
    let overview = b.send(Method::GET, "/federation", &bob, &Value::Null).await.body;
    assert_eq!((&overview["followers"], &overview["pending_followers"]), (&json!(0), &json!(1)));
    let accepted = b.post("/federation/followers/accept", &bob, &json!({"actor": a.url("/users/alice")})).await;
    assert_eq!(accepted.status, 204, "{accepted:?}");
    a.eventually("/users/alice/following", |body| body["totalItems"] == 1).await;

    b.claim(&bob, &plain_claim("secret")).await;
    heard(&a, &alice, |body| body["heard"].as_array().is_some_and(|heard| heard.len() == 1)).await;
    // Its index comes a moment later.
    b.eventually("/assets/secret", |body| body["activity_index"] == 0).await;
    for path in ["/users/bob/outbox", "/users/bob/followers", &format!("/objects/{}", hash_of("secret")), "/activity/0"]
    {
        b.get(path).await.assert_problem(401, "signature-refused");
        assert_eq!(b.send(Method::GET, path, &bob, &Value::Null).await.status, 200, "{path}");
    }
    for path in ["/users/bob", "/actor", "/assets/secret"] {
        assert_eq!(b.get(path).await.status, 200, "{path}");
    }

    let dismissed = b.post("/federation/followers/reject", &bob, &json!({"actor": a.url("/users/alice")})).await;
    assert_eq!(dismissed.status, 204, "{dismissed:?}");
    a.eventually("/users/alice/following", |body| body["totalItems"] == 0).await;
}

const SHY: &[(&str, &str)] = &[PEERS[0], ("FOLLOWERS", "approval"), ("AUTHORIZED_FETCH", "true")];

#[tokio::test(flavor = "multi_thread")]
async fn a_shy_server_on_sqlite() {
    the_shy(TestApp::on_sqlite(PEERS).await, TestApp::on_sqlite(SHY).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shy_server_on_postgres() {
    if let (Some(a), Some(b)) = (TestApp::on_postgres(PEERS).await, TestApp::on_postgres(SHY).await) {
        the_shy(a, b).await;
    }
}
