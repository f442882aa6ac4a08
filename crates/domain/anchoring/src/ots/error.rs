use super::InvalidUri;

/// Why bytes are no proof, or a proof cannot be what it would have to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OtsError {
    /// The bytes do not begin as those of a proof.
    #[error("not an OpenTimestamps proof")]
    WrongMagic,
    /// A later or earlier format.
    #[error("version {0} of the format is not known")]
    UnknownVersion(u8),
    /// The file was hashed in a way that is not known.
    #[error("the file's hash {0:#04x} is not known")]
    UnknownFileHash(u8),
    /// A step that is not known. What follows it cannot be read.
    #[error("the step {0:#04x} is not known")]
    UnknownOp(u8),
    /// The bytes end too soon.
    #[error("the proof is cut short")]
    Truncated,
    /// There are bytes behind the end.
    #[error("{0} bytes follow the end of the proof")]
    TrailingBytes(usize),
    /// A number has more than 64 bits or, where a height is due, 32.
    #[error("a number is too large")]
    NumberTooLarge,
    /// Something is longer or shorter than it may be.
    #[error("a length of {given} where {least} to {most} are allowed")]
    WrongLength {
        /// The length.
        given: u64,
        /// The least that is allowed.
        least: usize,
        /// The most that is allowed.
        most: usize,
    },
    /// The payload of an attestation that is known goes on behind its end.
    #[error("{0} bytes follow the end of an attestation")]
    TrailingPayload(usize),
    /// A calendar's address has characters that are not allowed.
    #[error("a calendar's address is invalid")]
    InvalidUri(#[from] InvalidUri),
    /// Too many steps follow one another.
    #[error("more than 255 steps follow one another")]
    TooDeep,
    /// There are too many messages.
    #[error("the proof has too many branches")]
    TooManyMessages,
    /// The steps are too much work.
    #[error("the proof is too much work")]
    TooMuchWork,
    /// A branch ends without an attestation.
    #[error("a branch of the proof attests nothing")]
    Empty,
    /// Two proofs are of different messages, or steps do not lead to the message at which the proof goes on.
    #[error("the proofs are not of the same message")]
    AnotherMessage,
}
