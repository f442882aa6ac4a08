//! The log from outside: known answers of RFC 6962, and that everything agrees with everything.

#![expect(clippy::unwrap_used, reason = "a test's helper may stop the test")]

use artdag_anchoring::Digest;
use artdag_anchoring::log::{
    Appender, BundleId, CannotResume, ConsistencyPlan, ConsistencyProof, EntryBundle, Frontier, InclusionPlan,
    InclusionProof, MissingTile, ProofError, RootPlan, TileId, TileSet, Tree, empty_root, leaf_hash, node_hash,
};
use proptest::prelude::*;

fn entries(count: u64) -> Vec<Digest> {
    (0..count).map(|at| Digest::of(&at.to_be_bytes())).collect()
}

/// RFC 6962, section 2.1: the recursive definition.
fn root_by_definition(entries: &[Digest]) -> Digest {
    match entries {
        [] => empty_root(),
        [entry] => leaf_hash(entry),
        _ => {
            let (left, right) = entries.split_at(entries.len().next_power_of_two() / 2);
            node_hash(&root_by_definition(left), &root_by_definition(right))
        }
    }
}

fn digest(hex: &str) -> Digest {
    hex.parse().unwrap()
}

#[test]
fn the_empty_root_is_the_one_of_the_rfc() {
    let expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(empty_root(), digest(expected));
    for root in [Tree::new().root(), Frontier::new().root(), Appender::new().root()] {
        assert_eq!(root, digest(expected));
    }
    assert_eq!(RootPlan::new(0).root(&TileSet::new()), Ok(digest(expected)));
}

/// Computed with hashlib: a leaf is `sha256(00 || sha256(text))`, a node `sha256(01 || left || right)`.
#[test]
fn known_roots() {
    let entries: Vec<_> = ["a", "b", "c", "d", "e"].iter().map(|text| Digest::of(text.as_bytes())).collect();
    for (size, root) in KNOWN_ROOTS.iter().enumerate() {
        assert_eq!(entries[..size + 1].iter().copied().collect::<Tree>().root(), digest(root));
    }
}

const KNOWN_ROOTS: [&str; 5] = [
    "a23bd5b06da9048238a65b3f1d9d0b9e15fae3dde262688e6489aa4c763d1820",
    "ad5ca6cddc0b27c6a83e332bf28011769236e6c6a1f786ebf7b5267b37a5bd22",
    "cac3d448d4e20a2ad5eae1f500e63c2a7f9217cd14572ba7fd22e26dc1ec2648",
    "3baac34fdbf4f2297a37c0613822d0c48efdcd6602ca7a4f48ceb31339ffb3d5",
    "4dc1abc938a0141a3c7cd1fed88948c35c4452e7e8aff9b1503eb5100a2c77b3",
];

/// RFC 6962, section 2.1.3, draws the tree of seven leaves and says which nodes each proof is made of.
#[test]
fn the_proofs_of_the_rfcs_example() {
    let d = entries(7);
    let [a, b, c, e, f, g, j]: [Digest; 7] = std::array::from_fn(|at| leaf_hash(&d[at]));
    let (nodes_g, nodes_h, nodes_i) = (node_hash(&a, &b), node_hash(&c, &e), node_hash(&f, &g));
    let k = node_hash(&nodes_g, &nodes_h);
    let l = node_hash(&nodes_i, &j);
    let tree: Tree = d.iter().copied().collect();
    assert_eq!(tree.root(), node_hash(&k, &l));
    let path = |index| tree.prove_inclusion(index, 7).unwrap().hashes().to_vec();
    assert_eq!(path(0), [b, nodes_h, l]);
    assert_eq!(path(3), [c, nodes_g, l]);
    assert_eq!(path(4), [g, j, k]);
    assert_eq!(path(6), [nodes_i, k]);
    let consistency = |old| tree.prove_consistency(old, 7).unwrap().hashes().to_vec();
    assert_eq!(consistency(3), [c, e, nodes_g, l]);
    assert_eq!(consistency(4), [l]);
    assert_eq!(consistency(6), [nodes_i, j, k]);
}

#[test]
fn every_inclusion_proof_holds_and_no_other() {
    let entries = entries(70);
    let tree: Tree = entries.iter().copied().collect();
    for size in 1..=70 {
        let root = tree.root_at(size).unwrap();
        assert_eq!(root, root_by_definition(&entries[..usize::try_from(size).unwrap()]));
        for index in 0..size {
            let entry = &entries[usize::try_from(index).unwrap()];
            let proof = tree.prove_inclusion(index, size).unwrap();
            assert_eq!(proof.verify(entry, &root), Ok(()));
            let again = InclusionProof::new(index, size, proof.hashes().to_vec());
            assert_eq!(again.as_ref(), Ok(&proof));
            assert_eq!(proof.verify(&Digest::of(b"another"), &root), Err(ProofError::WrongRoot));
            for other in (0..size).filter(|other| *other != index) {
                if let Ok(moved) = InclusionProof::new(other, size, proof.hashes().to_vec()) {
                    assert_eq!(moved.verify(entry, &root), Err(ProofError::WrongRoot), "{index} as {other} of {size}");
                }
            }
        }
        assert!(tree.prove_inclusion(size, size).is_err());
    }
    assert!(tree.prove_inclusion(0, 71).is_err() && tree.root_at(71).is_err());
}

