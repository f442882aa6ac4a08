use crate::follows::follower;
use crate::heard::heard;
use crate::world::{Db, World, first_page, username, with_users};
use artdag_federation::{
    DomainAction, DomainRule, FollowState, Iri, KeyMaterial, KnownActor, Notice, Reaction, ReactionCounts, Receipt,
    RemoteActor, RemoteKey,
};
use artdag_kernel::{Instant, PageLimit};
use artdag_kernel::{Page, Position};
use artdag_registry::UnitOfWork;
use chrono::TimeDelta;
use std::collections::HashSet;
use std::time::Duration;

pub(crate) fn iri(text: &str) -> Iri {
    text.parse().unwrap()
}

/// An actor of that host, with a key of each form.
pub(crate) fn actor(name: &str, host: &str) -> RemoteActor {
    let id = format!("https://{host}/users/{name}");
    RemoteActor {
        id: iri(&id),
        kind: "Person".to_owned(),
        username: Some(name.to_owned()),
        name: Some("Ü <b>".to_owned()),
        inbox: iri(&format!("{id}/inbox")),
        shared_inbox: Some(iri(&format!("https://{host}/inbox"))),
        followers: Some(iri(&format!("{id}/followers"))),
        keys: vec![
            RemoteKey { id: iri(&format!("{id}#main-key")), material: KeyMaterial::Pem("PEM\n".to_owned()) },
            RemoteKey { id: iri(&format!("{id}#ed25519")), material: KeyMaterial::Multibase("z6Mk".to_owned()) },
        ],
    }
}

async fn save(store: &Db, actor: &RemoteActor, now: Instant) {
    let mut unit = store.begin().await.unwrap();
    unit.save_remote_actor(actor, now).await.unwrap();
    unit.commit().await.unwrap();
}

pub(crate) async fn actors_are_found_as_they_were_saved(store: Db) {
    let world = World::new();
    let now = world.now() + TimeDelta::nanoseconds(123_456_789);
    let alice = actor("alice", "a.example");
    assert_eq!(store.read().await.unwrap().find_remote_actor(&alice.id).await.unwrap(), None);
    save(&store, &alice, now).await;
    let bare =
        RemoteActor { username: None, name: None, shared_inbox: None, followers: None, keys: vec![], ..alice.clone() };
    let bare = RemoteActor { id: iri("https://a.example/bare"), ..bare };
    save(&store, &bare, now).await;

    let mut reader = store.read().await.unwrap();
    let fetched_at = world.now() + TimeDelta::microseconds(123_456);
    let known = |actor: &RemoteActor| Some(KnownActor { actor: actor.clone(), fetched_at });
    assert_eq!(reader.find_remote_actor(&alice.id).await.unwrap(), known(&alice));
    assert_eq!(reader.find_remote_actor(&bare.id).await.unwrap(), known(&bare));
    for key in &alice.keys {
        let found = reader.find_remote_key(&key.id).await.unwrap().unwrap();
        assert_eq!((&found.key, &found.owner, found.fetched_at), (key, &alice.id, fetched_at));
    }
    assert_eq!(reader.find_remote_key(&alice.id).await.unwrap(), None);
}

pub(crate) async fn actors_are_replaced_with_their_keys(store: Db) {
    let world = World::new();
    let alice = actor("alice", "a.example");
    save(&store, &alice, world.now()).await;
    world.wait(60);
    let mut changed = RemoteActor { kind: "Service".to_owned(), name: None, ..alice.clone() };
    changed.keys.remove(0);
    changed.keys[0].material = KeyMaterial::Multibase("z6Mother".to_owned());
    changed.keys.push(RemoteKey { id: iri("https://a.example/a-key"), material: KeyMaterial::Pem("2".to_owned()) });
    save(&store, &changed, world.now()).await;
    let mut reader = store.read().await.unwrap();
    let known = reader.find_remote_actor(&alice.id).await.unwrap().unwrap();
    assert_eq!(known, KnownActor { actor: changed.clone(), fetched_at: world.now() });
    assert_eq!(reader.find_remote_key(&alice.keys[0].id).await.unwrap(), None, "it is listed no more");
    assert_eq!(reader.find_remote_key(&changed.keys[0].id).await.unwrap().unwrap().key, changed.keys[0]);
}

