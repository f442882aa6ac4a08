use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::NoteSignature;
use crate::Digest;

/// The name of a key: not empty, without spaces and plus signs; by custom a URL without its scheme.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

/// The text cannot name a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must not be empty and have no spaces, plus signs and control characters")]
pub struct InvalidKeyName;

/// What a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// The text of the note: a log does so.
    Ed25519,
    /// The text and a time, in seconds since 1970: a witness does so.
    CosignatureV1,
}

/// A public key with its name.
///
/// Written as `name+id+key`, which is how keys are handed from person to person.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VerifierKey {
    name: KeyName,
    kind: KeyKind,
    public: [u8; 32],
}

/// The text is not a public key of a kind that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a public key: `name+id+base64` of a kind that is known, with the id that belongs to it")]
pub struct InvalidKey;

impl KeyKind {
    const fn tag(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::CosignatureV1 => 0x04,
        }
    }
}

impl VerifierKey {
    /// A log's key.
    #[must_use]
    pub const fn ed25519(name: KeyName, public: [u8; 32]) -> Self {
        Self { name, kind: KeyKind::Ed25519, public }
    }

    /// A witness's key.
    #[must_use]
    pub const fn cosignature_v1(name: KeyName, public: [u8; 32]) -> Self {
        Self { name, kind: KeyKind::CosignatureV1, public }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// What it signs.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The key itself.
    #[must_use]
    pub const fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The four bytes that, with the name, tell whose a signature is.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let digest = Digest::of(&[self.name.0.as_bytes(), b"\n", &self.tagged()].concat());
        let [a, b, c, d, ..] = *digest.as_bytes();
        [a, b, c, d]
    }

    /// Signs the text of a note with the private key that belongs to this one. The time only goes into
    /// cosignatures.
    ///
    /// # Errors
    ///
    /// If the function that signs has one.
    pub fn sign<E>(
        &self,
        text: &str,
        time: u64,
        sign: impl FnOnce(&[u8]) -> Result<[u8; 64], E>,
    ) -> Result<NoteSignature, E> {
        let signature = sign(&self.message(text, time))?;
        let bytes = match self.kind {
            KeyKind::Ed25519 => signature.to_vec(),
            KeyKind::CosignatureV1 => [&time.to_be_bytes()[..], &signature].concat(),
        };
        Ok(NoteSignature::of(self, bytes))
    }

    /// Checks what stands in a note behind this key's name and id. The time is that of a cosignature.
    pub(super) fn verify(
        &self,
        text: &str,
        signature: &[u8],
        ed25519: impl Fn(&[u8; 32], &[u8], &[u8; 64]) -> bool,
    ) -> Option<Option<u64>> {
        let (time, signature) = match self.kind {
            KeyKind::Ed25519 => (None, signature),
            KeyKind::CosignatureV1 => {
                let (time, signature) = signature.split_first_chunk()?;
                let time = u64::from_be_bytes(*time);
                i64::try_from(time).ok()?;
                (Some(time), signature)
            }
        };
        let message = self.message(text, time.unwrap_or_default());
        ed25519(&self.public, &message, signature.try_into().ok()?).then_some(time)
    }

    fn message(&self, text: &str, time: u64) -> Vec<u8> {
        match self.kind {
            KeyKind::Ed25519 => text.as_bytes().to_vec(),
            KeyKind::CosignatureV1 => format!("cosignature/v1\ntime {time}\n{text}").into_bytes(),
        }
    }

    fn tagged(&self) -> [u8; 33] {
        let mut bytes = [self.kind.tag(); 33];
        bytes[1..].copy_from_slice(&self.public);
        bytes
    }
}

impl FromStr for VerifierKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        // Base64 may have a plus sign, names have none.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(InvalidKey);
        };
        let name = name.parse().map_err(|_| InvalidKey)?;
        let bytes: [u8; 33] = STANDARD.decode(key).ok().and_then(|key| key.try_into().ok()).ok_or(InvalidKey)?;
        let [tag, public @ ..] = bytes;
        let kinds = [KeyKind::Ed25519, KeyKind::CosignatureV1];
        let kind = kinds.into_iter().find(|kind| kind.tag() == tag).ok_or(InvalidKey)?;
        let key = Self { name, kind, public };
        if hex::encode(key.id()) == id { Ok(key) } else { Err(InvalidKey) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id()), STANDARD.encode(self.tagged()))
    }
}

impl KeyName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = InvalidKeyName;

    fn from_str(text: &str) -> Result<Self, InvalidKeyName> {
        let refused = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if text.is_empty() || text.contains(refused) { Err(InvalidKeyName) } else { Ok(Self(text.to_owned())) }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
