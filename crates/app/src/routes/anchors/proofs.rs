//! `/anchors/{merkle_root}/proof.ots`, `/anchors/{merkle_root}/checkpoint`, `/activities/{ref}/proof.ots`: proofs for
//! the standard tools of OpenTimestamps.

use super::find_anchor;
use crate::http::document::{Freshness, MediaType, document};
use crate::http::problem::{Kind, Problem, ProblemDetails};
use crate::routes::federation::activities::find_activity;
use actix_web::{HttpRequest, HttpResponse, get, web};
use artdag_anchoring::ots::DetachedTimestamp;
use artdag_anchoring::{Anchor, AnchorState, Digest};
use artdag_registry::{Registry, activity_proof, checkpoint_proof, prove_by_anchor, root_proof};
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(show_activity_ots).service(show_root_ots).service(show_checkpoint_ots).service(show_checkpoint);
}

/// Show an activity's timestamp
///
/// An OpenTimestamps proof for the bytes of `canonical.json`: save both beside each other, and the official client
/// verifies them with `ots verify canonical.json.ots`. While the anchor is pending the proof names the calendars that
/// will know more.
#[utoipa::path(tag = "Anchors", params(
    ("reference" = String, Path, description = "All digits: the index; else the last segment of the id"),
), responses(
    (status = 200, description = "The proof", body = Vec<u8>, content_type = "application/vnd.opentimestamps.v1"),
    (status = 404, body = ProblemDetails, description = "There is no such activity, or it is not stamped yet"),
))]
#[get("/activities/{reference}/proof.ots")]
async fn show_activity_ots(
    request: HttpRequest,
    registry: web::Data<Registry>,
    reference: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let activity = find_activity(&registry, &reference).await?;
    let network = Some(registry.bitcoin_network());
    let proven = prove_by_anchor(registry.read().await?.as_mut(), &activity, network).await?;
    let Some((anchor, inclusion)) = proven else {
        let detail = format!("Activity `{}` is in no anchor yet; anchors are made at their time.", activity.id);
        return Err(Problem::new(Kind::NotFound, detail));
    };
    let entry = Digest::of(activity.document.as_str().as_bytes());
    ots(&request, &anchor, activity_proof(&anchor, &inclusion, entry)?)
}

/// Show an anchor's timestamp
///
/// An OpenTimestamps proof of the root: `ots verify -d <merkle_root> proof.ots`.
#[utoipa::path(tag = "Anchors", params(("merkle_root" = String, Path, description = "The root, in hex")), responses(
    (status = 200, description = "The proof", body = Vec<u8>, content_type = "application/vnd.opentimestamps.v1"),
    (status = 404, body = ProblemDetails, description = "There is no such anchor, or no calendar has answered yet"),
))]
#[get("/anchors/{merkle_root}/proof.ots")]
async fn show_root_ots(
    request: HttpRequest,
    registry: web::Data<Registry>,
    root: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let anchor = find_anchor(registry.read().await?.as_mut(), &root).await?;
    ots(&request, &anchor, root_proof(&anchor)?)
}

/// Show the timestamp of an anchor's checkpoint
///
/// An OpenTimestamps proof for the bytes of `checkpoint`.
#[utoipa::path(tag = "Anchors", params(("merkle_root" = String, Path, description = "The root, in hex")), responses(
    (status = 200, description = "The proof", body = Vec<u8>, content_type = "application/vnd.opentimestamps.v1"),
    (status = 404, body = ProblemDetails, description = "There is no such anchor, or no calendar has answered yet"),
))]
#[get("/anchors/{merkle_root}/checkpoint.ots")]
async fn show_checkpoint_ots(
    request: HttpRequest,
    registry: web::Data<Registry>,
    root: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let anchor = find_anchor(registry.read().await?.as_mut(), &root).await?;
    ots(&request, &anchor, checkpoint_proof(&anchor)?)
}

/// Show an anchor's checkpoint
///
/// The text that was stamped beside the root: the signed note of that size, without its signatures.
#[utoipa::path(tag = "Anchors", params(("merkle_root" = String, Path, description = "The root, in hex")), responses(
    (status = 200, description = "The text", body = String, content_type = "text/plain"),
    (status = 404, body = ProblemDetails, description = "There is no such anchor"),
))]
#[get("/anchors/{merkle_root}/checkpoint")]
async fn show_checkpoint(
    request: HttpRequest,
    registry: web::Data<Registry>,
    root: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let mut reader = registry.read().await?;
    let anchor = find_anchor(reader.as_mut(), &root).await?;
    let kept = reader.find_checkpoint(anchor.tree_size).await?;
    let kept = kept.ok_or_else(|| Problem::internal("an anchor's checkpoint is not stored"))?;
    Ok(document(&request, MediaType::TEXT, Freshness::Immutable, kept.signed.note().text()))
}

fn ots(request: &HttpRequest, anchor: &Anchor, proof: Option<DetachedTimestamp>) -> Result<HttpResponse, Problem> {
    let Some(proof) = proof else {
        let detail = "No calendar has answered for this anchor yet. They are asked again by themselves.";
        return Err(Problem::new(Kind::NotFound, detail));
    };
    // What is confirmed stays, unless the chain is reorganised deeper than ever.
    let freshness = if anchor.state == AnchorState::Confirmed { Freshness::Minutes } else { Freshness::Revalidate };
    Ok(document(request, MediaType::OTS, freshness, proof.to_bytes().map_err(Problem::internal)?))
}
