use crate::world::{Db, World, add, bury, with_users};
use artdag_assets::Asset;
use artdag_kernel::ContentHash;
use artdag_provenance::{Lineage, LineageAsset, LineageEdge, Provenance};
use serde_json::json;

fn hash(name: &str) -> ContentHash {
    ContentHash::of(name.as_bytes())
}

/// Registers each with its inputs; an asset's content is its name.
async fn graph(store: &Db, world: &World, claims: &[(&str, &[&str])]) -> Vec<Asset> {
    with_users(store, world, &["giles"]).await;
    let made = claims.iter().map(|(name, inputs)| {
        world.asset_with(name, "giles", |new| {
            let inputs: Vec<_> = inputs.iter().map(|input| hash(input)).collect();
            new.provenance = Provenance::from_json(&json!({ "inputs": inputs })).unwrap();
        })
    });
    let made: Vec<Asset> = made.collect();
    add(store, &made.iter().collect::<Vec<_>>()).await;
    made
}

async fn lineage(store: &Db, of: &str, depth: u16, max_nodes: u32) -> Lineage {
    let lineage = store.read().await.unwrap().lineage(&hash(of), depth, max_nodes).await.unwrap();
    assert_eq!(lineage.root, hash(of));
    assert_eq!((lineage.nodes[0].content_hash, lineage.nodes[0].distance), (hash(of), 0));
    assert!(lineage.nodes.is_sorted_by_key(|node| (node.distance.abs(), node.content_hash)));
    assert!(lineage.edges.is_sorted_by(|a, b| a < b));
    lineage
}

/// The distances of these, in their order, when there are no others; only those in brackets have no asset.
fn assert_nodes(lineage: &Lineage, expected: &[(&str, i32)]) {
    assert_eq!(lineage.nodes.len(), expected.len(), "{:#?}", lineage.nodes);
    for (label, distance) in expected {
        let name = label.trim_matches(['(', ')']);
        let node = lineage.nodes.iter().find(|node| node.content_hash == hash(name)).expect(name);
        assert_eq!(node.distance, *distance, "{name}");
        let known = node.asset.as_ref().map(|asset| asset.name.as_str());
        assert_eq!(known, (name == *label).then_some(name), "{name}");
    }
}

fn assert_edges(lineage: &Lineage, expected: &[(&str, &str)]) {
    let mut edges: Vec<_> =
        expected.iter().map(|(made, from)| LineageEdge { made: hash(made), from: hash(from) }).collect();
    edges.sort();
    assert_eq!(lineage.edges, edges);
}

pub(crate) async fn tells_of_each_asset(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles", "ada"]).await;
    let claims = [
        json!({"recipe": "beat-sync", "l1_server": "https://l1.example", "run_id": "r 1"}),
        json!({"recipe": {"name": "ü", "bpm": 120}, "inputs": [hash("a")]}),
    ];
    let [a, b] = [("a", "giles"), ("b", "ada")].map(|(name, owner)| {
        let claim = &claims[usize::from(name == "b")];
        world.asset_with(name, owner, |new| new.provenance = Provenance::from_json(claim).unwrap())
    });
    add(&store, &[&a, &b]).await;
    let lineage = lineage(&store, "a", 1, 10).await;
    let told = LineageAsset {
        name: "a".to_owned(),
        asset_type: "image".to_owned(),
        owner: "giles".to_owned(),
        created_at: a.created_at,
        recipe: Some("beat-sync".to_owned()),
        l1_server: Some("https://l1.example".to_owned()),
        run_id: Some("r 1".parse().unwrap()),
    };
    assert_eq!(lineage.nodes[0].asset, Some(told));
    let other = lineage.nodes[1].asset.as_ref().unwrap();
    assert_eq!(other.recipe.as_deref(), Some("{\"bpm\":120,\"name\":\"ü\"}"));
    assert_eq!((other.owner.as_str(), &other.l1_server, &other.run_id), ("ada", &None, &None));
    assert!(lineage.is_complete);
}

