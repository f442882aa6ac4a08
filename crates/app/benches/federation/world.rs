//! The servers that send to it and hear from it.

use crate::parts::{Failure, cores};
use crate::server::Server;
use crate::{LIVE, SILENT, send_all};
use artdag_federation::http_signature::{
    BodyDigest, Content, KeyKind, OutgoingRequest, SigningKey, sign_cavage, sign_rfc9421,
};
use artdag_federation::{ACTIVITY_JSON, ActorSigner, SignatureScheme};
use artdag_kernel::Clock;
use artdag_signing::ActorKeys;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The other servers: one loopback address each, with an actor that follows, and one whose actor is followed.
pub(crate) struct World {
    keys: Arc<ActorKeys>,
    port: u16,
    hosts: Vec<Ipv4Addr>,
    /// Those that show their actors and take no mail: they listen, and never answer.
    silent: Vec<Ipv4Addr>,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    fetches: AtomicUsize,
    /// How many creations came.
    created: AtomicUsize,
    /// How many acceptances came.
    accepted: AtomicUsize,
    /// When creations came since this was last emptied.
    arrivals: Mutex<Vec<Instant>>,
    /// Requests to follow.
    follows: Mutex<Vec<Value>>,
}

impl World {
    pub(crate) async fn open(followers: u32, keys: Arc<ActorKeys>) -> Result<Self, Failure> {
        let address = |n: u32| Ipv4Addr::from_bits(Ipv4Addr::new(127, 0, 1, 0).to_bits() + n);
        let hosts: Vec<Ipv4Addr> = (0..=followers).map(address).collect();
        let silent: Vec<Ipv4Addr> = (followers + 1..=followers + SILENT).map(address).collect();
        let first = TcpListener::bind((hosts[0], 0)).await?;
        let port = first.local_addr()?.port();
        let world = Self { keys, port, hosts, silent, seen: Arc::default() };
        world.listen(first, world.hosts[0], false);
        for (hosts, is_silent) in [(&world.hosts[1..], false), (&world.silent, true)] {
            for host in hosts {
                world.listen(TcpListener::bind((*host, port)).await?, *host, is_silent);
            }
        }
        Ok(world)
    }

    fn listen(&self, listener: TcpListener, host: Ipv4Addr, is_silent: bool) {
        let document: Arc<str> = self.actor_document(host).to_string().into();
        let seen = Arc::clone(&self.seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (document, seen) = (Arc::clone(&document), Arc::clone(&seen));
                tokio::spawn(async move { serve(stream, &document, &seen, is_silent).await });
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

    pub(crate) fn fetches(&self) -> usize {
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
    pub(crate) fn letters(&self, inbox: &str, count: u32) -> Result<Vec<Vec<u8>>, Failure> {
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
    pub(crate) async fn befriend(&self, server: &Server, token: &str) -> Result<(), Failure> {
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

    /// The hosts whose actors may follow somebody.
    pub(crate) fn followers(&self) -> &[Ipv4Addr] {
        &self.hosts[1..]
    }

    /// Lets an actor of each of these hosts follow somebody. Those of silent hosts never hear that they may.
    pub(crate) async fn follow(&self, server: &Server, whom: &str, hosts: &[Ipv4Addr]) -> Result<(), Failure> {
        let inbox = format!("{}/inbox", server.base);
        let wishes = hosts.iter().map(|host| {
            let actor = self.actor(*host);
            let wish = json!({
                "id": format!("{actor}#follow-{whom}-{}", server.address.port()), "type": "Follow", "actor": actor,
                "object": format!("{}/users/{whom}", server.base),
            });
            self.request(*host, &inbox, &wish, SignatureScheme::Cavage)
        });
        let wishes: Vec<Vec<u8>> = wishes.collect::<Result<_, _>>()?;
        let before = self.seen.accepted.load(Ordering::SeqCst);
        send_all(server.address, &wishes, 8, "202").await?;
        let heard = hosts.iter().filter(|host| !self.silent.contains(host)).count();
        wait_for(&self.seen.accepted, before + heard).await
    }

    /// Publishes for live followers and for silent ones, again and again while the silent are found to be so: how long
    /// each delivery to a live one took from the publication on.
    pub(crate) async fn reach_the_living(
        &self,
        server: &Server,
        token: &str,
        time: Duration,
    ) -> Result<Vec<Duration>, Failure> {
        self.follow(server, "agnes", &self.silent).await?;
        self.follow(server, "agnes", &self.followers()[..LIVE]).await?;
        let (begin, mut latencies) = (Instant::now(), Vec::new());
        for round in 0_u32.. {
            self.arrivals()?.clear();
            let published = self.publish(server, token, LIVE, 2_000_000 + round).await?;
            latencies.extend(self.arrivals()?.iter().map(|arrival| arrival.duration_since(published)));
            if begin.elapsed() > time {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(latencies)
    }

    fn arrivals(&self) -> Result<std::sync::MutexGuard<'_, Vec<Instant>>, Failure> {
        self.seen.arrivals.lock().map_err(|_| "a thread died".into())
    }

    /// Publishes once, and waits until it reached everybody: deliveries a second.
    pub(crate) async fn fan_out(&self, server: &Server, token: &str, round: u32) -> Result<f64, Failure> {
        let followers = self.followers().len();
        let published = self.publish(server, token, followers, 1_000_000 + round).await?;
        Ok(followers as f64 / published.elapsed().as_secs_f64())
    }

    /// Publishes an asset of this number and waits until so many servers know of it. When that began.
    async fn publish(&self, server: &Server, token: &str, servers: usize, number: u32) -> Result<Instant, Failure> {
        let before = self.seen.created.load(Ordering::SeqCst);
        let claim = json!({
            "name": format!("asset {number}"), "content_hash": format!("{number:064x}"), "asset_type": "image",
        });
        let published = Instant::now();
        let request = reqwest::Client::new().post(format!("{}/assets", server.base)).bearer_auth(token).json(&claim);
        request.send().await?.error_for_status()?;
        wait_for(&self.seen.created, before + servers).await?;
        Ok(published)
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

/// Takes everything, unless it is silent, and shows the actor.
async fn serve(mut stream: TcpStream, document: &str, seen: &Seen, is_silent: bool) {
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
        } else if is_silent {
            // Until the other side has had enough.
            bytes.clear();
            while matches!(stream.read_buf(&mut bytes).await, Ok(1..)) {}
            return;
        } else {
            let body = &bytes[end + 4..whole];
            let has = |what: &[u8]| body.windows(what.len()).any(|part| part == what);
            if has(b"\"type\":\"Create\"") {
                if let Ok(mut arrivals) = seen.arrivals.lock() {
                    arrivals.push(Instant::now());
                }
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
