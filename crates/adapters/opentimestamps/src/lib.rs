//! The world outside of anchoring: calendars that take digests to Bitcoin, and sources of Bitcoin's block headers.
//!
//! | part | what it is |
//! |---|---|
//! | [`HttpCalendars`] | calendars over HTTP |
//! | [`HeaderFile`] | the checked chain, kept on disk |
//! | [`KeptHeaders`] | the same for several processes at once, of which each opens the file for moments only |
//! | [`BitcoinCoreRpc`], [`Esplora`], [`Explorers`] | a node, an explorer, several explorers compared |
//! | `P2pHeaders` | peers of Bitcoin's own network, with the feature `p2p-headers` |
//! | [`CachedHeaders`] | any of them, spared the same questions |
//! | [`sync`] | brings a [`HeaderFile`] up to a source's tip |
//!
//! Nobody here is believed. A calendar's answer is a claim, of which this crate checks the form; whether its block
//! says so, [`Verdict::by_source`](artdag_anchoring::Verdict::by_source) tells. Headers of whatever source go through the rules of
//! [`artdag_anchoring::bitcoin::HeaderChain`] before they are stored.
//!
//! This crate must never ask a calendar that is not on the list, whatever a proof says; show what lets into a node;
//! wait without a limit; or answer from a [`HeaderFile`] whose chain has too little work.
//!
//! To add a source of headers: a file with an implementation of
//! [`BlockHeaders`](artdag_anchoring::BlockHeaders) over the
//! [`GuardedClient`](artdag_http::GuardedClient) (peers speak no HTTP, so `p2p` connects by itself, to addresses that
//! the guard's rules let pass), whose answers are compared with what was asked for, whose errors
//! name it without secrets, and which is run against `tests/interop/ots_calendar.py` in the tests.
//!
//! # Stamp, and ask later
//!
//! ```no_run
//! use artdag_anchoring::ots::{CalendarUri, Calendars, Timestamp};
//! use artdag_anchoring::{Calendar, CalendarError, Digest};
//! use artdag_http::{GuardPolicy, GuardedClient};
//! use artdag_opentimestamps::HttpCalendars;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = GuardedClient::builder(&"https://l2.example".parse()?, GuardPolicy::default()).build()?;
//! let pool: CalendarUri = "https://a.pool.opentimestamps.org".parse()?;
//! let calendars = HttpCalendars::new(client, std::slice::from_ref(&pool), Calendars::public());
//!
//! let root = Digest::of(b"the root of the log");
//! let mut timestamp = calendars.submit(&pool, &root).await?;
//!
//! // Some hours later.
//! let pending: Vec<_> = timestamp.pending().map(|(calendar, message)| (calendar.clone(), message)).collect();
//! for (calendar, message) in pending {
//!     match calendars.upgrade(&calendar, &message).await {
//!         Ok(answer) => timestamp = Timestamp::joined(root.as_bytes(), [&timestamp, &answer])?,
//!         Err(CalendarError::NotYet(_)) => {}
//!         Err(error) => println!("{error}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Keep a chain, and judge by it
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use artdag_anchoring::Verdict;
//! use artdag_anchoring::bitcoin::{ChainRules, Network};
//! use artdag_http::{GuardPolicy, GuardedClient};
//! use artdag_opentimestamps::{BATCH, BitcoinCoreRpc, HeaderFile, NodeUrl, sync};
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
//! if let Verdict::Verified(evidence) = Verdict::by_source(&*file, &rules, 358_391, &[0; 32]).await? {
//!     println!("existed by {} ({})", evidence.existed_by(), evidence.assurance);
//! }
//! # Ok(())
//! # }
//! ```

mod bitcoin_core;
mod cached_headers;
mod calendars;
mod checked;
mod esplora;
mod explorers;
mod failure;
mod fetch;
mod header_file;
mod kept_headers;
mod node_url;
#[cfg(feature = "p2p-headers")]
mod p2p;
mod peer_address;
mod sync;

pub use bitcoin_core::BitcoinCoreRpc;
pub use cached_headers::CachedHeaders;
pub use calendars::HttpCalendars;
pub use esplora::Esplora;
pub use explorers::{Explorers, InvalidQuorum};
pub use header_file::{HeaderFile, HeaderFileError};
pub use kept_headers::{Attempt, KeptHeaders};
pub use node_url::{InvalidNodeUrl, NodeUrl};
#[cfg(feature = "p2p-headers")]
pub use p2p::P2pHeaders;
pub use peer_address::{InvalidPeerAddress, PeerAddress, Peers};
pub use sync::{BATCH, Progress, SyncError, Synced, sync};
