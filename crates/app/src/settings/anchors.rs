//! How the log is stamped.

use super::raw::{InvalidSetting, Raw, parse_duration};
use artdag_anchoring::ots::{CalendarUri, Calendars};
use artdag_registry::AnchorPolicy;
use chrono::TimeDelta;
use std::str::FromStr;

/// How the log is stamped, and where proofs are followed to.
#[derive(Clone, Debug)]
pub struct AnchorSettings {
    /// Who is asked, how many have to answer, and how often.
    pub policy: AnchorPolicy,
    /// Further calendars that may be asked, whom those of the policy name.
    pub whitelist: Calendars,
    /// The same as it was given.
    whitelist_patterns: Vec<String>,
}

/// The aggregators that the standard client submits to.
const PUBLIC: [&str; 4] = [
    "https://a.pool.opentimestamps.org",
    "https://b.pool.opentimestamps.org",
    "https://a.pool.eternitywall.com",
    "https://ots.btc.catallaxy.com",
];

impl AnchorSettings {
    pub(super) fn from(raw: &Raw) -> Result<Self, InvalidSetting> {
        let calendars = calendars(raw)?;
        let most = calendars.len().max(1);
        let quorum = raw.parse_or("OTS_QUORUM", most.min(2), |text| match text.parse() {
            Ok(quorum) if (1..=most).contains(&quorum) => Ok(quorum),
            _ => Err(format!("`{text}` is no number from 1 to {most}, as many as there are calendars")),
        })?;
        let interval = raw.parse_or("ANCHOR_INTERVAL", Some(TimeDelta::hours(1)), |text| match text {
            "0" => Ok(None),
            text => parse_duration(text).map(Some).map_err(|error| format!("{error}, nor `0`")),
        })?;
        let whitelist_patterns: Vec<String> = raw.list("OTS_CALENDAR_WHITELIST")?;
        let mut whitelist = Calendars::public();
        for pattern in &whitelist_patterns {
            let allowed = whitelist.allow(pattern);
            allowed.map_err(|error| InvalidSetting::new("OTS_CALENDAR_WHITELIST", format!("`{pattern}` {error}")))?;
        }
        Ok(Self { policy: AnchorPolicy { calendars, quorum, interval }, whitelist, whitelist_patterns })
    }

    pub(super) fn shown(&self) -> [(&'static str, String); 4] {
        let AnchorPolicy { calendars, quorum, interval } = &self.policy;
        let calendars: Vec<&str> = calendars.iter().map(CalendarUri::as_str).collect();
        [
            ("OTS_CALENDARS", if calendars.is_empty() { "none".to_owned() } else { calendars.join(",") }),
            ("OTS_QUORUM", quorum.to_string()),
            ("OTS_CALENDAR_WHITELIST", self.whitelist_patterns.join(",")),
            ("ANCHOR_INTERVAL", interval.map_or_else(|| "0".to_owned(), |every| format!("{}s", every.num_seconds()))),
        ]
    }
}

/// A calendar's address as operators write it.
#[derive(PartialEq)]
struct Address(CalendarUri);

impl FromStr for Address {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let address = host.filter(|host| !host.is_empty()).and_then(|_| text.trim_end_matches('/').parse().ok());
        address.map(Self).ok_or("is no calendar's address such as `https://a.pool.opentimestamps.org`")
    }
}

fn calendars(raw: &Raw) -> Result<Vec<CalendarUri>, InvalidSetting> {
    const NAME: &str = "OTS_CALENDARS";
    let given: Vec<Address> = match raw.get(NAME) {
        Some("none") => return Ok(Vec::new()),
        Some(_) => raw.list(NAME)?,
        None => {
            let parsed = PUBLIC.iter().map(|text| text.parse());
            parsed.collect::<Result<_, _>>().map_err(|error: &str| InvalidSetting::new(NAME, error))?
        }
    };
    Ok(given.into_iter().map(|Address(uri)| uri).collect())
}
