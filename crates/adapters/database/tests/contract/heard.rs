use crate::follows::following;
use crate::remote::{actor, iri};
use crate::world::{Db, World, first_page, made_from, username, with_users};
use artdag_federation::{Claimant, Evidence, FollowState, HeardObject, RemoteActor, RemoteObject};
use artdag_kernel::{ContentHash, Cursor, Page, PageLimit, Position};
use chrono::TimeDelta;
use std::time::Duration;

/// Something of that actor, heard a second later than the one before. With content it is a claim.
pub(crate) fn heard(world: &World, actor: &RemoteActor, name: &str, content: Option<&[u8]>) -> HeardObject {
    world.wait(1);
    let id = iri(&format!("{}/objects/{name}", actor.id));
    HeardObject {
        id: world.id(),
        activity: iri(&format!("{id}/create")),
        object: RemoteObject {
            id,
            actor: actor.id.clone(),
            kind: "Image".to_owned(),
            content_hash: content.map(ContentHash::of),
            provenance: content.map(|_| made_from(&[ContentHash::of(b"input")])),
            name: Some(name.to_owned()),
            content: Some("<p>ü</p>".to_owned()),
            published: Some(world.now() - TimeDelta::microseconds(1)),
        },
        document: "{\"ü\":\"\\u0000\"}".to_owned(),
        evidence: Evidence { proof: true, engine: false },
        received_at: world.now(),
        deleted_at: None,
    }
}

pub(crate) async fn is_found_as_it_was_kept(store: Db) {
    let world = World::new();
    let alice = actor("alice", "a.example");
    let claim = heard(&world, &alice, "claim", Some(b"x"));
    let mut post = heard(&world, &alice, "post", None);
    post.evidence = Evidence { proof: false, engine: true };
    (post.object.name, post.object.content, post.object.published) = (None, None, None);
    let mut unit = store.begin().await.unwrap();
    assert!(unit.save_heard(&claim).await.unwrap());
    assert!(unit.save_heard(&post).await.unwrap());
    unit.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    for object in [claim, post] {
        assert_eq!(reader.find_heard(&object.object.id).await.unwrap(), Some(object));
    }
    assert_eq!(reader.find_heard(&alice.id).await.unwrap(), None);
}

pub(crate) async fn is_changed_and_withdrawn_by_its_actor_alone(store: Db) {
    let world = World::new();
    let (alice, eve) = (actor("alice", "a.example"), actor("eve", "a.example"));
    let first = heard(&world, &alice, "1", Some(b"x"));
    let mut unit = store.begin().await.unwrap();
    assert!(unit.save_heard(&first).await.unwrap());

    let mut stolen = heard(&world, &alice, "1", Some(b"y"));
    stolen.object.actor = eve.id.clone();
    assert!(!unit.save_heard(&stolen).await.unwrap());
    let id = &first.object.id;
    assert!(!unit.withdraw_heard(id, &eve.id, "{}", world.now()).await.unwrap());
    assert_eq!(unit.find_heard(id).await.unwrap().as_ref(), Some(&first));

    // The same claim told anew is known for as long as before.
    world.wait(1);
    let mut update = heard(&world, &alice, "1", Some(b"x"));
    update.activity = iri("https://a.example/update");
    update.document = "updated".to_owned();
    update.evidence = Evidence { proof: false, engine: true };
    update.object.name = None;
    assert!(unit.save_heard(&update).await.unwrap());
    let changed = HeardObject { id: first.id, received_at: first.received_at, ..update.clone() };
    assert_eq!(unit.find_heard(id).await.unwrap().as_ref(), Some(&changed));
    // A claim to something else is known since now, whatever stood there before.
    world.wait(1);
    let mut other = heard(&world, &alice, "1", Some(b"z"));
    other.received_at = world.now();
    assert!(unit.save_heard(&other).await.unwrap());
    let changed = HeardObject { id: first.id, ..other };
    assert_eq!(unit.find_heard(id).await.unwrap().as_ref(), Some(&changed));

    world.wait(1);
    assert!(unit.withdraw_heard(id, &alice.id, "withdrawn", world.now()).await.unwrap());
    let gone = HeardObject {
        object: RemoteObject { name: None, content: None, provenance: None, ..changed.object },
        document: "withdrawn".to_owned(),
        evidence: Evidence::default(),
        deleted_at: Some(world.now()),
        ..changed
    };
    assert_eq!(unit.find_heard(id).await.unwrap().as_ref(), Some(&gone));
    world.wait(1);
    assert!(!unit.withdraw_heard(id, &alice.id, "again", world.now()).await.unwrap());
    assert!(!unit.save_heard(&update).await.unwrap(), "it is withdrawn for good");
    assert!(!unit.withdraw_heard(&alice.id, &alice.id, "", world.now()).await.unwrap(), "nobody heard of it");
    assert_eq!(unit.find_heard(id).await.unwrap(), Some(gone));
    unit.commit().await.unwrap();
}

