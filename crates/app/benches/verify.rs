//! `POST /auth/verify`, the question every renderer asks of every request: how much of what this machine can do for
//! a handler that only checks the token is left when the whole server answers, over SQLite and over PostgreSQL.
//!
//! The servers are measured in turns, because a machine that does other things is slower in one minute than in the
//! next: what counts is the ratio of two turns that follow each other, and of those ratios the median.
//! docs/benchmarks.md says how to run it and how to read it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to the person at the terminal")]

mod parts;

use actix_web::http::header;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use artdag_app::bitcoin;
use artdag_app::http::caller::bearer;
use artdag_app::http::client_address::TrustedProxies;
use artdag_app::server::Bound;
use artdag_app::settings::Settings;
use artdag_app::system::SystemClock;
use artdag_app::wiring;
use artdag_auth::{AccessToken, Claims, Scope, TokenCodec};
use artdag_database::{DatabaseUrl, testing};
use artdag_kernel::{Clock, rfc3339_seconds};
use artdag_signing::JwtCodec;
use clap::Parser;
use parts::{Failure, cores, median, postgres, quantile, read_answer};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Of the baseline's requests a second, on PostgreSQL.
const TARGET: f64 = 0.60;
const SECRET: &str = "a secret for benchmarks, of 32 bytes or more";
/// The renderer that asks. Nobody calls it.
const L1_SERVER: &str = "https://l1.example";
const USERNAME: &str = "giles";

/// Requests a second of POST /auth/verify, beside those of a handler that only checks the token.
#[derive(Parser)]
#[command(name = "cargo xtask bench --")]
struct Options {
    /// How many turns each server gets
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// How long a turn is
    #[arg(long, default_value_t = 3.0, value_parser = seconds)]
    seconds: f64,
    /// How many connections ask at once; each number is measured by itself
    #[arg(long, default_value = "4,16,64", value_delimiter = ',', value_parser = connections)]
    connections: Vec<usize>,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|n| (0.1..=600.0).contains(n)).ok_or_else(|| "give 0.1 to 600 seconds".to_owned())
}

fn connections(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| (1..=1000).contains(n)).ok_or_else(|| "give 1 to 1000 connections".to_owned())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // `cargo test --benches` and lists of tests start this as well, and nobody waits minutes for those.
    if !std::env::args().any(|arg| arg == "--bench") {
        return Ok(());
    }
    let options = Options::parse();
    let mut servers = vec![Server::with_the_token_alone()?];
    servers.push(Server::on_sqlite().await?);
    match postgres().await {
        Some((url, database)) => servers.push(Server::on_database("PostgreSQL", &url, Box::new(database)).await?),
        None => eprintln!(
            "\n{line}\n!! SKIPPED: PostgreSQL, and with it the target\n!! why:  TEST_DATABASE_URL is not set\n\
             !! mend: cargo xtask bench\n{line}\n",
            line = "!".repeat(80)
        ),
    }

    println!(
        "POST /auth/verify: {} cores, as many workers a server, load from {} thread(s) of the same process, \
         {} rounds of {} s",
        cores(),
        load_threads(),
        options.rounds,
        options.seconds
    );
    println!(
        "\n| connections | server | requests/s | p50 | p99 | of the baseline | target |\n|--:|---|--:|--:|--:|--:|---|"
    );
    for &connections in &options.connections {
        for row in measure(&servers, connections, &options)? {
            println!("{row}");
        }
    }
    for server in servers {
        let name = server.name;
        if let Err(error) = server.stop().await {
            // Worth a look, but the figures stand.
            eprintln!("{name}: stopped with an error: {error}");
        }
    }
    Ok(())
}

/// Enough that the servers are the limit, and no more: they share the machine with what asks them.
fn load_threads() -> usize {
    (cores() / 4).max(1)
}

/// A server that answers, and the request it is asked with.
struct Server {
    name: &'static str,
    address: SocketAddr,
    request: Arc<[u8]>,
    stop: watch::Sender<bool>,
    served: JoinHandle<Result<(), Failure>>,
    _kept: Box<dyn Send + Sync>,
}

