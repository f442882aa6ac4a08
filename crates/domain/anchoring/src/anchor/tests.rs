mod hostile;

use super::*;
use crate::bitcoin::{AttestationError, LookupError};
use crate::ots::{Argument, Attestation, Op};
use crate::{Assurance, Refuted, Unknown, Verdict};
use chrono::DateTime;
use proptest::prelude::*;

const HOUR: i64 = 3600;

fn at(seconds: i64) -> Instant {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

fn pace() -> Pace {
    Pace::new(TimeDelta::minutes(10))
}

fn uri(name: &str) -> CalendarUri {
    format!("https://{name}.example").parse().unwrap()
}

fn begun() -> Anchor {
    let checkpoint = Checkpoint::new("art.example/log", 7, Digest::of(b"a root")).unwrap();
    Anchor::begin(&checkpoint, Network::Regtest, 3, [[1; 16], [2; 16]], &[uri("b"), uri("a"), uri("b")], at(0))
}

/// What a calendar promises: it makes a message of its own of the digest.
fn promise(name: &str, anchor: &Anchor) -> (Timestamp, Question) {
    let op = Op::Append(Argument::try_from(name.as_bytes()).unwrap());
    let message = op.apply(anchor.digest().as_bytes()).unwrap();
    let pending = Timestamp::new(&message).unwrap().attested(Attestation::Pending(uri(name)));
    (pending.behind(anchor.digest().as_bytes(), vec![op]).unwrap(), Question::Upgrade(message))
}

/// What a calendar says later: that a block has it.
fn block(question: &Question, height: u32) -> Timestamp {
    let Question::Upgrade(message) = question else { panic!("it was not promised") };
    let end = Timestamp::new(Digest::of(message).as_bytes()).unwrap().attested(Attestation::Bitcoin(height));
    end.behind(message, vec![Op::SHA256]).unwrap()
}

fn evidence(height: u32, confirmations: u32) -> Verdict {
    Verdict::Verified(Evidence {
        assurance: Assurance::Node,
        height,
        block_hash: crate::bitcoin::ChainRules::of(crate::bitcoin::Network::Regtest).genesis().hash(),
        block_time: 1_700_000_000,
        confirmations: Some(confirmations),
        source: "a node".to_owned(),
    })
}

fn refuted() -> Verdict {
    refuted_by(Assurance::Node)
}

fn refuted_by(assurance: Assurance) -> Verdict {
    Verdict::False(Refuted { error: AttestationError::AnotherRoot, assurance, confirmations: Some(9) })
}

fn stamped(names: &[&str]) -> (Anchor, Vec<Question>) {
    let mut anchor = begun();
    let mut questions = Vec::new();
    for name in names {
        let (answer, question) = promise(name, &anchor);
        anchor.heard(&uri(name), &Question::Submit, &Ok(answer), at(1), pace());
        questions.push(question);
    }
    anchor.settle(names.len(), at(1), pace());
    assert_eq!(anchor.state, AnchorState::Pending);
    (anchor, questions)
}

fn judge(anchor: &mut Anchor, seconds: i64, verdict: impl Fn(&Claim) -> Verdict) {
    let verdicts: Vec<(Claim, Verdict)> =
        anchor.claims().into_iter().map(|claim| (claim.clone(), verdict(&claim))).collect();
    anchor.judged(&verdicts, at(seconds), pace());
    anchor.settle(2, at(seconds), pace());
}

fn standing(anchor: &Anchor, name: &str, question: &Question) -> Standing {
    anchor.asks.iter().find(|ask| ask.calendar == uri(name) && ask.question == *question).unwrap().standing
}

#[test]
fn a_root_comes_into_a_block_and_rests() {
    let mut anchor = begun();
    assert_eq!((anchor.state, anchor.asks.len(), anchor.due_at), (AnchorState::Submitting, 2, Some(at(0))));
    let (answer, question) = promise("a", &anchor);
    anchor.heard(&uri("a"), &Question::Submit, &Ok(answer.clone()), at(1), pace());
    anchor.settle(2, at(1), pace());
    assert_eq!(anchor.state, AnchorState::Submitting, "one of two");
    let before = anchor.clone();
    anchor.heard(&uri("a"), &Question::Submit, &Ok(answer), at(2), pace());
    anchor.heard(&uri("c"), &Question::Submit, &Err(CalendarError::Slow), at(2), pace());
    assert_eq!(anchor, before, "neither what was answered nor who was not asked makes a difference");
    assert!(anchor.open_asks().all(|ask| ask.question == Question::Submit), "nothing is asked before it is stamped");

    let (answer, _) = promise("b", &anchor);
    anchor.heard(&uri("b"), &Question::Submit, &Ok(answer), at(3), pace());
    anchor.settle(2, at(3), pace());
    assert_eq!((anchor.state, anchor.stamped_at), (AnchorState::Pending, Some(at(3))));
    assert_eq!(anchor.timestamp_of_root().unwrap().message(), anchor.root.as_bytes());
    assert_eq!(anchor.timestamp_of_checkpoint().unwrap().message(), anchor.checkpoint.as_bytes());

    let words = CalendarError::NotYet("Pending confirmation".to_owned());
    anchor.heard(&uri("a"), &question, &Err(words), at(HOUR), pace());
    assert_eq!(standing(&anchor, "a", &question), Standing::Waiting);
    anchor.heard(&uri("a"), &question, &Ok(block(&question, 10)), at(2 * HOUR), pace());
    assert_eq!(standing(&anchor, "a", &question), Standing::Answered);
    assert_eq!(anchor.claims().into_iter().map(|(height, _)| height).collect::<Vec<_>>(), [10]);
    judge(&mut anchor, 2 * HOUR, |_| evidence(10, 5));
    assert_eq!((anchor.state, standing(&anchor, "a", &question)), (AnchorState::Pending, Standing::Verified));
    assert!(anchor.due_at.is_some());
    judge(&mut anchor, 3 * HOUR, |_| evidence(10, 6));
    assert_eq!((anchor.state, anchor.due_at), (AnchorState::Confirmed, None));
    assert_eq!(anchor.timestamp.as_ref().unwrap().pending().count(), 0, "what was promised is not needed any more");
    assert_eq!(anchor.open_asks().count(), 0);
}

#[test]
fn a_liar_is_named_and_the_others_are_believed_when_their_blocks_are() {
    let (mut anchor, questions) = stamped(&["a", "b"]);
    anchor.heard(&uri("a"), &questions[0], &Ok(block(&questions[0], 10)), at(HOUR), pace());
    judge(&mut anchor, HOUR, |_| refuted());
    let liar = anchor.asks.iter().find(|ask| ask.question == questions[0]).unwrap();
    assert_eq!((liar.standing, liar.failures), (Standing::False, 1));
    let why = "it names block 10: the message is not the Merkle root of the block";
    assert_eq!(liar.detail.as_deref(), Some(why));
    assert!(anchor.claims().is_empty() && anchor.evidence.is_none());
    assert_eq!(liar.due_at, at(HOUR) + TimeDelta::minutes(10));
    assert_eq!(anchor.timestamp.as_ref().unwrap().pending().count(), 2, "it may tell the truth one day");

    anchor.heard(&uri("b"), &questions[1], &Ok(block(&questions[1], 11)), at(HOUR), pace());
    judge(&mut anchor, HOUR, |_| evidence(11, 7));
    assert_eq!(anchor.state, AnchorState::Confirmed);
    assert_eq!(standing(&anchor, "a", &questions[0]), Standing::False, "the record stays");
}

#[test]
fn what_nobody_can_look_up_is_kept_and_is_no_proof() {
    let (mut anchor, questions) = stamped(&["a", "b"]);
    anchor.heard(&uri("a"), &questions[0], &Ok(block(&questions[0], 10)), at(HOUR), pace());
    judge(&mut anchor, HOUR, |_| Verdict::Unknown(Unknown::Headers(LookupError::AboveTip { last: 9 })));
    assert_eq!((anchor.state, anchor.claims().len()), (AnchorState::Pending, 1));
    assert!(anchor.evidence.is_none() && anchor.due_at.is_some());
    let detail = anchor.asks.iter().find(|ask| ask.question == questions[0]).unwrap().detail.clone().unwrap();
    assert!(detail.starts_with("block 10 is not looked up: "), "{detail}");
    judge(&mut anchor, 2 * HOUR, |_| evidence(10, 20));
    assert_eq!(anchor.state, AnchorState::Confirmed);
}

#[test]
fn a_reorganisation_before_the_end_stamps_again() {
    let (mut anchor, questions) = stamped(&["a", "b"]);
    anchor.heard(&uri("a"), &questions[0], &Ok(block(&questions[0], 10)), at(HOUR), pace());
    judge(&mut anchor, HOUR, |_| evidence(10, 2));
    judge(&mut anchor, 2 * HOUR, |_| refuted());
    assert_eq!((anchor.state, &anchor.evidence), (AnchorState::Pending, &None));
    assert!(anchor.claims().is_empty());
    let due: Vec<&Ask> = anchor.open_asks().filter(|ask| ask.is_due(at(2 * HOUR))).collect();
    assert!(due.iter().any(|ask| ask.question == questions[0]), "who named the block is asked for another");
    assert_eq!(due.iter().filter(|ask| ask.question == Question::Submit).count(), 2, "and all are given it again");
    assert_eq!(anchor.asks.iter().filter(|ask| ask.standing == Standing::False).count(), 0, "nobody has lied");
}

#[test]
fn a_reorganisation_past_the_end_stamps_again() {
    let (mut anchor, questions) = stamped(&["a", "b"]);
    anchor.heard(&uri("a"), &questions[0], &Ok(block(&questions[0], 10)), at(HOUR), pace());
    judge(&mut anchor, HOUR, |_| evidence(10, 6));
    judge(&mut anchor, 9 * HOUR, |_| refuted());
    assert_eq!((anchor.state, anchor.due_at), (AnchorState::Reorged, Some(at(9 * HOUR))));
    assert!(anchor.claims().is_empty() && anchor.evidence.is_none());
    assert_eq!(anchor.timestamp.as_ref().unwrap().pending().count(), 2, "what was promised may still come true");
    assert!(anchor.invite(&[uri("a"), uri("c")], at(9 * HOUR)), "an operator may have found better calendars");
    for name in ["b", "c"] {
        let (answer, question) = promise(name, &anchor);
        anchor.heard(&uri(name), &Question::Submit, &Ok(answer), at(10 * HOUR), pace());
        anchor.settle(2, at(10 * HOUR), pace());
        anchor.heard(&uri(name), &question, &Ok(block(&question, 30)), at(11 * HOUR), pace());
    }
    assert_eq!(anchor.state, AnchorState::Pending);
    judge(&mut anchor, 12 * HOUR, |_| evidence(30, 6));
    assert_eq!(anchor.state, AnchorState::Confirmed);
}

#[test]
fn one_lost_block_of_two_is_no_loss() {
    let (mut anchor, questions) = stamped(&["a", "b"]);
    for (name, question, height) in [("a", &questions[0], 10), ("b", &questions[1], 12)] {
        anchor.heard(&uri(name), question, &Ok(block(question, height)), at(HOUR), pace());
    }
    judge(&mut anchor, HOUR, |claim| evidence(claim.0, 8));
    assert_eq!((anchor.state, anchor.evidence.as_ref().unwrap().height), (AnchorState::Confirmed, 10));
    judge(&mut anchor, 2 * HOUR, |claim| if claim.0 == 10 { refuted() } else { evidence(12, 9) });
    assert_eq!((anchor.state, anchor.evidence.as_ref().unwrap().height), (AnchorState::Confirmed, 12));
    assert_eq!(anchor.claims().len(), 1);
}

#[test]
fn what_is_left_of_a_proof_must_be_final_too() {
    let (mut anchor, questions) = stamped(&["a", "b"]);
    for (name, question, height) in [("a", &questions[0], 10), ("b", &questions[1], 12)] {
        anchor.heard(&uri(name), question, &Ok(block(question, height)), at(HOUR), pace());
    }
    judge(&mut anchor, HOUR, |claim| evidence(claim.0, 18 - claim.0));
    assert_eq!(anchor.state, AnchorState::Confirmed);
    judge(&mut anchor, 2 * HOUR, |claim| if claim.0 == 10 { refuted() } else { evidence(12, 3) });
    assert_eq!((anchor.state, anchor.evidence.as_ref().unwrap().height), (AnchorState::Reorged, 12));
    assert_eq!(anchor.open_asks().filter(|ask| ask.question == Question::Submit).count(), 2);
}

#[test]
fn who_fails_is_left_alone_for_longer_and_longer() {
    let mut anchor = begun();
    let mut now = at(0);
    let mut pauses = Vec::new();
    for _ in 0..8 {
        anchor.heard(&uri("a"), &Question::Submit, &Err(CalendarError::Slow), now, pace());
        let ask = anchor.asks.iter().find(|ask| ask.calendar == uri("a")).unwrap();
        assert_eq!(ask.standing, Standing::Silent);
        pauses.push((ask.due_at - now).num_minutes());
        now = ask.due_at;
    }
    assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 360, 360]);
}

