//! Makes keys, and takes over keys that were made elsewhere. For key stores.
//!
//! A key is a PEM document in PKCS#8, wiped when dropped. All of this takes a core for a while: call it through
//! [`HeavyWork`](crate::HeavyWork).

use crate::pem;
use artdag_kernel::Randomness;
use rsa::rand_core::{self, CryptoRng, RngCore};
use zeroize::Zeroizing;

/// Why there is no key: a sentence for the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyFault(pub String);

/// A new RSA key of 2048 bits.
///
/// # Errors
/// Not with a sane source of randomness.
pub fn rsa(randomness: &dyn Randomness) -> Result<Zeroizing<String>, KeyFault> {
    pem::new_rsa(&mut Chance(randomness)).map_err(KeyFault)
}

/// A new Ed25519 key.
///
/// # Errors
/// Never in practice.
pub fn ed25519(randomness: &dyn Randomness) -> Result<Zeroizing<String>, KeyFault> {
    let mut seed = Zeroizing::new([0; 32]);
    randomness.fill(seed.as_mut());
    pem::ed25519_from_seed(&seed).map_err(KeyFault)
}

/// An RSA key from a PEM document in PKCS#8 or PKCS#1.
///
/// # Errors
/// [`KeyFault`] when it is encrypted, no RSA key, damaged, or not of 2048 to 4096 bits.
pub fn import_rsa(text: &str) -> Result<Zeroizing<String>, KeyFault> {
    pem::import_rsa(text).map_err(KeyFault)
}

/// An Ed25519 key from a PEM document in PKCS#8.
///
/// # Errors
/// [`KeyFault`] when it is encrypted, no Ed25519 key, or damaged.
pub fn import_ed25519(text: &str) -> Result<Zeroizing<String>, KeyFault> {
    pem::import_ed25519(text).map_err(KeyFault)
}

/// Randomness as the crate `rsa` asks for it.
struct Chance<'a>(&'a dyn Randomness);

impl RngCore for Chance<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

// `Randomness` promises bytes that nobody can guess.
impl CryptoRng for Chance<'_> {}
