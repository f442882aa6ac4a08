//! What every Art DAG domain shares.
//!
//! Small value types with private fields, made by parsing and never changed afterwards, and the two ports
//! that let time and randomness come in from outside. This crate must never read a clock, the environment or
//! the network, and knows no driver. To add something here, be sure that two domains need it in the same
//! sense; otherwise it belongs to one of them.
//!
//! ```
//! use artdag_kernel::ContentHash;
//!
//! let hash = ContentHash::of(b"a picture");
//! // Two spellings are read, one is written.
//! assert_eq!(hash.to_bare_hex().parse::<ContentHash>()?, hash);
//! assert_eq!(hash.to_string().parse::<ContentHash>()?, hash);
//! assert!(hash.to_string().starts_with("sha3-256:"));
//! # Ok::<(), artdag_kernel::InvalidContentHash>(())
//! ```

mod clock;
mod content_hash;
mod ids;
mod page;
mod randomness;
mod server_url;
mod store_error;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
mod username;

pub use clock::{Clock, Instant, rfc3339, rfc3339_seconds};
pub use content_hash::{ContentHash, ContentHasher, InvalidContentHash};
pub use ids::{ActivityId, AssetId, InvalidId};
pub use page::{Count, Cursor, InvalidCursor, InvalidPage, Page, PageLimit, Position, Slice};
pub use randomness::{Randomness, new_uuid};
pub use server_url::{InvalidServerUrl, ServerUrl};
pub use store_error::StoreError;
pub use text::{TextFault, check_text};
pub use username::{InvalidUsername, Username};