impl Server {
    /// The baseline: actix with one handler.
    fn with_the_token_alone() -> Result<Self, Failure> {
        let bound = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
        let address = bound.local_addr()?;
        let l2_server = format!("http://localhost:{}", address.port());
        let codec = JwtCodec::new(SECRET.as_bytes())?;
        let (scope, lifetime) = (Scope::Renderer(L1_SERVER.parse()?), chrono::TimeDelta::days(30));
        let id = "019a0000-0000-7000-8000-000000000000";
        let token = codec.seal(&Claims::new(USERNAME.parse()?, &l2_server, scope, SystemClock.now(), lifetime, id));
        let seal = web::Data::new(Seal { codec, l2_server });
        let server = HttpServer::new(move || {
            App::new().app_data(seal.clone()).route("/auth/verify", web::post().to(check_the_token_alone))
        })
        .listen(bound)?
        .shutdown_timeout(1)
        .disable_signals()
        .run();
        let (stop, mut stopped) = watch::channel(false);
        let handle = server.handle();
        let served = tokio::spawn(async move {
            let until_told = async {
                if stopped.wait_for(|stop| *stop).await.is_ok() {
                    handle.stop(true).await;
                }
            };
            let (ended, ()) = tokio::join!(server, until_told);
            ended.map_err(Into::into)
        });
        let request = request_of(address, token.reveal());
        Ok(Self { name: "token alone (baseline)", address, request, stop, served, _kept: Box::new(()) })
    }

    async fn on_sqlite() -> Result<Self, Failure> {
        let (url, folder) = testing::fresh_sqlite().await;
        Self::on_database("SQLite", &url, Box::new(folder)).await
    }

    /// The real one, with an account that is attached to the renderer.
    async fn on_database(
        name: &'static str,
        url: &DatabaseUrl,
        database: Box<dyn Send + Sync>,
    ) -> Result<Self, Failure> {
        let data = tempfile::tempdir()?;
        let bound = Bound::new(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let address = bound.address();
        let environment = [
            ("PORT", address.port().to_string()),
            ("ARTDAG_DATA", data.path().display().to_string()),
            ("JWT_SECRET", SECRET.to_owned()),
            ("L1_SERVERS", L1_SERVER.to_owned()),
            ("OTS_CALENDARS", "none".to_owned()),
        ];
        let environment: BTreeMap<_, _> = environment.map(|(name, value)| (name.to_owned(), value)).into();
        let mut settings = Settings::from(&environment, None, None)?;
        settings.database = url.clone();
        let bitcoin = bitcoin::sources(&settings)?;
        let registry = wiring::build_with(&settings, bitcoin.clone()).await?;
        let (stop, stopped) = watch::channel(false);
        let served = tokio::spawn(bound.serve(registry, bitcoin, TrustedProxies::default(), stopped));
        let token = attached_token(settings.site.base()).await?;
        let request = request_of(address, token.reveal());
        let kept: (TempDir, Box<dyn Send + Sync>) = (data, database);
        Ok(Self { name, address, request, stop, served, _kept: Box::new(kept) })
    }

    async fn stop(self) -> Result<(), Failure> {
        self.stop.send_replace(true);
        self.served.await?
    }
}

/// Registers an account and attaches the renderer, as a person with a browser does.
async fn attached_token(base: &str) -> Result<AccessToken, Failure> {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let account = json!({"username": USERNAME, "password": "correct horse battery"});
    let registered = client.post(format!("{base}/auth/register")).json(&account).send().await?.error_for_status()?;
    let registered: Value = registered.json().await?;
    let member = registered["access_token"].as_str().ok_or("registration gave no token")?;
    let attach = format!("{base}/renderers/attach?l1_url={L1_SERVER}");
    let sent = client.get(attach).bearer_auth(member).send().await?;
    let location = sent.headers().get(header::LOCATION.as_str()).ok_or("the renderer was not attached")?.to_str()?;
    let (_, token) = location.split_once("auth_token=").ok_or("the renderer was sent no token")?;
    Ok(AccessToken::new(token.to_owned()))
}

struct Seal {
    codec: JwtCodec,
    l2_server: String,
}

/// Member for member what the real server answers, so that both write as much.
#[derive(Serialize)]
struct Verified<'a> {
    valid: bool,
    username: &'a str,
    sub: &'a str,
    l2_server: &'a str,
    l1_server: &'a str,
    expires_at: String,
}

/// Takes the body though it needs none: actix closes a connection whose request was not read to its end.
async fn check_the_token_alone(request: HttpRequest, seal: web::Data<Seal>, _body: web::Bytes) -> HttpResponse {
    let checked = bearer(&request).ok().flatten().and_then(|token| {
        let claims = seal.codec.open(&token).ok()?;
        let (username, scope) = claims.check(SystemClock.now(), &seal.l2_server).ok()?;
        Some((claims.expires_at(), username, scope))
    });
    let Some((expires_at, username, Scope::Renderer(l1_server))) = checked else {
        return HttpResponse::Unauthorized().finish();
    };
    HttpResponse::Ok().json(Verified {
        valid: true,
        username: username.as_str(),
        sub: username.as_str(),
        l2_server: &seal.l2_server,
        l1_server: l1_server.as_str(),
        expires_at: rfc3339_seconds(expires_at),
    })
}

