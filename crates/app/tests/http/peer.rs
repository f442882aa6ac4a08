//! Another server of the fediverse, as a real HTTP server on loopback: it has actors with keys, signs what it sends in
//! both ways, and keeps what it is sent.

use artdag_federation::canonical::jcs;
use artdag_federation::http_signature::{
    BodyDigest, Content, KeyKind, OutgoingRequest, SigningKey, sign_cavage, sign_rfc9421,
};
use artdag_federation::{ActorSigner, SignatureScheme, data_integrity, multikey};
use artdag_kernel::rfc3339_seconds;
use artdag_kernel::testing::SeededRandomness;
use artdag_signing::{ActorKeys, new_keys};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const ACTIVITY_JSON: &str = "application/activity+json";

/// Making RSA keys takes long, so all peers share these.
static KEYS: LazyLock<[Arc<ActorKeys>; 2]> = LazyLock::new(|| {
    let randomness = SeededRandomness::default();
    std::array::from_fn(|_| {
        let (rsa, ed25519) = (new_keys::rsa(&randomness).unwrap(), new_keys::ed25519(&randomness).unwrap());
        Arc::new(ActorKeys::from_pem(&rsa, &ed25519).unwrap())
    })
});

/// The keys that every actor has at first.
pub(crate) fn first_keys() -> Arc<ActorKeys> {
    KEYS[0].clone()
}

/// Other keys.
pub(crate) fn second_keys() -> Arc<ActorKeys> {
    KEYS[1].clone()
}

/// A status for pages that never come.
pub(crate) const SILENCE: u16 = 0;

/// A running server.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) base: String,
    state: Arc<Mutex<State>>,
    client: Client,
}

/// How it answers to what is posted to an inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Takes everything.
    Kind,
    /// Answers with this status and these headers.
    Status(u16, Vec<(String, String)>),
    /// Takes the request and never answers.
    Silent,
    /// Closes the connection without an answer.
    Rude,
    /// Takes only what is signed by the draft of Cavage.
    CavageOnly,
}

#[derive(Default)]
struct State {
    /// GETs by path.
    fetched: HashMap<String, usize>,
    /// Headers and body of what was posted, by path, in the order in which it came.
    received: Vec<(String, HashMap<String, String>, String)>,
    /// What is at a path: the media type and the body; in place of what would be there.
    pages: HashMap<String, (u16, String, String)>,
    mood: Option<Mood>,
    /// POSTs, taken or not.
    calls: usize,
}

