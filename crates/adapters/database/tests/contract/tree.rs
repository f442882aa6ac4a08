use crate::world::{Db, World, publish, sequence, with_users};
use artdag_anchoring::checkpoint::{Checkpoint, NoteSignature, SignedCheckpoint, VerifierKey};
use artdag_anchoring::log::{Appender, BundleId, InclusionPlan, RootPlan, TileId, TileSet, Tree};
use artdag_anchoring::{Digest, LogHead, LogWitness};
use artdag_federation::{Activity, ActivityKind};
use artdag_kernel::{ActivityId, ContentHash, StoreError};
use chrono::TimeDelta;
use std::convert::Infallible;

pub(crate) fn entries(count: u32) -> Vec<Digest> {
    (0..count).map(|at| Digest::of(&at.to_be_bytes())).collect()
}

/// With a signature of nobody: the store does not check any.
pub(crate) fn checkpoint(origin: &str, size: u64, root: Digest) -> SignedCheckpoint {
    let key = VerifierKey::ed25519(origin.parse().unwrap(), [1; 32]);
    let checkpoint = Checkpoint::new(origin, size, root).unwrap();
    let Ok(signed) = SignedCheckpoint::sign(checkpoint, &key, 0, |_| Ok::<_, Infallible>([7; 64]));
    signed
}

/// Appends as the sequencer does: from nothing but what is stored.
pub(crate) async fn append(store: &Db, new: &[Digest]) -> bool {
    let from = store.read().await.unwrap().log_head().await.unwrap().tree_size;
    let mut unit = store.begin().await.unwrap();
    if !unit.advance_tree(from, from + new.len() as u64).await.unwrap() {
        unit.rollback().await.unwrap();
        return false;
    }
    let needed: Vec<TileId> = Appender::needs(from).collect();
    let tiles = unit.load_tiles(&needed).await.unwrap();
    let unfinished = match BundleId::at_size(from / 256, from) {
        Some(bundle) => unit.find_bundle(bundle).await.unwrap().unwrap().entries().to_vec(),
        None => Vec::new(),
    };
    let mut appender = Appender::resume(from, &tiles, &unfinished).unwrap();
    unit.write_tiles(&appender.append(new)).await.unwrap();
    unit.commit().await.unwrap();
    true
}

async fn root(store: &Db, size: u64) -> Digest {
    let plan = RootPlan::new(size);
    let needed: Vec<TileId> = plan.tiles().collect();
    let tiles = store.read().await.unwrap().load_tiles(&needed).await.unwrap();
    plan.root(&tiles).unwrap()
}

pub(crate) async fn is_found_as_it_was_written(store: Db) {
    let entries = entries(70_000);
    let tree: Tree = entries.iter().copied().collect();
    let mut at = 0;
    for size in [1, 255, 256, 257, 600, 65_536, 70_000] {
        assert!(append(&store, &entries[at..size]).await);
        at = size;
        assert_eq!(root(&store, size as u64).await, tree.root_at(size as u64).unwrap(), "{size}");
    }
    // What is full stays, and the narrower versions are still there.
    for size in [1, 200, 256, 300, 65_535, 65_793] {
        assert_eq!(root(&store, size).await, tree.root_at(size).unwrap(), "{size}");
    }
    let mut reader = store.read().await.unwrap();
    for index in [0, 255, 256, 65_535, 65_536, 69_999_u64] {
        let plan = InclusionPlan::new(index, 70_000).unwrap();
        let needed: Vec<TileId> = plan.tiles().collect();
        let tiles = reader.load_tiles(&needed).await.unwrap();
        plan.prove(&tiles).unwrap().verify(&entries[usize::try_from(index).unwrap()], &tree.root()).unwrap();
    }
    for (index, size) in [(0, 70_000), (273, 70_000), (273, 69_889), (3, 70_000), (0, 7)] {
        let bundle = BundleId::at_size(index, size).unwrap();
        let found = reader.find_bundle(bundle).await.unwrap().unwrap();
        let from = usize::try_from(index * 256).unwrap();
        assert_eq!(found.entries(), &entries[from..from + usize::from(bundle.width())], "{bundle}");
    }
}

pub(crate) async fn has_nothing_beyond_its_end(store: Db) {
    assert!(append(&store, &entries(300)).await);
    let mut reader = store.read().await.unwrap();
    for (level, index, size) in [(0, 1, 301), (0, 2, 513), (1, 0, 512), (2, 0, 65_536), (0, (1 << 56) - 1, u64::MAX)] {
        let tile = TileId::at_size(level, index, size).unwrap();
        assert!(reader.load_tiles(&[tile]).await.unwrap().bytes(tile).is_err(), "{tile}");
    }
    for (index, size) in [(1, 301), (1, 512), (2, 513), ((1 << 56) - 1, u64::MAX)] {
        assert_eq!(reader.find_bundle(BundleId::at_size(index, size).unwrap()).await.unwrap(), None);
    }
    let there = TileId::at_size(0, 1, 300).unwrap();
    assert_eq!(reader.load_tiles(&[there]).await.unwrap().bytes(there).unwrap().len(), 44 * 32);
    assert!(reader.load_tiles(&[]).await.unwrap().bytes(there).is_err());
}

