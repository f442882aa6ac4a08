//! The world outside of anchoring: sources of Bitcoin's block headers.
//!
//! | part | what it is |
//! |---|---|
//! | [`BlockHeaders`] | the port |
//! | [`HeaderFile`] | the checked chain, kept on disk |
//! | [`BitcoinCoreRpc`], [`Esplora`], [`Explorers`] | a node, an explorer, several explorers compared |
//! | [`sync`] | brings a [`HeaderFile`] up to a source's tip |
//! | [`verify`] | judges an attestation by any source |
//!
//! Nobody here is believed. Headers of whatever source go through the rules of
//! [`artdag_anchoring::bitcoin::HeaderChain`] before they are stored.
//!
//! This crate must never show what lets into a node; wait without a limit; or answer from a [`HeaderFile`] whose chain has too little work.
//!
//! To add a source of headers: a file with an implementation of [`BlockHeaders`] over the
//! [`GuardedClient`](artdag_http::GuardedClient), whose answers are compared with what was asked for, whose errors
//! name it without secrets, and which is run against `tests/interop/ots_calendar.py` in the tests.
//!
//! # Keep a chain, and judge by it
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use artdag_anchoring::Verdict;
//! use artdag_anchoring::bitcoin::{ChainRules, Network};
//! use artdag_http::{GuardPolicy, GuardedClient};
//! use artdag_opentimestamps::{BATCH, BitcoinCoreRpc, HeaderFile, NodeUrl, sync, verify};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let node: NodeUrl = "http://user:password@127.0.0.1:8332/".parse()?;
//! // The guard calls nobody in the operator's own network but whom the operator names.
//! let policy = GuardPolicy::new(Vec::new(), [node.server()]);
//! let client = GuardedClient::builder(&"https://l2.example".parse()?, policy).build()?;
//!
//! let rules = ChainRules::of(Network::Mainnet);
//! let file = Arc::new(HeaderFile::open("headers.dat", rules.clone())?);
//! sync(&file, &BitcoinCoreRpc::new(client, node), BATCH, &mut |progress| {
//!     println!("{} of {}", progress.height, progress.tip);
//! })
//! .await?;
//!
//! if let Verdict::Verified(evidence) = verify(&*file, &rules, 358_391, &[0; 32]).await? {
//!     println!("existed by {} ({})", evidence.existed_by(), evidence.assurance);
//! }
//! # Ok(())
//! # }
//! ```

mod bitcoin_core;
mod esplora;
mod explorers;
mod failure;
mod fetch;
mod header_file;
mod node_url;
mod ports;
mod sync;
mod verify;

pub use bitcoin_core::BitcoinCoreRpc;
pub use esplora::Esplora;
pub use explorers::{Explorers, InvalidQuorum};
pub use header_file::{HeaderFile, HeaderFileError};
pub use node_url::{InvalidNodeUrl, NodeUrl};
pub use ports::{BlockHeaders, Cause, HeadersError};
pub use sync::{BATCH, Progress, SyncError, Synced, sync};
pub use verify::verify;
