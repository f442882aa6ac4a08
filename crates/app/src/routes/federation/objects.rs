//! `/objects/{hash}`: content by its hash.

use crate::http::document::{Freshness, MediaType, document, to_json};
use crate::http::problem::{Problem, ProblemDetails};
use crate::http::signed::check_reader;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, web};
use artdag_federation::{ActivityKind, vocabulary};
use artdag_kernel::ContentHash;
use artdag_registry::Registry;
use serde_json::Value;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(show_object);
}

/// Show an object by its content hash
///
/// The ActivityStreams object of the newest activity about this content.
#[utoipa::path(tag = "ActivityPub", params(
    ("hash" = String, Path, description = "SHA3-256: 64 hex digits, with or without `sha3-256:`"),
), responses(
    (status = 200, description = "The object", body = Object, content_type = "application/activity+json"),
    (status = 404, body = ProblemDetails, description = "Nobody registered this content here"),
    (status = 410, description = "Its claim was withdrawn: a Tombstone", body = Object, content_type = "application/activity+json"),
    (status = 422, body = ProblemDetails, description = "Not a content hash"),
))]
#[get("/objects/{hash}")]
async fn show_object(
    request: HttpRequest,
    registry: web::Data<Registry>,
    hash: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let hash: ContentHash = hash.parse().map_err(|error| Problem::invalid_field("hash", error))?;
    check_reader(&request, &registry).await?;
    object_response(&request, &registry, &hash).await
}

/// The object of the newest activity about this content, on its own.
pub(crate) async fn object_response(
    request: &HttpRequest,
    registry: &Registry,
    hash: &ContentHash,
) -> Result<HttpResponse, Problem> {
    let latest = registry.read().await?.find_latest_about(hash).await?;
    let latest = latest.ok_or_else(|| Problem::not_found(format_args!("registered content with the hash {hash}")))?;
    let mut activity = latest.document.parse().map_err(Problem::internal)?;
    let mut object = activity.get_mut("object").map(Value::take).unwrap_or_default();
    object["@context"] = vocabulary::activity_context(registry.site());
    let mut response = document(request, MediaType::ACTIVITY, Freshness::Revalidate, to_json(&object)?);
    if latest.kind == ActivityKind::Delete && response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::GONE;
    }
    Ok(response)
}
