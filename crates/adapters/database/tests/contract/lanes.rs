use crate::deliveries::concluded;
use crate::follows::follower;
use crate::remote::{actor, iri};
use crate::world::{Db, World, username, with_users};
use artdag_federation::delivery::Breaker;
use artdag_federation::{DeliveryState, FollowState, Iri, Peer, Posting, SignatureScheme, Standing};
use artdag_kernel::{ActivityId, Instant};
use artdag_registry::UnitOfWork;
use chrono::TimeDelta;
use std::collections::HashMap;
use std::time::Duration;

const LEASE: TimeDelta = TimeDelta::seconds(60);

async fn add(unit: &mut dyn UnitOfWork, activity: ActivityId, inbox: &str, now: Instant) {
    unit.add_delivery(activity, &username("giles"), &iri(inbox), now).await.unwrap();
}

async fn claim(unit: &mut dyn UnitOfWork, holder: &str, now: Instant, most: u16) -> Vec<Peer> {
    unit.claim_lanes(holder, now, now + LEASE, [most; 3]).await.unwrap()
}

/// Whether the lane was still held, and is given back.
pub(crate) async fn released(unit: &mut dyn UnitOfWork, holder: &str, peer: &Peer) -> bool {
    let released = unit.release_lanes(holder, &[peer]).await.unwrap();
    assert!(released.is_empty() || released == [peer.host.as_str()], "{released:?}");
    !released.is_empty()
}

fn hosts(peers: &[Peer]) -> Vec<&str> {
    peers.iter().map(|peer| peer.host.as_str()).collect()
}

async fn due(unit: &mut dyn UnitOfWork, host: &str) -> Option<Instant> {
    unit.find_peer(host).await.unwrap().unwrap().due_at
}

/// A unit with mail for a.example, and its lane held by `w`.
async fn held(store: &Db, world: &World) -> (Box<dyn UnitOfWork>, Peer, ActivityId) {
    with_users(store, world, &["giles"]).await;
    let activity = world.id();
    let mut unit = store.begin().await.unwrap();
    add(unit.as_mut(), activity, "https://a.example/1", world.now()).await;
    let peer = claim(unit.as_mut(), "w", world.now(), 1).await.remove(0);
    (unit, peer, activity)
}

/// Each has its own share, however many of the others there are.
pub(crate) async fn are_claimed_by_standing_longest_due_first(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let start = world.now();
    let at = |seconds| start + TimeDelta::seconds(seconds);
    let mut unit = store.begin().await.unwrap();
    let mut expected = HashMap::new();
    for (standing, n) in Standing::ALL.into_iter().flat_map(|standing| (0..4).map(move |n| (standing, n))) {
        let host = format!("{}{n}.example", format!("{standing:?}").to_lowercase());
        // The later the name, the longer it has been due.
        add(unit.as_mut(), world.id(), &format!("https://{host}/"), at(9 - n)).await;
        let peer = unit.claim_lanes("w", at(10), at(20), [0, 1, 0]).await.unwrap().remove(0);
        assert_eq!((peer.host.as_str(), peer.standing()), (host.as_str(), Standing::New));
        let peer = match standing {
            Standing::Proven => Peer { last_success_at: Some(start), ..peer },
            Standing::New => peer,
            // Whether it has ever answered before does not matter.
            Standing::Troubled => {
                Peer { breaker: peer.breaker.failed(start), last_success_at: (n % 2 == 0).then_some(start), ..peer }
            }
        };
        assert_eq!(peer.standing(), standing);
        assert!(released(unit.as_mut(), "w", &peer).await);
        if standing == Standing::New {
            // Claimed for this test alone, that the next one is found.
            assert_eq!(unit.claim_lanes("set aside", at(10), at(30), [0, 1, 0]).await.unwrap().len(), 1);
        }
        expected.insert(host, at(9 - n));
    }
    unit.commit().await.unwrap();

    let mut unit = store.begin().await.unwrap();
    let now = at(40);
    add(unit.as_mut(), world.id(), "https://later.example/", at(41)).await;
    assert!(unit.claim_lanes("w", now, at(50), [0; 3]).await.unwrap().is_empty());
    let claimed = unit.claim_lanes("w", now, at(50), [2, 3, 1]).await.unwrap();
    let names = ["proven3", "proven2", "new3", "new2", "new1", "troubled3"].map(|name| format!("{name}.example"));
    assert_eq!(hosts(&claimed), names);
    assert!(claimed.iter().all(|peer| peer.due_at == Some(expected[&peer.host]) && peer.width == 1));
    let rest = unit.claim_lanes("x", now, at(50), [1, 0, 10]).await.unwrap();
    assert_eq!(hosts(&rest), ["proven1", "troubled2", "troubled1", "troubled0"].map(|name| format!("{name}.example")));
    let rest = unit.claim_lanes("y", now, at(50), [10; 3]).await.unwrap();
    assert_eq!(hosts(&rest), ["proven0.example", "new0.example"]);
    assert!(unit.claim_lanes("z", now, at(50), [10; 3]).await.unwrap().is_empty());
    unit.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let all = reader.list_peers(100).await.unwrap();
    assert_eq!(all.len(), 13);
    assert_eq!(
        hosts(&all[..4]),
        ["troubled0", "troubled1", "troubled2", "troubled3"].map(|name| format!("{name}.example"))
    );
    assert_eq!(reader.list_peers(1).await.unwrap(), all[..1]);
    assert_eq!(reader.find_peer("nobody.example").await.unwrap(), None);
}

