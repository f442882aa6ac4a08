//! How fast published activities get their places and their leaves, when many wait; how long a proof takes then.
//!
//! The activities go straight into the database. docs/benchmarks.md says how to run it and how to read it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to the person at the terminal")]
#![expect(dead_code, reason = "what the other benchmarks share speaks HTTP")]

mod parts;

use artdag_app::settings::Settings;
use artdag_app::wiring;
use artdag_auth::{PasswordHash, User};
use artdag_database::DatabaseUrl;
use artdag_federation::{Activity, ActivityKind, SignedDocument};
use artdag_kernel::testing::{ManualClock, SeededRandomness};
use artdag_kernel::{Clock, ContentHash, Randomness, Username, new_uuid};
use artdag_registry::{Registry, Store, prove_inclusion};
use chrono::TimeDelta;
use clap::Parser;
use parts::{Failure, cores, postgres, quantile};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
    println!("| database | activities | into the log | a proof, p50 | p99 | to reach |\n|---|--:|--:|--:|--:|---|");
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
    let environment = BTreeMap::from([("ARTDAG_DATA".to_owned(), data.path().display().to_string())]);
    let mut settings = Settings::from(&environment, None, None)?;
    settings.database = database.clone();
    let registry = wiring::build(&settings).await?;
    // The key is made once in the life of a log.
    registry.log_key().await?;
    publish(artdag_database::open(database, 2).await?, options).await?;

    let start = Instant::now();
    registry.sequence("bench").await?;
    let rate = f64::from(options.activities) / start.elapsed().as_secs_f64();

    let times = proofs(&registry, u64::from(options.activities)).await?;
    let verdict = match target {
        None => String::new(),
        Some(target) if rate >= target => format!("{target:.0}/s: met"),
        Some(target) => format!("{target:.0}/s: not met"),
    };
    let ms = |percent| format!("{:.2} ms", quantile(&times, percent).as_secs_f64() * 1000.0);
    println!("| {name} | {} | {rate:.0}/s | {} | {} | {verdict} |", options.activities, ms(50), ms(99));
    Ok(())
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
