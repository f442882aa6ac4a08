//! Keys as PEM texts: what is read, what is written, and what is said of the rest.

use ring::signature::{Ed25519KeyPair, KeyPair, RsaKeyPair};
use rsa::pkcs1::{self, DecodeRsaPrivateKey};
use rsa::pkcs8::der::asn1::BitStringRef;
use rsa::pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use rsa::pkcs8::{DecodePrivateKey, Document, EncodePrivateKey, LineEnding, ObjectIdentifier, PrivateKeyInfo};
use rsa::pkcs8::{SecretDocument, der};
use rsa::traits::PublicKeyParts;
use rsa::{RsaPrivateKey, rand_core};
use std::ops::RangeInclusive;
use zeroize::Zeroizing;

pub(crate) type SecretText = Zeroizing<String>;

/// The fediverse's floor, and ring's ceiling for signing.
const RSA_BITS: RangeInclusive<usize> = 2048..=4096;
const NEW_RSA_BITS: usize = 2048;
/// Key files are a few thousand bytes.
const MAX_PEM: usize = 64 * 1024;

const ED25519_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// All that stands before the 32 bytes of an Ed25519 key in PKCS#8, version 1 (RFC 8410): version 0, the
/// algorithm, and two nested octet strings. Version 2, which ring makes, is not read by OpenSSL 1.
const ED25519_PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

pub(crate) fn new_rsa(rng: &mut impl rand_core::CryptoRngCore) -> Result<SecretText, String> {
    let key = RsaPrivateKey::new(rng, NEW_RSA_BITS).map_err(|e| e.to_string())?;
    key.to_pkcs8_pem(LineEnding::LF).map_err(|e| e.to_string())
}

pub(crate) fn ed25519_from_seed(seed: &[u8; 32]) -> Result<SecretText, String> {
    let document = Zeroizing::new([&ED25519_PKCS8[..], seed].concat());
    let document = SecretDocument::try_from(document.as_slice()).map_err(|e| e.to_string())?;
    document.to_pem("PRIVATE KEY", LineEnding::LF).map_err(|e| e.to_string())
}

/// Turns an RSA key in PKCS#8 or PKCS#1 into PKCS#8, and makes sure that ring signs with it.
pub(crate) fn import_rsa(text: &str) -> Result<SecretText, String> {
    let (label, document) = open(text)?;
    let key = match label {
        "RSA PRIVATE KEY" => RsaPrivateKey::from_pkcs1_der(document.as_bytes()).map_err(|e| e.to_string()),
        _ => {
            check_kind(&document, pkcs1::ALGORITHM_OID, "an RSA key")?;
            RsaPrivateKey::from_pkcs8_der(document.as_bytes()).map_err(|e| e.to_string())
        }
    };
    let key = key.map_err(|e| format!("it is no sound RSA key ({e})"))?;
    if !RSA_BITS.contains(&key.n().bits()) {
        let (least, most) = (RSA_BITS.start(), RSA_BITS.end());
        return Err(format!("it has {} bits; {least} to {most} are needed", key.n().bits()));
    }
    let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|e| e.to_string())?;
    read_rsa(&pem)?;
    Ok(pem)
}

/// Turns an Ed25519 key in PKCS#8 of either version into version 1.
pub(crate) fn import_ed25519(text: &str) -> Result<SecretText, String> {
    let (_, document) = open(text)?;
    check_kind(&document, ED25519_OID, "an Ed25519 key")?;
    read_ed25519(text)?;
    let info = PrivateKeyInfo::try_from(document.as_bytes()).map_err(|e| e.to_string())?;
    let seed = info.private_key.strip_prefix(&[4, 0x20]).and_then(|seed| seed.try_into().ok());
    ed25519_from_seed(seed.ok_or("it is no Ed25519 key of 32 bytes")?)
}

pub(crate) fn read_rsa(text: &str) -> Result<RsaKeyPair, String> {
    let (label, document) = open(text)?;
    let key = match label {
        "RSA PRIVATE KEY" => RsaKeyPair::from_der(document.as_bytes()),
        _ => {
            check_kind(&document, pkcs1::ALGORITHM_OID, "an RSA key")?;
            RsaKeyPair::from_pkcs8(document.as_bytes())
        }
    };
    key.map_err(|e| format!("RSA of 2048 to 4096 bits with exponent 65537 is needed ({e})"))
}

