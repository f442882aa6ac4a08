//! Killed again and again, or two at once: the log has one history, and no stamp of it is lost.

use crate::anchors;
use crate::log_watch::{
    Reader, Seen, Stop, activities, assert_all_there, assert_one_history, claim_on, note, settled_size, watch,
};
use crate::process::Server;
use crate::support::plain_claim;
use artdag_anchoring::checkpoint::{Checkpoint, SignedCheckpoint};
use artdag_database::testing;
use artdag_kernel::Randomness;
use artdag_kernel::testing::SeededRandomness;
use artdag_testing::{OtsCalendars, PATIENT, free_port, seed};
use futures_util::future::join_all;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const KILLS: u32 = 50;
/// So long are the lives: less than so many milliseconds, once the server is ready ..
const LIFE: usize = 250;
/// .. and each so many-th life goes on until there is one more anchor, however slow the machine is.
const LONG_LIVES: u32 = 10;
/// So many activities are there before the first kill. The log's first tile gets full a little later.
const OLD_LOG: u16 = 240;
/// So many anchors are asked about at once.
const AT_ONCE: usize = 3;
/// So many names it takes to ask as often as that.
const STAMPERS: usize = 20;
/// The calendars; the last two have bad days.
const CALENDARS: usize = 3;

/// A number below `end`.
fn below(end: usize, chance: &SeededRandomness) -> usize {
    let mut bytes = [0; size_of::<usize>()];
    chance.fill(&mut bytes);
    usize::from_le_bytes(bytes) % end
}

/// Less than so many milliseconds.
fn moment(end: usize, chance: &SeededRandomness) -> Duration {
    Duration::from_millis(below(end, chance) as u64)
}

fn another(chance: &SeededRandomness) -> SeededRandomness {
    SeededRandomness::new(below(usize::MAX, chance) as u64)
}

/// Somebody who may stamp, at a server that comes and goes.
///
/// Under many names, since nobody may have calendars asked as often as this.
#[derive(Clone)]
struct Stamper {
    client: Client,
    base: String,
    tokens: Vec<String>,
    asked: Arc<AtomicUsize>,
}

impl Stamper {
    async fn at(server: &Server, names: usize) -> Self {
        let mut tokens = Vec::new();
        for n in 0..names {
            tokens.push(server.register(&format!("stamper{n}")).await);
        }
        Self { client: Client::new(), base: server.base.clone(), tokens, asked: Arc::default() }
    }

    /// What the server answers, if it lives to answer.
    async fn post(&self, path: &str) -> Option<Value> {
        let token = &self.tokens[self.asked.fetch_add(1, Ordering::SeqCst) % self.tokens.len()];
        let request = self.client.post(format!("{}{path}", self.base)).bearer_auth(token);
        Self::heard(request.send().await.ok()?).await
    }

    async fn get(&self, path: &str) -> Option<Value> {
        Self::heard(self.client.get(format!("{}{path}", self.base)).send().await.ok()?).await
    }

    async fn heard(response: Response) -> Option<Value> {
        let status = response.status();
        let body: Value = response.json().await.ok()?;
        if status == 429 {
            return None;
        }
        assert!(status.is_success(), "{status}: {body:#}");
        Some(body)
    }

