//! Guessing passwords is slow, inviting is by code.

use crate::support::{Answer, PASSWORD, TestApp};
use reqwest::Method;
use serde_json::json;

async fn log_in(app: &TestApp, username: &str, from: &str) -> Answer {
    let body = json!({"username": username, "password": "wrong horse battery"});
    let request = app.request(Method::POST, "/auth/login").header("x-forwarded-for", from).json(&body);
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_not_guessed_from_many_places() {
    let app = TestApp::on_sqlite(&[("TRUSTED_PROXIES", "127.0.0.1")]).await;
    app.register("giles").await;
    let app = &app;
    let guesses = (0..25)
        .map(|n| async move { log_in(app, if n % 2 == 0 { "giles" } else { "GILES" }, &format!("192.0.2.{n}")).await });
    let answers = futures_util::future::join_all(guesses).await;
    let refused: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 429).collect();
    // How many exactly, the clock of a test of its own tells.
    assert!((1..=15).contains(&refused.len()), "{} of 25", refused.len());
    assert!(answers.iter().all(|answer| answer.status == 429 || answer.status == 401));
    let refused = refused[0];
    refused.assert_problem(429, "too-many-attempts");
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=11).contains(&seconds));
    // Others are let in.
    log_in(app, "eve", "192.0.2.99").await.assert_problem(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_place_does_not_guess_many_accounts() {
    let app = TestApp::on_sqlite(&[("TRUSTED_PROXIES", "127.0.0.1")]).await;
    let (mut refused, mut round) = (0, 0);
    // One is let in each second. A machine that needs longer for each of them would never come to the end of it.
    while refused == 0 && round < 20 {
        let guesses = (0..80).map(|n| {
            let app = &app;
            async move { log_in(app, &format!("user{round}-{n}"), "192.0.2.1").await.status.as_u16() }
        });
        let statuses = futures_util::future::join_all(guesses).await;
        assert!(statuses.iter().all(|status| [401, 429].contains(status)));
        refused = statuses.iter().filter(|status| **status == 429).count();
        round += 1;
    }
    assert!(refused > 0);
    log_in(&app, "user1", "192.0.2.2").await.assert_problem(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invite_lets_one_in() {
    let app = TestApp::on_sqlite(&[("REGISTRATION", "invite")]).await;
    let code = artdag_app::wiring::build(&app.settings).await.unwrap().invite().await.unwrap();
    let register = async |name: &str, invite: Option<&str>| {
        let body = json!({"username": name, "password": PASSWORD, "invite": invite});
        Answer::of(app.request(Method::POST, "/auth/register").json(&body).send().await.unwrap()).await
    };
    register("eve", None).await.assert_problem(403, "invite-needed");
    register("eve", Some("guessed")).await.assert_problem(403, "invite-needed");
    assert_eq!(register("giles", Some(&format!(" {} ", code.reveal().to_uppercase()))).await.status, 201);
    register("eve", Some(code.reveal())).await.assert_problem(403, "invite-needed");
    assert_eq!(app.get("/").await.body["users"], 1);
}
