//! What only PostgreSQL can be asked.
#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

use artdag_assets::AssetFilter;
use artdag_database::testing::fresh_postgres;
use artdag_database::{DatabaseUrl, OpenError, migrate, open};
use artdag_kernel::{Page, PageLimit, StoreError};
use artdag_registry::Store;
use std::error::Error;
use std::time::Duration;
use tokio_postgres::NoTls;

#[path = "contract/world.rs"]
#[expect(dead_code, reason = "made for more tests than these")]
mod world;

use world::{World, add, with_users};

/// A connection beside the store's.
async fn client(url: &str) -> tokio_postgres::Client {
    let (client, driver) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(driver);
    client
}

const END_OTHERS: &str = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";

async fn warm(store: &dyn Store, n: usize) {
    let mut held = Vec::new();
    for _ in 0..n {
        held.push(store.read().await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_healed() {
    let Some((url, database)) = fresh_postgres().await else {
        return;
    };
    let store = open(&url, 4).await.unwrap();
    let outside = client(&database.url()).await;
    for round in 0..10 {
        warm(store.as_ref(), 4).await;
        outside.simple_query(END_OTHERS).await.unwrap();
        // With and without time for the news to arrive.
        if round % 2 == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        for _ in 0..6 {
            store.begin().await.expect("begin tries another connection").rollback().await.unwrap();
        }
        outside.simple_query(END_OTHERS).await.unwrap();
        let mut failures = 0;
        for _ in 0..20 {
            match store.ping().await {
                Ok(()) => {}
                Err(StoreError::Busy(_)) => failures += 1,
                Err(error) => panic!("{error:?}"),
            }
        }
        assert!(failures <= 4, "{failures} failures of 4 connections");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lost_in_a_unit_is_told_as_busy() {
    let Some((url, database)) = fresh_postgres().await else {
        return;
    };
    let store = open(&url, 4).await.unwrap();
    let world = World::new();
    let mut unit = store.begin().await.unwrap();
    unit.add_user(&world::user("giles", world.now())).await.unwrap();
    client(&database.url()).await.simple_query(END_OTHERS).await.unwrap();
    assert!(matches!(unit.count_users().await, Err(StoreError::Busy(_))));
    assert!(unit.commit().await.is_err());
    assert_eq!(store.read().await.unwrap().count_users().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn locks_are_not_awaited_forever() {
    let Some((_, database)) = fresh_postgres().await else {
        return;
    };
    let url = format!("{}options=-c%20lock_timeout%3D200ms", database.url());
    let store = open(&url.parse().unwrap(), 4).await.unwrap();
    let world = World::new();
    let mut one = store.begin().await.unwrap();
    one.add_user(&world::user("giles", world.now())).await.unwrap();
    let mut other = store.begin().await.unwrap();
    assert!(matches!(other.add_user(&world::user("giles", world.now())).await, Err(StoreError::Busy(_))));
    assert!(other.commit().await.is_err());
    one.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_migrate_at_once() {
    let Some((_, database)) = fresh_postgres().await else {
        return;
    };
    let outside = client(&database.url()).await;
    outside.batch_execute("drop schema public cascade; create schema public").await.unwrap();
    let url: DatabaseUrl = database.url().parse().unwrap();
    assert!(matches!(open(&url, 1).await.map(|_| ()), Err(OpenError::Behind(v)) if v == "00001"));
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
    open(&url, 1).await.unwrap().ping().await.unwrap();

    outside.batch_execute("insert into __diesel_schema_migrations (version) values ('99999')").await.unwrap();
    assert!(matches!(open(&url, 1).await.map(|_| ()), Err(OpenError::Newer(v)) if v == "99999"));
    assert!(matches!(migrate(&url).await, Err(OpenError::Newer(v)) if v == "99999"));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_the_place_of_what_it_cannot_read() {
    let Some((url, database)) = fresh_postgres().await else {
        return;
    };
    let (store, world) = (open(&url, 2).await.unwrap(), World::new());
    with_users(&store, &world, &["giles"]).await;
    let asset = world.asset("a", "giles");
    add(&store, &[&asset]).await;
    client(&database.url()).await.batch_execute("update assets set revision = -1").await.unwrap();
    let page = Page::newest(PageLimit::DEFAULT);
    let found = store.read().await.unwrap().list_assets(&AssetFilter::default(), page).await;
    let Err(StoreError::Corrupt { table, column, row, .. }) = found else { panic!("{found:?}") };
    assert_eq!((table, column, row), ("assets", "revision", asset.id.to_string()));
}

/// Needs no server, on purpose.
#[tokio::test]
async fn an_absent_server_is_named_and_no_password_told() {
    let url: DatabaseUrl = "postgresql://giles:s3cret@127.0.0.1:1/art".parse().unwrap();
    for error in [open(&url, 1).await.map(|_| ()).unwrap_err(), migrate(&url).await.unwrap_err()] {
        assert_eq!(error.to_string(), "cannot connect to PostgreSQL at 127.0.0.1:1");
        let mut told = format!("{error:?}");
        let mut cause: Option<&dyn Error> = Some(&error);
        while let Some(error) = cause {
            told.push_str(&error.to_string());
            cause = error.source();
        }
        assert!(told.to_lowercase().contains("refused") && !told.contains("s3cret"), "{told}");
    }
}

#[tokio::test]
async fn certificates_are_asked_for_by_name() {
    let url: DatabaseUrl = "postgresql://h/d?sslmode=require&sslrootcert=/nowhere.pem".parse().unwrap();
    assert!(matches!(open(&url, 1).await.map(|_| ()), Err(OpenError::Authorities { .. })));
}
