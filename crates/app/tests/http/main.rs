//! The HTTP contract, over the real server, a real SQLite file and a real PostgreSQL. The modules mirror the URLs.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

mod activities;
mod anchors;
mod assets;
mod auth;
mod bad_bodies;
mod bad_tokens;
mod changes;
mod claims;
mod crash;
mod crowd;
mod discovery;
mod federation;
mod fedify;
mod headers;
mod inbox_torture;
mod interop;
mod l1_server;
mod late_mail;
mod lineage;
mod log;
mod peer;
mod process;
mod races;
mod renderers;
mod service;
mod support;
mod throttle;
mod two_servers;
mod users;
