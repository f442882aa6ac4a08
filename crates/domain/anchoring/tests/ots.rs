//! Proofs: a real one, hostile ones, and ones made here.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[cfg(target_os = "linux")]
use std::time::Duration;

use artdag_anchoring::Digest;
use artdag_anchoring::bitcoin::{BlockHeader, verify_attestation};
use artdag_anchoring::log::Tree;
use artdag_anchoring::ots::{
    Argument, Attestation, CalendarUri, DetachedTimestamp, FileHash, HashAlgorithm, InvalidUri, Op, OtsError,
    Timestamp, batch, inclusion_ops, limits,
};
use proptest::prelude::*;

const MAGIC: &[u8; 31] = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94";

/// The best known of all proofs, for the text "Hello World!" and a line feed, in block 358391.
const HELLO_WORLD: &str = "004f70656e54696d657374616d7073000050726f6f6600bf89e2e884e89294010803ba204e50d126e4674c005e04d82e84c21366\
    780af1f43bd54a37816b6ab34003f1c8010100000001e482f9d32ecc3ba657b69d898010857b54457a90497982ff56f97c4ec58e\
    6f98010000006b483045022100b253add1d1cf90844338a475a04ff13fc9e7bd242b07762dea07f5608b2de367022000b268ca9c\
    3342b3769cdd062891317cdcef87aac310b6855e9d93898ebbe8ec0121020d8e4d107d2b339b0050efdd4b4a09245aa056048f12\
    5396374ea6a2ab0709c6ffffffff026533e605000000001976a9140bf057d40fbba6744862515f5b55a2310de5772f88aca08601\
    00000000001976a914f00688ac000000000808f120a987f716c533913c314c78e35d35884cac943fa42cac49d2b2c69f4003f85f\
    880808f120dec55b3487e1e3f722a49b55a7783215862785f4a3acb392846019f71dc64a9d0808f120b2ca18f485e080478e025d\
    ab3d464b416c0e1ecb6629c9aefce8c8214d0424320808f02011b0e90661196ff4b0813c3eda141bab5e91604837bdf7a0c9df37\
    db0e3a11980808f020c34bc1a4a1093ffd148c016b1e664742914e939efabe4d3d356515914b26d9e20808f020c3e6e7c38c69f6\
    af24c2be34ebac48257ede61ec0a21b9535e4443277be306460808f1200798bf8606e00024e5d5d54bf0c960f629dfb9dad69157\
    455b6f2652c0e8de810808f0203f9ada6d60baa244006bb0aad51448ad2fafb9d4b6487a0999cff26b91f0f5360808f120c70301\
    9e959a8dd3faef7489bb328ba485574758e7091f01464eb65872c975c80808f020cbfefff513ff84b915e3fed6f9d799676630f8\
    364ea2a6c7557fad94a5b5d7880808f1200be23709859913babd4460bbddf8ed213e7c8773a4b1face30f8acfdf093b705080800\
    0588960d73d7190103f7ef15";
const BLOCK_358391: &str = "02000000b96394585a281b7e5f438fd1c9ed492645a1fd61cb3802040000000000000000007ee445d23ad061af4a36b\
                            809501fab1ac4f2d7e7a739817dd0cbb7ec661b8a1e376755f58616186272def6";

/// An attestation nobody knows, without a payload: the cheapest end of a branch.
const END: &[u8] = &[0, 9, 9, 9, 9, 9, 9, 9, 9, 0];

fn hello_world() -> Vec<u8> {
    hex::decode(HELLO_WORLD).unwrap()
}

/// A file with this behind the digest.
fn file(timestamp: &[u8]) -> Vec<u8> {
    [&MAGIC[..], &[1, 8], &[7; 32], timestamp].concat()
}

fn timestamp(bytes: &[u8]) -> Result<Timestamp, OtsError> {
    Timestamp::parse(&[7; 32], bytes)
}

/// An attestation with its payload.
fn attestation(tag: [u8; 8], payload: &[u8]) -> Vec<u8> {
    [&[0], &tag[..], &number(payload.len() as u64), payload].concat()
}

