//! What other servers meet: how many signed activities an inbox takes a second, how many bad ones it refuses, how fast
//! a publication reaches 500 servers, and how much memory that takes. Beside it, in the same run: how many RSA
//! signatures this machine makes, and what Fedify takes.
//!
//! The real program runs as a process of its own over SQLite and over PostgreSQL. docs/benchmarks.md says how to run it
//! and how to read it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to the person at the terminal")]

mod fedify;
#[path = "../parts/mod.rs"]
mod parts;
mod server;
mod world;

use artdag_federation::ActorSigner;
use artdag_kernel::testing::SeededRandomness;
use artdag_signing::{ActorKeys, new_keys};
use clap::Parser;
use parts::{Failure, cores, median, postgres, quantile, read_answer};
use server::Server;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use world::World;

/// How many publications are fanned out before those that are measured.
const WARM_UP: u32 = 3;
/// How many servers never answer, and how many do beside them.
const SILENT: u32 = 200;
const LIVE: usize = 20;

/// Signed activities a second into an inbox, bad ones refused, and a fan-out to many servers.
#[derive(Parser)]
#[command(name = "cargo xtask bench federation --")]
struct Options {
    /// How many signed activities are sent to each server
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    activities: u32,
    /// How many connections send at once
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1000))]
    connections: u32,
    /// How many servers follow
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(20..=5000))]
    followers: u32,
    /// How many publications are fanned out
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// For how many seconds something is published for live servers beside silent ones
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(0..=3600))]
    silence: u64,
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
    let keys = keys()?;
    let world = World::open(options.followers, Arc::clone(&keys)).await?;
    println!("{} cores; the load, the other servers and this server share them\n", cores());
    println!("| server | what | result | p50 | p99 | to reach |\n|---|---|--:|--:|--:|---|");
    let bare = bare_signatures(&keys);
    println!("| - | RSA-2048 signatures, all cores | {bare:.0}/s | | | |");

    let sqlite = artdag_database::testing::fresh_sqlite().await;
    measure("SQLite", &sqlite.0.to_string(), &world, &options, bare).await?;
    match postgres().await {
        Some((_, database)) => measure("PostgreSQL", &database.url(), &world, &options, bare).await?,
        None => eprintln!("!! SKIPPED: PostgreSQL, and with it the targets: TEST_DATABASE_URL is not set"),
    }
    match fedify::folder() {
        Some(folder) => fedify::measure(&folder, &world, &options).await?,
        None => eprintln!("!! SKIPPED: Fedify: ARTDAG_TEST_NODE is not set; `cargo xtask bench federation` sets it"),
    }
    Ok(())
}

fn keys() -> Result<Arc<ActorKeys>, Failure> {
    let randomness = SeededRandomness::default();
    Ok(Arc::new(ActorKeys::from_pem(&new_keys::rsa(&randomness)?, &new_keys::ed25519(&randomness)?)?))
}

/// How many RSA signatures this machine makes a second when it does nothing else.
fn bare_signatures(keys: &ActorKeys) -> f64 {
    let start = Instant::now();
    let made = thread::scope(|scope| {
        let running: Vec<_> = (0..cores())
            .map(|_| {
                scope.spawn(|| {
                    let mut made = 0_u32;
                    while start.elapsed() < Duration::from_secs(2) {
                        made += u32::from(keys.rsa_sha256(b"a message").is_ok());
                    }
                    made
                })
            })
            .collect();
        running.into_iter().filter_map(|thread| thread.join().ok()).sum::<u32>()
    });
    f64::from(made) / start.elapsed().as_secs_f64()
}

