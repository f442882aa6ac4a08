use chrono::{DateTime, SecondsFormat, Utc};

/// A point in time, UTC.
pub type Instant = DateTime<Utc>;

/// Tells the time. Everything that needs "now" is handed one.
pub trait Clock: Send + Sync {
    /// The present instant, cut to whole microseconds: what both databases keep and what documents say.
    fn now(&self) -> Instant;
}

/// RFC 3339 in UTC with `Z`, with microseconds: `2026-11-22T07:21:19.123456Z`.
pub fn rfc3339(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// RFC 3339 in UTC with `Z`, to the second: `2026-11-22T07:21:19Z`. For signature options.
pub fn rfc3339_seconds(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
