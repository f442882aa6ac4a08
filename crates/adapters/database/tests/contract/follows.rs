use crate::remote::{actor, iri};
use crate::world::{Db, World, first_page, username, with_users};
use artdag_federation::{FollowState, Follower, Following, RemoteActor};
use artdag_kernel::{Cursor, Page, PageLimit, Position};

use FollowState::{Accepted, Pending, Rejected};

/// That actor follows a user, a second later than the one before.
pub(crate) fn follower(world: &World, user: &str, actor: &RemoteActor, state: FollowState) -> Follower {
    world.wait(1);
    Follower {
        id: world.id(),
        user: username(user),
        actor: actor.id.clone(),
        inbox: actor.inbox.clone(),
        shared_inbox: actor.shared_inbox.clone(),
        request: iri(&format!("{}/follows/{user}", actor.id)),
        state,
        created_at: world.now(),
    }
}

/// A user follows that actor, a second later than the one before.
pub(crate) fn following(world: &World, user: &str, actor: &RemoteActor, state: FollowState) -> Following {
    world.wait(1);
    Following {
        id: world.id(),
        user: username(user),
        actor: actor.id.clone(),
        request: world.id(),
        state,
        created_at: world.now(),
    }
}

/// Actors of two servers, in every state.
fn actors() -> [(RemoteActor, FollowState); 4] {
    [
        (actor("alice", "a.example"), Accepted),
        (actor("bob", "b.example:8443"), Pending),
        (RemoteActor { shared_inbox: None, ..actor("carol", "a.example") }, Accepted),
        (actor("dan", "a.example"), Rejected),
    ]
}

fn one_older_than(at: artdag_kernel::Instant, id: uuid::Uuid) -> Page {
    Page { limit: PageLimit::new(1).unwrap(), position: Position::OlderThan(Cursor { at, id }) }
}

pub(crate) async fn followers_are_listed_newest_first(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles", "ada"]).await;
    let mut all: Vec<Follower> =
        actors().iter().map(|(actor, state)| follower(&world, "giles", actor, *state)).collect();
    let of_ada = follower(&world, "ada", &actors()[0].0, Accepted);
    let mut unit = store.begin().await.unwrap();
    for follower in all.iter().rev().chain([&of_ada]) {
        unit.save_follower(follower).await.unwrap();
    }
    unit.commit().await.unwrap();
    all.reverse();
    let [dan, carol, bob, alice] = [0, 1, 2, 3].map(|n| all[n].clone());

    let giles = username("giles");
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.list_followers(&giles, None, first_page()).await.unwrap().items, all);
    let slice = reader.list_followers(&giles, None, one_older_than(carol.created_at, carol.id)).await.unwrap();
    assert_eq!((slice.items, slice.has_newer, slice.has_older), (vec![bob.clone()], true, true));
    for (state, expected) in [(Accepted, vec![carol.clone(), alice.clone()]), (Pending, vec![bob.clone()])] {
        assert_eq!(reader.list_followers(&giles, Some(state), first_page()).await.unwrap().items, expected);
    }
    assert_eq!(reader.count_followers(&giles).await.unwrap(), 2);
    assert_eq!(reader.count_followers(&username("ada")).await.unwrap(), 1);
    assert_eq!(reader.find_follower(&giles, &dan.actor).await.unwrap(), Some(dan));
    assert_eq!(reader.find_follower(&username("ada"), &bob.actor).await.unwrap(), None);

    // The second waits for an answer, and nobody follows from the third.
    let of = ["https://a.example", "https://b.example:8443", "http://a.example", "https://a.example"];
    let at = reader.followers_at(&of.map(|origin| (&giles, origin))).await.unwrap();
    let both = vec![alice.actor, carol.actor];
    assert_eq!(at, [both.clone(), vec![], vec![], both]);
    assert_eq!(reader.followers_at(&[]).await.unwrap(), [[]; 0]);
}