#[test]
fn an_answer_must_be_one() {
    let mut anchor = begun();
    let other = Timestamp::new(b"another message").unwrap().attested(Attestation::Pending(uri("a")));
    anchor.heard(&uri("a"), &Question::Submit, &Ok(other), at(1), pace());
    // A block that was made before the submission.
    let early = Timestamp::new(anchor.digest().as_bytes()).unwrap().attested(Attestation::Bitcoin(1));
    anchor.heard(&uri("b"), &Question::Submit, &Ok(early), at(1), pace());
    assert!(anchor.asks.iter().all(|ask| ask.standing == Standing::False), "{:?}", anchor.asks);
    anchor.settle(1, at(1), pace());
    assert_eq!((anchor.state, &anchor.timestamp), (AnchorState::Submitting, &None));
}

#[test]
fn nobody_causes_many_questions() {
    let mut anchor = begun();
    let mut greedy = Timestamp::new(anchor.digest().as_bytes()).unwrap();
    for n in 0..17 {
        greedy = greedy.attested(Attestation::Pending(uri(&format!("calendar{n}"))));
    }
    anchor.heard(&uri("a"), &Question::Submit, &Ok(greedy), at(1), pace());
    assert_eq!((anchor.asks.len(), standing(&anchor, "a", &Question::Submit)), (2, Standing::False));
}