/// As after the kill of a worker.
pub(crate) async fn go_to_another_when_the_lease_ends(store: Db) {
    let world = World::new();
    let (mut unit, peer, _) = held(&store, &world).await;
    let names = ["a.example", "b.example"].map(str::to_owned);
    world.wait(59);
    assert!(claim(unit.as_mut(), "x", world.now(), 1).await.is_empty());
    let until = world.now() + LEASE;
    assert_eq!(unit.renew_lanes("w", &names, until).await.unwrap(), names[..1]);
    assert_eq!(unit.renew_lanes("x", &names, until).await.unwrap(), [""; 0]);
    assert_eq!(unit.renew_lanes("w", &[], until).await.unwrap(), [""; 0]);
    world.wait(59);
    assert!(claim(unit.as_mut(), "x", world.now(), 1).await.is_empty(), "it was renewed");
    world.wait(1);
    assert_eq!(claim(unit.as_mut(), "x", world.now(), 1).await, std::slice::from_ref(&peer));

    assert_eq!(unit.renew_lanes("w", &names, world.now() + LEASE).await.unwrap(), [""; 0]);
    let failed = Peer { breaker: peer.breaker.failed(world.now()), ..peer.clone() };
    assert!(!released(unit.as_mut(), "w", &failed).await);
    assert_eq!(unit.find_peer("a.example").await.unwrap(), Some(peer.clone()), "nothing was written");
    assert!(released(unit.as_mut(), "x", &peer).await);
    assert!(!released(unit.as_mut(), "x", &peer).await);
    unit.commit().await.unwrap();
}

pub(crate) async fn keep_what_is_known_of_the_server(store: Db) {
    let world = World::new();
    let (mut unit, peer, activity) = held(&store, &world).await;
    let now = world.now();
    let known = Peer {
        breaker: Breaker { failures: 3, since: Some(now), open_until: Some(now + TimeDelta::microseconds(7)) },
        scheme: Some((SignatureScheme::Cavage, now - TimeDelta::days(1))),
        width: 8,
        last_success_at: Some(now - TimeDelta::hours(1)),
        last_error: Some("ü".to_owned()),
        ..peer.clone()
    };
    let done = concluded(activity, &iri("https://a.example/1"), DeliveryState::Delivered, now);
    unit.conclude_deliveries(&[done]).await.unwrap();
    assert!(released(unit.as_mut(), "w", &known).await);
    let expected = Peer { due_at: None, ..known };
    assert_eq!(unit.find_peer("a.example").await.unwrap(), Some(expected));

    add(unit.as_mut(), world.id(), "https://a.example/1", now).await;
    assert_eq!(claim(unit.as_mut(), "w", now + LEASE, 1).await.len(), 1);
    let forgotten = Peer { width: 1, ..peer };
    assert!(released(unit.as_mut(), "w", &forgotten).await);
    assert_eq!(unit.find_peer("a.example").await.unwrap(), Some(forgotten));
    unit.commit().await.unwrap();
}