/// A request that a peer is about to send, to be spoiled before it is signed or after.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) url: String,
    pub(crate) body: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Peer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let peer = Self { base, state: Arc::default(), client };
        let serving = peer.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let peer = serving.clone();
                tokio::spawn(async move { peer.serve(stream).await });
            }
        });
        peer
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The id of an actor.
    pub(crate) fn actor(&self, name: &str) -> String {
        format!("{}/users/{name}", self.base)
    }

    /// The id of an actor's RSA key.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}#main-key", self.actor(name))
    }

    pub(crate) fn handle(&self, name: &str) -> String {
        format!("@{name}@{}", self.base.trim_start_matches("http://"))
    }

    pub(crate) fn set_mood(&self, mood: Mood) {
        self.state().mood = Some(mood);
    }

    /// Puts something at a path. With a status of redirects the body is where to; with [`SILENCE`] nothing ever comes.
    pub(crate) fn put(&self, path: &str, status: u16, media_type: &str, body: impl ToString) {
        self.state().pages.insert(path.to_owned(), (status, media_type.to_owned(), body.to_string()));
    }

    /// How often a path was fetched.
    pub(crate) fn fetches(&self, path: &str) -> usize {
        self.state().fetched.get(path).copied().unwrap_or(0)
    }

    /// How often anything was posted, whether it was taken or not.
    pub(crate) fn calls(&self) -> usize {
        self.state().calls
    }

    /// How often anything was fetched.
    pub(crate) fn all_fetches(&self) -> usize {
        self.state().fetched.values().sum()
    }

    /// The activities that came to a path, in their order.
    pub(crate) fn received(&self, path: &str) -> Vec<Value> {
        let state = self.state();
        let bodies = state.received.iter().filter(|(p, ..)| p == path).map(|(_, _, body)| body);
        bodies.map(|body| serde_json::from_str(body).unwrap()).collect()
    }

    /// The headers of what came to a path.
    pub(crate) fn received_headers(&self, path: &str) -> Vec<HashMap<String, String>> {
        let state = self.state();
        state.received.iter().filter(|(p, ..)| p == path).map(|(_, headers, _)| headers.clone()).collect()
    }

    /// Waits until an activity that fulfils the condition came to a path.
    pub(crate) async fn hears(&self, path: &str, condition: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..1500 {
            if let Some(found) = self.received(path).into_iter().find(&condition) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{path} of the peer never received it, but {:#?}", self.received(path));
    }

    /// The document of an actor.
    pub(crate) fn actor_document(&self, name: &str) -> Value {
        let (id, keys) = (self.actor(name), first_keys());
        json!({
            "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
            "id": id,
            "type": "Person",
            "preferredUsername": name,
            "inbox": format!("{id}/inbox"),
            "outbox": format!("{id}/outbox"),
            "followers": format!("{id}/followers"),
            "endpoints": {"sharedInbox": format!("{}/inbox", self.base)},
            "publicKey": {"id": self.key(name), "owner": id, "publicKeyPem": keys.public_keys().rsa_pem},
            "assertionMethod": [{
                "id": format!("{id}#ed25519-key"), "type": "Multikey", "controller": id,
                "publicKeyMultibase": multikey::encode(&keys.public_keys().ed25519),
            }],
        })
    }

    /// An activity of an actor, with an id of its own.
    pub(crate) fn activity(&self, actor: &str, kind: &str, object: Value) -> Value {
        let actor = self.actor(actor);
        json!({
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": format!("{actor}#{}", unique()),
            "type": kind,
            "actor": actor,
            "to": ["https://www.w3.org/ns/activitystreams#Public"],
            "object": object,
        })
    }

    /// A claim to content.
    pub(crate) fn claim(&self, actor: &str, hash: &str) -> Value {
        let object = json!({
            "id": format!("{}/objects/{}", self.base, unique()),
            "type": "Image",
            "name": format!("{actor}'s picture"),
            "content": hash,
            "attributedTo": self.actor(actor),
            "published": rfc3339_seconds(Utc::now_off(TimeDelta::zero())),
        });
        self.activity(actor, "Create", object)
    }

    /// The same with an FEP-8b32 proof by its actor.
    pub(crate) fn with_proof(&self, actor: &str, mut activity: Value) -> Value {
        let method = format!("{}#ed25519-key", self.actor(actor));
        // Letters that are handed on are taken for some days only.
        let now = rfc3339_seconds(Utc::now_off(TimeDelta::zero()));
        data_integrity::attach(&mut activity, first_keys().as_ref(), &method, &now).unwrap();
        activity
    }

    /// The same at another time, or without any.
    pub(crate) fn with_dated_proof(&self, actor: &str, mut activity: Value, created: Option<&str>) -> Value {
        let method = format!("{}#ed25519-key", self.actor(actor));
        let keys = first_keys();
        data_integrity::attach(&mut activity, keys.as_ref(), &method, created.unwrap_or("2026-01-01T00:00:00Z"))
            .unwrap();
        if created.is_none() {
            // What is signed of it is the same without the time but for the time.
            let mut proof = activity["proof"].clone();
            proof.as_object_mut().unwrap().retain(|name, _| name != "created" && name != "proofValue");
            let bare = activity.as_object_mut().unwrap();
            bare.remove("proof");
            let mut message = [0; 64];
            message[..32].copy_from_slice(&Sha256::digest(jcs(&proof).unwrap()));
            message[32..].copy_from_slice(&Sha256::digest(jcs(&activity).unwrap()));
            proof["proofValue"] = json!(format!("z{}", base58(&keys.ed25519(&message))));
            activity["proof"] = proof;
        }
        activity
    }

    /// A request that an actor signs, at a moment that is this much off.
    pub(crate) fn sign(
        &self,
        actor: &str,
        scheme: SignatureScheme,
        inbox: &str,
        activity: &str,
        off: TimeDelta,
    ) -> Outgoing {
        self.sign_with(&self.key(actor), first_keys().as_ref(), scheme, inbox, activity, off)
    }

    /// A request signed with some key.
    pub(crate) fn sign_with(
        &self,
        key: &str,
        signer: &dyn ActorSigner,
        scheme: SignatureScheme,
        inbox: &str,
        activity: &str,
        off: TimeDelta,
    ) -> Outgoing {
        let now = Utc::now_off(off);
        let url = url::Url::parse(inbox).unwrap();
        let digest = BodyDigest::of(activity.as_bytes());
        let content = Content { media_type: ACTIVITY_JSON, digest: &digest };
        let request = OutgoingRequest { method: "POST", url: &url, content: Some(content), more: &[] };
        let key = SigningKey { id: key, kind: KeyKind::Rsa, signer };
        let signed = match scheme {
            SignatureScheme::Cavage => sign_cavage(&request, &key, now),
            SignatureScheme::Rfc9421 => sign_rfc9421(&request, &key, now),
        };
        let mut headers: Vec<(String, String)> =
            signed.unwrap().into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        headers.push(("content-type".to_owned(), ACTIVITY_JSON.to_owned()));
        Outgoing { url: inbox.to_owned(), body: activity.to_owned(), headers }
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, outgoing: Outgoing) -> Response {
        let mut request = self.client.post(outgoing.url).body(outgoing.body);
        for (name, value) in outgoing.headers {
            request = request.header(name, value);
        }
        request.send().await.unwrap()
    }

    /// Signs an activity in the name of its actor, and sends it. The status of the answer.
    pub(crate) async fn post(&self, actor: &str, inbox: &str, activity: &Value) -> u16 {
        let text = activity.to_string();
        let outgoing = self.sign(actor, SignatureScheme::Rfc9421, inbox, &text, TimeDelta::zero());
        self.send(outgoing).await.status().as_u16()
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        while let Some((head, body)) = read_request(&mut stream, &mut bytes).await {
            let mut lines = head.lines();
            let mut words = lines.next().unwrap_or_default().split(' ');
            let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let headers = lines.filter_map(|line| line.split_once(':'));
            let headers = headers.map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned())).collect();
            let Some(reply) = self.reply(method, target, headers, body).await else { return };
            if stream.write_all(&reply).await.is_err() {
                return;
            }
        }
    }

    async fn reply(
        &self,
        method: &str,
        target: &str,
        headers: HashMap<String, String>,
        body: String,
    ) -> Option<Vec<u8>> {
        if method == "POST" {
            self.state().calls += 1;
            let mood = self.state().mood.clone().unwrap_or(Mood::Kind);
            let is_cavage = !headers.contains_key("signature-input");
            let taken = matches!(mood, Mood::Kind) || (mood == Mood::CavageOnly && is_cavage);
            if taken {
                self.state().received.push((target.to_owned(), headers, body));
                return Some(response(202, "text/plain", &[], b""));
            }
            return match mood {
                Mood::Status(status, headers) => Some(response(status, "text/plain", &headers, b"")),
                Mood::Silent => {
                    tokio::time::sleep(Duration::from_secs(120)).await;
                    None
                }
                Mood::CavageOnly => Some(response(401, "text/plain", &[], b"")),
                _ => None,
            };
        }
        *self.state().fetched.entry(target.to_owned()).or_default() += 1;
        let page = self.state().pages.get(target).cloned();
        if let Some((status, media_type, body)) = page {
            if status == SILENCE {
                tokio::time::sleep(Duration::from_secs(120)).await;
            }
            if (300..400).contains(&status) {
                let location = [("Location".to_owned(), body)];
                return Some(response(status, &media_type, &location, b""));
            }
            return Some(response(status, &media_type, &[], body.as_bytes()));
        }
        if let Some(resource) = target.strip_prefix("/.well-known/webfinger?resource=acct") {
            let name = resource.trim_start_matches("%3A").trim_start_matches(':').split(['@', '%']).next()?.to_owned();
            let body = json!({"subject": format!("acct:{}", self.handle(&name).trim_start_matches('@')), "links": [
                {"rel": "self", "type": ACTIVITY_JSON, "href": self.actor(&name)},
            ]});
            return Some(response(200, "application/jrd+json", &[], body.to_string().as_bytes()));
        }
        match target.strip_prefix("/users/").filter(|name| !name.contains('/')) {
            Some(name) => Some(response(200, ACTIVITY_JSON, &[], self.actor_document(name).to_string().as_bytes())),
            None => Some(response(404, "text/plain", &[], b"nothing")),
        }
    }
}

