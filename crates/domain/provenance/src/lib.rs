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
//!
//! [`RunReport`] is what a renderer says of a run. A new spelling is a word in one of the lists of `read_run.rs`
//! and a row in `tests/runs.rs`.
//!
//! ```
//! use artdag_provenance::{RunReport, RunStatus};
//!
//! let hash = "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a";
//! let answer = serde_json::json!({"run_id": "r-1", "status": "done", "output_cid": hash, "recipe_name": "beat-sync"});
//! let report = RunReport::from_json(&answer, &"https://l1.example".parse()?, &"r-1".parse()?)?;
//! assert_eq!(report.status, RunStatus::Completed);
//! assert_eq!(report.provenance.l1_server(), Some("https://l1.example"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Lineage`] is the neighbourhood of one asset in the graph of what was made from what. It is exported in the
//! notations of [`ProvFormat`]; ids are spelled as an [`ExportContext`] says. This crate must never read a clock or
//! fetch anything: when an export was made is handed in, and documents carry their contexts with them.
//!
//! ```
//! use artdag_kernel::{ContentHash, Instant};
//! use artdag_provenance::{ExportContext, Lineage, LineageNode, ProvFormat};
//!
//! let root = ContentHash::of(b"a picture");
//! let nobody_knows = LineageNode { content_hash: root, distance: 0, asset: None };
//! let lineage = Lineage { root, nodes: vec![nobody_knows], edges: Vec::new(), is_complete: true };
//! let context = ExportContext::new("https://art.example", Instant::default());
//! let format: ProvFormat = "prov-n".parse()?;
//! assert!(format.export(&lineage, &context).contains("entity(object:"));
//! assert_eq!(ProvFormat::Svg.media_type(), "image/svg+xml");
//! # Ok::<(), artdag_provenance::InvalidProvFormat>(())
//! ```

mod export;
mod layout;
mod lineage;
mod provenance;
mod read_run;
mod renderer;
mod run;
mod run_id;
mod run_report;

pub use export::{
    ExportContext, InvalidProvFormat, ProvFormat, to_dot, to_json, to_jsonld, to_prov_json, to_prov_n, to_ro_crate,
    to_svg,
};
pub use lineage::{Lineage, LineageAsset, LineageEdge, LineageNode};
pub use provenance::{InvalidProvenance, Provenance};
pub use read_run::InvalidRunReport;
pub use renderer::{Renderer, RendererError};
pub use run::{ProvenanceReads, ProvenanceRepository, Run};
pub use run_id::{InvalidRunId, RunId};
pub use run_report::{RunReport, RunStatus};
