use crate::VerificationKey;
use artdag_federation::http_signature::KeyKind;
use artdag_federation::{KeyMaterial, KeyReader, UnusableKey, VerifyingKey};
use std::sync::Arc;

/// Reads other actors' keys, and checks with ring.
#[derive(Clone, Copy, Debug, Default)]
pub struct RingKeys;

impl KeyReader for RingKeys {
    fn read(&self, material: &KeyMaterial) -> Result<Arc<dyn VerifyingKey>, UnusableKey> {
        let key = match material {
            KeyMaterial::Pem(pem) => VerificationKey::from_pem(pem),
            KeyMaterial::Multibase(text) => VerificationKey::from_multikey(text),
        };
        Ok(Arc::new(key.map_err(|error| UnusableKey(error.to_string()))?))
    }
}

impl VerifyingKey for VerificationKey {
    fn kind(&self) -> KeyKind {
        Self::kind(self)
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match Self::kind(self) {
            KeyKind::Rsa => self.verify_rsa_sha256(message, signature),
            KeyKind::Ed25519 => self.verify_ed25519(message, signature),
        }
    }
}
