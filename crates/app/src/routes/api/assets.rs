//! `GET /assets`, `GET /assets/{name}`: what is registered.

use super::asset_body::{AssetBody, entity_tag, tombstone_body};
use crate::http::document::{Freshness, MediaType, document, tagged_document, to_json};
use crate::http::list::{ListQuery, ListTail};
use crate::http::negotiation::{Form, preferred_form};
use crate::http::problem::{Kind, Problem, ProblemDetails};
use crate::routes::federation::objects::object_response;
use actix_web::{HttpRequest, HttpResponse, get, web};
use artdag_assets::{Asset, AssetFilter, AssetName, Registered, SearchWords};
use artdag_kernel::Cursor;
use artdag_registry::Registry;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(list_assets).service(show_asset);
}

/// A page of assets.
#[derive(Serialize, ToSchema)]
struct AssetList {
    /// Newest first.
    assets: Vec<AssetBody>,
    #[serde(flatten)]
    tail: ListTail,
}

/// List assets
///
/// Newest first. Conditions narrow the list; all given must hold.
#[utoipa::path(tag = "Assets", params(
    ("owner" = Option<String>, Query, description = "A username or handle"),
    ("asset_type" = Option<String>, Query, description = "The type, exactly"),
    ("tag" = Option<Vec<String>>, Query, description = "A tag, in any case; may be repeated"),
    ("content_hash" = Option<String>, Query, description = "The content"),
    ("run_id" = Option<String>, Query, description = "The renderer's run that made it"),
    ("q" = Option<String>, Query, description = "Words in name, description and tags; each matches the beginning of a word"),
    ("limit" = Option<u16>, Query, description = "1 to 200; 50 when not given", minimum = 1, maximum = 200),
    ("cursor" = Option<String>, Query, description = "From the `next` link of the page before"),
    ("offset" = Option<u32>, Query, description = "How many to pass over; at most 10000"),
    ("page" = Option<u32>, Query, description = "Counts pages from 1, to a depth of 10000 assets"),
), responses(
    (status = 200, body = AssetList),
    (status = 422, body = ProblemDetails, description = "A parameter cannot be taken"),
))]
#[get("/assets")]
async fn list_assets(request: HttpRequest, registry: web::Data<Registry>) -> Result<HttpResponse, Problem> {
    let query = ListQuery::of(&request)?;
    let filter = filter(&registry, &query)?;
    let page = query.page()?;
    let mut reader = registry.read().await?;
    let slice = reader.list_assets(&filter, page).await?;
    let count = reader.count_assets(&filter).await?;
    let site = registry.site();
    let place = |asset: &Asset| Cursor { at: asset.created_at, id: asset.id.as_uuid() };
    let tail = query.tail(&format!("{}/assets", site.base()), page, &slice, count, place);
    let assets = AssetBody::read_all(&registry, reader.as_mut(), &slice.items).await?;
    let body = AssetList { assets, tail };
    Ok(document(&request, MediaType::JSON, Freshness::Revalidate, to_json(&body)?))
}

/// Show an asset
///
/// As JSON, or as its ActivityStreams object for `Accept: application/activity+json`.
#[utoipa::path(tag = "Assets", params(("name" = String, Path, description = "The asset's name")), responses(
    (status = 200, body = AssetBody),
    (status = 304, description = "It has not changed since (`If-None-Match`)"),
    (status = 404, body = ProblemDetails, description = "There is no such asset"),
    (status = 410, body = ProblemDetails, description = "It was deleted; `tombstone` tells when"),
))]
#[get("/assets/{name}")]
async fn show_asset(
    request: HttpRequest,
    registry: web::Data<Registry>,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let asset = find_live_asset(&registry, &name).await?;
    if preferred_form(&request) == Form::ActivityJson {
        return object_response(&request, &registry, &asset.content_hash).await;
    }
    let body = to_json(&AssetBody::read(&registry, &asset).await?)?;
    let tag = entity_tag(&asset, &body);
    Ok(tagged_document(&request, MediaType::JSON, Freshness::Revalidate, &tag, body))
}

/// The asset of that name, if there is one that was not deleted.
pub(crate) async fn find_live_asset(registry: &Registry, name: &str) -> Result<Asset, Problem> {
    let name = parse_name(name)?;
    let site = registry.site();
    match registry.read().await?.find_asset(&name).await? {
        None => Err(Problem::not_found(format_args!("asset named `{name}`"))),
        Some(Registered::Deleted(tombstone)) => {
            let detail = format!("The asset `{name}` was deleted by {}.", site.handle(&tombstone.owner));
            Err(Problem::new(Kind::Gone, detail).with("tombstone", tombstone_body(site, &tombstone)))
        }
        Some(Registered::Live(asset)) => Ok(*asset),
    }
}

/// No asset has a name that cannot be one.
pub(super) fn parse_name(text: &str) -> Result<AssetName, Problem> {
    text.parse().map_err(|error| {
        Problem::new(Kind::NotFound, format!("There is no asset of that name: an asset's name {error}."))
    })
}

fn filter(registry: &Registry, query: &ListQuery) -> Result<AssetFilter, Problem> {
    let owner = query.get("owner").map(|text| {
        let own_domain = format!("@{}", registry.site().domain());
        let text = text.strip_suffix(&own_domain).unwrap_or(text);
        text.trim_start_matches('@').parse().map_err(|error| Problem::invalid_field("owner", error))
    });
    let tags = query.all("tag").map(|text| text.parse().map_err(|error| Problem::invalid_field("tag", error)));
    Ok(AssetFilter {
        owner: owner.transpose()?,
        asset_type: query.parse("asset_type")?,
        tags: tags.collect::<Result<_, _>>()?,
        content_hash: query.parse("content_hash")?,
        run_id: query.parse("run_id")?,
        words: query.get("q").map(SearchWords::of).filter(|words| !words.as_slice().is_empty()),
    })
}
