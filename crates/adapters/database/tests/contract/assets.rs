use crate::world::{
    Db, World, add, bury, first_page, listed, made_from, name, publish, sequence, tags, try_add, username, with_users,
};
use artdag_assets::{Asset, AssetFilter, DetailsPatch, Metadata, Registered, parse_cid};
use artdag_kernel::{ContentHash, StoreError};
use artdag_provenance::Provenance;
use serde_json::json;

const CID: &str = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";

fn live(found: Option<Registered>) -> Asset {
    match found {
        Some(Registered::Live(asset)) => *asset,
        other => panic!("{other:?}"),
    }
}

fn full(world: &World, name: &str) -> Asset {
    world.asset_with(name, "giles", |new| {
        new.cid = Some(parse_cid(CID).unwrap());
        new.provenance = Provenance::from_json(&json!({
            "inputs": [ContentHash::of(b"1"), ContentHash::of(b"2")], "recipe": {"name": "beat-sync", "bpm": 1e300},
            "run_id": "r-1", "l1_server": "https://l1.example", "effects": ["dog", null, 12345678901234567890_u64],
        }))
        .unwrap();
        new.details.tags = tags(&["Art", "généré", "##x"]);
        new.details.description = Some("two\nlines".parse().unwrap());
        new.details.url = Some("https://art.example/x y".parse().unwrap());
        new.details.metadata = Some(Metadata::try_from(json!({"fps": 25, "f": 0.1, "nul": "\u{0}"})).unwrap());
    })
}

pub(crate) async fn are_found_as_they_were_added(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let (plain, full) = (world.asset("plain", "giles"), full(&world, "full"));
    add(&store, &[&plain, &full]).await;
    let mut reader = store.read().await.unwrap();
    for asset in [&plain, &full] {
        assert_eq!(&live(reader.find_asset(&asset.name).await.unwrap()), asset);
        assert_eq!(&live(reader.find_asset_by_hash(&asset.content_hash).await.unwrap()), asset);
    }
    assert_eq!(reader.find_asset(&name("FULL")).await.unwrap(), None, "names are compared byte by byte");
    assert_eq!(reader.find_asset_by_hash(&ContentHash::of(b"?")).await.unwrap(), None);
    let all = reader.list_assets(&AssetFilter::default(), first_page()).await.unwrap();
    assert_eq!(all.items, [full, plain]);
}

pub(crate) async fn are_replaced_only_by_the_next_revision(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let first = full(&world, "a");
    add(&store, &[&first]).await;
    world.wait(1);
    let patch = DetailsPatch { tags: Some(tags(&["new"])), description: Some(None), ..DetailsPatch::default() };
    let second = first.edited(patch, world.now()).unwrap();
    let mut unit = store.begin().await.unwrap();
    assert!(unit.replace_asset(&second).await.unwrap());
    assert!(!unit.replace_asset(&second).await.unwrap(), "somebody else made the next revision");
    unit.commit().await.unwrap();

    let late = DetailsPatch { asset_type: Some("video".parse().unwrap()), ..DetailsPatch::default() };
    let mut unit = store.begin().await.unwrap();
    assert!(!unit.replace_asset(&first.edited(late, world.now()).unwrap()).await.unwrap());
    let unknown = world.asset("unknown", "giles");
    assert!(!unit.replace_asset(&Asset { revision: 0, ..unknown }).await.unwrap());
    unit.commit().await.unwrap();

    assert_eq!(live(store.read().await.unwrap().find_asset(&first.name).await.unwrap()), second);
    let by_tag = |tag: &str| AssetFilter { tags: vec![tag.parse().unwrap()], ..AssetFilter::default() };
    assert_eq!(listed(&store, &by_tag("new")).await, ["a"]);
    assert_eq!(listed(&store, &by_tag("art")).await, [""; 0]);
}