#[test]
fn who_is_urged_is_not_left_alone_for_longer() {
    let mut anchor = begun();
    anchor.heard(&uri("a"), &Question::Submit, &Err(CalendarError::Slow), at(0), pace());
    let of_a = |anchor: &Anchor| anchor.asks.iter().find(|ask| ask.calendar == uri("a")).unwrap().clone();
    let before = of_a(&anchor);
    let garbage = Timestamp::new(b"another message").unwrap().attested(Attestation::Pending(uri("a")));
    for reply in [Err(CalendarError::Slow), Err(CalendarError::NotYet("later".to_owned())), Ok(garbage)] {
        anchor.heard(&uri("a"), &Question::Submit, &reply, at(60), pace().urged());
        assert_eq!(of_a(&anchor).due_at, before.due_at);
    }
    assert_eq!(of_a(&anchor).asked_at, Some(at(60)));
    anchor.heard(&uri("a"), &Question::Submit, &Err(CalendarError::Slow), before.due_at, pace().urged());
    assert!(of_a(&anchor).due_at > before.due_at, "it was its turn");
}

#[test]
fn what_was_given_up_can_be_taken_up_again() {
    let (mut anchor, questions) = stamped(&["a", "b"]);
    assert!(!anchor.revive(at(2)));
    anchor.give_up().unwrap();
    assert!(anchor.revive(at(HOUR)));
    anchor.settle(2, at(HOUR), pace());
    assert_eq!((anchor.state, anchor.due_at), (AnchorState::Pending, Some(at(HOUR))));
    anchor.heard(&uri("a"), &questions[0], &Ok(block(&questions[0], 10)), at(HOUR), pace());
    judge(&mut anchor, HOUR, |_| evidence(10, 6));
    assert_eq!(anchor.state, AnchorState::Confirmed);
}

