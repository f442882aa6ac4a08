//! The secrets of a registry, and what is done with them: actors' keys, signatures, passwords, tokens.
//!
//! This crate implements the ports that need a secret or a core for a while: `KeyStore` and `ActorSigner` of
//! `artdag-federation`, `PasswordHasher` and `TokenCodec` of `artdag-auth`. What is signed, and what a token must
//! say, is decided there; here are only the keys, ring's signatures and the files.
//!
//! - Signing and checking is ring's. The crate `rsa` makes and converts keys and never signs: its arithmetic
//!   takes as long as the key tells (RUSTSEC-2023-0071).
//! - What takes a core for tens of milliseconds (an RSA key, a password) goes through one [`HeavyWork`], so that
//!   a thousand registrations at once use as many cores as there are and a bounded amount of memory.
//! - Files are written whole or not at all: under a temporary name with their mode, synced, then linked or renamed
//!   to their name, and the directory synced. A process may be killed anywhere in between.
//!
//! This crate must never show a secret (`Debug`, log, error), overwrite a private key, or accept another
//! algorithm than the one it was asked for. It needs a Unix: modes, links and locks of files.
//!
//! To add a key store, such as one in the database: implement `KeyStore` in the crate that has the driver, hand
//! out [`ActorKeys`] as signers, take key generation and import from [`new_keys`], and call every function of
//! `tests/contract` on it.
//!
//! ```
//! use artdag_federation::{ActorSigner, KeyStore};
//! use artdag_kernel::testing::{ManualClock, SeededRandomness};
//! use artdag_signing::{FileKeyStore, HeavyWork, verify_ed25519};
//! use std::sync::Arc;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let data = directory.path();
//! let randomness = Arc::new(SeededRandomness::default());
//! let keys = FileKeyStore::new(data.join("keys"), randomness, Arc::new(ManualClock::new()), HeavyWork::one_per_core());
//! let giles = "giles".parse()?;
//! let public = keys.ensure(&giles).await?;
//! let signer = keys.signer(&giles).await?.ok_or("no keys")?;
//! assert!(verify_ed25519(&public.ed25519, b"hello", &signer.ed25519(b"hello")));
//! # Ok(())
//! # }
//! ```

mod actor_keys;
mod file_key_store;
mod files;
mod heavy_work;
mod history;
mod hs256;
mod jwt;
pub mod new_keys;
mod passwords;
mod pem;
mod ring_keys;
mod ring_verify;
mod secret;
mod shelf;
mod verification_key;

pub use actor_keys::{ActorKeys, ActorKeysFault};
pub use file_key_store::FileKeyStore;
pub use heavy_work::{HeavyWork, WorkLost};
pub use jwt::{JwtCodec, SecretTooShort};
pub use passwords::BoundedArgon2;
pub use ring_keys::RingKeys;
pub use ring_verify::{verify_ed25519, verify_rsa_sha256};
pub use secret::{SecretError, load_or_create_secret};
pub use verification_key::{UnusableKey, VerificationKey};
