//! What a proof may cost. The first four are those of the standard tools; the rest are ours, and far above anything
//! that calendars make: a proof of a few branches has some hundred steps and a few kilobytes.

/// How long a message may be, also one in between, and the argument of a step.
pub const MESSAGE: usize = 4096;
/// How long the payload of an attestation may be.
pub const PAYLOAD: usize = 8192;
/// How long a calendar's address may be.
pub const URI: usize = 1000;
/// How many steps may follow one another.
pub const DEPTH: usize = 255;

/// How long a file may be.
pub const FILE: usize = 256 * 1024;
/// How many messages a proof may have.
pub const MESSAGES: usize = 32 * 1024;
/// How many bytes all steps together may read and write.
pub const WORK: usize = 4 * 1024 * 1024;
/// What a step costs at least, whatever it works on: a permutation of the slowest hash.
pub(super) const STEP: usize = 128;