#[test]
fn others_are_invited_when_nothing_comes_of_promises() {
    let (mut anchor, _) = stamped(&["a", "b"]);
    assert!(!anchor.invite(&[uri("c")], at(48 * HOUR)));
    assert!(anchor.invite(&[uri("a"), uri("c")], at(73 * HOUR)));
    let asked: Vec<&Ask> = anchor.open_asks().filter(|ask| ask.question == Question::Submit).collect();
    assert_eq!(asked.iter().map(|ask| ask.calendar.as_str()).collect::<Vec<_>>(), ["https://c.example"]);
    let (answer, question) = promise("c", &anchor);
    anchor.heard(&uri("c"), &Question::Submit, &Ok(answer), at(73 * HOUR), pace());
    anchor.heard(&uri("c"), &question, &Ok(block(&question, 10)), at(80 * HOUR), pace());
    judge(&mut anchor, 80 * HOUR, |_| evidence(10, 6));
    assert_eq!(anchor.state, AnchorState::Confirmed);
}

#[test]
fn who_names_a_block_that_nobody_knows_is_asked_again() {
    let (mut anchor, questions) = stamped(&["a", "b"]);
    anchor.heard(&uri("a"), &questions[0], &Ok(block(&questions[0], 10)), at(HOUR), pace());
    judge(&mut anchor, HOUR, |_| Verdict::Unknown(Unknown::NoSource));
    assert!(anchor.open_asks().any(|ask| ask.question == questions[0]));
    anchor.heard(&uri("a"), &questions[0], &Err(CalendarError::Slow), at(2 * HOUR), pace());
    assert_eq!(standing(&anchor, "a", &questions[0]), Standing::Answered, "what it said stays said");
    anchor.heard(&uri("a"), &questions[0], &Ok(block(&questions[0], 12)), at(3 * HOUR), pace());
    assert_eq!(anchor.claims().len(), 2);
    judge(
        &mut anchor,
        3 * HOUR,
        |claim| if claim.0 == 12 { evidence(12, 6) } else { Verdict::Unknown(Unknown::NoSource) },
    );
    assert_eq!(anchor.state, AnchorState::Confirmed);
}

