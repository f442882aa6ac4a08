//! Many at once for one thing: one gets it, all the others are told, and the log shows one claim.

use crate::support::{TestApp, hash_of, on_both_databases, plain_claim};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const CLIENTS: usize = 50;

async fn statuses(app: &TestApp, claims: Vec<(crate::support::Account, Value)>) -> BTreeMap<u16, usize> {
    let answers = join_all(claims.iter().map(|(who, claim)| app.post("/assets", who, claim))).await;
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.status.as_u16()).or_default() += 1;
    }
    counts
}

on_both_databases! {
    async fn fifty_for_one_name(app: TestApp) {
        let (giles, eve) = (app.register("giles").await, app.register("eve").await);
        let claims = (0..CLIENTS).map(|n| {
            let who = if n % 2 == 0 { giles.clone() } else { eve.clone() };
            (who, json!({"name": "one", "content_hash": hash_of(&n.to_string()), "asset_type": "image"}))
        });
        assert_eq!(statuses(&app, claims.collect()).await, BTreeMap::from([(201, 1), (409, CLIENTS - 1)]));
        assert_eq!(app.published().await, 1);
    }

    async fn fifty_for_one_content(app: TestApp) {
        let (giles, eve) = (app.register("giles").await, app.register("eve").await);
        let claims = (0..CLIENTS).map(|n| {
            let who = if n % 2 == 0 { giles.clone() } else { eve.clone() };
            (who, json!({"name": format!("asset {n}"), "content_hash": hash_of("one"), "asset_type": "image"}))
        });
        assert_eq!(statuses(&app, claims.collect()).await, BTreeMap::from([(201, 1), (409, CLIENTS - 1)]));
        assert_eq!(app.published().await, 1);
    }

    async fn fifty_identical_claims_of_one_owner(app: TestApp) {
        let giles = app.register("giles").await;
        let claims = (0..CLIENTS).map(|_| (giles.clone(), plain_claim("one")));
        assert_eq!(statuses(&app, claims.collect()).await, BTreeMap::from([(200, CLIENTS - 1), (201, 1)]));
        assert_eq!(app.published().await, 1);
    }

    async fn twenty_changes_at_once_are_all_kept_in_order(app: TestApp) {
        let giles = app.register("giles").await;
        app.claim(&giles, &plain_claim("a")).await;
        let changes: Vec<Value> = (0..20).map(|n| json!({"tags": [n.to_string()]})).collect();
        let answers = join_all(changes.iter().map(|c| app.send(reqwest::Method::PATCH, "/assets/a", &giles, c))).await;
        let kept = answers.iter().filter(|a| a.status == 200).count();
        // One that lost again and again is refused, never half done.
        assert!(answers.iter().all(|a| a.status == 200 || a.status == 412), "{answers:?}");
        assert!(kept > 0);
        assert_eq!(app.published().await, 1 + kept);
    }

    async fn twenty_registrations_of_one_account(app: TestApp) {
        let body = json!({"username": "giles", "password": crate::support::PASSWORD});
        let answers = join_all((0..20).map(|_| app.request(reqwest::Method::POST, "/auth/register").json(&body).send())).await;
        let mut made: Vec<u16> = answers.into_iter().map(|a| a.unwrap().status().as_u16()).collect();
        made.sort_unstable();
        assert_eq!((made[0], &made[1..]), (201, &[409; 19][..]));
    }
}