pub(crate) async fn a_key_stays_with_who_listed_it_first(store: Db) {
    let world = World::new();
    let alice = actor("alice", "a.example");
    save(&store, &alice, world.now()).await;
    let mut eve = actor("eve", "a.example");
    eve.keys[0] = RemoteKey { id: alice.keys[0].id.clone(), material: KeyMaterial::Pem("eve's own".to_owned()) };
    save(&store, &eve, world.now()).await;
    let mut reader = store.read().await.unwrap();
    let key = reader.find_remote_key(&alice.keys[0].id).await.unwrap().unwrap();
    assert_eq!((key.owner, key.key), (alice.id.clone(), alice.keys[0].clone()));
    assert_eq!(reader.find_remote_actor(&alice.id).await.unwrap().unwrap().actor, alice);
    assert_eq!(reader.find_remote_actor(&eve.id).await.unwrap().unwrap().actor.keys, eve.keys[1..]);
}

pub(crate) async fn an_actor_saved_by_many_has_the_keys_of_one(store: Db) {
    let world = World::new();
    let versions: Vec<RemoteActor> = (0..20)
        .map(|n| {
            let mut alice = actor("alice", "a.example");
            alice.name = Some(n.to_string());
            alice.keys.iter_mut().for_each(|key| key.material = KeyMaterial::Pem(n.to_string()));
            alice.keys.rotate_left(n % 2);
            alice
        })
        .collect();
    let saving: Vec<_> = versions
        .iter()
        .map(|version| {
            let (store, version, now) = (store.clone(), version.clone(), world.now());
            tokio::spawn(async move { save(&store, &version, now).await })
        })
        .collect();
    for task in saving {
        task.await.unwrap();
    }
    let found = store.read().await.unwrap().find_remote_actor(&versions[0].id).await.unwrap().unwrap();
    assert!(versions.contains(&found.actor), "{found:?}");
}

pub(crate) async fn a_forgotten_actor_leaves_its_claims_alone(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let (alice, bob) = (actor("alice", "a.example"), actor("bob", "a.example"));
    let mut unit = store.begin().await.unwrap();
    let mut objects = Vec::new();
    for someone in [&alice, &bob] {
        unit.save_remote_actor(someone, world.now()).await.unwrap();
        unit.save_follower(&follower(&world, "giles", someone, FollowState::Accepted)).await.unwrap();
        let follows = crate::follows::following(&world, "giles", someone, FollowState::Accepted);
        unit.save_following(&follows).await.unwrap();
        let like = iri(&format!("{}/likes/1", someone.id));
        unit.add_reaction(&like, &someone.id, Reaction::Like, "x", world.now()).await.unwrap();
        let object = heard(&world, someone, "1", Some(b"x"));
        assert!(unit.save_heard(&object).await.unwrap());
        objects.push(object);
    }
    world.wait(1);
    assert!(unit.forget_remote_actor(&alice.id, world.now()).await.unwrap());
    assert!(!unit.forget_remote_actor(&alice.id, world.now()).await.unwrap(), "it is known no more");
    assert!(!unit.forget_remote_actor(&iri("https://c.example/"), world.now()).await.unwrap());
    unit.commit().await.unwrap();

    let mut reader = store.read().await.unwrap();
    let giles = username("giles");
    assert_eq!(reader.find_remote_actor(&alice.id).await.unwrap(), None);
    assert_eq!(reader.find_remote_key(&alice.keys[0].id).await.unwrap(), None);
    assert_eq!(reader.find_follower(&giles, &alice.id).await.unwrap(), None);
    assert_eq!(reader.find_following(&giles, &alice.id).await.unwrap(), None);
    assert_eq!(reader.count_reactions("x").await.unwrap(), ReactionCounts { likes: 1, shares: 0 });
    let gone = reader.find_heard(&objects[0].object.id).await.unwrap().unwrap();
    assert_eq!(gone.deleted_at, Some(world.now()));
    assert_eq!((&gone.id, gone.object.content_hash), (&objects[0].id, objects[0].object.content_hash));
    assert_eq!((gone.object.name, gone.object.content, gone.object.provenance), (None, None, None));
    assert_eq!((gone.document.as_str(), gone.evidence), ("", Default::default()));

    assert_eq!(reader.find_remote_actor(&bob.id).await.unwrap().unwrap().actor, bob);
    assert!(reader.find_follower(&giles, &bob.id).await.unwrap().is_some());
    assert!(reader.find_following(&giles, &bob.id).await.unwrap().is_some());
    assert_eq!(reader.find_heard(&objects[1].object.id).await.unwrap().unwrap(), objects[1]);
}

