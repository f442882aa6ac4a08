//! What follows from an attempt to deliver: pure rules, so that they can be tried without a network or a clock.

use crate::Iri;
use artdag_kernel::{ActivityId, Instant, Username};
use chrono::{DateTime, TimeDelta};

/// An activity on its way to one inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// What is delivered: a published activity or a message.
    pub activity: ActivityId,
    /// In whose name.
    pub sender: Username,
    /// Where to.
    pub inbox: Iri,
    /// How far it is.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next; when the last attempt was, once it is over.
    pub next_at: Instant,
    /// When it was handed over.
    pub created_at: Instant,
    /// The status of the last answer.
    pub last_status: Option<u16>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// It will be tried, or tried again.
    Waiting,
    /// The other server took it.
    Delivered,
    /// It was given up.
    Failed,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Failed];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// How long a delivery is tried.
pub const GIVE_UP: TimeDelta = TimeDelta::days(7);

/// What came back of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// A status, and what `Retry-After` says of it.
    Answered {
        /// The status.
        status: u16,
        /// `Retry-After`, as it was sent.
        retry_after: Option<String>,
    },
    /// No answer, and why.
    Unreachable(String),
    /// The guard or the operator does not let this server be called.
    Forbidden(String),
}

/// What becomes of a delivery after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It arrived.
    Delivered,
    /// It is tried again then.
    Again(Instant),
    /// It will not be taken.
    Refused,
    /// There is no such inbox any more: its owner is gone, too.
    Gone,
    /// It was tried for long enough.
    Expired,
}

/// Judges an attempt. `attempts` counts this one; `chance` is any number.
pub fn judge(attempt: &Attempt, attempts: u32, created_at: Instant, now: Instant, chance: u16) -> Verdict {
    let wait = match attempt {
        Attempt::Answered { status, retry_after } => match status {
            200..=299 => return Verdict::Delivered,
            410 => return Verdict::Gone,
            401 | 403 | 408 | 425 | 429 | 500.. => {
                let asked = retry_after.as_deref().and_then(|text| parse_retry_after(text, now));
                asked.unwrap_or_default().max(backoff(attempts, chance))
            }
            _ => return Verdict::Refused,
        },
        Attempt::Unreachable(_) => backoff(attempts, chance),
        Attempt::Forbidden(_) => return Verdict::Refused,
    };
    let next = now + wait;
    if next > created_at + GIVE_UP { Verdict::Expired } else { Verdict::Again(next) }
}

/// 1 min, doubling up to 12 h, and up to a quarter more by chance.
fn backoff(attempts: u32, chance: u16) -> TimeDelta {
    let doublings = attempts.saturating_sub(1).min(10);
    let base = (60_000_i64 << doublings).min(12 * 3_600_000);
    TimeDelta::milliseconds(base + base * i64::from(chance) / (4 * i64::from(u16::MAX)))
}

/// How long `Retry-After` (RFC 9110, 10.2.3) asks to wait: seconds or a date. Never longer than a delivery is tried.
pub fn parse_retry_after(text: &str, now: Instant) -> Option<TimeDelta> {
    let text = text.trim();
    let wait = match text.parse::<u32>() {
        Ok(seconds) => TimeDelta::seconds(i64::from(seconds)),
        Err(_) => DateTime::parse_from_rfc2822(text).ok()?.to_utc() - now,
    };
    Some(wait.clamp(TimeDelta::zero(), GIVE_UP))
}

impl Attempt {
    /// Whether it tells against the whole server, and not only against this inbox.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Answered { status, .. } => *status >= 500 || *status == 429,
            Self::Unreachable(_) => true,
            Self::Forbidden(_) => false,
        }
    }

    /// What the operator is told; nothing of a success.
    pub fn error(&self) -> Option<String> {
        match self {
            Self::Answered { status: 200..=299, .. } => None,
            Self::Answered { status, .. } => Some(format!("the server answered {status}")),
            Self::Unreachable(why) | Self::Forbidden(why) => Some(why.clone()),
        }
    }
}

/// Keeps mail back from a server that does not answer: 5 outages within 10 minutes open it for 30 minutes; then one
/// probe decides whether it closes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    /// Outages since the last success, within the window; from there on every failed probe.
    pub failures: u32,
    /// When the first of them was.
    pub since: Option<Instant>,
    /// Open until then; a probe may go from then on.
    pub open_until: Option<Instant>,
}

/// Whether mail may go to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// As much as there is.
    Open,
    /// One delivery, to see.
    Probe,
    /// Not before that.
    Wait(Instant),
}

impl Breaker {
    const FAILURES: u32 = 5;
    const WINDOW: TimeDelta = TimeDelta::minutes(10);
    const REST: TimeDelta = TimeDelta::minutes(30);

    /// What may be sent now.
    pub fn permit(&self, now: Instant) -> Permit {
        match self.open_until {
            None => Permit::Open,
            Some(until) if until <= now => Permit::Probe,
            Some(until) => Permit::Wait(until),
        }
    }

    /// After an answer.
    #[must_use]
    pub fn succeeded(self) -> Self {
        Self::default()
    }

    /// After an outage.
    #[must_use]
    pub fn failed(self, now: Instant) -> Self {
        let is_old = self.open_until.is_none() && self.since.is_none_or(|since| now - since > Self::WINDOW);
        let (failures, since) =
            if is_old { (1, now) } else { (self.failures.saturating_add(1), self.since.unwrap_or(now)) };
        let opens = self.open_until.is_some() || failures >= Self::FAILURES;
        Self { failures, since: Some(since), open_until: opens.then(|| now + Self::REST) }
    }

