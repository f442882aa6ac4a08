use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{KeyName, VerifierKey};

/// A note may be no longer than this: a text and some dozens of signatures, be they of the large kind.
const MAX_LENGTH: usize = 128 * 1024;
/// More signatures than any log has witnesses.
const MAX_SIGNATURES: usize = 64;
/// What each line of a signature begins with: an em dash and a space.
const SIGNATURE_START: &str = "\u{2014} ";

/// A text and its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// A signature with the name and the id of its key. What it says depends on the key.
///
/// Written as a line without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    name: KeyName,
    id: [u8; 4],
    bytes: Vec<u8>,
}

/// A signature that was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed<'a> {
    /// The key.
    pub key: &'a VerifierKey,
    /// When it was made, if it is a cosignature; in seconds since 1970.
    pub time: Option<u64>,
}

/// The text is not a signed note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNote {
    /// It is longer than any note needs to be, or has more signatures.
    #[error("the note is too long")]
    TooLong,
    /// It has characters that notes must not have.
    #[error("the note has control characters")]
    ControlCharacters,
    /// The text does not end with a line feed, or no empty line separates it from the signatures.
    #[error("the note has no text and signatures with an empty line between")]
    Shape,
    /// A line after the empty one is not a signature, or there is none.
    #[error("the note has no valid lines of signatures")]
    Signature,
}

/// Why a note is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnverifiedNote {
    /// None of the keys has signed it.
    #[error("none of the known keys has signed the note")]
    Unsigned,
    /// A signature bears a known key's name and id and is not of that key.
    #[error("the signature of {0} is wrong")]
    WrongSignature(KeyName),
}

impl Note {
    /// A text that is not signed yet.
    ///
    /// # Errors
    ///
    /// If it is empty, does not end with a line feed, is too long, or has control characters.
    pub fn new(text: String) -> Result<Self, InvalidNote> {
        if text.len() > MAX_LENGTH {
            return Err(InvalidNote::TooLong);
        }
        if text.contains(|c: char| c < ' ' && c != '\n') {
            return Err(InvalidNote::ControlCharacters);
        }
        if !text.ends_with('\n') {
            return Err(InvalidNote::Shape);
        }
        Ok(Self { text, signatures: Vec::new() })
    }

    /// A text whose form is known to be right, with its first signature.
    pub(super) fn signed(text: String, signature: NoteSignature) -> Self {
        Self { text, signatures: vec![signature] }
    }

    /// Reads a note.
    ///
    /// # Errors
    ///
    /// If the text is none.
    pub fn parse(text: &str) -> Result<Self, InvalidNote> {
        if text.len() > MAX_LENGTH {
            return Err(InvalidNote::TooLong);
        }
        let (text, lines) = text.rsplit_once("\n\n").ok_or(InvalidNote::Shape)?;
        let mut note = Self::new(format!("{text}\n"))?;
        note.add_lines(lines)?;
        Ok(note)
    }

    /// The text that is signed, with its last line feed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures; they may be anybody's.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature, unless it is there.
    ///
    /// # Errors
    ///
    /// If there are too many, or they are too long: what is written can also be read.
    pub fn add(&mut self, signature: NoteSignature) -> Result<(), InvalidNote> {
        if self.signatures.contains(&signature) {
            return Ok(());
        }
        let lines: usize = self.signatures.iter().map(NoteSignature::line_length).sum();
        let length = self.text.len() + "\n".len() + lines + signature.line_length();
        if self.signatures.len() >= MAX_SIGNATURES || length > MAX_LENGTH {
            return Err(InvalidNote::TooLong);
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Adds lines of signatures, such as a witness's answer.
    ///
    /// # Errors
    ///
    /// If there is none or another line among them, or there are too many.
    pub fn add_lines(&mut self, lines: &str) -> Result<(), InvalidNote> {
        NoteSignature::parse_lines(lines)?.into_iter().try_for_each(|signature| self.add(signature))
    }

    /// Which of the keys have signed the text. Signatures of other keys say nothing.
    ///
    /// # Errors
    ///
    /// If none has, or a signature that claims to be of one of them is not.
    pub fn verify<'a>(
        &self,
        keys: &'a [VerifierKey],
        ed25519: impl Fn(&[u8; 32], &[u8], &[u8; 64]) -> bool,
    ) -> Result<Vec<Signed<'a>>, UnverifiedNote> {
        let mut signed: Vec<Signed<'a>> = Vec::new();
        for signature in &self.signatures {
            let Some(key) = keys.iter().find(|key| signature.is_of(key)) else {
                continue;
            };
            let verified = key.verify(&self.text, &signature.bytes, &ed25519);
            let time = verified.ok_or_else(|| UnverifiedNote::WrongSignature(key.name().clone()))?;
            if !signed.iter().any(|known| known.key == key) {
                signed.push(Signed { key, time });
            }
        }
        if signed.is_empty() { Err(UnverifiedNote::Unsigned) } else { Ok(signed) }
    }
}

impl NoteSignature {
    pub(super) fn of(key: &VerifierKey, bytes: Vec<u8>) -> Self {
        Self { name: key.name().clone(), id: key.id(), bytes }
    }

    /// Reads lines of signatures, such as a witness's answer.
    ///
    /// # Errors
    ///
    /// If there is none or another line among them, or there are too many.
    pub fn parse_lines(lines: &str) -> Result<Vec<Self>, InvalidNote> {
        let lines = lines.strip_suffix('\n').ok_or(InvalidNote::Signature)?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            let signature = line.parse()?;
            if signatures.contains(&signature) {
                continue;
            }
            if signatures.len() >= MAX_SIGNATURES {
                return Err(InvalidNote::TooLong);
            }
            signatures.push(signature);
        }
        Ok(signatures)
    }

    /// Whether it claims to be of this key.
    #[must_use]
    pub fn is_of(&self, key: &VerifierKey) -> bool {
        self.name == *key.name() && self.id == key.id()
    }

    /// How long its line is in a note, with its end.
    fn line_length(&self) -> usize {
        let base64 = (self.id.len() + self.bytes.len()).div_ceil(3) * 4;
        SIGNATURE_START.len() + self.name.as_str().len() + " ".len() + base64 + "\n".len()
    }

    /// The name of the key.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The id of the key.
    #[must_use]
    pub const fn id(&self) -> [u8; 4] {
        self.id
    }

    /// What the key made.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl FromStr for NoteSignature {
    type Err = InvalidNote;

    fn from_str(line: &str) -> Result<Self, InvalidNote> {
        let parse = || {
            let (name, signature) = line.strip_prefix(SIGNATURE_START)?.split_once(' ')?;
            let bytes = STANDARD.decode(signature).ok()?;
            let (id, bytes) = bytes.split_first_chunk().filter(|(_, bytes)| !bytes.is_empty())?;
            Some(Self { name: name.parse().ok()?, id: *id, bytes: bytes.to_vec() })
        };
        parse().ok_or(InvalidNote::Signature)
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.id[..], &self.bytes].concat();
        write!(f, "{SIGNATURE_START}{} {}", self.name, STANDARD.encode(bytes))
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}