pub(crate) fn receipt(n: usize) -> Receipt {
    let id = iri(&format!("https://a.example/activities/{n}"));
    let signed_at = "2026-11-22T12:00:00Z".parse().unwrap();
    Receipt { id, actor: iri("https://a.example/users/alice"), kind: "Create".to_owned(), signed_at }
}

pub(crate) async fn receipts_are_first_once(store: Db) {
    let world = World::new();
    let [one, two, three] = [1, 2, 3].map(receipt);
    let mut unit = store.begin().await.unwrap();
    assert_eq!(unit.first_receipts(&[], world.now()).await.unwrap(), HashSet::new());
    let both = HashSet::from([one.id.clone(), two.id.clone()]);
    let twice = [two.clone(), one.clone(), two.clone()];
    assert_eq!(unit.first_receipts(&twice, world.now()).await.unwrap(), both);
    assert_eq!(unit.first_receipts(&twice, world.now()).await.unwrap(), HashSet::new());
    unit.rollback().await.unwrap();
    let mut unit = store.begin().await.unwrap();
    assert_eq!(unit.first_receipts(&twice, world.now()).await.unwrap(), both, "nothing came of the first try");
    unit.commit().await.unwrap();
    let mut unit = store.begin().await.unwrap();
    let news = unit.first_receipts(&[one, three.clone(), two], world.now()).await.unwrap();
    assert_eq!(news, HashSet::from([three.id]));
    unit.commit().await.unwrap();
}

/// 100 copies at once, in batches that overlap and begin with different ones, some of which fail.
pub(crate) async fn receipts_taken_down_by_many_are_first_once(store: Db) {
    let world = World::new();
    let now = world.now();
    let batches = (0..100).map(|batch| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut receipts: Vec<Receipt> = (0..20).map(receipt).collect();
            receipts.rotate_left(batch % 20);
            let mut unit = store.begin().await.unwrap();
            let first = unit.first_receipts(&receipts[..15], now).await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
            if batch % 3 == 0 {
                unit.rollback().await.unwrap();
                return Vec::new();
            }
            unit.commit().await.unwrap();
            first.into_iter().collect()
        })
    });
    let mut seen = Vec::new();
    for batch in batches.collect::<Vec<_>>() {
        seen.extend(batch.await.unwrap());
    }
    assert_eq!(seen.len(), 20, "each once");
    assert_eq!(seen.into_iter().collect::<HashSet<_>>().len(), 20);
}

