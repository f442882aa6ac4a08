//! Notes of others, and ours with real signatures.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::convert::Infallible;

use artdag_anchoring::Digest;
use artdag_anchoring::checkpoint::{
    AddCheckpoint, Checkpoint, InvalidCheckpoint, InvalidKey, InvalidNote, InvalidReceipt, InvalidRequest, KeyKind,
    KeyName, Note, NoteSignature, Receipt, Refusal, Signed, SignedCheckpoint, UnverifiedCheckpoint, UnverifiedNote,
    VerifierKey, WitnessAnswer,
};
use artdag_anchoring::log::{ProofError, Tree};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

fn ed25519(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok()
}

struct Signer {
    pair: Ed25519KeyPair,
    key: VerifierKey,
}

impl Signer {
    fn new(seed: u8, name: &str, kind: KeyKind) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let public = pair.public_key().as_ref().try_into().unwrap();
        let name: KeyName = name.parse().unwrap();
        let key = match kind {
            KeyKind::Ed25519 => VerifierKey::ed25519(name, public),
            KeyKind::CosignatureV1 => VerifierKey::cosignature_v1(name, public),
        };
        Self { pair, key }
    }

    fn sign(&self, text: &str, time: u64) -> NoteSignature {
        let sign = |message: &[u8]| Ok::<_, Infallible>(self.pair.sign(message).as_ref().try_into().unwrap());
        let Ok(signature) = self.key.sign(text, time, sign);
        signature
    }

    fn checkpoint(&self, checkpoint: Checkpoint) -> SignedCheckpoint {
        let sign = |message: &[u8]| Ok::<_, Infallible>(self.pair.sign(message).as_ref().try_into().unwrap());
        let Ok(signed) = SignedCheckpoint::sign(checkpoint, &self.key, 0, sign);
        signed
    }
}

fn log() -> Signer {
    Signer::new(1, "art.example/log", KeyKind::Ed25519)
}

fn witness(seed: u8) -> Signer {
    Signer::new(seed, &format!("witness.example/w{seed}"), KeyKind::CosignatureV1)
}

fn tree(size: u32) -> Tree {
    (0..size).map(|at| Digest::of(&at.to_be_bytes())).collect()
}

fn head_of(tree: &Tree) -> Checkpoint {
    Checkpoint::new("art.example/log", tree.size(), tree.root()).unwrap()
}

/// The example in the documentation of Go's package for notes, which began the format.
const NEUMANN: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n\n\
                    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn the_note_of_gos_documentation_is_signed() {
    let key: VerifierKey = NEUMANN.parse().unwrap();
    assert_eq!((key.kind(), key.to_string()), (KeyKind::Ed25519, NEUMANN.to_owned()));
    let note = Note::parse(NOTE).unwrap();
    assert_eq!(note.to_string(), NOTE);
    let keys = [key];
    assert_eq!(note.verify(&keys, ed25519), Ok(vec![Signed { key: &keys[0], time: None }]));
    let changed = Note::parse(&NOTE.replace("your problem is", "your solution is")).unwrap();
    let name = keys[0].name().clone();
    assert_eq!(changed.verify(&keys, ed25519), Err(UnverifiedNote::WrongSignature(name)));
}

/// The example of the specification of cosignatures.
const COSIGNED: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
    \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
    \u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

#[test]
fn the_checkpoint_of_the_specification_is_read() {
    let signed = SignedCheckpoint::parse(COSIGNED).unwrap();
    assert_eq!(signed.to_string(), COSIGNED);
    let checkpoint = signed.checkpoint();
    assert_eq!((checkpoint.origin(), checkpoint.size()), ("example.com/behind-the-sofa", 20_852_163));
    assert_eq!(checkpoint.root().to_base64(), "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=");
    let cosignature = &signed.note().signatures()[1];
    assert_eq!((cosignature.name().as_str(), cosignature.id()), ("witness.example.com/w1", [0x8d, 0x66, 0xcf, 0x3f]));
    assert_eq!(cosignature.as_bytes()[..8], 1_679_315_147_u64.to_be_bytes());
    assert_eq!(cosignature.as_bytes().len(), 72);
    assert_eq!(checkpoint.digest(), Digest::of(&COSIGNED.as_bytes()[..82]));
}

