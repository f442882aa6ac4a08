//! The log as its witnesses see it: two of these servers that watch each other, and witnesses of the tests' own.

use crate::l1_server::{read_request, response};
use crate::log::{publish, run_go};
use crate::log_watch::{Reader, is_signed};
use crate::peer::{first_keys, second_keys};
use crate::process::Server;
use crate::support::{Account, Answer, TestApp, plain_claim};
use artdag_anchoring::checkpoint::{AddCheckpoint, Checkpoint, Receipt, Refusal, SignedCheckpoint, VerifierKey};
use artdag_anchoring::log::empty_root;
use artdag_anchoring::{Digest, LogWitness};
use artdag_database::testing;
use artdag_federation::ActorSigner;
use artdag_signing::{ActorKeys, verify_ed25519};
use artdag_testing::{PATIENT, free_port, go_path};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};

const LOOPBACK: (&str, &str) = ("ALLOW_PRIVATE_NETWORKS", "127.0.0.0/8");

/// What a witness does when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Honest,
    /// Remembers what it saw, and is killed before it answers.
    Killed,
    Absent,
    Hangs,
    Status(u16),
    Html,
    Garbage,
    /// Signs with a key that is not its own.
    OtherKey,
    /// Signs something else than it was shown.
    OtherText,
    /// Has seen more than there is.
    Ahead,
    /// Has seen what it is told that it has, but not that way.
    Elsewhere,
}

/// A witness on loopback.
#[derive(Clone)]
struct FakeWitness {
    url: String,
    key: VerifierKey,
    state: Arc<Mutex<State>>,
}

struct State {
    mood: Mood,
    seen: (u64, Digest),
    /// From which size it was shown how the log has grown, and when.
    asked: Vec<(u64, Instant)>,
}

impl FakeWitness {
    async fn start(name: &str, mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/log", listener.local_addr().unwrap());
        let key =
            VerifierKey::cosignature_v1(format!("{name}.example/witness").parse().unwrap(), public(&first_keys()));
        let state = State { mood, seen: (0, empty_root()), asked: Vec::new() };
        let witness = Self { url, key, state: Arc::new(Mutex::new(state)) };
        let serving = witness.clone();
        if mood != Mood::Absent {
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let witness = serving.clone();
                    tokio::spawn(async move { witness.serve(stream).await });
                }
            });
        }
        witness
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// From which sizes it was asked, in this order.
    fn asked_from(&self) -> Vec<u64> {
        self.state().asked.iter().map(|(from, _)| *from).collect()
    }

    async fn serve(self, mut stream: TcpStream) {
        let Some((_, path, body)) = read_request(&mut stream).await else { return };
        assert_eq!(path, "/log/add-checkpoint");
        let reply = self.reply(&AddCheckpoint::parse(&body).unwrap());
        if self.state().mood == Mood::Hangs {
            tokio::time::sleep(PATIENT).await;
        }
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &reply).await;
    }

    fn reply(&self, request: &AddCheckpoint) -> Vec<u8> {
        let mut state = self.state();
        let from = request.proof().old_size();
        state.asked.push((from, Instant::now()));
        let text = request.checkpoint().note().text().to_owned();
        let conflict = |size: u64| response(409, "text/x.tlog.size", format!("{size}\n").as_bytes());
        match state.mood {
            Mood::Honest | Mood::Killed | Mood::Absent | Mood::Hangs => {}
            Mood::Status(status) => return response(status, "text/plain", b"no"),
            Mood::Html => return response(200, "text/html", b"<h1>hello</h1>\n"),
            Mood::Garbage => return response(200, "text/plain", &[0xff; 300]),
            Mood::OtherKey => return self.cosign(&text, &second_keys()),
            Mood::OtherText => return self.cosign(&one_more(request.checkpoint().checkpoint()), &first_keys()),
            Mood::Ahead => return conflict(u64::MAX),
            Mood::Elsewhere => return conflict(from),
        }
        let (size, root) = state.seen;
        match request.check(size, &root) {
            Ok(()) => {}
            Err(Refusal::Conflict(size)) => return conflict(size),
            Err(Refusal::Proof(_)) => return response(422, "text/plain", b"no"),
        }
        let seen = request.checkpoint().checkpoint();
        state.seen = (seen.size(), seen.root());
        if state.mood == Mood::Killed {
            state.mood = Mood::Honest;
            return Vec::new();
        }
        self.cosign(&text, &first_keys())
    }

    fn cosign(&self, text: &str, keys: &ActorKeys) -> Vec<u8> {
        let sign = |message: &[u8]| Ok::<_, std::convert::Infallible>(keys.ed25519(message));
        let Ok(signature) = self.key.sign(text, 1_800_000_000, sign);
        response(200, "text/plain", format!("{signature}\n").as_bytes())
    }
}

