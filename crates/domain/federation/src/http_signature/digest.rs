//! `Digest` (RFC 3230, of the cavage scheme) and `Content-Digest` (RFC 9530, of RFC 9421).

use super::fault::SignatureFault;
use super::fields::parse;
use super::request::SignedRequest;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sfv::{BareItem, Dictionary, ListEntry};
use sha2::{Digest, Sha256, Sha512};

/// The SHA-256 of a body that is sent, computed once for however many recipients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyDigest {
    sha256: String,
    length: usize,
}

impl BodyDigest {
    /// Of exactly the bytes that are sent.
    pub fn of(body: &[u8]) -> Self {
        Self { sha256: BASE64_STANDARD.encode(Sha256::digest(body)), length: body.len() }
    }

    /// The value of a `Digest` header.
    pub fn digest(&self) -> String {
        format!("SHA-256={}", self.sha256)
    }

    /// The value of a `Content-Digest` header.
    pub fn content_digest(&self) -> String {
        format!("sha-256=:{}:", self.sha256)
    }

    /// How many bytes the body has.
    pub fn length(&self) -> usize {
        self.length
    }
}

/// Compares every digest of a supported kind in `Digest` with the body.
pub(super) fn check_digest(request: &SignedRequest<'_>, body: &[u8]) -> Result<(), SignatureFault> {
    const NAME: &str = "Digest";
    let field = request.field("digest")?.ok_or(SignatureFault::NoDigest(NAME))?;
    let malformed = SignatureFault::DigestMalformed(NAME);
    let text = str::from_utf8(&field).map_err(|_| malformed.clone())?;
    let mut verdict = Verdict::new(NAME);
    for member in text.split(',') {
        let (kind, value) = member.trim_ascii().split_once('=').ok_or(malformed.clone())?;
        if let Some(kind) = Kind::named(kind) {
            verdict.compare(kind, &BASE64_STANDARD.decode(value).map_err(|_| malformed.clone())?, body)?;
        }
    }
    verdict.reached()
}

/// Compares every digest of a supported kind in `Content-Digest` with the body.
pub(super) fn check_content_digest(request: &SignedRequest<'_>, body: &[u8]) -> Result<(), SignatureFault> {
    const NAME: &str = "Content-Digest";
    let field = request.field("content-digest")?.ok_or(SignatureFault::NoDigest(NAME))?;
    let members: Dictionary = parse(&field).ok_or(SignatureFault::DigestMalformed(NAME))?;
    let mut verdict = Verdict::new(NAME);
    for (kind, member) in &members {
        let Some(kind) = Kind::named(kind.as_str()) else { continue };
        let ListEntry::Item(item) = member else { return Err(SignatureFault::DigestMalformed(NAME)) };
        let BareItem::ByteSequence(value) = &item.bare_item else {
            return Err(SignatureFault::DigestMalformed(NAME));
        };
        verdict.compare(kind, value, body)?;
    }
    verdict.reached()
}

#[derive(Clone, Copy)]
enum Kind {
    Sha256,
    Sha512,
}

impl Kind {
    fn named(name: &str) -> Option<Self> {
        let named = [("sha-256", Self::Sha256), ("sha-512", Self::Sha512)];
        named.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, kind)| kind)
    }
}

/// Whether at least one digest was compared. A list of a thousand costs one hash of each kind.
struct Verdict {
    name: &'static str,
    sha256: Option<[u8; 32]>,
    sha512: Option<[u8; 64]>,
}

impl Verdict {
    fn new(name: &'static str) -> Self {
        Self { name, sha256: None, sha512: None }
    }

    fn compare(&mut self, kind: Kind, claimed: &[u8], body: &[u8]) -> Result<(), SignatureFault> {
        let actual: &[u8] = match kind {
            Kind::Sha256 => self.sha256.get_or_insert_with(|| Sha256::digest(body).into()),
            Kind::Sha512 => self.sha512.get_or_insert_with(|| Sha512::digest(body).into()),
        };
        if claimed == actual { Ok(()) } else { Err(SignatureFault::DigestMismatch(self.name)) }
    }

    fn reached(&self) -> Result<(), SignatureFault> {
        let compared = self.sha256.is_some() || self.sha512.is_some();
        if compared { Ok(()) } else { Err(SignatureFault::DigestUnsupported(self.name)) }
    }
}
