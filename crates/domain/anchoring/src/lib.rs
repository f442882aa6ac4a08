//! A log that only grows, and proofs of its age against Bitcoin.

pub mod bitcoin;
pub mod checkpoint;
mod digest;
pub mod log;
pub mod ots;
mod sha256;
mod text;

pub use digest::{Digest, InvalidDigest};
