//! Jobs that ask other servers: they end, there are not too many of them, and nothing else waits for them.

use crate::federation::{among_peers, follow};
use crate::peer::Peer;
use crate::support::{TestApp, plain_claim};
use artdag_app::wiring;
use artdag_kernel::{Page, PageLimit, new_uuid};
use artdag_registry::{JobState, Lane, QueuedJob, Store};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Servers that take connections and never answer. Each has an address of loopback, and all tell of their callers.
async fn silent(count: u8) -> (Vec<String>, mpsc::UnboundedReceiver<TcpStream>) {
    let (calls, called) = mpsc::unbounded_channel();
    let mut bases = Vec::new();
    for n in 0..count {
        let listener = TcpListener::bind(format!("127.9.0.{}:0", n + 1)).await.unwrap();
        bases.push(format!("http://{}", listener.local_addr().unwrap()));
        let calls = calls.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = calls.send(stream);
            }
        });
    }
    (bases, called)
}

/// Puts a job there that is due at once, unless it says otherwise.
async fn push(app: &TestApp, kind: &str, payload: Value, subject: &str, lane: Lane, after: TimeDelta) -> QueuedJob {
    let registry = wiring::build(&app.settings).await.unwrap();
    let now = registry.now();
    let mut payload = payload;
    payload["kind"] = json!(kind);
    let job = QueuedJob {
        id: new_uuid(now, &artdag_app::system::SystemRandomness),
        kind: kind.to_owned(),
        payload: payload.to_string(),
        lane,
        subject: Some(subject.to_owned()),
        key: None,
        state: JobState::Waiting,
        attempts: 0,
        run_at: now + after,
        created_at: now,
        last_error: None,
    };
    let store = store(app).await;
    let mut unit = store.begin().await.unwrap();
    assert!(unit.push_job(&job).await.unwrap());
    unit.commit().await.unwrap();
    job
}

async fn store(app: &TestApp) -> Arc<dyn Store> {
    artdag_database::open(&app.settings.database, 2).await.unwrap()
}

/// The jobs of a kind, oldest first.
async fn jobs(app: &TestApp, kind: &str) -> Vec<QueuedJob> {
    let mut reader = store(app).await.read().await.unwrap();
    let all = reader.list_jobs(None, Page::newest(PageLimit::MOST)).await.unwrap().items;
    all.into_iter().rev().filter(|job| job.kind == kind).collect()
}

