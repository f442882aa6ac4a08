//! WebFinger, host-meta, NodeInfo, and the terms of our documents.

use crate::http::document::{Freshness, MediaType, document, to_json};
use crate::http::list::ListQuery;
use crate::http::problem::{Kind, Problem, ProblemDetails};
use actix_web::{HttpRequest, HttpResponse, get, web};
use artdag_federation::{
    host_meta, instance_webfinger, nodeinfo, nodeinfo_links, vocabulary, webfinger, webfinger_subject,
};
use artdag_registry::{RegistrationPolicy, Registry};
use serde_json::json;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(find_account)
        .service(show_host_meta)
        .service(show_nodeinfo_links)
        .service(show_nodeinfo)
        .service(show_context);
}

/// Find an account (WebFinger)
#[utoipa::path(tag = "ActivityPub", params(
    ("resource" = String, Query, description = "`acct:user@domain`, or the URL of an actor"),
), responses(
    (status = 200, description = "The JSON Resource Descriptor", body = Object, content_type = "application/jrd+json"),
    (status = 400, body = ProblemDetails, description = "`resource` is missing or no account's name"),
    (status = 404, body = ProblemDetails, description = "There is no such account here"),
))]
#[get("/.well-known/webfinger")]
async fn find_account(request: HttpRequest, registry: web::Data<Registry>) -> Result<HttpResponse, Problem> {
    let query = ListQuery::of(&request).map_err(|_| malformed("the query cannot be read"))?;
    let resource = query.get("resource").ok_or_else(|| malformed("the parameter `resource` is missing"))?;
    let site = registry.site();
    if let Some(instance) = instance_webfinger(site, resource) {
        return Ok(document(&request, MediaType("application/jrd+json"), Freshness::Minutes, to_json(&instance)?));
    }
    let subject = webfinger_subject(site, resource).map_err(|error| malformed(&format!("the resource {error}")))?;
    let nobody = || Problem::not_found(format_args!("account `{resource}` here"));
    let username = subject.ok_or_else(nobody)?;
    registry.read().await?.find_user(&username).await?.ok_or_else(nobody)?;
    let body = to_json(&webfinger(site, &username))?;
    Ok(document(&request, MediaType("application/jrd+json"), Freshness::Minutes, body))
}

fn malformed(what: &str) -> Problem {
    Problem::new(Kind::Malformed, format!("Not a WebFinger query: {what}."))
}

/// Lead to WebFinger (host-meta)
#[utoipa::path(tag = "ActivityPub", responses((status = 200, description = "XRD", content_type = "application/xrd+xml", body = String)))]
#[get("/.well-known/host-meta")]
async fn show_host_meta(request: HttpRequest, registry: web::Data<Registry>) -> HttpResponse {
    document(&request, MediaType("application/xrd+xml"), Freshness::Minutes, host_meta(registry.site()))
}

/// Lead to NodeInfo
#[utoipa::path(tag = "ActivityPub", responses((status = 200, description = "Where the NodeInfo documents are", body = Object)))]
#[get("/.well-known/nodeinfo")]
async fn show_nodeinfo_links(request: HttpRequest, registry: web::Data<Registry>) -> Result<HttpResponse, Problem> {
    Ok(document(&request, MediaType::JSON, Freshness::Minutes, to_json(&nodeinfo_links(registry.site()))?))
}

/// Describe this server (NodeInfo)
#[utoipa::path(tag = "ActivityPub", params(("schema" = String, Path, description = "`2.1` or `2.0`")), responses(
    (status = 200, description = "NodeInfo", body = Object),
    (status = 404, body = ProblemDetails, description = "No such version of the schema"),
))]
#[get("/nodeinfo/{schema}")]
async fn show_nodeinfo(
    request: HttpRequest,
    registry: web::Data<Registry>,
    schema: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let media_type = match schema.as_str() {
        "2.1" => "application/json; profile=\"http://nodeinfo.diaspora.software/ns/schema/2.1#\"",
        "2.0" => "application/json; profile=\"http://nodeinfo.diaspora.software/ns/schema/2.0#\"",
        other => {
            return Err(Problem::not_found(format_args!("NodeInfo `{other}`; there are 2.1 and 2.0")));
        }
    };
    let open = registry.policy().registration == RegistrationPolicy::Open;
    let body = nodeinfo(&schema, env!("CARGO_PKG_VERSION"), open, registry.usage().await?);
    Ok(document(&request, MediaType(media_type), Freshness::Minutes, to_json(&body)?))
}

/// Show the JSON-LD context
///
/// The terms that Art DAG documents add to ActivityStreams. They are also spelled inline in each document.
#[utoipa::path(tag = "ActivityPub", responses((status = 200, description = "The context", body = Object, content_type = "application/ld+json")))]
#[get("/ns")]
async fn show_context(request: HttpRequest, registry: web::Data<Registry>) -> Result<HttpResponse, Problem> {
    let body = json!({"@context": vocabulary::terms(registry.site())});
    Ok(document(&request, MediaType("application/ld+json"), Freshness::Minutes, to_json(&body)?))
}
