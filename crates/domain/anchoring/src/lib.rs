//! Claims whose order cannot be rewritten, and whose age anybody can check.
//!
//! Four parts that stand by themselves, and what joins them:
//!
//! | module | what it is |
//! |---|---|
//! | [`log`] | an append-only Merkle tree as of RFC 6962, kept in tiles |
//! | [`checkpoint`] | what a log signs and witnesses cosign, and the texts in which that travels |
//! | [`ots`] | OpenTimestamps proofs: read, write, merge, make |
//! | [`bitcoin`] | the chain of headers by which such proofs are judged |
//! | [`Verdict`], [`Assurance`] | the outcome, and on whose word it rests |
//! | [`Anchor`] | how far a root has come on its way into Bitcoin, and who was asked to carry it |
//! | [`LogReads`], [`LogRepository`], [`AnchorReads`], [`AnchorRepository`] | what keeps a log and its anchors |
//! | [`WitnessReads`], [`WitnessRepository`] | what keeps what a witness has seen |
//! | [`Calendar`], [`BlockHeaders`], [`Witness`] | the world outside: who carries digests to Bitcoin, who shows blocks, and who cosigns |
//!
//! This crate does no I/O, has no clock and no randomness, and makes no signatures; what it needs of those comes in as
//! arguments. It must never answer "yes" where it has not checked: what lies beyond the headers is
//! [`Verdict::Unknown`]. Every parser takes bytes from strangers, and has a target in `fuzz/`; a new one gets a new
//! target. A new format gets a module of its own; [`ots`] says how to add an attestation.
//!
//! # Verify an `.ots` against a header
//!
//! ```
//! use artdag_anchoring::bitcoin::{BlockHeader, ChainRules, Network};
//! use artdag_anchoring::ots::DetachedTimestamp;
//! use artdag_anchoring::{Assurance, ShownBlock, Verdict};
//!
//! # use artdag_anchoring::{Digest, ots::{Attestation, FileHash, Op, Timestamp}};
//! # // The transaction of the first block of all, which carries a headline.
//! # let file = hex::decode(concat!(
//! #     "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d",
//! #     "65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f7220",
//! #     "62616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f",
//! #     "4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000",
//! # ))?;
//! # let digest = Digest::of(&file);
//! # let end = Timestamp::new(Digest::of(digest.as_bytes()).as_bytes())?.attested(Attestation::Bitcoin(0));
//! # let proof = DetachedTimestamp::new(FileHash::sha256(digest), end.behind(digest.as_bytes(), vec![Op::SHA256])?)?;
//! # let ots = proof.to_bytes()?;
//! # let header_of = |height: u32| *ChainRules::of(Network::Mainnet).genesis();
//! let proof = DetachedTimestamp::parse(&ots)?;
//! assert!(proof.file_hash().matches(&file));
//! for (height, message) in proof.timestamp().bitcoin() {
//!     let header: BlockHeader = header_of(height);
//!     let assurance = Assurance::SuppliedHeader;
//!     let shown = ShownBlock { assurance, height, header, confirmations: None, source: "a file of headers" };
//!     match Verdict::by_header(&ChainRules::of(Network::Mainnet), shown, &message) {
//!         Verdict::Verified(evidence) => {
//!             assert_eq!(evidence.existed_by().to_string(), "2009-01-03");
//!             assert_eq!(evidence.assurance.to_string(), "supplied-header");
//!         }
//!         other => panic!("{other:?}"),
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With a [`bitcoin::HeaderChain`] and [`Verdict::by_chain`] nobody has to be believed.
//!
//! # Prove inclusion
//!
//! ```
//! use artdag_anchoring::Digest;
//! use artdag_anchoring::log::{InclusionProof, Tree};
//!
//! let entries: Vec<Digest> = (0..1000_u32).map(|at| Digest::of(&at.to_be_bytes())).collect();
//! let tree: Tree = entries.iter().copied().collect();
//! let proof = tree.prove_inclusion(617, 1000)?;
//!
//! // Whoever checks has the root from a checkpoint, and the proof from anywhere.
//! let received = InclusionProof::new(617, 1000, proof.hashes().to_vec())?;
//! received.verify(&entries[617], &tree.root())?;
//! assert!(received.verify(&entries[618], &tree.root()).is_err());
//!
//! // And later: it is still the same log.
//! let old_root = tree.root_at(700)?;
//! tree.prove_consistency(700, 1000)?.verify(&old_root, &tree.root())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Append, and read a tile
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use artdag_anchoring::Digest;
//! use artdag_anchoring::log::{Appender, InclusionPlan, TilePath, TileSet};
//!
//! let entries: Vec<Digest> = (0..600_u32).map(|at| Digest::of(&at.to_be_bytes())).collect();
//! let mut appender = Appender::new();
//! let mut store: BTreeMap<String, Vec<u8>> = BTreeMap::new();
//! for part in entries.chunks(250) {
//!     let appended = appender.append(part);
//!     // Written before a checkpoint of the new size is signed.
//!     store.extend(appended.tiles().map(|(tile, bytes)| (tile.to_string(), bytes)));
//!     store.extend(appended.bundles().map(|(bundle, bytes)| (bundle.to_string(), bytes)));
//! }
//!
//! // What a server is asked for, behind `/tile/`.
//! let path: TilePath = "entries/002.p/88".parse()?;
//! assert_eq!(store[&path.to_string()].len(), 88 * 34);
//!
//! // A proof first says what it has to read.
//! let plan = InclusionPlan::new(300, 600)?;
//! let names: Vec<String> = plan.tiles().map(|tile| tile.to_string()).collect();
//! assert_eq!(names, ["0/001", "0/002.p/88", "1/000.p/2"]);
//! let mut tiles = TileSet::new();
//! for tile in plan.tiles() {
//!     tiles.insert(tile, &store[&tile.to_string()])?;
//! }
//! plan.prove(&tiles)?.verify(&entries[300], &appender.root())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod anchor;
pub mod bitcoin;
pub mod checkpoint;
mod day;
mod digest;
mod judge;
pub mod log;
pub mod ots;
mod ports;
mod sha256;
mod text;
mod verdict;

pub use anchor::{
    Anchor, AnchorEvent, AnchorState, Ask, Claim, FINAL_CONFIRMATIONS, InvalidTransition, Pace, Question, Reply,
    Standing, UnknownAnchorState, UnknownStanding,
};
pub use day::Day;
pub use digest::{Digest, InvalidDigest};
pub use ports::{
    AnchorReads, AnchorRepository, BlockHeaders, Calendar, CalendarError, Cause, HeadersError, KeptCheckpoint, LogHead,
    LogReads, LogRepository, LogWitness, Witness, WitnessError, WitnessReads, WitnessRepository,
};
pub use verdict::{Assurance, Evidence, Refuted, ShownBlock, Unknown, UnknownAssurance, Verdict};