pub(crate) async fn followers_ask_again_and_go(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let (giles, alice) = (username("giles"), actor("alice", "a.example"));
    let first = follower(&world, "giles", &alice, Pending);
    let again = Follower {
        request: iri("https://a.example/follows/2"),
        inbox: iri("https://a.example/other"),
        shared_inbox: None,
        ..follower(&world, "giles", &alice, Pending)
    };
    let mut unit = store.begin().await.unwrap();
    unit.save_follower(&first).await.unwrap();
    unit.save_follower(&again).await.unwrap();
    assert_eq!(unit.list_followers(&giles, None, first_page()).await.unwrap().items, std::slice::from_ref(&again));
    assert!(!unit.undo_received(&first.request, &alice.id).await.unwrap(), "that request is no more");

    assert!(unit.set_follower_state(&giles, &alice.id, Accepted).await.unwrap());
    assert!(!unit.set_follower_state(&giles, &iri("https://a.example/"), Accepted).await.unwrap());
    let accepted = Follower { state: Accepted, ..again };
    assert_eq!(unit.find_follower(&giles, &alice.id).await.unwrap(), Some(accepted));
    assert!(unit.remove_follower(&giles, &alice.id).await.unwrap());
    assert!(!unit.remove_follower(&giles, &alice.id).await.unwrap());
    assert_eq!(unit.count_followers(&giles).await.unwrap(), 0);
    unit.commit().await.unwrap();
}

/// A request that was read as one that waits is written after the user has agreed.
pub(crate) async fn an_accepted_follower_stays_so(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let (giles, alice) = (username("giles"), actor("alice", "a.example"));
    let mut unit = store.begin().await.unwrap();
    assert_eq!(unit.save_follower(&follower(&world, "giles", &alice, Pending)).await.unwrap(), Pending);
    assert!(unit.set_follower_state(&giles, &alice.id, Accepted).await.unwrap());
    let again = follower(&world, "giles", &alice, Pending);
    assert_eq!(unit.save_follower(&again).await.unwrap(), Accepted);
    let kept = Follower { state: Accepted, ..again };
    assert_eq!(unit.find_follower(&giles, &alice.id).await.unwrap(), Some(kept));
    // Whom the user removed asks anew.
    assert!(unit.remove_follower(&giles, &alice.id).await.unwrap());
    assert_eq!(unit.save_follower(&follower(&world, "giles", &alice, Pending)).await.unwrap(), Pending);
    unit.commit().await.unwrap();
}

pub(crate) async fn a_follow_that_was_asked_for_anew_is_not_ended_for_the_old_one(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let (giles, alice) = (username("giles"), actor("alice", "a.example"));
    let old = following(&world, "giles", &alice, Accepted);
    let again = following(&world, "giles", &alice, Pending);
    let mut unit = store.begin().await.unwrap();
    unit.save_following(&old).await.unwrap();
    unit.save_following(&again).await.unwrap();
    assert!(!unit.remove_following(&giles, &alice.id, old.request).await.unwrap());
    assert_eq!(unit.find_following(&giles, &alice.id).await.unwrap(), Some(again));
    unit.commit().await.unwrap();
}

pub(crate) async fn followers_go_with_their_inbox(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles", "ada"]).await;
    let [alice, bob, carol, dan] = actors().map(|(actor, _)| actor);
    let mut unit = store.begin().await.unwrap();
    for (user, who) in [("giles", &alice), ("giles", &bob), ("giles", &carol), ("ada", &alice), ("ada", &dan)] {
        unit.save_follower(&follower(&world, user, who, Accepted)).await.unwrap();
    }
    assert_eq!(unit.remove_followers_at_inbox(&iri("https://c.example/inbox")).await.unwrap(), 0);
    assert_eq!(unit.remove_followers_at_inbox(&alice.inbox).await.unwrap(), 2);
    assert_eq!(unit.remove_followers_at_inbox(dan.shared_inbox.as_ref().unwrap()).await.unwrap(), 1);
    assert_eq!(unit.remove_followers_at_inbox(&carol.inbox).await.unwrap(), 1);
    let left = unit.list_followers(&username("giles"), None, first_page()).await.unwrap().items;
    assert_eq!(left.iter().map(|follower| &follower.actor).collect::<Vec<_>>(), [&bob.id]);
    unit.commit().await.unwrap();
}

