//! What tests of the log share: a reader, a watcher that forgets nothing, and writers that never stop.

use crate::process::Server;
use crate::support::plain_claim;
use artdag_anchoring::Digest;
use artdag_anchoring::checkpoint::{SignedCheckpoint, VerifierKey};
use artdag_anchoring::log::{BundleId, ConsistencyProof, EntryBundle, RootPlan, TileSet, Tree};
use artdag_federation::{Activity, ActivityKind, SignedDocument};
use artdag_kernel::testing::{ManualClock, SeededRandomness};
use artdag_kernel::{Clock, ContentHash, new_uuid};
use reqwest::Client;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Every checkpoint that was ever served, by its size: one of each, if all is well.
pub(crate) type Seen = BTreeMap<u64, Vec<SignedCheckpoint>>;

/// Tells a task that it is enough.
pub(crate) type Stop = Arc<AtomicBool>;

/// A server's log, read over HTTP.
pub(crate) struct Reader {
    client: Client,
    base: String,
}

impl Reader {
    pub(crate) fn new(base: &str) -> Self {
        Self { client: Client::new(), base: base.to_owned() }
    }

    pub(crate) async fn bytes(&self, path: &str) -> Vec<u8> {
        let response = self.client.get(format!("{}{path}", self.base)).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.bytes().await.unwrap().to_vec()
    }

    pub(crate) async fn text(&self, path: &str) -> String {
        String::from_utf8(self.bytes(path).await).unwrap()
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.bytes(path).await).unwrap()
    }

    pub(crate) async fn key(&self) -> VerifierKey {
        self.text("/log/key").await.trim_end().parse().unwrap()
    }

    /// The newest checkpoint, once it speaks for that many.
    pub(crate) async fn checkpoint_of(&self, size: u64) -> SignedCheckpoint {
        for _ in 0..1500 {
            let response = self.client.get(format!("{}/log/checkpoint", self.base)).send().await.unwrap();
            if response.status() == 200 {
                let signed = SignedCheckpoint::parse(&response.text().await.unwrap()).unwrap();
                if signed.checkpoint().size() >= size {
                    return signed;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("there is no checkpoint of {size}");
    }

    /// The checkpoint of exactly this size, if one was ever stored.
    pub(crate) async fn stored_checkpoint(&self, size: u64) -> Option<SignedCheckpoint> {
        let proof = self.json(&format!("/log/proof?index=0&size={size}")).await;
        proof["checkpoint"].as_str().map(|text| SignedCheckpoint::parse(text).unwrap())
    }

    /// All entries, from their bundles.
    pub(crate) async fn entries(&self, size: u64) -> Vec<Digest> {
        let mut entries = Vec::new();
        for index in 0..size.div_ceil(256) {
            let id = BundleId::at_size(index, size).unwrap();
            let bundle = EntryBundle::parse(id, &self.bytes(&format!("/log/tile/{id}")).await).unwrap();
            entries.extend_from_slice(bundle.entries());
        }
        entries
    }

    /// The root as its tiles have it.
    pub(crate) async fn root(&self, size: u64) -> Digest {
        let mut tiles = TileSet::new();
        let plan = RootPlan::new(size);
        for tile in plan.tiles() {
            tiles.insert(tile, &self.bytes(&format!("/log/tile/{tile}")).await).unwrap();
        }
        plan.root(&tiles).unwrap()
    }

    pub(crate) async fn consistency(&self, from: u64, to: u64) -> ConsistencyProof {
        let body = self.json(&format!("/log/consistency?from={from}&to={to}")).await;
        ConsistencyProof::new(from, to, digests(&body["consistency_proof"])).unwrap()
    }
}

pub(crate) fn digests(list: &Value) -> Vec<Digest> {
    list.as_array().unwrap().iter().map(digest).collect()
}

pub(crate) fn digest(text: &Value) -> Digest {
    Digest::from_base64(text.as_str().unwrap()).unwrap()
}

/// Whether the log with this key has signed it.
pub(crate) fn is_signed(signed: &SignedCheckpoint, key: &VerifierKey) -> bool {
    signed.verify(key, artdag_signing::verify_ed25519).is_ok()
}

/// Activities that nobody signed, in their order.
pub(crate) fn activities(count: u16) -> Vec<Activity> {
    let (clock, randomness) = (ManualClock::new(), SeededRandomness::default());
    let made = (0..count).map(|n| {
        clock.advance(chrono::TimeDelta::seconds(1));
        let id = new_uuid(clock.now(), &randomness).into();
        Activity {
            id,
            kind: ActivityKind::Create,
            actor: "giles".parse().unwrap(),
            content_hash: ContentHash::of(&n.to_be_bytes()),
            published_at: clock.now(),
            document: SignedDocument::from_stored(format!("{{\"id\":\"{id}\"}}")),
            index: None,
        }
    });
    made.collect()
}

/// Everything that a set of checkpoints has to be, whichever process signed which.
pub(crate) async fn assert_one_history(log: &Reader, seen: &Seen, newest: &SignedCheckpoint) {
    let key = log.key().await;
    let size = newest.checkpoint().size();
    let entries = log.entries(size).await;
    let tree: Tree = entries.iter().copied().collect();
    assert_eq!(tree.root(), newest.checkpoint().root());
    assert_eq!(log.root(size).await, newest.checkpoint().root(), "the tiles");
    assert!(seen.values().all(|same_size| same_size.len() == 1), "two checkpoints of one size");
    let mut distinct = entries.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), entries.len(), "an activity is in the log twice");
    for (index, entry) in entries.iter().enumerate() {
        let canonical = log.bytes(&format!("/activities/{index}/canonical.json")).await;
        assert_eq!(Digest::of(&canonical), *entry, "{index}");
    }
    let mut before: Option<(u64, Digest)> = None;
    for signed in seen.values().flatten() {
        let checkpoint = signed.checkpoint();
        assert!(is_signed(signed, &key));
        assert_eq!(checkpoint.root(), tree.root_at(checkpoint.size()).unwrap(), "at {}", checkpoint.size());
        if let Some((old_size, old_root)) = before {
            log.consistency(old_size, checkpoint.size()).await.verify(&old_root, &checkpoint.root()).unwrap();
        }
        before = Some((checkpoint.size(), checkpoint.root()));
    }
}

