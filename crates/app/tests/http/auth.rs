//! `/auth/..` and `/logout`.

use crate::support::{Account, Answer, PASSWORD, TestApp, on_both_databases, plain_claim};
use reqwest::Method;
use serde_json::json;

on_both_databases! {
    async fn an_account_is_made_and_logs_in(app: TestApp) {
        let body = json!({"username": "Giles", "password": PASSWORD, "display_name": "Giles ✨", "email": "giles@example.com"});
        let made = Answer::of(app.request(Method::POST, "/auth/register").json(&body).send().await.unwrap()).await;
        assert_eq!(made.status, 201, "{made:?}");
        assert_eq!(made.text("/username"), "giles");
        assert_eq!(made.text("/token_type"), "bearer");
        assert_eq!(made.text("/access_token"), made.text("/token"));
        assert_eq!(made.text("/actor"), app.url("/users/giles"));
        assert_eq!(made.header("cache-control"), "no-store");

        for form in [false, true] {
            let credentials = [("username", "GILES"), ("password", PASSWORD)];
            let request = app.request(Method::POST, "/auth/login");
            let request = if form { request.form(&credentials) } else { request.json(&json!({"username": "GILES", "password": PASSWORD})) };
            let answer = Answer::of(request.send().await.unwrap()).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let giles = Account { token: answer.text("/access_token") };
            let me = app.send(Method::GET, "/auth/me", &giles, &json!({})).await;
            assert_eq!(me.text("/handle"), format!("@giles@{}", app.settings.site.domain()));
            assert_eq!(me.body["l1_server"], json!(null));
        }
        let actor = app.get("/users/giles").await;
        assert_eq!(actor.text("/name"), "Giles ✨");
        assert!(!actor.body.to_string().contains("giles@example.com"));
    }

    async fn a_wrong_password_and_an_unknown_user_look_alike(app: TestApp) {
        app.register("giles").await;
        let mut bodies = Vec::new();
        for (username, password) in [("giles", "wrong horse battery"), ("nobody", PASSWORD), ("../x", PASSWORD), ("giles", "")] {
            let body = json!({"username": username, "password": password});
            let answer = Answer::of(app.request(Method::POST, "/auth/login").json(&body).send().await.unwrap()).await;
            answer.assert_problem(401, "unauthorized");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            bodies.push(answer.body);
        }
        assert!(bodies.iter().all(|body| *body == bodies[0]));
    }

    async fn a_taken_name_keeps_its_owner(app: TestApp) {
        app.register("giles").await;
        let before = app.get("/users/giles").await.body;
        let body = json!({"username": "GILES", "password": "another long password"});
        let answer = Answer::of(app.request(Method::POST, "/auth/register").json(&body).send().await.unwrap()).await;
        answer.assert_problem(409, "name-taken");
        assert_eq!(app.get("/users/giles").await.body, before);
    }

    async fn what_is_wrong_with_a_registration_is_told_field_by_field(app: TestApp) {
        for (body, fields) in [
            (json!({}), vec!["/username", "/password"]),
            (json!({"username": "a/../../etc", "password": "short"}), vec!["/username"]),
            (json!({"username": "giles", "password": "password"}), vec!["/password"]),
            (json!({"username": "giles", "password": "x".repeat(2000)}), vec!["/password"]),
            (json!({"username": "giles_the_artist", "password": "giles_the_artist"}), vec!["/password"]),
            (json!({"username": 7, "password": PASSWORD}), vec!["/username"]),
            (json!({"username": "giles", "password": PASSWORD, "email": "nowhere", "display_name": "a\u{202e}b"}), vec!["/display_name", "/email"]),
        ] {
            let answer = Answer::of(app.request(Method::POST, "/auth/register").json(&body).send().await.unwrap()).await;
            answer.assert_problem(422, "invalid-fields");
            assert_eq!(answer.fields(), fields, "{answer:?}");
            assert!(!answer.body.to_string().contains(PASSWORD));
        }
        assert_eq!(app.get("/").await.body["users"], 0);
    }

    async fn logging_out_revokes_the_token_and_no_other(app: TestApp) {
        let giles = app.register("giles").await;
        let body = json!({"username": "giles", "password": PASSWORD});
        let second = Answer::of(app.request(Method::POST, "/auth/login").json(&body).send().await.unwrap()).await;
        let second = Account { token: second.text("/token") };
        let out = app.request(Method::POST, "/logout").bearer_auth(&giles.token).send().await.unwrap();
        assert_eq!(out.status(), 204);
        assert!(out.headers()["set-cookie"].to_str().unwrap().starts_with("auth_token=;"));
        app.post("/assets", &giles, &plain_claim("a")).await.assert_problem(401, "unauthorized");
        app.post("/logout", &giles, &json!({})).await.assert_problem(401, "unauthorized");
        app.claim(&second, &plain_claim("a")).await;
    }

    async fn a_cookie_is_as_good_as_a_header_but_only_from_here(app: TestApp) {
        let giles = app.register("giles").await;
        let cookie = format!("other=1; auth_token={}", giles.token);
        let me = Answer::of(app.request(Method::GET, "/auth/me").header("cookie", &cookie).send().await.unwrap()).await;
        assert_eq!(me.text("/username"), "giles");
        for (header, value, good) in [
            ("x-nothing", "", false),
            ("origin", "https://evil.example", false),
            ("origin", "null", false),
            ("sec-fetch-site", "cross-site", false),
            ("sec-fetch-site", "same-site", false),
            ("origin", app.base.as_str(), true),
            ("sec-fetch-site", "same-origin", true),
        ] {
            let claim = plain_claim(&format!("{header} {}", value.replace('/', "")));
            let request = app.request(Method::POST, "/assets").header("cookie", &cookie).header(header, value).json(&claim);
            let answer = Answer::of(request.send().await.unwrap()).await;
            if good {
                assert_eq!(answer.status, 201, "{header}: {value}: {answer:?}");
            } else {
                answer.assert_problem(403, "cross-origin");
            }
        }
        assert_eq!(app.published().await, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_means_closed() {
    let app = TestApp::on_sqlite(&[("REGISTRATION", "closed")]).await;
    let body = json!({"username": "giles", "password": PASSWORD});
    let answer = Answer::of(app.request(Method::POST, "/auth/register").json(&body).send().await.unwrap()).await;
    answer.assert_problem(403, "registration-closed");
    assert_eq!(app.get("/nodeinfo/2.1").await.body["openRegistrations"], false);
}
