use std::fmt;

use super::{Checkpoint, InvalidCheckpoint, InvalidNote, Note, NoteSignature, Signed, UnverifiedNote, VerifierKey};

/// A checkpoint with its signatures: the note that is served and handed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

/// The text is not a signed checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSignedCheckpoint {
    /// It is not a signed note.
    #[error("it is not a signed note")]
    Note(#[from] InvalidNote),
    /// The note is not of a checkpoint.
    #[error("the note is not of a checkpoint")]
    Checkpoint(#[from] InvalidCheckpoint),
}

/// Why a checkpoint is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnverifiedCheckpoint {
    /// It is of another log.
    #[error("the checkpoint is of {0}")]
    AnotherLog(String),
    /// The signatures are missing or wrong.
    #[error("the checkpoint is not signed as it should be")]
    Note(#[from] UnverifiedNote),
}

impl SignedCheckpoint {
    /// Signs a checkpoint. See [`VerifierKey::sign`].
    ///
    /// # Errors
    ///
    /// If the function that signs has one.
    pub fn sign<E>(
        checkpoint: Checkpoint,
        key: &VerifierKey,
        time: u64,
        sign: impl FnOnce(&[u8]) -> Result<[u8; 64], E>,
    ) -> Result<Self, E> {
        let text = checkpoint.to_string();
        let signature = key.sign(&text, time, sign)?;
        Ok(Self { checkpoint, note: Note::signed(text, signature) })
    }

    /// Reads a signed checkpoint. Its signatures are still anybody's.
    ///
    /// # Errors
    ///
    /// If the text is none.
    pub fn parse(text: &str) -> Result<Self, InvalidSignedCheckpoint> {
        let note = Note::parse(text)?;
        Ok(Self { checkpoint: note.text().parse()?, note })
    }

    /// What is signed.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note.
    #[must_use]
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// Adds a cosignature, which has still to be checked.
    ///
    /// # Errors
    ///
    /// If there are too many.
    pub fn add(&mut self, signature: NoteSignature) -> Result<(), InvalidNote> {
        self.note.add(signature)
    }

    /// Adds lines of signatures, such as a witness's answer, which have still to be checked.
    ///
    /// # Errors
    ///
    /// If there is none or another line among them, or there are too many.
    pub fn add_lines(&mut self, lines: &str) -> Result<(), InvalidNote> {
        self.note.add_lines(lines)
    }

    /// Checks that the log with this key has signed it. The key's name is the origin of the log.
    ///
    /// # Errors
    ///
    /// If it is of another log or not signed by this key.
    pub fn verify(
        &self,
        log: &VerifierKey,
        ed25519: impl Fn(&[u8; 32], &[u8], &[u8; 64]) -> bool,
    ) -> Result<(), UnverifiedCheckpoint> {
        if self.checkpoint.origin() != log.name().as_str() {
            return Err(UnverifiedCheckpoint::AnotherLog(self.checkpoint.origin().to_owned()));
        }
        self.note.verify(std::slice::from_ref(log), ed25519)?;
        Ok(())
    }

    /// Which of the witnesses have cosigned it, each once. How many it takes is for the caller to say.
    ///
    /// # Errors
    ///
    /// If none has, or a signature that claims to be of one of them is not.
    pub fn cosigners<'a>(
        &self,
        witnesses: &'a [VerifierKey],
        ed25519: impl Fn(&[u8; 32], &[u8], &[u8; 64]) -> bool,
    ) -> Result<Vec<Signed<'a>>, UnverifiedNote> {
        self.note.verify(witnesses, ed25519)
    }

    /// Whether it has a signature that claims to be of this key.
    #[must_use]
    pub fn claims_signature_of(&self, key: &VerifierKey) -> bool {
        self.note.signatures().iter().any(|signature| signature.is_of(key))
    }

    /// The one among these signatures by which the witness with this key cosigns the checkpoint.
    ///
    /// # Errors
    ///
    /// If there is none, or one that claims to be it is not.
    pub fn find_cosignature(
        &self,
        witness: &VerifierKey,
        signatures: &[NoteSignature],
        ed25519: impl Fn(&[u8; 32], &[u8], &[u8; 64]) -> bool,
    ) -> Result<NoteSignature, UnverifiedNote> {
        let claimed = signatures.iter().find(|signature| signature.is_of(witness)).ok_or(UnverifiedNote::Unsigned)?;
        Note::signed(self.note.text().to_owned(), claimed.clone()).verify(std::slice::from_ref(witness), ed25519)?;
        Ok(claimed.clone())
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}
