use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use std::fmt;
use zeroize::Zeroizing;

/// What somebody typed as their password. Its memory is wiped when it goes.
pub struct Password(Zeroizing<String>);

/// Longer than [`Password::MAX_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be at most {} bytes", Password::MAX_BYTES)]
pub struct PasswordTooLong;

/// A new password that is too easy to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is too easy to guess: take 12 characters or more, or a shorter one that is no word, name or pattern")]
pub struct WeakPassword;

/// The PHC string of an argon2id hash.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl Password {
    /// A bound on the work that one attempt can cause.
    pub const MAX_BYTES: usize = 1024;

    /// # Errors
    /// [`PasswordTooLong`]. Its strength is not checked: old passwords must go on working.
    pub fn new(text: String) -> Result<Self, PasswordTooLong> {
        let text = Zeroizing::new(text);
        if text.len() > Self::MAX_BYTES { Err(PasswordTooLong) } else { Ok(Self(text)) }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// Decides whether a new password is good enough: 12 characters, or strength 3 of 4 by zxcvbn's estimate.
/// `known` is what an attacker knows of its owner, such as the username.
///
/// # Errors
/// [`WeakPassword`].
pub fn check_strength(password: &Password, known: &[&str]) -> Result<(), WeakPassword> {
    let text = password.0.as_str();
    // A name is no password however long it is.
    if known.iter().any(|k| k.eq_ignore_ascii_case(text)) {
        return Err(WeakPassword);
    }
    let good = text.chars().count() >= 12 || zxcvbn::zxcvbn(text, known).score() >= zxcvbn::Score::Three;
    if good { Ok(()) } else { Err(WeakPassword) }
}

impl PasswordHash {
    /// Hashes with argon2id and OWASP's parameters (19 MiB, 2 passes, 1 lane). Takes tens of milliseconds and
    /// 19 MiB: call it where neither hurts.
    ///
    /// # Errors
    /// Only when there is no memory for it.
    pub fn make(password: &Password, salt: [u8; 16]) -> Result<Self, argon2::password_hash::Error> {
        let hash: phc::PasswordHash = argon2id().hash_password_with_salt(password.0.as_bytes(), &salt)?;
        Ok(Self(hash.to_string()))
    }

    /// A hash that nobody knows the password of, and that takes as long to check as any other: checked for
    /// unknown users, so that the time of a failed login does not tell whether the account exists.
    pub fn of_nobody() -> Self {
        Self(
            "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                .to_owned(),
        )
    }

    /// Whether the password is the one that was hashed. As costly as [`PasswordHash::make`].
    pub fn matches(&self, password: &Password) -> bool {
        let parsed = phc::PasswordHash::new(&self.0);
        parsed.is_ok_and(|hash| argon2id().verify_password(password.0.as_bytes(), &hash).is_ok())
    }

    /// Takes back what [`PasswordHash::as_str`] gave.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The PHC string, for the store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn argon2id() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::new(text.to_owned()).unwrap()
    }

    #[test]
    fn checks_what_it_hashed() {
        let hash = PasswordHash::make(&password("correct horse"), [7; 16]).unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        let stored = PasswordHash::from_stored(hash.as_str().to_owned());
        assert!(stored.matches(&password("correct horse")));
        assert!(!stored.matches(&password("correct horsf")));
    }

    #[test]
    fn nobody_has_a_password_but_a_readable_hash() {
        assert!(phc::PasswordHash::new(PasswordHash::of_nobody().as_str()).is_ok());
        assert!(!PasswordHash::of_nobody().matches(&password("")));
    }

    #[test]
    fn a_broken_stored_hash_matches_nothing() {
        assert!(!PasswordHash::from_stored("oops".to_owned()).matches(&password("oops")));
    }

    #[test]
    fn strength() {
        for good in ["123456789012", "x9$Kq2!vTz", "blåbær på ski"] {
            assert_eq!(check_strength(&password(good), &["giles"]), Ok(()), "{good}");
        }
        for weak in ["", "password", "giles", "qwertyuiop", "12345678901", "giles1970"] {
            assert_eq!(check_strength(&password(weak), &["giles"]), Err(WeakPassword), "{weak}");
        }
        assert_eq!(check_strength(&password("giles_the_artist"), &["giles_the_artist"]), Err(WeakPassword));
    }

    #[test]
    fn shows_nothing() {
        assert_eq!(format!("{:?}", password("hunter2")), "Password(..)");
    }
}
