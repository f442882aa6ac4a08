use crate::Registry;
use artdag_auth::{AccessToken, ClaimsFault, InvalidToken, Scope, TokenHash};
use artdag_kernel::{Instant, StoreError, Username};

/// Whose token a request carries, and what it is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Whose.
    pub username: Username,
    /// For what.
    pub scope: Scope,
    /// Until when.
    pub expires_at: Instant,
    /// What the revocation list knows it by.
    pub token: TokenHash,
}

/// Why a token is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// This server did not seal it.
    #[error(transparent)]
    Invalid(#[from] InvalidToken),
    /// What it says does not hold here and now.
    #[error(transparent)]
    Claims(#[from] ClaimsFault),
    /// It was revoked.
    #[error("the token was revoked")]
    Revoked,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Registry {
    /// Decides whether to accept a token: its seal, its claims, and that it was not revoked. One indexed
    /// look-up, which requests at the same time share.
    ///
    /// # Errors
    /// [`AuthenticateError`].
    pub async fn authenticate(&self, token: &AccessToken) -> Result<Identity, AuthenticateError> {
        let claims = self.parts.tokens.open(token)?;
        let (username, scope) = claims.check(self.parts.clock.now(), self.parts.site.base())?;
        let hash = token.hash();
        if self.is_revoked(hash).await? {
            return Err(AuthenticateError::Revoked);
        }
        Ok(Identity { username, scope, expires_at: claims.expires_at(), token: hash })
    }
}
