//! The log: paths of tiles, bundles, proofs of any numbers, and tiles against a tree in memory.

#![no_main]

use artdag_anchoring::Digest;
use artdag_anchoring::log::{
    Appender, ConsistencyPlan, ConsistencyProof, EntryBundle, InclusionPlan, InclusionProof, RootPlan, TilePath,
    TileSet, Tree,
};
use artdag_fuzz::{Input, fuzz_target, plant};

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    if let Some(path) = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<TilePath>().ok()) {
        assert_eq!(path.to_string().as_bytes(), bytes);
    }
    let mut input = Input(bytes);
    any_numbers(&mut input);
    grown_log(&mut input);
});

/// Sizes up to the largest: nothing may run over.
fn any_numbers(input: &mut Input<'_>) {
    let (index, size) = (input.number(), input.number());
    if let Ok(plan) = InclusionPlan::new(index, size) {
        assert!(plan.tiles().count() <= 16);
        assert!(plan.prove(&TileSet::new()).is_err() || size == 1);
    }
    if let Ok(plan) = ConsistencyPlan::new(index, size) {
        assert!(plan.tiles().count() <= 16);
    }
    assert!(RootPlan::new(size).tiles().count() <= 8);
    let hashes = vec![Digest::of(b"a"); usize::try_from(input.below(70)).expect("it is small")];
    if let Ok(proof) = InclusionProof::new(index, size, hashes.clone()) {
        assert!(proof.verify(&Digest::of(b"b"), &Digest::default()).is_err());
    }
    if let Ok(proof) = ConsistencyProof::new(index, size, hashes) {
        let _ = proof.verify(&Digest::of(b"b"), &Digest::of(b"c"));
    }
}

fn grown_log(input: &mut Input<'_>) {
    let size = input.below(1200);
    let entries: Vec<Digest> = (0..size).map(|at| Digest::of(&at.to_be_bytes())).collect();
    let mut appender = Appender::new();
    let mut tiles = TileSet::new();
    let mut rest = &entries[..];
    while !rest.is_empty() {
        // All that is left when the input says no more.
        let step = if input.0.is_empty() { rest.len() } else { input.below(300) as usize + 1 };
        let (now, later) = rest.split_at(step.min(rest.len()));
        let appended = appender.append(now);
        appended.add_to(&mut tiles);
        for (bundle, bytes) in appended.bundles() {
            let read = EntryBundle::parse(bundle, &bytes).expect("what was written is a bundle");
            let first = usize::try_from(bundle.index() * 256).expect("it is small");
            assert_eq!(read.entries(), &entries[first..first + usize::from(bundle.width())]);
        }
        rest = later;
        if input.below(2) == 0 {
            let last = usize::try_from(appender.size() / 256 * 256).expect("it is small");
            let end = entries.len() - rest.len();
            appender = Appender::resume(appender.size(), &tiles, &entries[last..end]).expect("everything is there");
        }
    }
    let tree: Tree = entries.iter().copied().collect();
    assert_eq!(appender.root(), tree.root());
    if size > 0 {
        let at = 1 + input.below(size);
        let index = input.below(at);
        let plan = InclusionPlan::new(index, at).expect("the index is below");
        assert_eq!(plan.prove(&tiles).ok(), tree.prove_inclusion(index, at).ok());
        let plan = ConsistencyPlan::new(index, at).expect("the size is below");
        let proof = plan.prove(&tiles).expect("everything is there");
        let root = |size| tree.root_at(size).expect("the size is below");
        assert_eq!(proof.verify(&root(index), &root(at)), Ok(()));
    }
}

/// Paths of each kind.
fn seeds() -> Vec<Vec<u8>> {
    let paths =
        ["0/x001/x234/067", "1/000.p/17", "entries/x001/273.p/112", "7/000.p/255", "0/x072/x057/x594/x037/x927/935"];
    paths.map(|path| path.as_bytes().to_vec()).to_vec()
}
