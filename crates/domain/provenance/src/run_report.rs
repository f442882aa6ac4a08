use crate::Provenance;
use artdag_kernel::ContentHash;
use serde_json::Value;

/// What a renderer says of a run, read in every spelling that renderers have used.
#[derive(Clone, Debug, PartialEq)]
pub struct RunReport {
    /// How far the run is.
    pub status: RunStatus,
    /// What it made; known once it is completed.
    pub output: Option<ContentHash>,
    /// What kind of thing it made, if the renderer says so.
    pub output_type: Option<String>,
    /// Inputs, recipe, effects, infrastructure, `rendered_at` and so on, with `l1_server` and `run_id` set by who
    /// asked.
    pub provenance: Provenance,
    /// The document as it came.
    pub document: Value,
}

/// How far a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// Done: there is an output.
    Completed,
    /// Anything else, in the renderer's word for it.
    Other(String),
}
