//! Every export of every graph ends, is well-formed and tells of every node.

#[path = "../examples/sample/mod.rs"]
mod sample;

use artdag_kernel::{ContentHash, Instant};
use artdag_provenance::{ExportContext, Lineage, LineageAsset, LineageEdge, LineageNode, ProvFormat};
use proptest::prelude::*;
use serde_json::Value;

fn content(n: usize) -> ContentHash {
    ContentHash::of(&n.to_be_bytes())
}

prop_compose! {
    fn asset()(
        name in any::<String>(),
        asset_type in prop_oneof![Just("image".to_owned()), any::<String>()],
        owner in "[a-z0-9_]{1,30}",
        recipe in any::<Option<String>>(),
        l1_server in any::<Option<String>>(),
        run_id in any::<Option<String>>(),
    ) -> LineageAsset {
        LineageAsset {
            name,
            asset_type,
            owner,
            created_at: Instant::default(),
            recipe,
            l1_server,
            run_id: run_id.and_then(|id| id.parse().ok()),
        }
    }
}

/// Up to 40 nodes, with circles; a node is never its own input.
fn lineage() -> impl Strategy<Value = Lineage> {
    prop::collection::vec(prop::option::weighted(0.8, asset()), 1..40).prop_flat_map(|assets| {
        let count = assets.len();
        (Just(assets), prop::collection::btree_set((0..count, 0..count), 0..120), any::<bool>()).prop_map(
            |(assets, edges, is_complete)| Lineage {
                root: content(0),
                nodes: (0..)
                    .zip(assets)
                    .map(|(n, asset)| LineageNode { content_hash: content(n), distance: 0, asset })
                    .collect(),
                edges: edges
                    .into_iter()
                    .filter(|(made, from)| made != from)
                    .map(|(made, from)| LineageEdge { made: content(made), from: content(from) })
                    .collect(),
                is_complete,
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_export_is_whole(lineage in lineage()) {
        let context = ExportContext::new("https://art.example", Instant::default());
        for format in ProvFormat::ALL {
            let text = format.export(&lineage, &context);
            for node in &lineage.nodes {
                prop_assert!(text.contains(&node.content_hash.to_bare_hex()), "{format} forgets a node");
            }
            match format {
                ProvFormat::Json | ProvFormat::ProvJson | ProvFormat::JsonLd | ProvFormat::RoCrate => {
                    let document: Value = serde_json::from_str(&text).unwrap();
                    prop_assert!(document.is_object());
                }
                ProvFormat::ProvN => {
                    let statements = text.lines().filter(|line| line.starts_with("  wasDerivedFrom(")).count();
                    prop_assert_eq!(statements, lineage.edges.len());
                }
                ProvFormat::Dot => {
                    prop_assert_eq!(text.matches("\" -> \"").count() >= lineage.edges.len(), true);
                }
                ProvFormat::Svg => {
                    prop_assert_eq!(text.matches("<a href=").count(), lineage.nodes.len());
                    prop_assert_eq!(text.matches("url(#lineage-arrow)").count(), lineage.edges.len());
                    for place in text.split("translate(").skip(1).chain(text.split("<path d=\"M").skip(1)) {
                        let numbers = place.split([')', '"']).next().unwrap();
                        prop_assert!(!numbers.contains("NaN") && !numbers.contains("inf"), "nowhere: {numbers}");
                    }
                    prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
                }
            }
        }
    }
}

/// What the store may hand over at worst, in time that a request has.
#[test]
fn a_large_tangle_is_drawn() {
    let count = 1500;
    let mut edges: Vec<LineageEdge> = (0..count)
        .flat_map(|n| [(n, (n * 7 + 1) % count), (n, (n * 31 + 5) % count), ((n + 1) % count, n), (n, 0)])
        .filter(|(made, from)| made != from)
        .map(|(made, from)| LineageEdge { made: content(made), from: content(from) })
        .collect();
    edges.sort();
    edges.dedup();
    let nodes = (0..count).map(|n| LineageNode { content_hash: content(n), distance: 1, asset: None }).collect();
    let tangle = Lineage { root: content(0), nodes, edges, is_complete: true };
    let context = ExportContext::new("https://art.example", Instant::default());
    for format in ProvFormat::ALL {
        assert!(format.export(&tangle, &context).len() > count, "{format}");
    }
}

#[test]
fn the_picture_in_the_documentation_is_what_is_drawn_now() {
    let context = ExportContext::new("https://art.example", Instant::from_timestamp_secs(1_767_312_000).unwrap());
    let drawn = ProvFormat::Svg.export(&sample::lineage(60), &context);
    assert!(
        drawn == include_str!("../../../../docs/images/lineage.svg"),
        "run `cargo run -p artdag-provenance --example lineage_svg > docs/images/lineage.svg` and look at it"
    );
}
