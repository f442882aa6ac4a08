use super::work::Target;
use super::{BlockHash, BlockHeader, ChainRules, CompactTarget, Work};

/// Of how many times the middle one is below that of the next header.
const MEDIAN_SPAN: usize = 11;

/// A header that breaks a rule, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the header for height {height} is refused")]
pub struct HeaderError {
    /// The height that it would have had.
    pub height: u32,
    /// The rule.
    #[source]
    pub fault: HeaderFault,
}

/// A rule that a header breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// It names another as the one before.
    #[error("it does not follow on the one before")]
    NotLinked,
    /// Its target is not the one that is due.
    #[error("its target is {given} where {expected} is due")]
    WrongTarget {
        /// The target that follows from the headers before.
        expected: CompactTarget,
        /// The one it names.
        given: CompactTarget,
    },
    /// Its hash exceeds its target.
    #[error("its hash exceeds its target")]
    TooLittleWork,
    /// It is not later than the middle one of the eleven before.
    #[error("its time {given} is not after {median}, the median of those before")]
    TooEarly {
        /// The median.
        median: u32,
        /// The header's time.
        given: u32,
    },
    /// Heights end there.
    #[error("there are no heights above")]
    TooHigh,
}

/// A place in a chain and all that the next header is checked against.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    height: u32,
    hash: BlockHash,
    bits: CompactTarget,
    time: u32,
    /// The time of the first header that has the same target.
    period_time: u32,
    /// The times of the last headers, the latest last.
    times: [u32; MEDIAN_SPAN],
    known_times: usize,
    /// What follows from `bits`, computed once a period.
    target: Target,
    work: Work,
}

impl Cursor {
    /// At the last of some headers of a chain. The first of them has that height; there must be one, and for the
    /// check to be exact they reach back to the beginning of the period and over eleven headers.
    pub(super) fn at(rules: &ChainRules, first_height: u32, headers: &[BlockHeader]) -> Option<Self> {
        let (first, last) = (headers.first()?, headers.last()?);
        let height = first_height.checked_add(u32::try_from(headers.len() - 1).ok()?)?;
        let into_period = rules.retarget.map_or(0, |retarget| height % retarget.interval);
        let period_start = headers.len().checked_sub(1 + usize::try_from(into_period).ok()?);
        let period_time = period_start.and_then(|at| headers.get(at)).unwrap_or(first).time();
        let mut cursor = Self {
            height,
            hash: last.hash(),
            bits: last.bits(),
            time: last.time(),
            period_time,
            times: [0; MEDIAN_SPAN],
            known_times: 0,
            target: last.bits().target()?,
            work: last.bits().target()?.work(),
        };
        for header in &headers[headers.len().saturating_sub(MEDIAN_SPAN)..] {
            cursor.remember(header.time());
        }
        Some(cursor)
    }

    /// Moves to the next header, if it keeps to the rules, and returns its work.
    pub(super) fn advance(&mut self, rules: &ChainRules, header: &BlockHeader) -> Result<Work, HeaderError> {
        let height = self.height.checked_add(1);
        let refused = |fault| HeaderError { height: height.unwrap_or(u32::MAX), fault };
        let height = height.ok_or_else(|| refused(HeaderFault::TooHigh))?;
        if header.previous() != self.hash {
            return Err(refused(HeaderFault::NotLinked));
        }
        let begins = rules.begins_period(height);
        let expected = if begins { rules.retargeted(self.bits, self.period_time, self.time) } else { self.bits };
        let given = header.bits();
        let wrong_target = refused(HeaderFault::WrongTarget { expected, given });
        if given != expected {
            return Err(wrong_target);
        }
        let (target, work) = if given == self.bits {
            (self.target, self.work)
        } else {
            let target = given.target().ok_or(wrong_target)?;
            (target, target.work())
        };
        let hash = header.hash();
        if !target.is_met_by(&hash) {
            return Err(refused(HeaderFault::TooLittleWork));
        }
        let (time, median) = (header.time(), self.median());
        if time <= median {
            return Err(refused(HeaderFault::TooEarly { median, given: time }));
        }
        (self.height, self.hash, self.bits, self.time) = (height, hash, given, time);
        (self.target, self.work) = (target, work);
        if begins {
            self.period_time = time;
        }
        self.remember(time);
        Ok(work)
    }

    fn remember(&mut self, time: u32) {
        self.times.rotate_left(1);
        self.times[MEDIAN_SPAN - 1] = time;
        self.known_times = (self.known_times + 1).min(MEDIAN_SPAN);
    }

    fn median(&self) -> u32 {
        let mut times = self.times;
        let known = &mut times[MEDIAN_SPAN - self.known_times..];
        known.sort_unstable();
        known[known.len() / 2]
    }
}
