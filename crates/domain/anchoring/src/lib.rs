//! A log that only grows, and proofs of its age against Bitcoin.

pub mod bitcoin;
mod digest;
pub mod log;
pub mod ots;
mod sha256;

pub use digest::{Digest, InvalidDigest};
