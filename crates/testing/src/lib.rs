//! What the tests of several crates share: where the programs of others are, and how to start them. Never part of the
//! product.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot have what it needs has failed, and one that is skipped must be seen"
)]

mod calendars;
mod tools;

pub use calendars::{OtsCalendars, PATIENT};
pub use tools::{free_port, go_path, interop_file, node_folder, official_client, python, seed};
