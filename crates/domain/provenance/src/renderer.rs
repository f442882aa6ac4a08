use crate::{RunId, RunReport};
use artdag_kernel::{ContentHash, ServerUrl, Username};
use async_trait::async_trait;
use std::error::Error;

/// A renderer (an L1 server) as the registry sees it from outside. What it says is checked before it is used.
#[async_trait]
pub trait Renderer: Send + Sync {
    /// Asks for a run: `GET {l1}/runs/{run_id}`.
    async fn fetch_run(&self, l1_server: &ServerUrl, run_id: &RunId) -> Result<RunReport, RendererError>;

    /// Whether it has this content: `GET {l1}/cache/{hash}`, of which only the head is read.
    async fn has_content(&self, l1_server: &ServerUrl, hash: &ContentHash) -> Result<bool, RendererError>;

    /// Tells it that a user logged out here: `POST {l1}/auth/revoke-user`.
    async fn revoke_user(
        &self,
        l1_server: &ServerUrl,
        username: &Username,
        l2_server: &str,
    ) -> Result<(), RendererError>;
}

/// Why a renderer gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum RendererError {
    /// It answered 404.
    #[error("the renderer does not know it")]
    NotFound,
    /// It did not answer in time.
    #[error("the renderer did not answer in time")]
    Slow,
    /// It cannot be reached, or the connection broke.
    #[error("the renderer cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// It answered something that makes no sense: another status, another type, too much, no JSON, or a run that
    /// contradicts itself. The text says what.
    #[error("the renderer's answer makes no sense: {0}")]
    Nonsense(String),
}