/// Some servers use one id for every `Follow` of a pair, and one for every `Undo` of it.
pub(crate) async fn a_follow_that_ended_counts_again_when_it_is_signed_later(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let (alice, giles, now) = (actor("alice", "a.example"), username("giles"), world.now());
    let wish = follower(&world, "giles", &alice, FollowState::Accepted);
    let receipt = |kind: &str, id: &Iri, seconds| {
        let signed_at = now + TimeDelta::seconds(seconds);
        Receipt { id: id.clone(), actor: alice.id.clone(), kind: kind.to_owned(), signed_at }
    };
    let undo_id = iri("https://a.example/undo");
    let (follow, undo) =
        (|seconds| receipt("Follow", &wish.request, seconds), |seconds| receipt("Undo", &undo_id, seconds));
    let is_first = async |receipt: Receipt| {
        let mut unit = store.begin().await.unwrap();
        let first = unit.first_receipts(&[receipt], now).await.unwrap();
        unit.commit().await.unwrap();
        !first.is_empty()
    };
    let ends = ["removed", "undone", "inbox", "left"];
    for (n, way) in ends.into_iter().enumerate() {
        let at = 10 * i64::try_from(n).unwrap();
        assert!(is_first(follow(at)).await, "{way}");
        assert!(!is_first(follow(at)).await && !is_first(follow(at + 1)).await, "{way}: it holds");
        let mut unit = store.begin().await.unwrap();
        unit.save_follower(&wish).await.unwrap();
        match way {
            "removed" => assert!(unit.remove_follower(&giles, &alice.id).await.unwrap()),
            "undone" => assert!(unit.undo_received(&wish.request, &alice.id).await.unwrap()),
            "inbox" => assert_eq!(unit.remove_followers_at_inbox(&alice.inbox).await.unwrap(), 1),
            _ => assert!(unit.forget_remote_actor(&alice.id, now).await.unwrap()),
        }
        unit.commit().await.unwrap();
        assert!(!is_first(follow(at)).await && !is_first(follow(at - 1)).await, "{way}: a copy of what ended");
        let stolen = Receipt { actor: iri("https://a.example/users/eve"), ..follow(at + 2) };
        assert!(!is_first(stolen).await, "{way}: another's");
        assert!(is_first(undo(at + 5)).await, "{way}");
        assert!(!is_first(undo(at + 5)).await && !is_first(undo(at + 4)).await, "{way}: a copy");
    }

    // Of many copies that come at once when it has ended, one counts.
    let copies = (0..50).map(|_| {
        let (store, copy) = (store.clone(), follow(100));
        tokio::spawn(async move {
            let mut unit = store.begin().await.unwrap();
            let first = unit.first_receipts(&[copy], now).await.unwrap();
            unit.commit().await.unwrap();
            first.len()
        })
    });
    let mut first = 0;
    for copy in copies.collect::<Vec<_>>() {
        first += copy.await.unwrap();
    }
    assert_eq!(first, 1);
}

pub(crate) async fn notices_of_one_host_are_kept_up_to_a_number_a_day(store: Db) {
    let world = World::new();
    let notice = |host: &str| {
        world.wait(1);
        Notice {
            id: world.id(),
            kind: "Flag".to_owned(),
            actor: iri(&format!("https://{host}/users/{}", world.id::<uuid::Uuid>())),
            object: iri("https://here.example/users/giles"),
            received_at: world.now(),
            document: "{}".to_owned(),
        }
    };
    let mut unit = store.begin().await.unwrap();
    for (host, kept) in [("a.example", true), ("a.example", true), ("a.example", false), ("b.example", true)] {
        assert_eq!(unit.add_notice(&notice(host), 2).await.unwrap(), kept, "{host}");
    }
    world.wait(24 * 3600);
    assert!(unit.add_notice(&notice("a.example"), 2).await.unwrap(), "it is another day");
    assert_eq!(unit.list_notices(first_page()).await.unwrap().items.len(), 4);
    unit.commit().await.unwrap();
}

pub(crate) async fn reactions_are_counted_once_and_undone(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let now = world.now();
    // As long as ids may be, and nothing that could be compressed.
    let long = |seed: u32| {
        let digits = (0..2000_u32).map(|n| char::from(b'a' + ((n * n * 31 + n * seed) % 25) as u8));
        iri(&format!("https://a.example/{}", digits.collect::<String>()))
    };
    let target = long(7).to_string();
    let (alice, bob) = (long(11), iri("https://b.example/users/bob"));
    let id = |n: u32| iri(&format!("https://a.example/likes/{n}"));
    let mut unit = store.begin().await.unwrap();
    unit.add_reaction(&id(1), &alice, Reaction::Like, &target, now).await.unwrap();
    unit.add_reaction(&id(2), &alice, Reaction::Like, &target, now).await.unwrap();
    unit.add_reaction(&id(3), &alice, Reaction::Announce, &target, now).await.unwrap();
    unit.add_reaction(&id(4), &bob, Reaction::Like, &target, now).await.unwrap();
    unit.add_reaction(&id(5), &bob, Reaction::Like, "other", now).await.unwrap();
    assert_eq!(unit.count_reactions(&target).await.unwrap(), ReactionCounts { likes: 2, shares: 1 });
    assert_eq!(unit.count_reactions("none").await.unwrap(), ReactionCounts::default());

    assert!(!unit.undo_received(&id(1), &alice).await.unwrap(), "the second like took its place");
    assert!(!unit.undo_received(&id(2), &bob).await.unwrap(), "it is not his");
    assert!(unit.undo_received(&id(2), &alice).await.unwrap());
    assert!(!unit.undo_received(&id(2), &alice).await.unwrap());
    assert_eq!(unit.count_reactions(&target).await.unwrap(), ReactionCounts { likes: 1, shares: 1 });

    let carol = follower(&world, "giles", &actor("carol", "c.example"), FollowState::Accepted);
    unit.save_follower(&carol).await.unwrap();
    assert!(!unit.undo_received(&carol.request, &bob).await.unwrap());
    assert!(unit.undo_received(&carol.request, &carol.actor).await.unwrap());
    assert_eq!(unit.find_follower(&carol.user, &carol.actor).await.unwrap(), None);
    unit.commit().await.unwrap();
}

