//! `/inbox` and `/users/{username}/inbox`: where other servers send what their actors do.

use super::actors::find_user;
use crate::http::json::JsonBytes;
use crate::http::problem::{Problem, ProblemDetails};
use crate::http::signed::{SignedParts, refused};
use actix_web::{HttpRequest, HttpResponse, post, web};
use artdag_federation::http_signature::collection_synchronization::HEADER;
use artdag_registry::{InboxRequest, Registry};
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(post_to_actor).service(post_to_all);
}

/// Send an activity to an actor
///
/// For other servers. The request is signed (RFC 9421, or draft-cavage-12) by the activity's actor; FEDERATION.md of this
/// project says what is understood. What concerns nobody here is acknowledged and forgotten.
#[utoipa::path(tag = "ActivityPub", params(("username" = String, Path)), request_body(
    content = Object, content_type = "application/activity+json", description = "The activity",
), responses(
    (status = 202, description = "Taken, or known already, or of no concern"),
    (status = 400, body = ProblemDetails, description = "No activity that its actor may send"),
    (status = 401, body = ProblemDetails, description = "Not signed, or not well"),
    (status = 403, body = ProblemDetails, description = "This server does not speak with the sender's"),
    (status = 404, body = ProblemDetails, description = "There is no such user"),
    (status = 413, body = ProblemDetails, description = "More than 1 MiB"),
    (status = 415, body = ProblemDetails, description = "Not JSON"),
    (status = 429, body = ProblemDetails, description = "The sender's key cannot be had now; `Retry-After` says when to send it again"),
    (status = 503, body = ProblemDetails, description = "This server has too much to write down now; `Retry-After` says when to send it again"),
))]
#[post("/users/{username}/inbox")]
async fn post_to_actor(
    request: HttpRequest,
    registry: web::Data<Registry>,
    username: web::Path<String>,
    body: JsonBytes,
) -> Result<HttpResponse, Problem> {
    find_user(&registry, &username).await?;
    receive(&request, &registry, &body.0).await
}

/// Send an activity to everybody here
///
/// For other servers: as an actor's inbox, once for all actors of this server.
#[utoipa::path(tag = "ActivityPub", request_body(
    content = Object, content_type = "application/activity+json", description = "The activity",
), responses(
    (status = 202, description = "Taken, or known already, or of no concern"),
    (status = 400, body = ProblemDetails, description = "No activity that its actor may send"),
    (status = 401, body = ProblemDetails, description = "Not signed, or not well"),
    (status = 403, body = ProblemDetails, description = "This server does not speak with the sender's"),
    (status = 413, body = ProblemDetails, description = "More than 1 MiB"),
    (status = 415, body = ProblemDetails, description = "Not JSON"),
    (status = 429, body = ProblemDetails, description = "The sender's key cannot be had now; `Retry-After` says when to send it again"),
    (status = 503, body = ProblemDetails, description = "This server has too much to write down now; `Retry-After` says when to send it again"),
))]
#[post("/inbox")]
async fn post_to_all(
    request: HttpRequest,
    registry: web::Data<Registry>,
    body: JsonBytes,
) -> Result<HttpResponse, Problem> {
    receive(&request, &registry, &body.0).await
}

async fn receive(request: &HttpRequest, registry: &Registry, body: &[u8]) -> Result<HttpResponse, Problem> {
    let parts = SignedParts::of(request);
    let headers = parts.headers();
    let inbox = InboxRequest {
        request: parts.request(registry.site().base(), &headers),
        body,
        synchronization: parts.header(HEADER),
    };
    registry.receive(inbox).await.map_err(refused)?;
    Ok(HttpResponse::Accepted().finish())
}
