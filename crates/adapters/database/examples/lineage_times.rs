//! How long a lineage takes on a graph of 100,000 assets, on both engines: `cargo run --release -p artdag-database
//! --example lineage_times`. Printed, not judged: machines differ.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a tool for developers")]

use artdag_database::testing::{fresh_postgres, fresh_sqlite};
use artdag_database::{DatabaseUrl, open};
use artdag_kernel::ContentHash;
use artdag_registry::Store;
use std::time::{Duration, Instant};

#[path = "../tests/contract/world.rs"]
#[expect(dead_code, reason = "made for more than this")]
mod world;

const ASSETS: usize = 100_000;
const DEPTH: u16 = 10;
/// What one render draws on: most of it recent, a little old, and for every other asset the same one.
const HUB: usize = 0;
/// A mesh of generations, each asset made from twenty of the generation before.
const MESH: std::ops::Range<usize> = 50_000..52_000;

fn hash(n: usize) -> ContentHash {
    ContentHash::of(n.to_string().as_bytes())
}

fn inputs(n: usize) -> Vec<usize> {
    if MESH.contains(&n) && n >= MESH.start + 100 {
        let before = n - n % 100 - 100;
        return (0..20).map(|k| before + (n * 7 + k * 5) % 100).collect();
    }
    // Deterministic and spread.
    let chance = |k: usize| (n.wrapping_mul(2_654_435_761) >> (k + 3)) % 1000;
    let mut inputs: Vec<usize> = (0..chance(0) % 5)
        .filter_map(|k| n.checked_sub(1 + if chance(k + 1) < 900 { chance(k + 2) } else { chance(k + 2) * 50 }))
        .collect();
    if n % 2 == 1 {
        inputs.push(HUB);
    }
    inputs
}

async fn fill(store: &world::Db, world: &world::World) {
    world::with_users(store, world, &["giles"]).await;
    for batch in (0..ASSETS).collect::<Vec<_>>().chunks(2000) {
        let mut unit = store.begin().await.unwrap();
        for &n in batch {
            let asset = world.asset_with(&n.to_string(), "giles", |new| {
                new.provenance = world::made_from(&inputs(n).into_iter().map(hash).collect::<Vec<_>>());
            });
            unit.add_asset(&asset).await.unwrap();
        }
        unit.commit().await.unwrap();
    }
}

async fn time(store: &dyn Store, what: &str, of: usize, max_nodes: u32) {
    let mut times: Vec<Duration> = Vec::new();
    let mut text = String::new();
    for _ in 0..20 {
        let mut reader = store.read().await.unwrap();
        let begun = Instant::now();
        let lineage = reader.lineage(&hash(of), DEPTH, max_nodes).await.unwrap();
        times.push(begun.elapsed());
        let deep = lineage.nodes.last().map_or(0, |node| node.distance.abs());
        let cut = if lineage.is_complete { "" } else { ", cut" };
        text = format!("{} nodes to distance {deep}, {} edges{cut}", lineage.nodes.len(), lineage.edges.len());
    }
    times.sort_unstable();
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "  {what:24} max {max_nodes:5}: median {:6.1} ms, slowest {:6.1} ms ({text})",
        ms(times[10]),
        ms(times[19])
    );
}

async fn measure(engine: &str, url: &DatabaseUrl) {
    let store = open(url, 4).await.unwrap();
    let world = world::World::new();
    let begun = Instant::now();
    fill(&store, &world).await;
    println!("{engine}: {ASSETS} assets, filled in {:.0} s", begun.elapsed().as_secs_f64());
    for max_nodes in [500, 2000] {
        for (what, of) in [
            ("a leaf", ASSETS - 2),
            ("in the middle", 70_001),
            ("input of every other", HUB),
            ("first of the mesh", MESH.start + 7),
            ("last of the mesh", MESH.end - 1),
        ] {
            time(store.as_ref(), what, of, max_nodes).await;
        }
    }
}

#[tokio::main]
async fn main() {
    let (url, _folder) = fresh_sqlite().await;
    measure("SQLite", &url).await;
    if let Some((url, _database)) = fresh_postgres().await {
        measure("PostgreSQL", &url).await;
    }
}
