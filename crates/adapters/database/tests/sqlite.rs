//! What only an SQLite file can be asked.
#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

use artdag_assets::{AssetFilter, AssetReads, SearchWords};
use artdag_database::testing::{execute, fresh_sqlite};
use artdag_database::{DatabaseUrl, OpenError, migrate, open};
use artdag_kernel::{Page, PageLimit, StoreError};
use std::fs;
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

#[path = "contract/world.rs"]
#[expect(dead_code, reason = "made for more tests than these")]
mod world;

use world::{World, add, anchor, bury, listed, try_add, with_users};

fn url(path: &Path) -> DatabaseUrl {
    format!("sqlite:{}", path.display()).parse().unwrap()
}

#[tokio::test]
async fn is_made_with_its_folder_by_many_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/artdag.db");
    let url = url(&path);
    let runs: Vec<_> = (0..6)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { migrate(&url).await.unwrap() })
        })
        .collect();
    let mut applied = Vec::new();
    for run in runs {
        applied.extend(run.await.unwrap());
    }
    assert_eq!(
        applied,
        [
            "00001_registry",
            "00002_renderers_and_jobs",
            "00003_federation",
            "00004_log",
            "00005_anchors",
            "00006_federation",
            "00007_witnesses",
            "00008_job_lanes",
            "00009_anchor_answers",
            "00010_inbox_limits",
            "00011_lean_deliveries"
        ]
    );
    assert_eq!(migrate(&url).await.unwrap(), [""; 0]);
    open(&url, 4).await.unwrap().ping().await.unwrap();
    #[cfg(unix)]
    for name in ["artdag.db", "artdag.db-wal"] {
        use std::os::unix::fs::PermissionsExt;
        if let Ok(file) = fs::metadata(path.with_file_name(name)) {
            assert_eq!(file.permissions().mode() & 0o777, 0o600, "{name}");
        }
    }
}

#[tokio::test]
async fn says_what_is_wrong_with_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let missing = url(&folder.path().join("missing.db"));
    assert!(matches!(open(&missing, 1).await.map(|_| ()), Err(OpenError::File { .. })));

    let garbage = folder.path().join("garbage.db");
    fs::write(&garbage, "garbage".repeat(1000)).unwrap();
    assert!(matches!(open(&url(&garbage), 1).await.map(|_| ()), Err(OpenError::File { .. })));
    assert!(matches!(migrate(&url(&garbage)).await, Err(OpenError::File { .. })));

    let empty = folder.path().join("empty.db");
    fs::write(&empty, "").unwrap();
    assert!(matches!(open(&url(&empty), 1).await.map(|_| ()), Err(OpenError::Behind(v)) if v == "00001"));

    let blocked = url(&garbage.join("artdag.db"));
    assert!(matches!(migrate(&blocked).await, Err(OpenError::File { .. })));
}

#[tokio::test]
async fn of_a_newer_version_is_left_alone() {
    let (url, _folder) = fresh_sqlite().await;
    execute(&url, "insert into __diesel_schema_migrations (version) values ('99999')").await;
    assert!(matches!(open(&url, 1).await.map(|_| ()), Err(OpenError::Newer(v)) if v == "99999"));
    assert!(matches!(migrate(&url).await, Err(OpenError::Newer(v)) if v == "99999"));
}

#[tokio::test]
async fn names_the_place_of_what_it_cannot_read() {
    let (url, _folder) = fresh_sqlite().await;
    let (store, world) = (open(&url, 2).await.unwrap(), World::new());
    with_users(&store, &world, &["giles"]).await;
    let asset = world.asset("a", "giles");
    add(&store, &[&asset]).await;
    execute(&url, "update assets set metadata = '{'").await;
    let found = store.read().await.unwrap().find_asset(&asset.name).await;
    let Err(StoreError::Corrupt { table, column, row, .. }) = found else { panic!("{found:?}") };
    assert_eq!((table, column, row), ("assets", "metadata", asset.id.to_string()));
}

