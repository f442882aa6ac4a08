//! Many servers at once, and deliveries that are cut off.

use crate::federation::{PEERS, among_peers};
use crate::peer::{ACTIVITY_JSON, Mood, Peer};
use crate::process::Server;
use crate::support::{TestApp, plain_claim};
use artdag_app::wiring;
use artdag_database::testing;
use artdag_federation::DeliveryState;
use artdag_testing::free_port;
use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::Client;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::net::Ipv4Addr;
use std::time::Duration;

/// Peers that follow giles, each a server of its own.
async fn followers(base: &str, count: usize) -> Vec<Peer> {
    let peers = join_all((0..count).map(|_| Peer::start())).await;
    join_all(peers.iter().map(async |peer| {
        let follow = peer.activity("alice", "Follow", json!(format!("{base}/users/giles")));
        assert_eq!(peer.post("alice", &format!("{base}/users/giles/inbox"), &follow).await, 202);
        peer.hears("/users/alice/inbox", |a| a["type"] == "Accept").await;
    }))
    .await;
    peers
}

/// Claims one asset after the other, each until it is acknowledged: the server may go away meanwhile.
async fn publish(base: String, token: String, count: usize) {
    let client = Client::new();
    for n in 0..count {
        let claim = plain_claim(&format!("asset {n}"));
        loop {
            let sent = client.post(format!("{base}/assets")).bearer_auth(&token).json(&claim).send().await;
            if sent.is_ok_and(|answer| answer.status().is_success()) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The ids of what came to a peer's inbox, in their order.
fn arrived(peer: &Peer) -> Vec<String> {
    peer.received("/inbox").iter().map(|a| a["id"].as_str().unwrap().to_owned()).collect()
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..6000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never: {what}");
}

/// A thousand deliveries, half of them made when the server is killed.
async fn killed_half_way(database: &str) {
    const HOSTS: usize = 20;
    const ASSETS: usize = 50;
    let data = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut server = Server::start(port, data.path(), database, PEERS).await;
    let token = server.register("giles").await;
    let peers = followers(&server.base, HOSTS).await;
    let publishing = tokio::spawn(publish(server.base.clone(), token, ASSETS));
    let count = || peers.iter().map(|peer| arrived(peer).len()).sum::<usize>();
    until("half of it is delivered", || count() >= HOSTS * ASSETS / 2).await;
    server.kill();
    let before = count();
    assert!(before < HOSTS * ASSETS, "killed too late");
    let _server = Server::start(port, data.path(), database, PEERS).await;
    publishing.await.unwrap();
    let distinct = |peer: &Peer| arrived(peer).into_iter().collect::<BTreeSet<_>>().len();
    until("all is delivered", || peers.iter().all(|peer| distinct(peer) == ASSETS)).await;
    for peer in &peers {
        let all = arrived(peer);
        // One inbox, one letter under way: that one may come twice.
        assert!(all.len() <= ASSETS + 1, "{} came for {ASSETS}", all.len());
        let mut seen = Vec::new();
        all.iter().for_each(|id| {
            if !seen.contains(id) {
                seen.push(id.clone());
            }
        });
        assert!(seen.is_sorted(), "in the order of publication: {seen:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_delivers_what_was_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    killed_half_way(&format!("sqlite:{}", directory.path().join("artdag.db").display())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_delivers_what_was_cut_off() {
    if let Some((_, database)) = testing::fresh_postgres().await {
        killed_half_way(&database.url()).await;
    }
}

/// Two processes over one database, and each letter once.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_the_work() {
    let Some((_, database)) = testing::fresh_postgres().await else { return };
    let data = tempfile::tempdir().unwrap();
    let (first, second) = (free_port(), free_port());
    let domain = format!("localhost:{first}");
    let settings = [PEERS[0], ("ARTDAG_DOMAIN", domain.as_str())];
    let one = Server::start(first, data.path(), &database.url(), &settings).await;
    let two = Server::start(second, data.path(), &database.url(), &settings).await;
    let token = one.register("giles").await;
    let peers = followers(&one.base, 10).await;
    // Half of the claims here, half there.
    let client = Client::new();
    let claims = (0..60).map(|n| {
        let base = if n % 2 == 0 { &one.base } else { &two.base };
        client.post(format!("{base}/assets")).bearer_auth(&token).json(&plain_claim(&format!("asset {n}"))).send()
    });
    for answer in join_all(claims).await {
        assert_eq!(answer.unwrap().status(), 201);
    }
    until("all is delivered", || peers.iter().all(|peer| arrived(peer).len() >= 60)).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    for peer in &peers {
        let distinct: BTreeSet<String> = arrived(peer).into_iter().collect();
        assert_eq!((arrived(peer).len(), distinct.len()), (60, 60));
    }
}

among_peers! {
    /// Two hundred servers that take the connection and never answer, beside twenty that do.
    async fn dead_servers_hold_up_nobody(app: TestApp) {
        let giles = app.register("giles").await;
        let silent = followers(&app.base, 200).await;
        let live = followers(&app.base, 20).await;
        silent.iter().for_each(|peer| peer.set_mood(Mood::Silent));
        for n in 0..5 {
            app.claim(&giles, &plain_claim(&format!("asset {n}"))).await;
        }
        // A silent server is given up after ten seconds at the earliest; by then the live ones have everything.
        until("the live ones have everything", || live.iter().all(|peer| arrived(peer).len() == 5)).await;
        assert!(silent.iter().all(|peer| arrived(peer).is_empty()));
        let waiting = app.send(reqwest::Method::GET, "/federation", &giles, &Value::Null).await;
        assert!(waiting.body["undelivered"].as_array().unwrap().len() <= 25, "{waiting:?}");
    }

    /// Somebody's two thousand servers, which take connections and never answer, before one that took mail before.
    async fn who_answered_before_does_not_wait_for_the_silent(app: TestApp) {
        let giles = app.register("giles").await;
        let live = followers(&app.base, 1).await.remove(0);
        app.claim(&giles, &plain_claim("first")).await;
        let first = live.hears("/inbox", |a| a["type"] == "Create").await;
        let activity = first["id"].as_str().unwrap().rsplit('/').next().unwrap().parse().unwrap();
        // All of them are this one: it listens at every address of loopback, and does not read.
        let silent = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = silent.local_addr().unwrap().port();
        let store = artdag_database::open(&app.settings.database, 2).await.unwrap();
        let early = wiring::build(&app.settings).await.unwrap().now() - TimeDelta::hours(1);
        let mut unit = store.begin().await.unwrap();
        for n in 0..2000 {
            let host = Ipv4Addr::from_bits(Ipv4Addr::new(127, 9, 0, 0).to_bits() + n);
            let inbox = format!("http://{host}:{port}/inbox").parse().unwrap();
            unit.add_delivery(activity, &"giles".parse().unwrap(), &inbox, early).await.unwrap();
        }
        unit.commit().await.unwrap();
        let _connection = silent.accept().await.unwrap();
        app.claim(&giles, &plain_claim("second")).await;
        until("the live one has it", || arrived(&live).len() == 2).await;
        // Behind them it would be the last. Some may have been given up meanwhile: machines can be busy.
        let sender = "giles".parse().unwrap();
        let mut reader = store.read().await.unwrap();
        let given_up = reader.list_failing(&sender, DeliveryState::Waiting, 2000).await.unwrap().len();
        assert!(given_up < 1000, "after {given_up} of the silent");
    }

    /// Five outages hold everything back; a sign of life lets one probe go, and its success the rest.
    async fn a_breaker_opens_and_closes(app: TestApp) {
        let giles = app.register("giles").await;
        let peer = Peer::start().await;
        // Many inboxes of one server, and none that is shared.
        for n in 0..24 {
            let name = format!("actor{n}");
            let mut document = peer.actor_document(&name);
            document["endpoints"] = json!({});
            peer.put(&format!("/users/{name}"), 200, ACTIVITY_JSON, document);
            let follow = peer.activity(&name, "Follow", json!(app.url("/users/giles")));
            assert_eq!(peer.post(&name, &app.url("/inbox"), &follow).await, 202);
            peer.hears(&format!("/users/{name}/inbox"), |a| a["type"] == "Accept").await;
        }
        let created = || (0..24).filter(|n| {
            peer.received(&format!("/users/actor{n}/inbox")).iter().any(|a| a["type"] == "Create")
        }).count();
        peer.set_mood(Mood::Rude);
        let calls = peer.calls();
        app.claim(&giles, &plain_claim("a")).await;
        until("the breaker is open", || peer.calls() >= calls + 5).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        // Up to eight were under way when it opened.
        let tried = peer.calls() - calls;
        assert!((5..=13).contains(&tried), "{tried} attempts");
        assert_eq!(created(), 0);
        peer.set_mood(Mood::Kind);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(created(), 0, "an open breaker lets nothing through");

        // It lives: one probe goes, and after it all that was not tried before. What was tried waits for its next time.
        let like = peer.activity("actor0", "Like", json!(app.url("/activity/0")));
        assert_eq!(peer.post("actor0", &app.url("/inbox"), &like).await, 202);
        until("the rest is delivered", || created() >= 1).await;
    }

    async fn answers_mean_what_they_say(app: TestApp) {
        let giles = app.register("giles").await;
        let peers = followers(&app.base, 5).await;
        let mood = |status: u16, headers: &[(&str, &str)]| {
            Mood::Status(status, headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
        };
        peers[0].set_mood(mood(410, &[]));
        peers[1].set_mood(mood(404, &[]));
        peers[2].set_mood(mood(429, &[("retry-after", "3600")]));
        peers[3].set_mood(mood(503, &[]));
        peers[4].set_mood(Mood::CavageOnly);
        app.claim(&giles, &plain_claim("a")).await;
        peers[4].hears("/inbox", |a| a["type"] == "Create").await;
        // A server that is gone follows no more; one that has lost an inbox may come back.
        app.eventually("/users/giles/followers", |body| body["totalItems"] == 4).await;
        let mut states = HashMap::new();
        for _ in 0..500 {
            let overview = app.send(reqwest::Method::GET, "/federation", &giles, &Value::Null).await.body;
            states = overview["undelivered"].as_array().unwrap().iter().map(|delivery| {
                let inbox = delivery["inbox"].as_str().unwrap().trim_end_matches("/inbox").to_owned();
                (inbox, (delivery["state"].as_str().unwrap().to_owned(), delivery["error"].as_str().unwrap().to_owned()))
            }).collect::<HashMap<_, _>>();
            if states.len() == 4 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let state = |n: usize| states.get(&peers[n].base).cloned().unwrap_or_default();
        assert_eq!(state(0), ("failed".to_owned(), "the server answered 410".to_owned()));
        assert_eq!(state(1), ("failed".to_owned(), "the server answered 404".to_owned()));
        assert_eq!(state(2), ("waiting".to_owned(), "the server answered 429".to_owned()));
        assert_eq!(state(3), ("waiting".to_owned(), "the server answered 503".to_owned()));

        // What it understands is remembered: the next letter knocks once.
        let calls = peers[4].calls();
        app.claim(&giles, &plain_claim("b")).await;
        until("the second letter is there", || arrived(&peers[4]).len() == 2).await;
        assert_eq!(peers[4].calls(), calls + 1);
    }

    async fn who_is_blocked_is_not_spoken_with(app: TestApp) {
        let giles = app.register("giles").await;
        let peer = followers(&app.base, 1).await.remove(0);
        let registry = wiring::build(&app.settings).await.unwrap();
        let rule = artdag_federation::DomainRule {
            pattern: "127.0.0.1".parse().unwrap(),
            action: artdag_federation::DomainAction::Block,
            reason: None,
            created_at: registry.now(),
        };
        // What waits for it is given up at once.
        peer.set_mood(Mood::Status(503, vec![]));
        app.claim(&giles, &plain_claim("a")).await;
        let undelivered = async || {
            let overview = app.send(reqwest::Method::GET, "/federation", &giles, &Value::Null).await.body;
            let of = |what: &str| overview["undelivered"].as_array().unwrap().iter().map(|d| d[what].clone()).collect();
            let (states, errors): (Vec<_>, Vec<_>) = (of("state"), of("error"));
            (states, errors)
        };
        for _ in 0..500 {
            if !undelivered().await.0.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(undelivered().await.0, ["waiting"]);
        assert_eq!(registry.save_domain_rules(&[rule]).await.unwrap(), 1);
        let host = peer.base.trim_start_matches("http://");
        let reason = json!(format!("{host} is blocked by this server"));
        assert_eq!(undelivered().await, (vec![json!("failed")], vec![reason]));
        peer.set_mood(Mood::Kind);
        // The server notices within seconds.
        tokio::time::sleep(Duration::from_secs(6)).await;
        let follow = peer.activity("bob", "Follow", json!(app.url("/users/giles")));
        assert_eq!(peer.post("bob", &app.url("/inbox"), &follow).await, 403);
        app.claim(&giles, &plain_claim("b")).await;
        let asked = app.post("/federation/follow", &giles, &json!({"actor": peer.handle("bob")})).await;
        asked.assert_problem(403, "not-federated");
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(arrived(&peer).len(), 0);
        assert!(registry.remove_domain_rule(&"127.0.0.1".parse().unwrap()).await.unwrap());
    }
}
