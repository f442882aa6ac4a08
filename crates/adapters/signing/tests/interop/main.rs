//! Verifiers in other languages accept what we sign, and notice changes.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod activities;
mod requests;
mod tools;