pub(crate) async fn are_buried_only_at_their_revision(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let asset = full(&world, "a");
    add(&store, &[&asset]).await;
    let tombstone = asset.bury(world.id(), world.now());
    let mut unit = store.begin().await.unwrap();
    assert!(!unit.bury_asset(&tombstone, 2).await.unwrap());
    assert!(unit.bury_asset(&tombstone, 1).await.unwrap());
    assert!(!unit.bury_asset(&tombstone, 1).await.unwrap(), "it is gone");
    assert!(!unit.replace_asset(&Asset { revision: 2, ..asset.clone() }).await.unwrap());
    unit.commit().await.unwrap();

    let mut reader = store.read().await.unwrap();
    let found = reader.find_asset(&asset.name).await.unwrap();
    assert_eq!(found, Some(Registered::Deleted(tombstone.clone())));
    assert_eq!(reader.find_asset_by_hash(&asset.content_hash).await.unwrap(), found);
    for filter in [
        AssetFilter::default(),
        AssetFilter { owner: Some(username("giles")), ..AssetFilter::default() },
        AssetFilter { tags: vec!["art".parse().unwrap()], ..AssetFilter::default() },
        AssetFilter { content_hash: Some(asset.content_hash), ..AssetFilter::default() },
        AssetFilter { run_id: Some("r-1".parse().unwrap()), ..AssetFilter::default() },
    ] {
        assert_eq!(listed(&store, &filter).await, [""; 0], "{filter:?}");
    }
}

pub(crate) async fn leave_a_tombstone_until_the_name_is_taken_again(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let first = world.asset("a", "giles");
    add(&store, &[&first]).await;
    bury(&store, &world, &first).await;
    let second = world.asset_with("a", "giles", |new| new.content_hash = ContentHash::of(b"second"));
    add(&store, &[&second]).await;
    let mut reader = store.read().await.unwrap();
    assert_eq!(live(reader.find_asset(&first.name).await.unwrap()), second);
    let by_hash = reader.find_asset_by_hash(&first.content_hash).await.unwrap();
    assert!(matches!(by_hash, Some(Registered::Deleted(t)) if t.id == first.id));
    assert!(matches!(try_add(&store, &world.asset("a", "giles")).await, Err(StoreError::Conflict(_))));

    let newest = bury(&store, &world, &second).await;
    assert_eq!(reader.find_asset(&first.name).await.unwrap(), Some(Registered::Deleted(newest)));
}

pub(crate) async fn show_the_place_of_their_claim(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let (a, b) = (world.asset("a", "giles"), world.asset("b", "giles"));
    add(&store, &[&a, &b]).await;
    publish(&store, &[&world.claim(&a)]).await;
    sequence(&store).await;
    publish(&store, &[&world.claim(&b)]).await;
    let mut reader = store.read().await.unwrap();
    assert_eq!(live(reader.find_asset(&a.name).await.unwrap()).claim_index, Some(0));
    assert_eq!(live(reader.find_asset(&b.name).await.unwrap()).claim_index, None);
    let all = reader.list_assets(&AssetFilter::default(), first_page()).await.unwrap();
    assert_eq!(all.items.iter().map(|a| a.claim_index).collect::<Vec<_>>(), [None, Some(0)]);
}

pub(crate) async fn keep_hostile_text(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let long = "𝒳".repeat(255);
    let texts =
        ["'; drop table assets; --", "\"q\"", "%", "_", "a\\b", "👩‍🎨 été", "$1", "?", ":x", "#", "a\u{301}b", &long];
    for text in texts {
        let asset = world.asset_with(text, "giles", |new| {
            new.details.tags = tags(&[&format!("t{}", text.chars().take(60).collect::<String>())]);
            new.details.description = Some(format!("{text}\n{text}").parse().unwrap());
            new.details.asset_type = text.chars().take(64).collect::<String>().parse().unwrap();
            new.details.metadata = Some(Metadata::try_from(json!({text: [text, "\u{0}\u{1}", "\\u0000"]})).unwrap());
        });
        add(&store, &[&asset]).await;
        let mut reader = store.read().await.unwrap();
        assert_eq!(live(reader.find_asset(&asset.name).await.unwrap()), asset);
        for filter in [
            AssetFilter { tags: asset.details.tags.as_slice().to_vec(), ..AssetFilter::default() },
            AssetFilter { asset_type: Some(asset.details.asset_type.clone()), ..AssetFilter::default() },
        ] {
            assert_eq!(listed(&store, &filter).await, [asset.name.to_string()]);
        }
    }
}

