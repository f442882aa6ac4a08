//! A key pair, and a reader of what it signed.

use crate::support::Seen;
use artdag_federation::http_signature::{KeyKind, RequestSignature, Scheme, SignatureFault, SignedRequest};
use artdag_federation::{ActorSigner, KeyError, PublicKeys, SignAs};
use artdag_kernel::Clock;
use artdag_kernel::testing::ManualClock;
use ring::rand::SystemRandom;
use ring::signature::{
    ED25519, Ed25519KeyPair, KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use std::sync::Arc;

pub(crate) const RSA_KEY: &str = "https://l2.example/users/giles#main-key";
pub(crate) const ED25519_KEY: &str = "https://l2.example/users/giles#ed25519-key";

struct Keys {
    rsa: RsaKeyPair,
    ed25519: Ed25519KeyPair,
    public: PublicKeys,
    works: bool,
}

impl Keys {
    fn new(works: bool) -> Self {
        // Made for these tests by `openssl genpkey`, since making one takes seconds.
        let rsa = RsaKeyPair::from_pkcs8(include_bytes!("rsa_key.der")).unwrap();
        let ed25519 = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let public = PublicKeys {
            rsa_pem: "nobody asks for it here".to_owned(),
            ed25519: ed25519.public_key().as_ref().try_into().unwrap(),
        };
        Self { rsa, ed25519, public, works }
    }
}

impl ActorSigner for Keys {
    fn rsa_sha256(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        if !self.works {
            return Err(KeyError::Unusable { name: "giles".to_owned(), reason: "it is lost".to_owned() });
        }
        let mut signature = vec![0; self.rsa.public().modulus_len()];
        self.rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
        Ok(signature)
    }

    fn ed25519(&self, message: &[u8]) -> [u8; 64] {
        self.ed25519.sign(message).as_ref().try_into().unwrap()
    }

    fn public_keys(&self) -> &PublicKeys {
        &self.public
    }
}

fn sign_with(works: bool) -> SignAs {
    let signer = Arc::new(Keys::new(works));
    SignAs { rsa_key: RSA_KEY.to_owned(), ed25519_key: ED25519_KEY.to_owned(), signer }
}

pub(crate) fn giles() -> SignAs {
    sign_with(true)
}

/// Whose RSA key is lost.
pub(crate) fn keyless() -> SignAs {
    sign_with(false)
}

/// Reads the signature of a request as the server at this origin does, and checks it with the key that it names.
pub(crate) fn verify(seen: &Seen, origin: &str, clock: &ManualClock) -> Result<RequestSignature, SignatureFault> {
    let authority = seen.head.uri.authority().map(|authority| authority.as_str().as_bytes());
    let mut headers: Vec<(&str, &[u8])> =
        seen.head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    // HTTP/2 says it elsewhere, and servers put it here.
    headers.extend(authority.map(|authority| ("host", authority)));
    let target = seen.head.uri.path_and_query().unwrap().as_str();
    let request = SignedRequest { method: seen.head.method.as_str(), origin, target, headers: &headers };
    let body = (seen.head.method == "POST").then_some(&seen.body[..]);
    let signature = RequestSignature::read(&request, body, clock.now())?;
    let keys = Keys::new(true);
    match signature.key_id() {
        RSA_KEY => signature.check(KeyKind::Rsa, |message, bytes| {
            let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, keys.rsa.public().as_ref());
            key.verify(message, bytes).is_ok()
        })?,
        ED25519_KEY => signature.check(KeyKind::Ed25519, |message, bytes| {
            UnparsedPublicKey::new(&ED25519, keys.public.ed25519).verify(message, bytes).is_ok()
        })?,
        other => panic!("{other} is nobody's key"),
    }
    Ok(signature)
}

/// By which scheme a request is signed, checked or not.
pub(crate) fn scheme(seen: &Seen) -> Scheme {
    if seen.header("signature-input").is_some() { Scheme::Rfc9421 } else { Scheme::Cavage }
}
