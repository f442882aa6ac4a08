use std::fmt;
use std::str::FromStr;

use super::limits;

/// The address of a calendar, as a proof has it. It may lead anywhere; ask [`Calendars`] before going there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CalendarUri(String);

/// The text cannot be a calendar's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be at most 1000 of the characters A-Z, a-z, 0-9, `.`, `_`, `-`, `/` and `:`")]
pub struct InvalidUri;

/// The calendars that may be asked. Nobody else is, whatever a proof says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendars(Vec<Pattern>);

/// The text names no calendars that could be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be `https://` and the public name of a host, which may begin with `*.`")]
pub struct InvalidCalendar;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// This host.
    Host(String),
    /// Every host whose name ends so; the text begins with a full stop.
    Below(String),
    /// This address, letter by letter.
    Exactly(String),
}

impl CalendarUri {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&[u8]> for CalendarUri {
    type Error = InvalidUri;

    fn try_from(bytes: &[u8]) -> Result<Self, InvalidUri> {
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._/:".contains(byte);
        if bytes.len() > limits::URI || !bytes.iter().all(allowed) {
            return Err(InvalidUri);
        }
        Ok(Self(bytes.iter().copied().map(char::from).collect()))
    }
}

impl FromStr for CalendarUri {
    type Err = InvalidUri;

    fn from_str(text: &str) -> Result<Self, InvalidUri> {
        Self::try_from(text.as_bytes())
    }
}

impl fmt::Display for CalendarUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Calendars {
    /// Nobody.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// The public calendars that the standard tools trust.
    #[must_use]
    pub fn public() -> Self {
        let below = [".calendar.opentimestamps.org", ".calendar.eternitywall.com", ".calendar.catallaxy.com"];
        let below = below.map(|domain| Pattern::Below(domain.to_owned()));
        let hosts = ["ots.btc.catallaxy.com", "a.pool.eternitywall.com", "a.pool.opentimestamps.org"];
        let hosts = hosts.into_iter().chain(["b.pool.opentimestamps.org", "finney.calendar.eternitywall.com"]);
        Self(below.into_iter().chain(hosts.map(|host| Pattern::Host(host.to_owned()))).collect())
    }

    /// Allows one more: `https://host` or `https://*.domain`, without a port or a path.
    ///
    /// # Errors
    ///
    /// If the text is not of that form, or the host is an address or a name of this machine or network.
    pub fn allow(&mut self, pattern: &str) -> Result<(), InvalidCalendar> {
        let host = pattern.strip_prefix("https://").ok_or(InvalidCalendar)?;
        let (name, is_below) = host.strip_prefix("*.").map_or((host, false), |name| (name, true));
        if !is_public_name(name) {
            return Err(InvalidCalendar);
        }
        self.0.push(if is_below { Pattern::Below(format!(".{name}")) } else { Pattern::Host(name.to_owned()) });
        Ok(())
    }

    /// Allows an address as it stands, be it of this machine and without encryption. This is for trials with a
    /// calendar of one's own, and never for what somebody else wrote.
    pub fn allow_exactly(&mut self, uri: &CalendarUri) {
        self.0.push(Pattern::Exactly(uri.as_str().to_owned()));
    }

    /// Whether the address may be asked.
    #[must_use]
    pub fn allows(&self, uri: &CalendarUri) -> bool {
        let uri = uri.as_str();
        let host = uri.strip_prefix("https://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        let host = host.filter(|host| is_public_name(host));
        self.0.iter().any(|pattern| match pattern {
            Pattern::Host(name) => host == Some(name),
            Pattern::Below(domain) => host.is_some_and(|host| host.ends_with(domain.as_str())),
            Pattern::Exactly(exactly) => uri == exactly,
        })
    }
}

/// A name of the public DNS in lower case: no address, no port, no path, and none that stays in the house.
fn is_public_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let Some((_, top)) = name.rsplit_once('.') else { return false };
    let stays = ["local", "localhost", "localdomain", "internal", "lan", "home", "arpa", "onion"].contains(&top);
    // The last label of an address is a number, in whatever base.
    let is_number = top.starts_with(|first: char| first.is_ascii_digit());
    name.len() <= 253 && name.split('.').all(is_label) && !stays && !is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(calendars: &Calendars, uri: &str) -> bool {
        calendars.allows(&uri.parse().unwrap())
    }

    #[test]
    fn the_public_calendars_are_asked() {
        let calendars = Calendars::public();
        for uri in [
            "https://alice.btc.calendar.opentimestamps.org",
            "https://bob.btc.calendar.opentimestamps.org/",
            "https://finney.calendar.eternitywall.com",
            "https://btc.calendar.catallaxy.com",
            "https://ots.btc.catallaxy.com",
        ] {
            assert!(allows(&calendars, uri), "{uri}");
        }
    }

    #[test]
    fn nobody_else_is() {
        let mut calendars = Calendars::public();
        calendars.allow("https://ots.example.org").unwrap();
        for uri in [
            "",
            "https://",
            "file:///etc/passwd",
            "http://alice.btc.calendar.opentimestamps.org",
            "HTTPS://alice.btc.calendar.opentimestamps.org",
            "https://alice.btc.calendar.opentimestamps.org:444",
            "https://alice.btc.calendar.opentimestamps.org/x",
            "https://alice.btc.calendar.opentimestamps.org//",
            "https://.calendar.opentimestamps.org",
            "https://calendar.opentimestamps.org",
            "https://evil.example/.calendar.opentimestamps.org",
            "https://evil.example:.calendar.opentimestamps.org",
            "https://evilcalendar.opentimestamps.org",
            "https://ots.example.org.",
            "https://a.ots.example.org",
            "https://localhost",
            "https://127.0.0.1",
            "http://127.0.0.1:14788",
            "https://ots.btc.catallaxy.com.evil.example",
        ] {
            assert!(!allows(&calendars, uri), "{uri}");
        }
        assert!(!allows(&Calendars::none(), "https://ots.btc.catallaxy.com"));
    }

    #[test]
    fn only_public_names_can_be_allowed() {
        let mut calendars = Calendars::none();
        for pattern in [
            "ots.example.org",
            "http://ots.example.org",
            "https://",
            "https://localhost",
            "https://a.localhost",
            "https://printer.local",
            "https://10.0.0.1",
            "https://2130706433",
            "https://0x7f.1",
            "https://a.0x7f",
            "https://*",
            "https://*.*.org",
            "https://ots.example.org/",
            "https://ots.example.org:443",
            "https://u:p@ots.example.org",
            "https://OTS.example.org",
            "https://-a.example.org",
        ] {
            assert_eq!(calendars.allow(pattern), Err(InvalidCalendar), "{pattern}");
        }
        assert_eq!(calendars, Calendars::none());
        calendars.allow_exactly(&"http://127.0.0.1:14788".parse().unwrap());
        assert!(allows(&calendars, "http://127.0.0.1:14788") && !allows(&calendars, "http://127.0.0.1:14789"));
    }

    #[test]
    fn addresses_have_few_characters() {
        assert!("https://a-b.example:1/_x".parse::<CalendarUri>().is_ok());
        for text in ["a b", "a?b", "a#b", "a@b", "a%20", "a\n", "é", "a\u{202e}", "<script>"] {
            assert_eq!(text.parse::<CalendarUri>(), Err(InvalidUri), "{text}");
        }
        assert!("a".repeat(1000).parse::<CalendarUri>().is_ok());
        assert_eq!("a".repeat(1001).parse::<CalendarUri>(), Err(InvalidUri));
    }
}
