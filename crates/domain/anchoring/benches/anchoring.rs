//! `cargo xtask bench anchoring`: medians of several rounds, each beside what it is measured against.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to the person at the terminal")]

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use artdag_anchoring::Digest;
use artdag_anchoring::bitcoin::{BlockHeader, ChainRules, HeaderChain, Network, Retarget};
use artdag_anchoring::log::{Appender, InclusionPlan, TileSet, Tree};
use artdag_anchoring::ots::{Attestation, DetachedTimestamp, FileHash, Timestamp, inclusion_ops};

const ROUNDS: usize = 9;

fn main() {
    // `cargo test --benches` and lists of tests start this as well, and nobody waits for those.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    python();
    log();
    headers();
    proofs();
}

const LEAVES: usize = 100_000;

/// The reference, which is asked for the same work.
#[expect(clippy::disallowed_methods, reason = "benchmarks are told where their programs are by the environment")]
fn python() {
    let Some(python) = std::env::var_os("ARTDAG_TEST_PYTHON") else {
        eprintln!(
            "!! SKIPPED: python-opentimestamps: ARTDAG_TEST_PYTHON is not set; `cargo xtask bench anchoring` sets it"
        );
        return;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/interop/bench_ots.py");
    match Command::new(python).args([script, &LEAVES.to_string(), "3"]).output() {
        Ok(output) if output.status.success() => {
            println!("python-opentimestamps, the same tree {}", String::from_utf8_lossy(&output.stdout));
        }
        Ok(output) => eprintln!("!! python-opentimestamps failed: {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => eprintln!("!! python-opentimestamps does not start: {error}"),
    }
}

fn log() {
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

/// A chain of an easy network that has mainnet's rule for the target, which changes at each period.
fn headers() {
    const COUNT: usize = 100_000;
    let retarget = Retarget { interval: 2016, timespan: 14 * 24 * 60 * 60 };
    let genesis = *ChainRules::of(Network::Regtest).genesis();
    let Some(rules) = ChainRules::private(genesis, Some(retarget)) else { return };
    let mut mined = Mined { last: genesis, rules: HeaderChain::new(rules.clone()) };
    let headers: Vec<BlockHeader> = (0..COUNT).map_while(|_| mined.next()).collect();
    let bare = median(|| headers.iter().filter(|header| header.hash().as_bytes()[31] == 0).count());
    let check = median(|| HeaderChain::new(rules.clone()).accept(&headers).map(|change| change.added));
    let of_80 = size_of::<BlockHeader>();
    println!("check {COUNT} headers              {:>8.2} M headers/s, {of_80} bytes each", rate(headers.len(), check));
    println!("  of the bare rate of their hashes {:>8.0} %", 100.0 * bare / check);
}

struct Mined {
    last: BlockHeader,
    rules: HeaderChain,
}

impl Mined {
    /// The next header at 600 seconds, which keeps the target nearly where it is.
    fn next(&mut self) -> Option<BlockHeader> {
        let mut bytes = *self.last.as_bytes();
        bytes[4..36].copy_from_slice(self.last.hash().as_bytes());
        bytes[68..72].copy_from_slice(&(self.last.time() + 601).to_le_bytes());
        let next = (0..1000_u32).find_map(|nonce| {
            bytes[76..].copy_from_slice(&nonce.to_le_bytes());
            let header = BlockHeader::from_bytes(bytes);
            (header.has_its_work() && self.rules.accept(&[header]).is_ok()).then_some(header)
        });
        self.last = next?;
        next
    }
}

fn proofs() {
    const COUNT: u64 = 1000;
    let entries: Vec<Digest> = (0..COUNT).map(|at| Digest::of(&at.to_be_bytes())).collect();
    let tree: Tree = entries.iter().copied().collect();
    let make = || {
        let files = (0..COUNT).zip(&entries).filter_map(|(at, entry)| {
            let end = Timestamp::new(tree.root().as_bytes()).ok()?.attested(Attestation::Bitcoin(900_000));
            let path = inclusion_ops(&tree.prove_inclusion(at, COUNT).ok()?);
            let claimed = end.behind(entry.as_bytes(), path).ok()?;
            DetachedTimestamp::new(FileHash::sha256(*entry), claimed).ok()?.to_bytes().ok()
        });
        files.collect::<Vec<_>>()
    };
    let files = make();
    let made = median(make);
    let read = median(|| files.iter().filter(|file| DetachedTimestamp::parse(file).is_ok()).count());
    println!("making one .ots                    {:>8.3} µs", made / files.len() as f64 * 1e6);
    println!("reading one .ots                   {:>8.3} µs", read / files.len() as f64 * 1e6);

    // As many hashes as the limits allow, of the longest message, by the slowest function.
    let end = [0, 9, 9, 9, 9, 9, 9, 9, 9, 0];
    let mut ladder = end.to_vec();
    for _ in 0..95 {
        let forks = [0x02, 0x03, 0x08, 0x67].map(|hash| [&[0xff, hash][..], &end].concat()).concat();
        ladder = [forks, vec![0xf2], ladder].concat();
    }
    let ladder = [vec![0xf3; 7], ladder].concat();
    let worst = [vec![0xf2; 150_000], ladder.clone(), [&[0xff, 0xf2][..], &end].concat().repeat(20_000)];
    for (what, bytes) in ["nothing but reversals", "all hashes of 4 kB", "20,000 times the same"].iter().zip(worst) {
        let taken = median(|| Timestamp::parse(&[7; 32], &bytes).map(|read| read.attestations().len()));
        println!("hostile: {what:<25} {:>8.3} ms", taken * 1e3);
    }
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