#[test]
fn keys_are_read_in_one_spelling_and_with_their_own_id() {
    for signer in [log(), witness(3)] {
        assert_eq!(signer.key.to_string().parse(), Ok(signer.key));
    }
    let same_name = Signer::new(1, "art.example/log", KeyKind::CosignatureV1);
    assert_ne!(log().key.id(), same_name.key.id(), "the same key for another kind of signature");
    for wrong in [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        &NEUMANN.replace("c74f20a3", "C74F20A3"),
        &NEUMANN.replace("c74f20a3", "c74f20a4"),
        &NEUMANN.replace("PeterNeumann", "Peter Neumann"),
        &NEUMANN.replace("PeterNeumann", "PeterNeuman"),
        &NEUMANN.replace("+AR", "+AB"),
        &NEUMANN.replace("10TW", "10T="),
        &format!("{NEUMANN}AAAA"),
        &format!("+{NEUMANN}"),
    ] {
        assert_eq!(wrong.parse::<VerifierKey>(), Err(InvalidKey), "{wrong}");
    }
    for wrong in ["", " ", "a b", "a+b", "a\u{a0}b", "a\nb", "a\u{2003}b"] {
        assert!(wrong.parse::<KeyName>().is_err(), "{wrong:?}");
    }
}

#[test]
fn a_log_signs_and_witnesses_cosign() {
    let (log, witnesses) = (log(), [witness(2), witness(3), witness(4)]);
    let mut signed = log.checkpoint(head_of(&tree(5)));
    let text = signed.note().text().to_owned();
    for (witness, time) in witnesses.iter().zip([1000, 2000]) {
        let line = format!("{}\n", witness.sign(&text, time));
        signed.add_lines(&line).unwrap();
        signed.add_lines(&line).unwrap();
    }
    let received = SignedCheckpoint::parse(&signed.to_string()).unwrap();
    assert_eq!(received, signed);
    assert_eq!(received.note().signatures().len(), 3);
    assert_eq!(received.verify(&log.key, ed25519), Ok(()));
    let keys = witnesses.map(|witness| witness.key);
    let cosigners = received.cosigners(&keys, ed25519).unwrap();
    let expected = [Signed { key: &keys[0], time: Some(1000) }, Signed { key: &keys[1], time: Some(2000) }];
    assert_eq!(cosigners, expected);

    let other = Signer::new(9, "other.example/log", KeyKind::Ed25519);
    let another = UnverifiedCheckpoint::AnotherLog("art.example/log".to_owned());
    assert_eq!(received.verify(&other.key, ed25519), Err(another));
    // The right name and another key: a signature that is not ours to judge.
    let impostor = Signer::new(9, "art.example/log", KeyKind::Ed25519);
    assert_eq!(received.verify(&impostor.key, ed25519), Err(UnverifiedNote::Unsigned.into()));
    assert_eq!(received.cosigners(&[other.key], ed25519), Err(UnverifiedNote::Unsigned));
}

#[test]
fn one_wrong_signature_of_a_known_key_spoils_the_note() {
    let (log, witness) = (log(), witness(2));
    let mut signed = log.checkpoint(head_of(&tree(5)));
    signed.add(witness.sign("another text\n", 1000)).unwrap();
    assert_eq!(signed.verify(&log.key, ed25519), Ok(()), "the witness is nobody to this check");
    let wrong = Err(UnverifiedNote::WrongSignature(witness.key.name().clone()));
    assert_eq!(signed.cosigners(std::slice::from_ref(&witness.key), ed25519), wrong);
    // A time is part of what is signed, and below 2^63.
    let cosigned = witness.sign(signed.note().text(), 1000).to_string();
    let (start, encoded) = cosigned.rsplit_once(' ').unwrap();
    for change in [
        |bytes: &mut Vec<u8>| bytes[11] ^= 1,
        |bytes: &mut Vec<u8>| bytes[4] |= 0x80,
        |bytes: &mut Vec<u8>| bytes.truncate(40),
    ] {
        use base64::Engine as _;
        let mut bytes = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap();
        change(&mut bytes);
        let line = format!("{start} {}\n", base64::engine::general_purpose::STANDARD.encode(bytes));
        let mut signed = log.checkpoint(head_of(&tree(5)));
        signed.add_lines(&line).unwrap();
        assert_eq!(signed.cosigners(std::slice::from_ref(&witness.key), ed25519), wrong);
    }
}

