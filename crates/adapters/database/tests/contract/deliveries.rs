use crate::follows::follower;
use crate::lanes::released;
use crate::remote::{actor, iri};
use crate::world::{Db, World, username, with_users};
use artdag_federation::{Concluded, Delivery, DeliveryState, FollowState, Iri, Message, RemoteActor, SignedDocument};
use artdag_kernel::{ActivityId, Instant, StoreError, Username};
use artdag_registry::UnitOfWork;
use chrono::TimeDelta;

use DeliveryState::{Delivered, Failed, Waiting};

/// A message, a second younger than the one before.
pub(crate) fn message(world: &World, sender: &str) -> Message {
    world.wait(1);
    let document = SignedDocument::from_stored("{\"ü\":\"\\u0000\"}".to_owned());
    Message { id: world.id(), sender: username(sender), created_at: world.now(), document }
}

/// A delivery of giles' as it is when it was just added.
fn delivery(activity: ActivityId, inbox: &Iri, now: Instant) -> Delivery {
    Delivery {
        activity,
        sender: username("giles"),
        inbox: inbox.clone(),
        state: Waiting,
        attempts: 0,
        next_at: now,
        created_at: now,
        last_status: None,
        last_error: None,
    }
}

/// How an attempt came out.
pub(crate) fn concluded(activity: ActivityId, inbox: &Iri, state: DeliveryState, next_at: Instant) -> Concluded {
    let status = Some(if state == Delivered { 202 } else { 503 });
    let error = (state != Delivered).then(|| "the server answered 503".to_owned());
    Concluded { activity, inbox: inbox.clone(), state, next_at, status, error, attempted: true }
}

async fn add(unit: &mut dyn UnitOfWork, activity: ActivityId, inbox: &Iri, now: Instant) {
    unit.add_delivery(activity, &username("giles"), inbox, now).await.unwrap();
}

async fn list(unit: &mut dyn UnitOfWork) -> Vec<Delivery> {
    unit.list_deliveries(None, None, 100).await.unwrap()
}

pub(crate) async fn messages_are_found_as_they_were_added(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let message = message(&world, "giles");
    let mut unit = store.begin().await.unwrap();
    unit.add_message(&message).await.unwrap();
    assert!(matches!(unit.add_message(&message).await, Err(StoreError::Conflict("message"))));
    unit.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.find_message(message.id).await.unwrap(), Some(message));
    assert_eq!(reader.find_message(world.id()).await.unwrap(), None);
}

pub(crate) async fn are_listed_newest_first(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let inboxes = ["https://a.example/1", "https://b.example:8443/1", "https://a.example/2"].map(iri);
    let mut unit = store.begin().await.unwrap();
    let mut all = Vec::new();
    for inbox in &inboxes {
        world.wait(1);
        let now = world.now() + TimeDelta::nanoseconds(1_999);
        let activity = world.id();
        add(unit.as_mut(), activity, inbox, now).await;
        all.push(delivery(activity, inbox, world.now() + TimeDelta::microseconds(1)));
    }
    // Handing over again changes nothing, now and when it is over.
    add(unit.as_mut(), all[0].activity, &inboxes[0], world.now()).await;
    let done = concluded(all[0].activity, &inboxes[0], Delivered, world.now());
    unit.conclude_deliveries(&[done]).await.unwrap();
    add(unit.as_mut(), all[0].activity, &inboxes[0], world.now()).await;
    unit.commit().await.unwrap();
    all[0] = Delivery { state: Delivered, attempts: 1, next_at: world.now(), last_status: Some(202), ..all[0].clone() };
    all.reverse();

    let mut reader = store.read().await.unwrap();
    let [third, second, first] = [0, 1, 2].map(|n| all[n].clone());
    for (state, host, most, expected) in [
        (None, None, 10, all.clone()),
        (None, None, 2, all[..2].to_vec()),
        (Some(Waiting), None, 10, all[..2].to_vec()),
        (Some(Delivered), None, 10, vec![first.clone()]),
        (Some(Failed), None, 10, vec![]),
        (None, Some("a.example"), 10, vec![third.clone(), first]),
        (None, Some("b.example:8443"), 10, vec![second]),
        (Some(Waiting), Some("a.example"), 10, vec![third]),
        (None, Some("b.example"), 10, vec![]),
    ] {
        assert_eq!(reader.list_deliveries(state, host, most).await.unwrap(), expected, "{state:?} {host:?} {most}");
    }
    assert_eq!(reader.count_deliveries().await.unwrap(), [2, 1, 0]);
}

