//! `/log/checkpoint`, `/log/key`: what the log says of itself, and how to check that it does.

use super::newest_checkpoint;
use crate::http::document::{Freshness, MediaType, document};
use crate::http::problem::{Problem, ProblemDetails};
use actix_web::{HttpRequest, HttpResponse, get, web};
use artdag_registry::Registry;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(show_checkpoint).service(show_key);
}

/// Show the newest checkpoint
///
/// A signed note: the log's origin, its size, the root of its tree in base64, and the signatures: the log's own, then
/// those of its witnesses, which follow some seconds later.
#[utoipa::path(tag = "Log", responses(
    (status = 200, description = "The note", body = String, content_type = "text/plain"),
    (status = 404, body = ProblemDetails, description = "Nothing is in the log yet"),
))]
#[get("/log/checkpoint")]
async fn show_checkpoint(request: HttpRequest, registry: web::Data<Registry>) -> Result<HttpResponse, Problem> {
    let newest = newest_checkpoint(registry.read().await?.as_mut()).await?;
    Ok(document(&request, MediaType::TEXT, Freshness::Revalidate, newest.signed.to_string()))
}

/// Show the log's key
///
/// What its checkpoints are checked with, as `name+id+key`. Keep it: asked for together with what it is to check, it
/// proves nothing.
#[utoipa::path(tag = "Log", responses(
    (status = 200, description = "The key", body = String, content_type = "text/plain"),
))]
#[get("/log/key")]
async fn show_key(request: HttpRequest, registry: web::Data<Registry>) -> Result<HttpResponse, Problem> {
    let key = registry.log_key().await?;
    Ok(document(&request, MediaType::TEXT, Freshness::Revalidate, format!("{key}\n")))
}