    async fn create_on(self, stop: Stop) {
        while !stop.load(Ordering::SeqCst) {
            self.post("/anchors/create").await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn upgrade_on(self, chance: SeededRandomness, stop: Stop) {
        while !stop.load(Ordering::SeqCst) {
            let mut open = self.open_anchors().await;
            if !open.is_empty() {
                let first = below(open.len(), &chance);
                open.rotate_left(first);
                open.truncate(AT_ONCE);
                self.upgrade(&open).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn count(&self) -> u64 {
        self.get("/anchors?limit=1").await.unwrap()["total"].as_u64().unwrap()
    }

    /// Waits until there are more than so many anchors.
    async fn see_one_more(&self, count: u64) {
        let start = Instant::now();
        while self.count().await <= count {
            assert!(start.elapsed() < PATIENT, "nothing is stamped any more");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Mines and asks until everything is confirmed.
    async fn finish(&self, calendars: &OtsCalendars) {
        let start = Instant::now();
        loop {
            let open = self.open_anchors().await;
            if open.is_empty() {
                return;
            }
            assert!(start.elapsed() < PATIENT, "never confirmed: {open:?}");
            self.upgrade(&open).await;
            calendars.mine(7).await;
        }
    }

    /// The roots that are not confirmed.
    async fn open_anchors(&self) -> Vec<String> {
        let list = self.get("/anchors?limit=200").await;
        let anchors = list.iter().flat_map(|list| list["anchors"].as_array().unwrap());
        anchors.filter(|anchor| anchor["status"] != "confirmed").map(|anchor| root_of(anchor).to_owned()).collect()
    }

    async fn upgrade(&self, roots: &[String]) {
        join_all(roots.iter().map(|root| async move { self.post(&format!("/anchors/{root}/upgrade")).await })).await;
    }

    /// Looks at the anchors all the time, and sees to it that none ever goes back.
    async fn watch(self, stop: Stop) -> BTreeMap<String, Progress> {
        let mut seen: BTreeMap<String, Progress> = BTreeMap::new();
        while !stop.load(Ordering::SeqCst) {
            let list = self.get("/anchors?limit=200").await;
            for anchor in list.iter().flat_map(|list| list["anchors"].as_array().unwrap()) {
                seen.entry(root_of(anchor).to_owned()).or_default().see(anchor);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        seen
    }
}

fn root_of(anchor: &Value) -> &str {
    anchor["merkle_root"].as_str().unwrap()
}

/// How far an anchor was seen to have come.
#[derive(Default)]
struct Progress {
    status: &'static str,
    /// Who answered what.
    answers: BTreeSet<(String, String)>,
}

impl Progress {
    /// Nothing of this chain is ever taken back, so there is one way to go.
    const WAY: [&str; 4] = ["", "submitting", "pending", "confirmed"];

    fn see(&mut self, anchor: &Value) {
        let place = |status: &str| Self::WAY.iter().position(|known| *known == status);
        let now = place(anchor["status"].as_str().unwrap()).unwrap_or_else(|| panic!("off the way: {anchor:#}"));
        assert!(Some(now) >= place(self.status), "{} once, and now: {anchor:#}", self.status);
        self.status = Self::WAY[now];
        let asks = anchor["calendars"].as_array().unwrap().iter();
        let answered = asks.filter(|ask| ask["status"] == "answered" || ask["status"] == "verified");
        let word = |ask: &Value, name: &str| ask[name].as_str().unwrap().to_owned();
        let answers = answered.map(|ask| (word(ask, "calendar"), word(ask, "question"))).collect();
        assert!(self.answers.is_subset(&answers), "{:?} once, and now: {anchor:#}", self.answers);
        self.answers = answers;
    }
}

/// Blocks are found, and calendars have bad days.
async fn time_goes_by(calendars: Arc<OtsCalendars>, chance: SeededRandomness, stop: Stop) {
    while !stop.load(Ordering::SeqCst) {
        calendars.mine(if below(2, &chance) == 0 { 1 } else { 2 }).await;
        for (at, faults) in [(1, ["none", "none", "500"]), (2, ["none", "404", "garbage"])] {
            calendars.control(at, &format!("fault/{}", faults[below(3, &chance)])).await;
        }
        tokio::time::sleep(Duration::from_millis(50) + moment(300, &chance)).await;
    }
    for at in 0..CALENDARS {
        calendars.control(at, "fault/none").await;
    }
}

/// Each place of the log is in the range of one anchor, and each anchor is of a checkpoint that was signed. Answers the
/// anchors' roots.
async fn assert_anchored(server: &Server, log: &Reader, size: u64, signed: &Seen) -> BTreeSet<String> {
    let entries = log.entries(size).await;
    let mut anchors = server.all("anchors", "/anchors?limit=7").await;
    anchors.reverse();
    let (mut roots, mut end) = (BTreeSet::new(), 0);
    for anchor in &anchors {
        assert_eq!(anchor["from_index"], end, "a gap or an overlap: {anchor:#}");
        let at = format!("/anchors/{}", root_of(anchor));
        for leaf in server.all("leaves", &format!("{at}/tree?limit=200")).await {
            assert_eq!((&leaf["index"], &leaf["entry"]), (&json!(end), &json!(entries[end].to_string())), "{at}");
            end += 1;
        }
        assert_eq!(anchor["tree_size"], end, "{anchor:#}");
        let checkpoint: Checkpoint = log.text(&format!("{at}/checkpoint")).await.parse().unwrap();
        assert_eq!(checkpoint.root().to_string(), root_of(anchor));
        assert_eq!(Some(&checkpoint), signed[&checkpoint.size()].first().map(SignedCheckpoint::checkpoint));
        assert_eq!(anchor["tree_size"], checkpoint.size());
        roots.insert(root_of(anchor).to_owned());
    }
    assert_eq!((end as u64, roots.len()), (size, anchors.len()));
    roots
}

async fn add_old_activities(database: &str) {
    let store = artdag_database::open(&database.parse().unwrap(), 1).await.unwrap();
    let mut unit = store.begin().await.unwrap();
    for activity in activities(OLD_LOG) {
        unit.add_activity(&activity).await.unwrap();
    }
    unit.commit().await.unwrap();
}

async fn kill_again_and_again(database: &str) {
    let Some(calendars) = OtsCalendars::start(CALENDARS, 1).await else { return };
    let calendars = Arc::new(calendars);
    let chance = SeededRandomness::new(seed());
    let settings = anchors::settings(&calendars);
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let data = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut server = Server::start(port, data.path(), database, &settings).await;
    let token = server.register("giles").await;
    add_old_activities(database).await;
    let stamper = Stamper::at(&server, STAMPERS).await;

    let (watching, working) = (Stop::default(), Stop::default());
    let watcher = watch(vec![server.base.clone()], watching.clone());
    let anchor_watcher = tokio::spawn(stamper.clone().watch(watching.clone()));
    let writers: Vec<_> = (0..3)
        .map(|n| claim_on(server.url("/assets"), token.clone(), format!("writer {n}"), working.clone()))
        .collect();
    let log = Reader::new(&server.base);
    log.checkpoint_of(OLD_LOG.into()).await;
    let others = [
        tokio::spawn(stamper.clone().create_on(working.clone())),
        tokio::spawn(stamper.clone().upgrade_on(another(&chance), working.clone())),
        tokio::spawn(time_goes_by(Arc::clone(&calendars), another(&chance), working.clone())),
    ];
    let mut cut_short = 0;
    for kill in 1..=KILLS {
        if kill % LONG_LIVES == 0 {
            stamper.see_one_more(stamper.count().await).await;
        }
        tokio::time::sleep(moment(LIFE, &chance)).await;
        server.kill();
        server = Server::start(port, data.path(), database, &settings).await;
        cut_short += u32::from(server.get("/anchors").await.body["anchors"][0]["status"] == "submitting");
    }
    assert!(cut_short > 0, "no kill came in the middle of a round");
    working.store(true, Ordering::SeqCst);
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    join_all(others).await.into_iter().for_each(|other| other.unwrap());

    let size = settled_size(&server).await;
    let newest = log.checkpoint_of(size).await;
    stamper.post("/anchors/create").await.unwrap();
    stamper.finish(&calendars).await;
    watching.store(true, Ordering::SeqCst);
    let mut signed = watcher.await.unwrap();
    assert!(signed.len() > 2, "the watcher saw too little: {}", signed.len());
    for size in 1..=size {
        log.stored_checkpoint(size).await.into_iter().for_each(|checkpoint| note(&mut signed, checkpoint));
    }
    assert_one_history(&log, &signed, &newest).await;
    assert_all_there(&log, &acknowledged, size).await;
    let roots = assert_anchored(&server, &log, size, &signed).await;
    let progress = anchor_watcher.await.unwrap();
    assert!(progress.len() > 2 && progress.keys().all(|root| roots.contains(root)), "{:?}", progress.keys());
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_killed_again_and_again_signs_one_history() {
    let directory = tempfile::tempdir().unwrap();
    kill_again_and_again(&format!("sqlite:{}", directory.path().join("artdag.db").display())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_killed_again_and_again_signs_one_history() {
    if let Some((_, database)) = testing::fresh_postgres().await {
        kill_again_and_again(&database.url()).await;
    }
}

async fn killed_while_a_calendar_is_slow(database: &str) {
    let Some(calendars) = OtsCalendars::start(2, 1).await else { return };
    calendars.control(1, "fault/hang").await;
    let settings = anchors::settings(&calendars);
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let data = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut server = Server::start(port, data.path(), database, &settings).await;
    let stamper = Stamper::at(&server, 1).await;
    let claim = stamper.client.post(server.url("/assets")).bearer_auth(&stamper.tokens[0]).json(&plain_claim("a"));
    assert_eq!(claim.send().await.unwrap().status(), 201);
    let creating = tokio::spawn(async move { stamper.post("/anchors/create").await });
    let answered = |body: &Value| {
        let asks = body["anchors"][0]["calendars"].as_array().cloned().unwrap_or_default();
        asks.iter().any(|ask| ask["status"] == "answered")
    };
    let start = Instant::now();
    let seen = loop {
        let body = server.get("/anchors").await.body;
        if answered(&body) {
            break body;
        }
        assert!(start.elapsed() < PATIENT, "nobody answers: {body:#}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let asks = seen["anchors"][0]["calendars"].as_array().unwrap();
    assert!(asks.iter().any(|ask| ask["asked_at"].is_null()), "the slow one was waited for: {seen:#}");
    server.kill();
    _ = creating.await;
    let server = Server::start(port, data.path(), database, &settings).await;
    assert!(answered(&server.get("/anchors").await.body), "what was answered is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_keeps_an_answer_while_another_calendar_is_slow() {
    let directory = tempfile::tempdir().unwrap();
    killed_while_a_calendar_is_slow(&format!("sqlite:{}", directory.path().join("artdag.db").display())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_an_answer_while_another_calendar_is_slow() {
    if let Some((_, database)) = testing::fresh_postgres().await {
        killed_while_a_calendar_is_slow(&database.url()).await;
    }
}

async fn two_at_once(database: &str, data: &Path) {
    // One site, reached at two ports.
    let ports = [free_port(), free_port()];
    let domain = format!("localhost:{}", ports[0]);
    let settings = [("ARTDAG_DOMAIN", domain.as_str())];
    let first = Server::start(ports[0], data, database, &settings).await;
    let second = Server::start(ports[1], data, database, &settings).await;
    let token = first.register("giles").await;
    let (watching, claiming) = (Stop::default(), Stop::default());
    let watcher = watch(vec![first.base.clone(), second.base.clone()], watching.clone());
    let writers: Vec<_> = [&first, &second, &first, &second]
        .iter()
        .enumerate()
        .map(|(n, server)| claim_on(server.url("/assets"), token.clone(), format!("writer {n}"), claiming.clone()))
        .collect();
    tokio::time::sleep(Duration::from_secs(2)).await;
    claiming.store(true, Ordering::SeqCst);
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    assert!(!acknowledged.is_empty());
    let (log, other) = (Reader::new(&first.base), Reader::new(&second.base));
    let size = settled_size(&first).await;
    assert_eq!(size, acknowledged.len() as u64);
    let newest = log.checkpoint_of(size).await;
    assert_eq!(other.checkpoint_of(size).await, newest);
    assert_eq!(other.key().await, log.key().await);
    watching.store(true, Ordering::SeqCst);
    let seen = watcher.await.unwrap();
    assert!(!seen.is_empty());
    assert_one_history(&log, &seen, &newest).await;
    assert_all_there(&log, &acknowledged, size).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_sqlite_sign_one_history() {
    let directory = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    two_at_once(&format!("sqlite:{}", directory.path().join("artdag.db").display()), data.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_postgres_sign_one_history() {
    let data = tempfile::tempdir().unwrap();
    if let Some((_, database)) = testing::fresh_postgres().await {
        two_at_once(&database.url(), data.path()).await;
    }
}
