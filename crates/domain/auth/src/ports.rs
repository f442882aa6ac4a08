use crate::{AccessToken, Claims, InvalidToken, Password, PasswordHash, TokenHash, User};
use artdag_kernel::{Instant, StoreError, Username};
use async_trait::async_trait;
use std::collections::HashSet;

/// Reads accounts.
#[async_trait]
pub trait UserReads: Send {
    /// The account of that name.
    async fn find_user(&mut self, username: &Username) -> Result<Option<User>, StoreError>;
    /// How many accounts there are.
    async fn count_users(&mut self) -> Result<u64, StoreError>;
}

/// Keeps accounts.
#[async_trait]
pub trait UserRepository: UserReads {
    /// Adds an account. [`StoreError::Conflict`] when the name is taken; the unit of work stays usable.
    async fn add_user(&mut self, user: &User) -> Result<(), StoreError>;
}

/// Reads the revocation list.
#[async_trait]
pub trait RevocationReads: Send {
    /// Whether this token was revoked.
    async fn is_revoked(&mut self, token: &TokenHash) -> Result<bool, StoreError>;
    /// Which of these tokens were revoked.
    async fn revoked_among(&mut self, tokens: &[TokenHash]) -> Result<HashSet<TokenHash>, StoreError>;
}

/// Keeps the revocation list.
#[async_trait]
pub trait RevocationRepository: RevocationReads {
    /// Revokes a token; again is fine. `expires_at` says when the row may be swept.
    async fn revoke(&mut self, token: &TokenHash, expires_at: Instant, now: Instant) -> Result<(), StoreError>;
    /// Forgets revocations of tokens that expired before `now`, and says how many.
    async fn sweep_revocations(&mut self, now: Instant) -> Result<u64, StoreError>;
}

/// No password could be hashed or checked.
#[derive(Debug, thiserror::Error)]
#[error("the password hasher failed")]
pub struct HasherError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Hashes and checks passwords without holding up the caller's thread, a bounded number at once.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Hashes a new password.
    async fn hash(&self, password: Password) -> Result<PasswordHash, HasherError>;
    /// Whether the password is right. `None` stands for an unknown user: takes as long, answers `false`.
    async fn verify(&self, password: Password, hash: Option<PasswordHash>) -> Result<bool, HasherError>;
}

/// Seals claims into tokens and opens tokens that this server sealed.
pub trait TokenCodec: Send + Sync {
    /// A token that says this.
    fn seal(&self, claims: &Claims) -> AccessToken;

    /// What the token says. Only the seal is checked here; [`Claims::check`] decides the rest.
    ///
    /// # Errors
    /// [`InvalidToken`] when this server did not seal it.
    fn open(&self, token: &AccessToken) -> Result<Claims, InvalidToken>;
}