pub(crate) async fn notices_are_listed_newest_first(store: Db) {
    let world = World::new();
    let mut notices = Vec::new();
    for kind in ["Block", "Flag", "Move"] {
        world.wait(1);
        notices.push(Notice {
            id: world.id(),
            kind: kind.to_owned(),
            actor: iri("https://a.example/users/alice"),
            object: iri("https://here.example/users/giles"),
            received_at: world.now(),
            document: "{\"ü\":\"\\u0000\"}".to_owned(),
        });
    }
    let mut unit = store.begin().await.unwrap();
    for notice in &notices {
        assert!(unit.add_notice(notice, 3).await.unwrap());
    }
    unit.commit().await.unwrap();
    notices.reverse();
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.list_notices(first_page()).await.unwrap().items, notices);
    let page = Page { limit: PageLimit::new(1).unwrap(), position: Position::Offset(1) };
    let slice = reader.list_notices(page).await.unwrap();
    assert_eq!((slice.items, slice.has_newer, slice.has_older), (vec![notices[1].clone()], true, true));
}

pub(crate) async fn domain_rules_stand_once_for_a_pattern(store: Db) {
    let world = World::new();
    let rule = |pattern: &str, action, reason: Option<&str>| DomainRule {
        pattern: pattern.parse().unwrap(),
        action,
        reason: reason.map(str::to_owned),
        created_at: world.now(),
    };
    let blocked = rule("spam.example", DomainAction::Block, Some("spam"));
    let all = rule("*.bad.example", DomainAction::Block, None);
    let allowed = rule("spam.example", DomainAction::Allow, None);
    let mut unit = store.begin().await.unwrap();
    unit.save_domain_rule(&blocked).await.unwrap();
    unit.save_domain_rule(&all).await.unwrap();
    assert_eq!(unit.list_domain_rules().await.unwrap(), [all.clone(), blocked]);
    unit.save_domain_rule(&allowed).await.unwrap();
    assert_eq!(unit.list_domain_rules().await.unwrap(), [all.clone(), allowed.clone()]);
    assert!(unit.remove_domain_rule(&allowed.pattern).await.unwrap());
    assert!(!unit.remove_domain_rule(&allowed.pattern).await.unwrap());
    unit.commit().await.unwrap();
    assert_eq!(store.read().await.unwrap().list_domain_rules().await.unwrap(), [all]);
}

pub(crate) async fn a_fetch_is_claimed_by_one_until_it_may_be_again(store: Db) {
    let world = World::new();
    let now = world.now();
    let minute = TimeDelta::minutes(1);
    let mut unit = store.begin().await.unwrap();
    assert!(!unit.is_fetch_held("k", now).await.unwrap());
    assert!(unit.claim_fetch("k", now, now + minute).await.unwrap());
    assert!(unit.is_fetch_held("k", now).await.unwrap());
    assert!(!unit.is_fetch_held("other", now).await.unwrap());
    let just_before = now + minute - TimeDelta::microseconds(1);
    assert!(!unit.claim_fetch("k", just_before, now + minute * 2).await.unwrap());
    assert!(unit.is_fetch_held("k", just_before).await.unwrap());
    assert!(!unit.is_fetch_held("k", now + minute).await.unwrap());
    assert!(unit.claim_fetch("k", now + minute, now + minute * 2).await.unwrap());

    unit.hold_fetch("k", now).await.unwrap();
    assert!(unit.is_fetch_held("k", now + minute).await.unwrap(), "it was held for longer");
    unit.hold_fetch("k", now + minute * 5).await.unwrap();
    assert!(!unit.claim_fetch("k", now + minute * 4, now + minute * 9).await.unwrap());
    unit.hold_fetch("host", now + minute).await.unwrap();
    assert!(unit.is_fetch_held("host", now).await.unwrap());
    unit.commit().await.unwrap();
}

