//! Calendars and sources that lie, or that want to be the only ones.

use super::*;
use crate::log::InclusionProof;
use crate::ots::{DetachedTimestamp, FileHash, inclusion_ops};

fn append(bytes: &[u8]) -> Op {
    Op::Append(Argument::try_from(bytes).unwrap())
}

/// A timestamp of the message that these steps lead to the attestation.
fn path(message: &[u8], ops: Vec<Op>, attestation: Attestation) -> Timestamp {
    let end = ops.iter().fold(message.to_vec(), |message, op| op.apply(&message).unwrap());
    Timestamp::new(&end).unwrap().attested(attestation).behind(message, ops).unwrap()
}

fn among(names: &[String]) -> Anchor {
    let checkpoint = Checkpoint::new("art.example/log", 7, Digest::of(b"a root")).unwrap();
    let calendars: Vec<CalendarUri> = names.iter().map(|name| uri(name)).collect();
    Anchor::begin(&checkpoint, Network::Regtest, 3, [[1; 16], [2; 16]], &calendars, at(0))
}

/// As large as anything that is taken: eight promises of one calendar, behind steps that are much work.
fn greedy(name: &str, anchor: &Anchor) -> Timestamp {
    let digest = anchor.digest();
    let start = [append(name.as_bytes()), append(&[0; 3000]), Op::Reverse, Op::Reverse, Op::SHA256];
    let mut all: Option<Timestamp> = None;
    for n in 0..8 {
        let ops = [&start[..], &[append(&[n]), Op::SHA256][..]].concat();
        let one = path(digest.as_bytes(), ops, Attestation::Pending(uri(name)));
        match &mut all {
            Some(all) => all.merge(one).unwrap(),
            none => *none = Some(one),
        }
    }
    all.unwrap()
}

/// As large as anything that is taken: one block, behind steps that are much work.
fn heavy_block(message: &[u8], height: u32) -> Timestamp {
    let mut ops = vec![append(&[0; 3000])];
    ops.extend(vec![Op::Reverse; 8]);
    ops.push(Op::SHA256);
    path(message, ops, Attestation::Bitcoin(height))
}

#[test]
fn what_no_calendar_needs_is_refused() {
    let (mut anchor, digest) = (begun(), begun().digest());
    let pending = || Attestation::Pending(uri("a"));
    let blown_up = |n: u8| {
        let ops = [vec![append(&[n; 4060])], vec![Op::Reverse; 251], vec![Op::SHA256]].concat();
        path(digest.as_bytes(), ops, pending())
    };
    let mut two = blown_up(1);
    two.merge(blown_up(2)).unwrap();
    let deep = path(digest.as_bytes(), vec![Op::SHA256; 49], pending());
    let long_question = path(digest.as_bytes(), vec![append(&[0; 300])], pending());
    for (answer, why) in [
        (two, "its answer is larger than any that is needed"),
        (deep, "its answer takes more steps than are needed"),
        (long_question, "its answer promises nothing"),
    ] {
        anchor.heard(&uri("a"), &Question::Submit, &Ok(answer), at(1), pace());
        let ask = anchor.asks.iter().find(|ask| ask.calendar == uri("a")).unwrap();
        assert_eq!((ask.standing, ask.detail.as_deref()), (Standing::False, Some(why)));
        assert_eq!(anchor.timestamp, None);
    }
}

