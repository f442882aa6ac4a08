//! Calendars and sources of headers, over real connections on loopback.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod anchor;
mod cached_headers;
mod calendars;
mod header_file;
mod headers;
mod kept_headers;
#[cfg(feature = "p2p-headers")]
mod p2p;
mod support;
mod sync;
