//! `POST /assets`: claims.

use super::asset_body::AssetBody;
use crate::http::caller::Member;
use crate::http::json::{Fields, JsonBody};
use crate::http::problem::{Kind, Problem, ProblemDetails};
use actix_web::http::header;
use actix_web::{HttpResponse, post, web};
use artdag_assets::{Asset, AssetType, Details, Metadata, NewAsset, Tag, Tags, parse_cid};
use artdag_federation::Site;
use artdag_kernel::ContentHash;
use artdag_provenance::Provenance;
use artdag_registry::{PublishError, RegisterAssetError, RegisteredAsset, Registry};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(register_asset);
}

/// A claim. `asset_name` and `output_name` are read as `name`; `output_hash`, or a `cid` that is a SHA3-256
/// hash, as `content_hash`.
#[derive(Deserialize, ToSchema)]
struct Claim {
    /// 1 to 255 characters, without `/`.
    #[schema(required, example = "my-video")]
    name: Option<String>,
    #[schema(ignore)]
    asset_name: Option<String>,
    #[schema(ignore)]
    output_name: Option<String>,
    /// SHA3-256 of the content: 64 hex digits, with or without `sha3-256:`.
    #[schema(required, example = "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a")]
    content_hash: Option<String>,
    #[schema(ignore)]
    output_hash: Option<String>,
    /// The same content on IPFS.
    cid: Option<String>,
    /// `image`, `video`, `audio`, `effect`, `infrastructure`, or anything else.
    #[schema(required, example = "video")]
    asset_type: Option<String>,
    #[schema(example = json!(["art", "generated"]))]
    tags: Option<Vec<String>>,
    description: Option<String>,
    url: Option<String>,
    /// Up to 64 KiB of whatever else is to be kept with it.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
    /// `inputs` (content hashes), `recipe`, `l1_server`, `run_id`, and whatever else is known.
    #[schema(value_type = Option<Object>)]
    provenance: Option<Value>,
}

/// Register an asset
///
/// Claims content by its hash, and publishes the claim as a signed `Create` activity. Making the identical
/// claim again answers 200 with the asset that is there.
#[utoipa::path(tag = "Assets", request_body = Claim, security(("bearer" = [])), responses(
    (status = 201, body = AssetBody, description = "Registered", headers(("Location" = String, description = "The asset"))),
    (status = 200, body = AssetBody, description = "The same owner had made the identical claim"),
    (status = 401, body = ProblemDetails, description = "No token, or one that is not accepted"),
    (status = 409, body = ProblemDetails, description = "The name is taken, or the content is claimed already"),
    (status = 413, body = ProblemDetails, description = "The body is over 1 MiB"),
    (status = 422, body = ProblemDetails, description = "A field is missing or cannot be taken"),
))]
#[post("/assets")]
async fn register_asset(
    registry: web::Data<Registry>,
    member: Member,
    body: JsonBody<Claim>,
) -> Result<HttpResponse, Problem> {
    let new = new_asset(body.0)?;
    let site = registry.site();
    let outcome = registry.register_asset(member.username(), new).await.map_err(|error| refused(site, error))?;
    registered(&registry, &outcome).await
}

/// 201 for what is new, 200 for what was there.
pub(super) async fn registered(registry: &Registry, outcome: &RegisteredAsset) -> Result<HttpResponse, Problem> {
    let mut response = if outcome.is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(response
        .insert_header((header::LOCATION, registry.site().asset(outcome.asset.name.as_str())))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(AssetBody::read(registry, &outcome.asset).await?))
}

fn new_asset(claim: Claim) -> Result<NewAsset, Problem> {
    let mut fields = Fields::default();
    let name = claim.name.or(claim.asset_name).or(claim.output_name);
    let name = fields.required("/name", name.as_ref(), str::parse);
    // A hash under the name `cid` is the content hash, unless that is told as well.
    let (hash, cid) = match claim.content_hash.or(claim.output_hash) {
        Some(hash) => (Some(hash), claim.cid.filter(|cid| cid.parse::<ContentHash>().is_err())),
        None => (claim.cid, None),
    };
    let content_hash = fields.required("/content_hash", hash.as_ref(), str::parse);
    let cid = fields.optional("/cid", cid.as_ref(), parse_cid);
    let provenance = match Provenance::from_json(&claim.provenance.unwrap_or(Value::Null)) {
        Ok(provenance) => Some(provenance),
        Err(error) => {
            fields.push(&format!("/provenance{}", error.pointer), error.message);
            None
        }
    };
    let asset_type = fields.required("/asset_type", claim.asset_type.as_ref(), str::parse::<AssetType>);
    let details = asset_type.map(|asset_type| Details {
        asset_type,
        description: fields.optional("/description", given(claim.description).as_ref(), str::parse),
        tags: tags(&mut fields, claim.tags.unwrap_or_default()).unwrap_or_default(),
        url: fields.optional("/url", given(claim.url).as_ref(), str::parse),
        metadata: metadata(&mut fields, claim.metadata),
    });
    let all = name.zip(content_hash).zip(provenance).zip(details);
    fields.finish(all.map(|(((name, content_hash), provenance), details)| NewAsset {
        name,
        content_hash,
        cid,
        provenance,
        details,
    }))
}

/// An empty text is none: forms send it for what was left out.
pub(super) fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// `null` is none.
pub(super) fn metadata(fields: &mut Fields, value: Option<Value>) -> Option<Metadata> {
    fields.take("/metadata", Metadata::try_from(value?))
}

pub(super) fn tags(fields: &mut Fields, texts: Vec<String>) -> Option<Tags> {
    let mut tags = Vec::with_capacity(texts.len());
    for (n, text) in texts.iter().enumerate() {
        tags.extend(fields.take(&format!("/tags/{n}"), text.parse::<Tag>()));
    }
    fields.take("/tags", Tags::new(tags))
}

pub(super) fn refused(site: &Site, error: RegisterAssetError) -> Problem {
    let existing = |kind, detail: String, asset: &Asset| {
        Problem::new(kind, detail)
            .with("existing", serde_json::to_value(AssetBody::of(site, asset)).unwrap_or_default())
    };
    match error {
        RegisterAssetError::NameTaken(asset) => {
            let detail = format!(
                "The name `{}` is taken by an asset of {}; choose another name.",
                asset.name,
                site.handle(&asset.owner)
            );
            existing(Kind::Taken, detail, &asset)
        }
        RegisterAssetError::HashClaimed(asset) => {
            let detail = format!("This content is registered as `{}` by {}.", asset.name, site.handle(&asset.owner));
            existing(Kind::Claimed, detail, &asset)
        }
        RegisterAssetError::Reserved(tombstone) => {
            let owner = site.handle(&tombstone.owner);
            let detail = format!(
                "The asset `{}` was deleted by {owner}; its name and its content stay reserved for {owner}.",
                tombstone.name
            );
            Problem::new(Kind::Reserved, detail).with("existing", super::asset_body::tombstone_body(site, &tombstone))
        }
        RegisterAssetError::OwnInput => Problem::invalid_field("/provenance/inputs", "must not name the asset itself"),
        RegisterAssetError::Contended => Problem::new(
            Kind::Contended,
            "The name or the content changed hands while it was being registered. Try again.",
        ),
        RegisterAssetError::Publish(error) => unpublished(error),
    }
}

/// Why nothing was published.
pub(super) fn unpublished(error: PublishError) -> Problem {
    match error {
        PublishError::Store(error) => error.into(),
        error => Problem::internal(error),
    }
}