/// The jobs that fetch objects, once they are as they should be.
async fn until(app: &TestApp, condition: impl Fn(&[QueuedJob]) -> bool) -> Vec<QueuedJob> {
    for _ in 0..1500 {
        let jobs = jobs(app, "fetch-object").await;
        if condition(&jobs) {
            return jobs;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never: {:?}", jobs(app, "fetch-object").await);
}

among_peers! {
    async fn what_waits_for_strangers_keeps_nobody_waiting(app: TestApp) {
        let (giles, peer) = (app.register("giles").await, Peer::start().await);
        let request = peer.activity("alice", "Follow", json!(app.url("/users/giles")));
        assert_eq!(peer.post("alice", &app.url("/users/giles/inbox"), &request).await, 202);
        peer.hears("/users/alice/inbox", |a| a["type"] == "Accept").await;
        let (bases, mut called) = silent(20).await;
        let mut pushed = Vec::new();
        for base in &bases {
            let payload = json!({"object": format!("{base}/objects/1")});
            pushed.push(push(&app, "fetch-object", payload, base, Lane::Peers, TimeDelta::zero()).await);
        }
        // As many as there are hands.
        let mut calls = Vec::new();
        for _ in 0..8 {
            calls.push(called.recv().await.unwrap());
        }
        app.claim(&giles, &plain_claim("a")).await;
        peer.hears("/inbox", |a| a["type"] == "Create").await;
        // Some time for whoever would put the others off again and again.
        tokio::time::sleep(Duration::from_secs(3)).await;
        for job in jobs(&app, "fetch-object").await {
            let before = pushed.iter().find(|before| before.id == job.id).unwrap();
            // Nobody touched it, or somebody began it, which counts whatever comes of it.
            assert!(job == *before || job.attempts > 0, "{job:?}");
        }
    }

    async fn attempts_that_fail_are_counted_to_the_last(app: TestApp) {
        let payload = json!({"object": "http://127.9.1.1:1/objects/1"});
        let job = push(&app, "fetch-object", payload, "127.9.1.1", Lane::Peers, TimeDelta::zero()).await;
        let failed = until(&app, |jobs| jobs[0].last_error.is_some()).await.remove(0);
        assert_eq!((failed.state, failed.attempts), (JobState::Waiting, 1));
        let due = format!("update jobs set attempts = 7, run_at = created_at where id = '{}'", job.id);
        artdag_database::testing::execute(&app.settings.database, &due).await;
        // There is nothing that an operator could mend.
        until(&app, <[_]>::is_empty).await;
    }

    async fn one_server_is_not_asked_for_everything(app: TestApp) {
        let (giles, peer) = (app.register("giles").await, Peer::start().await);
        follow(&app, &giles, "giles", &peer, "bob").await;
        let (bases, _called) = silent(2).await;
        // The first waits for an answer, and the others wait for the first.
        for n in 0..120 {
            let share = peer.activity("bob", "Announce", json!(format!("{}/objects/{n}", bases[0])));
            assert_eq!(peer.post("bob", &app.url("/inbox"), &share).await, 202);
        }
        let waiting = jobs(&app, "fetch-object").await.len();
        assert!((1..=100).contains(&waiting), "{waiting}");
        let share = peer.activity("bob", "Announce", json!(format!("{}/objects/1", bases[1])));
        assert_eq!(peer.post("bob", &app.url("/inbox"), &share).await, 202);
        let others = jobs(&app, "fetch-object").await;
        assert!(others.iter().any(|job| job.payload.contains(&bases[1])), "there is room for others");
    }

    /// A publication that waits for its next attempt behind hundreds of other jobs goes before a later one.
    async fn nothing_overtakes_however_much_is_between(app: TestApp) {
        let giles = app.register("giles").await;
        // Nobody follows yet: it is handed over for nobody.
        let first = app.claim(&giles, &plain_claim("first")).await;
        for _ in 0..500 {
            if jobs(&app, "fan-out").await.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let peer = Peer::start().await;
        let request = peer.activity("alice", "Follow", json!(app.url("/users/giles")));
        assert_eq!(peer.post("alice", &app.url("/users/giles/inbox"), &request).await, 202);
        peer.hears("/users/alice/inbox", |a| a["type"] == "Accept").await;
        let id = first["activity"].as_str().unwrap().rsplit('/').next().unwrap();
        let payload = json!({"activity": id, "sender": "giles"});
        push(&app, "fan-out", payload, "giles", Lane::Own, TimeDelta::hours(1)).await;
        let (store, registry) = (store(&app).await, wiring::build(&app.settings).await.unwrap());
        let mut unit = store.begin().await.unwrap();
        for n in 0..250 {
            let now = registry.now();
            let between = QueuedJob {
                id: new_uuid(now, &artdag_app::system::SystemRandomness),
                kind: "refresh-actor".to_owned(),
                payload: json!({"kind": "refresh-actor", "actor": format!("https://{n}.example/actor")}).to_string(),
                lane: Lane::Peers,
                subject: None,
                key: None,
                state: JobState::Waiting,
                attempts: 0,
                run_at: now + TimeDelta::hours(1),
                created_at: now,
                last_error: None,
            };
            unit.push_job(&between).await.unwrap();
        }
        unit.commit().await.unwrap();
        app.claim(&giles, &plain_claim("second")).await;
        peer.hears("/inbox", |a| a["object"]["name"] == "second").await;
        let names: Vec<Value> = peer.received("/inbox").iter().map(|a| a["object"]["name"].clone()).collect();
        assert_eq!(names, ["first", "second"]);
    }

    /// The other server does not count a follow: it is asked twice, and the time between holds no hand.
    async fn a_second_look_is_a_job_of_its_own(app: TestApp) {
        let (giles, peer) = (app.register("giles").await, Peer::start().await);
        follow(&app, &giles, "giles", &peer, "bob").await;
        let url = format!("{}/synchronization", peer.actor("bob"));
        let empty = json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": url, "type": "OrderedCollection",
            "orderedItems": [],
        });
        let path = url.trim_start_matches(&peer.base).to_owned();
        peer.put(&path, 200, crate::peer::ACTIVITY_JSON, empty);
        // In the words of an earlier version.
        let payload = json!({
            "actor": peer.actor("bob"), "collection": format!("{}/followers", peer.actor("bob")), "url": url,
            "digest": "0".repeat(64),
        });
        let first = push(&app, "synchronize-followers", payload, "bob", Lane::Peers, TimeDelta::zero()).await;
        let mut second = None;
        for _ in 0..500 {
            second = jobs(&app, "synchronize-followers").await.into_iter().find(|job| job.id != first.id);
            if second.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let second = second.unwrap();
        assert_eq!((second.state, second.attempts), (JobState::Waiting, 0));
        assert!(second.run_at >= second.created_at + TimeDelta::seconds(20) && second.payload.contains("giles"), "{second:?}");
        assert_eq!(peer.fetches(&path), 1);
        assert_eq!(app.get("/users/giles/following").await.body["totalItems"], 1);
        let due = format!("update jobs set run_at = created_at where id = '{}'", second.id);
        artdag_database::testing::execute(&app.settings.database, &due).await;
        app.eventually("/users/giles/following", |body| body["totalItems"] == 0).await;
        assert_eq!(peer.fetches(&path), 2);
    }
}
