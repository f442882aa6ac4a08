//! The client and its guard, against real servers on loopback.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod guard;
mod handles;
mod limits;
mod peers;
mod pool;
mod redirects;
mod renderers;
mod signer;
mod ssrf;
mod support;
mod tls;
mod witnesses;
