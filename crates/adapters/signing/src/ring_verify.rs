use crate::VerificationKey;

/// Whether `signature` is the message's by RSASSA-PKCS1-v1_5 with SHA-256 and the key in `pem`, a PEM document of type
/// `PUBLIC KEY` or `RSA PUBLIC KEY`. `false` also when that is no RSA key of 2048 to 8192 bits. Who verifies more than
/// once keeps a [`VerificationKey`] instead.
pub fn verify_rsa_sha256(pem: &str, message: &[u8], signature: &[u8]) -> bool {
    VerificationKey::from_pem(pem).is_ok_and(|key| key.verify_rsa_sha256(message, signature))
}

/// Whether `signature` is the message's by Ed25519 (RFC 8032) and this key.
pub fn verify_ed25519(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    VerificationKey::from_ed25519(*public).verify_ed25519(message, signature)
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