pub(crate) async fn keep_the_largest_that_the_domain_allows(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    // As long as it may be in the spelling that was sent, which is not the one that `to_json` has.
    let hashes: Vec<String> = (0..960_u32).map(|n| ContentHash::of(&n.to_be_bytes()).to_bare_hex()).collect();
    let room = Provenance::MAX_BYTES - json!({"inputs": hashes, "x": ""}).to_string().len();
    let provenance = Provenance::from_json(&json!({"inputs": hashes, "x": "y".repeat(room)})).unwrap();
    let alone = Provenance::from_json(&json!({"x": "y".repeat(Provenance::MAX_BYTES - 8)})).unwrap();
    let many: Vec<String> = (0..50).map(|n| format!("{n:0>64}")).collect();
    let asset = world.asset_with("a", "giles", |new| {
        new.provenance = provenance;
        new.details.tags = tags(&many.iter().map(String::as_str).collect::<Vec<_>>());
        new.details.description = Some("ﷺ ".repeat(2500).parse().unwrap());
        let room = Metadata::MAX_BYTES - json!({"x": ""}).to_string().len();
        new.details.metadata = Some(Metadata::try_from(json!({"x": "y".repeat(room)})).unwrap());
    });
    let other = world.asset_with("b", "giles", |new| new.provenance = alone);
    add(&store, &[&asset, &other]).await;
    let mut reader = store.read().await.unwrap();
    assert_eq!(live(reader.find_asset(&asset.name).await.unwrap()), asset);
    assert_eq!(live(reader.find_asset(&other.name).await.unwrap()), other);
}

pub(crate) async fn know_what_was_made_from_them(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let input = world.asset("input", "giles");
    let made = ["a", "b", "c"].map(|text| {
        world.asset_with(text, "giles", |new| {
            new.provenance = made_from(&[ContentHash::of(b"?"), input.content_hash]);
        })
    });
    add(&store, &[&made[0], &input, &made[1], &made[2]]).await;
    bury(&store, &world, &made[1]).await;
    let mut reader = store.read().await.unwrap();
    let hash = input.content_hash;
    let mut names = reader.assets_made_from(&hash, 10).await.unwrap();
    names.sort();
    assert_eq!(names, [name("a"), name("c")]);
    assert_eq!(reader.assets_made_from(&hash, 1).await.unwrap().len(), 1);
    assert_eq!(reader.assets_made_from(&ContentHash::of(b"?"), 10).await.unwrap().len(), 2);
    assert_eq!(reader.assets_made_from(&made[0].content_hash, 10).await.unwrap(), []);
}

pub(crate) async fn reserve_what_another_left_behind(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles", "ada"]).await;
    let (a, b) = (world.asset("a", "giles"), world.asset("b", "giles"));
    add(&store, &[&a, &b]).await;
    let mut reader = store.read().await.unwrap();
    let nothing = reader.reserved_for_another(&a.name, &a.content_hash, &username("ada")).await.unwrap();
    assert_eq!(nothing, None, "a live asset is a conflict, not a reservation");
    let (a_left, b_left) = (bury(&store, &world, &a).await, bury(&store, &world, &b).await);

    let free = ContentHash::of(b"free");
    for (name_of, hash, owner, expected) in [
        ("a", free, "ada", Some(&a_left)),
        ("free", a.content_hash, "ada", Some(&a_left)),
        ("a", b.content_hash, "ada", Some(&b_left)),
        ("b", a.content_hash, "ada", Some(&b_left)),
        ("a", a.content_hash, "giles", None),
        ("free", free, "ada", None),
    ] {
        let found = reader.reserved_for_another(&name(name_of), &hash, &username(owner)).await.unwrap();
        assert_eq!(found.as_ref(), expected, "{name_of} {owner}");
    }
}

pub(crate) async fn are_found_by_their_id_until_they_are_deleted(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let (asset, other) = (world.asset("a", "giles"), world.asset("b", "giles"));
    add(&store, &[&asset, &other]).await;
    publish(&store, &[&world.claim(&asset)]).await;
    sequence(&store).await;
    let mut reader = store.read().await.unwrap();
    let placed = Asset { claim_index: Some(0), ..asset.clone() };
    assert_eq!(reader.find_asset_by_id(asset.id).await.unwrap(), Some(placed));
    assert_eq!(reader.find_asset_by_id(other.id).await.unwrap(), Some(other));
    assert_eq!(reader.find_asset_by_id(world.id()).await.unwrap(), None);
    bury(&store, &world, &asset).await;
    assert_eq!(reader.find_asset_by_id(asset.id).await.unwrap(), None);
}
