use crate::world::{Db, World, first_page, publish, sequence, username, with_users};
use artdag_federation::{Activity, ActivityKind};
use artdag_kernel::{ActivityId, ContentHash, StoreError};
use chrono::TimeDelta;

pub(crate) async fn are_found_as_they_were_added(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles", "ada"]).await;
    let hash = ContentHash::of(b"x");
    let kinds = [ActivityKind::Create, ActivityKind::Update, ActivityKind::Delete];
    let [create, update, delete] = kinds.map(|kind| world.activity(kind, "giles", hash));
    let other = world.activity(ActivityKind::Create, "ada", ContentHash::of(b"y"));
    let mut unit = store.begin().await.unwrap();
    assert!(!unit.has_unindexed().await.unwrap());
    for activity in [&create, &update, &delete, &other] {
        unit.add_activity(activity).await.unwrap();
    }
    assert!(matches!(unit.add_activity(&create).await, Err(StoreError::Conflict(_))));
    unit.commit().await.unwrap();

    let mut reader = store.read().await.unwrap();
    assert!(reader.has_unindexed().await.unwrap());
    assert!(reader.count_unindexed().await.unwrap() > 0);
    assert_eq!(reader.find_activity(create.id).await.unwrap(), Some(create.clone()));
    assert_eq!(reader.find_activity(world.id::<ActivityId>()).await.unwrap(), None);
    assert_eq!(reader.find_activity_at(0).await.unwrap(), None);
    let all = reader.list_activities(None, first_page()).await.unwrap();
    assert_eq!(all.items, [other.clone(), delete.clone(), update.clone(), create.clone()]);
    let his = reader.list_activities(Some(&username("giles")), first_page()).await.unwrap();
    assert_eq!(his.items, [delete, update, create.clone()]);
    assert!(!his.has_older && !his.has_newer);
    let nobody = reader.list_activities(Some(&username("nobody")), first_page()).await.unwrap();
    assert_eq!(nobody.items, []);

    sequence(&store).await;
    assert!(!reader.has_unindexed().await.unwrap());
    assert_eq!(reader.count_unindexed().await.unwrap(), 0);
    let indexed = Activity { index: Some(0), ..create };
    assert_eq!(reader.find_activity_at(0).await.unwrap(), Some(indexed));
    assert_eq!(reader.find_activity_at(3).await.unwrap(), Some(Activity { index: Some(3), ..other }));
    for beyond in [4, i64::MAX as u64, u64::MAX] {
        assert_eq!(reader.find_activity_at(beyond).await.unwrap(), None);
    }
}

pub(crate) async fn count_once_they_have_an_index(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles", "ada"]).await;
    let activities = [1, 2, 3].map(|n| world.activity(ActivityKind::Create, "giles", ContentHash::of(&[n])));
    publish(&store, &activities.each_ref()).await;
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.count_activities(None).await.unwrap(), 0);
    sequence(&store).await;
    assert_eq!(reader.count_activities(None).await.unwrap(), 3);
    assert_eq!(reader.count_activities(Some(&username("giles"))).await.unwrap(), 3);
    assert_eq!(reader.count_activities(Some(&username("ada"))).await.unwrap(), 0);
    assert_eq!(reader.count_activities(Some(&username("nobody"))).await.unwrap(), 0);
}

pub(crate) async fn know_the_latest_about_a_content(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let hash = ContentHash::of(b"x");
    let create = world.activity(ActivityKind::Create, "giles", hash);
    let update = world.activity(ActivityKind::Update, "giles", hash);
    let other = world.activity(ActivityKind::Create, "giles", ContentHash::of(b"y"));
    publish(&store, &[&update, &create, &other]).await;
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.find_latest_about(&hash).await.unwrap(), Some(update));
    assert_eq!(reader.find_latest_about(&ContentHash::of(b"z")).await.unwrap(), None);
}

pub(crate) async fn tell_who_was_active(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles", "ada", "idle"]).await;
    let early = world.activity(ActivityKind::Create, "giles", ContentHash::of(b"x"));
    let late = world.activity(ActivityKind::Create, "ada", ContentHash::of(b"y"));
    let later = world.activity(ActivityKind::Update, "ada", ContentHash::of(b"y"));
    publish(&store, &[&early, &late, &later]).await;
    let mut reader = store.read().await.unwrap();
    for (since, active) in [
        (early.published_at, 2),
        (early.published_at + TimeDelta::microseconds(1), 1),
        (later.published_at, 1),
        (later.published_at + TimeDelta::microseconds(1), 0),
    ] {
        assert_eq!(reader.count_active_actors(since).await.unwrap(), active);
    }
}
