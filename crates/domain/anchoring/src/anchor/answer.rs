//! What one answer of a calendar may be, so that those of all others find their place beside it.

use super::Question;
use crate::ots::{Attestation, Cost, OtsError, Timestamp, limits};

/// How many blocks and calendars an answer may name: each is looked up or asked. Calendars name one or two.
const ATTESTATIONS: usize = 8;
/// How many messages it may have. Calendars need some seventy for the way from a digest into a block.
const MESSAGES: usize = 256;
/// How much work it may be. A transaction of three kilobytes and such a way are a third of it.
const WORK: usize = 64 * 1024;
/// How long it may be written out.
const BYTES: usize = 10_000;
/// How many steps lead to a promise: a calendar puts together what it is given within a second or so.
const STEPS_TO_PROMISE: usize = 48;
/// How many steps lead on from there: over all that the calendar stamps at once, its transaction, and the block's. With
/// both of them there is room for the path to an entry of a log of 2^34.
const STEPS_TO_BLOCK: usize = 96;
/// How long a message may be that a calendar is asked about: it becomes an address. Those of calendars have 44 bytes.
const PROMISE: usize = 256;

/// Why an answer is of no use; completes "its answer".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("names more blocks and calendars than anybody could ask")]
    TooMany,
    #[error("is larger than any that is needed")]
    TooLarge,
    #[error("takes more steps than are needed")]
    TooDeep,
    #[error("is of another message")]
    AnotherMessage,
    #[error("promises nothing")]
    Empty,
    #[error("cannot be joined: {0}")]
    Unjoined(OtsError),
}

/// Of an answer what can be of use; it may be empty.
pub(super) fn sift(question: &Question, message: &[u8], answer: &Timestamp) -> Result<Timestamp, Unusable> {
    if answer.message() != message {
        return Err(Unusable::AnotherMessage);
    }
    if answer.cost().attestations > ATTESTATIONS {
        return Err(Unusable::TooMany);
    }
    let mut answer = answer.clone();
    // A submission is in no block yet, and calendars promise when they take a digest. To follow whatever they promise
    // later would have no end.
    answer.retain(|message, attestation| match (question, attestation) {
        (Question::Submit, Attestation::Pending(_)) => message.len() <= PROMISE,
        (Question::Upgrade(_), Attestation::Bitcoin(_)) => true,
        _ => false,
    });
    check(question, &answer).map(|()| answer)
}

/// Whether it leaves room for others.
pub(super) fn check(question: &Question, answer: &Timestamp) -> Result<(), Unusable> {
    let Cost { messages, work, depth, attestations, bytes } = answer.cost();
    let steps = match question {
        Question::Submit => STEPS_TO_PROMISE,
        Question::Upgrade(_) => STEPS_TO_BLOCK,
    };
    if attestations > ATTESTATIONS {
        Err(Unusable::TooMany)
    } else if messages > MESSAGES || work > WORK || bytes > BYTES {
        Err(Unusable::TooLarge)
    } else if depth > steps {
        Err(Unusable::TooDeep)
    } else {
        Ok(())
    }
}

/// Whether all of it may be in one proof, with as much again for what goes before and for what others add.
pub(super) const fn fits(all: &Cost) -> bool {
    all.messages <= limits::MESSAGES / 2 && all.work <= limits::WORK / 2 && all.bytes <= limits::FILE / 2
}
