use super::fault::SignatureFault;
use super::request::SignedRequest;
use super::{cavage, digest, rfc9421};
use artdag_kernel::Instant;
use std::fmt;
use std::str::FromStr;
use url::Url;

const MAX_KEY_ID: usize = 2048;

/// A request's signature that keeps every rule but the last: that the key's owner made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSignature {
    pub(super) scheme: Scheme,
    pub(super) key_id: String,
    pub(super) algorithm: Option<Algorithm>,
    pub(super) created: Option<Instant>,
    pub(super) signed_at: Instant,
    pub(super) expires: Option<Instant>,
    pub(super) covered: Vec<String>,
    /// What may have been signed, never empty; cavage has two readings of a request with a query.
    pub(super) bases: Vec<Vec<u8>>,
    pub(super) signature: Vec<u8>,
}

/// How a request is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// draft-cavage-http-signatures-12.
    Cavage,
    /// RFC 9421, HTTP Message Signatures.
    Rfc9421,
}

/// The text names no scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not `rfc9421` or `cavage`")]
pub struct UnknownScheme;

impl Scheme {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rfc9421 => "rfc9421",
            Self::Cavage => "cavage",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scheme {
    type Err = UnknownScheme;

    fn from_str(text: &str) -> Result<Self, UnknownScheme> {
        [Self::Rfc9421, Self::Cavage].into_iter().find(|scheme| scheme.as_str() == text).ok_or(UnknownScheme)
    }
}

/// What a signature says of how it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RFC 9421's name of RSASSA-PKCS1-v1_5 with SHA-256.
    RsaV15Sha256,
    /// cavage's name of the same.
    RsaSha256,
    /// cavage: whatever the key is for.
    Hs2019,
    /// Ed25519, in both.
    Ed25519,
}

/// What a public key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rsa,
    /// Ed25519.
    Ed25519,
}

impl RequestSignature {
    /// Reads the signature of a request that came in, and applies every rule that needs no key. `body` is its
    /// content as it came, `None` if it has none by its method (`GET`); its digest is compared here.
    ///
    /// # Errors
    /// The first [`SignatureFault`]; of several signatures by RFC 9421, that of the first.
    pub fn read(request: &SignedRequest<'_>, body: Option<&[u8]>, now: Instant) -> Result<Self, SignatureFault> {
        request.check_line()?;
        let expects_body = matches!(request.method, "POST" | "PUT" | "PATCH");
        let body = body.or(expects_body.then_some(&[]));
        let has_body = body.is_some();
        let signature = if request.has("signature-input") {
            rfc9421::read(request, has_body, now)?
        } else {
            cavage::read(request, has_body, now)?
        };
        if let Some(body) = body {
            match signature.scheme {
                Scheme::Cavage => digest::check_digest(request, body)?,
                Scheme::Rfc9421 => digest::check_content_digest(request, body)?,
            }
        }
        Ok(signature)
    }

    /// The key to look up: an http or https URL of at most 2048 characters.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// How the request is signed.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// What it says of how it was made; many say nothing.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// When it says that it was made; with cavage often only the `Date` header does.
    pub fn created(&self) -> Option<Instant> {
        self.created
    }

    /// When it was made, by what it covers itself: two signatures of one sender are of the same request, or one of them
    /// is the later.
    pub fn signed_at(&self) -> Instant {
        self.signed_at
    }

    /// Until when it holds.
    pub fn expires(&self) -> Option<Instant> {
        self.expires
    }

    /// Whether the component is signed: a header in lower case, or a name of the scheme's such as `@method`.
    pub fn covers(&self, component: &str) -> bool {
        self.covered.iter().any(|covered| covered == component)
    }

    /// Whether a key of this kind can have made the signature, as far as it says.
    ///
    /// # Errors
    /// [`SignatureFault::KeyKind`].
    pub fn check_kind(&self, key: KeyKind) -> Result<(), SignatureFault> {
        let fits = match self.algorithm {
            None | Some(Algorithm::Hs2019) => true,
            Some(Algorithm::RsaV15Sha256 | Algorithm::RsaSha256) => key == KeyKind::Rsa,
            Some(Algorithm::Ed25519) => key == KeyKind::Ed25519,
        };
        match self.algorithm {
            Some(algorithm) if !fits => Err(SignatureFault::KeyKind { algorithm, key }),
            _ => Ok(()),
        }
    }

    /// Checks the signature with the key that [`key_id`](Self::key_id) names. `verify` gets the signed bytes and the
    /// signature, and may be asked twice.
    ///
    /// # Errors
    /// [`SignatureFault::KeyKind`] or [`SignatureFault::Mismatch`].
    pub fn check(&self, key: KeyKind, mut verify: impl FnMut(&[u8], &[u8]) -> bool) -> Result<(), SignatureFault> {
        self.check_kind(key)?;
        let matches = self.bases.iter().any(|base| verify(base, &self.signature));
        if matches { Ok(()) } else { Err(SignatureFault::Mismatch) }
    }
}

impl Algorithm {
    /// The scheme's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RsaV15Sha256 => "rsa-v1_5-sha256",
            Self::RsaSha256 => "rsa-sha256",
            Self::Hs2019 => "hs2019",
            Self::Ed25519 => "ed25519",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa => "RSA",
            Self::Ed25519 => "Ed25519",
        })
    }
}

/// Something that can be looked up, and nothing that would log us in somewhere.
pub(super) fn check_key_id(id: &str) -> Result<(), SignatureFault> {
    if id.len() > MAX_KEY_ID {
        return Err(SignatureFault::KeyId);
    }
    let url = Url::parse(id).map_err(|_| SignatureFault::KeyId)?;
    let bare = url.username().is_empty() && url.password().is_none();
    // The parser forgives spaces and line breaks, and backslashes for slashes; nobody else should have to.
    let plain = id.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\<>^`{|}".contains(&byte));
    let absolute = id.starts_with("https://") || id.starts_with("http://");
    if bare && plain && absolute { Ok(()) } else { Err(SignatureFault::KeyId) }
}

/// The name of a header as both schemes list it.
pub(super) fn is_field_name(name: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.len() <= 64 && name.bytes().all(token)
}
