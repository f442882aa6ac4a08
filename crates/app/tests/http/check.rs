//! `artdag-l2 check`, over a registry that is sound, and over one with a fault of every kind.

use crate::anchors;
use crate::process::{Said, Server};
use crate::support::plain_claim;
use artdag_anchoring::checkpoint::{SignedCheckpoint, VerifierKey};
use artdag_database::{DatabaseUrl, testing};
use artdag_testing::{OtsCalendars, free_port};
use futures_util::stream::{self, StreamExt};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// More than a tile has.
const CLAIMS: usize = 270;

/// A registry that served for a while.
struct World {
    data: TempDir,
    settings: Vec<(&'static str, String)>,
    database: DatabaseUrl,
    calendars: OtsCalendars,
}

impl World {
    fn new(database: &str, calendars: OtsCalendars) -> Self {
        let mut settings = anchors::settings(&calendars);
        settings.push(("PORT", free_port().to_string()));
        settings.push(("DATABASE_URL", database.to_owned()));
        Self { data: tempfile::tempdir().unwrap(), settings, database: database.parse().unwrap(), calendars }
    }

    fn settings(&self) -> Vec<(&str, &str)> {
        self.settings.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    fn setting(&self, wanted: &str) -> &str {
        self.settings().into_iter().find(|(name, _)| *name == wanted).unwrap().1
    }

    fn run(&self, arguments: &[&str]) -> Said {
        Said::by(self.data.path(), self.settings(), arguments)
    }

    fn check(&self) -> Said {
        self.run(&["check"])
    }

    async fn serve(&self) -> Server {
        let port = self.setting("PORT").parse().unwrap();
        Server::start(port, self.data.path(), self.setting("DATABASE_URL"), &self.settings()).await
    }

    /// Stamps what there is, and comes back when the anchor is confirmed.
    async fn anchor(&self) {
        assert!(self.run(&["anchors", "create"]).well().contains("pending"));
        self.calendars.mine(6).await;
        let list = self.run(&["anchors", "list"]).well();
        let root = list.split_whitespace().next().unwrap();
        let shown = self.run(&["anchors", "upgrade", root]).well();
        assert!(shown.contains("confirmed"), "{shown}");
    }
}

async fn claim(server: &Server, token: &str, name: &str) {
    let response = send(server, Method::POST, "/assets", token, &plain_claim(name)).await;
    assert_eq!(response.status(), 201, "{name}");
}

async fn send(server: &Server, method: Method, path: &str, token: &str, body: &Value) -> reqwest::Response {
    Client::new().request(method, server.url(path)).bearer_auth(token).json(body).send().await.unwrap()
}

async fn text(server: &Server, path: &str) -> String {
    reqwest::get(server.url(path)).await.unwrap().text().await.unwrap()
}

/// Waits until everything has its place and is signed for.
async fn settled(server: &Server, size: usize) {
    let start = Instant::now();
    loop {
        let checkpoint = text(server, "/log/checkpoint").await;
        if checkpoint.lines().nth(1) == Some(&size.to_string()) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "never {size}: {checkpoint}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the key that is shown is one by which the checkpoint is signed.
async fn signed_with_the_new_key(server: &Server) {
    let start = Instant::now();
    loop {
        let key: VerifierKey = text(server, "/log/key").await.trim().parse().unwrap();
        let signed = SignedCheckpoint::parse(&text(server, "/log/checkpoint").await).unwrap();
        if signed.verify(&key, artdag_signing::verify_ed25519).is_ok() {
            assert_eq!(signed.note().signatures().len(), 2, "what the old key signed stays");
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "never signed with the new key: {signed}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Activities of each kind that needs no other server, under keys that are replaced on the way, and two anchors.
async fn live(world: &World) {
    let mut server = world.serve().await;
    let (giles, ada) = (server.register("giles").await, server.register("ada").await);
    for n in 0..10 {
        claim(&server, &giles, &format!("work {n}")).await;
        if n == 0 {
            settled(&server, 1).await;
        }
    }
    settled(&server, 10).await;
    world.anchor().await;
    for key in ["giles", "instance_log"] {
        world.run(&["keys", "generate", "--user", key, "--force"]).well();
    }
    signed_with_the_new_key(&server).await;
    let patch = json!({"description": "what it is"});
    assert_eq!(send(&server, Method::PATCH, "/assets/work%200", &giles, &patch).await.status(), 200);
    let deleted = send(&server, Method::DELETE, "/assets/work%201", &giles, &Value::Null).await;
    assert!(deleted.status().is_success());
    let claims = (10..CLAIMS).map(|n| {
        let (server, token) = (&server, if n % 2 == 0 { &giles } else { &ada });
        async move { claim(server, token, &format!("work {n}")).await }
    });
    stream::iter(claims).buffer_unordered(8).for_each(|()| async {}).await;
    settled(&server, CLAIMS + 2).await;
    world.anchor().await;

    // While it runs, and more comes.
    let busy = tokio::spawn({
        let (url, token) = (server.url("/assets"), ada.clone());
        async move {
            for n in 0..40 {
                let name = plain_claim(&format!("later {n}"));
                Client::new().post(&url).bearer_auth(&token).json(&name).send().await.unwrap();
            }
        }
    });
    world.check().well();
    busy.await.unwrap();
    settled(&server, CLAIMS + 42).await;
    assert!(server.terminate().success());
}

/// A change of one column, and what is then to be read.
struct Damage {
    table: &'static str,
    /// By what rows of before and after are the same, `s` being those of before.
    same: &'static str,
    column: &'static str,
    value: &'static str,
    at: &'static str,
    told: &'static [&'static str],
    /// How many faults that makes, if others cannot follow from it.
    faults: Option<u32>,
}

const ACTIVITY: &str = "s.id = activities.id";
const TILE: &str = "s.level = log_tiles.level and s.idx = log_tiles.idx";
const MOVED_TILE: &str = "s.level = log_tiles.level and s.hashes = log_tiles.hashes";
const CHECKPOINT: &str = "s.size = log_checkpoints.size";
const ANCHOR: &str = "s.tree_size = anchors.tree_size";
const ASSET: &str = "s.id = assets.id";
/// No anchor is of it.
const CHECKPOINT_AT: &str = "size = (select min(size) from log_checkpoints)";
const NEWEST_ANCHOR: &str = "tree_size = (select max(tree_size) from anchors)";

const DAMAGES: &[Damage] = &[
    Damage {
        table: "activities",
        same: ACTIVITY,
        column: "document",
        value: "replace(document, 'work 3', 'work 4')",
        at: "log_index = 3",
        told: &[
            "activity 3 (",
            "): its signature is not good: the signature does not match the document\n",
            "): its proof is not good: the proof does not match the document\n",
            "activity 3: its text is not the one that was put into the log\n",
            "does not say `work 3` at /object/name\n",
        ],
        faults: None,
    },
    Damage {
        table: "activities",
        same: ACTIVITY,
        column: "document",
        value: "replace(document, '\"type\":', '\"type\": ')",
        at: "log_index = 4",
        told: &["activity 4 (", "): its text is not canonical JSON\n", "activity 4: its text is not the one"],
        faults: Some(2),
    },
    Damage {
        table: "activities",
        same: ACTIVITY,
        column: "document",
        value: "'nothing'",
        at: "log_index = 11",
        told: &["activity 11 (", "): its text is not JSON"],
        faults: None,
    },
    Damage {
        table: "activities",
        same: ACTIVITY,
        column: "kind",
        value: "'Update'",
        at: "log_index = 3",
        told: &[
            "activity 3 (",
            "): its text does not say `Update` at /type, as its row does\n",
            "is no Create of giles\n",
        ],
        faults: Some(2),
    },
    Damage {
        table: "activities",
        same: ACTIVITY,
        column: "log_index",
        value: "log_index + 100000",
        at: "log_index = 5",
        told: &["activity 5: is not there: the log has a gap\n", "activity 100005: is behind the end of the log\n"],
        faults: Some(2),
    },
    Damage {
        table: "log_state",
        same: "s.id = log_state.id",
        column: "size",
        value: "size - 1",
        at: "id = 1",
        told: &[
            "log tree: has 312 entries, and only 311 activities have a place\n",
            "activity 311: is behind the end of the log\n",
        ],
        faults: Some(2),
    },
    Damage {
        table: "log_state",
        same: "s.id = log_state.id",
        column: "size",
        value: "size + 1000000000",
        at: "id = 1",
        told: &[
            "log size: is 1000000312, and there are no activities from place 512 on, so nothing there was checked\n",
        ],
        faults: Some(201),
    },
    Damage {
        table: "log_tiles",
        same: TILE,
        column: "hashes",
        value: "(select o.hashes from log_tiles as o where o.level = -1 and o.idx = 0)",
        at: "level = 0 and idx = 0",
        told: &["tile 0/000: hash 0 is not the one that follows from the activities\n"],
        faults: Some(1),
    },
    Damage {
        table: "log_tiles",
        same: TILE,
        column: "hashes",
        value: "(select o.hashes from log_tiles as o where o.level = 0 and o.idx = 0)",
        at: "level = -1 and idx = 0",
        told: &["tile entries/000: hash 0 is not the one that follows from the activities\n"],
        faults: Some(1),
    },
    Damage {
        table: "log_tiles",
        same: TILE,
        column: "hashes",
        value: "(select o.hashes from log_tiles as o where o.level = 0 and o.idx = 1)",
        at: "level = 1",
        told: &["tile 1/000.p/1: hash 0 is not the one", "tile 1/000: has 56 hashes, and 1 are in the tree\n"],
        faults: Some(2),
    },
    Damage {
        table: "log_tiles",
        same: MOVED_TILE,
        column: "idx",
        value: "idx + 900",
        at: "level = 0 and idx = 1",
        told: &["tile 0/001.p/56: is not there\n", "tile 0/901: has 56 hashes, and 0 are in the tree\n"],
        faults: Some(2),
    },
    Damage {
        table: "log_tiles",
        same: MOVED_TILE,
        column: "idx",
        value: "idx + 900",
        at: "level = -1 and idx = 0",
        told: &["tile entries/000: is not there\n", "tile entries/900: has 256 hashes, and 0 are in the tree\n"],
        faults: Some(2),
    },
    Damage {
        table: "log_checkpoints",
        same: CHECKPOINT,
        column: "root",
        value: "(select o.root from anchors as o where o.tree_size = 10)",
        at: CHECKPOINT_AT,
        told: &["checkpoint 1: its note has the root "],
        faults: Some(1),
    },
    Damage {
        table: "log_checkpoints",
        same: CHECKPOINT,
        column: "note",
        value: "(select o.note from log_checkpoints as o where o.size = 10)",
        at: CHECKPOINT_AT,
        told: &["checkpoint 1: its note is of the size 10\n", "checkpoint 1: its root is ", ", and the tree's is "],
        faults: Some(3),
    },
    Damage {
        table: "log_checkpoints",
        same: CHECKPOINT,
        column: "note",
        value: "replace(note, 'localhost', 'elsewhere')",
        at: CHECKPOINT_AT,
        told: &["checkpoint 1: the checkpoint is of elsewhere:"],
        faults: Some(1),
    },
    // Of two signatures the later one, which the log's new key made.
    Damage {
        table: "log_checkpoints",
        same: CHECKPOINT,
        column: "note",
        value: "replace(note, substr(note, length(note) - 30, 8), 'AAAAAAAA')",
        at: "size = 10",
        told: &["checkpoint 10: the checkpoint is not signed as it should be"],
        faults: Some(1),
    },
    Damage {
        table: "anchors",
        same: ANCHOR,
        column: "proof",
        value: "root",
        at: NEWEST_ANCHOR,
        told: &["anchor 272: table anchors, row 272: column proof cannot be read: "],
        faults: Some(1),
    },
    Damage {
        table: "anchors",
        same: ANCHOR,
        column: "proof",
        value: "null",
        at: NEWEST_ANCHOR,
        told: &["(272 activities): is confirmed, and its proof does not name the block that it rests on\n"],
        faults: Some(1),
    },
    Damage {
        table: "anchors",
        same: ANCHOR,
        column: "nonces",
        value: "root",
        at: NEWEST_ANCHOR,
        told: &["(272 activities): its proof names block ", ": the message is not the Merkle root"],
        faults: None,
    },
    Damage {
        table: "anchors",
        same: ANCHOR,
        column: "block_time",
        value: "block_time + 86400",
        at: NEWEST_ANCHOR,
        told: &["(272 activities): rests on another block "],
        faults: Some(1),
    },
    Damage {
        table: "anchors",
        same: ANCHOR,
        column: "from_index",
        value: "from_index + 1",
        at: NEWEST_ANCHOR,
        told: &["(272 activities): begins at place 11, and the one before ends at 10\n"],
        faults: Some(1),
    },
    Damage {
        table: "anchors",
        same: ANCHOR,
        column: "root",
        value: "checkpoint",
        at: NEWEST_ANCHOR,
        told: &["(272 activities): is not of the tree's root, which is "],
        faults: None,
    },
    Damage {
        table: "anchors",
        same: ANCHOR,
        column: "checkpoint",
        value: "root",
        at: NEWEST_ANCHOR,
        told: &["(272 activities): stamps another checkpoint than the one of its size\n"],
        faults: None,
    },
    Damage {
        table: "assets",
        same: ASSET,
        column: "claim",
        value: "(select o.claim from assets as o where o.name = 'work 9')",
        at: "name = 'work 8'",
        told: &["asset ", " (`work 8`): its claim ", " does not say `work 8` at /object/name\n"],
        faults: Some(3),
    },
    Damage {
        table: "assets",
        same: ASSET,
        column: "claim",
        value: "id",
        at: "name = 'work 8'",
        told: &["asset ", " (`work 8`): the activity ", " that claims it is not there\n"],
        faults: Some(1),
    },
    Damage {
        table: "assets",
        same: ASSET,
        column: "tags",
        value: "'?'",
        at: "name = 'work 8'",
        told: &["asset ", ": table assets, row ", ": column tags cannot be read: "],
        faults: Some(1),
    },
];

/// That a check fails, and says these words.
fn assert_told(said: &Said, what: &str, told: &[&str], faults: Option<u32>) {
    assert!(!said.is_success, "{what}: {said:?}");
    for words in told {
        assert!(said.out.contains(words), "{what}: {words}: {}", said.out);
    }
    assert!(said.out.contains("\nChecked ") && said.error.contains("artdag-l2: "), "{what}: {said:?}");
    if let Some(faults) = faults {
        let expected = if faults == 1 { "1 fault was found".to_owned() } else { format!("{faults} faults were found") };
        assert!(said.error.contains(&expected), "{what}: {expected}: {said:?}");
    }
}

async fn damage(world: &World) {
    for Damage { table, same, column, value, at, told, faults } in DAMAGES {
        let damage = format!("update {table} set {column} = {value} where {at}");
        testing::execute(&world.database, &format!("create table saved as select * from {table}; {damage}")).await;
        assert_told(&world.check(), &damage, told, *faults);
        let mend = format!("update {table} set {column} = (select s.{column} from saved as s where {same})");
        testing::execute(&world.database, &format!("{mend}; drop table saved")).await;
    }
}

/// What lies in files.
fn damage_files(world: &World) {
    let keys = world.data.path().join("keys");
    fs::rename(keys.join("retired"), keys.join("away")).unwrap();
    let told = ["activity 3 (", "): its signature is not good: ", "checkpoint 1: "];
    assert_told(&world.check(), "retired keys", &told, None);
    fs::rename(keys.join("away"), keys.join("retired")).unwrap();

    for name in ["ada.pem", "ada.pub", "ada.ed25519.pem", "ada.ed25519.pub"] {
        fs::rename(keys.join(name), keys.join(format!("{name}.away"))).unwrap();
    }
    let said = world.check();
    let told = ["there are no keys of ada here, so its signatures cannot be checked\n", "\nand 70 more activities\n"];
    assert_told(&said, "an actor's keys", &told, Some(170));
    assert!(!keys.join("ada.pem").exists(), "a check makes no keys");
    for name in ["ada.pem", "ada.pub", "ada.ed25519.pem", "ada.ed25519.pub"] {
        fs::rename(keys.join(format!("{name}.away")), keys.join(name)).unwrap();
    }

    let headers = world.data.path().join("headers-regtest");
    let kept = fs::read(&headers).unwrap();
    fs::write(&headers, "no headers at all").unwrap();
    assert_told(&world.check(), "headers", &["headers: ", "are those of another chain"], Some(1));
    fs::write(&headers, kept).unwrap();
}

async fn checks(database: &str) {
    let Some(calendars) = OtsCalendars::start(2, 6).await else { return };
    let world = World::new(database, calendars);
    let empty = world.check().well();
    assert_eq!(empty, "Checked 0 activities, 0 tiles, 0 checkpoints, 0 anchors, 0 assets: all is well.\n");
    live(&world).await;
    let sound = world.check().well();
    assert!(sound.contains("Checked 312 activities, 5 tiles, ") && sound.ends_with(": all is well.\n"), "{sound}");
    assert!(sound.contains(", 2 anchors, 309 assets") && sound.starts_with("Headers to height "), "{sound}");
    damage(&world).await;
    damage_files(&world);
    assert_eq!(world.check().well(), sound, "everything is mended");

    // Nobody shows blocks: that is no fault.
    let mut settings = world.settings();
    settings.retain(|(name, _)| *name != "BITCOIN_RPC_URL");
    settings.push(("BITCOIN_HEADERS", "/nowhere/headers"));
    let said = Said::by(world.data.path(), settings, &["check"]).well();
    assert!(said.contains("(10 activities): block ") && said.contains(" could not be looked up: "), "{said}");
    assert!(said.ends_with(": all is well, but for 2 that nobody could tell.\n"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_is_checked() {
    let directory = tempfile::tempdir().unwrap();
    checks(&format!("sqlite:{}", directory.path().join("artdag.db").display())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_checked() {
    if let Some((_, database)) = testing::fresh_postgres().await {
        checks(&database.url()).await;
    }
}
