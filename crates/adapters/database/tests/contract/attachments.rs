use crate::world::{Db, World, username, with_users};
use artdag_auth::{AccessToken, Attachment, TokenHash};
use artdag_kernel::{Instant, ServerUrl};
use chrono::TimeDelta;
use std::time::Duration;

fn renderer(name: &str) -> ServerUrl {
    format!("https://{name}.example").parse().unwrap()
}

fn token(text: &str) -> TokenHash {
    AccessToken::new(text.to_owned()).hash()
}

fn attachment(user: &str, l1_server: &str, at: Instant) -> Attachment {
    Attachment { username: username(user), l1_server: renderer(l1_server), attached_at: at }
}

/// Attaches, with a token of that text, as the use case does.
async fn attach(store: &Db, attachment: &Attachment, text: &str, expires_at: Instant) {
    let mut unit = store.begin().await.unwrap();
    unit.attach(attachment).await.unwrap();
    unit.add_scoped_token(&token(text), attachment, expires_at).await.unwrap();
    unit.commit().await.unwrap();
}

async fn detach(store: &Db, world: &World, user: &str, l1_server: Option<&str>) -> Vec<Attachment> {
    let mut unit = store.begin().await.unwrap();
    let l1_server = l1_server.map(renderer);
    let detached = unit.detach(&username(user), l1_server.as_ref(), world.now()).await.unwrap();
    unit.commit().await.unwrap();
    detached
}

async fn revoked(store: &Db, texts: &[&str]) -> Vec<bool> {
    let mut reader = store.read().await.unwrap();
    let mut answers = Vec::new();
    for text in texts {
        answers.push(reader.is_revoked(&token(text)).await.unwrap());
    }
    answers
}

pub(crate) async fn are_listed_oldest_first_and_keep_their_time(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles", "ada"]).await;
    let (then, later) = (world.now(), world.now() + TimeDelta::seconds(5));
    let mut unit = store.begin().await.unwrap();
    for (user, l1_server, at) in
        [("giles", "b", later), ("giles", "c", then), ("giles", "a", later), ("ada", "a", then), ("giles", "c", later)]
    {
        unit.attach(&attachment(user, l1_server, at)).await.unwrap();
    }
    unit.commit().await.unwrap();
    let expected = [("c", then), ("a", later), ("b", later)].map(|(l1, at)| attachment("giles", l1, at));
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.list_attachments(&username("giles")).await.unwrap(), expected);
    assert_eq!(reader.list_attachments(&username("nobody")).await.unwrap(), []);
    assert_eq!(detach(&store, &world, "giles", None).await, expected);
    assert_eq!(reader.list_attachments(&username("giles")).await.unwrap(), []);
    assert_eq!(reader.list_attachments(&username("ada")).await.unwrap().len(), 1);
}

pub(crate) async fn take_their_tokens_with_them(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles", "ada"]).await;
    let expiry = world.now() + TimeDelta::days(30);
    for (user, l1_server, text) in
        [("giles", "a", "1"), ("giles", "a", "2"), ("giles", "b", "3"), ("ada", "a", "4"), ("ada", "b", "5")]
    {
        attach(&store, &attachment(user, l1_server, world.now()), text, expiry).await;
    }
    let texts = ["1", "2", "3", "4", "5"];
    assert_eq!(detach(&store, &world, "giles", Some("c")).await, []);
    assert_eq!(revoked(&store, &texts).await, [false; 5]);

    let gone = attachment("giles", "a", world.now());
    assert_eq!(detach(&store, &world, "giles", Some("a")).await, [gone]);
    assert_eq!(revoked(&store, &texts).await, [true, true, false, false, false]);
    assert_eq!(detach(&store, &world, "giles", Some("a")).await, [], "again is fine");

    assert_eq!(detach(&store, &world, "ada", None).await.len(), 2);
    assert_eq!(revoked(&store, &texts).await, [true, true, false, true, true]);
    let left = store.read().await.unwrap().list_attachments(&username("giles")).await.unwrap();
    assert_eq!(left, [attachment("giles", "b", world.now())]);

    // A revocation lasts as long as the token would have.
    let mut unit = store.begin().await.unwrap();
    assert_eq!(unit.sweep_revocations(expiry).await.unwrap(), 0);
    assert_eq!(unit.sweep_revocations(expiry + TimeDelta::seconds(1)).await.unwrap(), 4);
    unit.commit().await.unwrap();
}