pub(crate) async fn a_fetch_claimed_by_many_is_claimed_once(store: Db) {
    let world = World::new();
    let now = world.now();
    for round in 0..3 {
        let now = now + TimeDelta::minutes(round);
        let claims = (0..30).map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut unit = store.begin().await.unwrap();
                let mine = unit.claim_fetch("k", now, now + TimeDelta::minutes(1)).await.unwrap();
                tokio::time::sleep(Duration::from_millis(1)).await;
                unit.commit().await.unwrap();
                mine
            })
        });
        let mut won = 0;
        for claim in claims.collect::<Vec<_>>() {
            won += usize::from(claim.await.unwrap());
        }
        assert_eq!(won, 1, "round {round}");
    }
}

async fn waiting_messages(unit: &mut dyn UnitOfWork, ids: &[artdag_kernel::ActivityId]) -> Vec<bool> {
    let mut found = Vec::new();
    for id in ids {
        found.push(unit.find_message(*id).await.unwrap().is_some());
    }
    found
}

pub(crate) async fn what_is_old_is_swept(store: Db) {
    use artdag_federation::{Concluded, DeliveryState};
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let (giles, start, inbox) = (username("giles"), world.now(), iri("https://a.example/inbox"));
    let mut unit = store.begin().await.unwrap();
    unit.first_receipts(&[receipt(1)], start).await.unwrap();
    unit.claim_fetch("k", start, start + TimeDelta::days(1)).await.unwrap();
    let alice = crate::remote::actor("alice", "a.example");
    let unheard = iri("https://a.example/objects/1");
    unit.forestall_heard(world.id(), &unheard, &alice.id, &unheard, start).await.unwrap();
    let withdrawn = heard(&world, &alice, "2", None);
    assert!(unit.save_heard(&withdrawn).await.unwrap());
    assert!(unit.withdraw_heard(&withdrawn.object.id, &alice.id, "", start).await.unwrap());
    let notice = Notice {
        id: world.id(),
        kind: "Flag".to_owned(),
        actor: iri("https://a.example/"),
        object: iri("https://b.example/"),
        received_at: start,
        document: "{}".to_owned(),
    };
    assert!(unit.add_notice(&notice, 1).await.unwrap());
    let post = heard(&world, &alice, "3", None);
    assert!(unit.add_heard(&post).await.unwrap());
    let messages = [0, 1].map(|_| crate::deliveries::message(&world, "giles"));
    for message in &messages {
        unit.add_message(message).await.unwrap();
        unit.add_delivery(message.id, &giles, &inbox, start).await.unwrap();
    }
    let done = Concluded {
        activity: messages[0].id,
        inbox: inbox.clone(),
        state: DeliveryState::Delivered,
        next_at: start,
        status: Some(202),
        error: None,
        attempted: true,
    };
    unit.conclude_deliveries(&[done]).await.unwrap();
    let ids = messages.map(|message| message.id);

    // Day by day: nothing goes too early, each at its time. The second delivery waits for a week, and then is a record of
    // its failure for another.
    for (days, swept) in
        [(0, 0), (1, 1), (7, 0), (8, 3), (15, 0), (16, 2), (30, 0), (31, 2), (90, 0), (91, 2), (400, 0)]
    {
        assert_eq!(unit.sweep_federation(start + TimeDelta::days(days)).await.unwrap(), swept, "day {days}");
        assert_eq!(waiting_messages(unit.as_mut(), &ids).await, [days < 8, days < 16], "day {days}");
    }
    assert!(!unit.is_heard(&[&unheard], &alice.id).await.unwrap());
    assert!(unit.is_heard(&[&withdrawn.object.id], &alice.id).await.unwrap(), "what was heard stays withdrawn");
    assert!(!unit.is_heard(&[&post.object.id], &alice.id).await.unwrap());
    assert_eq!(unit.list_notices(first_page()).await.unwrap().items, []);
    assert_eq!(unit.count_deliveries().await.unwrap(), [0, 0, 0]);
    assert_eq!(unit.first_receipts(&[receipt(1)], start).await.unwrap().len(), 1, "it is forgotten");
    unit.commit().await.unwrap();
}
