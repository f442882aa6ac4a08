//! How far the clocks of peers may be off, and for how long a signature holds.

use super::fault::SignatureFault;
use artdag_kernel::Instant;
use chrono::{DateTime, TimeDelta};

const AHEAD: TimeDelta = TimeDelta::hours(1);
const OLD: TimeDelta = TimeDelta::hours(12);

/// `name` is what told the time.
pub(super) fn check_created(name: &'static str, at: Instant, now: Instant) -> Result<(), SignatureFault> {
    if at - now > AHEAD {
        return Err(SignatureFault::Early(name));
    }
    if now - at > OLD {
        return Err(SignatureFault::Late(name));
    }
    Ok(())
}

pub(super) fn check_expires(at: Instant, now: Instant) -> Result<(), SignatureFault> {
    if at <= now { Err(SignatureFault::Expired) } else { Ok(()) }
}

/// The `Date` header, in any of its three spellings.
pub(super) fn check_date(value: &[u8], now: Instant) -> Result<Instant, SignatureFault> {
    let text = str::from_utf8(value).map_err(|_| SignatureFault::Date)?;
    let date = httpdate::parse_http_date(text).map_err(|_| SignatureFault::Date)?;
    check_created("date", date.into(), now).map(|()| date.into())
}

/// Seconds since 1970.
pub(super) fn from_seconds(name: &'static str, seconds: i64) -> Result<Instant, SignatureFault> {
    DateTime::from_timestamp(seconds, 0).ok_or(SignatureFault::Parameter(name))
}

/// The spelling that RFC 9110 wants of a `Date` header.
pub(super) fn http_date(at: Instant) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_spellings_of_one_date() {
        let now: Instant = "1994-11-06T08:49:37Z".parse().unwrap();
        for spelling in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(check_date(spelling.as_bytes(), now), Ok(now), "{spelling}");
        }
        assert_eq!(http_date(now), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn an_hour_ahead_and_twelve_old() {
        let now: Instant = "2026-11-22T12:00:00Z".parse().unwrap();
        let at = |seconds| check_created("created", now + TimeDelta::seconds(seconds), now);
        assert_eq!(at(3600), Ok(()));
        assert_eq!(at(3601), Err(SignatureFault::Early("created")));
        assert_eq!(at(-12 * 3600), Ok(()));
        assert_eq!(at(-12 * 3600 - 1), Err(SignatureFault::Late("created")));
        assert_eq!(check_expires(now, now), Err(SignatureFault::Expired));
        assert_eq!(check_expires(now + TimeDelta::seconds(1), now), Ok(()));
        assert_eq!(from_seconds("created", i64::MAX), Err(SignatureFault::Parameter("created")));
    }

    #[test]
    fn no_date_panics() {
        let now: Instant = "2026-11-22T12:00:00Z".parse().unwrap();
        for hostile in
            ["", "é", "Fri, 31 Dec 9999 23:59:59 GMT", "Sun, 06 Nov 0000 08:49:37 GMT", "Sun, 99 Nov 1994 99:99:99 GMT"]
        {
            assert!(check_date(hostile.as_bytes(), now).is_err(), "{hostile}");
        }
    }
}
