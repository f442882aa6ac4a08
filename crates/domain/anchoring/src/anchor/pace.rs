use chrono::TimeDelta;

/// How often calendars are asked and blocks are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    period: TimeDelta,
    counts: bool,
}

/// Nobody is left alone for longer.
const LONGEST: TimeDelta = TimeDelta::hours(6);

impl Pace {
    /// No more often than once in that time. It is at least a second, and at most six hours.
    #[must_use]
    pub fn new(period: TimeDelta) -> Self {
        Self { period: period.clamp(TimeDelta::seconds(1), LONGEST), counts: true }
    }

    /// The same for what somebody is in a hurry for: who is asked before their time and has nothing to say is asked at
    /// that time all the same, and no later for it.
    #[must_use]
    pub const fn urged(self) -> Self {
        Self { counts: false, ..self }
    }

    /// Whether what comes of it decides about the next time.
    pub(super) const fn counts(self) -> bool {
        self.counts
    }

    /// The shortest pause.
    #[must_use]
    pub const fn period(self) -> TimeDelta {
        self.period
    }

    /// The pause before asking again who has nothing to say yet, and has been asked for so long: what takes long takes
    /// longer.
    #[must_use]
    pub fn patient(self, age: TimeDelta) -> TimeDelta {
        (age / 20).clamp(self.period, LONGEST)
    }

    /// The pause before asking again who has failed, and did so that often before: it doubles.
    #[must_use]
    pub fn after_failures(self, failures: u32) -> TimeDelta {
        let factor = 1_i32 << failures.min(20);
        self.period.checked_mul(factor).map_or(LONGEST, |pause| pause.min(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let pace = Pace::new(TimeDelta::minutes(10));
        assert_eq!(pace.after_failures(0), TimeDelta::minutes(10));
        assert_eq!(pace.after_failures(2), TimeDelta::minutes(40));
        assert_eq!(pace.after_failures(u32::MAX), LONGEST);
        assert_eq!(pace.patient(TimeDelta::hours(1)), TimeDelta::minutes(10));
        assert_eq!(pace.patient(TimeDelta::hours(20)), TimeDelta::hours(1));
        assert_eq!(pace.patient(TimeDelta::days(300)), LONGEST);
        assert_eq!(Pace::new(TimeDelta::zero()).period(), TimeDelta::seconds(1));
    }
}