#[tokio::test]
async fn names_the_place_of_what_it_cannot_read_of_an_anchor() {
    let (url, _folder) = fresh_sqlite().await;
    let (store, world) = (open(&url, 2).await.unwrap(), World::new());
    for (tree_size, (wrong, table, column)) in (1..).zip([
        ("proof = x'ff'", "anchors", "proof"),
        ("revision = -1", "anchors", "revision"),
        ("block_height = 1", "anchors", "assurance"),
        ("block_height = 1, assurance = 'rumour'", "anchors", "assurance"),
        ("block_height = 1, assurance = 'node', block_hash = '0'", "anchors", "block_hash"),
        ("calendar = '<b>'", "anchor_asks", "calendar"),
        ("failures = -1", "anchor_asks", "failures"),
        ("answer = x'ff'", "anchor_asks", "answer"),
        ("verified = x'ff'", "anchor_asks", "verified"),
    ]) {
        let stored = world.anchor(tree_size - 1..tree_size);
        anchor(&store, std::slice::from_ref(&stored)).await;
        execute(&url, &format!("update {table} set {wrong} where tree_size = {tree_size}")).await;
        let found = store.read().await.unwrap().find_anchor(&stored.root).await;
        let Err(StoreError::Corrupt { table: its_table, column: its_column, row, .. }) = found else {
            panic!("{wrong}: {found:?}")
        };
        let key = if table == "anchors" { tree_size.to_string() } else { format!("{tree_size}, 0") };
        assert_eq!((its_table, its_column, row), (table, column, key), "{wrong}");
    }
    let sound = world.anchor(20..21);
    anchor(&store, std::slice::from_ref(&sound)).await;
    let due = store.read().await.unwrap().due_anchors(sound.created_at, 64).await.unwrap();
    assert_eq!(due.len(), 10);
    let readable: Vec<_> = due.into_iter().flatten().collect();
    assert_eq!(readable, [sound], "what cannot be read is in its way no longer");
}

#[tokio::test]
async fn search_outlives_vacuum() {
    let (url, _folder) = fresh_sqlite().await;
    let (store, world) = (open(&url, 2).await.unwrap(), World::new());
    with_users(&store, &world, &["giles"]).await;
    let assets: Vec<_> = (0..10).map(|n| world.asset(&format!("word{n}"), "giles")).collect();
    add(&store, &assets.iter().collect::<Vec<_>>()).await;
    bury(&store, &world, &assets[0]).await;
    execute(&url, "vacuum; insert into asset_search (asset_search) values ('integrity-check')").await;
    for (n, asset) in assets.iter().enumerate().skip(1) {
        let filter = AssetFilter { words: Some(SearchWords::of(&format!("word{n}"))), ..AssetFilter::default() };
        assert_eq!(listed(&store, &filter).await, [asset.name.to_string()]);
    }
}

/// Two processes are two pools, and two lines of writers.
#[tokio::test(flavor = "multi_thread")]
async fn is_shared_by_two_processes() {
    let (url, _folder) = fresh_sqlite().await;
    let stores = [open(&url, 4).await.unwrap(), open(&url, 4).await.unwrap()];
    let world = World::new();
    with_users(&stores[0], &world, &["giles"]).await;
    let writers: Vec<_> = (0..40)
        .map(|n| {
            let (store, asset) = (Arc::clone(&stores[n % 2]), world.asset(&n.to_string(), "giles"));
            tokio::spawn(async move { try_add(&store, &asset).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(listed(&stores[0], &AssetFilter::default()).await.len(), 40);
}

/// As in a server whose workers have one thread each: a cancelled request must neither block it nor panic.
#[tokio::test]
async fn works_on_a_runtime_of_one_thread() {
    let (url, _folder) = fresh_sqlite().await;
    let (store, world) = (open(&url, 2).await.unwrap(), World::new());
    with_users(&store, &world, &["giles"]).await;
    for n in 0..30 {
        let mut unit = store.begin().await.unwrap();
        start(unit.add_asset(&world.asset(&n.to_string(), "giles")));
        drop(unit);
        let mut reader = store.read().await.unwrap();
        let page = Page::newest(PageLimit::DEFAULT);
        start(AssetReads::list_assets(reader.as_mut(), &AssetFilter::default(), page));
        drop(reader);
        start(store.begin());
        start(store.read());
        start(store.ping());
    }
    try_add(&store, &world.asset("a", "giles")).await.unwrap();
    assert_eq!(listed(&store, &AssetFilter::default()).await, ["a"]);
}

fn start(future: impl Future) {
    let _pending = pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_pending();
}
