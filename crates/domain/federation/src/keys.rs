use crate::http_signature::KeyKind;
use artdag_kernel::Username;
use async_trait::async_trait;
use std::error::Error;
use std::sync::Arc;

/// The public halves of an actor's two keys, as its actor document shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKeys {
    /// The RSA key: a PEM document of type `PUBLIC KEY` (SubjectPublicKeyInfo, RFC 5280).
    pub rsa_pem: String,
    /// The 32 bytes of the Ed25519 key (RFC 8032).
    pub ed25519: [u8; 32],
}

/// The public halves of the keys that an actor has, and of those that they replaced: what all of its signatures are
/// checked with. The present ones first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyHistory {
    /// The RSA keys: PEM documents of type `PUBLIC KEY`.
    pub rsa_pems: Vec<String>,
    /// The 32 bytes of each Ed25519 key.
    pub ed25519: Vec<[u8; 32]>,
}

/// Signs in one actor's name. Cheap to keep; each call costs CPU only (RSA about a millisecond).
pub trait ActorSigner: Send + Sync {
    /// RSASSA-PKCS1-v1_5 with SHA-256 over the message (RFC 8017, 8.2).
    ///
    /// # Errors
    /// [`KeyError::Unusable`] when the key cannot sign.
    fn rsa_sha256(&self, message: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// Ed25519 over the message (RFC 8032).
    fn ed25519(&self, message: &[u8]) -> [u8; 64];

    /// What the signatures are checked with.
    fn public_keys(&self) -> &PublicKeys;
}

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Keys of this actor exist, and nobody said to replace them.
    #[error("keys of {0} exist already")]
    Exists(Username),
    /// What is kept, or was given to be imported, is no key that this server can use.
    #[error("the key {name} cannot be used: {reason}")]
    Unusable {
        /// The file or row.
        name: String,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// The place where keys are kept failed.
    #[error("the key store failed at {name}")]
    Store {
        /// The file or row.
        name: String,
        /// What it reported.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Keeps the actors' private keys. Never loses one: what is replaced is set aside.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Makes an RSA-2048 and an Ed25519 key for an actor, or answers those it has: a registration that was
    /// cut off, or keys that the operator put there first, are taken up. A missing one of the two is added.
    async fn ensure(&self, owner: &Username) -> Result<PublicKeys, KeyError>;

    /// Makes new keys. Without `replace`, [`KeyError::Exists`] when there are any; with it, the old ones are
    /// set aside.
    async fn generate(&self, owner: &Username, replace: bool) -> Result<PublicKeys, KeyError>;

    /// What signs in this actor's name; `None` when it has no keys here.
    async fn signer(&self, owner: &Username) -> Result<Option<Arc<dyn ActorSigner>>, KeyError>;

    /// The public keys that this actor has and had. Makes none: there may be nothing in it.
    async fn history(&self, owner: &Username) -> Result<KeyHistory, KeyError>;
}

/// A public key of somebody else, ready to check signatures with. Cheap to keep.
pub trait VerifyingKey: Send + Sync {
    /// What signatures it can check.
    fn kind(&self) -> KeyKind;

    /// Whether this is the key's signature over the message: RSASSA-PKCS1-v1_5 with SHA-256, or Ed25519, as its kind is.
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool;
}

/// Reads public keys.
pub trait KeyReader: Send + Sync {
    /// Makes a key of what a document says.
    ///
    /// # Errors
    /// What is wrong with it, for whoever signed with it.
    fn read(&self, material: &crate::KeyMaterial) -> Result<Arc<dyn VerifyingKey>, UnusableKey>;
}

/// A public key that nothing can be checked with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key {0}")]
pub struct UnusableKey(pub String);