#[test]
fn what_is_no_note_is_refused() {
    let (text, line) = NOTE.split_once("\n\n").unwrap();
    for (note, error) in [
        (String::new(), InvalidNote::Shape),
        (NOTE.replace("\n\n", "\n"), InvalidNote::Shape),
        (format!("{text}\n\n"), InvalidNote::Signature),
        (format!("{text}\n\n\n"), InvalidNote::Signature),
        (NOTE.trim_end().to_owned(), InvalidNote::Signature),
        (format!("{NOTE}\n"), InvalidNote::Signature),
        (NOTE.replace('\u{2014}', "-"), InvalidNote::Signature),
        (NOTE.replace("PeterNeumann x", "PeterNeumann  x"), InvalidNote::Signature),
        (NOTE.replace("PeterNeumann x", "Peter+Neumann x"), InvalidNote::Signature),
        (NOTE.replace("nAM=", "nAM"), InvalidNote::Signature),
        (format!("{text}\n\n\u{2014} a AAAAAA==\n"), InvalidNote::Signature),
        (NOTE.replace("your problem,", "your\tproblem,"), InvalidNote::ControlCharacters),
        (NOTE.replace(",\n", ",\r\n"), InvalidNote::ControlCharacters),
        (format!("{}{NOTE}", "a".repeat(200_000)), InvalidNote::TooLong),
        (
            format!("{text}\n\n{}", (0..65).map(|at| format!("\u{2014} a{at} AAAAAAA=\n")).collect::<String>()),
            InvalidNote::TooLong,
        ),
    ] {
        assert_eq!(Note::parse(&note), Err(error), "{note:.200}");
    }
    let many: String = (0..16).map(|at| line.replace("PeterNeumann", &format!("a{at}"))).collect();
    assert_eq!(Note::parse(&format!("{text}\n\n{many}")).unwrap().signatures().len(), 16);
    let blank = Note::parse(&format!("one\n\ntwo\n\n{line}")).unwrap();
    assert_eq!(blank.text(), "one\n\ntwo\n", "only the last empty line separates");
    assert!(Note::new("no end".to_owned()).is_err());
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let good = "art.example/log\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    assert_eq!(good.parse::<Checkpoint>().unwrap().to_string(), good);
    let more = format!("{good}more\nlines of it\n");
    let extended: Checkpoint = more.parse().unwrap();
    assert_eq!((extended.to_string(), extended.extensions().len()), (more, 2));
    for wrong in [
        String::new(),
        "\n\n\n".to_owned(),
        good.trim_end().to_owned(),
        good.replace("\n5", "\n05"),
        good.replace("\n5", "\n+5"),
        good.replace("\n5", "\n-5"),
        good.replace("\n5", "\n"),
        good.replace("\n5", "\n 5"),
        good.replace("\n5", "\n18446744073709551616"),
        good.replace("q2I=", "q2I"),
        good.replace("q2I=", "q2J="),
        good.replace("CsUY", ""),
        good.replace("art.example/log", ""),
        good.replace('\n', "\r\n"),
        format!("{good}\n"),
        format!("{good}\nmore\n"),
        "art.example/log\n5\n".to_owned(),
    ] {
        assert_eq!(wrong.parse::<Checkpoint>(), Err(InvalidCheckpoint), "{wrong:?}");
    }
    for origin in ["", "two\nlines", "a\0"] {
        assert_eq!(Checkpoint::new(origin, 0, Digest::default()), Err(InvalidCheckpoint));
    }
}

