use crate::Registry;
use artdag_auth::{AccessToken, Claims, HasherError, Password, Scope};
use artdag_kernel::{Instant, StoreError, Username, new_uuid};

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who.
    pub username: Username,
    /// What to show from now on.
    pub token: AccessToken,
    /// Until when.
    pub expires_at: Instant,
}

/// Why nobody is logged in.
#[derive(Debug, thiserror::Error)]
pub enum LogInError {
    /// No such user, or another password: which one is not told.
    #[error("the username or the password is wrong")]
    Wrong,
    /// The password could not be checked.
    #[error(transparent)]
    Hasher(#[from] HasherError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Registry {
    /// Logs somebody in. `username` is what was typed: a text that can be no username takes as long to refuse
    /// as an unknown one.
    ///
    /// # Errors
    /// [`LogInError`].
    pub async fn log_in(&self, username: &str, password: Password) -> Result<Session, LogInError> {
        let user = match username.parse::<Username>() {
            Ok(username) => self.read().await?.find_user(&username).await?,
            Err(_) => None,
        };
        let hash = user.as_ref().map(|user| user.password.clone());
        let right = self.parts.passwords.verify(password, hash).await?;
        match user {
            Some(user) if right => Ok(self.open_session(user.username)),
            _ => Err(LogInError::Wrong),
        }
    }

    pub(crate) fn open_session(&self, username: Username) -> Session {
        let now = self.parts.clock.now();
        let id = new_uuid(now, self.parts.randomness.as_ref()).to_string();
        let lifetime = self.parts.policy.token_lifetime;
        let claims = Claims::new(username.clone(), self.parts.site.base(), Scope::Full, now, lifetime, id);
        Session { username, token: self.parts.tokens.seal(&claims), expires_at: claims.expires_at() }
    }
}
