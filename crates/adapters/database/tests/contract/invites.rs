use crate::world::{Db, World, username};
use artdag_auth::{InviteCode, InviteHash};
use artdag_kernel::{Instant, StoreError};
use chrono::TimeDelta;

fn invite(text: &str) -> InviteHash {
    InviteCode::typed(text).hash()
}

async fn add(store: &Db, text: &str, expires_at: Instant, now: Instant) {
    let mut unit = store.begin().await.unwrap();
    unit.add_invite(&invite(text), expires_at, now).await.unwrap();
    unit.commit().await.unwrap();
}

async fn redeem(store: &Db, text: &str, now: Instant) -> bool {
    let mut unit = store.begin().await.unwrap();
    let redeemed = unit.redeem_invite(&invite(text), &username("giles"), now).await.unwrap();
    unit.commit().await.unwrap();
    redeemed
}

pub(crate) async fn are_good_once_and_until_they_expire(store: Db) {
    let world = World::new();
    let expiry = world.now() + TimeDelta::days(7);
    for text in ["a", "b"] {
        add(&store, text, expiry, world.now()).await;
    }
    assert!(!redeem(&store, "c", world.now()).await);
    assert!(redeem(&store, "a", expiry - TimeDelta::microseconds(1)).await);
    assert!(!redeem(&store, "a", world.now()).await);
    assert!(!redeem(&store, "b", expiry).await);
}

pub(crate) async fn stay_good_when_the_registration_fails(store: Db) {
    let world = World::new();
    add(&store, "a", world.now() + TimeDelta::days(7), world.now()).await;
    let mut unit = store.begin().await.unwrap();
    assert!(unit.redeem_invite(&invite("a"), &username("giles"), world.now()).await.unwrap());
    unit.rollback().await.unwrap();
    assert!(redeem(&store, "a", world.now()).await);
}

pub(crate) async fn are_redeemed_by_one_of_many(store: Db) {
    let world = World::new();
    let now = world.now();
    add(&store, "a", now + TimeDelta::days(7), now).await;
    let tries: Vec<_> = (0..20)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { redeem(&store, "a", now).await })
        })
        .collect();
    let mut redeemed = 0;
    for attempt in tries {
        redeemed += usize::from(attempt.await.unwrap());
    }
    assert_eq!(redeemed, 1);
}

pub(crate) async fn are_there_once(store: Db) {
    let world = World::new();
    let expiry = world.now() + TimeDelta::days(7);
    let mut unit = store.begin().await.unwrap();
    unit.add_invite(&invite("a"), expiry, world.now()).await.unwrap();
    let again = unit.add_invite(&invite("a"), expiry, world.now()).await;
    assert!(matches!(again, Err(StoreError::Conflict("invite"))));
    unit.add_invite(&invite("b"), expiry, world.now()).await.unwrap();
    unit.commit().await.unwrap();
}

/// Only what is forgotten can be added again.
pub(crate) async fn are_swept_when_expired_or_long_redeemed(store: Db) {
    let world = World::new();
    let (start, day) = (world.now(), TimeDelta::days(1));
    add(&store, "unused", start + day, start).await;
    add(&store, "good", start + day * 90, start).await;
    add(&store, "used", start + day, start).await;
    assert!(redeem(&store, "used", start).await);
    for (now, forgotten) in [
        (start + day, [false, false, false]),
        (start + day * 30, [true, false, false]),
        (start + day * 31, [true, false, true]),
    ] {
        let mut unit = store.begin().await.unwrap();
        assert_eq!(unit.sweep_revocations(now).await.unwrap(), 0, "it counts revocations only");
        unit.commit().await.unwrap();
        let mut unit = store.begin().await.unwrap();
        for (text, forgotten) in ["unused", "good", "used"].into_iter().zip(forgotten) {
            assert_eq!(unit.add_invite(&invite(text), now, now).await.is_ok(), forgotten, "{text} at {now}");
        }
        unit.rollback().await.unwrap();
    }
}
