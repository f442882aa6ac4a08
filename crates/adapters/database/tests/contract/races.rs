use crate::world::{Db, World, add, made_from, name, publish, try_add, with_users};
use artdag_federation::{Activity, ActivityKind};
use artdag_kernel::{ContentHash, StoreError};
use artdag_registry::UnitOfWork;
use chrono::TimeDelta;
use std::time::Duration;

async fn winners(store: Db, assets: Vec<artdag_assets::Asset>) -> usize {
    let tries = assets.into_iter().map(|asset| {
        let store = store.clone();
        tokio::spawn(async move { try_add(&store, &asset).await })
    });
    let mut won = 0;
    for attempt in tries.collect::<Vec<_>>() {
        match attempt.await.unwrap() {
            Ok(()) => won += 1,
            Err(StoreError::Conflict(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    won
}

pub(crate) async fn of_one_name_one_wins(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let one = |n: u8| world.asset_with("a", "giles", |new| new.content_hash = ContentHash::of(&[n]));
    assert_eq!(winners(store.clone(), (0..50).map(one).collect()).await, 1);
    assert!(store.read().await.unwrap().find_asset(&name("a")).await.unwrap().is_some());
}

pub(crate) async fn of_one_hash_one_wins(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let hash = ContentHash::of(b"x");
    let one = |n: u8| world.asset_with(&n.to_string(), "giles", |new| new.content_hash = hash);
    assert_eq!(winners(store.clone(), (0..50).map(one).collect()).await, 1);
    assert!(store.read().await.unwrap().find_asset_by_hash(&hash).await.unwrap().is_some());
}

/// Deletes as the use case does: buries first, which waits for those who are adding, then looks.
async fn delete(store: &Db, tombstone: &artdag_assets::Tombstone, revision: u32) -> bool {
    let mut unit = store.begin().await.unwrap();
    assert!(unit.bury_asset(tombstone, revision).await.unwrap());
    tokio::time::sleep(Duration::from_millis(2)).await;
    let free = unit.assets_made_from(&tombstone.content_hash, 1).await.unwrap().is_empty();
    if free {
        unit.commit().await.unwrap();
    } else {
        unit.rollback().await.unwrap();
    }
    free
}

/// Registers as the use case does, and says whether its input was live when it had been locked.
async fn derive(store: &Db, asset: &artdag_assets::Asset) -> bool {
    let mut unit = store.begin().await.unwrap();
    unit.add_asset(asset).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2)).await;
    let live = is_live(unit.as_mut(), &asset.provenance.inputs()[0]).await;
    unit.commit().await.unwrap();
    live
}

async fn is_live(unit: &mut dyn UnitOfWork, hash: &ContentHash) -> bool {
    matches!(unit.find_asset_by_hash(hash).await.unwrap(), Some(artdag_assets::Registered::Live(_)))
}

pub(crate) async fn an_input_is_not_deleted_under_what_is_made_from_it(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    for round in 0..25 {
        let input = world.asset(&format!("input {round}"), "giles");
        let output = world.asset_with(&format!("output {round}"), "giles", |new| {
            new.provenance = made_from(&[input.content_hash]);
        });
        add(&store, &[&input]).await;
        let tombstone = input.bury(world.id(), world.now());
        let (one, other) = (store.clone(), store.clone());
        let deleting = tokio::spawn(async move { delete(&one, &tombstone, 1).await });
        if round % 2 == 0 {
            tokio::task::yield_now().await;
        }
        let deriving = tokio::spawn(async move { derive(&other, &output).await });
        let (deleted, saw_it_live) = (deleting.await.unwrap(), deriving.await.unwrap());
        assert!(deleted != saw_it_live, "round {round}: deleted {deleted}, used as live {saw_it_live}");
    }
}

pub(crate) async fn sequencers_give_every_index_once(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let activities: Vec<Activity> =
        (0..200).map(|n| world.activity(ActivityKind::Create, "giles", ContentHash::of(&[n]))).collect();
    publish(&store, &activities.iter().collect::<Vec<_>>()).await;
    let sequencer = || {
        let store = store.clone();
        tokio::spawn(async move {
            loop {
                let size = store.begin().await.unwrap().log_size().await.unwrap();
                let mut unit = store.begin().await.unwrap();
                let given = unit.extend_log(size, 7).await.unwrap();
                unit.commit().await.unwrap();
                if given == Some(0) {
                    return;
                }
            }
        })
    };
    for running in [sequencer(), sequencer(), sequencer()] {
        running.await.unwrap();
    }
    let mut reader = store.read().await.unwrap();
    for (n, activity) in activities.iter().enumerate() {
        let found = reader.find_activity_at(n as u64).await.unwrap().unwrap();
        assert_eq!(found.id, activity.id);
    }
    assert_eq!(reader.count_activities(None).await.unwrap(), 200);
}

pub(crate) async fn a_lease_goes_to_one(store: Db) {
    let now = World::new().now();
    let holders: Vec<_> = (0..10)
        .map(|n: u8| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut unit = store.begin().await.unwrap();
                let holder = n.to_string();
                let taken = unit.take_lease("log", &holder, now, now + TimeDelta::seconds(10)).await.unwrap();
                unit.commit().await.unwrap();
                taken
            })
        })
        .collect();
    let mut taken = 0;
    for holder in holders {
        taken += usize::from(holder.await.unwrap());
    }
    assert_eq!(taken, 1);
}

pub(crate) async fn many_writers_all_succeed(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let assets = (0..60).map(|n| world.asset(&n.to_string(), "giles")).collect();
    assert_eq!(winners(store, assets).await, 60);
}

pub(crate) async fn read_then_write_both_commit(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let writers = ["x", "y"].map(|text| {
        let (store, asset) = (store.clone(), world.asset(text, "giles"));
        tokio::spawn(async move {
            let mut unit = store.begin().await?;
            unit.find_asset(&asset.name).await?;
            tokio::time::sleep(Duration::from_millis(50)).await;
            unit.add_asset(&asset).await?;
            unit.commit().await
        })
    });
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
}