fn number(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push(0x80 | u8::try_from(number & 127).unwrap());
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap());
    bytes
}

const PENDING: [u8; 8] = [0x83, 0xdf, 0xe3, 0x0d, 0x2e, 0xf9, 0x0c, 0x8e];
const BITCOIN: [u8; 8] = [0x05, 0x88, 0x96, 0x0d, 0x73, 0xd7, 0x19, 0x01];
const LITECOIN: [u8; 8] = [0x06, 0x86, 0x9a, 0x0d, 0x73, 0xd7, 0x1b, 0x45];
const ETHEREUM: [u8; 8] = [0x30, 0xfe, 0x80, 0x87, 0xb5, 0xc7, 0xea, 0xd7];

fn pending(uri: &str) -> Vec<u8> {
    attestation(PENDING, &[number(uri.len() as u64), uri.as_bytes().to_vec()].concat())
}

fn argument(bytes: &[u8]) -> Argument {
    bytes.try_into().unwrap()
}

fn calendar(uri: &str) -> Attestation {
    Attestation::Pending(uri.parse().unwrap())
}

#[test]
fn a_real_proof_leads_to_its_block() {
    let bytes = hello_world();
    let proof = DetachedTimestamp::parse(&bytes).unwrap();
    assert!(proof.file_hash().matches(b"Hello World!\n") && !proof.file_hash().matches(b"Hello World!"));
    let header: BlockHeader = BLOCK_358391.parse().unwrap();
    let attested: Vec<_> = proof.timestamp().bitcoin().collect();
    assert_eq!(attested.len(), 1);
    let (height, message) = &attested[0];
    assert_eq!((*height, verify_attestation(message, &header)), (358_391, Ok(())));
    assert_eq!(proof.to_bytes(), Ok(bytes));
}

