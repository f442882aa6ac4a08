use crate::tree::{append, checkpoint, entries};
use crate::world::{Db, World, add, anchor, bury, publish, sequence, with_users};
use artdag_anchoring::{Anchor, Digest};
use artdag_database::testing::{execute, fresh_postgres, fresh_sqlite};
use artdag_database::{DatabaseUrl, open};
use artdag_federation::{Activity, ActivityKind};
use artdag_kernel::ContentHash;
use std::ops::Range;

/// Three assets with their claims in the log, a claim that waits, 600 entries in the tree, and what is said of them.
async fn fill(store: &Db, world: &World) -> (Vec<Activity>, Vec<Anchor>) {
    with_users(store, world, &["giles"]).await;
    let assets: Vec<_> = ["a", "b", "c", "d"].map(|name| world.asset(name, "giles")).into();
    add(store, &assets.iter().collect::<Vec<_>>()).await;
    let claims: Vec<Activity> = assets.iter().map(|asset| world.claim(asset)).collect();
    publish(store, &claims[..3].iter().collect::<Vec<_>>()).await;
    sequence(store).await;
    publish(store, &[&world.activity(ActivityKind::Update, "giles", ContentHash::of(b"a"))]).await;
    bury(store, world, &assets[1]).await;
    assert!(append(store, &entries(600)).await);
    let mut unit = store.begin().await.unwrap();
    for size in [5, 300, 600] {
        unit.add_checkpoint(&checkpoint("art.example/log", size, Digest::of(&[7])), world.now()).await.unwrap();
    }
    unit.commit().await.unwrap();
    let anchors = vec![world.anchor(0..5), world.anchor(5..300), world.anchor(300..600)];
    anchor(store, &anchors).await;
    (claims, anchors)
}

pub(crate) async fn rows_are_read_by_the_range(store: Db) {
    let world = World::new();
    let (claims, anchors) = fill(&store, &world).await;
    let mut reader = store.read().await.unwrap();
    let ranges: [(Range<u64>, u16, Range<usize>); 5] = [
        (0..9, 9, 0..3),
        (1..2, 9, 1..2),
        (0..u64::MAX, 2, 0..2),
        (3..u64::MAX, 9, 3..3),
        (u64::MAX..u64::MAX, 9, 0..0),
    ];
    for (places, limit, expected) in ranges {
        let rows = reader.stored_activities(places.clone(), limit).await.unwrap();
        let found: Vec<_> = rows.into_iter().map(|(place, row)| (place, row.unwrap().id)).collect();
        let expected: Vec<_> = expected.map(|n| (n as u64, claims[n].id)).collect();
        assert_eq!(found, expected, "{places:?}");
    }
    for (sizes, limit, expected) in
        [(0..u64::MAX, 9, 0..3), (5..300, 9, 0..1), (6..601, 9, 1..3), (0..601, 1, 0..1), (601..u64::MAX, 9, 3..3)]
    {
        let rows = reader.stored_anchors(sizes.clone(), limit).await.unwrap();
        let found: Vec<_> = rows.into_iter().map(|(size, row)| (size, row.unwrap())).collect();
        let expected: Vec<_> = anchors[expected].iter().map(|anchor| (anchor.tree_size, anchor.clone())).collect();
        assert_eq!(found, expected, "{sizes:?}");
        let rows = reader.stored_checkpoints(sizes.clone(), limit).await.unwrap();
        let found: Vec<u64> = rows.iter().map(|(size, _)| *size).collect();
        assert_eq!(found, expected.iter().map(|(size, _)| *size).collect::<Vec<_>>(), "{sizes:?}");
        for (size, row) in rows {
            let row = row.unwrap();
            assert_eq!((row.root, row.signed.checkpoint().size()), (Digest::of(&[7]), size));
        }
    }
}