fn public(keys: &ActorKeys) -> [u8; 32] {
    keys.public_keys().ed25519
}

fn one_more(checkpoint: &Checkpoint) -> String {
    Checkpoint::new(checkpoint.origin(), checkpoint.size() + 1, checkpoint.root()).unwrap().to_string()
}

/// The newest checkpoint, once it speaks for that many and this witness has cosigned it, which is checked.
async fn cosigned(log: &Reader, size: u64, witness: &VerifierKey) -> SignedCheckpoint {
    let (start, key) = (Instant::now(), log.key().await);
    loop {
        let signed = log.checkpoint_of(size).await;
        if signed.claims_signature_of(witness) {
            assert!(is_signed(&signed, &key));
            let cosigners = signed.cosigners(std::slice::from_ref(witness), verify_ed25519).unwrap();
            assert!(
                cosigners.len() == 1 && cosigners[0].time.is_some_and(|time| time > 1_700_000_000),
                "{cosigners:?}"
            );
            return signed;
        }
        assert!(start.elapsed() < PATIENT, "never cosigned by {witness}: {signed}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A server and its witnesses.
struct World {
    app: TestApp,
    giles: Account,
    log: Reader,
    witnesses: Vec<FakeWitness>,
}

async fn witnesses(moods: &[Mood]) -> Vec<FakeWitness> {
    futures_util::future::join_all(
        moods.iter().enumerate().map(async |(n, mood)| FakeWitness::start(&format!("w{n}"), *mood).await),
    )
    .await
}

fn setting(witnesses: &[FakeWitness]) -> String {
    witnesses.iter().map(|witness| format!("{} {}", witness.url, witness.key)).collect::<Vec<_>>().join(", ")
}

impl World {
    async fn of(app: TestApp, witnesses: Vec<FakeWitness>) -> Self {
        let (giles, log) = (app.register("giles").await, Reader::new(&app.base));
        Self { app, giles, log, witnesses }
    }

    async fn publish(&self, count: u64, what: &str) {
        publish(&self.app, &self.giles, count, what).await;
    }

    /// What the server knows of each of them, once that fulfils the condition.
    async fn known(&self, condition: impl Fn(&LogWitness) -> bool) -> Vec<LogWitness> {
        let store = artdag_database::open(&self.app.settings.database, 2).await.unwrap();
        let start = Instant::now();
        loop {
            let known = store.read().await.unwrap().log_witnesses().await.unwrap();
            if known.len() == self.witnesses.len() && known.iter().all(&condition) {
                return known;
            }
            assert!(start.elapsed() < PATIENT, "never as expected: {known:#?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Makes each test twice: beside witnesses of these moods.
macro_rules! beside_witnesses {
    ($($(#[doc = $doc:literal])* async fn $name:ident($world:ident: World, $moods:expr) $body:block)+) => {
        $($(#[doc = $doc])* async fn $name($world: World) $body)+

        mod sqlite {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let witnesses = witnesses($moods).await;
                let app = TestApp::on_sqlite(&[LOOPBACK, ("WITNESSES", &setting(&witnesses))]).await;
                super::$name(World::of(app, witnesses).await).await;
            })+
        }

        mod postgres {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let witnesses = witnesses($moods).await;
                let app = TestApp::on_postgres(&[LOOPBACK, ("WITNESSES", &setting(&witnesses))]).await;
                if let Some(app) = app {
                    super::$name(World::of(app, witnesses).await).await;
                }
            })+
        }
    };
}

/// What each bad witness is said to have done.
const BAD: [(Mood, &str); 10] = [
    (Mood::Absent, "the witness cannot be reached: "),
    (Mood::Hangs, "the witness did not answer in time"),
    (Mood::Status(500), "the witness cannot be reached: its status is 500"),
    (Mood::Status(404), "the witness does not watch this log"),
    (Mood::Html, "the witness gives an answer that cannot be: the note has no valid lines of signatures"),
    (Mood::Garbage, "the witness gives an answer that cannot be: it is no text"),
    (Mood::OtherKey, "the witness's answer is not its cosignature: the signature of w7.example/witness is wrong"),
    (Mood::OtherText, "the witness's answer is not its cosignature: the signature of w8.example/witness is wrong"),
    (Mood::Ahead, "the witness has seen the log at size 18446744073709551615, and it has no more than "),
    (Mood::Elsewhere, "the witness takes no proof from 0, the size that it names itself"),
];

fn one_good_and_the_bad() -> Vec<Mood> {
    [Mood::Honest].into_iter().chain(BAD.map(|(mood, _)| mood)).collect()
}

beside_witnesses! {
    async fn a_growing_log_is_cosigned_again_and_again(world: World, &[Mood::Honest, Mood::Honest]) {
        let [first, second] = &world.witnesses[..] else { panic!("two were started") };
        world.publish(3, "one").await;
        let old = cosigned(&world.log, 3, &first.key).await;
        cosigned(&world.log, 3, &second.key).await;
        for n in 0..10 {
            world.publish(29, &format!("part {n}")).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        let newest = cosigned(&world.log, 293, &first.key).await;
        cosigned(&world.log, 293, &second.key).await;
        let (from, to) = (old.checkpoint(), newest.checkpoint());
        assert_eq!((from.size(), to.size()), (3, 293));
        world.log.consistency(3, 293).await.verify(&from.root(), &to.root()).unwrap();
        for witness in &world.witnesses {
            // Each time from what it saw last, and with a pause however fast the log grew.
            let asked = witness.state().asked.clone();
            assert!(asked.len() > 1 && asked.is_sorted_by(|(from, at), (next, then)| {
                from < next && then.duration_since(*at) > Duration::from_millis(2500)
            }), "{asked:?}");
        }
        let known = world.known(|known| known.seen_size == 293).await;
        assert!(known.iter().all(|known| known.failures == 0 && known.cosigned_at.is_some()), "{known:?}");

        // Whoever keeps a proof keeps the cosignatures.
        let receipt = Receipt::parse(&world.log.text("/activities/7/receipt").await).unwrap();
        assert!(world.witnesses.iter().all(|witness| receipt.checkpoint().claims_signature_of(&witness.key)));
        for path in ["/activities/7/proof.json", "/log/proof?index=7&size=293", "/log/consistency?from=3&to=293"] {
            let note = world.log.json(path).await["checkpoint"].as_str().unwrap().to_owned();
            assert_eq!(note, receipt.checkpoint().to_string(), "{path}");
        }
        if let Some(gopath) = go_path("no cosigned log was checked by Go") {
            assert_eq!(run_go(&gopath, &world.app.base, &["3"]), Ok("OK 293 activities, 1 older trees\n".to_owned()));
        }
    }

    async fn a_witness_that_saw_less_or_more_is_followed(world: World, &[Mood::Honest]) {
        let witness = &world.witnesses[0];
        world.publish(1, "one").await;
        cosigned(&world.log, 1, &witness.key).await;
        // It was restored from a backup.
        witness.state().seen = (0, empty_root());
        world.publish(1, "two").await;
        cosigned(&world.log, 2, &witness.key).await;
        assert_eq!(witness.asked_from(), [0, 1, 0]);
        // It was killed after it had noted the checkpoint.
        witness.state().mood = Mood::Killed;
        world.publish(1, "three").await;
        let failed = world.known(|known| known.failures == 1).await;
        assert!(failed[0].seen_size == 2 && failed[0].last_error.is_some(), "{failed:?}");
        cosigned(&world.log, 3, &witness.key).await;
        assert_eq!(witness.asked_from(), [0, 1, 0, 2, 2, 3]);
        world.known(|known| known.seen_size == 3 && known.failures == 0 && known.last_error.is_none()).await;
    }

    async fn bad_witnesses_do_no_harm_and_are_named(world: World, &one_good_and_the_bad()) {
        let good = &world.witnesses[0];
        for size in 1..=3 {
            world.publish(1, &format!("{size}")).await;
            cosigned(&world.log, size, &good.key).await;
        }
        let known = world.known(|known| known.key == good.key || known.failures > 0).await;
        for (witness, (mood, expected)) in world.witnesses[1..].iter().zip(BAD) {
            let known = known.iter().find(|known| known.key == witness.key).unwrap();
            let error = known.last_error.as_deref().unwrap();
            assert!(error.starts_with(expected), "{mood:?}: {error}");
            assert_eq!((known.seen_size, known.cosigned_at), (0, None), "{mood:?}");
            // It is left alone for a while, and for longer the next time.
            let asked = witness.state().asked.clone();
            let paused = |(_, at): &(u64, Instant), (_, then): &(u64, Instant)| then.duration_since(*at).as_secs() >= 9;
            assert!(asked.is_sorted_by(paused), "{mood:?}: {asked:?}");
        }
        assert_eq!(known.iter().filter(|known| known.cosigned_at.is_some()).count(), 1);
        // No signature of theirs is kept.
        let store = artdag_database::open(&world.app.settings.database, 2).await.unwrap();
        let kept = store.read().await.unwrap().list_checkpoints(None, 100).await.unwrap();
        assert_eq!(kept.len(), 3);
        for kept in kept {
            let keys = [world.log.key().await, good.key.clone()];
            let signatures = kept.signed.note().signatures();
            assert!(signatures.iter().all(|signature| keys.iter().any(|key| signature.is_of(key))), "{}", kept.signed);
        }
    }
}

/// One of two real servers, which is stopped and started again.
struct Watcher<'a> {
    port: u16,
    data: &'a Path,
    database: &'a str,
}

impl Watcher<'_> {
    /// What others know it by: the key of its log, and its address and key as a witness.
    async fn keys(&self) -> (VerifierKey, String, VerifierKey) {
        let server = Server::start(self.port, self.data, self.database, &[]).await;
        let reader = Reader::new(&server.base);
        let witness = reader.text("/log/witness-key").await.trim_end().to_owned();
        let setting = format!("http://127.0.0.1:{}/log {witness}", self.port);
        (reader.key().await, setting, witness.parse().unwrap())
    }

    async fn watching(&self, log: &VerifierKey, witness: &str) -> Server {
        let settings = [LOOPBACK, ("WITNESSED_LOGS", &log.to_string()), ("WITNESSES", witness)];
        Server::start(self.port, self.data, self.database, &settings).await
    }
}

async fn claim(server: &Server, token: &str, name: &str) {
    let request = reqwest::Client::new().post(server.url("/assets")).bearer_auth(token).json(&plain_claim(name));
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

async fn watch_each_other(databases: [&str; 2]) {
    let data = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [a, b] = [0, 1].map(|n| Watcher { port: free_port(), data: data[n].path(), database: databases[n] });
    let ((log_a, setting_a, witness_a), (log_b, setting_b, witness_b)) = (a.keys().await, b.keys().await);
    let server_a = a.watching(&log_b, &setting_b).await;
    let mut server_b = b.watching(&log_a, &setting_a).await;
    let (alice, bob) = (server_a.register("alice").await, server_b.register("bob").await);
    let (reader_a, reader_b) = (Reader::new(&server_a.base), Reader::new(&server_b.base));

    claim(&server_a, &alice, "one").await;
    claim(&server_b, &bob, "one").await;
    let first = cosigned(&reader_a, 1, &witness_b).await;
    cosigned(&reader_b, 1, &witness_a).await;
    claim(&server_a, &alice, "two").await;
    let second = cosigned(&reader_a, 2, &witness_b).await;
    let (from, to) = (first.checkpoint(), second.checkpoint());
    reader_a.consistency(1, 2).await.verify(&from.root(), &to.root()).unwrap();

    // Nothing waits for a witness that is gone, and it is found again.
    server_b.kill();
    for name in ["three", "four"] {
        claim(&server_a, &alice, name).await;
    }
    let alone = reader_a.checkpoint_of(4).await;
    assert!(!alone.claims_signature_of(&witness_b));
    let _server_b = b.watching(&log_a, &setting_a).await;
    let last = cosigned(&reader_a, 4, &witness_b).await;
    assert_eq!(last.checkpoint(), alone.checkpoint());

    // Each in its own name.
    assert_ne!(witness_a, witness_b);
    assert!(!last.claims_signature_of(&witness_a) && !last.claims_signature_of(&log_b));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_on_sqlite_watch_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| format!("sqlite:{}", folder.path().join(name).display()));
    watch_each_other([&a, &b]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_on_postgres_watch_each_other() {
    if let (Some((_, a)), Some((_, b))) = (testing::fresh_postgres().await, testing::fresh_postgres().await) {
        watch_each_other([&a.url(), &b.url()]).await;
    }
}