#[test]
fn a_witness_cosigns_what_only_grew() {
    let (log, tree) = (log(), tree(20));
    let request =
        |old| AddCheckpoint::new(tree.prove_consistency(old, 20).unwrap(), log.checkpoint(head_of(&tree))).unwrap();
    let root = |size| tree.root_at(size).unwrap();
    for old in 0..=20 {
        let text = request(old).to_string();
        assert!(text.starts_with(&format!("old {old}\n")), "{text}");
        let received = AddCheckpoint::parse(&text).unwrap();
        assert_eq!(received, request(old));
        assert_eq!(received.check(old, &root(old)), Ok(()));
        assert_eq!(received.check(old + 1, &root(old)), Err(Refusal::Conflict(old + 1)));
        if old > 0 {
            let refusal = received.check(old, &Digest::of(b"another history")).unwrap_err();
            let is_conflict = matches!(refusal, Refusal::Conflict(20));
            let is_rewritten = matches!(refusal, Refusal::Proof(ProofError::WrongRoot | ProofError::WrongOldRoot));
            assert!(if old == 20 { is_conflict } else { is_rewritten }, "{old}: {refusal}");
        }
    }
    let text = request(7).to_string();
    let hash = tree.root().to_base64();
    for (wrong, error) in [
        (String::new(), InvalidRequest::Shape),
        (text.replace("old 7", "old 07"), InvalidRequest::Shape),
        (text.replace("old 7", "old  7"), InvalidRequest::Shape),
        (text.replace("old 7", "new 7"), InvalidRequest::Shape),
        (text.replace("old 7", "old 21"), InvalidRequest::Proof(ProofError::OutOfRange)),
        (text.replace("old 7\n", &format!("old 7\n{}\n", &hash[4..])), InvalidRequest::Shape),
        (text.replace("old 7\n", &format!("old 7\n{}", format!("{hash}\n").repeat(60))), InvalidRequest::Shape),
        (text.replace("old 7\n", "old 0\n"), InvalidRequest::Proof(ProofError::WrongLength { expected: 0, given: 6 })),
    ] {
        assert_eq!(AddCheckpoint::parse(&wrong), Err(error), "{wrong}");
    }
    let cut = &text[..text.len() - 5];
    assert!(matches!(AddCheckpoint::parse(cut), Err(InvalidRequest::Checkpoint(_))));
    let other = tree.prove_consistency(3, 19).unwrap();
    assert!(AddCheckpoint::new(other, log.checkpoint(head_of(&tree))).is_err());
}

#[test]
fn a_receipt_holds_by_itself() {
    let (log, tree) = (log(), tree(20));
    let entry = Digest::of(&7_u32.to_be_bytes());
    let receipt = Receipt::new(tree.prove_inclusion(7, 20).unwrap(), log.checkpoint(head_of(&tree))).unwrap();
    let text = receipt.to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nindex 7\n"), "{text}");
    let received = Receipt::parse(&text).unwrap();
    assert_eq!(received, receipt);
    assert_eq!((received.verify(&entry), received.extra()), (Ok(()), None));
    assert_eq!(received.checkpoint().verify(&log.key, ed25519), Ok(()));
    assert_eq!(received.verify(&Digest::of(b"another")), Err(ProofError::WrongRoot));
    let with_extra = receipt.with_extra(b"context".to_vec());
    assert_eq!(Receipt::parse(&with_extra.to_string()).unwrap().extra(), Some(&b"context"[..]));

    for (wrong, error) in [
        (String::new(), InvalidReceipt::Shape),
        (text.replace("@v1", "@v2"), InvalidReceipt::Shape),
        (text.replace("index 7", "index 07"), InvalidReceipt::Shape),
        (text.replace("index 7", "Index 7"), InvalidReceipt::Shape),
        (text.replace("index 7", "extra !\nindex 7"), InvalidReceipt::Shape),
        (text.replace("index 7", "extra YQ==\nextra YQ==\nindex 7"), InvalidReceipt::Shape),
        (text.replace("index 7", "index 20"), InvalidReceipt::Proof(ProofError::OutOfRange)),
        (text.replace("index 7", "index 19"), InvalidReceipt::Proof(ProofError::WrongLength { expected: 3, given: 5 })),
    ] {
        assert_eq!(Receipt::parse(&wrong), Err(error), "{wrong}");
    }
    assert_eq!(Receipt::parse(&text.replace("index 7", "index 6")).unwrap().verify(&entry), Err(ProofError::WrongRoot));
    assert!(Receipt::new(tree.prove_inclusion(7, 19).unwrap(), log.checkpoint(head_of(&tree))).is_err());
}

