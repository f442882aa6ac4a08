//! How an asset came to be, as its owner claims it.
//!
//! [`Provenance`] names what went in (by content hash, also of assets that are unknown here), the recipe that
//! made it, and the renderer and run that did the work. It is read leniently, since renderers of several
//! generations write it, and kept whole: members this crate does not know survive in `extra`.
//!
//! ```
//! use artdag_provenance::Provenance;
//!
//! let claimed = serde_json::json!({
//!     "inputs": ["a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"],
//!     "recipe": "beat-sync",
//!     "rendered_at": "2026-11-22T00:00:00Z",
//! });
//! let provenance = Provenance::from_json(&claimed)?;
//! assert_eq!(provenance.inputs().len(), 1);
//! assert_eq!(provenance.to_json()["rendered_at"], claimed["rendered_at"]);
//! # Ok::<(), artdag_provenance::InvalidProvenance>(())
//! ```

mod provenance;
mod run_id;

pub use provenance::{InvalidProvenance, Provenance};
pub use run_id::{InvalidRunId, RunId};