/// It was read when nobody had heard of it, and is written after a change of it.
pub(crate) async fn told_late_does_not_undo_a_change(store: Db) {
    let world = World::new();
    let (alice, eve) = (actor("alice", "a.example"), actor("eve", "a.example"));
    let create = heard(&world, &alice, "1", Some(b"x"));
    let mut update = heard(&world, &alice, "1", Some(b"x"));
    update.object.name = Some("changed".to_owned());
    let mut unit = store.begin().await.unwrap();
    assert!(unit.save_heard(&update).await.unwrap());
    assert!(!unit.add_heard(&create).await.unwrap());
    let id = &create.object.id;
    assert_eq!(unit.find_heard(id).await.unwrap(), Some(update));
    assert!(unit.withdraw_heard(id, &alice.id, "{}", world.now()).await.unwrap());
    assert!(!unit.add_heard(&create).await.unwrap(), "it is withdrawn");

    // What somebody else withdrew who never published it is nothing that is known.
    let other = heard(&world, &alice, "2", None);
    let id = &other.object.id;
    unit.forestall_heard(world.id(), id, &eve.id, id, world.now()).await.unwrap();
    assert!(unit.add_heard(&other).await.unwrap());
    assert!(unit.find_heard(id).await.unwrap().is_some());
    let late = heard(&world, &alice, "3", None);
    unit.forestall_heard(world.id(), &late.object.id, &alice.id, id, world.now()).await.unwrap();
    assert!(!unit.add_heard(&late).await.unwrap(), "its own actor withdrew it before");
    unit.commit().await.unwrap();
}

pub(crate) async fn forestalled_is_not_taken_from_its_actor(store: Db) {
    let world = World::new();
    let (alice, eve) = (actor("alice", "a.example"), actor("eve", "a.example"));
    let late = heard(&world, &alice, "late", Some(b"x"));
    let (id, create) = (&late.object.id, &late.activity);
    let deletion = iri("https://a.example/deletion");
    let mut unit = store.begin().await.unwrap();
    assert!(!unit.is_heard(&[id, create], &alice.id).await.unwrap());
    unit.forestall_heard(world.id(), id, &alice.id, &deletion, world.now()).await.unwrap();
    unit.forestall_heard(world.id(), create, &alice.id, &deletion, world.now()).await.unwrap();
    assert!(!unit.withdraw_heard(id, &alice.id, "{}", world.now()).await.unwrap(), "it is withdrawn already");
    assert_eq!(unit.find_heard(id).await.unwrap(), None, "nobody heard of it");
    assert!(unit.is_heard(&[&deletion, id], &alice.id).await.unwrap());
    assert!(unit.is_heard(&[create], &alice.id).await.unwrap());
    assert!(!unit.is_heard(&[id, create], &eve.id).await.unwrap());
    assert!(!unit.is_heard(&[], &alice.id).await.unwrap());
    assert!(!unit.save_heard(&late).await.unwrap());
    assert_eq!(unit.find_heard(id).await.unwrap(), None);
    assert_eq!(unit.heard_claims(&ContentHash::of(b"x"), 10).await.unwrap(), []);

    // Whoever never published it forestalls nothing, whether before its actor or after.
    let mut good = heard(&world, &alice, "good", None);
    let id = good.object.id.clone();
    unit.forestall_heard(world.id(), &id, &eve.id, &deletion, world.now()).await.unwrap();
    world.wait(1);
    good.received_at = world.now();
    assert!(unit.save_heard(&good).await.unwrap());
    let kept = unit.find_heard(&id).await.unwrap().unwrap();
    assert_eq!(HeardObject { id: good.id, ..kept.clone() }, good);
    for who in [&eve, &alice] {
        unit.forestall_heard(world.id(), &id, &who.id, &deletion, world.now()).await.unwrap();
        assert_eq!(unit.find_heard(&id).await.unwrap().as_ref(), Some(&kept), "it is known");
    }
    unit.commit().await.unwrap();
}

