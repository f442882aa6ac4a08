use crate::{OwnKey, RegistrationPolicy, Registry, Session};
use artdag_auth::{
    DisplayName, Email, HasherError, InviteCode, InviteRepository, Password, User, WeakPassword, check_strength,
};
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
    /// What lets somebody in where registration is by invitation.
    pub invite: Option<InviteCode>,
}

/// Why there is no new account.
#[derive(Debug, thiserror::Error)]
pub enum RegisterUserError {
    /// The operator takes nobody.
    #[error("registration is closed")]
    Closed,
    /// Registration is by invitation, and there is no such unused invite.
    #[error("the invite is not good")]
    NotInvited,
    /// Somebody has that name.
    #[error("the username {0} is taken")]
    NameTaken(Username),
    /// The password is too easy to guess.
    #[error("the password {0}")]
    Weak(WeakPassword),
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
        match self.parts.policy.registration {
            RegistrationPolicy::Open => self.make_user(new, false).await,
            RegistrationPolicy::Invite => {
                // Before anything costly is done for somebody who was not invited.
                let mut unit = self.parts.store.begin().await?;
                let good = self.redeem(unit.as_mut(), &new.username, new.invite.as_ref()).await?;
                unit.rollback().await?;
                if good { self.make_user(new, true).await } else { Err(RegisterUserError::NotInvited) }
            }
            RegistrationPolicy::Closed => Err(RegisterUserError::Closed),
        }
    }

    /// Makes an account whatever the registration policy says: for the operator.
    ///
    /// # Errors
    /// [`RegisterUserError`], but never `Closed` or `NotInvited`.
    pub async fn add_user(&self, new: NewUser) -> Result<Session, RegisterUserError> {
        self.make_user(new, false).await
    }

    async fn redeem(
        &self,
        invites: &mut (dyn InviteRepository + '_),
        by: &Username,
        invite: Option<&InviteCode>,
    ) -> Result<bool, StoreError> {
        match invite {
            Some(code) => invites.redeem_invite(&code.hash(), by, self.parts.clock.now()).await,
            None => Ok(false),
        }
    }

    async fn make_user(&self, new: NewUser, needs_invite: bool) -> Result<Session, RegisterUserError> {
        let NewUser { username, password, display_name, email, invite } = new;
        let mut known = vec![username.as_str()];
        known.extend(display_name.as_ref().map(DisplayName::as_str));
        known.extend(email.as_ref().map(Email::as_str));
        check_strength(&password, &known).map_err(RegisterUserError::Weak)?;
        if OwnKey::reserves(&username) || self.read().await?.find_user(&username).await?.is_some() {
            return Err(RegisterUserError::NameTaken(username));
        }

        let password = self.parts.passwords.hash(password).await?;
        self.parts.keys.ensure(&username).await?;

        let created_at = self.parts.clock.now();
        let user = User { username, display_name, email, password, created_at };
        let mut unit = self.parts.store.begin().await?;
        match unit.add_user(&user).await {
            Err(StoreError::Conflict(_)) => {
                unit.rollback().await?;
                return Err(RegisterUserError::NameTaken(user.username));
            }
            added => added?,
        }
        if needs_invite && !self.redeem(unit.as_mut(), &user.username, invite.as_ref()).await? {
            unit.rollback().await?;
            return Err(RegisterUserError::NotInvited);
        }
        unit.commit().await?;
        tracing::info!(username = %user.username, "registered an account");
        Ok(self.open_session(user.username))
    }
}
