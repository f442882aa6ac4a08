//! What others can read a lineage as. Every export is total: whatever names and claims hold, and whatever circles
//! they form, a well-formed document comes out.
//!
//! The three PROV notations are written from one list of [`statements`](prov::Statement), so that they cannot
//! disagree. A new format is a file here, a variant of [`ProvFormat`] and a line in its three matches.

mod context;
mod dot;
mod format;
mod json;
mod jsonld;
mod prov;
mod prov_json;
mod prov_n;
mod ro_crate;
mod svg;

pub use context::ExportContext;
pub use dot::to_dot;
pub use format::{InvalidProvFormat, ProvFormat};
pub use json::to_json;
pub use jsonld::to_jsonld;
pub use prov_json::to_prov_json;
pub use prov_n::to_prov_n;
pub use ro_crate::to_ro_crate;
pub use svg::to_svg;

/// Enough of a hash for a person to tell two apart.
fn short_hash(content: &artdag_kernel::ContentHash) -> String {
    let hex = content.to_bare_hex();
    let (head, tail) = (hex.get(..8).unwrap_or(&hex), hex.get(hex.len() - 6..).unwrap_or(&hex));
    format!("{head}…{tail}")
}