#[test]
fn a_real_proof_with_any_byte_changed_proves_nothing() {
    let bytes = hello_world();
    let header: BlockHeader = BLOCK_358391.parse().unwrap();
    for at in 0..bytes.len() {
        for bit in [1, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= bit;
            // The block has an odd row there: its last hash is its own sibling, before as well as behind.
            if (at, changed[at]) == (603, 0xf1) {
                continue;
            }
            let Ok(proof) = DetachedTimestamp::parse(&changed) else { continue };
            let proves = |(height, message): (u32, std::sync::Arc<[u8]>)| {
                height == 358_391 && verify_attestation(&message, &header).is_ok()
            };
            // The document is part of what is proven.
            let holds = proof.file_hash().matches(b"Hello World!\n") && proof.timestamp().bitcoin().any(proves);
            assert!(!holds, "byte {at}");
        }
        assert!(DetachedTimestamp::parse(&bytes[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn what_is_no_proof_is_refused() {
    let mut wrong_magic = file(END);
    wrong_magic[30] ^= 1;
    assert_eq!(DetachedTimestamp::parse(&wrong_magic), Err(OtsError::WrongMagic));
    for (bytes, error) in [
        (b"".to_vec(), OtsError::WrongMagic),
        (b"%PDF-1.7".to_vec(), OtsError::WrongMagic),
        (MAGIC.to_vec(), OtsError::Truncated),
        ([&MAGIC[..], &[0, 8]].concat(), OtsError::UnknownVersion(0)),
        ([&MAGIC[..], &[2, 8]].concat(), OtsError::UnknownVersion(2)),
        ([&MAGIC[..], &[0x81, 0, 8]].concat(), OtsError::UnknownVersion(0x81)),
        ([&MAGIC[..], &[1]].concat(), OtsError::Truncated),
        ([&MAGIC[..], &[1, 0xf0, 1, 1]].concat(), OtsError::UnknownFileHash(0xf0)),
        ([&MAGIC[..], &[1, 8], &[7; 31]].concat(), OtsError::Truncated),
        ([&MAGIC[..], &[1, 2], &[7; 20]].concat(), OtsError::Truncated),
        (file(&[]), OtsError::Truncated),
        (file(&[END, &[0]].concat()), OtsError::TrailingBytes(1)),
        (file(&[END, END].concat()), OtsError::TrailingBytes(10)),
        (file(&[8]), OtsError::Truncated),
        (file(&[0xff]), OtsError::Truncated),
        (file(&[&[0xff], END].concat()), OtsError::Truncated),
        (file(&[0xff, 0xff]), OtsError::UnknownOp(0xff)),
        (file(&[1]), OtsError::UnknownOp(1)),
        (file(&[0xf4]), OtsError::UnknownOp(0xf4)),
    ] {
        assert_eq!(DetachedTimestamp::parse(&bytes), Err(error), "{}", hex::encode(&bytes));
    }
}

#[test]
fn lengths_are_not_believed() {
    let wrong = |given| OtsError::WrongLength { given, least: 1, most: 4096 };
    for op in [0xf0, 0xf1] {
        for given in [0, 4097, 1 << 31, 1 << 32, 1 << 40, 1 << 62, u64::MAX] {
            let bytes = [&[op][..], &number(given), END].concat();
            assert_eq!(timestamp(&bytes), Err(wrong(given)), "{given}");
        }
        assert_eq!(timestamp(&[&[op, 0xff, 0x1f][..], &[0; 100]].concat()), Err(OtsError::Truncated));
        for endless in [&[op][..], &[op, 0x80], &[&[op][..], &[0x80; 9]].concat()] {
            assert_eq!(timestamp(endless), Err(OtsError::Truncated));
        }
        assert_eq!(timestamp(&[&[op][..], &[0xff; 1000]].concat()), Err(OtsError::NumberTooLarge));
    }
    for given in [8193, 1 << 40, 1 << 62] {
        let bytes = [&END[..9], &number(given), &[0; 50]].concat();
        assert_eq!(timestamp(&bytes), Err(OtsError::WrongLength { given, least: 0, most: 8192 }));
    }
    assert_eq!(timestamp(&[&END[..9], &number(8192), &[0; 50]].concat()), Err(OtsError::Truncated));
    assert!(timestamp(&attestation([9; 8], &[5; 8192])).is_ok());
}

#[test]
fn payloads_are_consumed_to_the_last_byte() {
    for tag in [BITCOIN, LITECOIN, ETHEREUM] {
        assert!(timestamp(&attestation(tag, &number(u64::from(u32::MAX)))).is_ok());
        assert_eq!(timestamp(&attestation(tag, &number(1 << 32))), Err(OtsError::NumberTooLarge));
        assert_eq!(timestamp(&attestation(tag, &[0xff; 40])), Err(OtsError::NumberTooLarge));
        assert_eq!(timestamp(&attestation(tag, &[5, 0])), Err(OtsError::TrailingPayload(1)));
        assert_eq!(timestamp(&attestation(tag, &[])), Err(OtsError::Truncated));
        assert_eq!(timestamp(&attestation(tag, &[0x80])), Err(OtsError::Truncated));
    }
    assert_eq!(timestamp(&attestation(PENDING, &[2, b'a', b'b', 0])), Err(OtsError::TrailingPayload(1)));
    assert_eq!(timestamp(&attestation(PENDING, &[3, b'a', b'b'])), Err(OtsError::Truncated));
    let long = OtsError::WrongLength { given: 1001, least: 0, most: 1000 };
    assert_eq!(timestamp(&pending(&"a".repeat(1001))), Err(long));
    assert!(timestamp(&pending(&"a".repeat(1000))).is_ok());
    for uri in ["https://a.example/?q", "https://a example", "https://\u{e9}.example", "javascript:alert(1)", "a\0"] {
        assert_eq!(timestamp(&pending(uri)), Err(OtsError::InvalidUri(InvalidUri)), "{uri}");
    }
    // Readable, since the characters are allowed; whether they may be asked is another question.
    for uri in ["file:///etc/passwd", "http://127.0.0.1:8080", "https://169.254.169.254"] {
        let pending = timestamp(&pending(uri)).unwrap();
        let uri: CalendarUri = uri.parse().unwrap();
        assert_eq!(pending.pending().map(|(uri, _)| uri).collect::<Vec<_>>(), [&uri]);
        assert!(!artdag_anchoring::ots::Calendars::public().allows(&uri));
    }
}

#[test]
fn steps_follow_one_another_255_times_and_no_more() {
    for op in [0x08, 0xf2] {
        assert!(timestamp(&[&vec![op; 255], END].concat()).is_ok());
        assert_eq!(timestamp(&[&vec![op; 256], END].concat()), Err(OtsError::TooDeep));
        assert_eq!(timestamp(&vec![op; 200_000]), Err(OtsError::TooDeep));
    }
    // Forks cost no depth.
    let many = |count: u16| (0..count).flat_map(|at| [&[0xff, 0xf0, 2][..], &at.to_be_bytes(), END].concat());
    assert!(timestamp(&many(5000).chain(END.to_vec()).collect::<Vec<_>>()).is_ok());
    // At every step a fork.
    let ladder = |steps: usize| [[&[0xff], END, &[8]].concat().repeat(steps), END.to_vec()].concat();
    assert_eq!(timestamp(&ladder(255)).unwrap().attestations().len(), 256);
    assert_eq!(timestamp(&ladder(256)), Err(OtsError::TooDeep));
}

#[test]
fn messages_grow_to_4096_bytes_and_no_further() {
    let hexlify = |times: usize| [vec![0xf3; times], END.to_vec()].concat();
    assert!(timestamp(&hexlify(7)).is_ok(), "32 bytes become 4096");
    let wrong = |given| Err(OtsError::WrongLength { given, least: 1, most: 4096 });
    assert_eq!(timestamp(&hexlify(8)), wrong(8192));
    assert_eq!(timestamp(&hexlify(255)), wrong(8192));
    let append = |length: usize| [&[0xf0][..], &number(length as u64), &vec![1; length], END].concat();
    assert!(timestamp(&append(4064)).is_ok());
    assert_eq!(timestamp(&append(4065)), wrong(4097));
    assert!(Timestamp::parse(&[0; 4097], END).is_err() && Timestamp::parse(&[], END).is_err());
}

/// How long this thread has been at work: other tests at the same time do not count.
#[cfg(target_os = "linux")]
fn time_spent() -> Duration {
    let on_the_processor = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(on_the_processor.split(' ').next().unwrap().parse().unwrap())
}

/// What this process has needed so far, in bytes; the other tests need little.
#[cfg(target_os = "linux")]
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Files that are made to cost as much as possible. The time is that of an unoptimised build.
#[test]
#[cfg(target_os = "linux")]
fn hostile_files_cost_little() {
    let forks = |count: usize, branch: &dyn Fn(usize) -> Vec<u8>| {
        let mut bytes: Vec<u8> = (0..count).flat_map(|at| [vec![0xff], branch(at)].concat()).collect();
        bytes.extend(END);
        bytes
    };
    let at_4096 = |bytes: Vec<u8>| [vec![0xf3; 7], bytes].concat();
    let hashes = [0x02, 0x03, 0x08, 0x67];
    let distinct = |at: usize| [&[0xf0, 2][..], &u16::try_from(at).unwrap().to_be_bytes(), END].concat();
    let backwards = |at: usize| distinct(16_000 - at);
    // Each of 240 reversed messages is hashed in four ways.
    let mut ladder = END.to_vec();
    for _ in 0..240 {
        let fork: Vec<u8> = hashes.iter().flat_map(|hash| [&[0xff, *hash], END].concat()).collect();
        ladder = [fork, vec![0xf2], ladder].concat();
    }
    let same = |_: usize| [&[0x67], END].concat();
    for (what, bytes) in [
        ("many branches", forks(15_000, &distinct)),
        ("many branches, backwards", forks(15_000, &backwards)),
        ("one branch many times", forks(20_000, &same)),
        ("one branch many times, of long messages", at_4096(forks(20_000, &same))),
        ("all hashes of long messages", at_4096(ladder)),
        ("many attestations", forks(20_000, &|_| END.to_vec())),
        (
            "a hash bomb",
            at_4096(forks(1000, &|at| {
                vec![[0x67, 0xf2], [0xf2, 0x67]][at % 2].repeat(60).into_iter().chain(END.to_vec()).collect()
            })),
        ),
        ("nothing but reversals", vec![0xf2; limits::FILE]),
        ("too long", forks(26_300, &|_| END.to_vec())),
        ("much too long", vec![0xf2; 10 * limits::FILE]),
    ] {
        let start = time_spent();
        let result = timestamp(&bytes);
        let attested = result.as_ref().map(|read| read.attestations().len());
        let taken = time_spent() - start;
        assert!(taken < Duration::from_millis(500), "{what}: {attested:?} after {taken:?}");
        if let Ok(read) = result {
            let bytes = read.to_bytes().unwrap();
            assert_eq!(timestamp(&bytes), Ok(read), "{what}");
        }
    }
    // Two bytes a message, deep below each of some forks.
    let reversals = |at: usize| [&[0xf0, 2][..], &u16::try_from(at).unwrap().to_be_bytes(), &[0xf2; 250], END].concat();
    assert_eq!(timestamp(&forks(200, &reversals)), Err(OtsError::TooManyMessages));
    assert!(peak_memory() < 64 << 20, "{} bytes", peak_memory());
}

#[test]
fn a_repeated_step_keeps_both_branches() {
    let one = pending("https://one.example");
    let two = pending("https://two.example");
    let inner = |step: u8, end: &[u8]| [&[8, step][..], end].concat();
    let bytes =
        [&[0xff][..], &inner(0xf2, &two), &[0xff], &inner(0xf2, &one), &[0xff], &inner(0xf3, &one), &inner(8, &two)]
            .concat();
    let read = timestamp(&bytes).unwrap();
    let reversed: Vec<u8> = Digest::of(&[7; 32]).as_bytes().iter().rev().copied().collect();
    let pending: Vec<_> =
        read.pending().filter(|(_, message)| message[..] == reversed).map(|(uri, _)| uri.as_str()).collect();
    assert_eq!(pending, ["https://one.example", "https://two.example"]);
    assert_eq!(read.pending().count(), 4);
    // One branch by sha256; below it sha256, reverse with both calendars, hexlify.
    let canonical = [&[8, 0xff, 8][..], &two, &[0xff, 0xf2, 0xff], &one, &two, &[0xf3], &one].concat();
    assert_eq!(hex::encode(read.to_bytes().unwrap()), hex::encode(&canonical));
    assert_eq!(timestamp(&canonical), Ok(read));
}

#[test]
fn attestations_and_steps_are_written_in_order() {
    let items = [
        attestation(BITCOIN, &[5]),
        attestation(BITCOIN, &[0x80, 1]),
        attestation(LITECOIN, &[3]),
        attestation([9; 8], &[]),
        attestation([9; 8], &[0]),
        attestation(ETHEREUM, &[1]),
        pending("https://a.example"),
        pending("https://b.example"),
        [&[2], END].concat(),
        [&[3], END].concat(),
        [&[8], END].concat(),
        [&[0x67], END].concat(),
        [&[0xf0, 1, 9], END].concat(),
        [&[0xf0, 2, 8, 1], END].concat(),
        [&[0xf0, 2, 9, 1], END].concat(),
        [&[0xf1, 1, 0], END].concat(),
        [&[0xf2], END].concat(),
        [&[0xf3], END].concat(),
    ];
    // By argument, not by length: 0801 stands before 09.
    let mut ordered = items.to_vec();
    ordered.swap(12, 13);
    let write = |items: &[Vec<u8>]| {
        let (last, front) = items.split_last().unwrap();
        let mut bytes: Vec<u8> = front.iter().flat_map(|item| [&[0xff], &item[..]].concat()).collect();
        bytes.extend(last);
        bytes
    };
    let canonical = write(&ordered);
    for turn in 0..items.len() {
        let mut shuffled = ordered.clone();
        shuffled.rotate_left(turn);
        shuffled.swap(3, 11);
        // Said twice, written once.
        shuffled.push(ordered[turn].clone());
        assert_eq!(timestamp(&write(&shuffled)).unwrap().to_bytes().unwrap(), canonical);
    }
}

#[test]
fn longer_spellings_are_read_and_not_written() {
    let long = attestation(BITCOIN, &[0x85, 0x80, 0]);
    let read = timestamp(&long).unwrap();
    assert_eq!(read.to_bytes().unwrap(), attestation(BITCOIN, &[5]));
}

#[test]
fn what_is_known_of_one_message_is_merged() {
    let one = timestamp(&[&[8][..], &pending("https://one.example")].concat()).unwrap();
    let two = timestamp(&[&[8][..], &pending("https://two.example")].concat()).unwrap();
    let mut both = one.clone();
    both.merge(two.clone()).unwrap();
    let mut turned = two.clone();
    turned.merge(one.clone()).unwrap();
    assert_eq!(both, turned);
    let again = both.clone();
    both.merge(one.clone()).unwrap();
    assert_eq!(both, again);
    assert_eq!(both.pending().count(), 2);
    let other = Timestamp::parse(&[8; 32], END).unwrap();
    assert_eq!(both.merge(other), Err(OtsError::AnotherMessage));
    assert_eq!(both, again);
}

#[test]
fn a_calendars_answer_is_put_where_it_was_asked_for() {
    let waiting = [&[0xff, 8][..], &pending("https://one.example"), &[0xf2], &pending("https://two.example")].concat();
    let asked_of = timestamp(&waiting).unwrap();
    let (_, asked) = asked_of.pending().find(|(uri, _)| uri.as_str() == "https://one.example").unwrap();
    assert_eq!(asked[..], *Digest::of(&[7; 32]).as_bytes());
    let answer = [&[0xf0, 1, 5, 8][..], &attestation(BITCOIN, &[100])].concat();
    let answer = Timestamp::parse(&asked, &answer).unwrap();
    let mut proof = Timestamp::joined(&[7; 32], [&asked_of, &answer]).unwrap();
    assert_eq!(proof.pending().count(), 2, "what was pending stays");
    let root = Digest::of(&[&asked[..], &[5]].concat());
    assert_eq!(
        proof.bitcoin().map(|(height, message)| (height, message.to_vec())).collect::<Vec<_>>(),
        [(100, root.as_bytes().to_vec())]
    );
    assert_eq!(Timestamp::joined(&[7; 32], [&answer, &proof, &asked_of, &answer]), Ok(proof.clone()));
    let wrong = Timestamp::parse(&[1; 32], END).unwrap();
    assert_eq!(Timestamp::joined(&[7; 32], [&wrong, &proof]), Ok(proof.clone()), "it occurs nowhere");

    proof.retain(|_, attestation| matches!(attestation, Attestation::Bitcoin(_)));
    let expected = [&[8, 0xf0, 1, 5, 8][..], &attestation(BITCOIN, &[100])].concat();
    assert_eq!(proof.to_bytes().unwrap(), expected, "branches that attest nothing are gone");
    proof.retain(|_, _| false);
    assert!(proof.is_empty());
    assert_eq!(proof.to_bytes(), Err(OtsError::Empty));
}

#[test]
fn what_goes_beyond_the_limits_is_not_taken_in() {
    let deep = timestamp(&[&vec![8; 255], END].concat()).unwrap();
    let last = deep.attestations()[0].message.to_vec();
    let one_more = Timestamp::parse(&last, &[&[8], END].concat()).unwrap();
    let shallow = timestamp(END).unwrap();
    assert_eq!(
        Timestamp::joined(&[7; 32], [&deep, &one_more, &shallow]),
        Timestamp::joined(&[7; 32], [&deep, &shallow])
    );
    let both = Timestamp::joined(&[7; 32], [&deep, &shallow]).unwrap();
    assert_eq!((both.cost().depth, both.attestations().len()), (255, 2));
    assert_eq!((both.clone().within(255), both.clone().within(254)), (both, shallow));
    let ops = |count| vec![Op::Reverse; count];
    assert_eq!(deep.clone().behind(&[7; 32], ops(2)), Err(OtsError::TooDeep));
    assert_eq!(deep.behind(&[7; 32], ops(100_000)), Err(OtsError::TooDeep));
    let many = |from: u16| {
        let forks = (from..from + 17_000).flat_map(|at| [&[0xff, 0xf0, 2][..], &at.to_be_bytes(), END].concat());
        let bytes: Vec<u8> = forks.chain(END.to_vec()).collect();
        timestamp(&bytes)
    };
    let mut half = many(0).unwrap();
    let before = half.clone();
    assert_eq!(half.merge(many(20_000).unwrap()), Err(OtsError::TooMuchWork));
    assert_eq!(half, before);
    // Little work, but too long to be read again.
    let long = |tags: std::ops::Range<u8>| {
        let claims = tags.flat_map(|tag| [&[0xff], &attestation([tag; 8], &[0; 8000])[..]].concat());
        timestamp(&claims.chain(END.to_vec()).collect::<Vec<u8>>()).unwrap()
    };
    let mut half = long(20..40);
    let before = half.clone();
    let too_long = Err(OtsError::WrongLength { given: 40 * 8012 + END.len() as u64, least: 1, most: limits::FILE });
    assert_eq!(half.merge(long(40..60)), too_long);
    assert_eq!(Timestamp::joined(&[7; 32], [&half, &long(40..60)]).map(drop), too_long);
    assert_eq!(half, before);
}

#[test]
fn an_answer_is_taken_in_once_however_often_its_message_occurs() {
    let turning = [&[0xf2; 200][..], &pending("https://one.example")[..]].concat();
    let turning = timestamp(&turning).unwrap();
    let answer = Timestamp::parse(&[7; 32], &[&[8; 50], END].concat()).unwrap();
    let joined = Timestamp::joined(&[7; 32], [&turning, &answer]).unwrap();
    assert_eq!(joined.cost().messages, 251);
    assert_eq!(joined.cost().work, turning.cost().work + answer.cost().work);
}

/// What the registry hands out: from a document over the log and a round's batch to a calendar.
#[test]
fn a_file_for_every_activity() {
    let documents: Vec<Vec<u8>> = (0..1000_u32).map(|at| format!("activity {at}").into_bytes()).collect();
    let entries: Vec<Digest> = documents.iter().map(|document| Digest::of(document)).collect();
    let tree: Tree = entries.iter().copied().collect();
    let submitted = batch(&[(tree.root(), [1; 16]), (Digest::of(b"a checkpoint"), [2; 16])]);
    let answer = Timestamp::new(submitted.root.as_bytes()).unwrap().attested(calendar("https://ots.example"));
    let anchor = answer.behind(tree.root().as_bytes(), submitted.paths[0].clone()).unwrap();
    for at in [0, 1, 500, 511, 512, 998, 999] {
        let path = inclusion_ops(&tree.prove_inclusion(at as u64, 1000).unwrap());
        let claimed = anchor.clone().behind(entries[at].as_bytes(), path).unwrap();
        let proof = DetachedTimestamp::new(FileHash::sha256(entries[at]), claimed).unwrap();
        let again = DetachedTimestamp::parse(&proof.to_bytes().unwrap()).unwrap();
        assert!(again.file_hash().matches(&documents[at]));
        let (_, message) = again.timestamp().pending().next().unwrap();
        assert_eq!(message[..], *submitted.root.as_bytes());
    }
    let wrong = inclusion_ops(&tree.prove_inclusion(5, 1000).unwrap());
    assert_eq!(anchor.behind(entries[6].as_bytes(), wrong), Err(OtsError::AnotherMessage));
}

#[test]
fn the_longest_path_of_a_large_log_fits() {
    let proof = artdag_anchoring::log::InclusionProof::new(0, 1 << 40, vec![Digest::default(); 40]).unwrap();
    assert_eq!(inclusion_ops(&proof).len(), 122);
}

#[test]
fn batches_of_every_size_lead_to_their_root() {
    for count in 0..40_u8 {
        let digests: Vec<_> = (0..count).map(|at| (Digest::of(&[at]), [at; 16])).collect();
        let batch = batch(&digests);
        assert_eq!(batch.paths.len(), digests.len());
        for ((digest, _), path) in digests.iter().zip(&batch.paths) {
            let end = path.iter().try_fold(digest.as_bytes().to_vec(), |message, op| op.apply(&message)).unwrap();
            assert_eq!(end, batch.root.as_bytes(), "of {count}");
        }
    }
    // Three: the first two together, then with the third, which went up as it was.
    let [a, b, c] = [1, 2, 3_u8].map(|at| (Digest::of(&[at]), [at; 16]));
    let leaf = |(digest, nonce): (Digest, [u8; 16])| Digest::of(&[&digest.as_bytes()[..], &nonce].concat());
    let join = |left: Digest, right: Digest| Digest::of(&[left.as_bytes().as_slice(), right.as_bytes()].concat());
    assert_eq!(batch(&[a, b, c]).root, join(join(leaf(a), leaf(b)), leaf(c)));
}

#[test]
fn steps_do_what_they_say() {
    for (op, expected) in [
        (Op::Append(argument(b"!")), b"abc!".to_vec()),
        (Op::Prepend(argument(b"!")), b"!abc".to_vec()),
        (Op::Reverse, b"cba".to_vec()),
        (Op::Hexlify, b"616263".to_vec()),
        (Op::SHA256, Digest::of(b"abc").as_bytes().to_vec()),
        (Op::Hash(HashAlgorithm::Sha1), hex::decode("a9993e364706816aba3e25717850c26c9cd0d89d").unwrap()),
    ] {
        assert_eq!(op.apply(b"abc").unwrap(), expected, "{op}");
    }
    assert!(Argument::try_from(&[][..]).is_err() && Argument::try_from(&[0; 4097][..]).is_err());
    assert_eq!(Op::Append(argument(&[0xab, 1])).to_string(), "append ab01");
}

/// Any proof, in the shapes that matter.
fn any_timestamp() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        (0..4_u8).prop_map(|at| attestation(BITCOIN, &[at])),
        (0..4_u8).prop_map(|at| pending(&format!("https://{at}.example"))),
        proptest::collection::vec(any::<u8>(), 0..4).prop_map(|payload| attestation([9; 8], &payload)),
    ];
    leaf.prop_recursive(6, 60, 4, |node| {
        let op = prop_oneof![
            Just(vec![8]),
            Just(vec![2]),
            Just(vec![0xf2]),
            (0..3_u8).prop_map(|at| vec![0xf0, 1, at]),
            (0..3_u8).prop_map(|at| vec![0xf1, 1, at]),
        ];
        let item = (op, node).prop_map(|(op, node)| [op, node].concat());
        proptest::collection::vec(item, 1..5).prop_map(|items| {
            let last = items.len() - 1;
            let fork =
                |(at, item): (usize, &Vec<u8>)| if at < last { [&[0xff], &item[..]].concat() } else { item.clone() };
            items.iter().enumerate().flat_map(fork).collect()
        })
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(one in any_timestamp(), two in any_timestamp()) {
        let (one, two) = (timestamp(&one).unwrap(), timestamp(&two).unwrap());
        let bytes = one.to_bytes().unwrap();
        let again = timestamp(&bytes).unwrap();
        prop_assert_eq!(&again, &one);
        prop_assert_eq!(again.to_bytes().unwrap(), bytes);

        let mut both = one.clone();
        both.merge(two.clone()).unwrap();
        let mut turned = two.clone();
        turned.merge(one.clone()).unwrap();
        prop_assert_eq!(&both, &turned);
        let known = both.attestations();
        for attested in one.attestations().iter().chain(&two.attestations()) {
            prop_assert!(known.contains(attested));
        }
        for attested in &known {
            prop_assert!(one.attestations().contains(attested) || two.attestations().contains(attested));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(read) = timestamp(&bytes) {
            prop_assert_eq!(timestamp(&read.to_bytes().unwrap()), Ok(read));
        }
        prop_assert!(DetachedTimestamp::parse(&bytes).is_err());
    }
}