/// The way from a calendar into a block, as long as it gets: a million digests at once, a transaction of three
/// kilobytes, and a block of ten thousand transactions.
#[test]
fn what_calendars_need_is_taken() {
    let mut anchor = begun();
    let mut ops = vec![append(&[9; 8]), Op::SHA256];
    ops.extend(vec![[append(&[1; 32]), Op::SHA256]; 10].concat());
    ops.extend([Op::Prepend(Argument::try_from(&[0; 4][..]).unwrap()), append(&[2; 8])]);
    let digest = anchor.digest();
    let answer = path(digest.as_bytes(), ops, Attestation::Pending(uri("a")));
    let message = answer.pending().next().unwrap().1;
    anchor.heard(&uri("a"), &Question::Submit, &Ok(answer), at(1), pace());
    anchor.settle(1, at(1), pace());
    let mut ops = vec![Op::SHA256];
    ops.extend(vec![[append(&[3; 32]), Op::SHA256]; 20].concat());
    ops.extend([Op::Prepend(Argument::try_from(&[4; 1500][..]).unwrap()), append(&[5; 1500]), Op::SHA256, Op::SHA256]);
    ops.extend(vec![[append(&[6; 32]), Op::SHA256, Op::SHA256]; 14].concat());
    let question = Question::Upgrade(message.to_vec());
    let answer = path(&message, ops, Attestation::Bitcoin(10));
    anchor.heard(&uri("a"), &question, &Ok(answer), at(HOUR), pace());
    assert_eq!((standing(&anchor, "a", &question), anchor.claims().len()), (Standing::Answered, 1));
}

