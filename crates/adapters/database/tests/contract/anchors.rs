use crate::world::{Db, World, anchor};
use artdag_anchoring::bitcoin::{BlockHash, Network};
use artdag_anchoring::ots::{Attestation, Op, Timestamp, limits};
use artdag_anchoring::{Anchor, AnchorState, Ask, Assurance, Digest, Evidence, Question, Standing};
use artdag_kernel::StoreError;
use chrono::TimeDelta;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

const ALICE: &str = "https://alice.example";
const BOB: &str = "https://bob.example";

async fn find(store: &Db, root: &Digest) -> Option<Anchor> {
    store.read().await.unwrap().find_anchor(root).await.unwrap()
}

async fn begin(store: &Db, anchor: &Anchor) -> bool {
    let mut unit = store.begin().await.unwrap();
    let begun = unit.add_anchor(anchor).await.unwrap();
    unit.commit().await.unwrap();
    begun
}

async fn save(store: &Db, anchor: &Anchor) -> bool {
    let mut unit = store.begin().await.unwrap();
    let saved = unit.save_anchor(anchor).await.unwrap();
    unit.commit().await.unwrap();
    saved
}

/// What came of the one that succeeded.
fn readable(anchors: Vec<Result<Anchor, StoreError>>) -> Vec<Anchor> {
    anchors.into_iter().map(Result::unwrap).collect()
}

async fn the_one(tries: Vec<JoinHandle<Option<Anchor>>>) -> Anchor {
    let mut succeeded = Vec::new();
    for one in tries {
        succeeded.extend(one.await.unwrap());
    }
    assert_eq!(succeeded.len(), 1);
    succeeded.remove(0)
}

fn sizes(anchors: &[Anchor]) -> Vec<u64> {
    anchors.iter().map(|anchor| anchor.tree_size).collect()
}

/// A calendar has promised more, and somebody has named a block.
fn timestamp(anchor: &Anchor) -> Timestamp {
    let digest = anchor.digest();
    let once = Digest::of(digest.as_bytes());
    let twice = Digest::of(once.as_bytes());
    let pending = Timestamp::new(once.as_bytes()).unwrap().attested(Attestation::Pending(ALICE.parse().unwrap()));
    let block = Timestamp::new(twice.as_bytes()).unwrap().attested(Attestation::Bitcoin(840_000));
    let mut both = pending.behind(digest.as_bytes(), vec![Op::SHA256]).unwrap();
    both.merge(block.behind(digest.as_bytes(), vec![Op::SHA256, Op::SHA256]).unwrap()).unwrap();
    both
}

fn evidence(height: u32) -> Evidence {
    Evidence {
        assurance: Assurance::Explorers { agreeing: 2, asked: 3 },
        height,
        block_hash: BlockHash::from_bytes(*Digest::of(&height.to_be_bytes()).as_bytes()),
        block_time: 1_713_571_767,
        confirmations: Some(6),
        source: "two explorers, and \"a third\"".to_owned(),
    }
}

/// One of each standing, in their order.
fn asks(world: &World) -> Vec<Ask> {
    let questions = [
        (ALICE, Question::Submit),
        (BOB, Question::Submit),
        ("https://carol.example", Question::Submit),
        (ALICE, Question::Upgrade(vec![0])),
        (ALICE, Question::Upgrade(vec![0, 1])),
        (BOB, Question::Upgrade(vec![0])),
    ];
    let ask = |(n, (calendar, question)): (u32, (&str, Question))| Ask {
        standing: Standing::ALL[n as usize % 5],
        detail: (n % 2 == 0).then(|| format!("for reason {n}, said \"é\"")),
        failures: 7 * n,
        asked_at: (n % 3 > 0).then(|| world.now()),
        verified: (0..n).map(|at| (u32::MAX - at, Arc::from(&[at.to_be_bytes()[3]; 32][..]))).collect(),
        ..Ask::new(calendar.parse().unwrap(), question, world.now() + TimeDelta::milliseconds(n.into()))
    };
    (0..).zip(questions).map(ask).collect()
}