pub(crate) async fn of_a_diamond_holds_each_once(store: Db) {
    let world = World::new();
    let claims: [(&str, &[&str]); 6] = [
        ("top", &[]),
        ("left", &["top"]),
        ("right", &["top"]),
        ("end", &["left", "right", "top"]),
        ("aside", &["left"]),
        ("alone", &[]),
    ];
    graph(&store, &world, &claims).await;
    let edges = [("left", "top"), ("right", "top"), ("end", "left"), ("end", "right"), ("end", "top")];
    let up = lineage(&store, "end", 10, 100).await;
    assert_nodes(&up, &[("end", 0), ("left", -1), ("right", -1), ("top", -1)]);
    assert_edges(&up, &edges);
    let down = lineage(&store, "top", 10, 100).await;
    assert_nodes(&down, &[("top", 0), ("left", 1), ("right", 1), ("end", 1), ("aside", 2)]);
    assert_edges(&down, &[edges.as_slice(), &[("aside", "left")]].concat());
    // Between the two, and not what else was made from the same.
    let middle = lineage(&store, "right", 10, 100).await;
    assert_nodes(&middle, &[("top", -1), ("right", 0), ("end", 1)]);
    assert_edges(&middle, &[("right", "top"), ("end", "right"), ("end", "top")]);
    assert!(up.is_complete && down.is_complete && middle.is_complete);
    let alone = lineage(&store, "alone", 10, 100).await;
    assert_nodes(&alone, &[("alone", 0)]);
    assert!(alone.is_complete);
}

pub(crate) async fn of_a_chain_ends_at_the_depth(store: Db) {
    let world = World::new();
    let names: Vec<String> = (0..12).map(|n| n.to_string()).collect();
    let inputs: Vec<Vec<&str>> =
        (0..12).map(|n: usize| n.checked_sub(1).map(|n| names[n].as_str()).into_iter().collect()).collect();
    let claims: Vec<(&str, &[&str])> = names.iter().map(String::as_str).zip(inputs.iter().map(Vec::as_slice)).collect();
    graph(&store, &world, &claims).await;
    for (depth, is_complete) in [(0, false), (1, false), (5, false), (6, true), (7, true), (100, true)] {
        let lineage = lineage(&store, "5", depth, 100).await;
        let reach = i32::from(depth);
        let expected: Vec<(&str, i32)> =
            names.iter().map(String::as_str).zip(-5_i32..).filter(|(_, distance)| distance.abs() <= reach).collect();
        assert_nodes(&lineage, &expected);
        assert_eq!(lineage.edges.len(), expected.len() - 1, "a chain's links");
        assert_eq!(lineage.is_complete, is_complete, "depth {depth}");
    }
}

pub(crate) async fn of_a_circle_ends(store: Db) {
    let world = World::new();
    let claims: [(&str, &[&str]); 4] = [("a", &["d"]), ("b", &["a"]), ("c", &["b"]), ("d", &["c", "?"])];
    graph(&store, &world, &claims).await;
    let edges = [("a", "d"), ("b", "a"), ("c", "b"), ("d", "c"), ("d", "?")];
    let whole = lineage(&store, "a", 100, 100).await;
    assert_nodes(&whole, &[("a", 0), ("d", -1), ("b", 1), ("c", -2), ("(?)", -2)]);
    assert_edges(&whole, &edges);
    assert!(whole.is_complete);
    // All are there, though none of the ways around was walked to its end.
    let near = lineage(&store, "a", 2, 100).await;
    assert_eq!(near, whole);
    let cut = lineage(&store, "a", 1, 100).await;
    assert_nodes(&cut, &[("a", 0), ("d", -1), ("b", 1)]);
    assert_edges(&cut, &[("a", "d"), ("b", "a")]);
    assert!(!cut.is_complete);
}