#[test]
fn many_that_want_all_the_room_leave_it_to_one() {
    let mut names: Vec<String> = (0..12).map(|n| format!("greedy{n}")).collect();
    names.push("honest".to_owned());
    let mut anchor = among(&names);
    for name in &names[..12] {
        let answer = greedy(name, &anchor);
        anchor.heard(&uri(name), &Question::Submit, &Ok(answer), at(1), pace());
        assert_eq!(standing(&anchor, name, &Question::Submit), Standing::Answered);
    }
    anchor.settle(1, at(1), pace());
    for ask in anchor.asks.clone() {
        if let Question::Upgrade(message) = &ask.question {
            anchor.heard(&ask.calendar, &ask.question, &Ok(heavy_block(message, 5)), at(HOUR), pace());
        }
    }
    let upgrades = anchor.asks.iter().filter(|ask| ask.question != Question::Submit).count();
    assert_eq!(upgrades, 8 * 12, "each is asked no more than it may promise");
    // The last one finds its place.
    let (answer, question) = promise("honest", &anchor);
    anchor.heard(&uri("honest"), &Question::Submit, &Ok(answer), at(HOUR), pace());
    assert_eq!(standing(&anchor, "honest", &Question::Submit), Standing::Answered);
    anchor.heard(&uri("honest"), &question, &Ok(block(&question, 10)), at(2 * HOUR), pace());
    assert!(anchor.claims().iter().any(|(height, _)| *height == 10));
    let start = std::time::Instant::now();
    judge(&mut anchor, 2 * HOUR, |claim| if claim.0 == 10 { evidence(10, 6) } else { refuted() });
    assert!(start.elapsed() < std::time::Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(anchor.state, AnchorState::Confirmed);
    assert!(anchor.timestamp_of_root().unwrap().bitcoin().any(|(height, _)| height == 10));
}

#[test]
fn what_is_promised_later_is_not_followed() {
    let (mut anchor, questions) = stamped(&["a", "b"]);
    let Question::Upgrade(message) = &questions[0] else { panic!() };
    let asks = anchor.asks.len();
    for n in 0..20 {
        let more = path(message, vec![append(&[n])], Attestation::Pending(uri("a")));
        anchor.heard(&uri("a"), &questions[0], &Ok(more), at(HOUR + i64::from(n)), pace());
    }
    assert_eq!((anchor.asks.len(), standing(&anchor, "a", &questions[0])), (asks, Standing::Waiting));
}

#[test]
fn proofs_of_the_deepest_answers_reach_the_entries_of_a_large_log() {
    let mut anchor = begun();
    let digest = anchor.digest();
    let answer = path(digest.as_bytes(), vec![Op::SHA256; 48], Attestation::Pending(uri("a")));
    let message = answer.pending().next().unwrap().1;
    anchor.heard(&uri("a"), &Question::Submit, &Ok(answer), at(1), pace());
    anchor.settle(1, at(1), pace());
    let question = Question::Upgrade(message.to_vec());
    let too_deep = path(&message, vec![Op::SHA256; 97], Attestation::Bitcoin(10));
    anchor.heard(&uri("a"), &question, &Ok(too_deep), at(HOUR), pace());
    assert_eq!(standing(&anchor, "a", &question), Standing::False);
    let deepest = path(&message, vec![Op::SHA256; 96], Attestation::Bitcoin(10));
    anchor.heard(&uri("a"), &question, &Ok(deepest), at(2 * HOUR), pace());
    let proof = anchor.timestamp_of_root().unwrap();
    let inclusion = InclusionProof::new(0, 1 << 34, vec![anchor.root; 34]).unwrap();
    let ops = inclusion_ops(&inclusion);
    assert!(ops.len() + proof.cost().depth <= limits::DEPTH, "{} and {}", ops.len(), proof.cost().depth);
}

#[test]
fn a_branch_too_deep_to_be_shown_hides_no_other() {
    let (mut anchor, _) = stamped(&["a", "b"]);
    // As anchors had it before answers were bounded.
    let deep = path(anchor.digest().as_bytes(), vec![Op::SHA256; 255], Attestation::Bitcoin(7));
    anchor.timestamp.as_mut().unwrap().merge(deep).unwrap();
    let proof = anchor.timestamp_of_root().unwrap();
    assert_eq!((proof.pending().count(), proof.bitcoin().count()), (2, 0));
    let file = DetachedTimestamp::new(FileHash::sha256(anchor.root), proof).unwrap();
    assert_eq!(DetachedTimestamp::parse(&file.to_bytes().unwrap()), Ok(file));
}

/// A calendar that names a true block and a false one is a liar and no reorganisation, whichever comes first.
#[test]
fn one_true_block_does_not_hide_a_false_one() {
    for (truth, lie) in [(10, 20), (20, 10)] {
        let (mut anchor, questions) = stamped(&["a", "b"]);
        let mut both = block(&questions[0], truth);
        both.merge(block(&questions[0], lie)).unwrap();
        for round in 1..4_i64 {
            anchor.heard(&uri("a"), &questions[0], &Ok(both.clone()), at(9 * round * HOUR), pace());
            judge(&mut anchor, 9 * round * HOUR, |claim| if claim.0 == truth { evidence(truth, 2) } else { refuted() });
            let ask = anchor.asks.iter().find(|ask| ask.question == questions[0]).unwrap();
            assert_eq!((ask.standing, i64::from(ask.failures)), (Standing::False, round), "{truth} and {lie}");
            assert!(ask.detail.as_deref().unwrap().starts_with(&format!("it names block {lie}: ")));
            let submitted = |name| standing(&anchor, name, &Question::Submit);
            assert_eq!([submitted("a"), submitted("b")], [Standing::Answered; 2], "nothing is stamped again");
            assert_eq!(anchor.claims().into_iter().map(|(height, _)| height).collect::<Vec<_>>(), [truth]);
        }
        judge(&mut anchor, 40 * HOUR, |_| evidence(truth, 6));
        assert_eq!((anchor.state, standing(&anchor, "a", &questions[0])), (AnchorState::Confirmed, Standing::False));
    }
}

#[test]
fn a_lost_block_is_stamped_again_once() {
    let (mut anchor, questions) = stamped(&["a", "b"]);
    anchor.heard(&uri("a"), &questions[0], &Ok(block(&questions[0], 10)), at(HOUR), pace());
    judge(&mut anchor, HOUR, |_| evidence(10, 2));
    judge(&mut anchor, 2 * HOUR, |_| refuted());
    for name in ["a", "b"] {
        let (answer, _) = promise(name, &anchor);
        anchor.heard(&uri(name), &Question::Submit, &Ok(answer), at(2 * HOUR), pace());
    }
    // It does not notice, and names the lost one again.
    anchor.heard(&uri("a"), &questions[0], &Ok(block(&questions[0], 10)), at(3 * HOUR), pace());
    judge(&mut anchor, 3 * HOUR, |_| refuted());
    assert_eq!(standing(&anchor, "a", &questions[0]), Standing::False);
    assert!(anchor.open_asks().all(|ask| ask.question != Question::Submit), "{:?}", anchor.asks);
}

/// A calendar can learn from the public proof what another one promised, and lead through it.
#[test]
fn nobody_is_named_for_what_another_says() {
    let mut anchor = begun();
    let digest = anchor.digest();
    let promised = Timestamp::new(digest.as_bytes()).unwrap().attested(Attestation::Pending(uri("a")));
    anchor.heard(&uri("a"), &Question::Submit, &Ok(promised), at(1), pace());
    let (answer, of_b) = promise("b", &anchor);
    anchor.heard(&uri("b"), &Question::Submit, &Ok(answer.clone()), at(1), pace());
    anchor.settle(2, at(1), pace());
    // The way to what b promised, and from there to a block.
    let of_a = Question::Upgrade(digest.as_bytes().to_vec());
    let lie = Timestamp::joined(digest.as_bytes(), [&answer, &block(&of_b, 10)]).unwrap();
    anchor.heard(&uri("a"), &of_a, &Ok(lie), at(HOUR), pace());
    judge(&mut anchor, HOUR, |_| refuted());
    assert_eq!((standing(&anchor, "a", &of_a), standing(&anchor, "b", &of_b)), (Standing::False, Standing::Waiting));
    // Nor is it praised for it.
    anchor.heard(&uri("b"), &of_b, &Ok(block(&of_b, 12)), at(HOUR), pace());
    judge(&mut anchor, HOUR, |_| evidence(12, 6));
    assert_eq!((standing(&anchor, "a", &of_a), standing(&anchor, "b", &of_b)), (Standing::False, Standing::Verified));
}

#[test]
fn a_weaker_word_destroys_no_proof() {
    let explorer = Assurance::Explorers { agreeing: 1, asked: 1 };
    let by = |assurance, height, confirmations| {
        let Verdict::Verified(found) = evidence(height, confirmations) else { panic!() };
        Verdict::Verified(Evidence { assurance, ..found })
    };
    let (mut anchor, questions) = stamped(&["a", "b"]);
    anchor.heard(&uri("a"), &questions[0], &Ok(block(&questions[0], 10)), at(HOUR), pace());
    judge(&mut anchor, HOUR, |_| by(Assurance::PowChain, 10, 6));
    let confirmed = anchor.clone();
    for weaker in [Assurance::Node, explorer] {
        judge(&mut anchor, 2 * HOUR, |_| refuted_by(weaker));
        assert_eq!((anchor.state, &anchor.timestamp), (AnchorState::Confirmed, &confirmed.timestamp), "{weaker}");
        judge(&mut anchor, 2 * HOUR, |_| by(weaker, 10, 9));
        assert_eq!(anchor.evidence, confirmed.evidence, "{weaker}");
    }
    judge(&mut anchor, 3 * HOUR, |_| refuted_by(Assurance::PowChain));
    assert_eq!((anchor.state, &anchor.evidence), (AnchorState::Reorged, &None));

    // It can be had again from whom it came.
    for name in ["a", "b"] {
        let (answer, _) = promise(name, &anchor);
        anchor.heard(&uri(name), &Question::Submit, &Ok(answer), at(4 * HOUR), pace());
    }
    anchor.settle(2, at(4 * HOUR), pace());
    assert!(anchor.open_asks().any(|ask| ask.question == questions[0] && ask.is_due(at(4 * HOUR))));
    anchor.heard(&uri("a"), &questions[0], &Ok(block(&questions[0], 10)), at(4 * HOUR), pace());
    judge(&mut anchor, 4 * HOUR, |_| by(Assurance::Node, 10, 9));
    assert_eq!(anchor.state, AnchorState::Confirmed);
}

#[test]
fn verdicts_on_what_is_not_claimed_count_for_nothing() {
    let (mut anchor, questions) = stamped(&["a", "b"]);
    anchor.heard(&uri("a"), &questions[0], &Ok(block(&questions[0], 10)), at(HOUR), pace());
    let mut gone = anchor.clone();
    let claims = anchor.claims();
    judge(&mut gone, HOUR, |_| refuted());
    let before = gone.clone();
    for verdict in [evidence(10, 6), refuted()] {
        let verdicts: Vec<_> = claims.iter().map(|claim| (claim.clone(), verdict.clone())).collect();
        gone.judged(&verdicts, at(2 * HOUR), pace());
        assert_eq!(gone, before, "another process has taken it out meanwhile");
    }
}
