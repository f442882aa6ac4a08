//! What other servers meet: how many signed activities an inbox takes a second, how many bad ones it refuses, how fast
//! a publication reaches 500 servers, and how much memory that takes. Beside it, in the same run: how many RSA
//! signatures this machine makes, and what Fedify takes.
//!
//! The real program runs as a process of its own over SQLite and over PostgreSQL. docs/benchmarks.md says how to run it
//! and how to read it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to the person at the terminal")]

mod parts;

use artdag_federation::http_signature::{
    BodyDigest, Content, KeyKind, OutgoingRequest, SigningKey, sign_cavage, sign_rfc9421,
};
use artdag_federation::{ActorSigner, SignatureScheme};
use artdag_kernel::Clock;
use artdag_kernel::testing::SeededRandomness;
use artdag_signing::{ActorKeys, new_keys};
use clap::Parser;
use parts::{Failure, cores, median, postgres, quantile, read_answer};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const ACTIVITY_JSON: &str = "application/activity+json";
/// How many publications are fanned out before those that are measured.
const WARM_UP: u32 = 3;

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
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=5000))]
    followers: u32,
    /// How many publications are fanned out
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
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
    match node_folder() {
        Some(folder) => measure_fedify(&folder, &world, &options).await?,
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
    let token = server.register().await?;
    world.befriend(&server, &token).await?;
    let is_target = name == "PostgreSQL";
    let row = |what: &str, rate: f64, latencies: &[Duration], target: f64| {
        let verdict = match (is_target, rate >= target) {
            (false, _) => String::new(),
            (true, true) => format!("{target:.0}/s: met"),
            (true, false) => format!("{target:.0}/s: not met"),
        };
        let ms = |percent| match latencies {
            [] => String::new(),
            latencies => format!("{:.1} ms", quantile(latencies, percent).as_secs_f64() * 1000.0),
        };
        println!("| {name} | {what} | {rate:.0}/s | {} | {} | {verdict} |", ms(50), ms(99));
    };

    let inbox = format!("{}/inbox", server.base);
    let letters = world.letters(&inbox, options.activities)?;
    let (rate, latencies) = send_all(server.address, &letters, options.connections, "202").await?;
    row("signed activities taken, key known, durable", rate, &latencies, 2500.0);

    let forged: Vec<Vec<u8>> = letters.iter().map(|letter| forge(letter)).collect();
    let before = world.fetches();
    let (rate, latencies) = send_all(server.address, &forged, options.connections, "401").await?;
    row(&format!("bad signatures refused, {} keys fetched", world.fetches() - before), rate, &latencies, 4000.0);

    world.follow_all(&server).await?;
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
    Ok(())
}

/// The server as a process of its own.
struct Server {
    process: Child,
    base: String,
    address: SocketAddr,
    _data: tempfile::TempDir,
}