#[test]
fn an_answer_has_the_cosignature_of_the_witness_that_was_asked() {
    let (log, asked, other) = (log(), witness(2), witness(3));
    let signed = log.checkpoint(head_of(&tree(5)));
    let text = signed.note().text();
    let (good, of_other) = (asked.sign(text, 1000), other.sign(text, 1000));
    let find = |signatures: &[NoteSignature]| signed.find_cosignature(&asked.key, signatures, ed25519);
    assert_eq!(find(&[of_other.clone(), good.clone()]).as_ref(), Ok(&good));
    assert_eq!(find(&[of_other]), Err(UnverifiedNote::Unsigned));
    assert_eq!(find(&[]), Err(UnverifiedNote::Unsigned));
    // By another key under the same name and id, and of another text.
    let forged: NoteSignature = {
        let by_other = Signer { pair: witness(3).pair, key: asked.key.clone() };
        by_other.sign(text, 1000)
    };
    let of_another_text = asked.sign(log.checkpoint(head_of(&tree(6))).note().text(), 1000);
    for wrong in [forged, of_another_text] {
        assert!(wrong.is_of(&asked.key));
        assert_eq!(find(&[wrong, good.clone()]), Err(UnverifiedNote::WrongSignature(asked.key.name().clone())));
    }
    let mut cosigned = signed.clone();
    cosigned.add(good).unwrap();
    assert!(cosigned.claims_signature_of(&asked.key) && !cosigned.claims_signature_of(&other.key));
    assert!(!signed.claims_signature_of(&asked.key));
}

#[test]
fn a_witness_answers_with_lines_or_a_size() {
    let line = COSIGNED.lines().last().unwrap();
    let answer = WitnessAnswer::cosigned(&format!("{line}\n{line}\n"));
    assert_eq!(answer, Ok(WitnessAnswer::Cosigned(vec![line.parse().unwrap()])));
    for wrong in ["", "\n", line, &format!("{line}\n\n"), "<html>\n", &format!("{line}\r\n"), COSIGNED] {
        assert_eq!(WitnessAnswer::cosigned(wrong), Err(InvalidNote::Signature), "{wrong}");
    }
    let many: String = (0..65).map(|n| format!("{}\n", witness(n).sign("text\n", 1))).collect();
    assert_eq!(WitnessAnswer::cosigned(&many), Err(InvalidNote::TooLong));
    for (body, size) in [("0\n", 0), ("40\n", 40), ("40", 40), ("18446744073709551615\n", u64::MAX)] {
        assert_eq!(WitnessAnswer::seen_at(body), Some(WitnessAnswer::SeenAt(size)), "{body}");
    }
    for wrong in ["", "\n", "040\n", "+4\n", "-1\n", " 4\n", "4\n\n", "4\r\n", "18446744073709551616\n", "four"] {
        assert_eq!(WitnessAnswer::seen_at(wrong), None, "{wrong}");
    }
}

#[test]
fn a_note_takes_no_more_than_can_be_read_again() {
    let mut signed = log().checkpoint(head_of(&tree(5)));
    let name = "w".repeat(20_000);
    let mut added = 0;
    let error = loop {
        match signed.add(Signer::new(added, &name, KeyKind::CosignatureV1).sign(signed.note().text(), 1)) {
            Ok(()) => added += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((added, error), (6, InvalidNote::TooLong));
    assert_eq!(SignedCheckpoint::parse(&signed.to_string()), Ok(signed));
}
