use crate::world::{Db, World, user, username};
use artdag_auth::User;
use artdag_kernel::StoreError;
use chrono::TimeDelta;

pub(crate) async fn are_found_as_they_were_added(store: Db) {
    let world = World::new();
    let plain = user("plain", world.now());
    let full = User {
        display_name: Some("Gîles → \"✨\" ' ; drop table users; --".parse().unwrap()),
        email: Some("giles%_@example.com".parse().unwrap()),
        ..user("giles_2", world.now() + TimeDelta::microseconds(123_456))
    };
    let mut unit = store.begin().await.unwrap();
    unit.add_user(&plain).await.unwrap();
    unit.add_user(&full).await.unwrap();
    assert_eq!(unit.find_user(&plain.username).await.unwrap().as_ref(), Some(&plain));
    unit.commit().await.unwrap();

    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.find_user(&full.username).await.unwrap(), Some(full));
    assert_eq!(reader.find_user(&plain.username).await.unwrap(), Some(plain));
    assert_eq!(reader.find_user(&username("nobody")).await.unwrap(), None);
    assert_eq!(reader.count_users().await.unwrap(), 2);
}

pub(crate) async fn take_a_name_once(store: Db) {
    let world = World::new();
    let first = user("giles", world.now());
    let second = User { email: Some("other@example.com".parse().unwrap()), ..first.clone() };
    let mut unit = store.begin().await.unwrap();
    unit.add_user(&first).await.unwrap();
    assert!(matches!(unit.add_user(&second).await, Err(StoreError::Conflict("user"))));
    unit.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.find_user(&first.username).await.unwrap(), Some(first));
}
