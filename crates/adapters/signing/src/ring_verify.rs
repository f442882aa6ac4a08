use crate::pem;
use ring::signature::{ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

/// Whether `signature` is the message's by RSASSA-PKCS1-v1_5 with SHA-256 and the key in `spki_pem`, a PEM document
/// of type `PUBLIC KEY`. `false` also when that is no RSA key of 2048 to 8192 bits.
pub fn verify_rsa_sha256(spki_pem: &str, message: &[u8], signature: &[u8]) -> bool {
    let Some(key) = pem::rsa_public_der(spki_pem) else {
        return false;
    };
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(message, signature).is_ok()
}

/// Whether `signature` is the message's by Ed25519 (RFC 8032) and this key.
pub fn verify_ed25519(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_verifies_nothing() {
        let ed25519 = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
        let huge = "-".repeat(1_000_000);
        for key in ["", "é", ed25519, "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n", &huge] {
            assert!(!verify_rsa_sha256(key, b"", b""), "{key:.40}");
        }
        assert!(!verify_ed25519(&[0; 32], b"", &[0; 64]));
        assert!(!verify_ed25519(&[0xff; 32], b"", &[0xff; 64]));
    }
}