pub(crate) async fn tokens_are_revoked_without_one_and_once(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let expiry = world.now() + TimeDelta::days(30);
    let missing = attachment("giles", "a", world.now());
    let mut unit = store.begin().await.unwrap();
    for text in ["1", "1", "2"] {
        unit.add_scoped_token(&token(text), &missing, expiry).await.unwrap();
    }
    unit.revoke(&token("2"), expiry, world.now()).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(detach(&store, &world, "giles", Some("a")).await, []);
    assert_eq!(revoked(&store, &["1", "2"]).await, [true, true]);
}

pub(crate) async fn expired_tokens_are_forgotten_by_the_sweep(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let one = attachment("giles", "a", world.now());
    attach(&store, &one, "past", world.now() - TimeDelta::seconds(1)).await;
    attach(&store, &one, "present", world.now()).await;
    let mut unit = store.begin().await.unwrap();
    assert_eq!(unit.sweep_revocations(world.now()).await.unwrap(), 0, "it counts revocations only");
    unit.commit().await.unwrap();
    assert_eq!(detach(&store, &world, "giles", None).await, [one], "an attachment outlives its tokens");
    assert_eq!(revoked(&store, &["past", "present"]).await, [false, true]);
}

/// Whoever attaches while the same user detaches is detached with all tokens, or attached with a good one.
pub(crate) async fn never_lose_a_token_in_a_race(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let (now, expiry) = (world.now(), world.now() + TimeDelta::days(30));
    for round in 0..25 {
        let text = round.to_string();
        let attaching = {
            let (store, text) = (store.clone(), text.clone());
            tokio::spawn(async move { attach(&store, &attachment("giles", "a", now), &text, expiry).await })
        };
        if round % 2 == 0 {
            tokio::task::yield_now().await;
        }
        detach(&store, &world, "giles", None).await;
        attaching.await.unwrap();
        let attached = !store.read().await.unwrap().list_attachments(&username("giles")).await.unwrap().is_empty();
        assert_ne!(revoked(&store, &[&text]).await, [attached], "round {round}");
    }
    detach(&store, &world, "giles", None).await;
    let texts: Vec<String> = (0..25).map(|round| round.to_string()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert_eq!(revoked(&store, &texts).await, [true; 25]);
}

/// What is asked behind the lock is as it is left by who had it before.
pub(crate) async fn are_locked_by_one_at_a_time(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let (giles, now) = (username("giles"), world.now());
    for round in 0..25 {
        let (text, session) = (format!("scoped {round}"), token(&format!("session {round}")));
        let attaching = {
            let (store, giles, text) = (store.clone(), giles.clone(), text.clone());
            tokio::spawn(async move {
                let mut unit = store.begin().await.unwrap();
                unit.lock_attachments(&giles).await.unwrap();
                if unit.is_revoked(&session).await.unwrap() {
                    return unit.rollback().await.unwrap();
                }
                // As long as it takes to make a token.
                tokio::time::sleep(Duration::from_millis(2)).await;
                let attachment = attachment("giles", "a", now);
                unit.attach(&attachment).await.unwrap();
                unit.add_scoped_token(&token(&text), &attachment, now).await.unwrap();
                unit.commit().await.unwrap();
            })
        };
        if round % 2 == 0 {
            tokio::task::yield_now().await;
        }
        let mut unit = store.begin().await.unwrap();
        unit.lock_attachments(&giles).await.unwrap();
        unit.revoke(&session, now, now).await.unwrap();
        unit.detach(&giles, None, now).await.unwrap();
        unit.commit().await.unwrap();
        attaching.await.unwrap();
        assert!(store.read().await.unwrap().list_attachments(&giles).await.unwrap().is_empty(), "round {round}");
    }
}