pub(crate) async fn followed_actors_are_listed_newest_first(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles", "ada"]).await;
    let mut all: Vec<Following> =
        actors().iter().map(|(actor, state)| following(&world, "giles", actor, *state)).collect();
    let of_ada = following(&world, "ada", &actors()[0].0, Accepted);
    let mut unit = store.begin().await.unwrap();
    for following in all.iter().rev().chain([&of_ada]) {
        unit.save_following(following).await.unwrap();
    }
    unit.commit().await.unwrap();
    all.reverse();
    let [dan, carol, bob, alice] = [0, 1, 2, 3].map(|n| all[n].clone());

    let giles = username("giles");
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.list_following(&giles, None, first_page()).await.unwrap().items, all);
    let slice = reader.list_following(&giles, None, one_older_than(carol.created_at, carol.id)).await.unwrap();
    assert_eq!((slice.items, slice.has_newer, slice.has_older), (vec![bob.clone()], true, true));
    for (state, expected) in [(Accepted, vec![carol, alice.clone()]), (Rejected, vec![dan.clone()])] {
        assert_eq!(reader.list_following(&giles, Some(state), first_page()).await.unwrap().items, expected);
    }
    assert_eq!(reader.count_following(&giles).await.unwrap(), 2);
    assert_eq!(reader.find_following(&giles, &bob.actor).await.unwrap(), Some(bob.clone()));
    assert_eq!(reader.find_following(&username("ada"), &bob.actor).await.unwrap(), None);
    let both = [(of_ada.user.clone(), of_ada.request), (giles.clone(), alice.request)];
    assert_eq!(reader.local_followers_of(&alice.actor).await.unwrap(), both);
    assert_eq!(reader.local_followers_of(&bob.actor).await.unwrap(), []);
    for (actor, followed) in [(&alice.actor, true), (&bob.actor, false), (&dan.actor, false)] {
        assert_eq!(reader.is_followed(actor).await.unwrap(), followed, "{actor}");
    }
}

pub(crate) async fn requests_are_answered_by_who_was_asked(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles", "ada"]).await;
    let (alice, bob) = (actor("alice", "a.example"), actor("bob", "b.example"));
    let giles = username("giles");
    let asked = following(&world, "giles", &alice, Pending);
    let of_ada = following(&world, "ada", &alice, Pending);
    let mut unit = store.begin().await.unwrap();
    unit.save_following(&asked).await.unwrap();
    unit.save_following(&of_ada).await.unwrap();
    for (who, request, user, state) in [
        (&bob.id, Some(asked.request), None, Accepted),
        (&bob.id, None, Some(&giles), Accepted),
        (&alice.id, Some(world.id()), None, Accepted),
        (&alice.id, Some(of_ada.request), Some(&giles), Accepted),
        (&alice.id, None, Some(&username("nobody")), Accepted),
        (&alice.id, None, None, Accepted),
        (&alice.id, Some(asked.request), None, Pending),
    ] {
        assert!(!unit.answer_following(who, request, user, state).await.unwrap(), "{who} {request:?} {user:?}");
    }
    assert_eq!(unit.find_following(&giles, &alice.id).await.unwrap(), Some(asked.clone()));

    let request = Some(asked.request);
    for (state, changes) in
        [(Accepted, true), (Accepted, false), (Rejected, true), (Rejected, false), (Accepted, false)]
    {
        assert_eq!(unit.answer_following(&alice.id, request, None, state).await.unwrap(), changes, "{state:?}");
    }
    assert_eq!(unit.find_following(&giles, &alice.id).await.unwrap().unwrap().state, Rejected);
    assert_eq!(unit.find_following(&username("ada"), &alice.id).await.unwrap(), Some(of_ada));
    assert!(unit.answer_following(&alice.id, None, Some(&username("ada")), Rejected).await.unwrap());

    let again = following(&world, "giles", &alice, Pending);
    unit.save_following(&again).await.unwrap();
    assert_eq!(unit.list_following(&giles, None, first_page()).await.unwrap().items, std::slice::from_ref(&again));
    assert!(!unit.answer_following(&alice.id, request, None, Accepted).await.unwrap(), "that request is no more");
    assert!(unit.answer_following(&alice.id, Some(again.request), Some(&giles), Accepted).await.unwrap());
    assert!(unit.remove_following(&giles, &alice.id, again.request).await.unwrap());
    assert!(!unit.remove_following(&giles, &alice.id, again.request).await.unwrap());
    unit.commit().await.unwrap();
}
