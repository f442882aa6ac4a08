use crate::{Lineage, RunId};
use artdag_kernel::{AssetId, ContentHash, Instant, ServerUrl, StoreError, Username};
use async_trait::async_trait;

/// A renderer's run that was recorded here: it made an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The renderer.
    pub l1_server: ServerUrl,
    /// Its name for the run.
    pub run_id: RunId,
    /// Who recorded it.
    pub recorded_by: Username,
    /// When.
    pub recorded_at: Instant,
    /// The asset that it made.
    pub output: AssetId,
    /// What the renderer said of the run, as JSON text, for whoever wants to look closer.
    pub report: String,
}

/// Reads runs and lineages.
#[async_trait]
pub trait ProvenanceReads: Send {
    /// The run of that name on that renderer.
    async fn find_run(&mut self, l1_server: &ServerUrl, run_id: &RunId) -> Result<Option<Run>, StoreError>;

    /// The runs of that name, whichever renderer's, first recorded first: up to `limit`.
    async fn list_runs(&mut self, run_id: &RunId, limit: u16) -> Result<Vec<Run>, StoreError>;

    /// What this content was made from, and what was made from it: up to `depth` steps either way, and up to
    /// `max_nodes` nodes, nearest first. Content that nobody registered here is a node without an asset. Circles
    /// are walked once. [`Lineage::is_complete`] is `false` when either bound cut it.
    async fn lineage(&mut self, of: &ContentHash, depth: u16, max_nodes: u32) -> Result<Lineage, StoreError>;
}

/// Keeps runs.
#[async_trait]
pub trait ProvenanceRepository: ProvenanceReads {
    /// Adds a run. [`StoreError::Conflict`] when it is recorded already; the unit of work stays usable.
    async fn add_run(&mut self, run: &Run) -> Result<(), StoreError>;
}
