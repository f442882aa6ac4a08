//! `POST /assets/publish-cache`: content that a renderer holds.

use super::register_asset::{given, metadata, refused, registered, tags};
use super::runs::renderer_failed;
use crate::http::caller::{Caller, unknown_renderer};
use crate::http::json::{Fields, JsonBody};
use crate::http::problem::{Problem, ProblemDetails};
use actix_web::{HttpResponse, post, web};
use artdag_assets::{AssetType, Details, NewAsset};
use artdag_kernel::ServerUrl;
use artdag_provenance::Provenance;
use artdag_registry::{PublishCacheError, Registry};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(publish_cache);
}

/// Cached content to register. `cid` and `output_hash` are read as `content_hash`; `l1_url` as `l1_server`;
/// `asset_name` and `output_name` as `name`.
#[derive(Deserialize, ToSchema)]
struct CacheItem {
    #[schema(required, example = "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a")]
    content_hash: Option<String>,
    #[schema(ignore)]
    cid: Option<String>,
    #[schema(ignore)]
    output_hash: Option<String>,
    /// The renderer that holds it.
    #[schema(required, example = "https://l1.example")]
    l1_server: Option<String>,
    #[schema(ignore)]
    l1_url: Option<String>,
    #[schema(required, example = "my-asset")]
    name: Option<String>,
    #[schema(ignore)]
    asset_name: Option<String>,
    #[schema(ignore)]
    output_name: Option<String>,
    #[schema(required, example = "video")]
    asset_type: Option<String>,
    tags: Option<Vec<String>>,
    description: Option<String>,
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
}

/// Register what a renderer has in its cache
///
/// Asks the renderer whether it has the content, then registers it for the caller.
#[utoipa::path(tag = "Assets", request_body = CacheItem, security(("bearer" = [])), responses(
    (status = 201, body = super::asset_body::AssetBody, description = "Registered", headers(("Location" = String, description = "The asset"))),
    (status = 200, body = super::asset_body::AssetBody, description = "The same owner had made the identical claim"),
    (status = 403, body = ProblemDetails, description = "No renderer of this registry, or a token for another"),
    (status = 404, body = ProblemDetails, description = "The renderer does not have the content"),
    (status = 409, body = ProblemDetails, description = "The name is taken, or the content is claimed already"),
    (status = 422, body = ProblemDetails, description = "A field is missing or cannot be taken"),
    (status = 502, body = ProblemDetails, description = "The renderer gave no usable answer"),
    (status = 504, body = ProblemDetails, description = "The renderer did not answer in time"),
))]
#[post("/assets/publish-cache")]
async fn publish_cache(
    registry: web::Data<Registry>,
    caller: Caller,
    body: JsonBody<CacheItem>,
) -> Result<HttpResponse, Problem> {
    let (l1_server, new) = cache_item(body.0)?;
    caller.may_speak_for(&l1_server)?;
    let hash = new.content_hash;
    let published = registry.publish_cache(&caller.0.username, &l1_server, new).await.map_err(|error| match error {
        PublishCacheError::UnknownRenderer(url) => unknown_renderer(&url),
        PublishCacheError::NotCached => Problem::not_found(format_args!("content {hash} on {l1_server}")),
        PublishCacheError::Renderer(error) => renderer_failed(l1_server.as_str(), "content", error),
        PublishCacheError::Register(error) => refused(registry.site(), error),
    })?;
    registered(&registry, &published).await
}

fn cache_item(item: CacheItem) -> Result<(ServerUrl, NewAsset), Problem> {
    let mut fields = Fields::default();
    let hash = item.content_hash.or(item.output_hash).or(item.cid);
    let content_hash = fields.required("/content_hash", hash.as_ref(), str::parse);
    let l1_server = fields.required("/l1_server", item.l1_server.or(item.l1_url).as_ref(), str::parse::<ServerUrl>);
    let name = item.name.or(item.asset_name).or(item.output_name);
    let name = fields.required("/name", name.as_ref(), str::parse);
    let asset_type = fields.required("/asset_type", item.asset_type.as_ref(), str::parse::<AssetType>);
    let details = asset_type.map(|asset_type| Details {
        asset_type,
        description: fields.optional("/description", given(item.description).as_ref(), str::parse),
        tags: tags(&mut fields, item.tags.unwrap_or_default()).unwrap_or_default(),
        url: None,
        metadata: metadata(&mut fields, item.metadata),
    });
    let provenance = l1_server.as_ref().and_then(|url| {
        let claimed = Provenance::from_json(&json!({"l1_server": url.as_str()}));
        fields.take("/l1_server", claimed)
    });
    let all = content_hash.zip(l1_server).zip(name).zip(details).zip(provenance);
    fields.finish(all.map(|((((content_hash, l1_server), name), details), provenance)| {
        (l1_server, NewAsset { name, content_hash, cid: None, provenance, details })
    }))
}