#[test]
fn every_consistency_proof_holds_and_no_other() {
    let tree: Tree = entries(70).into_iter().collect();
    let root = |size| tree.root_at(size).unwrap();
    for size in 0..=70 {
        for old in 0..=size {
            let proof = tree.prove_consistency(old, size).unwrap();
            assert_eq!(proof.verify(&root(old), &root(size)), Ok(()), "{old} to {size}");
            assert_eq!(ConsistencyProof::new(old, size, proof.hashes().to_vec()).as_ref(), Ok(&proof));
            if old > 0 {
                let other = Digest::of(b"another");
                assert!(proof.verify(&other, &root(size)).is_err() && proof.verify(&root(old), &other).is_err());
            }
        }
        assert!(tree.prove_consistency(size + 1, size).is_err());
    }
}

#[test]
fn proofs_of_a_wrong_length_are_refused() {
    let hashes = vec![Digest::default(); 3];
    assert_eq!(InclusionProof::new(7, 7, hashes.clone()), Err(ProofError::OutOfRange));
    assert_eq!(InclusionProof::new(0, 0, Vec::new()), Err(ProofError::OutOfRange));
    assert_eq!(InclusionProof::new(6, 7, hashes.clone()), Err(ProofError::WrongLength { expected: 2, given: 3 }));
    assert!(InclusionProof::new(u64::MAX - 1, u64::MAX, vec![Digest::default(); 63]).is_ok());
    assert_eq!(ConsistencyProof::new(8, 7, hashes.clone()), Err(ProofError::OutOfRange));
    assert_eq!(ConsistencyProof::new(0, 7, hashes.clone()), Err(ProofError::WrongLength { expected: 0, given: 3 }));
    assert_eq!(ConsistencyProof::new(7, 7, hashes), Err(ProofError::WrongLength { expected: 0, given: 3 }));
}

/// What a store would hold: the widest version of each tile, and the bundles.
#[derive(Default)]
struct Store {
    tiles: std::collections::BTreeMap<(u8, u64), (TileId, Vec<u8>)>,
    bundles: std::collections::BTreeMap<u64, (BundleId, Vec<u8>)>,
}

impl Store {
    fn append(&mut self, appender: &mut Appender, entries: &[Digest]) -> usize {
        let appended = appender.append(entries);
        for (tile, bytes) in appended.tiles() {
            assert_eq!(bytes.len(), usize::from(tile.width()) * 32);
            self.tiles.insert((tile.level(), tile.index()), (tile, bytes));
        }
        for (bundle, bytes) in appended.bundles() {
            self.bundles.insert(bundle.index(), (bundle, bytes));
        }
        appended.tiles().count()
    }

    fn read(&self, wanted: impl Iterator<Item = TileId>) -> TileSet {
        let mut set = TileSet::new();
        for tile in wanted {
            let (_, bytes) = &self.tiles[&(tile.level(), tile.index())];
            set.insert(tile, bytes).unwrap();
        }
        set
    }

    fn last_entries(&self, size: u64) -> Vec<Digest> {
        let Some(id) = BundleId::at_size(size / 256, size) else { return Vec::new() };
        EntryBundle::parse(id, &self.bundles[&id.index()].1).unwrap().entries().to_vec()
    }
}

#[test]
fn tiles_of_a_grown_log_are_those_of_one_built_at_once() {
    let entries = entries(70_000);
    let mut at_once = Store::default();
    let mut appender = Appender::new();
    at_once.append(&mut appender, &entries);
    let tree: Tree = entries.iter().copied().collect();
    assert_eq!(appender.root(), tree.root());
    let mut grown = Store::default();
    let mut appender = Appender::new();
    let mut rest = &entries[..];
    for step in (1_usize..).map(|at| at * at * 7 % 1000) {
        let (now, later) = rest.split_at(step.min(rest.len()));
        // At most two tiles a level besides those that are filled.
        let touched = grown.append(&mut appender, now);
        assert!(touched <= now.len() / 256 + 2 + 3, "{touched} tiles for {} entries", now.len());
        rest = later;
        if rest.is_empty() {
            break;
        }
        appender = Appender::resume(
            appender.size(),
            &grown.read(Appender::needs(appender.size())),
            &grown.last_entries(appender.size()),
        )
        .unwrap();
        assert_eq!(Ok(appender.root()), tree.root_at(appender.size()));
    }
    assert_eq!(appender.root(), tree.root());
    assert!(at_once.tiles == grown.tiles && at_once.bundles == grown.bundles);
    let (_, leaves) = &at_once.tiles[&(0, 100)];
    assert_eq!(leaves[..32], *leaf_hash(&entries[25_600]).as_bytes());
    let (top, roots) = &at_once.tiles[&(1, 1)];
    assert_eq!(top.to_string(), "1/001.p/17");
    assert_eq!(roots[..32], *root_by_definition(&entries[65_536..65_792]).as_bytes());
}

