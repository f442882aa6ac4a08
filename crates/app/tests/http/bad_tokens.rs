//! Tokens that must not be accepted: each the right problem, and nothing written.

use crate::support::{Account, SECRET, TestApp, on_both_databases, plain_claim};
use artdag_auth::{Claims, Scope, TokenCodec};
use artdag_signing::JwtCodec;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::json;

fn sealed(secret: &[u8], l2_server: &str, scope: Scope, made: DateTime<Utc>, lifetime: TimeDelta) -> String {
    let claims = Claims::new("giles".parse().unwrap(), l2_server, scope, made, lifetime, "test");
    JwtCodec::new(secret).unwrap().seal(&claims).reveal().to_owned()
}

fn with_header(token: &str, header: &serde_json::Value) -> String {
    let (_, rest) = token.split_once('.').unwrap();
    format!("{}.{rest}", BASE64_URL_SAFE_NO_PAD.encode(header.to_string()))
}

on_both_databases! {
    async fn are_refused(app: TestApp) {
        app.register("giles").await;
        let now = artdag_kernel::Clock::now(&artdag_app::system::SystemClock);
        let day = TimeDelta::days(1);
        let own = |made, lifetime| sealed(SECRET.as_bytes(), &app.base, Scope::Full, made, lifetime);
        let good = own(now, day);
        let public_pem = app.get("/users/giles").await.text("/publicKey/publicKeyPem");
        let (head, rest) = good.split_once('.').unwrap();
        let (claims, seal) = rest.split_once('.').unwrap();
        let other_claims = BASE64_URL_SAFE_NO_PAD.encode(json!({"sub": "eve", "username": "eve"}).to_string());
        let unsealed = with_header(&good, &json!({"alg": "none", "typ": "JWT"}));
        let unsealed = &unsealed[..=unsealed.rfind('.').unwrap()];

        for (what, token) in [
            ("expired", own(now - day * 2, day)),
            ("from the future", own(now + day, day)),
            ("of another server", sealed(SECRET.as_bytes(), "https://other.example", Scope::Full, now, day)),
            ("sealed with another secret", sealed(&[7; 32], &app.base, Scope::Full, now, day)),
            ("alg none, no seal", unsealed.to_owned()),
            ("alg none, seal kept", with_header(&good, &json!({"alg": "none", "typ": "JWT"}))),
            ("alg None", with_header(&good, &json!({"alg": "None"}))),
            ("alg HS384", with_header(&good, &json!({"alg": "HS384"}))),
            ("alg RS256", with_header(&good, &json!({"alg": "RS256"}))),
            ("sealed with the public key", sealed(public_pem.as_bytes(), &app.base, Scope::Full, now, day)),
            ("sealed with the public key, alg RS256", with_header(&sealed(public_pem.as_bytes(), &app.base, Scope::Full, now, day), &json!({"alg": "RS256", "typ": "JWT"}))),
            ("with other claims", format!("{head}.{other_claims}.{seal}")),
            ("with a cut seal", good[..good.len() - 2].to_owned()),
            ("without a seal", format!("{head}.{claims}")),
            ("no token", "nonsense".to_owned()),
            ("dots", "..".to_owned()),
            ("long", "a".repeat(7000)),
        ] {
            let account = Account { token: token.clone() };
            app.post("/assets", &account, &plain_claim(&what.replace('/', ""))).await.assert_problem(401, "unauthorized");
            let me = app.send(Method::GET, "/auth/me", &account, &json!({})).await;
            me.assert_problem(401, "unauthorized");
            assert_eq!(me.header("www-authenticate"), "Bearer", "{what}");
            assert!(!me.body.to_string().contains(&token), "{what}");
        }
        for value in ["", "Bearer", "Bearer ", "Basic Z2lsZXM6eA==", "Token x"] {
            let request = app.request(Method::POST, "/assets").header("authorization", value).json(&plain_claim("b"));
            crate::support::Answer::of(request.send().await.unwrap()).await.assert_problem(401, "unauthorized");
        }
        let request = app.request(Method::POST, "/assets").json(&plain_claim("b"));
        crate::support::Answer::of(request.send().await.unwrap()).await.assert_problem(401, "unauthorized");
        assert_eq!(app.published().await, 0);

        // The ones above fail for what is wrong with them, since this one is accepted.
        let account = Account { token: good };
        app.claim(&account, &plain_claim("good")).await;
    }

    async fn a_token_for_a_renderer_that_is_off_the_list_is_refused(app: TestApp) {
        let giles = app.register("giles").await;
        app.claim(&giles, &plain_claim("a")).await;
        let now = artdag_kernel::Clock::now(&artdag_app::system::SystemClock);
        let url = "https://removed.example";
        let scope = Scope::Renderer(url.parse().unwrap());
        let scoped = Account { token: sealed(SECRET.as_bytes(), &app.base, scope, now, TimeDelta::days(1)) };
        for (method, path, body) in [
            (Method::POST, "/auth/verify", json!({"l1_server": url})),
            (Method::GET, "/auth/me", json!({})),
            (Method::POST, "/assets/record-run", json!({"run_id": "x", "l1_server": url, "output_name": "b"})),
            (Method::POST, "/assets", plain_claim("b")),
            (Method::PATCH, "/assets/a", json!({"tags": []})),
        ] {
            app.send(method, path, &scoped, &body).await.assert_problem(403, "unknown-renderer");
        }
        assert_eq!(app.published().await, 1);
    }
}
