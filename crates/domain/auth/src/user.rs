use crate::PasswordHash;
use artdag_kernel::{Instant, TextFault, Username, check_text};
use std::str::FromStr;

/// A local account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its name, unique here.
    pub username: Username,
    /// How it wants to be called.
    pub display_name: Option<DisplayName>,
    /// Where the operator can reach it. Never published.
    pub email: Option<Email>,
    /// What a password is checked against.
    pub password: PasswordHash,
    /// When it registered.
    pub created_at: Instant,
}

/// A name for people: one line of 1 to 100 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DisplayName {
    type Err = TextFault;

    fn from_str(text: &str) -> Result<Self, TextFault> {
        check_text(text, 100)?;
        Ok(Self(text.to_owned()))
    }
}

/// An e-mail address, checked for its shape only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

/// The text cannot be an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address such as `giles@example.com`")]
pub struct InvalidEmail;

impl Email {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, InvalidEmail> {
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail)?;
        let fits = check_text(text, 254).is_ok()
            && !local.is_empty()
            && !domain.is_empty()
            && !text.contains(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | ','));
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidEmail) }
    }
}
