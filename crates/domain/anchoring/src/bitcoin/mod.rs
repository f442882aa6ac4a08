//! Bitcoin's chain of block headers, as far as a timestamp needs it: which headers are real, and which chain of them
//! has most work.
//!
//! Whoever hands headers in is not believed. [`HeaderChain`] checks the link to the previous header, the proof of
//! work, the exact difficulty, and the time; it keeps the heaviest chain; and it says nothing about a block as long
//! as the whole chain has less work than Bitcoin is known to have. What is *in* a block is beyond it: it knows no
//! transactions, and of signet not the signature that its blocks carry.

mod attestation;
mod chain;
mod cursor;
mod hash;
mod header;
mod rules;
mod work;

pub use attestation::{AttestationError, verify_attestation};
pub use chain::{AcceptError, Change, Confirmed, HeaderChain, LookupError, TooLittleWork, TrustedStart, WrongStart};
pub use cursor::{HeaderError, HeaderFault};
pub use hash::{BlockHash, InvalidBlockHash};
pub use header::{BlockHeader, InvalidHeader};
pub use rules::{ChainRules, Network, Retarget, UnknownNetwork};
pub use work::{CompactTarget, Work};
