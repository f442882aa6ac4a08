//! `/anchors/verify/{ref}`: how an activity stands with Bitcoin, looked up anew.

use super::body::{BlockBody, public_source, status_word};
use crate::http::document::{Freshness, MediaType, document, to_json};
use crate::http::problem::{Problem, ProblemDetails};
use crate::routes::federation::activities::find_activity;
use actix_web::{HttpRequest, HttpResponse, get, web};
use artdag_anchoring::Digest;
use artdag_kernel::rfc3339;
use artdag_registry::Registry;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(verify_activity);
}

/// How an activity stands with Bitcoin.
#[derive(Serialize, ToSchema)]
struct Verification {
    /// The last segment of its id.
    activity_id: String,
    /// Its id.
    activity: String,
    /// Its place in the log; `null` for some milliseconds after publication.
    activity_index: Option<u64>,
    /// SHA-256 of its canonical bytes.
    entry: String,
    /// `unanchored`, `pending`, `confirmed` or `failed`.
    status: &'static str,
    /// The root of the anchor by which it is proven best: the first that is confirmed, or else the first.
    merkle_root: Option<String>,
    /// The size of that tree.
    tree_size: Option<u64>,
    /// The siblings on the way to the root, the leaf's first.
    inclusion_proof: Option<Vec<String>>,
    /// Which of Bitcoin's networks.
    network: &'static str,
    #[serde(flatten)]
    block: Option<BlockBody>,
    /// On whose word: `pow-chain`, `node`, `explorers k/n`; `null` when nobody could be asked.
    assurance: Option<String>,
    /// How many blocks stand on the proof, its own included.
    confirmations: Option<u32>,
    /// Who showed the block, in words.
    source: Option<String>,
    /// When the block was looked up: just now, unless no source of headers answered.
    verified_at: Option<String>,
    /// Where the proof for the standard tools is.
    proof: Option<String>,
}

/// Verify an activity's age
///
/// Recomputes the path from its bytes to the anchor's root, and looks up the block that the anchor's proof names. The
/// answer is no better than `assurance` says: to trust nobody, take `proof.ots` and verify it yourself.
#[utoipa::path(tag = "Anchors", params(
    ("reference" = String, Path, description = "All digits: the index; else the last segment of the id"),
), responses(
    (status = 200, body = Verification),
    (status = 404, body = ProblemDetails, description = "There is no such activity"),
))]
#[get("/anchors/verify/{reference}")]
async fn verify_activity(
    request: HttpRequest,
    registry: web::Data<Registry>,
    reference: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let activity = find_activity(&registry, &reference).await?;
    let found = registry.verify_anchored(&activity).await?;
    let found = found.as_ref();
    let evidence = found.and_then(|found| found.evidence.as_ref());
    let id = registry.site().activity(activity.id);
    let body = Verification {
        activity_id: activity.id.to_string(),
        proof: found.map(|_| format!("{id}/proof.ots")),
        activity: id,
        activity_index: activity.index,
        entry: Digest::of(activity.document.as_str().as_bytes()).to_string(),
        status: found.map_or("unanchored", |found| status_word(found.state)),
        merkle_root: found.map(|found| found.anchor.root.to_string()),
        tree_size: found.map(|found| found.anchor.tree_size),
        inclusion_proof: found.map(|found| found.inclusion.hashes().iter().map(Digest::to_string).collect()),
        network: registry.bitcoin_network().as_str(),
        block: evidence.map(BlockBody::of),
        assurance: evidence.map(|evidence| evidence.assurance.to_string()),
        confirmations: evidence.and_then(|evidence| evidence.confirmations),
        source: evidence.map(public_source),
        verified_at: found.and_then(|found| found.verified_at).map(rfc3339),
    };
    Ok(document(&request, MediaType::JSON, Freshness::Revalidate, to_json(&body)?))
}
