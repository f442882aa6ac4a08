//! The HTTP contract, over the real server, a real SQLite file and a real PostgreSQL. The modules mirror the URLs.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod activities;
mod anchors;
mod assets;
mod auth;
mod bad_bodies;
mod bad_tokens;
mod changes;
mod check;
mod claims;
mod crash;
mod crowd;
mod discovery;
mod federation;
mod fedify;
mod headers;
mod inbox_torture;
mod interop;
mod jobs;
mod kills;
mod l1_server;
mod late_mail;
mod lineage;
mod log;
mod log_watch;
mod pages;
mod peer;
mod process;
mod races;
mod renderers;
mod service;
mod support;
mod throttle;
mod two_servers;
mod users;
mod witnesses;
