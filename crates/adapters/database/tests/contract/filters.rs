use crate::world::{Db, World, add, listed, made_from, publish, sequence, tags, username, with_users};
use artdag_assets::{Asset, AssetFilter, SearchWords};
use artdag_kernel::{ContentHash, Count};
use artdag_provenance::Provenance;
use serde_json::json;

/// `name owner type tags run`
const ROWS: [(&str, &str, &str, &[&str], &str); 5] = [
    ("one", "giles", "image", &["Art", "dog"], "r1"),
    ("two", "giles", "video", &["art"], "r1"),
    ("three", "ada", "image", &["ART", "Dog", "été"], "r2"),
    ("four", "ada", "video", &[], "r1"),
    ("five", "giles", "image", &["dog"], "r2"),
];

async fn filled(store: &Db) -> Vec<Asset> {
    let world = World::new();
    with_users(store, &world, &["giles", "ada"]).await;
    let assets = ROWS.map(|(name, owner, asset_type, tagged, run)| {
        world.asset_with(name, owner, |new| {
            new.details.asset_type = asset_type.parse().unwrap();
            new.details.tags = tags(tagged);
            new.provenance = Provenance::from_json(&json!({"run_id": run})).unwrap();
        })
    });
    add(store, &assets.each_ref()).await;
    for asset in &assets {
        publish(store, &[&world.claim(asset)]).await;
    }
    sequence(store).await;
    assets.to_vec()
}

/// Lists and counts.
async fn check(store: &Db, filter: AssetFilter, expected: &[&str]) {
    assert_eq!(listed(store, &filter).await, expected, "{filter:?}");
    let count = store.read().await.unwrap().count_assets(&filter).await.unwrap();
    assert_eq!(count, Count::Exactly(expected.len() as u64), "{filter:?}");
}

fn with(change: impl FnOnce(&mut AssetFilter)) -> AssetFilter {
    let mut filter = AssetFilter::default();
    change(&mut filter);
    filter
}

fn tagged(texts: &[&str]) -> Vec<artdag_assets::Tag> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

pub(crate) async fn alone(store: Db) {
    let assets = filled(&store).await;
    check(&store, AssetFilter::default(), &["five", "four", "three", "two", "one"]).await;
    check(&store, with(|f| f.owner = Some(username("giles"))), &["five", "two", "one"]).await;
    check(&store, with(|f| f.owner = Some(username("nobody"))), &[]).await;
    check(&store, with(|f| f.asset_type = Some("video".parse().unwrap())), &["four", "two"]).await;
    check(&store, with(|f| f.asset_type = Some("Video".parse().unwrap())), &[]).await;
    check(&store, with(|f| f.tags = tagged(&["aRt"])), &["three", "two", "one"]).await;
    check(&store, with(|f| f.tags = tagged(&["ÉTÉ"])), &["three"]).await;
    check(&store, with(|f| f.tags = tagged(&["ar"])), &[]).await;
    check(&store, with(|f| f.content_hash = Some(assets[1].content_hash)), &["two"]).await;
    check(&store, with(|f| f.run_id = Some("r1".parse().unwrap())), &["four", "two", "one"]).await;
    check(&store, with(|f| f.words = Some(SearchWords::of("dog"))), &["five", "three", "one"]).await;
}

pub(crate) async fn combined(store: Db) {
    let assets = filled(&store).await;
    check(&store, with(|f| f.tags = tagged(&["art", "dog"])), &["three", "one"]).await;
    check(&store, with(|f| f.tags = tagged(&["art", "ART", "dog", "été"])), &["three"]).await;
    let all = |f: &mut AssetFilter| {
        f.owner = Some(username("giles"));
        f.asset_type = Some("image".parse().unwrap());
        f.tags = tagged(&["dog"]);
        f.run_id = Some("r1".parse().unwrap());
        f.words = Some(SearchWords::of("one ar"));
    };
    check(&store, with(all), &["one"]).await;
    let and_hash = |hash: ContentHash| {
        with(|f| {
            all(f);
            f.content_hash = Some(hash);
        })
    };
    check(&store, and_hash(assets[0].content_hash), &["one"]).await;
    check(&store, and_hash(assets[1].content_hash), &[]).await;
    check(
        &store,
        with(|f| {
            f.owner = Some(username("ada"));
            f.run_id = Some("r1".parse().unwrap());
        }),
        &["four"],
    )
    .await;
}

pub(crate) async fn count_no_further_than_is_cheap(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let mut unit = store.begin().await.unwrap();
    for n in 0..10_001 {
        let asset = world.asset_with(&n.to_string(), "giles", |new| new.provenance = made_from(&[]));
        unit.add_asset(&asset).await.unwrap();
    }
    unit.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let images = with(|f| f.asset_type = Some("image".parse().unwrap()));
    assert_eq!(reader.count_assets(&images).await.unwrap(), Count::AtLeast(10_000));
    let one = with(|f| f.words = Some(SearchWords::of("10000")));
    assert_eq!(reader.count_assets(&one).await.unwrap(), Count::Exactly(1));
}