pub(crate) async fn are_found_as_they_were_added(store: Db) {
    let world = World::new();
    let anchors = [world.anchor(0..5), world.anchor(5..9)];
    assert_eq!(store.read().await.unwrap().count_anchors().await.unwrap(), 0);
    anchor(&store, &anchors).await;
    for anchor in &anchors {
        assert_eq!(find(&store, &anchor.root).await.as_ref(), Some(anchor));
    }
    assert_eq!(find(&store, &Digest::of(b"another")).await, None);
    assert_eq!(store.read().await.unwrap().count_anchors().await.unwrap(), 2);

    let begun = world.anchor(9..10);
    let whole = Anchor {
        state: AnchorState::Pending,
        timestamp: Some(timestamp(&begun)),
        evidence: Some(evidence(840_000)),
        asks: asks(&world),
        revision: 3,
        ..begun
    };
    anchor(&store, std::slice::from_ref(&whole)).await;
    assert_eq!(find(&store, &whole.root).await, Some(whole));
}

pub(crate) async fn are_found_as_they_were_saved(store: Db) {
    let world = World::new();
    for (at, state) in (0..).zip(AnchorState::ALL) {
        let mut changed = world.anchor(at..at + 1);
        anchor(&store, std::slice::from_ref(&changed)).await;
        let as_begun = changed.clone();
        changed.state = state;
        changed.timestamp = Some(timestamp(&changed));
        changed.evidence = Some(evidence(840_000));
        changed.verified_at = Some(world.now() + TimeDelta::microseconds(1));
        changed.stamped_at = Some(world.now() + TimeDelta::microseconds(2));
        changed.due_at = Some(world.now() + TimeDelta::microseconds(3));
        let in_order = asks(&world);
        let mut in_order = in_order;
        for ask in &mut in_order {
            ask.answer = Some(match &ask.question {
                Question::Submit => timestamp(&changed),
                Question::Upgrade(message) => Timestamp::new(message).unwrap().attested(Attestation::Bitcoin(7)),
            });
        }
        changed.network = (at > 0).then_some(Network::Regtest);
        changed.asks = in_order.iter().rev().cloned().collect();
        assert!(save(&store, &changed).await);
        (changed.revision, changed.asks) = (1, in_order);
        assert_eq!(find(&store, &changed.root).await.as_ref(), Some(&changed));

        changed.evidence = Some(Evidence { assurance: Assurance::PowChain, confirmations: None, ..evidence(0) });
        changed.asks.truncate(1);
        assert!(save(&store, &changed).await);
        changed.revision = 2;
        assert_eq!(find(&store, &changed.root).await.as_ref(), Some(&changed));

        let empty = Anchor { due_at: None, asks: Vec::new(), revision: 2, ..as_begun };
        assert!(save(&store, &empty).await);
        assert_eq!(find(&store, &empty.root).await, Some(Anchor { revision: 3, ..empty }));
    }
}

pub(crate) async fn keep_the_largest_that_the_domain_allows(store: Db) {
    let world = World::new();
    let mut large = world.anchor(i64::MAX as u64 - 1..i64::MAX as u64);
    anchor(&store, std::slice::from_ref(&large)).await;
    let calendar = |n: usize| format!("{}{n:04}", "a".repeat(limits::URI - 4)).parse().unwrap();
    // Not to be made shorter by compression.
    let message = |n: usize| {
        let parts = (0..limits::MESSAGE / 32).map(|at| *Digest::of(format!("{n} {at}").as_bytes()).as_bytes());
        Question::Upgrade(parts.flatten().collect())
    };
    let ask = |n| Ask {
        standing: Standing::False,
        detail: Some("ü".repeat(300)),
        failures: u32::MAX,
        ..Ask::new(calendar(n), message(n), world.now())
    };
    large.asks = (0..1100).map(ask).collect();
    let named = |n| Attestation::Pending(calendar(n));
    let bare = Timestamp::new(large.digest().as_bytes()).unwrap();
    large.timestamp = Some((0..250).fold(bare, |timestamp, n| timestamp.attested(named(n))));
    let (height, confirmations) = (u32::MAX, Some(u32::MAX));
    large.evidence = Some(Evidence { block_time: u32::MAX, confirmations, ..evidence(height) });
    assert!(save(&store, &large).await);
    large.revision = 1;
    assert_eq!(find(&store, &large.root).await, Some(large));
}

pub(crate) async fn begin_at_a_place_once(store: Db) {
    let world = World::new();
    let first = world.anchor(0..5);
    anchor(&store, std::slice::from_ref(&first)).await;
    let mut unit = store.begin().await.unwrap();
    for (like, why) in [
        (world.anchor(0..7), "the same beginning"),
        (world.anchor(3..5), "the same tree"),
        (Anchor { root: Digest::of(b"another"), ..world.anchor(3..5) }, "the same size"),
        (Anchor { root: first.root, ..world.anchor(5..9) }, "the same root"),
    ] {
        assert!(!unit.add_anchor(&like).await.unwrap(), "{why}");
    }
    assert!(unit.add_anchor(&world.anchor(5..9)).await.unwrap());
    unit.commit().await.unwrap();
    let listed = store.read().await.unwrap().list_anchors(None, 10).await.unwrap();
    assert_eq!(sizes(&listed), [9, 5]);
    assert_eq!(listed[1], first);
}