/// Of each inbox only the first that waits counts.
pub(crate) async fn are_due_when_the_first_of_an_inbox_is(store: Db) {
    let world = World::new();
    let (mut unit, peer, first) = held(&store, &world).await;
    let now = world.now();
    let [one, other] = ["https://a.example/1", "https://a.example/2"].map(iri);
    let minutes = |n| now + TimeDelta::minutes(n);
    world.wait(1);
    let second: ActivityId = world.id();
    for inbox in [&one, &other] {
        add(unit.as_mut(), second, inbox.as_str(), now).await;
    }
    let mut round = async |concluded: &[(ActivityId, &Iri, DeliveryState, Instant)], breaker: Breaker| {
        let concluded: Vec<_> = concluded
            .iter()
            .map(|(id, inbox, state, at)| crate::deliveries::concluded(*id, inbox, *state, *at))
            .collect();
        unit.conclude_deliveries(&concluded).await.unwrap();
        assert!(released(unit.as_mut(), "w", &Peer { breaker, ..peer.clone() }).await);
        let due_at = due(unit.as_mut(), "a.example").await;
        assert_eq!(claim(unit.as_mut(), "w", minutes(60), 1).await.len(), usize::from(due_at.is_some()));
        due_at
    };
    use DeliveryState::{Delivered, Failed, Waiting};
    let sound = Breaker::default();
    let shut = Breaker { failures: 5, since: Some(now), open_until: Some(minutes(20)) };
    assert_eq!(round(&[], sound).await, Some(now));
    assert_eq!(round(&[], shut).await, Some(minutes(20)), "the breaker does not allow it before");
    let waits = [(first, &one, Waiting, minutes(5)), (second, &other, Waiting, minutes(7))];
    assert_eq!(round(&waits, sound).await, Some(minutes(5)), "the second stands behind the first");
    assert_eq!(round(&[(first, &one, Waiting, minutes(30))], sound).await, Some(minutes(7)));
    assert_eq!(round(&[(second, &other, Waiting, minutes(40))], shut).await, Some(minutes(30)));
    assert_eq!(round(&[(second, &other, Failed, now)], sound).await, Some(minutes(30)));
    assert_eq!(round(&[(first, &one, Delivered, now)], sound).await, Some(now), "its turn has come");
    assert_eq!(round(&[(second, &one, Delivered, now)], shut).await, None);
    unit.commit().await.unwrap();
}

pub(crate) async fn are_not_woken_while_the_breaker_is_open(store: Db) {
    let world = World::new();
    let (mut unit, peer, activity) = held(&store, &world).await;
    let now = world.now();
    let open_until = now + TimeDelta::minutes(30);
    let breaker = Breaker { failures: 5, since: Some(now), open_until: Some(open_until) };
    let done = concluded(activity, &iri("https://a.example/1"), DeliveryState::Failed, now);
    unit.conclude_deliveries(&[done]).await.unwrap();
    assert!(released(unit.as_mut(), "w", &Peer { breaker, ..peer }).await);
    assert_eq!(due(unit.as_mut(), "a.example").await, None);

    add(unit.as_mut(), world.id(), "https://a.example/1", now).await;
    assert_eq!(due(unit.as_mut(), "a.example").await, Some(open_until));
    let alice = follower(&world, "giles", &actor("alice", "a.example"), FollowState::Accepted);
    unit.save_follower(&alice).await.unwrap();
    unit.add_deliveries_to_followers(&[world.id()], &alice.user, None, 100, now).await.unwrap();
    assert_eq!(due(unit.as_mut(), "a.example").await, Some(open_until));
    assert!(claim(unit.as_mut(), "w", open_until - TimeDelta::microseconds(1), 1).await.is_empty());

    // Mail from there lets a probe go at once, and says nothing of the outages.
    let names = ["a.example", "b.example"].map(str::to_owned);
    let heard_at = now + TimeDelta::minutes(1);
    unit.heard_from(&[], heard_at).await.unwrap();
    unit.heard_from(&names, heard_at).await.unwrap();
    let half_open = unit.find_peer("a.example").await.unwrap().unwrap();
    assert_eq!((half_open.breaker, half_open.due_at), (breaker.heard(heard_at), Some(heard_at)));
    unit.heard_from(&names, heard_at + TimeDelta::minutes(1)).await.unwrap();
    assert_eq!(unit.find_peer("a.example").await.unwrap(), Some(half_open), "the probe may go already");
    assert_eq!(unit.find_peer("b.example").await.unwrap(), None);
    assert_eq!(claim(unit.as_mut(), "w", heard_at, 1).await.len(), 1);
    unit.commit().await.unwrap();
}