/// However much others send.
pub(crate) async fn that_fail_are_listed_for_their_sender(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles", "ada"]).await;
    let inbox = iri("https://a.example/1");
    let mut unit = store.begin().await.unwrap();
    let mut of_giles = Vec::new();
    for state in [Failed, Waiting, Waiting, Delivered] {
        let activity = world.id();
        add(unit.as_mut(), activity, &inbox, world.now()).await;
        unit.conclude_deliveries(&[concluded(activity, &inbox, state, world.now())]).await.unwrap();
        of_giles.push(activity);
        world.wait(1);
    }
    let untried = world.id();
    add(unit.as_mut(), untried, &inbox, world.now()).await;
    for _ in 0..300 {
        let activity = world.id();
        unit.add_delivery(activity, &username("ada"), &inbox, world.now()).await.unwrap();
        unit.conclude_deliveries(&[concluded(activity, &inbox, Failed, world.now())]).await.unwrap();
    }
    unit.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let mut failing = async |sender: &str, state: DeliveryState, most: u16| {
        let all = reader.list_failing(&username(sender), state, most).await.unwrap();
        assert!(all.iter().all(|d| (d.state, d.sender.as_str()) == (state, sender) && d.last_error.is_some()));
        all.into_iter().map(|delivery| delivery.activity).collect::<Vec<_>>()
    };
    assert_eq!(failing("giles", Waiting, 10).await, [of_giles[2], of_giles[1]]);
    assert_eq!(failing("giles", Waiting, 1).await, [of_giles[2]]);
    assert_eq!(failing("giles", Failed, 10).await, [of_giles[0]]);
    assert_eq!(failing("giles", Delivered, 10).await, []);
    assert_eq!(failing("ada", Failed, 1000).await.len(), 300);
}

/// Of two servers: three with one shared inbox, one without, one at another server, and three who do not get it.
pub(crate) async fn go_to_each_inbox_of_the_followers_once(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles", "ada"]).await;
    let alone = |name: &str| RemoteActor { shared_inbox: None, ..actor(name, "a.example") };
    let mut unit = store.begin().await.unwrap();
    for (user, who, state) in [
        ("giles", actor("alice", "a.example"), FollowState::Accepted),
        ("giles", actor("bob", "a.example"), FollowState::Accepted),
        ("giles", actor("carol", "a.example"), FollowState::Accepted),
        ("giles", alone("dan"), FollowState::Accepted),
        ("giles", actor("eve", "b.example:8443"), FollowState::Accepted),
        ("giles", alone("frank"), FollowState::Pending),
        ("giles", actor("gina", "c.example"), FollowState::Rejected),
        ("ada", actor("hal", "d.example"), FollowState::Accepted),
    ] {
        unit.save_follower(&follower(&world, user, &who, state)).await.unwrap();
    }
    let (giles, now, activity) = (username("giles"), world.now(), world.id());
    assert_eq!(hand_over(unit.as_mut(), &[activity], &giles, 100, now).await, [3]);
    assert_eq!(hand_over(unit.as_mut(), &[activity], &giles, 100, now).await, [0]);
    let mut all = list(unit.as_mut()).await;
    all.sort_unstable_by_key(|delivery| delivery.inbox.clone());
    let inboxes =
        ["https://a.example/inbox", "https://a.example/users/dan/inbox", "https://b.example:8443/inbox"].map(iri);
    assert_eq!(all, inboxes.each_ref().map(|inbox| delivery(activity, inbox, now)));

    for host in ["a.example", "b.example:8443"] {
        assert_eq!(unit.find_peer(host).await.unwrap().unwrap().due_at, Some(now), "{host}");
    }
    for host in ["b.example", "c.example", "d.example"] {
        assert_eq!(unit.find_peer(host).await.unwrap(), None, "{host}");
    }
    let next: ActivityId = world.id();
    // Alice and bob have one inbox, carol has the same, dan has his own; eve is on another server.
    assert_eq!(hand_over(unit.as_mut(), &[next], &giles, 2, now).await, [1, 1, 1]);
    let both: [ActivityId; 2] = [world.id(), world.id()];
    assert_eq!(hand_over(unit.as_mut(), &both, &giles, 5, now).await, [6, 0]);
    assert_eq!(hand_over(unit.as_mut(), &[next], &username("nobody"), 2, now).await, [0]);
    unit.commit().await.unwrap();
}

