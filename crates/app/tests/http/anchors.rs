//! The log's way into Bitcoin: calendars and a chain of a process of their own, and the official client as the judge.

use crate::pages::page;
use crate::support::{Account, Answer, TestApp, hash_of, plain_claim};
use artdag_anchoring::Digest;
use artdag_anchoring::bitcoin::{BlockHeader, verify_attestation};
use artdag_anchoring::checkpoint::{Receipt, VerifierKey};
use artdag_anchoring::ots::DetachedTimestamp;
use artdag_app::wiring;
use artdag_federation::KeyStore as _;
use artdag_signing::HeavyWork;
use artdag_testing::{OtsCalendars, PATIENT, interop_file, official_client, python};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A server, its calendars and somebody who may stamp.
pub(crate) struct World {
    app: TestApp,
    calendars: OtsCalendars,
    giles: Account,
}

/// What a server is told that has these calendars.
pub(crate) fn settings(calendars: &OtsCalendars) -> Vec<(&'static str, String)> {
    vec![
        ("OTS_CALENDARS", calendars.urls()),
        ("ANCHOR_INTERVAL", "0".to_owned()),
        ("BITCOIN_NETWORK", "regtest".to_owned()),
        ("BITCOIN_RPC_URL", calendars.node_url()),
        ("ALLOW_PRIVATE_NETWORKS", "127.0.0.0/8".to_owned()),
    ]
}

impl World {
    async fn of(app: TestApp, calendars: OtsCalendars) -> Self {
        let giles = app.register("giles").await;
        Self { app, calendars, giles }
    }

    async fn claim(&self, name: &str) -> Value {
        self.app.claim(&self.giles, &plain_claim(name)).await
    }

    /// Stamps what there is, and answers the anchor.
    async fn stamp(&self) -> Value {
        let answer = self.app.post("/anchors/create", &self.giles, &json!({})).await;
        assert_eq!((answer.status.as_u16(), &answer.body["created"]), (201, &json!(true)), "{answer:?}");
        answer.body["anchor"].clone()
    }

