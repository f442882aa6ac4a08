use crate::new_keys::KeyFault;
use crate::pem;
use artdag_federation::{ActorSigner, KeyError, PublicKeys};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use std::fmt;

/// An actor's two keys, parsed and ready to sign.
pub struct ActorKeys {
    rsa: RsaKeyPair,
    ed25519: Ed25519KeyPair,
    public: PublicKeys,
}

/// Which of the two keys is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActorKeysFault {
    /// The RSA key.
    #[error("the RSA key cannot be used: {0}")]
    Rsa(KeyFault),
    /// The Ed25519 key.
    #[error("the Ed25519 key cannot be used: {0}")]
    Ed25519(KeyFault),
}

impl ActorKeys {
    /// Parses two PEM documents, as [`new_keys`](crate::new_keys) makes them.
    ///
    /// # Errors
    /// [`ActorKeysFault`].
    pub fn from_pem(rsa: &str, ed25519: &str) -> Result<Self, ActorKeysFault> {
        let rsa_fault = |reason| ActorKeysFault::Rsa(KeyFault(reason));
        let ed25519_fault = |reason| ActorKeysFault::Ed25519(KeyFault(reason));
        let rsa = pem::read_rsa(rsa).map_err(rsa_fault)?;
        let ed25519 = pem::read_ed25519(ed25519).map_err(ed25519_fault)?;
        let public = PublicKeys {
            rsa_pem: pem::rsa_public_pem(&rsa).map_err(rsa_fault)?,
            ed25519: ed25519.public_key().as_ref().try_into().map_err(|_| ed25519_fault("not 32 bytes".to_owned()))?,
        };
        Ok(Self { rsa, ed25519, public })
    }

    /// The public half of the Ed25519 key as a PEM document of type `PUBLIC KEY`.
    ///
    /// # Errors
    /// Never in practice.
    pub fn ed25519_public_pem(&self) -> Result<String, KeyFault> {
        pem::ed25519_public_pem(&self.ed25519).map_err(KeyFault)
    }
}

impl ActorSigner for ActorKeys {
    fn rsa_sha256(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut signature = vec![0; self.rsa.public().modulus_len()];
        // ring asks for randomness for the sake of other paddings; this signature does not depend on it, so the
        // machine's own will do.
        match self.rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature) {
            Ok(()) => Ok(signature),
            Err(e) => Err(KeyError::Unusable { name: "RSA".to_owned(), reason: e.to_string() }),
        }
    }

    fn ed25519(&self, message: &[u8]) -> [u8; 64] {
        let mut bytes = [0; 64];
        let signature = self.ed25519.sign(message);
        bytes.copy_from_slice(signature.as_ref());
        bytes
    }

    fn public_keys(&self) -> &PublicKeys {
        &self.public
    }
}

impl fmt::Debug for ActorKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActorKeys").field("public", &self.public).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{new_keys, verify_ed25519, verify_rsa_sha256};
    use artdag_kernel::testing::SeededRandomness;

    #[test]
    fn what_it_signs_verifies() {
        let randomness = SeededRandomness::default();
        let rsa = new_keys::rsa(&randomness).unwrap();
        let keys = ActorKeys::from_pem(&rsa, &new_keys::ed25519(&randomness).unwrap()).unwrap();
        let public = keys.public_keys();
        let signature = keys.rsa_sha256(b"a").unwrap();
        assert_eq!(signature, keys.rsa_sha256(b"a").unwrap(), "PKCS#1 v1.5 has no randomness");
        assert!(verify_rsa_sha256(&public.rsa_pem, b"a", &signature));
        assert!(!verify_rsa_sha256(&public.rsa_pem, b"b", &signature));
        assert!(verify_ed25519(&public.ed25519, b"a", &keys.ed25519(b"a")));
        assert!(!verify_ed25519(&public.ed25519, b"b", &keys.ed25519(b"a")));
        assert!(!format!("{keys:?}").contains("PRIVATE"));
    }
}