pub(crate) fn read_ed25519(text: &str) -> Result<Ed25519KeyPair, String> {
    let (_, document) = open(text)?;
    check_kind(&document, ED25519_OID, "an Ed25519 key")?;
    let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(document.as_bytes());
    key.map_err(|e| format!("it is no sound Ed25519 key ({e})"))
}

/// The public half as a PEM document of type `PUBLIC KEY`.
pub(crate) fn rsa_public_pem(key: &RsaKeyPair) -> Result<String, String> {
    public_pem(pkcs1::ALGORITHM_ID, key.public().as_ref())
}

pub(crate) fn ed25519_public_pem(key: &Ed25519KeyPair) -> Result<String, String> {
    public_pem(AlgorithmIdentifierRef { oid: ED25519_OID, parameters: None }, key.public_key().as_ref())
}

/// A public key of somebody else, out of its armour: `PUBLIC KEY` of either kind, or `RSA PUBLIC KEY`.
pub(crate) enum PublicDer {
    /// An `RSAPublicKey` (RFC 8017, A.1.1).
    Rsa(Vec<u8>),
    /// As many bytes as were there.
    Ed25519(Vec<u8>),
}

/// `None` for anything else, also when it is too long to be a key.
pub(crate) fn public_der(text: &str) -> Option<PublicDer> {
    if text.len() > MAX_PEM {
        return None;
    }
    // Actors' documents have them with and without line breaks around.
    let (label, document) = Document::from_pem(text.trim()).ok()?;
    match label {
        "RSA PUBLIC KEY" => Some(PublicDer::Rsa(document.as_bytes().to_vec())),
        "PUBLIC KEY" => {
            let info = document.decode_msg::<SubjectPublicKeyInfoRef<'_>>().ok()?;
            let key = info.subject_public_key.as_bytes()?.to_vec();
            match info.algorithm.oid {
                pkcs1::ALGORITHM_OID => Some(PublicDer::Rsa(key)),
                ED25519_OID => Some(PublicDer::Ed25519(key)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The modulus and the exponent of an `RSAPublicKey`, without leading zeros.
pub(crate) fn rsa_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let key = pkcs1::RsaPublicKey::try_from(der).ok()?;
    Some((key.modulus.as_bytes(), key.public_exponent.as_bytes()))
}

fn public_pem(algorithm: AlgorithmIdentifierRef<'_>, key: &[u8]) -> Result<String, String> {
    let encode = || -> der::Result<String> {
        let subject_public_key = BitStringRef::from_bytes(key)?;
        let info = SubjectPublicKeyInfoRef { algorithm, subject_public_key };
        Document::encode_msg(&info)?.to_pem("PUBLIC KEY", LineEnding::LF)
    };
    encode().map_err(|e| e.to_string())
}

/// Takes the armour off. Says what the text is instead of a private key, because those who import keys have many.
fn open(text: &str) -> Result<(&str, SecretDocument), String> {
    if text.len() > MAX_PEM {
        return Err("it is too long to be a key".to_owned());
    }
    if text.contains("ENCRYPTED") {
        return Err("it is encrypted; take the passphrase off with `openssl pkey -in IN -out OUT`".to_owned());
    }
    if text.contains("BEGIN OPENSSH PRIVATE KEY") {
        return Err("it is OpenSSH's own format; convert a copy with `ssh-keygen -p -m PKCS8 -f COPY`".to_owned());
    }
    let (label, document) = SecretDocument::from_pem(text.trim_start()).map_err(|e| format!("it is no PEM ({e})"))?;
    match label {
        "PRIVATE KEY" | "RSA PRIVATE KEY" => Ok((label, document)),
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Err("it is the public half; the private key is needed".to_owned()),
        other => Err(format!("it is a {other}; a PRIVATE KEY is needed")),
    }
}

fn check_kind(document: &SecretDocument, expected: ObjectIdentifier, wanted: &str) -> Result<(), String> {
    let info = PrivateKeyInfo::try_from(document.as_bytes()).map_err(|e| format!("it is no PKCS#8 key ({e})"))?;
    let found = info.algorithm.oid;
    if found == expected { Ok(()) } else { Err(format!("it is a key of another kind ({found}); {wanted} is needed")) }
}
