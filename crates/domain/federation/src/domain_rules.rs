use artdag_kernel::Instant;
use std::fmt;
use std::str::FromStr;

/// Which hosts a rule is for: `spam.example`, or `*.spam.example` for it and everything below it, or `*` for all.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainPattern(String);

/// The text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a host name such as `spam.example`, `*.spam.example` with everything below it, or `*`")]
pub struct InvalidPattern;

/// What becomes of the hosts of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DomainAction {
    /// Nothing is taken from them and nothing is sent to them.
    Block,
    /// With `FEDERATION=allowlist` they are among those that are spoken to.
    Allow,
}

/// What the operator decided about some hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainRule {
    /// Which hosts.
    pub pattern: DomainPattern,
    /// What becomes of them.
    pub action: DomainAction,
    /// Why.
    pub reason: Option<String>,
    /// Since when.
    pub created_at: Instant,
}

/// With whom this server speaks at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FederationMode {
    /// With everybody who is not blocked.
    Open,
    /// With those who are allowed and not blocked.
    Allowlist,
    /// With nobody.
    Off,
}

impl DomainPattern {
    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a host is meant. Its port does not matter.
    pub fn matches(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty() => name,
            _ => host.as_str(),
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        match self.0.strip_prefix('*') {
            Some("") => true,
            // `.spam.example`: itself and what is below it, but not `notspam.example`.
            Some(below) => name == &below[1..] || name.ends_with(below),
            None => name == self.0,
        }
    }
}

impl FromStr for DomainPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let text = text.trim().to_ascii_lowercase();
        // A name may end with the dot of the root.
        let text = text.strip_suffix('.').filter(|name| *name != "*").unwrap_or(&text).to_owned();
        if text == "*" {
            return Ok(Self(text));
        }
        let name = text.strip_prefix("*.").unwrap_or(&text);
        // What a URL's parser makes of a host is how hosts are spelled when they are asked about.
        let url = url::Url::parse(&format!("https://{name}/")).map_err(|_| InvalidPattern)?;
        let host = url
            .host_str()
            .filter(|_| url.port().is_none() && url.path() == "/" && !name.contains(['@', '?', '#', '*']));
        let host = host.ok_or(InvalidPattern)?;
        Ok(Self(if text.starts_with("*.") { format!("*.{host}") } else { host.to_owned() }))
    }
}

impl fmt::Display for DomainPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DomainPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl DomainAction {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Allow => "allow",
        }
    }
}

impl FromStr for DomainAction {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text {
            "block" => Ok(Self::Block),
            "allow" => Ok(Self::Allow),
            _ => Err("is not `block` or `allow`"),
        }
    }
}

impl FederationMode {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Allowlist => "allowlist",
            Self::Off => "off",
        }
    }
}

impl FromStr for FederationMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "open" => Ok(Self::Open),
            "allowlist" => Ok(Self::Allowlist),
            "off" => Ok(Self::Off),
            _ => Err(format!("`{text}` is not `open`, `allowlist` or `off`")),
        }
    }
}

/// Why a host is not spoken to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Shunned {
    /// Federation is switched off.
    #[error("this server does not federate")]
    Off,
    /// The operator blocked it.
    #[error("{0} is blocked by this server")]
    Blocked(String),
    /// It is not on the list of those that are spoken to.
    #[error("{0} is not on this server's list of allowed servers")]
    NotAllowed(String),
}

/// Whether a host may be spoken to. A block goes before an allowance.
///
/// # Errors
/// [`Shunned`] says why not.
pub fn check_host(mode: FederationMode, rules: &[DomainRule], host: &str) -> Result<(), Shunned> {
    let is = |action| rules.iter().any(|rule| rule.action == action && rule.pattern.matches(host));
    match mode {
        FederationMode::Off => Err(Shunned::Off),
        _ if is(DomainAction::Block) => Err(Shunned::Blocked(host.to_owned())),
        FederationMode::Allowlist if !is(DomainAction::Allow) => Err(Shunned::NotAllowed(host.to_owned())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(pattern: &str, action: DomainAction) -> DomainRule {
        let created_at = chrono::DateTime::from_timestamp(0, 0).unwrap();
        DomainRule { pattern: pattern.parse().unwrap(), action, reason: None, created_at }
    }

    #[test]
    fn a_pattern_means_whole_labels() {
        let matches = |pattern: &str, host: &str| pattern.parse::<DomainPattern>().unwrap().matches(host);
        assert!(matches("spam.example", "SPAM.example:8443"));
        assert!(!matches("spam.example", "a.spam.example") && matches("spam.example", "spam.example."));
        assert!(matches("*.spam.example", "a.b.spam.example") && matches("*.spam.example", "spam.example"));
        assert!(!matches("*.spam.example", "notspam.example"));
        assert!(
            matches("*", "anything.example") && matches("[::1]", "[::1]:8200") && matches("127.0.0.1", "127.0.0.1:1")
        );
        assert!(matches("bücher.example", "xn--bcher-kva.example"));
    }

    #[test]
    fn refuses_what_is_no_pattern() {
        for text in
            ["", "*.", "a b", "https://a.example", "a.example/x", "a.*.example", "a.example:80", "u@a.example", "**"]
        {
            assert_eq!(text.parse::<DomainPattern>(), Err(InvalidPattern), "{text}");
        }
    }

    #[test]
    fn a_block_goes_before_an_allowance() {
        let rules = [rule("*.a.example", DomainAction::Allow), rule("evil.a.example", DomainAction::Block)];
        let check = |mode, host| check_host(mode, &rules, host);
        assert_eq!(check(FederationMode::Open, "b.example"), Ok(()));
        assert_eq!(check(FederationMode::Allowlist, "b.example"), Err(Shunned::NotAllowed("b.example".into())));
        assert_eq!(check(FederationMode::Allowlist, "x.a.example"), Ok(()));
        for mode in [FederationMode::Open, FederationMode::Allowlist] {
            assert_eq!(check(mode, "evil.a.example"), Err(Shunned::Blocked("evil.a.example".into())));
        }
        assert_eq!(check(FederationMode::Off, "x.a.example"), Err(Shunned::Off));
    }
}
