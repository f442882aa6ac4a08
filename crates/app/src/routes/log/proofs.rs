//! `/log/proof`, `/log/consistency`, `/activities/{ref}/proof.json`, `/activities/{ref}/receipt`: proofs, ready made.

use super::newest_checkpoint;
use crate::http::document::{Freshness, MediaType, document, to_json};
use crate::http::list::ListQuery;
use crate::http::problem::{Kind, Problem, ProblemDetails};
use crate::routes::federation::activities::find_activity;
use actix_web::{HttpRequest, HttpResponse, get, web};
use artdag_anchoring::checkpoint::{Receipt, SignedCheckpoint};
use artdag_anchoring::log::InclusionProof;
use artdag_anchoring::{Digest, LogReads};
use artdag_federation::Activity;
use artdag_registry::{Registry, prove_consistency, prove_inclusion, tree_root};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(show_inclusion).service(show_consistency).service(show_proof).service(show_receipt);
}

/// That an entry is in the log. All hashes are SHA-256 in base64.
#[derive(Serialize, ToSchema)]
struct InclusionBody {
    /// The entry's place.
    index: u64,
    /// The size of the tree that has the root.
    tree_size: u64,
    root: String,
    /// The siblings on the way to the root, the leaf's first.
    inclusion_proof: Vec<String>,
    /// The signed note of this size; `null` if none was signed of exactly this size.
    checkpoint: Option<String>,
}

/// That the log only grew. All hashes are SHA-256 in base64.
#[derive(Serialize, ToSchema)]
struct ConsistencyBody {
    from: u64,
    to: u64,
    from_root: String,
    root: String,
    /// As RFC 6962 orders them.
    consistency_proof: Vec<String>,
    /// The signed note of the larger size; `null` if none was signed of exactly this size.
    checkpoint: Option<String>,
}

/// That an activity is in the log. All hashes are SHA-256 in base64.
#[derive(Serialize, ToSchema)]
struct ActivityProofBody {
    /// The activity's id.
    activity: String,
    /// Where the bytes are whose SHA-256 is the entry.
    canonical: String,
    entry: String,
    #[serde(flatten)]
    inclusion: InclusionBody,
}

/// Prove that the log has an entry
///
/// At any size that a checkpoint speaks for, that is up to the newest one's.
#[utoipa::path(tag = "Log", params(
    ("index" = u64, Query, description = "The entry's place, from 0"),
    ("size" = Option<u64>, Query, description = "The size of the tree; the newest checkpoint's when not given"),
), responses(
    (status = 200, body = InclusionBody),
    (status = 404, body = ProblemDetails, description = "No checkpoint speaks for that many entries"),
    (status = 422, body = ProblemDetails, description = "A parameter cannot be taken"),
))]
#[get("/log/proof")]
async fn show_inclusion(request: HttpRequest, registry: web::Data<Registry>) -> Result<HttpResponse, Problem> {
    let query = ListQuery::of(&request)?;
    let index = required(&query, "index")?;
    let size: Option<u64> = query.number("size")?;
    let mut reader = registry.read().await?;
    let newest = newest_checkpoint(reader.as_mut()).await?.signed.checkpoint().size();
    let size = size.unwrap_or(newest);
    check_size(size, newest)?;
    if index >= size {
        return Err(match query.get("size") {
            Some(_) => Problem::invalid_field("index", format_args!("must be below the size, {size}")),
            None => beyond(index, newest),
        });
    }
    let proof = prove_inclusion(reader.as_mut(), index, size).await?;
    let root = tree_root(reader.as_mut(), size).await?;
    let checkpoint = note_of(reader.as_mut(), size).await?;
    json(&request, &inclusion_body(&proof, root, checkpoint))
}

/// Prove that the log only grew
///
/// Between any two sizes that checkpoints speak for.
#[utoipa::path(tag = "Log", params(
    ("from" = u64, Query, description = "The smaller size"),
    ("to" = Option<u64>, Query, description = "The larger size; the newest checkpoint's when not given"),
), responses(
    (status = 200, body = ConsistencyBody),
    (status = 404, body = ProblemDetails, description = "No checkpoint speaks for that many entries"),
    (status = 422, body = ProblemDetails, description = "A parameter cannot be taken"),
))]
#[get("/log/consistency")]
async fn show_consistency(request: HttpRequest, registry: web::Data<Registry>) -> Result<HttpResponse, Problem> {
    let query = ListQuery::of(&request)?;
    let from = required(&query, "from")?;
    let to: Option<u64> = query.number("to")?;
    let mut reader = registry.read().await?;
    let newest = newest_checkpoint(reader.as_mut()).await?.signed.checkpoint().size();
    let to = to.unwrap_or(newest);
    check_size(from, newest)?;
    check_size(to, newest)?;
    if from > to {
        return Err(Problem::invalid_field("from", format_args!("must not be above `to`, {to}")));
    }
    let proof = prove_consistency(reader.as_mut(), from, to).await?;
    let body = ConsistencyBody {
        from,
        to,
        from_root: tree_root(reader.as_mut(), from).await?.to_base64(),
        root: tree_root(reader.as_mut(), to).await?.to_base64(),
        consistency_proof: base64(proof.hashes()),
        checkpoint: note_of(reader.as_mut(), to).await?,
    };
    json(&request, &body)
}

