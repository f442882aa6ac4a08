//! Anchors: the log's way into Bitcoin, and the proofs that come of it. Hashes are in hex here, as in the tools of
//! OpenTimestamps and Bitcoin.

mod body;
mod bundle;
mod list;
mod proofs;
mod rounds;
mod verify;

use crate::http::problem::{Kind, Problem};
use artdag_anchoring::{Anchor, Digest};
use artdag_registry::{AnchorError, Reader};
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) use body::AnchorStatus;
pub(crate) use list::{answer_list, read_page};

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .configure(rounds::configure)
        .configure(verify::configure)
        .configure(proofs::configure)
        .configure(bundle::configure)
        .configure(list::configure);
}

/// The anchor of the root in a path.
async fn find_anchor(reader: &mut (dyn Reader + '_), root: &str) -> Result<Anchor, Problem> {
    let not_there = || Problem::not_found(format_args!("anchor of the root `{root}`"));
    let digest = parse_root(root)?;
    reader.find_anchor(&digest).await?.ok_or_else(not_there)
}

fn parse_root(root: &str) -> Result<Digest, Problem> {
    root.parse().map_err(|error| {
        Problem::new(Kind::NotFound, format!("There is no anchor of that root: a Merkle root {error}."))
    })
}

impl From<AnchorError> for Problem {
    fn from(error: AnchorError) -> Self {
        match error {
            AnchorError::NoCalendars => Self::new(
                Kind::AnchoringOff,
                "The operator of this server has set no calendars (OTS_CALENDARS), so nothing is stamped.",
            ),
            AnchorError::Store(error) => error.into(),
            AnchorError::Log(error) => error.into(),
            error => Self::internal(error),
        }
    }
}
