//! `/activities`, `/activities/{ref}`, `/activity/{index}`: the signed claims.

use super::actors::activities_of;
use crate::http::document::{Freshness, MediaType, document, to_json};
use crate::http::list::{ListQuery, ListTail};
use crate::http::negotiation::{Form, preferred_form};
use crate::http::problem::{Problem, ProblemDetails};
use crate::http::signed::check_reader;
use actix_web::{HttpRequest, HttpResponse, get, web};
use artdag_federation::Activity;
use artdag_kernel::{Count, Cursor};
use artdag_registry::Registry;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(list_activities).service(show_canonical).service(show_activity).service(show_activity_at);
}

/// An activity in a list. The signed bytes are at `canonical`.
#[derive(Serialize, ToSchema)]
struct ActivityBody {
    #[schema(example = "https://art.example/activities/01990000-0000-7000-8000-000000000000")]
    id: String,
    /// Its place in the log; `null` for some milliseconds after publication.
    index: Option<u64>,
    #[serde(rename = "type")]
    #[schema(example = "Create")]
    kind: String,
    actor: Value,
    published: Value,
    #[schema(value_type = Object)]
    object: Value,
    /// Where the exact signed bytes are.
    canonical: String,
}

/// A page of activities.
#[derive(Serialize, ToSchema)]
struct ActivityList {
    /// Newest first.
    activities: Vec<ActivityBody>,
    #[serde(flatten)]
    tail: ListTail,
}

/// List activities
///
/// Newest first. As JSON, or as an `OrderedCollection` for `Accept: application/activity+json`.
#[utoipa::path(tag = "ActivityPub", params(
    ("limit" = Option<u16>, Query, description = "1 to 200; 50 when not given", minimum = 1, maximum = 200),
    ("cursor" = Option<String>, Query, description = "From the `next` link of the page before"),
    ("offset" = Option<u32>, Query, description = "How many to pass over; at most 10000"),
    ("page" = Option<u32>, Query, description = "Counts pages from 1, to a depth of 10000 activities"),
), responses(
    (status = 200, body = ActivityList),
    (status = 422, body = ProblemDetails, description = "A parameter cannot be taken"),
))]
#[get("/activities")]
async fn list_activities(request: HttpRequest, registry: web::Data<Registry>) -> Result<HttpResponse, Problem> {
    check_reader(&request, &registry).await?;
    let site = registry.site();
    let url = format!("{}/activities", site.base());
    if preferred_form(&request) == Form::ActivityJson {
        return activities_of(&request, &registry, &url, None).await;
    }
    let query = ListQuery::of(&request)?;
    let page = query.page()?;
    let mut reader = registry.read().await?;
    let slice = reader.list_activities(None, page).await?;
    let count = Count::Exactly(reader.count_activities(None).await?);
    let place = |activity: &Activity| Cursor { at: activity.published_at, id: activity.id.as_uuid() };
    let tail = query.tail(&url, page, &slice, count, place);
    let bodies = slice.items.iter().map(|activity| activity_body(&registry, activity));
    let body = ActivityList { activities: bodies.collect::<Result<_, _>>()?, tail };
    Ok(document(&request, MediaType::JSON, Freshness::Revalidate, to_json(&body)?))
}

fn activity_body(registry: &Registry, activity: &Activity) -> Result<ActivityBody, Problem> {
    let mut document = activity.document.parse().map_err(Problem::internal)?;
    let mut take = |member: &str| document.get_mut(member).map(Value::take).unwrap_or_default();
    let id = registry.site().activity(activity.id);
    Ok(ActivityBody {
        canonical: format!("{id}/canonical.json"),
        id,
        index: activity.index,
        kind: activity.kind.to_string(),
        actor: take("actor"),
        published: take("published"),
        object: take("object"),
    })
}

/// Show an activity
///
/// The signed activity, by the last segment of its id or by its index in the log.
#[utoipa::path(tag = "ActivityPub", params(
    ("reference" = String, Path, description = "All digits: the index; else the last segment of the id"),
), responses(
    (status = 200, description = "The signed activity", body = Object, content_type = "application/activity+json"),
    (status = 404, body = ProblemDetails, description = "There is no such activity"),
))]
#[get("/activities/{reference}")]
async fn show_activity(
    request: HttpRequest,
    registry: web::Data<Registry>,
    reference: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    check_reader(&request, &registry).await?;
    let activity = find_activity(&registry, &reference).await?;
    Ok(document(&request, MediaType::ACTIVITY, freshness(&registry), activity.document.as_str()))
}

/// Show an activity by its index
#[utoipa::path(tag = "ActivityPub", params(("index" = u64, Path, description = "Its place in the log, from 0")), responses(
    (status = 200, description = "The signed activity", body = Object, content_type = "application/activity+json"),
    (status = 404, body = ProblemDetails, description = "The log is not that long"),
))]
#[get("/activity/{index}")]
async fn show_activity_at(
    request: HttpRequest,
    registry: web::Data<Registry>,
    index: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    check_reader(&request, &registry).await?;
    let activity = find_activity(&registry, &index).await?;
    Ok(document(&request, MediaType::ACTIVITY, freshness(&registry), activity.document.as_str()))
}

/// Show the signed bytes of an activity
///
/// Exactly the bytes that were signed and that the log commits to: RFC 8785 canonical JSON with both signatures.
#[utoipa::path(tag = "ActivityPub", params(
    ("reference" = String, Path, description = "All digits: the index; else the last segment of the id"),
), responses(
    (status = 200, description = "The bytes", body = Object),
    (status = 404, body = ProblemDetails, description = "There is no such activity"),
))]
#[get("/activities/{reference}/canonical.json")]
async fn show_canonical(
    request: HttpRequest,
    registry: web::Data<Registry>,
    reference: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let activity = find_activity(&registry, &reference).await?;
    // An id names these bytes for ever. An index does so for as long as this log lives, which ends with a database
    // that is restored from an older backup.
    let freshness = if is_index(&reference) { Freshness::Minutes } else { Freshness::Immutable };
    Ok(document(&request, MediaType::JSON, freshness, activity.document.as_str()))
}

/// What is not for everybody is not for caches either.
fn freshness(registry: &Registry) -> Freshness {
    if registry.policy().federation.authorized_fetch { Freshness::Private } else { Freshness::Minutes }
}

fn is_index(reference: &str) -> bool {
    !reference.is_empty() && reference.bytes().all(|b| b.is_ascii_digit())
}

/// By its index, or by the last segment of its id.
pub(crate) async fn find_activity(registry: &Registry, reference: &str) -> Result<Activity, Problem> {
    let mut reader = registry.read().await?;
    let found = if is_index(reference) {
        match reference.parse() {
            Ok(index) => reader.find_activity_at(index).await?,
            Err(_) => None,
        }
    } else {
        match reference.parse() {
            Ok(id) => reader.find_activity(id).await?,
            Err(_) => None,
        }
    };
    found.ok_or_else(|| Problem::not_found(format_args!("activity `{reference}`")))
}
