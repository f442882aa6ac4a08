use super::BlockHeader;

/// Why a message is not attested by a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttestationError {
    /// It cannot be a Merkle root.
    #[error("the message has {0} bytes where a block's root has 32")]
    NotARoot(usize),
    /// The block has another Merkle root.
    #[error("the message is not the Merkle root of the block")]
    AnotherRoot,
    /// There is no block of that height, nor will there be soon.
    #[error("there is no such block: the last one is {last}")]
    NoSuchBlock {
        /// The height of the last block.
        last: u32,
    },
}

/// Checks that the message is the block's Merkle root, both in the order of bytes that headers have.
///
/// # Errors
///
/// If it is not.
pub fn verify_attestation(message: &[u8], header: &BlockHeader) -> Result<(), AttestationError> {
    if message.len() != 32 {
        return Err(AttestationError::NotARoot(message.len()));
    }
    if message == header.merkle_root().as_bytes() { Ok(()) } else { Err(AttestationError::AnotherRoot) }
}
