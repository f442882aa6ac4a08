//! What a log says of itself, and who saw it: checkpoints, signed notes, cosignatures, and the texts in which they
//! travel, as of C2SP's `signed-note`, `tlog-checkpoint`, `tlog-cosignature`, `tlog-witness` and `tlog-proof`.
//!
//! Keys are Ed25519. This crate neither makes nor checks such signatures itself: both are functions that the caller
//! hands in, with whatever library it has. The function that checks takes the public key, the message and the
//! signature.
//!
//! ```
//! use artdag_anchoring::Digest;
//! use artdag_anchoring::checkpoint::{Checkpoint, SignedCheckpoint, VerifierKey};
//! # // A stand-in for a signature that the example can make without a library.
//! # let sign = |message: &[u8]| Ok::<_, std::convert::Infallible>({
//! #     let digest = Digest::of(message);
//! #     let mut bytes = [7; 64];
//! #     bytes[..32].copy_from_slice(digest.as_bytes());
//! #     bytes
//! # });
//! # let verify = |_: &[u8; 32], message: &[u8], signature: &[u8; 64]| signature[..32] == *Digest::of(message).as_bytes();
//!
//! let key = VerifierKey::ed25519("art.example/log".parse()?, [1; 32]);
//! let checkpoint = Checkpoint::new("art.example/log", 1000, Digest::of(b"the root"))?;
//! let signed = SignedCheckpoint::sign(checkpoint, &key, 0, sign)?;
//!
//! let received = SignedCheckpoint::parse(&signed.to_string())?;
//! received.verify(&key, verify)?;
//! assert_eq!(received.checkpoint().size(), 1000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod body;
mod key;
mod note;
mod receipt;
mod signed;
mod witness;

pub use body::{Checkpoint, InvalidCheckpoint};
pub use key::{InvalidKey, InvalidKeyName, KeyKind, KeyName, VerifierKey};
pub use note::{InvalidNote, Note, NoteSignature, Signed, UnverifiedNote};
pub use receipt::{InvalidReceipt, Receipt};
pub use signed::{InvalidSignedCheckpoint, SignedCheckpoint, UnverifiedCheckpoint};
pub use witness::{AddCheckpoint, InvalidRequest, Refusal, WitnessAnswer};
