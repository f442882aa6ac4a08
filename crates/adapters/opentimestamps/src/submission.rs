//! One digest, several calendars.

use crate::ports::{Calendar, CalendarError};
use artdag_anchoring::Digest;
use artdag_anchoring::ots::{CalendarUri, Timestamp};
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// What came of submitting to one calendar.
#[derive(Debug)]
pub struct Submitted {
    /// The calendar.
    pub calendar: CalendarUri,
    /// How long it took to answer or to fail.
    pub latency: Duration,
    /// Its answer.
    pub result: Result<Timestamp, CalendarError>,
}

/// Not enough calendars answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{answered} calendars answered where {least} are needed")]
pub struct TooFew {
    /// How many gave an answer that can be used.
    pub answered: usize,
    /// How many are needed.
    pub least: usize,
}

/// Hands the digest to all calendars at once, and comes back when each has answered or failed; so it takes as long
/// as the slowest may. The results are in the order of the calendars.
pub async fn submit_to_all(port: &dyn Calendar, calendars: &[CalendarUri], digest: &Digest) -> Vec<Submitted> {
    let submissions = calendars.iter().map(|calendar| async move {
        let start = Instant::now();
        let result = port.submit(calendar, digest).await;
        Submitted { calendar: calendar.clone(), latency: start.elapsed(), result }
    });
    join_all(submissions).await
}

/// Joins the answers into one timestamp, if at least so many calendars gave one; one is always needed.
///
/// Small answers are joined first. One that cannot be joined to those, because it is of another message or so large
/// that both together go beyond the limits of a proof, does not count; so nobody crowds the others out.
///
/// # Errors
///
/// If too few gave one.
pub fn quorum(results: &[Submitted], least: usize) -> Result<Timestamp, TooFew> {
    let answer = |submitted: &'_ Submitted| {
        let timestamp = submitted.result.as_ref().ok()?.clone();
        let size = timestamp.to_bytes().ok()?.len();
        Some((size, submitted.calendar.clone(), timestamp))
    };
    let mut answers: Vec<_> = results.iter().filter_map(answer).collect();
    answers.sort_by_key(|(size, ..)| *size);
    let mut joined: Option<Timestamp> = None;
    let mut answered = BTreeSet::new();
    for (_, calendar, timestamp) in answers {
        match &mut joined {
            None => joined = Some(timestamp),
            Some(joined) => {
                if joined.merge(timestamp).is_err() {
                    continue;
                }
            }
        }
        answered.insert(calendar);
    }
    let too_few = TooFew { answered: answered.len(), least: least.max(1) };
    joined.filter(|_| too_few.answered >= too_few.least).ok_or(too_few)
}

#[cfg(test)]
mod tests {
    use super::*;
    use artdag_anchoring::ots::{Argument, Attestation, Op};

    fn digest() -> Digest {
        Digest::of(b"a root")
    }

    fn uri(name: &str) -> CalendarUri {
        format!("https://{name}.example").parse().unwrap()
    }

    fn said(name: &str, result: Result<Timestamp, CalendarError>) -> Submitted {
        Submitted { calendar: uri(name), latency: Duration::ZERO, result }
    }

    fn pending(name: &str, message: Digest) -> Timestamp {
        Timestamp::new(message.as_bytes()).unwrap().attested(Attestation::Pending(uri(name)))
    }

    #[test]
    fn enough_answers_are_joined() {
        let results = [
            said("a", Ok(pending("a", digest()))),
            said("b", Err(CalendarError::Slow)),
            said("c", Ok(pending("c", digest()))),
        ];
        let joined = quorum(&results, 2).unwrap();
        assert_eq!(joined.pending().map(|(uri, _)| uri.clone()).collect::<Vec<_>>(), [uri("a"), uri("c")]);
        assert_eq!(quorum(&results, 3), Err(TooFew { answered: 2, least: 3 }));
    }

    #[test]
    fn one_is_always_needed() {
        assert_eq!(quorum(&[], 0), Err(TooFew { answered: 0, least: 1 }));
        assert_eq!(quorum(&[said("a", Err(CalendarError::Slow))], 0), Err(TooFew { answered: 0, least: 1 }));
    }

    #[test]
    fn the_same_calendar_twice_counts_once() {
        let results = [said("a", Ok(pending("a", digest()))), said("a", Ok(pending("b", digest())))];
        assert_eq!(quorum(&results, 2), Err(TooFew { answered: 1, least: 2 }));
    }

    #[test]
    fn what_cannot_be_joined_does_not_count() {
        let other = said("b", Ok(pending("b", Digest::of(b"another root"))));
        let results = [said("a", Ok(pending("a", digest()))), other];
        assert_eq!(quorum(&results, 2), Err(TooFew { answered: 1, least: 2 }));
    }

    fn append(bytes: &[u8]) -> Op {
        Op::Append(Argument::try_from(bytes).unwrap())
    }

    /// As much work as a proof may be.
    fn glutton(name: &str, tag: u8) -> Timestamp {
        let mut timestamp = pending(name, digest());
        let long = append(&[tag; 4000]);
        let mut next = 0_u16;
        loop {
            let branch = append(&next.to_be_bytes());
            let mut ops = vec![long.clone(), branch];
            let end = ops.iter().try_fold(digest().as_bytes().to_vec(), |message, op| op.apply(&message)).unwrap();
            ops.push(Op::SHA256);
            let end = Op::SHA256.apply(&end).unwrap();
            let end = Timestamp::new(&end).unwrap().attested(Attestation::Pending(uri(name)));
            if timestamp.merge(end.behind(digest().as_bytes(), ops).unwrap()).is_err() {
                return timestamp;
            }
            next += 1;
        }
    }

    #[test]
    fn a_glutton_does_not_crowd_out_the_others() {
        let results = [
            said("evil", Ok(glutton("evil", 1))),
            said("wicked", Ok(glutton("wicked", 2))),
            said("a", Ok(pending("a", digest()))),
            said("b", Ok(pending("b", digest()))),
        ];
        let joined = quorum(&results, 2).unwrap();
        let calendars: BTreeSet<_> = joined.pending().map(|(uri, _)| uri.clone()).collect();
        assert!(calendars.contains(&uri("a")) && calendars.contains(&uri("b")), "{calendars:?}");
        assert_eq!(quorum(&results, 4).unwrap_err().answered, 3, "the two are too much for one proof");
    }
}
