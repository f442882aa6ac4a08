//! `cargo bench -p artdag-anchoring`: medians of several rounds, each beside what it is measured against.
#![expect(clippy::print_stdout, reason = "a benchmark talks to the person at the terminal")]

use std::hint::black_box;
use std::time::Instant;

use artdag_anchoring::Digest;
use artdag_anchoring::log::{Appender, InclusionPlan, TileSet, Tree};

const ROUNDS: usize = 9;

fn main() {
    log();
}

fn log() {
    const LEAVES: usize = 100_000;
    let entries: Vec<Digest> = (0..LEAVES).map(|at| Digest::of(&at.to_be_bytes())).collect();

    // As much hashing as the tree is made of, in blocks of 64 bytes: one for a leaf, two for a node.
    let message = vec![7; (LEAVES + 2 * (LEAVES - 1)) * 64];
    let bare = median(|| Digest::of(&message));
    let build = median(|| entries.iter().copied().collect::<Tree>().root());
    let append = median(|| Appender::new().append(&entries).bundles().count());
    println!("build a tree of {LEAVES} leaves     {:>8.2} M leaves/s", rate(LEAVES, build));
    println!("  of the bare rate of SHA-256      {:>8.0} %", 100.0 * bare / build);
    println!("append {LEAVES} entries into tiles  {:>8.2} M leaves/s", rate(LEAVES, append));

    let tree: Tree = entries.iter().copied().collect();
    let size = tree.size();
    let paths = median(|| (0..size).filter(|at| tree.prove_inclusion(at * 7919 % size, size).is_ok()).count());
    println!("one inclusion path from memory     {:>8.3} µs", paths / LEAVES as f64 * 1e6);

    let mut tiles = TileSet::new();
    Appender::new().append(&entries).add_to(&mut tiles);
    let plans: Vec<_> = (0..1000).filter_map(|at| InclusionPlan::new(at * 97, size).ok()).collect();
    let from_tiles = median(|| plans.iter().filter(|plan| plan.prove(&tiles).is_ok()).count());
    println!("one inclusion path from tiles      {:>8.3} µs", from_tiles / plans.len() as f64 * 1e6);
    let proofs: Vec<_> = plans.iter().filter_map(|plan| plan.prove(&tiles).ok()).collect();
    let root = tree.root();
    let verify = median(|| proofs.iter().filter(|proof| proof.root(&entries[0]) == root).count());
    println!("checking one inclusion proof       {:>8.3} µs", verify / proofs.len() as f64 * 1e6);
}

/// Seconds that the middle one of the rounds took.
fn median<T>(mut work: impl FnMut() -> T) -> f64 {
    let mut taken: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            black_box(work());
            start.elapsed().as_secs_f64()
        })
        .collect();
    taken.sort_by(f64::total_cmp);
    taken[ROUNDS / 2]
}

/// Millions a second.
fn rate(count: usize, seconds: f64) -> f64 {
    count as f64 / seconds / 1e6
}