pub(crate) async fn tiles_are_read_by_their_index(store: Db) {
    assert!(append(&store, &entries(600)).await);
    let mut reader = store.read().await.unwrap();
    let widths =
        |tiles: Vec<(u64, Vec<u8>)>| tiles.iter().map(|(at, hashes)| (*at, hashes.len() / 32)).collect::<Vec<_>>();
    for level in [None, Some(0)] {
        assert_eq!(widths(reader.stored_tiles(level, 0..u64::MAX, 9).await.unwrap()), [(0, 256), (1, 256), (2, 88)]);
        assert_eq!(widths(reader.stored_tiles(level, 1..2, 9).await.unwrap()), [(1, 256)]);
        assert_eq!(widths(reader.stored_tiles(level, 1..9, 1).await.unwrap()), [(1, 256)]);
    }
    assert_eq!(widths(reader.stored_tiles(Some(1), 0..9, 9).await.unwrap()), [(0, 2)]);
    assert!(reader.stored_tiles(Some(2), 0..9, 9).await.unwrap().is_empty());
    let bundle = reader.stored_tiles(None, 2..3, 1).await.unwrap().remove(0).1;
    let expected: Vec<u8> = entries(600)[512..].iter().flat_map(|entry| *entry.as_bytes()).collect();
    assert_eq!(bundle, expected);
}

pub(crate) async fn live_assets_come_with_their_claims(store: Db) {
    let world = World::new();
    let (claims, _) = fill(&store, &world).await;
    let mut reader = store.read().await.unwrap();
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let rows = reader.stored_assets(after.as_deref(), 2).await.unwrap();
        let Some((last, _)) = rows.last() else { break };
        after = Some(last.clone());
        found.extend(rows.into_iter().map(|(_, row)| row.unwrap()));
    }
    let names: Vec<&str> = found.iter().map(|row| row.asset.name.as_str()).collect();
    assert_eq!(names, ["a", "c", "d"], "in the order of their ids, without the one that was deleted");
    let of = |at: usize| found[at].claim.as_ref().map(|claim| (claim.id, claim.index));
    assert_eq!(of(0), Some((claims[0].id, Some(0))));
    assert_eq!(of(1), Some((claims[2].id, Some(2))));
    assert_eq!(of(2), None, "it was never published");
}

async fn what_cannot_be_read_hides_no_other(url: &DatabaseUrl) {
    let store = open(url, 2).await.unwrap();
    fill(&store, &World::new()).await;
    for damage in [
        "update activities set kind = 'Wish' where log_index = 1",
        "update log_checkpoints set note = 'a note' where size = 300",
        "update anchors set proof = root where tree_size = 300",
        "update anchor_asks set calendar = '<b>' where tree_size = 600",
        "update assets set metadata = '{' where name = 'a'",
        "update activities set actor = 'giles', kind = 'Wish' where log_index = 2",
    ] {
        execute(url, damage).await;
    }
    let mut reader = store.read().await.unwrap();
    let told = |row: Result<(), artdag_kernel::StoreError>| row.map_err(|error| error.to_string());
    let activities = reader.stored_activities(0..9, 9).await.unwrap();
    let bad: Vec<u64> = activities.iter().filter(|(_, row)| row.is_err()).map(|(place, _)| *place).collect();
    assert_eq!((activities.len(), bad), (3, vec![1, 2]));
    let checkpoints = reader.stored_checkpoints(0..601, 9).await.unwrap();
    let checkpoints: Vec<_> = checkpoints.into_iter().map(|(size, row)| (size, told(row.map(drop)))).collect();
    let unreadable = Err("table log_checkpoints, row 300: column note cannot be read".to_owned());
    assert_eq!(checkpoints, [(5, Ok(())), (300, unreadable), (600, Ok(()))]);
    let anchors = reader.stored_anchors(0..601, 9).await.unwrap();
    let anchors: Vec<_> = anchors.into_iter().map(|(size, row)| (size, told(row.map(drop)))).collect();
    let [proof, ask] = ["anchors, row 300: column proof", "anchor_asks, row 600, 0: column calendar"]
        .map(|place| Err(format!("table {place} cannot be read")));
    assert_eq!(anchors[..2], [(5, Ok(())), (300, proof)]);
    assert_eq!(anchors[2], (600, ask));
    let assets = reader.stored_assets(None, 9).await.unwrap();
    let assets: Vec<bool> = assets.into_iter().map(|(_, row)| row.is_ok()).collect();
    assert_eq!(assets, [false, false, true], "one by itself, one by its claim");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_of_sqlite_hides_no_other() {
    let (url, _folder) = fresh_sqlite().await;
    what_cannot_be_read_hides_no_other(&url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_of_postgres_hides_no_other() {
    if let Some((url, _database)) = fresh_postgres().await {
        what_cannot_be_read_hides_no_other(&url).await;
    }
}