pub(crate) async fn with_mail_are_listed_by_host(store: Db) {
    let world = World::new();
    let (mut unit, peer, activity) = held(&store, &world).await;
    let later = world.now() + TimeDelta::days(1);
    for host in ["c.example:8443", "b.example", "c.example", "d.example"] {
        add(unit.as_mut(), activity, &format!("https://{host}/1"), later).await;
    }
    let mut hosts = async |after: &str, most: u16| unit.hosts_with_mail(after, most).await.unwrap();
    assert_eq!(hosts("", 10).await, ["a.example", "b.example", "c.example", "c.example:8443", "d.example"]);
    assert_eq!(hosts("b.example", 2).await, ["c.example", "c.example:8443"]);
    assert_eq!(hosts("d.example", 2).await, [""; 0]);
    let done = concluded(activity, &iri("https://a.example/1"), DeliveryState::Delivered, later);
    unit.conclude_deliveries(&[done]).await.unwrap();
    assert!(released(unit.as_mut(), "w", &peer).await);
    assert_eq!(unit.hosts_with_mail("", 1).await.unwrap(), ["b.example"], "nothing waits for the first any more");
    unit.commit().await.unwrap();
}

/// Mail that is handed over while its lane is given back: whichever of the two commits first.
pub(crate) async fn given_back_while_mail_comes_are_due(store: Db) {
    let world = World::new();
    let (unit, mut peer, activity) = held(&store, &world).await;
    let now = world.now();
    let inbox = iri("https://a.example/1");
    let mut waiting = activity;
    unit.commit().await.unwrap();
    for round in 0..20 {
        let next: ActivityId = world.id();
        world.wait(1);
        let give_back = async {
            let mut unit = store.begin().await.unwrap();
            let done = concluded(waiting, &inbox, DeliveryState::Delivered, now);
            unit.conclude_deliveries(&[done]).await.unwrap();
            assert!(released(unit.as_mut(), "w", &peer).await);
            tokio::time::sleep(Duration::from_millis(5)).await;
            unit.commit().await.unwrap();
        };
        let hand_over = async {
            let mut unit = store.begin().await.unwrap();
            add(unit.as_mut(), next, inbox.as_str(), now).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
            unit.commit().await.unwrap();
        };
        let pause = Duration::from_millis(2);
        if round % 2 == 0 {
            tokio::join!(give_back, async {
                tokio::time::sleep(pause).await;
                hand_over.await;
            });
        } else {
            tokio::join!(hand_over, async {
                tokio::time::sleep(pause).await;
                give_back.await;
            });
        }
        let mut unit = store.begin().await.unwrap();
        assert_eq!(due(unit.as_mut(), "a.example").await, Some(now), "round {round}");
        peer = claim(unit.as_mut(), "w", now, 1).await.remove(0);
        unit.commit().await.unwrap();
        waiting = next;
    }
}

/// Whoever locks several lanes does it in the order of the hosts, whatever the order of the mail, and whichever of the
/// lanes are woken because mail came from there.
pub(crate) async fn woken_in_any_order_never_wait_for_each_other(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let (now, pause) = (world.now(), Duration::from_millis(20));
    let [a, b] = ["a.example", "b.example"];
    let mut unit = store.begin().await.unwrap();
    for host in [a, b] {
        add(unit.as_mut(), world.id(), &format!("https://{host}/1"), now).await;
        let who = actor("alice", host);
        unit.save_follower(&follower(&world, "giles", &who, FollowState::Accepted)).await.unwrap();
    }
    let peers = claim(unit.as_mut(), "w", now, 2).await;
    let breaker = Breaker { failures: 5, since: Some(now), open_until: Some(now + TimeDelta::days(1)) };
    for peer in peers {
        assert!(released(unit.as_mut(), "w", &Peer { breaker, ..peer }).await);
    }
    unit.commit().await.unwrap();
    // The first of two publications is handed over already, but for the server that comes later.
    let publications: [ActivityId; 2] = [world.id(), world.id()];
    let inbox = actor("alice", a).shared_inbox.unwrap();
    let mut unit = store.begin().await.unwrap();
    add(unit.as_mut(), publications[0], inbox.as_str(), now).await;
    let done = concluded(publications[0], &inbox, DeliveryState::Delivered, now);
    unit.conclude_deliveries(&[done]).await.unwrap();
    unit.commit().await.unwrap();

    for round in 0..4 {
        let own: [ActivityId; 4] = std::array::from_fn(|_| world.id());
        let in_order = async {
            let mut unit = store.begin().await.unwrap();
            add(unit.as_mut(), own[0], "https://a.example/1", now).await;
            tokio::time::sleep(pause).await;
            add(unit.as_mut(), own[1], "https://b.example/1", now).await;
            unit.commit().await.unwrap();
        };
        let posting =
            |message, host| Posting { message, sender: username("giles"), inbox: iri(&format!("https://{host}/2")) };
        let otherwise = async {
            tokio::time::sleep(pause / 4).await;
            let mut unit = store.begin().await.unwrap();
            match round {
                0 => unit.add_deliveries(&[posting(own[2], b), posting(own[3], a)], &[], now).await.unwrap(),
                1 => unit.add_deliveries(&[posting(own[2], b)], &[a.to_owned()], now).await.unwrap(),
                2 => unit.add_deliveries(&[], &[b.to_owned(), a.to_owned()], now).await.unwrap(),
                _ => {
                    let added =
                        unit.add_deliveries_to_followers(&publications, &username("giles"), None, 100, now).await;
                    assert_eq!(added.unwrap(), (3, None));
                }
            }
            unit.commit().await.unwrap();
        };
        tokio::join!(in_order, otherwise);
    }
}