/// Whoever comes second waits for the end of the first.
pub(crate) async fn begin_where_another_was_given_up(store: Db) {
    let world = World::new();
    for (at, commits) in [(0, true), (10, false)] {
        let mut unit = store.begin().await.unwrap();
        assert!(unit.add_anchor(&world.anchor(at..at + 5)).await.unwrap());
        let (other_store, other) = (store.clone(), world.anchor(at..at + 6));
        let other = tokio::spawn(async move { begin(&other_store, &other).await });
        tokio::time::sleep(Duration::from_millis(20)).await;
        if commits {
            unit.commit().await.unwrap();
        } else {
            unit.rollback().await.unwrap();
        }
        assert_eq!(other.await.unwrap(), !commits);
    }
    assert_eq!(sizes(&store.read().await.unwrap().list_anchors(None, 10).await.unwrap()), [16, 5]);
}

pub(crate) async fn begun_by_many_are_begun_once(store: Db) {
    let world = World::new();
    let tries = (0..10).map(|n| {
        let (store, anchor) = (store.clone(), world.anchor(0..5 + n));
        tokio::spawn(async move { begin(&store, &anchor).await.then_some(anchor) })
    });
    let begun = the_one(tries.collect()).await;
    assert_eq!(store.read().await.unwrap().list_anchors(None, 10).await.unwrap(), [begun]);
}

pub(crate) async fn are_saved_at_their_revision_only(store: Db) {
    let world = World::new();
    let begun = world.anchor(0..5);
    anchor(&store, std::slice::from_ref(&begun)).await;
    let pending = Anchor { state: AnchorState::Pending, asks: asks(&world), ..begun.clone() };
    assert!(save(&store, &pending).await);
    let pending = Anchor { revision: 1, ..pending };
    let given_up = Anchor { state: AnchorState::Failed, asks: Vec::new(), ..pending.clone() };
    for revision in [0, 2, u32::MAX] {
        assert!(!save(&store, &Anchor { revision, ..given_up.clone() }).await, "{revision}");
    }
    for unknown in [world.anchor(0..6), world.anchor(0..u64::MAX)] {
        assert!(!save(&store, &Anchor { revision: 1, ..unknown }).await);
    }
    assert_eq!(store.read().await.unwrap().list_anchors(None, 10).await.unwrap(), [pending]);
    assert!(save(&store, &given_up).await);
    assert_eq!(find(&store, &begun.root).await, Some(Anchor { revision: 2, ..given_up }));
}

pub(crate) async fn saved_by_many_are_saved_once(store: Db) {
    let world = World::new();
    let begun = world.anchor(0..5);
    anchor(&store, std::slice::from_ref(&begun)).await;
    let tries = (0..10).map(|n| {
        let asks = vec![Ask { failures: n, ..begun.asks[0].clone() }; 1 + n as usize];
        let (store, anchor) = (store.clone(), Anchor { asks, ..begun.clone() });
        tokio::spawn(async move { save(&store, &anchor).await.then_some(anchor) })
    });
    let saved = Anchor { revision: 1, ..the_one(tries.collect()).await };
    assert_eq!(find(&store, &begun.root).await, Some(saved));
}

