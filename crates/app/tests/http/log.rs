//! `/log/..`: the tree over all activities, and what is proven of it.

use crate::log_watch::{Reader, activities, digest, digests, is_signed};
use crate::support::{Account, TestApp, on_both_databases, plain_claim};
use artdag_anchoring::Digest;
use artdag_anchoring::checkpoint::{AddCheckpoint, Checkpoint, Receipt, SignedCheckpoint, VerifierKey};
use artdag_anchoring::log::{InclusionProof, Tree};
use artdag_federation::ActorSigner;
use artdag_kernel::testing::SeededRandomness;
use artdag_signing::{ActorKeys, new_keys};
use artdag_testing::{go_path, interop_file};
use futures_util::StreamExt;
use futures_util::stream;
use serde_json::json;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::process::Command;

const ACTIVITIES: u64 = 300;
/// More than the sequencer takes at once.
const OLD_LOG: u16 = 2100;

/// What the program says if all is well; else what it complains of.
pub(crate) fn run_go(gopath: &OsStr, base: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("go")
        .arg("run")
        .arg(interop_file("check_log.go"))
        .arg(base)
        .args(arguments)
        .envs([("GO111MODULE", "off"), ("GOFLAGS", "")])
        .env("GOPATH", gopath)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// Publishes so many activities, some at once.
pub(crate) async fn publish(app: &TestApp, who: &Account, count: u64, what: &str) {
    let claims = (0..count).map(|n| {
        let claim = plain_claim(&format!("{what} {n}"));
        async move { app.claim(who, &claim).await }
    });
    stream::iter(claims).buffer_unordered(16).for_each(|_| async {}).await;
}

on_both_databases! {
    async fn every_activity_is_proven_to_be_there(app: TestApp) {
        let giles = app.register("giles").await;
        let log = Reader::new(&app.base);
        let mut checkpoints = BTreeMap::new();
        for part in 0..6 {
            publish(&app, &giles, ACTIVITIES / 6, &format!("part {part}")).await;
            let signed = log.checkpoint_of((part + 1) * ACTIVITIES / 6).await;
            checkpoints.insert(signed.checkpoint().size(), signed);
        }
        let key = log.key().await;
        let domain = app.settings.site.domain();
        assert_eq!(key.name().as_str(), format!("{domain}/log"));
        let newest = checkpoints[&ACTIVITIES].checkpoint();
        assert_eq!(newest.size(), ACTIVITIES);

        // What was signed is what was published.
        let mut tree = Tree::new();
        for index in 0..ACTIVITIES {
            let canonical = log.bytes(&format!("/activities/{index}/canonical.json")).await;
            tree.append(&Digest::of(&canonical));
        }
        assert_eq!(tree.root(), newest.root());
        for (size, signed) in &checkpoints {
            assert!(is_signed(signed, &key), "{size}");
            assert_eq!(signed.checkpoint().root(), tree.root_at(*size).unwrap());
            assert_eq!(log.root(*size).await, tree.root_at(*size).unwrap(), "the tiles at {size}");
        }
        let entries = log.entries(ACTIVITIES).await;
        assert_eq!(entries.iter().copied().collect::<Tree>().root(), newest.root());

        for (index, entry) in entries.iter().enumerate() {
            let body = log.json(&format!("/activities/{index}/proof.json")).await;
            let activity = app.get(&format!("/activities/{index}")).await.body;
            assert_eq!((body["activity"].as_str(), body["index"].as_u64()), (activity["id"].as_str(), Some(index as u64)));
            let signed = SignedCheckpoint::parse(body["checkpoint"].as_str().unwrap()).unwrap();
            assert!(is_signed(&signed, &key) && digest(&body["root"]) == signed.checkpoint().root());
            assert_eq!(digest(&body["entry"]), *entry);
            let proof = InclusionProof::new(index as u64, ACTIVITIES, digests(&body["inclusion_proof"])).unwrap();
            proof.verify(entry, &signed.checkpoint().root()).unwrap();

            let receipt = Receipt::parse(&log.text(&format!("/activities/{index}/receipt")).await).unwrap();
            assert!(is_signed(receipt.checkpoint(), &key));
            receipt.verify(entry).unwrap();
            assert!(receipt.verify(&Digest::of(b"another")).is_err());
            assert_eq!(receipt.proof(), &proof);
        }
        for (size, signed) in &checkpoints {
            for index in [0, size / 2, size - 1] {
                let body = log.json(&format!("/log/proof?index={index}&size={size}")).await;
                let proof = InclusionProof::new(index, *size, digests(&body["inclusion_proof"])).unwrap();
                proof.verify(&entries[usize::try_from(index).unwrap()], &signed.checkpoint().root()).unwrap();
                assert_eq!(body["checkpoint"], signed.to_string());
            }
            for (old_size, old) in checkpoints.range(..=size) {
                let (old, new) = (old.checkpoint().root(), signed.checkpoint().root());
                log.consistency(*old_size, *size).await.verify(&old, &new).unwrap();
            }
        }
    }

    async fn what_is_not_there_is_told(app: TestApp) {
        let log = Reader::new(&app.base);
        for path in ["/log/checkpoint", "/log/proof?index=0", "/log/consistency?from=0", "/log/tile/0/000.p/1", "/activities/0/receipt"] {
            app.get(path).await.assert_problem(404, "not-found");
        }
        let giles = app.register("giles").await;
        publish(&app, &giles, 3, "one").await;
        let signed = log.checkpoint_of(3).await;
        assert_eq!(signed.checkpoint().size(), 3);
        for path in [
            "/log/tile/0/000", "/log/tile/0/000.p/4", "/log/tile/0/000.p/0", "/log/tile/0/001.p/1", "/log/tile/1/000.p/1",
            "/log/tile/8/000", "/log/tile/entries/000", "/log/tile/entries/000.p/4", "/log/tile/entries/0", "/log/tile/0/..",
            "/log/tile/x/000", "/log/tile/-1/000.p/1", "/log/tile/0/000.p/3/", "/log/proof?index=3", "/log/proof?index=0&size=4",
            "/log/consistency?from=4", "/log/consistency?from=0&to=4", "/activities/3/proof.json", "/activities/x/receipt",
        ] {
            app.get(path).await.assert_problem(404, "not-found");
        }
        for (path, field) in [
            ("/log/proof", "index"), ("/log/proof?index=-1", "index"), ("/log/proof?index=1&size=x", "size"),
            ("/log/proof?index=2&size=2", "index"), ("/log/proof?index=0&size=0", "index"), ("/log/consistency", "from"),
            ("/log/consistency?from=3&to=2", "from"), ("/log/consistency?from=99999999999999999999", "from"),
        ] {
            let answer = app.get(path).await;
            answer.assert_problem(422, "invalid-fields");
            assert_eq!(answer.fields(), [field], "{path}");
        }
        // Every width that ever was is there, and a cache may keep it.
        for width in 1..=3 {
            let tile = app.get(&format!("/log/tile/0/000.p/{width}")).await;
            assert_eq!((tile.status.as_u16(), tile.header("content-type")), (200, "application/octet-stream"));
            assert!(tile.header("cache-control").contains("immutable"));
            assert_eq!(log.bytes(&format!("/log/tile/0/000.p/{width}")).await.len(), width * 32);
            assert_eq!(log.bytes(&format!("/log/tile/entries/000.p/{width}")).await.len(), width * 34);
        }
        let checkpoint = app.get("/log/checkpoint").await;
        assert_eq!((checkpoint.header("content-type"), checkpoint.header("cache-control")), ("text/plain; charset=utf-8", "no-cache"));
    }

    /// A database of a version that gave places and kept no tree.
    async fn a_log_from_before_the_tree_catches_up(app: TestApp) {
        app.register("giles").await;
        let store = artdag_database::open(&app.settings.database, 2).await.unwrap();
        let activities = activities(OLD_LOG);
        let mut unit = store.begin().await.unwrap();
        for activity in &activities {
            unit.add_activity(activity).await.unwrap();
        }
        assert_eq!(unit.extend_log(0, OLD_LOG).await.unwrap(), Some(OLD_LOG.into()));
        unit.commit().await.unwrap();

        let log = Reader::new(&app.base);
        let signed = log.checkpoint_of(OLD_LOG.into()).await;
        let tree: Tree = activities.iter().map(|activity| Digest::of(activity.document.as_str().as_bytes())).collect();
        assert_eq!((signed.checkpoint().size(), signed.checkpoint().root()), (tree.size(), tree.root()));
        assert_eq!(log.root(OLD_LOG.into()).await, tree.root());
        assert_eq!(log.entries(OLD_LOG.into()).await.into_iter().collect::<Tree>().root(), tree.root());
    }

    async fn gos_transparency_logs_check_it(app: TestApp) {
        let Some(gopath) = go_path("no log was checked by Go") else { return };
        let giles = app.register("giles").await;
        let log = Reader::new(&app.base);
        publish(&app, &giles, 260, "one").await;
        log.checkpoint_of(260).await;
        publish(&app, &giles, 30, "two").await;
        log.checkpoint_of(290).await;
        let sizes = ["1", "2", "3", "128", "255", "256", "257", "260", "289", "290"];
        let checked = run_go(&gopath, &app.base, &sizes);
        assert_eq!(checked, Ok("OK 290 activities, 10 older trees\n".to_owned()));
        // A server that says something else is found out.
        assert!(run_go(&gopath, &app.base, &["291"]).is_err());
    }

    async fn the_names_of_the_servers_own_keys_cannot_be_registered(app: TestApp) {
        for name in ["instance_actor", "instance_log", "instance_witness"] {
            let body = json!({"username": name, "password": crate::support::PASSWORD});
            let answer = app.request(reqwest::Method::POST, "/auth/register").json(&body).send().await.unwrap();
            assert_eq!(answer.status(), 409, "{name}");
        }
    }
}

/// A log of the tests' own, which can also lie.
struct OtherLog {
    keys: ActorKeys,
    key: VerifierKey,
}

impl OtherLog {
    const ORIGIN: &str = "other.example/log";

    fn new() -> Self {
        let randomness = SeededRandomness::default();
        let keys = ActorKeys::from_pem(&new_keys::rsa(&randomness).unwrap(), &new_keys::ed25519(&randomness).unwrap());
        let keys = keys.unwrap();
        let key = VerifierKey::ed25519(Self::ORIGIN.parse().unwrap(), keys.public_keys().ed25519);
        Self { keys, key }
    }

    fn sign(&self, size: u64, root: Digest) -> SignedCheckpoint {
        let checkpoint = Checkpoint::new(Self::ORIGIN, size, root).unwrap();
        let sign = |text: &[u8]| Ok::<_, std::convert::Infallible>(self.keys.ed25519(text));
        let Ok(signed) = SignedCheckpoint::sign(checkpoint, &self.key, 0, sign);
        signed
    }

    fn ask(&self, tree: &Tree, from: u64, to: u64) -> AddCheckpoint {
        let proof = tree.prove_consistency(from, to).unwrap();
        AddCheckpoint::new(proof, self.sign(to, tree.root_at(to).unwrap())).unwrap()
    }
}

fn tree(size: u64, what: &str) -> Tree {
    (0..size).map(|n| Digest::of(format!("{what} {n}").as_bytes())).collect()
}

async fn cosigns_what_continues(app: TestApp, other: OtherLog) {
    let send = async |body: String| {
        let response = app.request(reqwest::Method::POST, "/log/add-checkpoint").body(body).send().await.unwrap();
        crate::support::Answer::of(response).await
    };
    let witness = [app.text("/log/witness-key").await.trim_end().parse::<VerifierKey>().unwrap()];
    assert_eq!(witness[0].name().as_str(), format!("{}/witness", app.settings.site.domain()));
    let honest = tree(40, "entry");
    // An honest log grows, also not at all.
    for (from, to) in [(0, 5), (5, 5), (5, 17), (17, 40)] {
        let request = other.ask(&honest, from, to);
        let answer = send(request.to_string()).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "text/plain; charset=utf-8"));
        let mut signed = request.checkpoint().clone();
        signed.add_lines(answer.body.as_str().unwrap()).unwrap();
        let cosigners = signed.cosigners(&witness, artdag_signing::verify_ed25519).unwrap();
        assert!(cosigners.len() == 1 && cosigners[0].time.is_some_and(|time| time > 1_700_000_000), "{cosigners:?}");
    }
    // What it has seen is told to those who do not know.
    for request in [other.ask(&honest, 0, 40), other.ask(&honest, 17, 40), other.ask(&honest, 39, 39)] {
        let answer = send(request.to_string()).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (409, "text/x.tlog.size"));
        assert_eq!(answer.body, 40);
    }
    // Another history of the same size, and one that is longer.
    let rewritten = tree(50, "lie");
    assert_eq!(send(other.ask(&rewritten, 40, 40).to_string()).await.status, 409);
    send(other.ask(&rewritten, 40, 50).to_string()).await.assert_problem(422, "invalid-fields");
    let longer = tree(60, "entry");
    let wrong =
        AddCheckpoint::new(longer.prove_consistency(40, 60).unwrap(), other.sign(60, rewritten.root())).unwrap();
    send(wrong.to_string()).await.assert_problem(422, "invalid-fields");
    // Not signed by the log, or by one that nobody watches.
    let good = other.ask(&longer, 40, 60).to_string();
    let (start, signature) = good.rsplit_once(' ').unwrap();
    let flipped = if signature.as_bytes()[20] == b'A' { "B" } else { "A" };
    let forged = format!("{start} {}{flipped}{}", &signature[..20], &signature[21..]);
    send(forged).await.assert_problem(403, "forbidden");
    send(good.replace(OtherLog::ORIGIN, "third.example/log")).await.assert_problem(404, "not-found");
    for body in ["", "old 40", "old x\n\n", "old 40\n\nnothing\n", &good.replace("old 40", "old 61")] {
        send(body.to_owned()).await.assert_problem(400, "malformed-request");
    }
    // None of that has changed what it knows.
    assert_eq!(send(good).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_cosigns_what_continues_what_it_saw() {
    let other = OtherLog::new();
    let key = other.key.to_string();
    cosigns_what_continues(TestApp::on_sqlite(&[("WITNESSED_LOGS", &key)]).await, other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_cosigns_what_continues_what_it_saw() {
    let other = OtherLog::new();
    let key = other.key.to_string();
    if let Some(app) = TestApp::on_postgres(&[("WITNESSED_LOGS", &key)]).await {
        cosigns_what_continues(app, other).await;
    }
}
