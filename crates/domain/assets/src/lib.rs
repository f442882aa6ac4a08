//! Assets: what is registered, and the rules of registering it.
//!
//! An [`Asset`] is one owner's claim to content, found by a name or by its hash. Its name, content, owner and
//! provenance never change; its [`Details`] may. Deleting one leaves a [`Tombstone`], which keeps the name and
//! the hash for their former owner. This crate decides what a sound claim is; it stores and sends nothing.
//!
//! To add a detail: a newtype that parses it here, a member of [`Details`] and [`DetailsPatch`], and a column
//! in the store.
//!
//! ```
//! use artdag_assets::{AssetName, SearchWords, Tag};
//!
//! let name: AssetName = "effect:identity".parse()?;
//! assert_eq!(name.as_str(), "effect:identity");
//! assert!("a/b".parse::<AssetName>().is_err());
//! assert_eq!("#Été".parse::<Tag>()?.key(), "été");
//! assert_eq!(SearchWords::of("Café, au lait").as_slice(), ["cafe", "au", "lait"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod asset;
mod details;
mod name;
mod ports;
mod search;
mod tag;

pub use asset::{Asset, NewAsset, Registered, Tombstone};
pub use cid::Cid;
pub use details::{
    AssetType, Description, Details, DetailsPatch, InvalidCid, InvalidLink, InvalidMetadata, Link, Metadata, parse_cid,
};
pub use name::{AssetName, InvalidAssetName};
pub use ports::{AssetFilter, AssetReads, AssetRepository};
pub use search::{SearchWords, search_text};
pub use tag::{InvalidTags, Tag, Tags};