    /// Asks everybody at once, and answers the anchor.
    async fn upgrade(&self, anchor: &Value) -> Value {
        let path = format!("/anchors/{}/upgrade", anchor["merkle_root"].as_str().unwrap());
        let answer = self.app.post(&path, &self.giles, &json!({})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// The newest anchor, when it fulfils the condition.
    async fn eventually(&self, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let anchor = self.app.get("/anchors").await.body["anchors"][0].clone();
            if condition(&anchor) {
                return anchor;
            }
            assert!(start.elapsed() < PATIENT, "never {what}: {anchor:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Makes each test twice: beside so many calendars that tell of a block when it has so many confirmations, and with
/// further settings.
macro_rules! beside_calendars {
    ($($(#[doc = $doc:literal])* async fn $name:ident($world:ident: World, $count:literal, $confirmations:literal, $extra:expr) $body:block)+) => {
        $($(#[doc = $doc])* async fn $name($world: World) $body)+

        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let Some(calendars) = artdag_testing::OtsCalendars::start($count, $confirmations).await else { return };
                let mut settings = super::settings(&calendars);
                settings.extend($extra.iter().map(|(name, value): &(&'static str, &str)| (*name, (*value).to_owned())));
                let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let app = $crate::support::TestApp::on_sqlite(&settings).await;
                super::$name(super::World::of(app, calendars).await).await;
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let Some(calendars) = artdag_testing::OtsCalendars::start($count, $confirmations).await else { return };
                let mut settings = super::settings(&calendars);
                settings.extend($extra.iter().map(|(name, value): &(&'static str, &str)| (*name, (*value).to_owned())));
                let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
                if let Some(app) = $crate::support::TestApp::on_postgres(&settings).await {
                    super::$name(super::World::of(app, calendars).await).await;
                }
            })+
        }
    };
}

const NONE: &[(&str, &str)] = &[];
/// So that everything goes by itself, and soon.
const BY_ITSELF: &[(&str, &str)] = &[("ANCHOR_INTERVAL", "1s")];

/// What calendar `at` was asked by this word, and what came of it.
fn ask<'a>(world: &World, anchor: &'a Value, at: usize, question: &str) -> &'a Value {
    let url = world.calendars.url(at);
    let asks = anchor["calendars"].as_array().unwrap();
    let of = |ask: &&Value| ask["calendar"] == json!(url) && ask["question"] == json!(question);
    asks.iter().find(of).unwrap_or_else(|| panic!("{url} was not asked to {question}: {anchor:#}"))
}

async fn bytes(app: &TestApp, path: &str) -> Vec<u8> {
    let response = app.request(Method::GET, path).send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response.bytes().await.unwrap().to_vec()
}

/// Saves an activity's bytes and its proof beside each other.
async fn save(app: &TestApp, folder: &Path, index: usize) -> std::path::PathBuf {
    let file = folder.join(format!("{index}.json"));
    std::fs::write(&file, bytes(app, &format!("/activities/{index}/canonical.json")).await).unwrap();
    let proof = bytes(app, &format!("/activities/{index}/proof.ots")).await;
    std::fs::write(folder.join(format!("{index}.json.ots")), proof).unwrap();
    file
}

beside_calendars! {
    async fn the_official_client_agrees(world: World, 3, 6, super::NONE) {
        const ACTIVITIES: usize = 1000;
        let claims = futures_util::stream::iter((0..ACTIVITIES).map(|n| plain_claim(&format!("work {n}"))));
        let (app, giles) = (&world.app, &world.giles);
        futures_util::StreamExt::for_each_concurrent(claims, 16, |claim| async move {
            app.claim(giles, &claim).await;
        })
        .await;
        let unanchored = app.get("/anchors/verify/0").await.body;
        assert_eq!((&unanchored["status"], &unanchored["merkle_root"]), (&json!("unanchored"), &Value::Null));
        app.get("/activities/0/proof.ots").await.assert_problem(404, "not-found");
        let anchor = world.stamp().await;
        assert_eq!((&anchor["status"], &anchor["tree_size"]), (&json!("pending"), &json!(ACTIVITIES)), "{anchor:#}");
        let again = app.post("/anchors/create", giles, &json!({})).await;
        assert_eq!((again.status.as_u16(), &again.body["created"]), (200, &json!(false)));

        let folder = tempfile::tempdir().unwrap();
        let pending = save(app, folder.path(), 0).await;
        let node = world.calendars.node_url();
        assert!(!official_client(&node, &[pending])[0].0, "nothing is in a block yet");
        world.calendars.mine(6).await;
        let anchor = world.upgrade(&anchor).await;
        assert_eq!((&anchor["status"], &anchor["bitcoin_block"]), (&json!("confirmed"), &json!(10)), "{anchor:#}");
        assert_eq!((&anchor["network"], &anchor["confirmations"]), (&json!("regtest"), &json!(6)), "{anchor:#}");

        let mut files = Vec::new();
        for n in 0..50 {
            files.push(save(app, folder.path(), n * 20 + n % 7).await);
        }
        for (ok, said) in official_client(&node, &files) {
            assert!(ok && said.contains("Success! Bitcoin block 10 attests existence"), "{said}");
        }
        for file in &files {
            let mut text = std::fs::read(file).unwrap();
            let middle = text.len() / 2;
            text[middle] ^= 1;
            std::fs::write(file, text).unwrap();
        }
        assert!(official_client(&node, &files).iter().all(|(ok, _)| !ok), "a changed byte is another document");

        // The checkpoint and the root have proofs of their own.
        let root = anchor["merkle_root"].as_str().unwrap();
        let checkpoint = folder.path().join("checkpoint");
        std::fs::write(&checkpoint, bytes(app, &format!("/anchors/{root}/checkpoint")).await).unwrap();
        let proof = bytes(app, &format!("/anchors/{root}/checkpoint.ots")).await;
        std::fs::write(folder.path().join("checkpoint.ots"), proof).unwrap();
        assert!(official_client(&node, &[checkpoint])[0].0);
        let proof = bytes(app, &format!("/anchors/{root}/proof.ots")).await;
        let digest = hex::decode(root).unwrap();
        assert!(proof.windows(32).any(|part| part == digest), "the proof is of the root");

        let verified = app.get("/anchors/verify/617").await.body;
        assert_eq!(verified["status"], "confirmed");
        assert!(verified["assurance"] == "node" || verified["assurance"] == "pow-chain", "{verified:#}");
        assert_eq!(verified["merkle_root"], anchor["merkle_root"]);
        let asset = app.get("/assets/work%20617").await.body;
        assert_eq!((&asset["anchor"]["status"], &asset["anchor"]["bitcoin_block"]), (&json!("confirmed"), &json!(10)));
        let claims = app.get(&format!("/objects/{}/claims", hash_of("work 617"))).await.body;
        assert_eq!(claims["claims"][0]["anchor"], asset["anchor"], "{claims:#}");
        assert_eq!(claims["proven_first"], claims["claims"][0]["activity"], "{claims:#}");
        let listed = app.get("/assets?limit=200").await.body;
        assert!(listed["assets"].as_array().unwrap().iter().all(|asset| asset["anchor"]["status"] == "confirmed"));

        let bundle = app.get("/assets/work%20617/proof").await.body;
        assert_eq!((&bundle["format"], &bundle["timestamp"]["status"]), (&json!("artdag-proof/1"), &json!("confirmed")));
        check_bundle(&bundle);
        check_links(&world).await;
        // Whoever has new keys now signed with the old ones then.
        let keys = wiring::key_store(&app.settings, HeavyWork::one_per_core());
        keys.generate(&"giles".parse().unwrap(), true).await.unwrap();
        let replaced = app.get("/assets/work%20617/proof").await.body;
        assert_eq!(replaced["actor"]["former_ed25519"], json!([bundle["actor"]["ed25519"]]));
        assert_eq!(replaced["actor"]["former_rsa_pems"], json!([bundle["actor"]["rsa_pem"]]));
        assert_eq!(verify_bundle(&replaced, None).0, Some(0));

        let mut leaves = Vec::new();
        let mut next = Some(format!("/anchors/{root}/tree?limit=200"));
        while let Some(path) = next {
            let page = app.get(&path).await.body;
            leaves.extend(page["leaves"].as_array().unwrap().clone());
            next = page["next"].as_str().map(str::to_owned);
        }
        assert_eq!(leaves.len(), ACTIVITIES);
        assert!(leaves.iter().enumerate().all(|(n, leaf)| leaf["index"] == json!(n)));
        let first = app.get("/anchors/verify/0").await.body;
        assert_eq!((&leaves[0]["entry"], &leaves[0]["activity"]), (&first["entry"], &first["activity"]));
    }

    async fn a_fault_at_stamping_is_named_and_the_others_are_used(world: World, 2, 6, [("OTS_QUORUM", "1")]) {
        let expected = [
            ("slow", "silent"), ("500", "silent"), ("404", "false"), ("garbage", "false"), ("truncate", "false"),
            ("huge", "false"), ("wrongmsg", "false"), ("badroot", "false"), ("never", "answered"), ("hang", "silent"),
        ];
        for (fault, standing) in expected {
            world.calendars.control(1, &format!("fault/{fault}")).await;
            world.claim(fault).await;
            let start = Instant::now();
            let anchor = world.stamp().await;
            // Five seconds is what a calendar has, and a busy machine has ten more.
            assert!(start.elapsed() < Duration::from_secs(15), "{fault}: {:?}", start.elapsed());
            assert_eq!(anchor["status"], "pending", "{fault}: {anchor:#}");
            assert_eq!(ask(&world, &anchor, 0, "submit")["status"], "answered", "{fault}");
            let liar = ask(&world, &anchor, 1, "submit");
            assert_eq!(liar["status"], standing, "{fault}: {liar}");
            assert_eq!(liar["failures"], u64::from(standing != "answered"), "{fault}: {liar}");
            if standing == "answered" {
                continue;
            }
            assert!(liar["detail"].as_str().is_some_and(|detail| !detail.contains('<') && !detail.contains('\u{1b}')));
            // Asked out of turn it is asked no later for it, and it is used when it comes to its senses.
            if !["slow", "hang"].contains(&fault) {
                let anchor = world.upgrade(&anchor).await;
                let again = ask(&world, &anchor, 1, "submit");
                let turn = |ask: &Value| (ask["status"].clone(), ask["failures"].clone(), ask["next_at"].clone());
                assert_eq!(turn(again), turn(liar), "{fault}: {again}");
                assert_ne!(again["asked_at"], liar["asked_at"], "{fault}: {again}");
            }
            world.calendars.control(1, "fault/none").await;
            let anchor = world.upgrade(&anchor).await;
            assert_eq!(ask(&world, &anchor, 1, "submit")["status"], "answered", "{fault}");
        }
    }

    async fn without_a_quorum_a_round_waits(world: World, 2, 6, super::NONE) {
        world.calendars.control(1, "fault/500").await;
        world.claim("a").await;
        let anchor = world.stamp().await;
        assert_eq!(anchor["status"], "submitting", "{anchor:#}");
        assert_eq!(world.upgrade(&anchor).await["status"], "submitting");
        world.calendars.control(1, "fault/none").await;
        assert_eq!(world.upgrade(&anchor).await["status"], "pending");
    }

    async fn a_fault_at_upgrading_is_never_final(world: World, 2, 6, super::NONE) {
        let expected = [
            ("slow", "silent"), ("500", "silent"), ("404", "waiting"), ("garbage", "false"), ("truncate", "false"),
            ("huge", "false"), ("wrongmsg", "false"), ("badroot", "false"), ("never", "waiting"), ("hang", "silent"),
        ];
        for (fault, standing) in expected {
            // The other one stamps and never comes to a block, so all depends on the one with the fault.
            world.calendars.control(0, "fault/never").await;
            world.calendars.control(1, "fault/none").await;
            world.claim(fault).await;
            let anchor = world.stamp().await;
            assert_eq!(anchor["status"], "pending", "{fault}: {anchor:#}");
            world.calendars.control(1, &format!("fault/{fault}")).await;
            world.calendars.mine(7).await;
            let start = Instant::now();
            let anchor = world.upgrade(&anchor).await;
            assert!(start.elapsed() < Duration::from_secs(15), "{fault}: {:?}", start.elapsed());
            assert_eq!((&anchor["status"], &anchor["bitcoin_block"]), (&json!("pending"), &Value::Null), "{fault}: {anchor:#}");
            let liar = ask(&world, &anchor, 1, "upgrade");
            assert_eq!(liar["status"], standing, "{fault}: {liar}");
            assert_eq!(ask(&world, &anchor, 0, "upgrade")["status"], "waiting", "{fault}: the other one is asked as well");
            if ["wrongmsg", "badroot"].contains(&fault) {
                assert!(liar["detail"].as_str().unwrap().starts_with("it names block "), "{liar}");
            }
            world.calendars.control(1, "fault/none").await;
            world.calendars.mine(7).await;
            let anchor = world.upgrade(&anchor).await;
            assert_eq!(anchor["status"], "confirmed", "{fault}: {anchor:#}");
            assert_eq!(ask(&world, &anchor, 1, "upgrade")["status"], "verified", "{fault}");
        }
    }

    async fn the_state_follows_a_shallow_reorganisation(world: World, 2, 1, super::BY_ITSELF) {
        world.claim("a").await;
        world.eventually("stamped", |anchor| anchor["status"] == "pending").await;
        world.calendars.mine(2).await;
        let found = world.eventually("in a block", |anchor| anchor["confirmations"] == 2).await;
        assert_eq!(found["status"], "pending", "two blocks are not enough: {found:#}");
        world.calendars.reorganise(3).await;
        world.eventually("out of it", |anchor| anchor["block_hash"] != found["block_hash"]).await;
        // What was stamped again is in the next block.
        world.eventually("stamped again", |anchor| ask(&world, anchor, 0, "submit")["status"] == "answered").await;
        world.calendars.mine(7).await;
        let confirmed = world.eventually("confirmed", |anchor| anchor["status"] == "confirmed").await;
        assert!(confirmed["bitcoin_block"].as_u64() > found["bitcoin_block"].as_u64(), "{confirmed:#}");
        check_first_activity(&world).await;
    }

    async fn the_state_follows_a_deep_reorganisation(world: World, 2, 1, super::BY_ITSELF) {
        world.claim("a").await;
        world.eventually("stamped", |anchor| anchor["status"] == "pending").await;
        world.calendars.mine(7).await;
        let found = world.eventually("confirmed", |anchor| anchor["status"] == "confirmed").await;
        check_first_activity(&world).await;
        world.calendars.reorganise(9).await;
        world.eventually("no longer confirmed", |anchor| anchor["status"] != "confirmed").await;
        world.eventually("stamped again", |anchor| anchor["status"] == "pending").await;
        assert_eq!(world.app.get("/anchors/verify/0").await.body["status"], "pending");
        world.calendars.mine(7).await;
        let confirmed = world.eventually("confirmed again", |anchor| anchor["status"] == "confirmed").await;
        assert_ne!(confirmed["block_hash"], found["block_hash"]);
        assert_eq!(confirmed["merkle_root"], found["merkle_root"]);
        check_first_activity(&world).await;
    }

    async fn every_activity_is_in_the_range_of_one_anchor(world: World, 2, 6, super::NONE) {
        let mut roots = Vec::new();
        for round in 0..4 {
            for n in 0..=round {
                world.claim(&format!("{round} {n}")).await;
            }
            roots.push(world.stamp().await["merkle_root"].clone());
        }
        // Many at once make one.
        world.claim("contended").await;
        let create = || world.app.post("/anchors/create", &world.giles, &Value::Null);
        let answers = futures_util::future::join_all((0..8).map(|_| create())).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{answers:?}");
        assert!(answers.iter().all(|answer| answer.status.is_success()));

        let list = world.app.get("/anchors?limit=2").await.body;
        assert_eq!((list["anchors"].as_array().unwrap().len(), &list["total"]), (2, &json!(5)));
        let rest = world.app.get(list["next"].as_str().unwrap()).await.body;
        assert_eq!(rest["anchors"][0]["merkle_root"], roots[2]);
        let expected = BTreeMap::from([(0, 0), (1, 1), (2, 1), (3, 2), (5, 2), (6, 3), (9, 3)]);
        for (index, round) in expected {
            let verified = world.app.get(&format!("/anchors/verify/{index}")).await.body;
            assert_eq!((&verified["merkle_root"], &verified["status"]), (&roots[round], &json!("pending")), "{index}");
        }
        // The same for people.
        let text = page(&world.app, "/anchors/ui?limit=2").await;
        for shown in ["<dd>11</dd>", "<dd>0</dd>", "<dd>5</dd>", ">6 to 9</a>", ">10</a>", "pending", "before=10"] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
        let older = page(&world.app, "/anchors/ui?limit=200&before=10").await;
        assert!(older.contains(">3 to 5</a>") && older.contains("Newest") && !older.contains("Older"), "{older}");
        let tree = world.app.get(&format!("/anchors/{}/tree", roots[2].as_str().unwrap())).await.body;
        let indices: Vec<u64> = tree["leaves"].as_array().unwrap().iter().map(|leaf| leaf["index"].as_u64().unwrap()).collect();
        assert_eq!(indices, [3, 4, 5]);
    }

    async fn what_was_given_up_is_taken_up_again_by_whoever_stamps(world: World, 1, 6, super::NONE) {
        world.calendars.control(0, "fault/500").await;
        world.claim("a").await;
        let anchor = world.stamp().await;
        assert_eq!(anchor["status"], "submitting");
        let root: Digest = anchor["merkle_root"].as_str().unwrap().parse().unwrap();
        let registry = wiring::build(&world.app.settings).await.unwrap();
        world.calendars.control(0, "fault/none").await;
        for upgrades in [false, true] {
            registry.give_up_anchor(&root).await.unwrap();
            assert_eq!(world.app.get("/anchors").await.body["anchors"][0]["status"], "failed");
            let revived = if upgrades { world.upgrade(&anchor).await } else { world.stamp().await };
            assert_eq!((&revived["merkle_root"], &revived["status"]), (&anchor["merkle_root"], &json!("pending")));
        }
        world.calendars.mine(7).await;
        assert_eq!(world.upgrade(&anchor).await["status"], "confirmed");
    }

    async fn one_that_cannot_be_read_is_in_the_way_of_no_other(world: World, 1, 6, super::BY_ITSELF) {
        world.claim("a").await;
        let first = world.eventually("stamped", |anchor| anchor["status"] == "pending").await;
        world.claim("b").await;
        let is_second = |anchor: &Value| anchor["merkle_root"] != first["merkle_root"] && anchor["status"] == "pending";
        let second = world.eventually("stamped", is_second).await;
        let damage = "update anchors set revision = -1 where from_index = 0";
        artdag_database::testing::execute(&world.app.settings.database, damage).await;
        world.calendars.mine(7).await;
        let path = format!("/anchors/{}", second["merkle_root"].as_str().unwrap());
        world.app.eventually(&path, |anchor| anchor["status"] == "confirmed").await;
    }

    async fn what_another_network_shows_is_nothing_here(world: World, 1, 6, super::NONE) {
        world.claim("a").await;
        let anchor = world.stamp().await;
        world.calendars.mine(7).await;
        let anchor = world.upgrade(&anchor).await;
        assert_eq!((&anchor["status"], &anchor["network"]), (&json!("confirmed"), &json!("regtest")));
        assert_eq!(anchor["source"], "the operator's node", "where it is concerns nobody: {anchor:#}");
        let database = &world.app.settings.database;
        artdag_database::testing::execute(database, "update anchors set network = 'mainnet'").await;
        let root = anchor["merkle_root"].as_str().unwrap();
        let upgraded = world.upgrade(&anchor).await;
        let shown = world.app.get(&format!("/anchors/{root}")).await.body;
        assert_eq!(shown, upgraded, "nobody is asked about it");
        assert_eq!((&shown["status"], &shown["network"]), (&json!("pending"), &json!("mainnet")), "{shown:#}");
        assert_eq!((&shown["bitcoin_block"], &shown["verified_at"]), (&Value::Null, &Value::Null), "{shown:#}");
        assert_eq!(world.app.get("/anchors/verify/0").await.body["status"], "pending");
        assert_eq!(world.app.get("/assets/a").await.body["anchor"]["status"], "pending");
        assert!(page(&world.app, "/anchors/ui").await.contains("network: mainnet"));
        // A later anchor, which is for this network, proves it all the same.
        world.claim("b").await;
        let later = world.stamp().await;
        let verified = world.app.get("/anchors/verify/0").await.body;
        assert_eq!((&verified["merkle_root"], &verified["status"]), (&later["merkle_root"], &json!("pending")));
        // Of one that is older than the note of its network it shows.
        artdag_database::testing::execute(database, "update anchors set network = null where tree_size = 1").await;
        let shown = world.app.get(&format!("/anchors/{root}")).await.body;
        assert_eq!((&shown["status"], &shown["network"]), (&json!("confirmed"), &Value::Null), "{shown:#}");
    }

    async fn members_do_not_wear_out_calendars(world: World, 1, 6, super::NONE) {
        world.claim("a").await;
        let anchor = world.stamp().await;
        let path = format!("/anchors/{}/upgrade", anchor["merkle_root"].as_str().unwrap());
        let mut refused = None;
        for n in 0..40 {
            let answer = world.app.post(&path, &world.giles, &json!({})).await;
            if answer.status == 429 {
                assert!(n >= 20, "{n} of 40");
                refused = Some(answer);
                break;
            }
        }
        let refused = refused.unwrap_or_else(|| panic!("anybody may ask as often as they like"));
        refused.assert_problem(429, "too-many-attempts");
        assert!(refused.header("retry-after").parse::<u64>().unwrap() <= 11);
        let eve = world.app.register("eve").await;
        world.app.post(&path, &eve, &json!({})).await.assert_problem(429, "too-many-attempts");
        let mut statuses = Vec::new();
        for _ in 0..70 {
            statuses.push(world.app.post("/anchors/create", &eve, &json!({})).await.status.as_u16());
        }
        assert!(statuses[..30].iter().all(|status| *status == 200) && statuses.contains(&429), "{statuses:?}");
        assert_eq!(world.app.post("/anchors/create", &world.giles, &json!({})).await.status, 200, "others may");
    }

    async fn what_cannot_be_is_a_clear_answer(world: World, 1, 6, super::NONE) {
        let app = &world.app;
        let empty = app.post("/anchors/create", &world.giles, &json!({})).await;
        assert_eq!((empty.status.as_u16(), &empty.body), (200, &json!({"created": false, "anchor": null})));
        let list = app.get("/anchors").await.body;
        assert_eq!((&list["anchors"], &list["total"], &list["next"]), (&json!([]), &json!(0), &Value::Null));
        let nowhere = "0".repeat(64);
        for path in ["", "/tree", "/proof.ots", "/checkpoint", "/checkpoint.ots"] {
            app.get(&format!("/anchors/{nowhere}{path}")).await.assert_problem(404, "not-found");
            app.get(&format!("/anchors/nothing{path}")).await.assert_problem(404, "not-found");
        }
        for path in ["/anchors?before=x", "/anchors?limit=0", "/anchors?limit=1000"] {
            app.get(path).await.assert_problem(422, "invalid-fields");
        }
        app.get("/anchors/verify/7").await.assert_problem(404, "not-found");
        app.get("/anchors/verify/nothing").await.assert_problem(404, "not-found");
        app.get("/activities/7/proof.ots").await.assert_problem(404, "not-found");
        app.get("/assets/nothing/proof").await.assert_problem(404, "not-found");
        for path in ["/anchors/create", "/anchors/test-ots", &format!("/anchors/{nowhere}/upgrade")] {
            let refused = Answer::of(app.request(Method::POST, path).send().await.unwrap()).await;
            refused.assert_problem(401, "unauthorized");
        }
        let path = format!("/anchors/{nowhere}/upgrade");
        app.post(&path, &world.giles, &json!({})).await.assert_problem(404, "not-found");

        world.calendars.control(0, "fault/500").await;
        let tried = app.post("/anchors/test-ots", &world.giles, &json!({})).await.body;
        assert_eq!((&tried["quorum"], &tried["calendars"][0]["ok"]), (&json!(1), &json!(false)), "{tried}");
        assert!(tried["calendars"][0]["error"].as_str().unwrap().ends_with("its status is 500"), "{tried}");
        world.calendars.control(0, "fault/none").await;
        let tried = app.post("/anchors/test-ots", &world.giles, &json!({})).await.body;
        assert_eq!(tried["calendars"][0]["promised_by"], json!([world.calendars.url(0)]), "{tried}");
        assert!(tried["calendars"][0]["latency_ms"].is_u64(), "{tried}");
    }
}

/// That a bundle proves its claim, with nothing but what is in it.
fn check_bundle(bundle: &Value) {
    let text = |pointer: &str| {
        bundle.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer}: {bundle:#}"))
    };
    let canonical = text("/activity/canonical");
    let entry = Digest::of(canonical.as_bytes());
    assert_eq!(entry.to_string(), text("/activity/sha256"));
    let receipt = Receipt::parse(text("/log/receipt")).unwrap();
    receipt.verify(&entry).unwrap();
    let key: VerifierKey = text("/log/key").parse().unwrap();
    receipt.checkpoint().verify(&key, artdag_signing::verify_ed25519).unwrap();
    let ots = DetachedTimestamp::parse(&STANDARD.decode(text("/timestamp/ots")).unwrap()).unwrap();
    assert!(ots.file_hash().matches(canonical.as_bytes()));
    let header: BlockHeader = text("/timestamp/header").parse().unwrap();
    let claims: Vec<_> = ots.timestamp().bitcoin().collect();
    assert!(claims.iter().any(|(_, message)| verify_attestation(message, &header).is_ok()), "{claims:?}");
    let claim: Value = serde_json::from_str(canonical).unwrap();
    assert_eq!(claim["object"]["name"], bundle["asset"]["name"]);
    assert_eq!(claim["actor"], bundle["actor"]["id"]);
    // And for whoever has none of our code.
    let said = verify_bundle(bundle, None);
    assert_eq!(said.0, Some(0), "{}", said.1);
    assert!(said.1.contains(&format!("if that is {}", header.hash())), "{}", said.1);
    for pointer in [
        "/activity/canonical",
        "/actor/ed25519",
        "/actor/rsa_pem",
        "/log/receipt",
        "/log/key",
        "/timestamp/ots",
        "/timestamp/header",
    ] {
        let (mut changed, text) = (bundle.clone(), text(pointer));
        // Further behind, a timestamp has several branches, one of which is enough.
        let at = text.len() / 8;
        let other = if text.as_bytes()[at] == b'2' { "3" } else { "2" };
        let broken = [&text[..at], other, &text[at + 1..]].concat();
        *changed.pointer_mut(pointer).unwrap() = json!(broken);
        let said = verify_bundle(&changed, None);
        // A header with the same root is that of another block.
        let is_the_same = said.0 == Some(0) && said.1.contains(&header.hash().to_string());
        assert!(!is_the_same, "{pointer}: {}", said.1);
    }
}

/// That a bundle links the block of its proof, which is block 10, to one that is known, on either side of it.
async fn check_links(world: &World) {
    let path = |from: &str| format!("/assets/work%20617/proof?headers_from={from}");
    let hash_at = async |height: u32| world.calendars.get(0, &format!("/api/block-height/{height}")).await.unwrap();
    let start = Instant::now();
    while world.app.get(&path("15")).await.status != 200 {
        assert!(start.elapsed() < PATIENT, "the headers never reach the last block");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for (known, first, count) in [(15, 10, 6), (4, 4, 7), (10, 10, 1)] {
        let bundle = world.app.get(&path(&known.to_string())).await.body;
        let segment = &bundle["timestamp"]["headers"];
        let headers = segment["headers"].as_str().unwrap();
        assert_eq!((&segment["from"], headers.len()), (&json!(first), count * 160), "{known}");
        let said = verify_bundle(&bundle, Some(&hash_at(known).await));
        assert_eq!(said.0, Some(0), "{known}: {}", said.1);
        let said = verify_bundle(&bundle, Some(&hash_at(8).await));
        assert_eq!(said.0, Some(1), "another block is not at the end: {}", said.1);
        let mut changed = bundle.clone();
        let other = if headers.as_bytes()[20] == b'0' { "1" } else { "0" };
        changed["timestamp"]["headers"]["headers"] = json!([&headers[..20], other, &headers[21..]].concat());
        let said = verify_bundle(&changed, Some(&hash_at(known).await));
        assert_eq!(said.0, Some(1), "a changed header is another: {}", said.1);
    }
    for unknown in ["16", "20170", "4000000000", "-1", "x"] {
        world.app.get(&path(unknown)).await.assert_problem(422, "invalid-fields");
    }
}

/// What the program in Python makes of a bundle: its status, and what it prints.
fn verify_bundle(bundle: &Value, known: Option<&str>) -> (Option<i32>, String) {
    let python = python("no bundle was verified by another program").unwrap();
    let mut child = Command::new(python)
        .arg(interop_file("verify_bundle.py"))
        .args(known)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bundle.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// That the official client accepts the proof of the first activity as it is served now.
async fn check_first_activity(world: &World) {
    let folder = tempfile::tempdir().unwrap();
    let file = save(&world.app, folder.path(), 0).await;
    let said = official_client(&world.calendars.node_url(), &[file]);
    assert!(said[0].0, "{}", said[0].1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_calendars_nothing_is_stamped() {
    let app = TestApp::on_sqlite(&[("OTS_CALENDARS", "none")]).await;
    let giles = app.register("giles").await;
    app.claim(&giles, &json!({"name": "a", "content_hash": hash_of("a"), "asset_type": "image"})).await;
    app.post("/anchors/create", &giles, &json!({})).await.assert_problem(409, "anchoring-off");
    assert_eq!(app.get("/assets/a").await.body["anchor"], json!({"status": "unanchored"}));
}
