use crate::world::{Db, World, publish, sequence, username, with_users};
use artdag_assets::AssetFilter;
use artdag_federation::{Activity, ActivityKind};
use artdag_kernel::{ContentHash, Count};
use chrono::TimeDelta;

pub(crate) async fn gives_indexes_without_gaps_oldest_first(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let mut activities: Vec<Activity> =
        (0..7).map(|n| world.activity(ActivityKind::Create, "giles", ContentHash::of(&[n]))).collect();
    // Three of one instant: their ids decide.
    for n in [2, 3] {
        activities[n].published_at = activities[4].published_at;
    }
    let mut expected: Vec<_> = activities.iter().map(|a| (a.published_at, a.id.to_string())).collect();
    expected.sort();
    let shuffled: Vec<&Activity> = [5, 0, 3, 6, 2, 4, 1].map(|n| &activities[n]).to_vec();
    publish(&store, &shuffled).await;

    let mut unit = store.begin().await.unwrap();
    assert_eq!(unit.log_size().await.unwrap(), 0);
    assert_eq!(unit.extend_log(0, 3).await.unwrap(), Some(3));
    assert_eq!(unit.log_size().await.unwrap(), 3);
    assert_eq!(unit.extend_log(3, 3).await.unwrap(), Some(3));
    unit.commit().await.unwrap();
    assert_eq!(sequence(&store).await, 1);
    assert_eq!(sequence(&store).await, 0);

    let mut reader = store.read().await.unwrap();
    for (index, (_, id)) in expected.iter().enumerate() {
        let found = reader.find_activity_at(index as u64).await.unwrap().unwrap();
        assert_eq!((found.id.to_string(), found.index), (id.clone(), Some(index as u64)));
    }
}

pub(crate) async fn does_nothing_for_another_size(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    publish(&store, &[&world.activity(ActivityKind::Create, "giles", ContentHash::of(b"x"))]).await;
    let mut unit = store.begin().await.unwrap();
    for size in [1, 7, u64::MAX] {
        assert_eq!(unit.extend_log(size, 10).await.unwrap(), None);
    }
    assert_eq!(unit.log_size().await.unwrap(), 0);
    unit.commit().await.unwrap();
    assert!(store.read().await.unwrap().has_unindexed().await.unwrap());
    assert_eq!(sequence(&store).await, 1);
}

pub(crate) async fn counts_for_actors_and_for_all(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles", "ada"]).await;
    let of = |kind, actor, n| world.activity(kind, actor, ContentHash::of(&[n]));
    let (a, b) = (of(ActivityKind::Create, "giles", 1), of(ActivityKind::Create, "giles", 2));
    let (c, d) = (of(ActivityKind::Update, "giles", 1), of(ActivityKind::Create, "ada", 3));
    let e = of(ActivityKind::Delete, "giles", 1);
    publish(&store, &[&a, &b, &c, &d]).await;
    sequence(&store).await;
    publish(&store, &[&e]).await;
    sequence(&store).await;

    let mut reader = store.read().await.unwrap();
    for (owner, assets, activities) in [(None, 2, 5), (Some("giles"), 1, 4), (Some("ada"), 1, 1), (Some("x"), 0, 0)] {
        let owner = owner.map(username);
        let filter = AssetFilter { owner: owner.clone(), ..AssetFilter::default() };
        assert_eq!(reader.count_assets(&filter).await.unwrap(), Count::Exactly(assets));
        assert_eq!(reader.count_activities(owner.as_ref()).await.unwrap(), activities);
    }
}

pub(crate) async fn leases_are_held_by_one_until_they_end(store: Db) {
    let world = World::new();
    let start = world.now();
    let at = |seconds| start + TimeDelta::seconds(seconds);
    let mut unit = store.begin().await.unwrap();
    assert!(unit.take_lease("log", "a", at(0), at(10)).await.unwrap());
    assert!(!unit.take_lease("log", "b", at(1), at(11)).await.unwrap());
    assert!(unit.take_lease("other", "b", at(1), at(11)).await.unwrap(), "another lease is free");
    assert!(unit.take_lease("log", "a", at(5), at(15)).await.unwrap(), "its holder renews it");
    assert!(!unit.take_lease("log", "b", at(14), at(24)).await.unwrap());
    assert!(unit.take_lease("log", "b", at(15), at(25)).await.unwrap(), "it has ended");
    assert!(!unit.take_lease("log", "a", at(16), at(26)).await.unwrap());
    unit.release_lease("log", "a").await.unwrap();
    assert!(!unit.take_lease("log", "a", at(16), at(26)).await.unwrap(), "it was not theirs to release");
    unit.release_lease("log", "b").await.unwrap();
    unit.release_lease("log", "b").await.unwrap();
    assert!(unit.take_lease("log", "a", at(16), at(26)).await.unwrap());
    unit.commit().await.unwrap();
}