/// Hands over for all followers, so many at a time: how many deliveries were added each time.
pub(crate) async fn hand_over(
    unit: &mut (dyn UnitOfWork + '_),
    activities: &[ActivityId],
    sender: &Username,
    most: u16,
    now: Instant,
) -> Vec<u64> {
    let (mut added, mut after) = (Vec::new(), None);
    loop {
        let (more, last) =
            unit.add_deliveries_to_followers(activities, sender, after.as_ref(), most, now).await.unwrap();
        added.push(more);
        if last.is_none() {
            return added;
        }
        after = last;
    }
}

pub(crate) async fn go_where_the_follower_is_now(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let alice = actor("alice", "a.example");
    let mut unit = store.begin().await.unwrap();
    let follower = follower(&world, "giles", &alice, FollowState::Accepted);
    unit.save_follower(&follower).await.unwrap();
    let inbox = iri("https://mail.a.example:444/alice");
    let moved = RemoteActor { inbox: inbox.clone(), shared_inbox: None, ..alice };
    unit.save_remote_actor(&moved, world.now()).await.unwrap();
    let found = unit.find_follower(&follower.user, &moved.id).await.unwrap().unwrap();
    assert_eq!((found.inbox, found.shared_inbox), (inbox.clone(), None));
    let activity = world.id();
    assert_eq!(hand_over(unit.as_mut(), &[activity], &follower.user, 100, world.now()).await, [1]);
    assert_eq!(list(unit.as_mut()).await, [delivery(activity, &inbox, world.now())]);
    assert!(unit.find_peer("mail.a.example:444").await.unwrap().is_some());
    assert_eq!(unit.find_peer("a.example").await.unwrap(), None);
    unit.commit().await.unwrap();
}

pub(crate) async fn are_concluded_once(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let inboxes: Vec<Iri> = (0..4).map(|n| iri(&format!("https://a.example/{n}"))).collect();
    let (activity, start) = (world.id(), world.now());
    let mut unit = store.begin().await.unwrap();
    for inbox in &inboxes {
        add(unit.as_mut(), activity, inbox, start).await;
    }
    world.wait(1);
    let later = world.now() + TimeDelta::microseconds(60_000_123);
    let untried =
        Concluded { attempted: false, status: None, error: None, ..concluded(activity, &inboxes[3], Waiting, later) };
    unit.conclude_deliveries(&[]).await.unwrap();
    let round = [
        concluded(activity, &inboxes[2], Failed, world.now()),
        concluded(activity, &inboxes[0], Delivered, world.now()),
        concluded(activity, &inboxes[1], Waiting, later),
        untried,
        concluded(world.id(), &inboxes[0], Delivered, world.now()),
    ];
    unit.conclude_deliveries(&round).await.unwrap();
    let error = Some("the server answered 503".to_owned());
    let new = |n: usize| delivery(activity, &inboxes[n], start);
    let mut expected = [
        Delivery { state: Delivered, attempts: 1, next_at: world.now(), last_status: Some(202), ..new(0) },
        Delivery { attempts: 1, next_at: later, last_status: Some(503), last_error: error.clone(), ..new(1) },
        Delivery {
            state: Failed,
            attempts: 1,
            next_at: world.now(),
            last_status: Some(503),
            last_error: error,
            ..new(2)
        },
        Delivery { next_at: later, ..new(3) },
    ];
    let mut all = list(unit.as_mut()).await;
    all.sort_unstable_by_key(|delivery| delivery.inbox.clone());
    assert_eq!(all, expected);

    let again: Vec<Concluded> = inboxes.iter().map(|inbox| concluded(activity, inbox, Delivered, later)).collect();
    unit.conclude_deliveries(&again).await.unwrap();
    for n in [1, 3] {
        let attempts = expected[n].attempts + 1;
        expected[n] = Delivery { state: Delivered, attempts, next_at: later, last_status: Some(202), ..new(n) };
    }
    let mut all = list(unit.as_mut()).await;
    all.sort_unstable_by_key(|delivery| delivery.inbox.clone());
    assert_eq!(all, expected, "what is over stays as it is");
    unit.commit().await.unwrap();
}

pub(crate) async fn are_due_in_the_order_of_each_inbox(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let [one, other, far] = ["https://a.example/1", "https://a.example/2", "https://b.example/"].map(iri);
    let activities: Vec<ActivityId> = (0..5)
        .map(|_| {
            world.wait(1);
            world.id()
        })
        .collect();
    let now = world.now();
    let mut unit = store.begin().await.unwrap();
    for activity in activities.iter().rev() {
        for inbox in [&one, &other, &far] {
            add(unit.as_mut(), *activity, inbox, now).await;
        }
    }
    add(unit.as_mut(), world.id(), &iri("https://c.example/"), now).await;
    // At `one` the first is over and the third failed for now: what stands behind it waits with it.
    let round = [
        concluded(activities[0], &one, Delivered, now),
        concluded(activities[2], &one, Waiting, now + TimeDelta::minutes(1)),
    ];
    unit.conclude_deliveries(&round).await.unwrap();
    unit.commit().await.unwrap();

    let mut reader = store.read().await.unwrap();
    let mut due = async |hosts: &[&str], at: Instant, per_host: u16| {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let due = reader.due_deliveries(&hosts, at, per_host).await.unwrap();
        let mut due: Vec<_> = due
            .iter()
            .map(|due| {
                assert_eq!((due.state, due.sender.as_str()), (Waiting, "giles"));
                (due.inbox.clone(), activities.iter().position(|id| *id == due.activity).unwrap())
            })
            .collect();
        due.sort_by_key(|(inbox, _)| inbox.host().to_owned());
        due
    };
    let of = |inbox: &Iri, n: usize| (inbox.clone(), n);
    let a = [of(&other, 0), of(&one, 1), of(&other, 1), of(&other, 2), of(&other, 3), of(&other, 4)];
    let b = [0, 1, 2, 3, 4].map(|n| of(&far, n));
    assert_eq!(due(&["a.example"], now, 100).await, a);
    assert_eq!(due(&["a.example"], now, 2).await, a[..2]);
    assert_eq!(due(&["b.example", "nobody.example", "a.example"], now, 3).await, [&a[..3], &b[..3]].concat());
    assert_eq!(due(&["a.example", "b.example"], now - TimeDelta::microseconds(1), 3).await, []);
    assert_eq!(due(&[], now, 3).await, []);
    let later = due(&["a.example"], now + TimeDelta::minutes(1), 100).await;
    assert_eq!(later.len(), 9);
    assert_eq!(later[1..5], [of(&one, 1), of(&other, 1), of(&one, 2), of(&other, 2)]);
    let many: Vec<String> = (0..600).map(|n| format!("{n}.example")).chain(["b.example".to_owned()]).collect();
    assert_eq!(store.read().await.unwrap().due_deliveries(&many, now, 100).await.unwrap().len(), 5);
}

pub(crate) async fn are_hurried_and_dropped(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let (now, later) = (world.now(), world.now() + TimeDelta::hours(5));
    let inboxes = ["https://a.example/1", "https://a.example/2", "https://b.example/"].map(iri);
    let activity = world.id();
    let mut unit = store.begin().await.unwrap();
    for inbox in &inboxes {
        add(unit.as_mut(), activity, inbox, now).await;
    }
    let mut round: Vec<Concluded> = inboxes.iter().map(|inbox| concluded(activity, inbox, Waiting, later)).collect();
    round[0].state = Failed;
    unit.conclude_deliveries(&round).await.unwrap();
    for peer in unit.claim_lanes("w", now, later, [10; 3]).await.unwrap() {
        let breaker = (0..5).fold(peer.breaker, |breaker, _| breaker.failed(now));
        let shut = artdag_federation::Peer { breaker, last_error: Some("?".to_owned()), ..peer };
        assert!(released(unit.as_mut(), "w", &shut).await);
    }
    let peers = unit.list_peers(10).await.unwrap();
    assert!(peers.iter().all(|peer| peer.due_at == Some(later) && peer.breaker.open_until.is_some()));

    world.wait(60);
    let now = world.now();
    assert_eq!(unit.hurry_deliveries(Some("b.example"), now).await.unwrap(), 1);
    let b = unit.find_peer("b.example").await.unwrap().unwrap();
    assert_eq!((b.due_at, b.breaker, b.last_error.as_deref()), (Some(now), Default::default(), Some("?")));
    assert_eq!(unit.find_peer("a.example").await.unwrap().unwrap(), peers[0], "nobody asked for that");
    assert_eq!(unit.hurry_deliveries(None, now).await.unwrap(), 2);
    assert_eq!(unit.hurry_deliveries(Some("c.example"), now).await.unwrap(), 0);
    let a = unit.find_peer("a.example").await.unwrap().unwrap();
    assert_eq!((a.due_at, a.breaker), (Some(now), Default::default()));
    let due = unit.due_deliveries(&["a.example".to_owned(), "b.example".to_owned()], now, 10).await.unwrap();
    assert_eq!(due.iter().map(|due| &due.inbox).collect::<Vec<_>>(), [&inboxes[1], &inboxes[2]]);

    assert_eq!(unit.drop_deliveries("a.example", "it is blocked", now).await.unwrap(), 1);
    assert_eq!(unit.drop_deliveries("a.example", "it is blocked", now).await.unwrap(), 0);
    assert_eq!(unit.count_deliveries().await.unwrap(), [1, 0, 2]);
    let dropped = unit.list_deliveries(Some(Failed), None, 10).await.unwrap();
    let dropped = dropped.iter().find(|delivery| delivery.inbox == inboxes[1]).unwrap();
    assert_eq!((dropped.next_at, dropped.last_error.as_deref()), (now, Some("it is blocked")));
    assert_eq!(unit.find_peer("a.example").await.unwrap().unwrap().due_at, None);
    assert_eq!(unit.find_peer("b.example").await.unwrap().unwrap().due_at, Some(now));
    unit.commit().await.unwrap();
}
