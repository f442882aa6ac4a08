//! The server of an Art DAG registry: HTTP on one side, the registry's use cases on the other.
//!
//! This is the only crate that names adapters: `wiring` puts one behind every port, `server` listens, `routes`
//! translate. It decides nothing about claims. To add a setting: a field in `settings`, a line in
//! `config/artdag-l2.example.toml`; a command: a variant in `cli` and a file in `commands`.

pub mod bitcoin;
pub mod cli;
mod commands;
pub mod http;
pub mod logging;
pub mod openapi;
pub mod pages;
pub mod routes;
pub mod server;
pub mod settings;
pub mod system;
pub mod wiring;