    /// After mail came from there: it lives, so a probe may go at once. No more than that; one can send and not receive.
    #[must_use]
    pub fn heard(self, now: Instant) -> Self {
        Self { open_until: self.open_until.map(|until| until.min(now)), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Instant {
        DateTime::from_timestamp(1_795_000_000 + seconds, 0).unwrap()
    }

    fn answered(status: u16, retry_after: Option<&str>) -> Attempt {
        Attempt::Answered { status, retry_after: retry_after.map(str::to_owned) }
    }

    #[test]
    fn statuses_mean_what_they_say() {
        let verdict = |status| judge(&answered(status, None), 1, at(0), at(0), 0);
        for status in [200, 201, 202, 204] {
            assert_eq!(verdict(status), Verdict::Delivered, "{status}");
        }
        for status in [401, 403, 408, 425, 429, 500, 502, 503, 504, 599] {
            assert_eq!(verdict(status), Verdict::Again(at(60)), "{status}");
        }
        for status in [301, 400, 404, 405, 406, 413, 415, 422, 451] {
            assert_eq!(verdict(status), Verdict::Refused, "{status}");
        }
        assert_eq!(verdict(410), Verdict::Gone);
        assert_eq!(judge(&Attempt::Forbidden("x".into()), 1, at(0), at(0), 0), Verdict::Refused);
    }

    #[test]
    fn waits_as_long_as_asked_and_longer_each_time() {
        let next = |attempt: &Attempt, attempts| judge(attempt, attempts, at(0), at(0), 0);
        assert_eq!(next(&answered(429, Some("120")), 1), Verdict::Again(at(120)));
        assert_eq!(next(&answered(429, Some("5")), 1), Verdict::Again(at(60)));
        let date = at(3600).to_rfc2822();
        assert_eq!(next(&answered(503, Some(&date)), 1), Verdict::Again(at(3600)));
        assert_eq!(next(&answered(503, Some("soon")), 1), Verdict::Again(at(60)));
        assert_eq!(next(&answered(503, Some("4294967295")), 1), Verdict::Again(at(7 * 86_400)));
        let down = Attempt::Unreachable("nobody listens".into());
        assert_eq!(next(&down, 4), Verdict::Again(at(480)));
        assert_eq!(next(&down, 40), Verdict::Again(at(43_200)));
        assert_eq!(judge(&down, 1, at(-7 * 86_400), at(0), 0), Verdict::Expired);
    }

    #[test]
    fn opens_after_five_outages_and_closes_after_one_probe() {
        let mut breaker = Breaker::default();
        for n in 0..4 {
            breaker = breaker.failed(at(n));
            assert_eq!(breaker.permit(at(n)), Permit::Open);
        }
        breaker = breaker.failed(at(4));
        assert_eq!(breaker.permit(at(5)), Permit::Wait(at(1804)));
        assert_eq!(breaker.permit(at(1804)), Permit::Probe);
        let again = breaker.failed(at(1804));
        assert_eq!(again.permit(at(1805)), Permit::Wait(at(3604)));
        assert_eq!(again.succeeded().permit(at(1805)), Permit::Open);
        assert_eq!(again.heard(at(1805)).permit(at(1805)), Permit::Probe);
        assert_eq!(again.heard(at(1805)).failed(at(1806)).permit(at(1806)), Permit::Wait(at(3606)));
    }

    #[test]
    fn outages_far_apart_do_not_add_up() {
        let breaker = (0..20).fold(Breaker::default(), |breaker, n| breaker.failed(at(n * 601)));
        assert_eq!(breaker.permit(at(20 * 601)), Permit::Open);
    }

    proptest! {
        #[test]
        fn a_wait_is_bounded(status in 0_u16..=u16::MAX, retry in ".{0,30}", attempts in 0_u32.., age in 0_i64..800_000, chance: u16) {
            if let Verdict::Again(next) = judge(&answered(status, Some(&retry)), attempts, at(-age), at(0), chance) {
                prop_assert!(next >= at(60) && next <= at(-age) + GIVE_UP);
            }
        }

        /// Whatever happens: at most two windows meet within ten minutes, and a success forgets all.
        #[test]
        fn a_breaker_is_open_or_it_is_not(events in prop::collection::vec((0_u8..3, 0_i64..2000), 1..200)) {
            let (mut breaker, mut now, mut recent) = (Breaker::default(), 0, Vec::new());
            for (event, pause) in events {
                now += pause;
                let permit = breaker.permit(at(now));
                prop_assert_eq!(matches!(permit, Permit::Wait(_)), breaker.open_until.is_some_and(|until| until > at(now)));
                breaker = match event {
                    0 if permit == Permit::Open => {
                        recent.retain(|then| now - then <= 600);
                        recent.push(now);
                        prop_assert!(recent.len() <= 9, "{:?}", recent);
                        breaker.failed(at(now))
                    }
                    0 if permit == Permit::Probe => breaker.failed(at(now)),
                    1 => breaker.heard(at(now)),
                    2 => {
                        recent.clear();
                        breaker.succeeded()
                    }
                    _ => breaker,
                };
            }
        }
    }
}