/// As Bitcoin writes bytes, long division and all.
fn base58(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let mut rest = bytes[zeros..].to_vec();
    let mut digits = vec![];
    while rest.iter().any(|byte| *byte != 0) {
        let mut carry = 0_u32;
        for byte in &mut rest {
            let value = carry * 256 + u32::from(*byte);
            (*byte, carry) = (u8::try_from(value / 58).unwrap(), value % 58);
        }
        digits.push(char::from(DIGITS[carry as usize]));
    }
    digits.extend(std::iter::repeat_n('1', zeros));
    digits.into_iter().rev().collect()
}

/// A moment that is this much off the present.
trait Off {
    fn now_off(off: TimeDelta) -> DateTime<Utc>;
}

impl Off for Utc {
    #[expect(clippy::disallowed_methods, reason = "other servers have clocks of their own")]
    fn now_off(off: TimeDelta) -> DateTime<Utc> {
        Utc::now() + off
    }
}

/// A text that is given once.
pub(crate) fn unique() -> String {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("n{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

async fn read_request(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<(String, String)> {
    let mut piece = vec![0; 16 * 1024];
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&piece[..n]),
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let length = length.unwrap_or(0);
    while bytes.len() < end + 4 + length {
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&piece[..n]),
        }
    }
    let rest = bytes.split_off(end + 4 + length);
    let body = String::from_utf8_lossy(&bytes[end + 4..]).into_owned();
    *bytes = rest;
    Some((head, body))
}

fn response(status: u16, media_type: &str, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let more: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head =
        format!("HTTP/1.1 {status} X\r\nContent-Type: {media_type}\r\n{more}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}
