//! `PATCH` and `DELETE /assets/{name}`: what an owner may do to an asset.

use super::asset_body::{AssetBody, entity_tag, revision_in, tombstone_body};
use super::assets::parse_name;
use super::register_asset::{tags, unpublished};
use crate::http::caller::Member;
use crate::http::document::to_json;
use crate::http::json::{Fields, JsonBody, present};
use crate::http::problem::{Kind, Problem, ProblemDetails};
use actix_web::http::header::{self, ETag, EntityTag, Header, IfMatch};
use actix_web::{HttpRequest, HttpResponse, delete, patch, web};
use artdag_assets::{DetailsPatch, Metadata};
use artdag_federation::Site;
use artdag_registry::{DeleteAssetError, EditAsset, EditAssetError, Registry};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(change_asset).service(delete_asset);
}

/// A change of details: members that are absent stay as they are, `null` clears one.
#[derive(Deserialize, ToSchema)]
struct Change {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// All the tags that it is to have.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    tags: Option<Option<Vec<String>>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    url: Option<Option<String>>,
    /// All the metadata that it is to have.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Object>)]
    metadata: Option<Option<Value>>,
    asset_type: Option<String>,
    #[schema(ignore)]
    name: Option<Value>,
    #[schema(ignore)]
    content_hash: Option<Value>,
    #[schema(ignore)]
    cid: Option<Value>,
    #[schema(ignore)]
    owner: Option<Value>,
    #[schema(ignore)]
    provenance: Option<Value>,
}

/// Change an asset's details
///
/// For its owner. Publishes a signed `Update`. Name, hash, owner and provenance never change.
#[utoipa::path(tag = "Assets", request_body = Change, security(("bearer" = [])), params(
    ("name" = String, Path, description = "The asset's name"),
    ("If-Match" = Option<String>, Header, description = "Only if this is still the asset's ETag"),
), responses(
    (status = 200, body = AssetBody),
    (status = 403, body = ProblemDetails, description = "It belongs to somebody else"),
    (status = 404, body = ProblemDetails, description = "There is no such asset"),
    (status = 410, body = ProblemDetails, description = "It was deleted"),
    (status = 412, body = ProblemDetails, description = "It has changed since it was read (`If-Match`)"),
    (status = 422, body = ProblemDetails, description = "A field cannot be taken, or never changes"),
))]
#[patch("/assets/{name}")]
async fn change_asset(
    request: HttpRequest,
    registry: web::Data<Registry>,
    member: Member,
    name: web::Path<String>,
    body: JsonBody<Change>,
) -> Result<HttpResponse, Problem> {
    let edit = EditAsset { name: parse_name(&name)?, patch: details_patch(body.0)?, if_revision: if_match(&request)? };
    let site = registry.site();
    let asset = registry.edit_asset(member.username(), &edit).await.map_err(|error| refused(site, &name, error))?;
    let body = to_json(&AssetBody::read(&registry, &asset).await?)?;
    let tag = ETag(EntityTag::new_strong(entity_tag(&asset, &body)));
    Ok(HttpResponse::Ok().insert_header(tag).content_type("application/json").body(body))
}

/// Delete an asset
///
/// For its owner. Publishes a signed `Delete` and leaves a tombstone; the name and the content stay reserved
/// for the owner. Refused while other assets name it as an input.
#[utoipa::path(tag = "Assets", security(("bearer" = [])), params(
    ("name" = String, Path, description = "The asset's name"),
    ("If-Match" = Option<String>, Header, description = "Only if this is still the asset's ETag"),
), responses(
    (status = 200, description = "Deleted; the body is the tombstone", body = Object),
    (status = 403, body = ProblemDetails, description = "It belongs to somebody else"),
    (status = 404, body = ProblemDetails, description = "There is no such asset"),
    (status = 409, body = ProblemDetails, description = "Other assets were made from it"),
    (status = 410, body = ProblemDetails, description = "It was deleted before"),
    (status = 412, body = ProblemDetails, description = "It has changed since it was read (`If-Match`)"),
))]
#[delete("/assets/{name}")]
async fn delete_asset(
    request: HttpRequest,
    registry: web::Data<Registry>,
    member: Member,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let parsed = parse_name(&name)?;
    let site = registry.site();
    let deleted = registry.delete_asset(member.username(), &parsed, if_match(&request)?).await;
    let tombstone = deleted.map_err(|error| match error {
        DeleteAssetError::InUse(names) => {
            let list = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let detail =
                format!("`{parsed}` is an input of {list}. Assets that others were made from cannot be deleted.");
            Problem::new(Kind::InUse, detail).with("used_by", names.iter().map(|n| Value::from(n.as_str())).collect())
        }
        DeleteAssetError::Edit(error) => refused(site, &name, error),
    })?;
    Ok(HttpResponse::Ok().json(tombstone_body(site, &tombstone)))
}

/// The revision that `If-Match` asks for; none when it is absent or `*`.
fn if_match(request: &HttpRequest) -> Result<Option<u32>, Problem> {
    if !request.headers().contains_key(header::IF_MATCH) {
        return Ok(None);
    }
    let changed =
        || Problem::new(Kind::Changed, "`If-Match` names no state of this asset; read it again and use its `ETag`.");
    match IfMatch::parse(request) {
        Ok(IfMatch::Any) => Ok(None),
        Ok(IfMatch::Items(tags)) => match tags.as_slice() {
            [tag] if !tag.weak => revision_in(tag.tag()).map(Some).ok_or_else(changed),
            _ => Err(changed()),
        },
        Err(_) => {
            Err(Problem::new(Kind::Malformed, "The header `If-Match` cannot be read; use an `ETag` as it was given."))
        }
    }
}

fn details_patch(change: Change) -> Result<DetailsPatch, Problem> {
    let mut fields = Fields::default();
    let fixed = [
        ("/name", change.name.is_some()),
        ("/content_hash", change.content_hash.is_some()),
        ("/cid", change.cid.is_some()),
        ("/owner", change.owner.is_some()),
        ("/provenance", change.provenance.is_some()),
    ];
    for (field, _) in fixed.iter().filter(|(_, given)| *given) {
        fields.push(field, "cannot be changed once it is registered");
    }
    let patch = DetailsPatch {
        asset_type: fields.optional("/asset_type", change.asset_type.as_ref(), str::parse),
        description: change.description.map(|text| fields.optional("/description", text.as_ref(), str::parse)),
        tags: change.tags.map(|texts| tags(&mut fields, texts.unwrap_or_default()).unwrap_or_default()),
        url: change.url.map(|text| fields.optional("/url", text.as_ref(), str::parse)),
        metadata: change.metadata.map(|value| fields.take("/metadata", Metadata::try_from(value?))),
    };
    fields.finish(Some(patch))
}

fn refused(site: &Site, name: &str, error: EditAssetError) -> Problem {
    match error {
        EditAssetError::NotFound => Problem::not_found(format_args!("asset named `{name}`")),
        EditAssetError::Gone(tombstone) => Problem::new(Kind::Gone, format!("The asset `{name}` was deleted."))
            .with("tombstone", tombstone_body(site, &tombstone)),
        EditAssetError::NotOwner(owner) => Problem::new(
            Kind::Forbidden,
            format!("The asset `{name}` belongs to {}; only its owner may change it.", site.handle(&owner)),
        ),
        EditAssetError::Changed => {
            Problem::new(Kind::Changed, "The asset has changed since you read it. Read it again and decide anew.")
        }
        EditAssetError::Publish(error) => unpublished(error),
    }
}