/// Whichever of the two commits first, and whichever began first.
pub(crate) async fn withdrawn_while_it_comes_is_withdrawn(store: Db) {
    let world = World::new();
    let alice = actor("alice", "a.example");
    let pause = Duration::from_millis(2);
    for round in 0..20 {
        let object = heard(&world, &alice, &round.to_string(), None);
        let id = &object.object.id;
        let (row, now) = (world.id(), world.now());
        let come = async {
            let mut unit = store.begin().await.unwrap();
            unit.save_heard(&object).await.unwrap();
            tokio::time::sleep(pause * 2).await;
            unit.commit().await.unwrap();
        };
        let withdraw = async {
            let mut unit = store.begin().await.unwrap();
            unit.forestall_heard(row, id, &alice.id, &object.activity, now).await.unwrap();
            unit.withdraw_heard(id, &alice.id, "", now).await.unwrap();
            tokio::time::sleep(pause * 2).await;
            unit.commit().await.unwrap();
        };
        if round % 2 == 0 {
            tokio::join!(come, async {
                tokio::time::sleep(pause).await;
                withdraw.await;
            });
        } else {
            tokio::join!(withdraw, async {
                tokio::time::sleep(pause).await;
                come.await;
            });
        }
        let found = store.read().await.unwrap().find_heard(id).await.unwrap();
        assert!(found.is_none_or(|found| found.deleted_at.is_some()), "round {round}");
    }
}