#[test]
fn an_appender_needs_what_it_asks_for() {
    let entries = entries(600);
    let mut store = Store::default();
    store.append(&mut Appender::new(), &entries);
    let tiles = store.read(Appender::needs(600));
    assert!(Appender::resume(600, &tiles, &entries[512..]).is_ok());
    let wrong_number = Err(CannotResume::Entries { expected: 88, given: 87 });
    assert_eq!(Appender::resume(600, &tiles, &entries[513..]).map(|_| ()), wrong_number);
    assert_eq!(Appender::resume(600, &tiles, &entries[..88]).map(|_| ()), Err(CannotResume::WrongEntry));
    let missing = Err(CannotResume::Tile(MissingTile { level: 0, index: 2, width: 88 }));
    assert_eq!(Appender::resume(600, &TileSet::new(), &entries[512..]).map(|_| ()), missing);
}

#[test]
fn proofs_from_tiles_equal_proofs_from_memory_at_every_size() {
    let entries = entries(70_000);
    let mut store = Store::default();
    store.append(&mut Appender::new(), &entries);
    let tree: Tree = entries.iter().copied().collect();
    // Sizes at which tiles begin and end, and one within each kind.
    for size in [1, 2, 255, 256, 257, 511, 512, 700, 65_535, 65_536, 65_537, 65_793, 69_999, 70_000] {
        let plan = RootPlan::new(size);
        assert_eq!(plan.root(&store.read(plan.tiles())), Ok(tree.root_at(size).unwrap()));
        for index in [0, 1, 254, 255, 256, 511, 65_535, 65_536, size / 2, size - 1] {
            if index < size {
                let plan = InclusionPlan::new(index, size).unwrap();
                assert!(plan.tiles().count() <= 6, "{index} of {size}");
                assert_eq!(plan.prove(&store.read(plan.tiles())), Ok(tree.prove_inclusion(index, size).unwrap()));
                let plan = ConsistencyPlan::new(index, size).unwrap();
                assert!(plan.tiles().count() <= 6, "{index} to {size}");
                assert_eq!(plan.prove(&store.read(plan.tiles())), Ok(tree.prove_consistency(index, size).unwrap()));
            }
        }
    }
    let plan = InclusionPlan::new(3, 70_000).unwrap();
    assert_eq!(plan.prove(&TileSet::new()), Err(MissingTile { level: 0, index: 0, width: 3 }));
    let tile = plan.tiles().next().unwrap();
    for length in [0, 31, 255 * 32, 257 * 32] {
        assert!(TileSet::new().insert(tile, &vec![0; length]).is_err(), "{length}");
    }
}

/// The same hashes with one bit of one of them turned, if there is one.
fn spoil(hashes: &[Digest], pick: u64, flip: usize) -> Option<Vec<Digest>> {
    let mut hashes = hashes.to_vec();
    let at = pick.checked_rem(hashes.len() as u64)?;
    let hash = hashes.get_mut(usize::try_from(at).ok()?)?;
    let mut bytes = *hash.as_bytes();
    bytes[flip / 8] ^= 1 << (flip % 8);
    *hash = bytes.into();
    Some(hashes)
}

proptest! {
    #[test]
    fn proofs_from_tiles_verify(size in 1..600_u64, larger in 0..600_u64, pick: u64, flip in 0..256_usize) {
        let entries = entries(size + larger);
        let mut store = Store::default();
        let mut appender = Appender::new();
        store.append(&mut appender, &entries[..usize::try_from(size).unwrap()]);
        let root = appender.root();
        store.append(&mut appender, &entries[usize::try_from(size).unwrap()..]);
        let index = pick % size;
        let entry = &entries[usize::try_from(index).unwrap()];

        let plan = InclusionPlan::new(index, size).unwrap();
        let proof = plan.prove(&store.read(plan.tiles())).unwrap();
        prop_assert_eq!(proof.verify(entry, &root), Ok(()));
        // One bit of one hash is enough to spoil it.
        if let Some(hashes) = spoil(proof.hashes(), pick, flip) {
            let spoilt = InclusionProof::new(index, size, hashes).unwrap();
            prop_assert_eq!(spoilt.verify(entry, &root), Err(ProofError::WrongRoot));
        }

        let plan = ConsistencyPlan::new(size, size + larger).unwrap();
        let proof = plan.prove(&store.read(plan.tiles())).unwrap();
        prop_assert_eq!(proof.verify(&root, &appender.root()), Ok(()));
        if let Some(hashes) = spoil(proof.hashes(), pick, flip) {
            let spoilt = ConsistencyProof::new(size, size + larger, hashes).unwrap();
            prop_assert!(spoilt.verify(&root, &appender.root()).is_err());
        }
    }
}
