use std::fmt;

use super::reader::{Reader, write_var_bytes};
use super::{HashAlgorithm, OtsError, limits};

/// A step from one message to the next. The order is that of the tags, and of the arguments after it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// The message's hash.
    Hash(HashAlgorithm),
    /// The message with the argument behind it.
    Append(Argument),
    /// The message with the argument before it.
    Prepend(Argument),
    /// The message's bytes in reverse.
    Reverse,
    /// The message in hex.
    Hexlify,
}

/// What is put before or behind a message: 1 to 4096 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Argument(Box<[u8]>);

impl Op {
    /// SHA-256 of the message, the step that most proofs are made of.
    pub const SHA256: Self = Self::Hash(HashAlgorithm::Sha256);

    const APPEND: u8 = 0xf0;
    const PREPEND: u8 = 0xf1;
    const REVERSE: u8 = 0xf2;
    const HEXLIFY: u8 = 0xf3;

    /// The message after this step.
    ///
    /// # Errors
    ///
    /// If it would be longer than 4096 bytes.
    pub fn apply(&self, message: &[u8]) -> Result<Vec<u8>, OtsError> {
        let length = self.length_after(message.len());
        if length > limits::MESSAGE {
            return Err(OtsError::WrongLength { given: length as u64, least: 1, most: limits::MESSAGE });
        }
        Ok(match self {
            Self::Hash(algorithm) => algorithm.hash(message),
            Self::Append(argument) => [message, argument.as_bytes()].concat(),
            Self::Prepend(argument) => [argument.as_bytes(), message].concat(),
            Self::Reverse => message.iter().rev().copied().collect(),
            Self::Hexlify => hex::encode(message).into_bytes(),
        })
    }

    fn length_after(&self, length: usize) -> usize {
        match self {
            Self::Hash(algorithm) => algorithm.digest_length(),
            Self::Append(argument) | Self::Prepend(argument) => length + argument.as_bytes().len(),
            Self::Reverse => length,
            Self::Hexlify => 2 * length,
        }
    }

    /// Reads what follows a tag that is none of an attestation.
    pub(super) fn parse(tag: u8, reader: &mut Reader<'_>) -> Result<Self, OtsError> {
        let mut argument = || reader.var_bytes(1, limits::MESSAGE).map(|bytes| Argument(bytes.into()));
        match tag {
            Self::APPEND => argument().map(Self::Append),
            Self::PREPEND => argument().map(Self::Prepend),
            Self::REVERSE => Ok(Self::Reverse),
            Self::HEXLIFY => Ok(Self::Hexlify),
            _ => HashAlgorithm::of_tag(tag).map(Self::Hash).ok_or(OtsError::UnknownOp(tag)),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Hash(algorithm) => out.push(algorithm.tag()),
            Self::Append(argument) => argument.write(Self::APPEND, out),
            Self::Prepend(argument) => argument.write(Self::PREPEND, out),
            Self::Reverse => out.push(Self::REVERSE),
            Self::Hexlify => out.push(Self::HEXLIFY),
        }
    }
}

impl Argument {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// One whose length is known to be right.
    pub(super) fn of<const N: usize>(bytes: [u8; N]) -> Self {
        const { assert!(N >= 1 && N <= limits::MESSAGE) };
        Self(Box::new(bytes))
    }

    fn write(&self, tag: u8, out: &mut Vec<u8>) {
        out.push(tag);
        write_var_bytes(out, &self.0);
    }
}

impl TryFrom<&[u8]> for Argument {
    type Error = OtsError;

    fn try_from(bytes: &[u8]) -> Result<Self, OtsError> {
        let (least, most) = (1, limits::MESSAGE);
        if (least..=most).contains(&bytes.len()) {
            Ok(Self(bytes.into()))
        } else {
            Err(OtsError::WrongLength { given: bytes.len() as u64, least, most })
        }
    }
}

impl fmt::Debug for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Display for Op {
    /// As the standard tools show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hash(HashAlgorithm::Sha1) => f.write_str("sha1"),
            Self::Hash(HashAlgorithm::Ripemd160) => f.write_str("ripemd160"),
            Self::Hash(HashAlgorithm::Sha256) => f.write_str("sha256"),
            Self::Hash(HashAlgorithm::Keccak256) => f.write_str("keccak256"),
            Self::Append(argument) => write!(f, "append {argument:?}"),
            Self::Prepend(argument) => write!(f, "prepend {argument:?}"),
            Self::Reverse => f.write_str("reverse"),
            Self::Hexlify => f.write_str("hexlify"),
        }
    }
}
