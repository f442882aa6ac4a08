//! The transparency log, in the spellings of C2SP's `tlog-tiles`, `tlog-checkpoint`, `tlog-proof` and `tlog-witness`.

mod checkpoint;
pub(crate) mod proofs;
mod tiles;
mod witness;

use crate::http::problem::{Kind, Problem};
use artdag_anchoring::{KeptCheckpoint, LogReads};
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .configure(checkpoint::configure)
        .configure(tiles::configure)
        .configure(proofs::configure)
        .configure(witness::configure);
}

/// The newest checkpoint; 404 while there is none.
async fn newest_checkpoint(reader: &mut (dyn LogReads + '_)) -> Result<KeptCheckpoint, Problem> {
    let newest = reader.newest_checkpoint().await?;
    newest.ok_or_else(|| {
        Problem::new(
            Kind::NotFound,
            "The log is empty, or its first checkpoint is not signed yet; try again in a second.",
        )
    })
}