pub(crate) async fn claims_to_one_content_are_told_first_heard_first(store: Db) {
    let world = World::new();
    let (alice, bob) = (actor("alice", "a.example"), actor("bob", "b.example"));
    let claims = [
        heard(&world, &bob, "1", Some(b"x")),
        heard(&world, &alice, "1", Some(b"x")),
        heard(&world, &alice, "2", Some(b"x")),
    ];
    let mut unit = store.begin().await.unwrap();
    for object in claims.iter().rev().chain([&heard(&world, &alice, "3", Some(b"y")), &heard(&world, &bob, "2", None)])
    {
        assert!(unit.save_heard(object).await.unwrap());
    }
    assert!(unit.withdraw_heard(&claims[1].object.id, &alice.id, "", world.now()).await.unwrap());
    unit.commit().await.unwrap();
    let hash = ContentHash::of(b"x");
    let mut reader = store.read().await.unwrap();
    let told = reader.heard_claims(&hash, 10).await.unwrap();
    assert_eq!(told.iter().map(|claim| claim.id).collect::<Vec<_>>(), claims.each_ref().map(|claim| claim.id));
    assert_eq!(told.iter().map(|claim| claim.deleted_at.is_some()).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(reader.heard_claims(&hash, 1).await.unwrap(), claims[..1]);
    assert_eq!(reader.heard_claims(&ContentHash::of(b"z"), 10).await.unwrap(), []);
}

pub(crate) async fn claimants_are_told_with_what_they_are_worth(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| actor(name, "a.example"));
    let signed = heard(&world, &alice, "1", Some(b"x"));
    let mut bare = heard(&world, &bob, "1", Some(b"x"));
    bare.evidence = Evidence::default();
    let withdrawn = heard(&world, &carol, "1", Some(b"x"));
    let mut unit = store.begin().await.unwrap();
    unit.save_following(&following(&world, "giles", &bob, FollowState::Accepted)).await.unwrap();
    unit.save_following(&following(&world, "giles", &carol, FollowState::Pending)).await.unwrap();
    for claim in [&withdrawn, &bare, &signed, &heard(&world, &alice, "2", Some(b"y"))] {
        assert!(unit.add_heard(claim).await.unwrap());
    }
    assert!(unit.withdraw_heard(&withdrawn.object.id, &carol.id, "", world.now()).await.unwrap());
    let claimant = |claim: &HeardObject, is_followed, is_signed, is_withdrawn| Claimant {
        object: claim.object.id.clone(),
        is_followed,
        is_signed,
        is_withdrawn,
        received_at: claim.received_at,
    };
    let all = [
        claimant(&signed, false, true, false),
        claimant(&bare, true, false, false),
        claimant(&withdrawn, false, false, true),
    ];
    let hash = ContentHash::of(b"x");
    assert_eq!(unit.list_claimants(&hash, 10).await.unwrap(), all);
    assert_eq!(unit.list_claimants(&hash, 1).await.unwrap(), all[..1]);
    assert!(unit.remove_heard(&bare.object.id).await.unwrap());
    assert!(!unit.remove_heard(&bare.object.id).await.unwrap());
    assert_eq!(unit.list_claimants(&hash, 10).await.unwrap().len(), 2);
    unit.commit().await.unwrap();
}

pub(crate) async fn is_listed_for_who_follows(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles", "ada"]).await;
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| actor(name, "a.example"));
    let mut unit = store.begin().await.unwrap();
    for (user, who, state) in [
        ("giles", &alice, FollowState::Accepted),
        ("giles", &bob, FollowState::Pending),
        ("giles", &carol, FollowState::Accepted),
        ("ada", &bob, FollowState::Accepted),
    ] {
        unit.save_following(&following(&world, user, who, state)).await.unwrap();
    }
    let objects = [&alice, &bob, &carol, &alice, &alice].map(|who| {
        let name = world.now().to_rfc3339();
        heard(&world, who, &name, None)
    });
    for object in objects.iter().rev() {
        assert!(unit.save_heard(object).await.unwrap());
    }
    assert!(unit.withdraw_heard(&objects[3].object.id, &alice.id, "", world.now()).await.unwrap());
    unit.commit().await.unwrap();
    let [first, of_bob, of_carol, _, last] = objects;

    let giles = username("giles");
    let mut reader = store.read().await.unwrap();
    let all = [last.clone(), of_carol.clone(), first.clone()];
    assert_eq!(reader.list_heard(&giles, first_page()).await.unwrap().items, all);
    assert_eq!(reader.list_heard(&username("ada"), first_page()).await.unwrap().items, [of_bob]);
    let limit = PageLimit::new(1).unwrap();
    let behind = Position::OlderThan(Cursor { at: last.received_at, id: last.id });
    let slice = reader.list_heard(&giles, Page { limit, position: behind }).await.unwrap();
    assert_eq!((slice.items, slice.has_newer, slice.has_older), (vec![of_carol], true, true));
    let before = Position::NewerThan(Cursor { at: first.received_at, id: first.id });
    let slice = reader.list_heard(&giles, Page { limit: PageLimit::DEFAULT, position: before }).await.unwrap();
    assert_eq!((slice.items, slice.has_newer), (all[..2].to_vec(), false));
}