pub(crate) async fn advances_from_its_size_alone(store: Db) {
    assert_eq!(store.read().await.unwrap().log_head().await.unwrap(), LogHead::default());
    assert!(append(&store, &entries(3)).await);
    let mut unit = store.begin().await.unwrap();
    for from in [0, 2, 4, u64::MAX] {
        assert!(!unit.advance_tree(from, 5).await.unwrap());
    }
    unit.commit().await.unwrap();
    let head = store.read().await.unwrap().log_head().await.unwrap();
    assert_eq!(head, LogHead { size: 0, tree_size: 3, signed_size: 0 });
}

pub(crate) async fn is_advanced_by_one_of_many(store: Db) {
    let new = entries(5);
    let one = || {
        let (store, new) = (store.clone(), new.clone());
        tokio::spawn(async move {
            let mut appended = 0;
            for _ in 0..20 {
                appended += u64::from(append(&store, &new).await);
            }
            appended
        })
    };
    let running = [one(), one(), one()];
    let mut appended = 0;
    for one in running {
        appended += one.await.unwrap();
    }
    assert!(appended > 0);
    assert_eq!(store.read().await.unwrap().log_head().await.unwrap().tree_size, 5 * appended);
    let expected: Tree = (0..appended).flat_map(|_| entries(5)).collect();
    assert_eq!(root(&store, 5 * appended).await, expected.root());
}

pub(crate) async fn checkpoints_are_listed_largest_first(store: Db) {
    let world = World::new();
    let of = |size: u64| checkpoint("art.example/log", size, Digest::of(&size.to_be_bytes()));
    assert_eq!(store.read().await.unwrap().newest_checkpoint().await.unwrap(), None);
    let mut unit = store.begin().await.unwrap();
    for size in [7, 300, 20] {
        unit.add_checkpoint(&of(size), world.now()).await.unwrap();
    }
    unit.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.log_head().await.unwrap().signed_size, 300);
    let newest = reader.newest_checkpoint().await.unwrap().unwrap();
    assert_eq!((newest.signed, newest.created_at), (of(300), world.now()));
    assert_eq!(reader.find_checkpoint(20).await.unwrap().unwrap().signed, of(20));
    for size in [0, 21, u64::MAX] {
        assert_eq!(reader.find_checkpoint(size).await.unwrap(), None);
    }
    for (before, limit, expected) in [
        (None, 9, &[300, 20, 7][..]),
        (None, 2, &[300, 20]),
        (Some(300), 9, &[20, 7]),
        (Some(7), 9, &[]),
        (Some(u64::MAX), 1, &[300]),
    ] {
        let kept = reader.list_checkpoints(before, limit).await.unwrap();
        let sizes: Vec<u64> = kept.iter().map(|kept| kept.signed.checkpoint().size()).collect();
        assert_eq!(sizes, expected, "{before:?}");
    }
}

pub(crate) async fn checkpoints_stay_as_they_are(store: Db) {
    let world = World::new();
    let mut unit = store.begin().await.unwrap();
    let first = checkpoint("art.example/log", 7, Digest::of(b"root"));
    unit.add_checkpoint(&first, world.now()).await.unwrap();
    unit.add_checkpoint(&checkpoint("other.example/log", 7, Digest::of(b"root")), world.now()).await.unwrap();
    let other = checkpoint("art.example/log", 7, Digest::of(b"another"));
    assert!(matches!(unit.add_checkpoint(&other, world.now()).await, Err(StoreError::Conflict(_))));
    unit.commit().await.unwrap();
    assert_eq!(store.read().await.unwrap().newest_checkpoint().await.unwrap().unwrap().signed, first);
}

fn witness(n: u8) -> VerifierKey {
    VerifierKey::cosignature_v1(format!("witness.example/{n}").parse().unwrap(), [n; 32])
}

fn cosignature(n: u8, signed: &SignedCheckpoint) -> NoteSignature {
    let Ok(signature) = witness(n).sign(signed.note().text(), 7, |_| Ok::<_, Infallible>([n; 64]));
    signature
}

async fn cosign(store: &Db, size: u64, signatures: &[NoteSignature]) -> bool {
    let mut unit = store.begin().await.unwrap();
    let added = unit.add_cosignatures(size, signatures).await.unwrap();
    unit.commit().await.unwrap();
    added
}

