use crate::world::{Db, World, add, bury, listed, tags, with_users};
use artdag_assets::{AssetFilter, DetailsPatch, SearchWords};

fn words(query: &str) -> AssetFilter {
    AssetFilter { words: Some(SearchWords::of(query)), ..AssetFilter::default() }
}

pub(crate) async fn finds_beginnings_of_words(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let long = "x".repeat(200);
    let texts = [
        ("Été à Paris", "sunset-over the_river", "Night"),
        ("effect:identity", "don't 3.14 v2", "C++"),
        ("日本語 テキスト", "ĲSSEL Straße ﬁne", "ŁÓDŹ"),
        ("👩‍🎨 only", "Ωmega Ⅷ ²", "𝒳yz"),
        ("the and or not near", "null true AND", "a"),
        ("Приве́т мир", "שלום עולם", "สวัสดี"),
        ("plain", &long, "१२३"),
    ];
    for (name, description, tag) in texts {
        let asset = world.asset_with(name, "giles", |new| {
            new.details.description = Some(description.parse().unwrap());
            new.details.tags = tags(&[tag]);
        });
        add(&store, &[&asset]).await;
    }
    // Both engines must give just this; an asset is told by the first letter of its name.
    for (query, found) in [
        ("ete", "É"),
        ("ÉTÉ", "É"),
        ("et par", "É"),
        ("aris", ""),
        ("sunset river night", "É"),
        ("sunset rivers", ""),
        ("SUN", "É"),
        ("the", "tÉ"),
        ("effect:id", "e"),
        ("identity effect", "e"),
        ("don t", "e"),
        ("3.1", "e"),
        ("c++", "e"),
        ("日本", "日"),
        ("本語", ""),
        ("テキ", "日"),
        ("ijss", "日"),
        ("straße", "日"),
        ("fin", "日"),
        ("łod", "日"),
        ("omega", ""),
        ("ωme", "👩"),
        ("viii", "👩"),
        ("2", "👩"),
        ("xyz", "👩"),
        ("and", "t"),
        ("or not near", "t"),
        ("null", "t"),
        ("привет", "П"),
        ("שלום", "П"),
        ("สว", "П"),
        ("१२", "p"),
        ("nothing", ""),
    ] {
        let names = listed(&store, &words(query)).await;
        let firsts: String = names.iter().map(|name| name.chars().next().unwrap()).collect();
        assert_eq!(firsts, found, "{query}");
    }
    assert_eq!(listed(&store, &words(&long)).await, ["plain"], "long words are cut on both sides");
}

pub(crate) async fn follows_changes(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let first = world.asset_with("a", "giles", |new| {
        new.details.description = Some("before both".parse().unwrap());
    });
    add(&store, &[&first]).await;
    let patch = DetailsPatch { description: Some(Some("after both".parse().unwrap())), ..DetailsPatch::default() };
    let second = first.edited(patch, world.now()).unwrap();
    let mut unit = store.begin().await.unwrap();
    assert!(unit.replace_asset(&second).await.unwrap());
    unit.commit().await.unwrap();
    assert_eq!(listed(&store, &words("before")).await, [""; 0]);
    assert_eq!(listed(&store, &words("after")).await, ["a"]);
    assert_eq!(listed(&store, &words("both")).await, ["a"]);
    bury(&store, &world, &second).await;
    assert_eq!(listed(&store, &words("both")).await, [""; 0]);
    add(&store, &[&world.asset("both", "giles")]).await;
    assert_eq!(listed(&store, &words("both")).await, ["both"]);
}

pub(crate) async fn takes_any_query(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    add(&store, &[&world.asset("a", "giles"), &world.asset("!", "giles")]).await;
    for query in [
        "'",
        "\"",
        "a'b",
        "a\"b",
        "a*",
        "a:*",
        "a & b",
        "a | !b",
        "(a",
        "^a",
        "a\\",
        "NEAR(a b)",
        "search_text:a",
        "a\u{0}b",
        "$1",
        "%",
    ] {
        listed(&store, &words(query)).await;
    }
    assert_eq!(listed(&store, &words("a*")).await, ["a"]);
    assert_eq!(listed(&store, &words(" '\"!")).await, ["!", "a"], "without a word every asset has all of them");
    listed(&store, &words(&"word ".repeat(99))).await;
}
