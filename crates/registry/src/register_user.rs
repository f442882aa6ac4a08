use crate::{RegistrationPolicy, Registry, Session};
use artdag_auth::{DisplayName, Email, HasherError, Password, User, WeakPassword, check_strength};
use artdag_federation::KeyError;
use artdag_kernel::{StoreError, Username};

/// An account as somebody asks for it.
#[derive(Debug)]
pub struct NewUser {
    /// The name.
    pub username: Username,
    /// The password.
    pub password: Password,
    /// How it wants to be called.
    pub display_name: Option<DisplayName>,
    /// Where the operator can reach it.
    pub email: Option<Email>,
}

/// Why there is no new account.
#[derive(Debug, thiserror::Error)]
pub enum RegisterUserError {
    /// The operator takes nobody.
    #[error("registration is closed")]
    Closed,
    /// Somebody has that name.
    #[error("the username {0} is taken")]
    NameTaken(Username),
    /// The password is too easy to guess.
    #[error("the password {0}")]
    Weak(#[source] WeakPassword),
    /// No key could be made.
    #[error("no keys could be made")]
    Keys(#[from] KeyError),
    /// The password could not be hashed.
    #[error(transparent)]
    Hasher(#[from] HasherError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Registry {
    /// Makes an account with its keys, and logs it in.
    ///
    /// Keys are made before the account: an account without keys could not publish, while keys without an
    /// account are taken up by the next attempt.
    ///
    /// # Errors
    /// [`RegisterUserError`].
    pub async fn register_user(&self, new: NewUser) -> Result<Session, RegisterUserError> {
        if self.parts.policy.registration == RegistrationPolicy::Closed {
            return Err(RegisterUserError::Closed);
        }
        self.add_user(new).await
    }

    /// Makes an account whatever the registration policy says: for the operator.
    ///
    /// # Errors
    /// [`RegisterUserError`], but never `Closed`.
    pub async fn add_user(&self, new: NewUser) -> Result<Session, RegisterUserError> {
        let NewUser {
            username,
            password,
            display_name,
            email,
        } = new;
        let mut known = vec![username.as_str()];
        known.extend(display_name.as_ref().map(DisplayName::as_str));
        known.extend(email.as_ref().map(Email::as_str));
        check_strength(&password, &known).map_err(RegisterUserError::Weak)?;
        if self.read().await?.find_user(&username).await?.is_some() {
            return Err(RegisterUserError::NameTaken(username));
        }

        let password = self.parts.passwords.hash(password).await?;
        self.parts.keys.ensure(&username).await?;

        let created_at = self.parts.clock.now();
        let user = User {
            username,
            display_name,
            email,
            password,
            created_at,
        };
        let mut unit = self.parts.store.begin().await?;
        match unit.add_user(&user).await {
            Err(StoreError::Conflict(_)) => {
                unit.rollback().await?;
                return Err(RegisterUserError::NameTaken(user.username));
            }
            added => added?,
        }
        unit.commit().await?;
        tracing::info!(username = %user.username, "registered an account");
        Ok(self.open_session(user.username))
    }
}