pub(crate) async fn cosignatures_are_added_once(store: Db) {
    let world = World::new();
    let (first, other) =
        (checkpoint("art.example/log", 7, Digest::of(b"7")), checkpoint("art.example/log", 9, Digest::of(b"9")));
    let mut unit = store.begin().await.unwrap();
    for signed in [&first, &other] {
        unit.add_checkpoint(signed, world.now()).await.unwrap();
    }
    unit.commit().await.unwrap();
    let signatures = [cosignature(1, &first), cosignature(2, &first)];
    assert!(cosign(&store, 7, &signatures[..1]).await);
    for _ in 0..2 {
        assert!(cosign(&store, 7, &signatures).await);
    }
    assert!(cosign(&store, 7, &[]).await);
    for size in [8, u64::MAX] {
        assert!(!cosign(&store, size, &signatures).await, "there is no such checkpoint");
    }
    let mut expected = first.clone();
    signatures.into_iter().for_each(|signature| expected.add(signature).unwrap());
    let mut reader = store.read().await.unwrap();
    let kept = reader.find_checkpoint(7).await.unwrap().unwrap();
    assert_eq!((kept.signed, kept.created_at), (expected.clone(), world.now()));
    assert_eq!(reader.newest_checkpoint().await.unwrap().unwrap().signed, other);
    drop(reader);
    // Whoever signs the same once more takes nothing away.
    let mut unit = store.begin().await.unwrap();
    unit.add_checkpoint(&first, world.now()).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(store.read().await.unwrap().find_checkpoint(7).await.unwrap().unwrap().signed, expected);
}

pub(crate) async fn cosignatures_added_by_many_all_stay(store: Db) {
    let signed = checkpoint("art.example/log", 7, Digest::of(b"7"));
    let mut unit = store.begin().await.unwrap();
    unit.add_checkpoint(&signed, World::new().now()).await.unwrap();
    unit.commit().await.unwrap();
    let adding: Vec<_> = (0..20)
        .map(|n| {
            let (store, signature) = (store.clone(), cosignature(n, &signed));
            tokio::spawn(async move { assert!(cosign(&store, 7, &[signature]).await) })
        })
        .collect();
    for one in adding {
        one.await.unwrap();
    }
    let kept = store.read().await.unwrap().find_checkpoint(7).await.unwrap().unwrap().signed;
    assert_eq!(kept.note().text(), signed.note().text());
    assert_eq!(kept.note().signatures().len(), 21);
    assert!((0..20).all(|n| kept.claims_signature_of(&witness(n))));
}

pub(crate) async fn witnesses_are_found_as_they_were_saved(store: Db) {
    let world = World::new();
    let save = async |witness: &LogWitness| {
        let mut unit = store.begin().await.unwrap();
        unit.save_log_witness(witness).await.unwrap();
        unit.commit().await.unwrap();
    };
    let new = LogWitness::new(witness(2), world.now());
    let failed = LogWitness {
        seen_size: 300,
        failures: u32::MAX,
        last_error: Some("it said \"é\"".to_owned()),
        due_at: world.now() + TimeDelta::hours(1),
        ..LogWitness::new(witness(1), world.now())
    };
    save(&new).await;
    save(&failed).await;
    assert_eq!(store.read().await.unwrap().log_witnesses().await.unwrap(), [failed, new]);
    // A witness may have lost what it saw.
    let later =
        LogWitness { seen_size: 20, cosigned_at: Some(world.now()), ..LogWitness::new(witness(1), world.now()) };
    save(&later).await;
    assert_eq!(store.read().await.unwrap().log_witnesses().await.unwrap()[0], later);
}

pub(crate) async fn documents_are_listed_in_the_logs_order(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let activities: Vec<Activity> =
        (0..5).map(|n| world.activity(ActivityKind::Create, "giles", ContentHash::of(&[n]))).collect();
    publish(&store, &[3, 0, 1, 2].map(|n: usize| &activities[n])).await;
    assert!(store.read().await.unwrap().list_documents(0, 10).await.unwrap().is_empty());
    sequence(&store).await;
    publish(&store, &[&activities[4]]).await;
    let mut reader = store.read().await.unwrap();
    for (from, limit, expected) in [(0, 10, 0..4), (1, 2, 1..3), (3, 1, 3..4), (4, 5, 4..4), (u64::MAX, 1, 0..0)] {
        let documents = reader.list_documents(from, limit).await.unwrap();
        let texts: Vec<&str> = documents.iter().map(artdag_federation::SignedDocument::as_str).collect();
        let expected = &activities[expected];
        let expected_texts: Vec<&str> = expected.iter().map(|activity| activity.document.as_str()).collect();
        assert_eq!(texts, expected_texts, "{limit} from {from}");
        let expected_ids: Vec<ActivityId> = expected.iter().map(|activity| activity.id).collect();
        assert_eq!(reader.list_activity_ids(from, limit).await.unwrap(), expected_ids, "{limit} from {from}");
    }
}

/// What was computed from an empty set proves nothing.
pub(crate) async fn of_nothing_has_no_tiles(store: Db) {
    assert!(Appender::needs(0).next().is_none());
    let mut unit = store.begin().await.unwrap();
    assert!(unit.advance_tree(0, 0).await.unwrap());
    unit.write_tiles(&Appender::new().append(&[])).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(RootPlan::new(0).root(&TileSet::new()).unwrap(), Tree::new().root());
    assert_eq!(root(&store, 0).await, Tree::new().root());
}
