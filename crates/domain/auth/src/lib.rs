//! Who somebody is: accounts, passwords, tokens and their revocation.
//!
//! Pure rules and the ports they need. Hashing and sealing are slow or need secrets, so they sit behind
//! [`PasswordHasher`] and [`TokenCodec`]; what a token must say to be accepted is decided here, by
//! [`Claims::check`]. No secret of this crate has a `Debug` or `Display` that shows it.
//!
//! ```
//! use artdag_auth::{Claims, ClaimsFault, Scope};
//! use chrono::{TimeDelta, Utc};
//!
//! let now = "2026-11-22T00:00:00Z".parse::<chrono::DateTime<Utc>>()?;
//! let claims = Claims::new("giles".parse()?, "https://art.example", Scope::Full, now, TimeDelta::days(30), "id-1");
//! assert!(claims.check(now, "https://art.example").is_ok());
//! assert_eq!(claims.check(now, "https://other.example"), Err(ClaimsFault::Foreign));
//! assert_eq!(claims.check(now + TimeDelta::days(30), "https://art.example"), Err(ClaimsFault::Expired));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod invite;
mod password;
mod ports;
mod renderers;
mod token;
mod user;

pub use invite::{InviteCode, InviteHash, InviteRepository};
pub use password::{Password, PasswordHash, PasswordTooLong, WeakPassword, check_strength};
pub use ports::{
    HasherError, PasswordHasher, RevocationReads, RevocationRepository, TokenCodec, UserReads, UserRepository,
};
pub use renderers::{Attachment, AttachmentReads, AttachmentRepository};
pub use token::{AccessToken, Claims, ClaimsFault, InvalidToken, Scope, TokenHash};
pub use user::{DisplayName, Email, InvalidEmail, User};
