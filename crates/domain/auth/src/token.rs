use artdag_kernel::{Instant, ServerUrl, Username};
use chrono::{DateTime, TimeDelta};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// What a token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything its user may do.
    Full,
    /// What a renderer (an L1 server) needs in its user's name, at that one renderer.
    Renderer(ServerUrl),
}

/// What a token says (RFC 7519).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    sub: String,
    username: String,
    l2_server: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    l1_server: Option<String>,
    iat: i64,
    exp: i64,
    jti: String,
}

/// Why the claims of a well-sealed token are not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimsFault {
    /// `exp` is past.
    #[error("the token has expired")]
    Expired,
    /// `iat` lies in the future.
    #[error("the token is from the future")]
    Early,
    /// `l2_server` is another registry.
    #[error("the token was made for another server")]
    Foreign,
    /// `sub` and `username` are not one username, or `l1_server` is no URL.
    #[error("the token's claims contradict each other")]
    Inconsistent,
}

impl Claims {
    /// How far two servers' clocks may be apart.
    const LEEWAY: TimeDelta = TimeDelta::seconds(60);

    /// The claims of a token that is made now and lives for `lifetime`. `id` makes it unique.
    pub fn new(
        username: Username,
        l2_server: &str,
        scope: Scope,
        now: Instant,
        lifetime: TimeDelta,
        id: impl Into<String>,
    ) -> Self {
        let l1_server = match scope {
            Scope::Full => None,
            Scope::Renderer(url) => Some(url.to_string()),
        };
        Self {
            sub: username.to_string(),
            username: username.to_string(),
            l2_server: l2_server.to_owned(),
            l1_server,
            iat: now.timestamp(),
            exp: (now + lifetime).timestamp(),
            jti: id.into(),
        }
    }

    /// Decides whether to accept them here and now, and says for whom and for what.
    ///
    /// # Errors
    /// The first [`ClaimsFault`].
    pub fn check(&self, now: Instant, l2_server: &str) -> Result<(Username, Scope), ClaimsFault> {
        if self.l2_server != l2_server {
            return Err(ClaimsFault::Foreign);
        }
        if now.timestamp() >= self.exp {
            return Err(ClaimsFault::Expired);
        }
        if (now + Self::LEEWAY).timestamp() < self.iat {
            return Err(ClaimsFault::Early);
        }
        let username: Username = self.sub.parse().map_err(|_| ClaimsFault::Inconsistent)?;
        if username.as_str() != self.sub || self.username != self.sub {
            return Err(ClaimsFault::Inconsistent);
        }
        let scope = match &self.l1_server {
            None => Scope::Full,
            Some(url) => Scope::Renderer(url.parse().map_err(|_| ClaimsFault::Inconsistent)?),
        };
        Ok((username, scope))
    }

    /// When the token stops being good.
    pub fn expires_at(&self) -> Instant {
        DateTime::from_timestamp(self.exp, 0).unwrap_or(DateTime::UNIX_EPOCH)
    }
}

/// A sealed token, as its user carries it. Not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

impl AccessToken {
    /// Wraps the compact serialisation of a JWT.
    pub fn new(compact: String) -> Self {
        Self(compact)
    }

    /// The compact serialisation, to hand to its user.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the revocation list knows it by.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(..)")
    }
}

/// SHA-256 of a whole token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// The text is no token that this server sealed: not a JWT, another algorithm, another key, or tampered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token is not one of this server")]
pub struct InvalidToken;

#[cfg(test)]
mod tests {
    use super::*;
    use artdag_kernel::Clock;
    use artdag_kernel::testing::ManualClock;

    const HERE: &str = "https://art.example";

    fn claims(scope: Scope) -> Claims {
        Claims::new("giles".parse().unwrap(), HERE, scope, ManualClock::new().now(), TimeDelta::days(30), "x")
    }

    #[test]
    fn a_scope_survives() {
        let scope = Scope::Renderer("https://L1.example:443/".parse().unwrap());
        let (username, read) = claims(scope.clone()).check(ManualClock::new().now(), HERE).unwrap();
        assert_eq!((username.as_str(), read), ("giles", scope));
    }

    #[test]
    fn faults_are_told_apart() {
        let now = ManualClock::new().now();
        let good = claims(Scope::Full);
        assert_eq!(good.check(now + TimeDelta::days(31), HERE), Err(ClaimsFault::Expired));
        assert_eq!(good.check(now - TimeDelta::minutes(2), HERE), Err(ClaimsFault::Early));
        assert!(good.check(now - TimeDelta::seconds(30), HERE).is_ok());
        assert_eq!(good.check(now, "http://art.example"), Err(ClaimsFault::Foreign));
        for (sub, username, l1) in [
            ("giles", "eve", None),
            ("Giles", "Giles", None),
            ("..", "..", None),
            ("giles", "giles", Some("nonsense".to_owned())),
        ] {
            let odd = Claims { sub: sub.into(), username: username.into(), l1_server: l1, ..good.clone() };
            assert_eq!(odd.check(now, HERE), Err(ClaimsFault::Inconsistent), "{sub} {username}");
        }
    }
}
