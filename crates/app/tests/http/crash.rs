//! Killed in the middle of the work, the server loses nothing that it acknowledged.

use crate::l1_server::L1Server;
use crate::process::Server;
use crate::support::plain_claim;
use artdag_database::testing;
use artdag_testing::free_port;
use futures_util::future::join_all;
use reqwest::Client;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const CLAIMS: usize = 200;
const KILL_AFTER: usize = 60;

async fn kill_in_the_middle(database: &str) {
    let data = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut server = Server::start(port, data.path(), database, &[]).await;
    let client = Client::new();
    let token = server.register("giles").await;

    let acknowledged = Arc::new(AtomicUsize::new(0));
    let claims = (0..CLAIMS).map(|n| {
        let (client, url, token, count) = (client.clone(), server.url("/assets"), token.clone(), acknowledged.clone());
        tokio::spawn(async move {
            let claim = plain_claim(&format!("asset {n}"));
            let response = client.post(url).bearer_auth(token).json(&claim).send().await.ok()?;
            if response.status() != 201 {
                return None;
            }
            count.fetch_add(1, Ordering::SeqCst);
            response.json::<Value>().await.ok()
        })
    });
    let claims: Vec<_> = claims.collect();
    while acknowledged.load(Ordering::SeqCst) < KILL_AFTER {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    server.kill();
    let kept: Vec<Value> = join_all(claims).await.into_iter().filter_map(|claim| claim.unwrap()).collect();
    assert!(kept.len() >= KILL_AFTER - 5 && kept.len() < CLAIMS, "killed too late or too early: {}", kept.len());

    let mut server = Server::start(port, data.path(), database, &[]).await;
    for claim in &kept {
        let asset = server.get(&format!("/assets/{}", claim["name"].as_str().unwrap().replace(' ', "%20"))).await;
        assert_eq!((asset.status.as_u16(), &asset.body["content_hash"]), (200, &claim["content_hash"]));
        assert_eq!(asset.body["activity"], claim["activity"]);
        let activity = server.get(claim["activity"].as_str().unwrap()).await;
        assert_eq!((activity.status.as_u16(), &activity.body["object"]["content"]), (200, &claim["content_hash"]));
    }

    // No asset without its activity, no activity without its asset, no gap in the log.
    for _ in 0..250 {
        let activities = server.all("activities", "/activities?limit=200").await;
        if activities.iter().all(|activity| activity["index"].is_u64()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let activities = server.all("activities", "/activities?limit=200").await;
    let assets = server.all("assets", "/assets?limit=200").await;
    let by_activity: BTreeMap<_, _> =
        assets.iter().map(|a| (a["activity"].as_str().unwrap(), &a["content_hash"])).collect();
    let by_asset: BTreeMap<_, _> =
        activities.iter().map(|a| (a["id"].as_str().unwrap(), &a["object"]["content"])).collect();
    assert_eq!(by_activity, by_asset);
    let indexes: BTreeSet<u64> = activities.iter().map(|a| a["index"].as_u64().unwrap()).collect();
    assert_eq!(indexes, (0..activities.len() as u64).collect());

    // It goes on: the old token is good, the secret and the keys were kept, and it stops when it is asked to.
    let response =
        client.post(server.url("/assets")).bearer_auth(&token).json(&plain_claim("after")).send().await.unwrap();
    assert_eq!(response.status(), 201);
    assert!(server.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_keeps_what_was_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    kill_in_the_middle(&format!("sqlite:{}", directory.path().join("artdag.db").display())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_what_was_acknowledged() {
    if let Some((_, database)) = testing::fresh_postgres().await {
        kill_in_the_middle(&database.url()).await;
    }
}

/// A job whose worker is killed runs again once the lease has ended, in whichever process is there then.
async fn kill_a_worker(database: &str) {
    let data = tempfile::tempdir().unwrap();
    let port = free_port();
    let l1 = L1Server::start().await;
    let mut server = Server::start(port, data.path(), database, &[("L1_SERVERS", &l1.url)]).await;
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let token = server.register("giles").await;
    let attach = server.url(&format!("/renderers/attach?l1_url={}", l1.url));
    assert_eq!(client.get(attach).bearer_auth(&token).send().await.unwrap().status(), 303);
    l1.fall_asleep(true);
    assert_eq!(client.post(server.url("/logout")).bearer_auth(&token).send().await.unwrap().status(), 204);
    let told = || l1.heard("POST", "/auth/revoke-user").len();
    for _ in 0..250 {
        if told() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(told(), 1);
    server.kill();
    l1.fall_asleep(false);
    let _server = Server::start(port, data.path(), database, &[("L1_SERVERS", &l1.url)]).await;
    // A lease lasts a minute.
    for _ in 0..900 {
        if told() > 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(told(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_runs_a_killed_workers_job_again() {
    let directory = tempfile::tempdir().unwrap();
    kill_a_worker(&format!("sqlite:{}", directory.path().join("artdag.db").display())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_runs_a_killed_workers_job_again() {
    if let Some((_, database)) = testing::fresh_postgres().await {
        kill_a_worker(&database.url()).await;
    }
}
