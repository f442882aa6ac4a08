//! How fast published activities get their places and their leaves, when many wait; how long proofs and pages of anchors
//! take then, and how much memory all that takes.
//!
//! The activities go straight into the database. docs/benchmarks.md says how to run it and how to read it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to the person at the terminal")]
#![expect(dead_code, reason = "what the other benchmarks share speaks HTTP")]

mod parts;

use artdag_anchoring::bitcoin::Network;
use artdag_anchoring::checkpoint::Checkpoint;
use artdag_anchoring::ots::{Attestation, CalendarUri, Timestamp};
use artdag_anchoring::{Anchor, Digest, Pace, Question};
use artdag_app::bitcoin;
use artdag_app::http::client_address::TrustedProxies;
use artdag_app::server::Bound;
use artdag_app::settings::Settings;
use artdag_app::wiring;
use artdag_auth::{PasswordHash, User};
use artdag_database::DatabaseUrl;
use artdag_federation::{Activity, ActivityKind, SignedDocument};
use artdag_kernel::testing::{ManualClock, SeededRandomness};
use artdag_kernel::{Clock, ContentHash, Randomness, Username, new_uuid};
use artdag_registry::{Registry, Store, prove_inclusion, tree_root};
use chrono::TimeDelta;
use clap::Parser;
use parts::{Failure, cores, postgres, quantile};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Activities a second into the log.
#[derive(Parser)]
#[command(name = "cargo xtask bench log --")]
struct Options {
    /// How many activities wait
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    activities: u32,
    /// How many bytes each of them has
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    bytes: u32,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // `cargo test --benches` and lists of tests start this as well, and nobody waits minutes for those.
    if !std::env::args().any(|arg| arg == "--bench") {
        return Ok(());
    }
    let options = Options::parse();
    println!("{} cores; the database shares them\n", cores());
    println!("| database | what | result | p50 | p99 | to reach |\n|---|---|--:|--:|--:|---|");
    let (sqlite, _folder) = artdag_database::testing::fresh_sqlite().await;
    measure("SQLite", &sqlite, &options, None).await?;
    match postgres().await {
        Some((url, _database)) => measure("PostgreSQL", &url, &options, Some(10_000.0)).await?,
        None => eprintln!("!! SKIPPED: PostgreSQL, and with it the target: TEST_DATABASE_URL is not set"),
    }
    Ok(())
}