impl Server {
    async fn start(database: &str) -> Result<Self, Failure> {
        let data = tempfile::tempdir()?;
        let port = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let process = Command::new(env!("CARGO_BIN_EXE_artdag-l2"))
            .envs([("HOST", "127.0.0.1"), ("PORT", &port.to_string()), ("DATABASE_URL", database), ("LOG", "warn")])
            .envs([("ALLOW_PRIVATE_NETWORKS", "127.0.0.0/8"), ("OTS_CALENDARS", "none")])
            .env("ARTDAG_DATA", data.path())
            .stdout(Stdio::null())
            .spawn()?;
        let (base, address) = (format!("http://localhost:{port}"), SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let server = Self { process, base, address, _data: data };
        for _ in 0..500 {
            if reqwest::get(format!("{}/health/ready", server.base)).await.is_ok_and(|r| r.status() == 200) {
                return Ok(server);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err("the server did not start".into())
    }

    async fn register(&self) -> Result<String, Failure> {
        let account = json!({"username": "giles", "password": "correct horse battery"});
        let request = reqwest::Client::new().post(format!("{}/auth/register", self.base)).json(&account);
        let answer: Value = request.send().await?.error_for_status()?.json().await?;
        Ok(answer["access_token"].as_str().ok_or("registration gave no token")?.to_owned())
    }

    /// Resident memory in MiB: now, and at most.
    fn memory(&self) -> Result<(u64, u64), Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
        };
        Ok((field("VmRSS:"), field("VmHWM:")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The other servers: one loopback address each, with an actor that follows, and one whose actor is followed.
struct World {
    keys: Arc<ActorKeys>,
    port: u16,
    hosts: Vec<Ipv4Addr>,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    fetches: AtomicUsize,
    /// How many creations came.
    created: AtomicUsize,
    /// How many acceptances came.
    accepted: AtomicUsize,
    /// Requests to follow.
    follows: Mutex<Vec<Value>>,
}

impl World {
    async fn open(followers: u32, keys: Arc<ActorKeys>) -> Result<Self, Failure> {
        let address = |n: u32| Ipv4Addr::from_bits(Ipv4Addr::new(127, 0, 1, 0).to_bits() + n);
        let hosts: Vec<Ipv4Addr> = (0..=followers).map(address).collect();
        let first = TcpListener::bind((hosts[0], 0)).await?;
        let port = first.local_addr()?.port();
        let world = Self { keys, port, hosts, seen: Arc::default() };
        world.listen(first, world.hosts[0]);
        for host in &world.hosts[1..] {
            world.listen(TcpListener::bind((*host, port)).await?, *host);
        }
        Ok(world)
    }

    fn listen(&self, listener: TcpListener, host: Ipv4Addr) {
        let document: Arc<str> = self.actor_document(host).to_string().into();
        let seen = Arc::clone(&self.seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (document, seen) = (Arc::clone(&document), Arc::clone(&seen));
                tokio::spawn(async move { serve(stream, &document, &seen).await });
            }
        });
    }

    fn actor(&self, host: Ipv4Addr) -> String {
        format!("http://{host}:{}/users/bob", self.port)
    }

    fn actor_document(&self, host: Ipv4Addr) -> Value {
        let id = self.actor(host);
        json!({
            "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
            "id": id, "type": "Person", "preferredUsername": "bob", "inbox": format!("{id}/inbox"),
            "publicKey": {"id": format!("{id}#main-key"), "owner": id, "publicKeyPem": self.keys.public_keys().rsa_pem},
        })
    }

    fn fetches(&self) -> usize {
        self.seen.fetches.load(Ordering::SeqCst)
    }

    /// A whole request that brings an activity from a host.
    fn request(
        &self,
        host: Ipv4Addr,
        inbox: &str,
        activity: &Value,
        scheme: SignatureScheme,
    ) -> Result<Vec<u8>, Failure> {
        let (url, body) = (url::Url::parse(inbox)?, activity.to_string());
        let digest = BodyDigest::of(body.as_bytes());
        let content = Content { media_type: ACTIVITY_JSON, digest: &digest };
        let request = OutgoingRequest { method: "POST", url: &url, content: Some(content), more: &[] };
        let id = format!("{}#main-key", self.actor(host));
        let key = SigningKey { id: &id, kind: KeyKind::Rsa, signer: self.keys.as_ref() };
        let now = artdag_app::system::SystemClock.now();
        let signed = match scheme {
            SignatureScheme::Cavage => sign_cavage(&request, &key, now)?,
            SignatureScheme::Rfc9421 => sign_rfc9421(&request, &key, now)?,
        };
        let headers: String = signed.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
        Ok(format!(
            "POST {} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {ACTIVITY_JSON}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            url.path(),
            body.len()
        )
        .into_bytes())
    }

    /// Signed claims of the actor that is followed, each for itself. Signing them is not measured.
    fn letters(&self, inbox: &str, count: u32) -> Result<Vec<Vec<u8>>, Failure> {
        let run = artdag_app::system::SystemClock.now().timestamp_micros();
        let letter = |n: u32| self.request(self.hosts[0], inbox, &self.claim(run, n), SignatureScheme::Rfc9421);
        thread::scope(|scope| {
            let letter = &letter;
            let share = count.div_ceil(u32::try_from(cores())?);
            let running: Vec<_> = (0..count)
                .step_by(share as usize)
                .map(|from| {
                    scope.spawn(move || (from..count.min(from + share)).map(letter).collect::<Result<Vec<_>, _>>())
                })
                .collect();
            let parts = running.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err("signing died".into())));
            Ok(parts.collect::<Result<Vec<_>, Failure>>()?.concat())
        })
    }

    fn claim(&self, run: i64, n: u32) -> Value {
        let (actor, base) = (self.actor(self.hosts[0]), format!("http://{}:{}", self.hosts[0], self.port));
        json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{base}/activities/{run}-{n}"),
            "type": "Create", "actor": actor, "to": ["https://www.w3.org/ns/activitystreams#Public"],
            "object": {
                "id": format!("{base}/objects/{run}-{n}"), "type": "Image", "name": format!("picture {n}"),
                "content": format!("sha3-256:{n:064x}"), "attributedTo": actor, "published": "2026-11-22T07:21:19Z",
            },
        })
    }

    /// Lets giles follow the first actor.
    async fn befriend(&self, server: &Server, token: &str) -> Result<(), Failure> {
        let client = reqwest::Client::new();
        client.get(format!("{}/actor", server.base)).send().await?.error_for_status()?;
        let asked = client.post(format!("{}/federation/follow", server.base)).bearer_auth(token);
        asked.json(&json!({"actor": self.actor(self.hosts[0])})).send().await?.error_for_status()?;
        let follow = loop {
            if let Some(follow) = self.seen.follows.lock().map_err(|_| "a thread died")?.pop() {
                break follow;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        let actor = self.actor(self.hosts[0]);
        let accept = json!({"id": format!("{actor}#accept-{}", follow["id"]), "type": "Accept", "actor": actor, "object": follow});
        let request =
            self.request(self.hosts[0], &format!("{}/inbox", server.base), &accept, SignatureScheme::Rfc9421)?;
        send_all(server.address, &[request], 1, "202").await?;
        Ok(())
    }

    /// Lets an actor of every other host follow giles.
    async fn follow_all(&self, server: &Server) -> Result<(), Failure> {
        let inbox = format!("{}/inbox", server.base);
        let wishes = self.hosts[1..].iter().map(|host| {
            let actor = self.actor(*host);
            let wish = json!({
                "id": format!("{actor}#follow-{}", server.address.port()), "type": "Follow", "actor": actor,
                "object": format!("{}/users/giles", server.base),
            });
            self.request(*host, &inbox, &wish, SignatureScheme::Cavage)
        });
        let wishes: Vec<Vec<u8>> = wishes.collect::<Result<_, _>>()?;
        let before = self.seen.accepted.load(Ordering::SeqCst);
        send_all(server.address, &wishes, 8, "202").await?;
        wait_for(&self.seen.accepted, before + wishes.len()).await
    }

    /// Publishes once, and waits until it reached everybody: deliveries a second.
    async fn fan_out(&self, server: &Server, token: &str, round: u32) -> Result<f64, Failure> {
        let before = self.seen.created.load(Ordering::SeqCst);
        let claim = json!({
            "name": format!("asset {round}"), "content_hash": format!("{:064x}", u64::from(round) + 1_000_000),
            "asset_type": "image",
        });
        let start = Instant::now();
        let request = reqwest::Client::new().post(format!("{}/assets", server.base)).bearer_auth(token).json(&claim);
        request.send().await?.error_for_status()?;
        wait_for(&self.seen.created, before + self.hosts.len() - 1).await?;
        Ok((self.hosts.len() - 1) as f64 / start.elapsed().as_secs_f64())
    }
}

async fn wait_for(counter: &AtomicUsize, wanted: usize) -> Result<(), Failure> {
    for _ in 0..60_000 {
        if counter.load(Ordering::SeqCst) >= wanted {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Err(format!("only {} of {wanted} arrived within a minute", counter.load(Ordering::SeqCst)).into())
}

/// Takes everything, and shows the actor.
async fn serve(mut stream: TcpStream, document: &str, seen: &Seen) {
    let mut bytes = Vec::with_capacity(8192);
    loop {
        let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else {
            if !matches!(stream.read_buf(&mut bytes).await, Ok(1..)) {
                return;
            }
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
        let whole = end + 4 + length.unwrap_or(0);
        while bytes.len() < whole {
            if !matches!(stream.read_buf(&mut bytes).await, Ok(1..)) {
                return;
            }
        }
        let answer = if head.starts_with("get") {
            seen.fetches.fetch_add(1, Ordering::SeqCst);
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {ACTIVITY_JSON}\r\nContent-Length: {}\r\n\r\n{document}",
                document.len()
            )
        } else {
            let body = &bytes[end + 4..whole];
            let has = |what: &[u8]| body.windows(what.len()).any(|part| part == what);
            if has(b"\"type\":\"Create\"") {
                seen.created.fetch_add(1, Ordering::SeqCst);
            } else if has(b"\"type\":\"Accept\"") {
                seen.accepted.fetch_add(1, Ordering::SeqCst);
            } else if let (Ok(follow), Ok(mut follows)) = (serde_json::from_slice(body), seen.follows.lock()) {
                follows.push(follow);
            }
            "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_owned()
        };
        bytes.drain(..whole);
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
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

#[expect(
    clippy::disallowed_methods,
    reason = "benchmarks are told where their programs are by the environment, as tests are"
)]
fn node_folder() -> Option<std::path::PathBuf> {
    std::env::var_os("ARTDAG_TEST_NODE").map(Into::into)
}

/// The same load for Fedify, in its own mode for benchmarks: it keeps nothing.
async fn measure_fedify(folder: &std::path::Path, world: &World, options: &Options) -> Result<(), Failure> {
    let program = folder.join("fedify_peer.mjs");
    std::fs::write(&program, include_str!("../../../tests/interop/node/fedify_peer.mjs"))?;
    let port = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let mut process = Command::new("node")
        .arg(program)
        .args(["--bench", "--quiet", "--port", &port.to_string()])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut output = BufReader::new(process.stdout.take().ok_or("no output")?).lines();
    let ready = output.by_ref().map_while(Result::ok).any(|line| line.contains("peer ready"));
    let outcome = if ready {
        // It is slower by far; fewer activities tell as much.
        let letters = world.letters(&format!("http://127.0.0.1:{port}/users/alice/inbox"), options.activities / 5)?;
        send_all(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), &letters, options.connections, "202").await
    } else {
        Err("Fedify did not start".into())
    };
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    let fields: HashMap<&str, &str> = status.lines().filter_map(|line| line.split_once(':')).collect();
    let most = fields.get("VmHWM").and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0);
    let _ = process.kill();
    let _ = process.wait();
    let (rate, latencies) = outcome?;
    let ms = |percent| format!("{:.1} ms", quantile(&latencies, percent).as_secs_f64() * 1000.0);
    println!("| Fedify | signed activities taken, nothing kept | {rate:.0}/s | {} | {} | |", ms(50), ms(99));
    println!("| Fedify | resident memory, MiB, at most | {} | | | |", most / 1024);
    Ok(())
}