/// When answers were not kept apart, the first submission got all of the proof.
#[test]
fn older_anchors_are_followed_as_well() {
    for confirmations in [3, 6] {
        let (mut anchor, questions) = stamped(&["a", "b"]);
        anchor.heard(&uri("a"), &questions[0], &Ok(block(&questions[0], 10)), at(HOUR), pace());
        judge(&mut anchor, HOUR, |_| evidence(10, confirmations));
        for ask in &mut anchor.asks {
            (ask.answer, ask.verified) = (None, BTreeSet::new());
        }
        anchor.asks[0].answer.clone_from(&anchor.timestamp);
        let proof = anchor.timestamp.clone();
        judge(&mut anchor, 2 * HOUR, |_| evidence(10, confirmations));
        assert_eq!(anchor.timestamp, proof);
        judge(&mut anchor, 3 * HOUR, |_| refuted());
        let expected = if confirmations == 6 { AnchorState::Reorged } else { AnchorState::Pending };
        assert_eq!((anchor.state, anchor.claims().len()), (expected, 0));
        assert_eq!(anchor.open_asks().filter(|ask| ask.question == Question::Submit).count(), 2);
        for name in ["a", "b"] {
            let (answer, question) = promise(name, &anchor);
            anchor.heard(&uri(name), &Question::Submit, &Ok(answer), at(4 * HOUR), pace());
            anchor.settle(2, at(4 * HOUR), pace());
            anchor.heard(&uri(name), &question, &Ok(block(&question, 12)), at(5 * HOUR), pace());
        }
        judge(&mut anchor, 5 * HOUR, |_| evidence(12, 6));
        assert_eq!(anchor.state, AnchorState::Confirmed);
    }
}

