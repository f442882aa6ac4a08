use crate::world::{Db, World};
use artdag_auth::AccessToken;
use chrono::TimeDelta;

pub(crate) async fn are_idempotent(store: Db) {
    let world = World::new();
    let token = AccessToken::new("a.b.c".to_owned()).hash();
    let other = AccessToken::new("a.b.d".to_owned()).hash();
    let expires_at = world.now() + TimeDelta::days(30);
    for _ in 0..2 {
        let mut unit = store.begin().await.unwrap();
        unit.revoke(&token, expires_at, world.now()).await.unwrap();
        unit.revoke(&token, expires_at, world.now()).await.unwrap();
        assert!(unit.is_revoked(&token).await.unwrap());
        unit.commit().await.unwrap();
    }
    let mut reader = store.read().await.unwrap();
    assert!(reader.is_revoked(&token).await.unwrap());
    assert!(!reader.is_revoked(&other).await.unwrap());
    assert_eq!(reader.revoked_among(&[other, token, token]).await.unwrap().into_iter().collect::<Vec<_>>(), [token]);
    assert!(reader.revoked_among(&[]).await.unwrap().is_empty());
    let many: Vec<_> = (0..500).map(|n| AccessToken::new(n.to_string()).hash()).chain([token]).collect();
    assert_eq!(reader.revoked_among(&many).await.unwrap().len(), 1);
}

pub(crate) async fn are_swept_when_the_token_has_expired(store: Db) {
    let world = World::new();
    let now = world.now();
    let token = |text: &str| AccessToken::new(text.to_owned()).hash();
    let mut unit = store.begin().await.unwrap();
    unit.revoke(&token("past"), now - TimeDelta::microseconds(1), now).await.unwrap();
    unit.revoke(&token("present"), now, now).await.unwrap();
    unit.revoke(&token("future"), now + TimeDelta::days(1), now).await.unwrap();
    assert_eq!(unit.sweep_revocations(now).await.unwrap(), 1);
    assert_eq!(unit.sweep_revocations(now).await.unwrap(), 0);
    unit.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert!(!reader.is_revoked(&token("past")).await.unwrap());
    assert!(reader.is_revoked(&token("present")).await.unwrap());
    assert!(reader.is_revoked(&token("future")).await.unwrap());
}