/// Keeps a checkpoint, unless it is there already.
pub(crate) fn note(seen: &mut Seen, signed: SignedCheckpoint) {
    let same_size = seen.entry(signed.checkpoint().size()).or_default();
    if !same_size.contains(&signed) {
        same_size.push(signed);
    }
}

/// Asks for the newest checkpoint all the time, and keeps each that it gets.
pub(crate) fn watch(bases: Vec<String>, stop: Stop) -> JoinHandle<Seen> {
    tokio::spawn(async move {
        let client = Client::new();
        let mut seen = Seen::new();
        while !stop.load(Ordering::SeqCst) {
            for base in &bases {
                // Between a kill and the next start nobody answers.
                let Ok(response) = client.get(format!("{base}/log/checkpoint")).send().await else { continue };
                if response.status() != 200 {
                    continue;
                }
                let Ok(text) = response.text().await else { continue };
                note(&mut seen, SignedCheckpoint::parse(&text).unwrap());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        seen
    })
}

/// Claims without end, until it is told to stop; counts what was acknowledged.
pub(crate) fn claim_on(url: String, token: String, what: String, stop: Stop) -> JoinHandle<Vec<String>> {
    tokio::spawn(async move {
        let client = Client::new();
        let mut acknowledged = Vec::new();
        for n in 0.. {
            if stop.load(Ordering::SeqCst) {
                break;
            }
            let name = format!("{what} {n}");
            let request = client.post(&url).bearer_auth(&token).json(&plain_claim(&name));
            match request.send().await {
                Ok(response) if response.status() == 201 => match response.json::<Value>().await {
                    Ok(asset) => acknowledged.push(asset["activity"].as_str().unwrap().to_owned()),
                    Err(_) => continue,
                },
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        acknowledged
    })
}

/// Each acknowledged activity is in the log, once.
pub(crate) async fn assert_all_there(log: &Reader, acknowledged: &[String], size: u64) {
    let entries = log.entries(size).await;
    for id in acknowledged {
        let canonical = log.bytes(&format!("{}/canonical.json", &id[id.find("/activities/").unwrap()..])).await;
        let entry = Digest::of(&canonical);
        assert_eq!(entries.iter().filter(|known| **known == entry).count(), 1, "{id}");
    }
}

/// How many activities there are, once all have their place.
pub(crate) async fn settled_size(server: &Server) -> u64 {
    for _ in 0..1500 {
        let list = server.get("/activities?limit=200").await.body;
        let activities = list["activities"].as_array().unwrap();
        if !activities.is_empty() && activities.iter().all(|activity| activity["index"].is_u64()) {
            return activities.iter().filter_map(|activity| activity["index"].as_u64()).max().unwrap() + 1;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not every activity got its place");
}