async fn measure(name: &str, database: &str, world: &World, options: &Options, bare: f64) -> Result<(), Failure> {
    let server = Server::start(database).await?;
    let token = server.register("giles").await?;
    world.befriend(&server, &token).await?;
    let is_target = name == "PostgreSQL";
    let row = |what: &str, rate: f64, latencies: &[Duration], target: f64| {
        let verdict = match (is_target, rate >= target) {
            (false, _) => String::new(),
            (true, true) => format!("{target:.0}/s: met"),
            (true, false) => format!("{target:.0}/s: not met"),
        };
        println!("| {name} | {what} | {rate:.0}/s | {} | {} | {verdict} |", ms(latencies, 50), ms(latencies, 99));
    };

    let inbox = format!("{}/inbox", server.base);
    let letters = world.letters(&inbox, options.activities)?;
    let (rate, latencies) = send_all(server.address, &letters, options.connections, "202").await?;
    row("signed activities taken, key known, durable", rate, &latencies, 2500.0);

    let forged: Vec<Vec<u8>> = letters.iter().map(|letter| forge(letter)).collect();
    let before = world.fetches();
    let (rate, latencies) = send_all(server.address, &forged, options.connections, "401").await?;
    row(&format!("bad signatures refused, {} keys fetched", world.fetches() - before), rate, &latencies, 4000.0);

    world.follow(&server, "giles", world.followers()).await?;
    // A server in service has statistics of its tables. PostgreSQL makes them once a minute, which is longer than this runs,
    // and until then plans are made for tables that look empty.
    for round in 0..WARM_UP {
        world.fan_out(&server, &token, round).await?;
    }
    if is_target {
        artdag_database::testing::execute(&database.parse()?, "analyze").await;
    }
    let mut rates = Vec::new();
    for round in WARM_UP..WARM_UP + options.rounds {
        rates.push(world.fan_out(&server, &token, round).await?);
    }
    let rate = median(rates);
    let of_bare = rate / bare * 100.0;
    let what = format!("deliveries to {} servers, persisted: {of_bare:.0} % of the bare signatures", options.followers);
    row(&what, rate, &[], 0.6 * bare);

    let (now, most) = server.memory()?;
    println!(
        "| {name} | resident memory, MiB, now and at most | {now} / {most} | | | {} |",
        if is_target { "60" } else { "" }
    );
    beside_silence(name, &server, world, options, is_target).await
}

/// How long a publication takes to live followers while others never answer.
async fn beside_silence(
    name: &str,
    server: &Server,
    world: &World,
    options: &Options,
    is_target: bool,
) -> Result<(), Failure> {
    if options.silence == 0 {
        return Ok(());
    }
    let agnes = server.register("agnes").await?;
    let mut latencies = world.reach_the_living(server, &agnes, Duration::from_secs(options.silence)).await?;
    latencies.sort_unstable();
    let (p50, p95, p99) = (ms(&latencies, 50), ms(&latencies, 95), ms(&latencies, 99));
    let verdict = match (is_target, quantile(&latencies, 95) < Duration::from_secs(1)) {
        (false, _) => "",
        (true, true) => "p95 1000 ms: met",
        (true, false) => "p95 1000 ms: not met",
    };
    println!(
        "| {name} | from publication to {LIVE} servers beside {SILENT} silent ones | p95 {p95} | {p50} | {p99} | {verdict} |"
    );
    Ok(())
}

fn ms(sorted: &[Duration], percent: usize) -> String {
    match sorted {
        [] => String::new(),
        sorted => format!("{:.1} ms", quantile(sorted, percent).as_secs_f64() * 1000.0),
    }
}

/// Sends every request once, over so many connections. How many a second, and how long each took.
async fn send_all(
    address: SocketAddr,
    requests: &[Vec<u8>],
    connections: u32,
    status: &'static str,
) -> Result<(f64, Vec<Duration>), Failure> {
    let requests: Arc<[Vec<u8>]> = requests.into();
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let mut sending = JoinSet::new();
    for _ in 0..connections {
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        sending.spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (mut answer, mut latencies) = (Vec::with_capacity(4096), Vec::new());
            while let Some(request) = requests.get(next.fetch_add(1, Ordering::SeqCst)) {
                let sent = Instant::now();
                stream.write_all(request).await?;
                read_answer(&mut stream, &mut answer, status).await?;
                latencies.push(sent.elapsed());
            }
            Ok::<_, Failure>(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(sent) = sending.join_next().await {
        latencies.append(&mut sent??);
    }
    let rate = latencies.len() as f64 / start.elapsed().as_secs_f64();
    latencies.sort_unstable();
    Ok((rate, latencies))
}

/// The same request with another signature.
fn forge(letter: &[u8]) -> Vec<u8> {
    const BEFORE: &[u8] = b"sig1=:";
    let mut forged = letter.to_vec();
    if let Some(at) = letter.windows(BEFORE.len()).position(|part| part == BEFORE) {
        let byte = &mut forged[at + BEFORE.len() + 20];
        *byte = if *byte == b'A' { b'B' } else { b'A' };
    }
    forged
}