pub(crate) async fn are_found_by_the_places_they_have(store: Db) {
    let world = World::new();
    assert_eq!(store.read().await.unwrap().anchors_of(&[0, 7], None).await.unwrap(), [None, None]);
    let anchors = [world.anchor(20..30), world.anchor(3..5), world.anchor(5..9)];
    anchor(&store, &anchors).await;
    let mut reader = store.read().await.unwrap();
    let expected = [(9, 30), (0, 5), (3, 5), (4, 5), (5, 9), (8, 9), (15, 30), (29, 30), (4, 5)];
    let mut indices: Vec<u64> = expected.iter().map(|(index, _)| *index).collect();
    let mut found = reader.anchors_of(&indices, None).await.unwrap();
    for ((index, tree_size), found) in expected.into_iter().zip(&found) {
        let anchor = anchors.iter().find(|anchor| anchor.tree_size == tree_size).cloned();
        assert_eq!(*found, anchor, "{index} among others");
        assert_eq!(reader.anchors_of(&[index], None).await.unwrap(), [anchor], "{index} alone");
    }
    // Beyond the last there is none, which does not move the others.
    indices.splice(1..1, [30, 31, i64::MAX as u64, u64::MAX]);
    found.splice(1..1, [None, None, None, None]);
    assert_eq!(reader.anchors_of(&indices, None).await.unwrap(), found);
    assert_eq!(reader.anchors_of(&[30, u64::MAX], None).await.unwrap(), [None, None]);
    assert_eq!(reader.anchors_of(&[u64::MAX], None).await.unwrap(), [None]);
    assert_eq!(reader.anchors_of(&[], None).await.unwrap(), []);
    drop(reader);
    // A later tree has what is in one that was given up.
    let mut given_up = anchors[2].clone();
    given_up.give_up().unwrap();
    assert!(save(&store, &given_up).await);
    given_up.revision += 1;
    let last = world.anchor(30..31);
    let mut of_last = last.clone();
    of_last.give_up().unwrap();
    anchor(&store, std::slice::from_ref(&last)).await;
    assert!(save(&store, &of_last).await);
    let found = store.read().await.unwrap().anchors_of(&[4, 5, 8, 30], None).await.unwrap();
    let sizes: Vec<u64> = found.into_iter().map(|anchor| anchor.unwrap().tree_size).collect();
    assert_eq!(sizes, [5, 30, 30, 31]);
}

pub(crate) async fn prove_best_by_the_first_that_is_confirmed(store: Db) {
    let world = World::new();
    let of = |entries: std::ops::Range<u64>, state, network| Anchor { state, network, ..world.anchor(entries) };
    let (regtest, mainnet) = (Some(Network::Regtest), Some(Network::Mainnet));
    let anchors = [
        of(0..1, AnchorState::Failed, mainnet),
        of(1..2, AnchorState::Confirmed, regtest),
        of(2..3, AnchorState::Pending, mainnet),
        of(3..4, AnchorState::Confirmed, mainnet),
        of(4..5, AnchorState::Confirmed, mainnet),
        of(5..6, AnchorState::Pending, regtest),
        of(6..7, AnchorState::Submitting, None),
        of(7..8, AnchorState::Failed, mainnet),
    ];
    anchor(&store, &anchors).await;
    let mut reader = store.read().await.unwrap();
    let indices = [7, 6, 5, 4, 3, 2, 1, 0, 8];
    for (network, expected) in
        [(mainnet, [8, 7, 7, 5, 4, 4, 4, 4]), (regtest, [8, 7, 6, 6, 6, 6, 2, 2]), (None, [8, 7, 6, 5, 4, 4, 2, 2])]
    {
        let found = reader.anchors_of(&indices, network).await.unwrap();
        let sizes: Vec<u64> = found.into_iter().flatten().map(|anchor| anchor.tree_size).collect();
        assert_eq!(sizes, expected, "{network:?}");
    }
}

pub(crate) async fn are_listed_largest_first(store: Db) {
    let world = World::new();
    let anchors = [world.anchor(5..20), world.anchor(0..5), world.anchor(20..300)];
    anchor(&store, &anchors).await;
    let mut reader = store.read().await.unwrap();
    for (before, limit, expected) in [
        (None, 9, &[300, 20, 5][..]),
        (None, 2, &[300, 20]),
        (Some(300), 9, &[20, 5]),
        (Some(21), 1, &[20]),
        (Some(5), 9, &[]),
        (Some(0), 9, &[]),
        (Some(u64::MAX), 1, &[300]),
    ] {
        let listed = reader.list_anchors(before, limit).await.unwrap();
        assert_eq!(sizes(&listed), expected, "{before:?}");
    }
    let [middle, first, last] = anchors;
    assert_eq!(reader.list_anchors(None, 3).await.unwrap(), [last, middle, first]);
}