/// What a renderer sends.
fn request_of(address: SocketAddr, token: &str) -> Arc<[u8]> {
    let body = json!({"l1_server": L1_SERVER}).to_string();
    format!(
        "POST /auth/verify HTTP/1.1\r\nHost: {address}\r\nAccept: */*\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
    .into()
}

/// A line of the table.
struct Row {
    connections: usize,
    server: &'static str,
    requests: f64,
    p50: Duration,
    p99: Duration,
    ratio: f64,
    has_target: bool,
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { connections, server, requests, p50, p99, ratio, has_target } = self;
        let milliseconds = |time: &Duration| format!("{:.2} ms", time.as_secs_f64() * 1000.0);
        let target = match (has_target, *ratio >= TARGET) {
            (false, _) => String::new(),
            (true, true) => format!("{:.0} %: met", TARGET * 100.0),
            (true, false) => format!("{:.0} %: not met", TARGET * 100.0),
        };
        write!(
            f,
            "| {connections} | {server} | {requests:.0} | {} | {} | {:.0} % | {target} |",
            milliseconds(p50),
            milliseconds(p99),
            ratio * 100.0
        )
    }
}

/// What one server did in all its turns.
#[derive(Default)]
struct Turns {
    requests_a_second: Vec<f64>,
    of_the_baseline: Vec<f64>,
    latencies: Vec<Duration>,
}

fn measure(servers: &[Server], connections: usize, options: &Options) -> Result<Vec<Row>, Failure> {
    let turn = Duration::from_secs_f64(options.seconds);
    for server in servers {
        // Fills the pool, the caches of prepared statements and those of the processor.
        load(server, connections, turn.min(Duration::from_secs(1)))?;
    }
    let mut all: Vec<Turns> = servers.iter().map(|_| Turns::default()).collect();
    for round in 0..options.rounds as usize {
        // Another one begins each time, so that none is always the one after the idle pause.
        for at in (0..servers.len()).map(|at| (at + round) % servers.len()) {
            let load = load(&servers[at], connections, turn)?;
            all[at].requests_a_second.push(load.latencies.len() as f64 / load.lasted.as_secs_f64());
            all[at].latencies.extend(load.latencies);
        }
        let baseline = all[0].requests_a_second[round];
        for turns in &mut all {
            turns.of_the_baseline.push(turns.requests_a_second[round] / baseline);
        }
    }
    let rows = servers.iter().zip(all).map(|(server, mut turns)| {
        turns.latencies.sort_unstable();
        Row {
            connections,
            server: server.name,
            requests: median(turns.requests_a_second),
            p50: quantile(&turns.latencies, 50),
            p99: quantile(&turns.latencies, 99),
            ratio: median(turns.of_the_baseline),
            has_target: server.name == "PostgreSQL",
        }
    });
    Ok(rows.collect())
}

/// What was answered, and in how long.
struct Load {
    latencies: Vec<Duration>,
    lasted: Duration,
}

/// Asks over so many connections at once, each as soon as it has its answer. On threads and runtimes of its own: the
/// servers' background work must not wait behind it.
fn load(server: &Server, connections: usize, turn: Duration) -> Result<Load, Failure> {
    let threads = load_threads().min(connections);
    let start = Instant::now();
    let results = thread::scope(|scope| {
        let share = |thread: usize| connections / threads + usize::from(thread < connections % threads);
        let running: Vec<_> =
            (0..threads).map(|thread| scope.spawn(move || load_from_here(server, share(thread), turn))).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err("a thread of the load died".into())))
            .collect::<Result<Vec<_>, Failure>>()
    })?;
    let latencies = results.concat();
    Ok(Load { latencies, lasted: start.elapsed() })
}

fn load_from_here(server: &Server, connections: usize, turn: Duration) -> Result<Vec<Duration>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let until = Instant::now() + turn;
        let mut asking: JoinSet<_> =
            (0..connections).map(|_| ask(server.address, Arc::clone(&server.request), until)).collect();
        let mut latencies = Vec::new();
        while let Some(answered) = asking.join_next().await {
            latencies.append(&mut answered?.map_err(|error| format!("{}: {error}", server.name))?);
        }
        Ok(latencies)
    })
}

/// One connection, which is kept.
async fn ask(address: SocketAddr, request: Arc<[u8]>, until: Instant) -> Result<Vec<Duration>, Failure> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut answer = Vec::with_capacity(4096);
    let mut latencies = Vec::new();
    let mut sent = Instant::now();
    while sent < until {
        stream.write_all(&request).await?;
        read_answer(&mut stream, &mut answer, "200").await?;
        let now = Instant::now();
        latencies.push(now - sent);
        sent = now;
    }
    Ok(latencies)
}