/// Each was registered before the other's content was known.
pub(crate) async fn of_two_made_from_each_other_ends(store: Db) {
    let world = World::new();
    graph(&store, &world, &[("a", &["b"]), ("b", &["a"]), ("self", &["self"])]).await;
    for depth in [1, 50] {
        let both = lineage(&store, "a", depth, 2).await;
        assert_nodes(&both, &[("a", 0), ("b", -1)]);
        assert_edges(&both, &[("a", "b"), ("b", "a")]);
        assert!(both.is_complete);
    }
    let own = lineage(&store, "self", 0, 1).await;
    assert_nodes(&own, &[("self", 0)]);
    assert_edges(&own, &[("self", "self")]);
    assert!(own.is_complete);
}

pub(crate) async fn shows_what_nobody_registered(store: Db) {
    let world = World::new();
    graph(&store, &world, &[("a", &["?", "!"]), ("b", &["a", "?"])]).await;
    let of_known = lineage(&store, "b", 10, 100).await;
    assert_nodes(&of_known, &[("b", 0), ("a", -1), ("(?)", -1), ("(!)", -2)]);
    assert_edges(&of_known, &[("a", "?"), ("a", "!"), ("b", "a"), ("b", "?")]);
    let of_unknown = lineage(&store, "!", 10, 100).await;
    assert_nodes(&of_unknown, &[("(!)", 0), ("a", 1), ("b", 2)]);
    assert!(of_known.is_complete && of_unknown.is_complete);
    let nothing = lineage(&store, "never", 10, 100).await;
    assert_nodes(&nothing, &[("(never)", 0)]);
    assert!(nothing.is_complete);
}

pub(crate) async fn does_not_follow_withdrawn_claims(store: Db) {
    let world = World::new();
    let assets = graph(&store, &world, &[("a", &[]), ("b", &["a"]), ("c", &["b"])]).await;
    bury(&store, &world, &assets[1]).await;
    let up = lineage(&store, "c", 10, 100).await;
    assert_nodes(&up, &[("c", 0), ("(b)", -1)]);
    assert_edges(&up, &[("c", "b")]);
    let down = lineage(&store, "a", 10, 100).await;
    assert_nodes(&down, &[("a", 0)]);
    let deleted = lineage(&store, "b", 10, 100).await;
    assert_nodes(&deleted, &[("(b)", 0), ("c", 1)]);
    assert!(up.is_complete && down.is_complete && deleted.is_complete);
}

pub(crate) async fn keeps_the_nearest_when_there_are_too_many(store: Db) {
    let world = World::new();
    let many: Vec<String> = (0..1500).map(|n| format!("child {n}")).collect();
    let mut claims: Vec<(&str, &[&str])> =
        vec![("far", &[]), ("near", &["far"]), ("root", &["near"]), ("last", &["child 7", "child 1499"])];
    claims.extend(many.iter().map(|name| (name.as_str(), ["root"].as_slice())));
    graph(&store, &world, &claims).await;
    let cut = lineage(&store, "root", 10, 30).await;
    assert_eq!((cut.nodes.len(), cut.edges.len(), cut.is_complete), (30, 29, false));
    assert!(cut.nodes.iter().all(|node| node.distance == 0 || node.content_hash == hash("near") || node.distance == 1));
    assert_eq!(lineage(&store, "root", 10, 30).await, cut, "always the same ones");

    for (max_nodes, is_complete) in [(1503, false), (1504, true), (u32::MAX, true)] {
        let lineage = lineage(&store, "root", 10, max_nodes).await;
        assert_eq!((lineage.nodes.len(), lineage.is_complete), (1503 + usize::from(is_complete), is_complete));
    }
    let shallow = lineage(&store, "root", 1, 2000).await;
    assert_eq!((shallow.nodes.len(), shallow.is_complete), (1502, false));
    for max_nodes in [0, 1] {
        let root = lineage(&store, "root", 10, max_nodes).await;
        assert_nodes(&root, &[("root", 0)]);
        assert!(!root.is_complete);
    }
}
