//! `GET /assets/{name}/provenance`: what an asset was made from, and what was made from it.

use super::assets::parse_name;
use crate::http::document::{Freshness, MediaType, tagged_document};
use crate::http::list::ListQuery;
use crate::http::problem::{Problem, ProblemDetails};
use actix_web::{HttpRequest, HttpResponse, get, web};
use artdag_assets::Registered;
use artdag_provenance::{ExportContext, ProvFormat};
use artdag_registry::Registry;
use sha2::{Digest, Sha256};
use utoipa_actix_web::service_config::ServiceConfig;

/// Steps either way when the client does not say.
const DEFAULT_DEPTH: u16 = 10;
/// Steps either way at most.
const MAX_DEPTH: u16 = 100;
/// How many nodes are told at most.
const MAX_NODES: u32 = 2000;
/// How many can still be drawn so that somebody sees anything.
const MAX_DRAWN: u32 = 500;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(show_lineage);
}

/// Show an asset's lineage
///
/// The graph of what it was made from and what was made from it.
#[utoipa::path(tag = "Assets", params(
    ("name" = String, Path, description = "The asset's name"),
    ("depth" = Option<u16>, Query, description = "Steps either way; 10 when not given", minimum = 0, maximum = 100),
    ("format" = Option<String>, Query, description = "`json`, `prov-json`, `prov-n`, `jsonld`, `ro-crate`, `dot` or `svg`"),
), responses(
    (status = 200, description = "The graph; `json` has `nodes` and `edges`", body = Object),
    (status = 404, body = ProblemDetails, description = "There is no such asset"),
    (status = 422, body = ProblemDetails, description = "A parameter cannot be taken"),
))]
#[get("/assets/{name}/provenance")]
async fn show_lineage(
    request: HttpRequest,
    registry: web::Data<Registry>,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let query = ListQuery::of(&request)?;
    let depth = match query.get("depth") {
        None => DEFAULT_DEPTH,
        Some(text) => text
            .parse()
            .ok()
            .filter(|depth| *depth <= MAX_DEPTH)
            .ok_or_else(|| Problem::invalid_field("depth", "must be a number from 0 to 100"))?,
    };
    let format: ProvFormat = query.parse("format")?.unwrap_or(ProvFormat::Json);
    let name = parse_name(&name)?;
    let mut reader = registry.read().await?;
    let hash = match reader.find_asset(&name).await? {
        None => return Err(Problem::not_found(format_args!("asset named `{name}`"))),
        Some(Registered::Live(asset)) => asset.content_hash,
        // What was made from it still stands.
        Some(Registered::Deleted(tombstone)) => tombstone.content_hash,
    };
    let max_nodes = if format == ProvFormat::Svg { MAX_DRAWN } else { MAX_NODES };
    let lineage = reader.lineage(&hash, depth, max_nodes).await?;
    let context = ExportContext::new(registry.site().base(), registry.now());
    // Some forms tell when they were made, which changes nothing.
    let graph = ProvFormat::Json.export(&lineage, &context);
    let tag = format!("{format}-{}", hex::encode(&Sha256::digest(graph.as_bytes())[..12]));
    let body = format.export(&lineage, &context).into_bytes();
    let mut response = tagged_document(&request, MediaType(format.media_type()), Freshness::Revalidate, &tag, body);
    if format == ProvFormat::Svg {
        // A picture that is opened on its own must not run anything.
        response.headers_mut().insert(
            actix_web::http::header::CONTENT_SECURITY_POLICY,
            actix_web::http::header::HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'"),
        );
    }
    Ok(response)
}