const ADDERS: usize = 6;
const EACH: usize = 15;

/// Hands mail over: to one inbox, to all followers, and in vain.
async fn hand_over(store: Db, activities: Vec<ActivityId>, now: Instant, adder: usize) {
    for (n, activity) in activities.into_iter().enumerate() {
        let mut unit = store.begin().await.unwrap();
        if n % 3 == 0 {
            unit.add_deliveries_to_followers(&[activity], &username("giles"), None, 100, now).await.unwrap();
        } else {
            add(unit.as_mut(), activity, &format!("https://h{}.example/{adder}", (n + adder) % 4), now).await;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        if n % 5 == 4 {
            unit.rollback().await.unwrap();
        } else {
            unit.commit().await.unwrap();
        }
    }
}

/// One round of a worker: claims, delivers some, gives back. Says how many it delivered; nothing when no lane is due.
async fn work(store: &Db, holder: &str, now: Instant) -> Option<u64> {
    let mut unit = store.begin().await.unwrap();
    let lanes = claim(unit.as_mut(), holder, now, 2).await;
    unit.commit().await.unwrap();
    if lanes.is_empty() {
        return None;
    }
    let names: Vec<String> = lanes.iter().map(|peer| peer.host.clone()).collect();
    let mail = store.read().await.unwrap().due_deliveries(&names, now, 3).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    for peer in lanes {
        let done: Vec<_> = mail
            .iter()
            .filter(|mail| mail.inbox.host() == peer.host)
            .map(|mail| concluded(mail.activity, &mail.inbox, DeliveryState::Delivered, now))
            .collect();
        let mut unit = store.begin().await.unwrap();
        unit.conclude_deliveries(&done).await.unwrap();
        assert!(released(unit.as_mut(), holder, &peer).await);
        unit.commit().await.unwrap();
    }
    Some(mail.len() as u64)
}

/// Two never hold one lane, nothing is delivered twice, and nothing is left in a lane that is not due.
pub(crate) async fn never_leave_mail_behind_in_a_race(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let now = world.now();
    let mut unit = store.begin().await.unwrap();
    for n in 0..4 {
        let alice = actor("alice", &format!("h{n}.example"));
        unit.save_follower(&follower(&world, "giles", &alice, FollowState::Accepted)).await.unwrap();
    }
    unit.commit().await.unwrap();
    let adders: Vec<_> = (0..ADDERS)
        .map(|adder| {
            let activities = (0..EACH).map(|_| world.id()).collect();
            tokio::spawn(hand_over(store.clone(), activities, now, adder))
        })
        .collect();
    let workers: Vec<_> = ["v", "w", "x"]
        .into_iter()
        .map(|holder| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut delivered = 0;
                for _ in 0..60 {
                    delivered += work(&store, holder, now).await.unwrap_or_default();
                }
                delivered
            })
        })
        .collect();
    for adder in adders {
        adder.await.unwrap();
    }
    let mut delivered = 0;
    for worker in workers {
        delivered += worker.await.unwrap();
    }
    while let Some(more) = work(&store, "last", now).await {
        delivered += more;
    }
    // Of 15 activities 12 are committed; of these 0, 3, 6 and 12 go to four followers.
    let all = (ADDERS * (4 * 4 + 8)) as u64;
    assert_eq!(store.read().await.unwrap().count_deliveries().await.unwrap(), [0, all, 0]);
    assert_eq!(delivered, all, "none twice");
}