async fn measure(name: &str, database: &DatabaseUrl, options: &Options, target: Option<f64>) -> Result<(), Failure> {
    let data = tempfile::tempdir()?;
    let bound = Bound::new(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let environment = BTreeMap::from([
        ("ARTDAG_DATA".to_owned(), data.path().display().to_string()),
        ("PORT".to_owned(), bound.address().port().to_string()),
        ("OTS_CALENDARS".to_owned(), "none".to_owned()),
    ]);
    let mut settings = Settings::from(&environment, None, None)?;
    settings.database = database.clone();
    let bitcoin = bitcoin::sources(&settings)?;
    let registry = wiring::build_with(&settings, bitcoin.clone()).await?;
    // The key is made once in the life of a log.
    registry.log_key().await?;
    let store = artdag_database::open(database, 2).await?;
    publish(store.clone(), options).await?;

    let (size, before) = (u64::from(options.activities), resident_mib(std::process::id()));
    let start = Instant::now();
    registry.sequence("bench").await?;
    let rate = f64::from(options.activities) / start.elapsed().as_secs_f64();
    let verdict = target.map(|target| format!("{target:.0}/s: {}", if rate >= target { "met" } else { "not met" }));
    println!("| {name} | {size} activities into the log | {rate:.0}/s | | | {} |", verdict.unwrap_or_default());
    let roots = anchor(&registry, store.as_ref(), size).await?;
    report(name, "an inclusion proof", &proofs(&registry, size).await?, None);

    let (stop, stopped) = watch::channel(false);
    let served = tokio::spawn(bound.serve(registry, bitcoin, TrustedProxies::default(), stopped));
    let most = Some(Duration::from_millis(20));
    let base = settings.site.base();
    let of_activity = |what: &'static str| move |n: u64| format!("{base}/activities/{}/{what}", n % size);
    report(name, "GET proof.json", &ask(of_activity("proof.json")).await?, most);
    report(name, "GET proof.ots", &ask(of_activity("proof.ots")).await?, most);
    let step = size / ANCHORS;
    let tree = |n: u64| {
        let (root, first) = &roots[usize::try_from(n % ANCHORS).unwrap_or(0)];
        format!("{base}/anchors/{root}/tree?limit=200&from={}", first + n / ANCHORS % step)
    };
    report(name, "GET a page of 200 of an anchor's tree", &ask(tree).await?, most);
    let after = resident_mib(std::process::id());
    println!("| {name} | resident memory, MiB, before and after all that | {before} / {after} | | | |");
    stop.send_replace(true);
    served.await?
}

fn report(name: &str, what: &str, times: &[Duration], most: Option<Duration>) {
    let ms = |percent| format!("{:.2} ms", quantile(times, percent).as_secs_f64() * 1000.0);
    let verdict = most.map(|most| {
        let is_met = quantile(times, 99) < most;
        format!("{} ms: {}", most.as_millis(), if is_met { "met" } else { "not met" })
    });
    println!("| {name} | {what} | | {} | {} | {} |", ms(50), ms(99), verdict.unwrap_or_default());
}

/// How much memory a process has at this moment, in MiB; 0 where nothing tells.
fn resident_mib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// How many anchors share the activities evenly.
const ANCHORS: u64 = 100;

/// Puts anchors into the database, as a registry of that size has them. Their roots, and where they begin.
async fn anchor(registry: &Registry, store: &dyn Store, size: u64) -> Result<Vec<(Digest, u64)>, Failure> {
    let calendar: CalendarUri = "https://calendar.example".parse()?;
    let (now, pace) = (registry.now(), Pace::new(TimeDelta::hours(1)));
    let mut roots = Vec::new();
    for n in 0..ANCHORS {
        let (first, end) = (size * n / ANCHORS, size * (n + 1) / ANCHORS);
        let root = tree_root(registry.read().await?.as_mut(), end).await?;
        let checkpoint = Checkpoint::new(&registry.log_origin(), end, root)?;
        let calendars = std::slice::from_ref(&calendar);
        let mut anchor = Anchor::begin(&checkpoint, Network::Mainnet, first, [[1; 16], [2; 16]], calendars, now);
        let promise = Timestamp::new(anchor.digest().as_bytes())?.attested(Attestation::Pending(calendar.clone()));
        anchor.heard(&calendar, &Question::Submit, &Ok(promise), now, pace);
        anchor.settle(1, now, pace);
        let mut unit = store.begin().await?;
        unit.add_anchor(&anchor).await?;
        unit.commit().await?;
        roots.push((root, first));
    }
    Ok(roots)
}

/// Asks for one address after the other. How long each took, fastest first.
async fn ask(address: impl Fn(u64) -> String) -> Result<Vec<Duration>, Failure> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let randomness = SeededRandomness::default();
    let mut times = Vec::new();
    for _ in 0..500 {
        let mut bytes = [0; 8];
        randomness.fill(&mut bytes);
        let start = Instant::now();
        let answer = client.get(address(u64::from_le_bytes(bytes) >> 8)).send().await?.error_for_status()?;
        answer.bytes().await?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

/// Inclusion proofs of entries all over the log, fastest first.
async fn proofs(registry: &Registry, size: u64) -> Result<Vec<Duration>, Failure> {
    let randomness = SeededRandomness::default();
    let mut times = Vec::new();
    for _ in 0..500 {
        let mut bytes = [0; 8];
        randomness.fill(&mut bytes);
        let index = u64::from_le_bytes(bytes) % size;
        let start = Instant::now();
        prove_inclusion(registry.read().await?.as_mut(), index, size).await?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

async fn publish(store: Arc<dyn Store>, options: &Options) -> Result<(), Failure> {
    let (clock, randomness) = (ManualClock::new(), SeededRandomness::default());
    let actor: Username = "giles".parse()?;
    let password = PasswordHash::from_stored("$argon2id$..".to_owned());
    let user = User { username: actor.clone(), display_name: None, email: None, password, created_at: clock.now() };
    let mut unit = store.begin().await?;
    unit.add_user(&user).await?;
    unit.commit().await?;
    let mut left = options.activities;
    while left > 0 {
        // Some at a time: a transaction ends before the databases' limits do.
        let some = left.min(5000);
        let mut unit = store.begin().await?;
        for _ in 0..some {
            clock.advance(TimeDelta::milliseconds(5));
            let id = new_uuid(clock.now(), &randomness);
            let mut filling = vec![0; options.bytes as usize / 2];
            randomness.fill(&mut filling);
            let document =
                SignedDocument::from_stored(format!("{{\"id\":\"{id}\",\"x\":\"{}\"}}", hex::encode(filling)));
            let activity = Activity {
                id: id.into(),
                kind: ActivityKind::Create,
                actor: actor.clone(),
                content_hash: ContentHash::of(id.as_bytes()),
                published_at: clock.now(),
                document,
                index: None,
            };
            unit.add_activity(&activity).await?;
        }
        unit.commit().await?;
        left -= some;
    }
    Ok(())
}
