//! `/log/tile/..`: the tree and its entries, in pieces that any cache may keep.

use crate::http::document::{Freshness, MediaType, document};
use crate::http::problem::{Problem, ProblemDetails};
use actix_web::{HttpRequest, HttpResponse, get, web};
use artdag_anchoring::log::TilePath;
use artdag_registry::Registry;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(show_entries).service(show_tile);
}

/// Show entries of the log
///
/// Up to 256, each with its length in two bytes before it: the SHA-256 of an activity's canonical bytes.
#[utoipa::path(tag = "Log", params(
    ("place" = String, Path, description = "Which: `000`, `x001/234`, or `000.p/17` for the first 17 of one that is not full"),
), responses(
    (status = 200, description = "The entries", body = Vec<u8>, content_type = "application/octet-stream"),
    (status = 404, body = ProblemDetails, description = "The log is not that long, or has no such tile"),
))]
#[get("/log/tile/entries/{place:.*}")]
async fn show_entries(
    request: HttpRequest,
    registry: web::Data<Registry>,
    place: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    show(&request, &registry, &format!("entries/{place}")).await
}

/// Show a tile of the log's tree
///
/// Up to 256 hashes of 32 bytes: leaves at level 0, above it the roots of full tiles of the level below.
#[utoipa::path(tag = "Log", params(
    ("level" = u8, Path, description = "0 to 7"),
    ("place" = String, Path, description = "Which: `000`, `x001/234`, or `000.p/17` for the first 17 of one that is not full"),
), responses(
    (status = 200, description = "The hashes", body = Vec<u8>, content_type = "application/octet-stream"),
    (status = 404, body = ProblemDetails, description = "The log is not that long, or has no such tile"),
))]
#[get("/log/tile/{level}/{place:.*}")]
async fn show_tile(
    request: HttpRequest,
    registry: web::Data<Registry>,
    place: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    show(&request, &registry, &format!("{}/{}", place.0, place.1)).await
}

async fn show(request: &HttpRequest, registry: &Registry, path: &str) -> Result<HttpResponse, Problem> {
    let missing = || Problem::not_found(format_args!("tile `{path}` of the log"));
    let tile: TilePath = path.parse().map_err(|_| missing())?;
    let mut reader = registry.read().await?;
    let bytes = match tile {
        TilePath::Hashes(tile) => reader.load_tiles(&[tile]).await?.bytes(tile).ok(),
        TilePath::Entries(bundle) => reader.find_bundle(bundle).await?.map(|bundle| bundle.to_bytes()),
    };
    let bytes = bytes.ok_or_else(missing)?;
    // One that is not full will be found under another name when it has grown.
    Ok(document(request, MediaType::BYTES, Freshness::Immutable, bytes))
}
