//! Notes, checkpoints, keys, requests to witnesses and receipts: what is read is written as it was.

#![no_main]

use std::convert::Infallible;

use artdag_anchoring::Digest;
use artdag_anchoring::checkpoint::{
    AddCheckpoint, Checkpoint, Note, NoteSignature, Receipt, SignedCheckpoint, VerifierKey, WitnessAnswer,
};
use artdag_anchoring::log::Tree;
use artdag_fuzz::{fuzz_target, plant};

fuzz_target!(init: plant(seeds()), |bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(note) = Note::parse(text) {
        let again = Note::parse(&note.to_string()).expect("what was written is a note");
        assert_eq!(again, note);
        let nobody = note.verify(&[], |_, _, _| true);
        assert!(nobody.is_err());
    }
    if let Ok(checkpoint) = text.parse::<Checkpoint>() {
        assert_eq!(checkpoint.to_string(), text);
    }
    if let Ok(signed) = SignedCheckpoint::parse(text) {
        assert_eq!(SignedCheckpoint::parse(&signed.to_string()).as_ref(), Ok(&signed));
        assert_eq!(signed.checkpoint().to_string(), signed.note().text());
    }
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(request) = AddCheckpoint::parse(text) {
        assert_eq!(AddCheckpoint::parse(&request.to_string()).as_ref(), Ok(&request));
        let root = request.checkpoint().checkpoint().root();
        let _ = request.check(request.proof().old_size(), &root);
    }
    if let Ok(signatures) = NoteSignature::parse_lines(text) {
        let lines: String = signatures.iter().map(|signature| format!("{signature}\n")).collect();
        assert_eq!(NoteSignature::parse_lines(&lines), Ok(signatures));
    }
    if let Some(answer) = WitnessAnswer::seen_at(text) {
        let WitnessAnswer::SeenAt(size) = answer else { unreachable!("a size was read") };
        assert_eq!(size.to_string(), text.trim_end_matches('\n'));
    }
    if let Ok(receipt) = Receipt::parse(text) {
        assert_eq!(Receipt::parse(&receipt.to_string()).as_ref(), Ok(&receipt));
        let root = receipt.checkpoint().checkpoint().root();
        let _ = receipt.verify(&root);
    }
});

/// One of each text, with a signature that nobody checks here.
fn seeds() -> Vec<Vec<u8>> {
    let tree: Tree = (0..10_u8).map(|at| Digest::of(&[at])).collect();
    let key = VerifierKey::ed25519("art.example/log".parse().expect("it is a name"), [1; 32]);
    let witness = VerifierKey::cosignature_v1("witness.example/w".parse().expect("it is a name"), [2; 32]);
    let checkpoint = Checkpoint::new("art.example/log", 10, tree.root()).expect("it is a line");
    let text = checkpoint.to_string();
    let Ok(mut signed) = SignedCheckpoint::sign(checkpoint, &key, 0, |_| Ok::<_, Infallible>([3; 64]));
    let Ok(cosignature) = witness.sign(&text, 1000, |_| Ok::<_, Infallible>([4; 64]));
    signed.add(cosignature).expect("there are two");
    let proof = tree.prove_inclusion(3, 10).expect("it is there");
    let receipt = Receipt::new(proof, signed.clone()).expect("the sizes are the same");
    let proof = tree.prove_consistency(7, 10).expect("it is there");
    let request = AddCheckpoint::new(proof, signed.clone()).expect("the sizes are the same");
    let more = receipt.clone().with_extra(b"more".to_vec());
    let texts = [text, signed.to_string(), key.to_string(), witness.to_string(), request.to_string()];
    texts.into_iter().chain([receipt.to_string(), more.to_string()]).map(String::into_bytes).collect()
}
