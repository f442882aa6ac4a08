//! Proofs: read, write, read, merge, insert, prune.

#![no_main]

use artdag_anchoring::Digest;
use artdag_anchoring::log::Tree;
use artdag_anchoring::ots::{
    Attestation, DetachedTimestamp, FileHash, HashAlgorithm, Op, OtsError, Timestamp, batch, inclusion_ops,
};
use artdag_fuzz::{fuzz_target, plant};

/// The message of the timestamps that are read without a file around them.
const MESSAGE: &[u8] = &[7; 32];

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    if let Ok(proof) = DetachedTimestamp::parse(bytes) {
        let written = proof.to_bytes().expect("no branch is empty");
        let again = DetachedTimestamp::parse(&written).expect("what was written is a proof");
        assert_eq!(again, proof);
        assert_eq!(again.to_bytes().as_ref(), Ok(&written));
        check(proof.timestamp());
    }
    // Most of the work, without the need to find the magic first.
    let (one, two) = bytes.split_at(bytes.len() / 2);
    for part in [bytes, one, two] {
        if let Ok(timestamp) = Timestamp::parse(MESSAGE, part) {
            check(&timestamp);
        }
    }
    if let (Ok(one), Ok(two)) = (Timestamp::parse(MESSAGE, one), Timestamp::parse(MESSAGE, two)) {
        check_merge(&one, &two);
    }
    // Behind a first byte that splits the rest: two timestamps of any length.
    if let Some((at, rest)) = bytes.split_first() {
        let (one, two) = rest.split_at(usize::from(*at).min(rest.len()));
        if let (Ok(one), Ok(two)) = (Timestamp::parse(MESSAGE, one), Timestamp::parse(MESSAGE, two)) {
            check_merge(&one, &two);
        }
    }
});

/// What the registry hands out, with and without the file around it, and each kind of hash and attestation.
fn seeds() -> Vec<Vec<u8>> {
    let entries: Vec<Digest> = (0..100_u8).map(|at| Digest::of(&[at])).collect();
    let tree: Tree = entries.iter().copied().collect();
    let submitted = batch(&[(tree.root(), [1; 16]), (entries[0], [2; 16]), (entries[1], [3; 16])]);
    let pending = |uri: &str| Attestation::Pending(uri.parse().expect("it is an address"));
    let answer = Timestamp::new(submitted.root.as_bytes()).expect("it is short");
    let answer = answer.attested(pending("https://one.example")).attested(pending("https://two.example"));
    let anchor = answer.behind(tree.root().as_bytes(), submitted.paths[0].clone()).expect("it leads there");
    let mut seeds = Vec::new();
    for index in [0, 57, 99] {
        let path = inclusion_ops(&tree.prove_inclusion(index, 100).expect("it is there"));
        let entry = entries[usize::try_from(index).expect("it is small")];
        let claimed = anchor.clone().behind(entry.as_bytes(), path).expect("it leads there");
        seeds.push(claimed.to_bytes().expect("it is not empty"));
        let proof = DetachedTimestamp::new(FileHash::sha256(entry), claimed).expect("it is the digest");
        seeds.push(proof.to_bytes().expect("it is not empty"));
    }
    let algorithms = [HashAlgorithm::Sha1, HashAlgorithm::Ripemd160, HashAlgorithm::Sha256, HashAlgorithm::Keccak256];
    let attestations = [Attestation::Bitcoin(358_391), Attestation::Litecoin(1), Attestation::Ethereum(u32::MAX)];
    for algorithm in algorithms {
        let mut both = Timestamp::new(MESSAGE).expect("it is short");
        for (attestation, op) in attestations.iter().zip([Op::Reverse, Op::Hexlify, Op::Hash(algorithm)]) {
            let end = algorithm.hash(&op.apply(MESSAGE).expect("it is short"));
            let end = Timestamp::new(&end).expect("it is short").attested(attestation.clone());
            let branch = end.behind(MESSAGE, vec![op, Op::Hash(algorithm)]).expect("it leads there");
            both.merge(branch).expect("it is small");
        }
        seeds.push(both.to_bytes().expect("it is not empty"));
    }
    seeds
}

fn check(timestamp: &Timestamp) {
    let written = timestamp.to_bytes().expect("no branch is empty");
    let again = Timestamp::parse(timestamp.message(), &written).expect("what was written is a timestamp");
    assert_eq!(&again, timestamp);

    let mut twice = timestamp.clone();
    twice.merge(timestamp.clone()).expect("nothing is added");
    assert_eq!(&twice, timestamp);

    let attested = timestamp.attestations();
    assert!(!attested.is_empty());
    let mut kept = timestamp.clone();
    kept.retain(|_, attestation| attestation.tag()[0] & 1 == 0);
    let left = attested.iter().filter(|attested| attested.attestation.tag()[0] & 1 == 0).count();
    assert_eq!(kept.attestations().len(), left);
    match kept.to_bytes() {
        Ok(bytes) => assert_eq!(Timestamp::parse(kept.message(), &bytes), Ok(kept)),
        Err(error) => assert!(error == OtsError::Empty && kept.is_empty()),
    }

    // An answer about one of the messages that occur.
    if let Some(attested) = attested.last() {
        let answer = Timestamp::new(&attested.message).expect("a message is as long as it may be");
        let answer = answer.attested(attested.attestation.clone());
        let joined = Timestamp::joined(timestamp.message(), [timestamp, &answer]).expect("it says what is known");
        assert!(joined.attestations().contains(attested));
    }
}

fn check_merge(one: &Timestamp, two: &Timestamp) {
    let (mut both, mut turned) = (one.clone(), two.clone());
    let merged = both.merge(two.clone());
    assert_eq!(merged.is_ok(), turned.merge(one.clone()).is_ok());
    if merged.is_ok() {
        assert_eq!(both, turned);
        let known = both.attestations();
        assert!(one.attestations().iter().chain(&two.attestations()).all(|attested| known.contains(attested)));
        check(&both);
    } else {
        assert_eq!((&both, &turned), (one, two));
    }
}