#[test]
fn a_final_block_that_gets_deeper_is_no_news() {
    let (mut anchor, questions) = stamped(&["a", "b"]);
    anchor.heard(&uri("a"), &questions[0], &Ok(block(&questions[0], 10)), at(HOUR), pace());
    judge(&mut anchor, HOUR, |_| evidence(10, 6));
    let before = anchor.clone();
    judge(&mut anchor, HOUR + 600, |_| evidence(10, 7));
    assert_eq!((anchor.verified_at, anchor.evidence.as_ref().unwrap().confirmations), (Some(at(HOUR + 600)), Some(7)));
    assert!(!anchor.is_news(&before) && anchor != before);
    judge(&mut anchor, 2 * HOUR, |_| evidence(10, 12));
    assert!(anchor.is_news(&before), "it was looked up an hour later");
    judge(&mut anchor, 2 * HOUR, |_| refuted());
    assert!(anchor.is_news(&before));
}

#[test]
fn an_operator_may_give_up() {
    let (mut anchor, _) = stamped(&["a", "b"]);
    anchor.give_up().unwrap();
    assert_eq!((anchor.state, anchor.due_at, anchor.open_asks().count()), (AnchorState::Failed, None, 0));
    anchor.settle(1, at(5), pace());
    assert_eq!(anchor.due_at, None);
}

#[derive(Clone, Debug)]
enum News {
    Promise(u8),
    Block(u8, u32),
    Fault(u8),
    Verdict(u8),
}

fn any_news() -> impl Strategy<Value = News> {
    prop_oneof![
        (0..2_u8).prop_map(News::Promise),
        (0..2_u8, 1..4_u32).prop_map(|(who, height)| News::Block(who, height)),
        (0..2_u8).prop_map(News::Fault),
        (0..4_u8).prop_map(News::Verdict),
    ]
}

proptest! {
    #[test]
    fn whatever_comes_only_final_blocks_confirm_and_nobody_is_forgotten(all in proptest::collection::vec(any_news(), 0..60)) {
        let mut anchor = begun();
        for (minute, news) in (0_i64..).zip(all) {
            let (now, was) = (at(60 * minute), anchor.state);
            let name = |who: u8| if who == 0 { "a" } else { "b" };
            match news {
                News::Promise(who) => {
                    let (answer, _) = promise(name(who), &anchor);
                    anchor.heard(&uri(name(who)), &Question::Submit, &Ok(answer), now, pace());
                }
                News::Block(who, height) => {
                    let (_, question) = promise(name(who), &anchor);
                    anchor.heard(&uri(name(who)), &question, &Ok(block(&question, height)), now, pace());
                }
                News::Fault(who) => {
                    let asks: Vec<(CalendarUri, Question)> = anchor.open_asks()
                        .filter(|ask| ask.calendar == uri(name(who)))
                        .map(|ask| (ask.calendar.clone(), ask.question.clone())).collect();
                    for (calendar, question) in asks {
                        anchor.heard(&calendar, &question, &Err(CalendarError::Slow), now, pace());
                    }
                }
                News::Verdict(kind) => {
                    let verdicts: Vec<(Claim, Verdict)> = anchor.claims().into_iter().map(|claim| {
                        let verdict = match kind {
                            0 => evidence(claim.0, 6),
                            1 => evidence(claim.0, 1),
                            2 => Verdict::Unknown(Unknown::NoSource),
                            _ => refuted(),
                        };
                        (claim, verdict)
                    }).collect();
                    anchor.judged(&verdicts, now, pace());
                    if anchor.state == AnchorState::Confirmed && was != AnchorState::Confirmed {
                        prop_assert!(kind == 0 && !verdicts.is_empty());
                    }
                }
            }
            anchor.settle(2, now, pace());
            // Whoever is not at rest has something to do one day.
            prop_assert_eq!(anchor.due_at.is_none(), anchor.state.is_settled(), "{:?}", anchor);
            prop_assert_eq!(anchor.evidence.is_some(), anchor.verified_at.is_some());
            if was != AnchorState::Confirmed && anchor.state == AnchorState::Confirmed {
                prop_assert!(anchor.evidence.as_ref().is_some_and(Evidence::is_final));
            }
            // What is kept can be written and read.
            if let Some(timestamp) = &anchor.timestamp {
                let bytes = timestamp.to_bytes().unwrap();
                prop_assert_eq!(&Timestamp::parse(anchor.digest().as_bytes(), &bytes).unwrap(), timestamp);
            }
        }
    }
}