pub(crate) async fn are_due_longest_waiting_first(store: Db) {
    let world = World::new();
    let start = world.now();
    let after = |milliseconds| start + TimeDelta::milliseconds(milliseconds);
    assert_eq!(store.read().await.unwrap().next_anchor_due().await.unwrap(), None);
    let dues = [Some(after(30_500)), Some(after(10_000)), None, Some(after(30_000)), Some(after(10_000))];
    let anchors: Vec<Anchor> =
        (1..).zip(dues).map(|(size, due_at)| Anchor { due_at, ..world.anchor(size - 1..size) }).collect();
    anchor(&store, &anchors).await;
    let mut reader = store.read().await.unwrap();
    for (now, limit, expected) in [
        (9_999, 9, &[][..]),
        (10_000, 9, &[2, 5]),
        (30_499, 9, &[2, 5, 4]),
        (90_000, 9, &[2, 5, 4, 1]),
        (90_000, 3, &[2, 5, 4]),
    ] {
        assert_eq!(
            sizes(&readable(reader.due_anchors(after(now), limit).await.unwrap())),
            expected,
            "{limit} at {now}"
        );
    }
    assert_eq!(readable(reader.due_anchors(after(10_000), 1).await.unwrap()), anchors[1..2]);
    assert_eq!(reader.next_anchor_due().await.unwrap(), Some(after(10_000)));
    for tree_size in [2, 5] {
        assert!(save(&store, &Anchor { due_at: None, ..anchors[tree_size - 1].clone() }).await);
    }
    assert_eq!(reader.next_anchor_due().await.unwrap(), Some(after(30_000)));
}

pub(crate) async fn are_found_by_their_block(store: Db) {
    let world = World::new();
    let anchors: Vec<Anchor> = (1..)
        .zip([
            (AnchorState::Confirmed, Some(300)),
            (AnchorState::Confirmed, Some(100)),
            (AnchorState::Pending, Some(300)),
            (AnchorState::Failed, Some(300)),
            (AnchorState::Reorged, None),
            (AnchorState::Confirmed, Some(200)),
            (AnchorState::Confirmed, Some(100)),
        ])
        .map(|(size, (state, height))| {
            let evidence = height.map(evidence);
            Anchor { state, evidence, ..world.anchor(size - 1..size) }
        })
        .collect();
    anchor(&store, &anchors).await;
    let mut reader = store.read().await.unwrap();
    for (height, expected) in
        [(0, &[2, 7, 6, 1][..]), (100, &[2, 7, 6, 1]), (101, &[6, 1]), (300, &[1]), (301, &[]), (u32::MAX, &[])]
    {
        assert_eq!(sizes(&readable(reader.anchors_from_block(height).await.unwrap())), expected, "{height}");
    }
    assert_eq!(readable(reader.anchors_from_block(300).await.unwrap()), anchors[..1]);
}

pub(crate) async fn are_loaded_by_the_hundred(store: Db) {
    let world = World::new();
    let confirmed = |at: u64| Anchor {
        state: AnchorState::Confirmed,
        evidence: Some(evidence(1000 + u32::try_from(at).unwrap())),
        ..world.anchor(at..at + 1)
    };
    let anchors: Vec<Anchor> = (0..1100).map(confirmed).collect();
    anchor(&store, &anchors).await;
    let mut reader = store.read().await.unwrap();
    assert_eq!(readable(reader.anchors_from_block(1000).await.unwrap()), anchors);
    let indices: Vec<u64> = (0..1100).collect();
    let found: Vec<Anchor> = reader.anchors_of(&indices, None).await.unwrap().into_iter().flatten().collect();
    assert_eq!(found, anchors);
}

pub(crate) async fn leave_nothing_when_rolled_back(store: Db) {
    let world = World::new();
    let begun = world.anchor(0..5);
    let mut unit = store.begin().await.unwrap();
    assert!(unit.add_anchor(&begun).await.unwrap());
    assert_eq!(unit.find_anchor(&begun.root).await.unwrap().as_ref(), Some(&begun));
    unit.rollback().await.unwrap();
    assert_eq!(find(&store, &begun.root).await, None);
    assert_eq!(store.read().await.unwrap().count_anchors().await.unwrap(), 0);

    anchor(&store, std::slice::from_ref(&begun)).await;
    let mut unit = store.begin().await.unwrap();
    let changed = Anchor { state: AnchorState::Pending, asks: asks(&world), ..begun.clone() };
    assert!(unit.save_anchor(&changed).await.unwrap());
    let saved = Anchor { revision: 1, ..changed };
    assert_eq!(unit.find_anchor(&begun.root).await.unwrap().as_ref(), Some(&saved));
    assert!(!unit.save_anchor(&begun).await.unwrap(), "it is of the next revision already");
    drop(unit);
    // Whoever comes next need not wait for it.
    assert_eq!(find(&store, &begun.root).await.as_ref(), Some(&begun));
    assert!(save(&store, &begun).await);
}
