//! A made-up lineage, the same every time, for pictures and tests.

use artdag_kernel::{ContentHash, Instant};
use artdag_provenance::{Lineage, LineageAsset, LineageEdge, LineageNode};
use std::collections::BTreeSet;

const RENDERER: &str = "https://l1.example";
/// What each generation is called, which type it has and by which recipe it was made.
const KINDS: [[(&str, &str, &str); 3]; 4] = [
    [("harbour-at-dawn", "image", ""), ("field-recording", "audio", ""), ("effect:dither", "effect", "")],
    [("beat-sync", "video", "beat-sync"), ("portrait", "image", "posterise"), ("loop", "audio", "time-stretch")],
    [
        ("montage", "video", "interleave"),
        ("collage of everything that was left over", "image", "collage"),
        ("été → nuit", "video", "crossfade"),
    ],
    [("exhibition cut", "video", "edit"), ("poster", "image", "print"), ("score", "audio", "mix-down")],
];

/// As many assets as asked for, in four generations that narrow towards the end. The first of the third generation is the root.
pub(crate) fn lineage(assets: usize) -> Lineage {
    let sizes = [assets * 2 / 5, assets * 3 / 10, assets / 5];
    let last = assets - sizes.iter().sum::<usize>();
    let generations: Vec<Vec<usize>> = sizes
        .into_iter()
        .chain([last])
        .scan(0, |first, size| {
            let these = (*first..*first + size).collect();
            *first += size;
            Some(these)
        })
        .collect();
    let mut chance = Chance(2026);
    let mut edges = BTreeSet::new();
    for (generation, nodes) in generations.iter().enumerate().skip(1) {
        let before = &generations[generation - 1];
        for (n, &made) in nodes.iter().enumerate() {
            // Mostly what stands near, sometimes something from far away or long ago.
            let near = n * before.len() / nodes.len();
            for step in 0..=chance.below(3) {
                edges.insert((made, before[(near + step) % before.len()]));
            }
            if chance.below(6) == 0 {
                let far = &generations[chance.below(generation)];
                edges.insert((made, far[chance.below(far.len())]));
            }
        }
        for (n, &from) in before.iter().enumerate() {
            if !edges.iter().any(|&(_, used)| used == from) {
                edges.insert((nodes[n * nodes.len() / before.len()], from));
            }
        }
    }
    let root = generations[2][0];
    let mut nodes: Vec<LineageNode> = generations
        .iter()
        .enumerate()
        .flat_map(|(generation, these)| these.iter().map(move |&n| node(n, generation, root)))
        .collect();
    nodes.sort_by_key(|node| (node.distance.abs(), node.content_hash));
    let mut edges: Vec<_> =
        edges.into_iter().map(|(made, from)| LineageEdge { made: content(made), from: content(from) }).collect();
    edges.sort();
    Lineage { root: content(root), nodes, edges, is_complete: true }
}

fn node(n: usize, generation: usize, root: usize) -> LineageNode {
    let (name, asset_type, recipe) = KINDS[generation][n % 3];
    let asset = LineageAsset {
        name: format!("{name}-{n:02}"),
        asset_type: asset_type.to_owned(),
        owner: ["giles", "ada", "mary_shelley"][n % 7 % 3].to_owned(),
        created_at: Instant::from_timestamp_secs(1_767_225_600 + 3600 * n as i64).unwrap_or_default(),
        recipe: (!recipe.is_empty()).then(|| recipe.to_owned()),
        l1_server: (!recipe.is_empty()).then(|| RENDERER.to_owned()),
        run_id: (!recipe.is_empty()).then(|| format!("run-{n}").parse().ok()).flatten(),
    };
    let distance = match [-2, -1, 0, 1][generation] {
        0 if n != root => 2,
        steps => steps,
    };
    // Some of what went in was never registered.
    let asset = (generation > 0 || n % 8 != 5).then_some(asset);
    LineageNode { content_hash: content(n), distance, asset }
}

fn content(n: usize) -> ContentHash {
    ContentHash::of(format!("asset {n}").as_bytes())
}

/// A linear congruential generator: chance that repeats.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}
