use crate::world::{Db, World, name, try_add, user, username, with_users};
use artdag_assets::AssetReads;
use artdag_kernel::StoreError;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

pub(crate) async fn commit_makes_it_visible_and_rollback_forgets_it(store: Db) {
    let world = World::new();
    for (name, keep) in [("kept", true), ("forgotten", false)] {
        let mut unit = store.begin().await.unwrap();
        unit.add_user(&user(name, world.now())).await.unwrap();
        if keep {
            unit.commit().await.unwrap();
        } else {
            unit.rollback().await.unwrap();
        }
    }
    let mut reader = store.read().await.unwrap();
    assert!(reader.find_user(&username("kept")).await.unwrap().is_some());
    assert!(reader.find_user(&username("forgotten")).await.unwrap().is_none());
}

pub(crate) async fn are_not_seen_before_they_commit(store: Db) {
    let world = World::new();
    let mut unit = store.begin().await.unwrap();
    unit.add_user(&user("giles", world.now())).await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.count_users().await.unwrap(), 0);
    unit.commit().await.unwrap();
    assert_eq!(reader.count_users().await.unwrap(), 1, "a reader opens no transaction");
}

pub(crate) async fn survive_a_conflict(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let mut unit = store.begin().await.unwrap();
    unit.add_asset(&world.asset("p", "giles")).await.unwrap();
    assert!(matches!(unit.add_asset(&world.asset("p", "giles")).await, Err(StoreError::Conflict("asset"))));
    unit.add_asset(&world.asset("q", "giles")).await.unwrap();
    unit.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert!(reader.find_asset(&name("p")).await.unwrap().is_some());
    assert!(reader.find_asset(&name("q")).await.unwrap().is_some());
}

pub(crate) async fn abandoned_keep_no_lock(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let asset = world.asset("a", "giles");
    for _ in 0..20 {
        let mut unit = store.begin().await.unwrap();
        unit.add_asset(&asset).await.unwrap();
        drop(unit);
    }
    within(3, try_add(&store, &asset)).await.unwrap();
}

/// A request that is cancelled while the database works for it.
pub(crate) async fn abandoned_in_the_middle_of_a_statement_keep_no_lock(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let asset = world.asset("a", "giles");
    for _ in 0..20 {
        let mut unit = store.begin().await.unwrap();
        if is_pending(unit.add_asset(&asset)) {
            assert!(unit.commit().await.is_err(), "what was cancelled may be half done");
        } else {
            unit.rollback().await.unwrap();
        }
        let mut unit = store.begin().await.unwrap();
        is_pending(unit.add_asset(&asset));
        drop(unit);
        is_pending(store.begin());
    }
    within(5, try_add(&store, &asset)).await.unwrap();
}

pub(crate) async fn refuse_to_commit_after_a_failure(store: Db) {
    let world = World::new();
    let mut unit = store.begin().await.unwrap();
    unit.add_user(&user("giles", world.now())).await.unwrap();
    let orphan = world.asset("a", "nobody");
    assert!(matches!(unit.add_asset(&orphan).await, Err(StoreError::Backend(_))));
    assert!(unit.commit().await.is_err());
    assert_eq!(store.read().await.unwrap().count_users().await.unwrap(), 0);

    let mut unit = store.begin().await.unwrap();
    assert!(unit.add_asset(&orphan).await.is_err());
    unit.rollback().await.unwrap();
    with_users(&store, &world, &["giles"]).await;
}

pub(crate) async fn readers_abandoned_in_the_middle_do_no_harm(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    for _ in 0..50 {
        let mut reader = store.read().await.unwrap();
        is_pending(reader.find_asset(&name("a")));
        drop(reader);
        let mut reader = store.read().await.unwrap();
        assert_eq!(reader.count_users().await.unwrap(), 1);
    }
}

pub(crate) async fn give_up_waiting_for_a_connection(store: Db) {
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(store.read().await.unwrap());
    }
    let answer = within(8, store.read()).await;
    assert!(matches!(answer.map(|_| ()), Err(StoreError::Busy(_))));
    drop(held);
    store.read().await.unwrap();
}

pub(crate) async fn answer_a_ping(store: Db) {
    store.ping().await.unwrap();
}

/// Starts a future, and drops it at its first pause. The database may be quicker than that pause.
fn is_pending(future: impl Future) -> bool {
    let polled = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
    matches!(polled, Poll::Pending)
}

async fn within<T>(seconds: u64, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(seconds), future).await.expect("still waiting")
}

/// A function that knows only the narrow port takes a unit of work and a reader alike.
#[expect(dead_code, reason = "it compiles, and that is the test")]
async fn narrow_ports(store: Db) {
    async fn find(assets: &mut dyn AssetReads) {
        drop(assets.find_asset(&name("a")).await);
    }
    find(store.begin().await.unwrap().as_mut()).await;
    find(store.read().await.unwrap().as_mut()).await;
}