/// Prove that the log has an activity
///
/// Up to the newest checkpoint, which is part of the answer.
#[utoipa::path(tag = "Log", params(
    ("reference" = String, Path, description = "All digits: the index; else the last segment of the id"),
), responses(
    (status = 200, body = ActivityProofBody),
    (status = 404, body = ProblemDetails, description = "There is no such activity, or no checkpoint speaks for it yet"),
))]
#[get("/activities/{reference}/proof.json")]
async fn show_proof(
    request: HttpRequest,
    registry: web::Data<Registry>,
    reference: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let activity = find_activity(&registry, &reference).await?;
    let (proof, signed) = prove(&registry, &activity).await?;
    let id = registry.site().activity(activity.id);
    let body = ActivityProofBody {
        canonical: format!("{id}/canonical.json"),
        activity: id,
        entry: Digest::of(activity.document.as_str().as_bytes()).to_base64(),
        inclusion: inclusion_body(&proof, signed.checkpoint().root(), Some(signed.to_string())),
    };
    json(&request, &body)
}

/// Show an activity's receipt
///
/// The same proof and checkpoint as one text, a `tlog-proof@v1` of C2SP, which can be kept and checked without this
/// server.
#[utoipa::path(tag = "Log", params(
    ("reference" = String, Path, description = "All digits: the index; else the last segment of the id"),
), responses(
    (status = 200, description = "The receipt", body = String, content_type = "text/plain"),
    (status = 404, body = ProblemDetails, description = "There is no such activity, or no checkpoint speaks for it yet"),
))]
#[get("/activities/{reference}/receipt")]
async fn show_receipt(
    request: HttpRequest,
    registry: web::Data<Registry>,
    reference: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let activity = find_activity(&registry, &reference).await?;
    let (proof, signed) = prove(&registry, &activity).await?;
    let receipt = Receipt::new(proof, signed).map_err(Problem::internal)?;
    Ok(document(&request, MediaType::TEXT, Freshness::Revalidate, receipt.to_string()))
}

/// Up to the newest checkpoint.
pub(crate) async fn prove(
    registry: &Registry,
    activity: &Activity,
) -> Result<(InclusionProof, SignedCheckpoint), Problem> {
    let Some(index) = activity.index else {
        let detail = format!("Activity `{}` has no place in the log yet; try again in a second.", activity.id);
        return Err(Problem::new(Kind::NotFound, detail));
    };
    let mut reader = registry.read().await?;
    let signed = newest_checkpoint(reader.as_mut()).await?.signed;
    let size = signed.checkpoint().size();
    if index >= size {
        return Err(beyond(index, size));
    }
    Ok((prove_inclusion(reader.as_mut(), index, size).await?, signed))
}

fn inclusion_body(proof: &InclusionProof, root: Digest, checkpoint: Option<String>) -> InclusionBody {
    InclusionBody {
        index: proof.index(),
        tree_size: proof.size(),
        root: root.to_base64(),
        inclusion_proof: base64(proof.hashes()),
        checkpoint,
    }
}

async fn note_of(reader: &mut (dyn LogReads + '_), size: u64) -> Result<Option<String>, Problem> {
    Ok(reader.find_checkpoint(size).await?.map(|kept| kept.signed.to_string()))
}

fn check_size(size: u64, newest: u64) -> Result<(), Problem> {
    if size <= newest {
        return Ok(());
    }
    let detail = format!("The newest checkpoint speaks for {newest} entries, not for {size}; try again in a second.");
    Err(Problem::new(Kind::NotFound, detail))
}

fn beyond(index: u64, newest: u64) -> Problem {
    let detail = format!(
        "The newest checkpoint speaks for {newest} entries, not for the one at {index}; try again in a second."
    );
    Problem::new(Kind::NotFound, detail)
}

fn required(query: &ListQuery, name: &str) -> Result<u64, Problem> {
    query.number(name)?.ok_or_else(|| Problem::invalid_field(name, "is missing"))
}

fn base64(hashes: &[Digest]) -> Vec<String> {
    hashes.iter().map(Digest::to_base64).collect()
}

fn json(request: &HttpRequest, body: &impl Serialize) -> Result<HttpResponse, Problem> {
    Ok(document(request, MediaType::JSON, Freshness::Revalidate, to_json(body)?))
}
