use crate::pem::{self, PublicDer};
use artdag_federation::http_signature::{KeyKind, RequestSignature, SignatureFault};
use artdag_federation::multikey;
use ring::signature::{ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use std::ops::RangeInclusive;

const RSA_BITS: RangeInclusive<usize> = 2048..=8192;

/// An RSA key of 8192 bits with a large exponent, in base58.
const MAX_MULTIBASE: usize = 1500;
/// The multicodec `rsa-pub`, 0x1205, as a varint.
const RSA_MULTICODEC: [u8; 2] = [0x85, 0x24];

/// Somebody's public key, read once and checked, ready to verify with. Cheap to keep: at most about a kilobyte.
#[derive(Clone, Debug)]
pub struct VerificationKey(Key);

#[derive(Clone, Debug)]
enum Key {
    Rsa(UnparsedPublicKey<Vec<u8>>),
    Ed25519(UnparsedPublicKey<[u8; 32]>),
}

/// Why a public key is not used. The texts complete "the key ..".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableKey {
    /// Neither of the two kinds, or nothing at all.
    #[error("is no RSA or Ed25519 key in PEM")]
    Pem,
    /// Neither of the two kinds, or nothing at all.
    #[error("is no RSA or Ed25519 key as a Multikey")]
    Multikey,
    /// Too easily broken, or too slow to verify with.
    #[error("is an RSA key of {0} bits, and 2048 to 8192 are needed")]
    RsaBits(usize),
    /// Not odd, 1, or more than 33 bits.
    #[error("is an RSA key with an exponent that is not used")]
    RsaExponent,
    /// Says it is Ed25519, but has no 32 bytes.
    #[error("is an Ed25519 key that does not have 32 bytes")]
    Ed25519Length,
}

impl VerificationKey {
    /// From an actor's `publicKeyPem`: RSA or Ed25519 as `PUBLIC KEY`, or RSA as `RSA PUBLIC KEY`.
    ///
    /// # Errors
    /// [`UnusableKey`].
    pub fn from_pem(pem: &str) -> Result<Self, UnusableKey> {
        match pem::public_der(pem).ok_or(UnusableKey::Pem)? {
            PublicDer::Rsa(der) => Self::rsa(der, UnusableKey::Pem),
            PublicDer::Ed25519(bytes) => {
                bytes.try_into().map(Self::from_ed25519).map_err(|_| UnusableKey::Ed25519Length)
            }
        }
    }

    /// From a `publicKeyMultibase`, as FEP-521a has it: Ed25519, or RSA.
    ///
    /// # Errors
    /// [`UnusableKey`].
    pub fn from_multikey(text: &str) -> Result<Self, UnusableKey> {
        if let Ok(key) = multikey::decode(text) {
            return Ok(Self::from_ed25519(key));
        }
        // Base58 costs the square of its length.
        let digits = text.strip_prefix('z').filter(|digits| digits.len() <= MAX_MULTIBASE);
        let bytes = digits.and_then(|digits| bs58::decode(digits).into_vec().ok()).ok_or(UnusableKey::Multikey)?;
        let der = bytes.strip_prefix(&RSA_MULTICODEC).ok_or(UnusableKey::Multikey)?;
        Self::rsa(der.to_vec(), UnusableKey::Multikey)
    }

    /// From the 32 bytes of an Ed25519 key.
    pub fn from_ed25519(key: [u8; 32]) -> Self {
        Self(Key::Ed25519(UnparsedPublicKey::new(&ED25519, key)))
    }

    fn rsa(der: Vec<u8>, unreadable: UnusableKey) -> Result<Self, UnusableKey> {
        let (modulus, exponent) = pem::rsa_numbers(&der).ok_or(unreadable)?;
        let bits = bits(modulus);
        if !RSA_BITS.contains(&bits) {
            return Err(UnusableKey::RsaBits(bits));
        }
        // ring's own limits, said here instead of at every request.
        let odd = exponent.last().is_some_and(|last| last % 2 == 1);
        if !odd || exponent == [1] || self::bits(exponent) > 33 {
            return Err(UnusableKey::RsaExponent);
        }
        Ok(Self(Key::Rsa(UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der))))
    }

    /// What it is for.
    pub fn kind(&self) -> KeyKind {
        match self.0 {
            Key::Rsa(_) => KeyKind::Rsa,
            Key::Ed25519(_) => KeyKind::Ed25519,
        }
    }

    /// Whether this is an RSA key, and the signature the message's by RSASSA-PKCS1-v1_5 with SHA-256.
    pub fn verify_rsa_sha256(&self, message: &[u8], signature: &[u8]) -> bool {
        matches!(&self.0, Key::Rsa(key) if key.verify(message, signature).is_ok())
    }

    /// Whether this is an Ed25519 key, and the signature the message's.
    pub fn verify_ed25519(&self, message: &[u8], signature: &[u8]) -> bool {
        matches!(&self.0, Key::Ed25519(key) if key.verify(message, signature).is_ok())
    }

    /// Checks a request's signature, and that its algorithm is one of this key's.
    ///
    /// # Errors
    /// [`SignatureFault::KeyKind`] or [`SignatureFault::Mismatch`].
    pub fn verify(&self, signature: &RequestSignature) -> Result<(), SignatureFault> {
        signature.check(self.kind(), |base, bytes| match &self.0 {
            Key::Rsa(key) => key.verify(base, bytes).is_ok(),
            Key::Ed25519(key) => key.verify(base, bytes).is_ok(),
        })
    }
}

