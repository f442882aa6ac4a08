//! OpenTimestamps proofs: the `.ots` files of the standard tools and the answers of calendars.
//!
//! A proof is a tree. It begins with a message, which is the digest of a file; each branch is an [`Op`] that makes
//! another message of it; and here and there an [`Attestation`] claims that a message was known at a time. The claim
//! has still to be checked, for Bitcoin with [`crate::bitcoin`].
//!
//! Proofs come from strangers. Whatever the bytes are, reading them takes little memory, little time and no deep
//! stack; see [`limits`]. What was read is written in one way only, with attestations and branches in order and
//! nothing said twice.
//!
//! To add an attestation that is understood: a variant of [`Attestation`] with its tag, and its payload in `parse`
//! and `write`.

mod attestation;
mod calendar;
mod detached;
mod error;
mod hash;
pub mod limits;
mod node;
mod op;
mod path;
mod reader;
mod timestamp;

pub use attestation::{Attestation, UnknownAttestation};
pub use calendar::{CalendarUri, Calendars, InvalidCalendar, InvalidUri};
pub use detached::DetachedTimestamp;
pub use error::OtsError;
pub use hash::{FileHash, HashAlgorithm};
pub use op::{Argument, Op};
pub use path::{Batch, batch, inclusion_ops};
pub use timestamp::{Attested, Cost, Timestamp};
