//! Signatures of HTTP requests: a method, a target, headers and a body that nobody has looked at yet.
//!
//! The input is a request as HTTP/1.1 spells it: `POST /inbox`, lines of `name: value`, an empty line, the body.

#![no_main]

use artdag_federation::http_signature::collection_synchronization::CollectionSynchronization;
use artdag_federation::http_signature::{Challenge, KeyKind, RequestSignature, SignatureFault, SignedRequest, bases};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let (head, body) = match input.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (&input[..at], Some(&input[at + 2..])),
        None => (input, None),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let Ok(first) = str::from_utf8(lines.next().unwrap_or_default()) else { return };
    let (method, target) = first.split_once(' ').unwrap_or((first, "/"));
    let headers: Vec<(&str, &[u8])> = lines.filter_map(header).collect();
    let request = SignedRequest { method, origin: "https://art.example", target, headers: &headers };
    // 2026-11-22T12:00:00Z, the time of the seeds.
    let now = "2026-11-22T12:00:00Z".parse().expect("a time");

    if let Ok(signature) = RequestSignature::read(&request, body, now) {
        assert!(signature.key_id().starts_with("http"));
        assert!(signature.covers("@method") || signature.covers("(request-target)"));
        let mut bases = Vec::new();
        let refused = signature.check(KeyKind::Rsa, |base, _| {
            bases.push(base.to_vec());
            false
        });
        assert!(matches!(refused, Err(SignatureFault::Mismatch | SignatureFault::KeyKind { .. })));
        // No component's value can pass for another component.
        let lines = |base: &Vec<u8>| base.split(|byte| *byte == b'\n').count();
        assert!(bases.iter().all(|base| lines(base) <= 33));
        // What was read once is read alike again.
        assert_eq!(RequestSignature::read(&request, body, now), Ok(signature));
    }

    for (_, value) in &headers {
        let Ok(value) = str::from_utf8(value) else { continue };
        let _ = bases::rfc9421(&request, value);
        let _ = bases::cavage(&request, value, Some("1"), None);
        let _ = Challenge::read(value);
        if let Ok(header) = CollectionSynchronization::read(value) {
            assert_eq!(CollectionSynchronization::read(&header.to_string()), Ok(header));
        }
    }
});

fn header(line: &[u8]) -> Option<(&str, &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    Some((str::from_utf8(&line[..colon]).ok()?, &line[colon + 1..]))
}