/// How long a number without leading zero bytes is.
fn bits(number: &[u8]) -> usize {
    let leading = number.first().map_or(0, |first| first.leading_zeros() as usize);
    number.len() * 8 - leading
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ActorKeys, new_keys};
    use artdag_federation::ActorSigner;
    use artdag_kernel::testing::SeededRandomness;
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;

    /// An `RSAPublicKey` with a modulus of this many bits, which need not be a product of two primes to be refused.
    fn der(modulus_bits: usize, exponent: &[u8]) -> Vec<u8> {
        let mut modulus = vec![0; modulus_bits.div_ceil(8)];
        modulus[0] = 1 << ((modulus_bits - 1) % 8);
        *modulus.last_mut().unwrap() |= 1;
        let body = [integer(&modulus), integer(exponent)].concat();
        [vec![0x30], length(body.len()), body].concat()
    }

    fn integer(number: &[u8]) -> Vec<u8> {
        let sign: &[u8] = if number[0] & 0x80 == 0 { &[] } else { &[0] };
        [vec![2], length(number.len() + sign.len()), sign.to_vec(), number.to_vec()].concat()
    }

    fn length(of: usize) -> Vec<u8> {
        match u16::try_from(of).unwrap().to_be_bytes() {
            [0, low] if low < 128 => vec![low],
            [0, low] => vec![0x81, low],
            [high, low] => vec![0x82, high, low],
        }
    }

    fn pkcs1(der: &[u8]) -> String {
        let lines: Vec<String> =
            BASE64_STANDARD.encode(der).as_bytes().chunks(64).map(|c| String::from_utf8(c.to_vec()).unwrap()).collect();
        format!("-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n", lines.join("\n"))
    }

    fn multikey(der: &[u8]) -> String {
        format!("z{}", bs58::encode([&RSA_MULTICODEC, der].concat()).into_string())
    }

    #[test]
    fn every_spelling_of_one_key_verifies() {
        let randomness = SeededRandomness::default();
        let rsa = new_keys::rsa(&randomness).unwrap();
        let keys = ActorKeys::from_pem(&rsa, &new_keys::ed25519(&randomness).unwrap()).unwrap();
        let Some(PublicDer::Rsa(der)) = pem::public_der(&keys.public_keys().rsa_pem) else { unreachable!() };
        let signature = keys.rsa_sha256(b"a").unwrap();
        for key in [
            VerificationKey::from_pem(&keys.public_keys().rsa_pem),
            VerificationKey::from_pem(&format!("\r\n  {}\n\n", keys.public_keys().rsa_pem)),
            VerificationKey::from_pem(&pkcs1(&der)),
            VerificationKey::from_multikey(&multikey(&der)),
        ] {
            let key = key.unwrap();
            assert_eq!(key.kind(), KeyKind::Rsa);
            assert!(key.verify_rsa_sha256(b"a", &signature));
            assert!(!key.verify_rsa_sha256(b"b", &signature) && !key.verify_ed25519(b"a", &signature));
        }
        let signature = keys.ed25519(b"a");
        let public = keys.public_keys().ed25519;
        for key in [
            VerificationKey::from_pem(&keys.ed25519_public_pem().unwrap()),
            VerificationKey::from_multikey(&multikey::encode(&public)),
            Ok(VerificationKey::from_ed25519(public)),
        ] {
            let key = key.unwrap();
            assert_eq!(key.kind(), KeyKind::Ed25519);
            assert!(key.verify_ed25519(b"a", &signature));
            assert!(!key.verify_ed25519(b"b", &signature) && !key.verify_rsa_sha256(b"a", &signature));
        }
    }

    #[test]
    fn sizes_have_limits() {
        for (bits, expected) in [
            (1024, Err(UnusableKey::RsaBits(1024))),
            (2047, Err(UnusableKey::RsaBits(2047))),
            (2048, Ok(KeyKind::Rsa)),
            (8192, Ok(KeyKind::Rsa)),
            (8193, Err(UnusableKey::RsaBits(8193))),
        ] {
            let der = der(bits, &[1, 0, 1]);
            assert_eq!(VerificationKey::from_pem(&pkcs1(&der)).map(|key| key.kind()), expected, "{bits} bits");
            assert_eq!(VerificationKey::from_multikey(&multikey(&der)).map(|key| key.kind()), expected, "{bits} bits");
        }
        for (exponent, expected) in [
            (&[1][..], Err(UnusableKey::RsaExponent)),
            (&[4], Err(UnusableKey::RsaExponent)),
            (&[2, 0, 0, 0, 1], Err(UnusableKey::RsaExponent)),
            (&[3], Ok(KeyKind::Rsa)),
            (&[1, 0, 0, 0, 1], Ok(KeyKind::Rsa)),
        ] {
            let key = VerificationKey::from_pem(&pkcs1(&der(2048, exponent)));
            assert_eq!(key.map(|key| key.kind()), expected, "{exponent:?}");
        }
    }

    #[test]
    fn nonsense_is_no_key() {
        let huge = "-".repeat(1_000_000);
        for text in ["", "é", "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n", &huge] {
            assert_eq!(VerificationKey::from_pem(text).err(), Some(UnusableKey::Pem), "{text:.40}");
        }
        let huge = format!("z{}", "1".repeat(1_000_000));
        for text in ["", "z", "é", "z6Mk", &multikey(b"no DER"), &huge] {
            assert_eq!(VerificationKey::from_multikey(text).err(), Some(UnusableKey::Multikey), "{text:.40}");
        }
        let short = "-----BEGIN PUBLIC KEY-----\nMCkwBQYDK2VwAyAAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZg==\n-----END PUBLIC KEY-----\n";
        assert_eq!(VerificationKey::from_pem(short).err(), Some(UnusableKey::Ed25519Length));
    }
}
