//! `/users/{username}` and its collections.

use crate::http::document::{Freshness, MediaType, document, to_json};
use crate::http::list::ListQuery;
use crate::http::problem::{Problem, ProblemDetails};
use actix_web::{HttpRequest, HttpResponse, get, web};
use artdag_auth::{DisplayName, User};
use artdag_federation::{Profile, activity_page, actor_document, collection, empty_collection};
use artdag_kernel::{Count, Cursor, Page, PageLimit, Position, Username};
use artdag_registry::{PublishError, Registry};
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(show_actor).service(show_outbox).service(show_followers).service(show_following);
}

/// Show an actor
#[utoipa::path(tag = "ActivityPub", params(("username" = String, Path)), responses(
    (status = 200, description = "The actor document", body = Object, content_type = "application/activity+json"),
    (status = 404, body = ProblemDetails, description = "There is no such user"),
))]
#[get("/users/{username}")]
async fn show_actor(
    request: HttpRequest,
    registry: web::Data<Registry>,
    username: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let user = find_user(&registry, &username).await?;
    let signer = registry.keys().signer(&user.username).await.map_err(Problem::internal)?;
    let signer = signer.ok_or_else(|| Problem::internal(PublishError::NoKeys(user.username.clone())))?;
    let profile = Profile {
        username: &user.username,
        display_name: user.display_name.as_ref().map(DisplayName::as_str),
        created_at: user.created_at,
    };
    let body = actor_document(registry.site(), profile, signer.public_keys());
    Ok(document(&request, MediaType::ACTIVITY, Freshness::Revalidate, to_json(&body)?))
}

/// List what an actor published
///
/// An `OrderedCollection`; its pages hold the signed activities themselves, newest first.
#[utoipa::path(tag = "ActivityPub", params(
    ("username" = String, Path),
    ("page" = Option<bool>, Query, description = "`true`: the first page"),
    ("older" = Option<String>, Query, description = "From the `next` link of a page"),
    ("newer" = Option<String>, Query, description = "From the `prev` link of a page"),
), responses(
    (status = 200, description = "The collection, or a page of it", body = Object, content_type = "application/activity+json"),
    (status = 404, body = ProblemDetails, description = "There is no such user"),
))]
#[get("/users/{username}/outbox")]
async fn show_outbox(
    request: HttpRequest,
    registry: web::Data<Registry>,
    username: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let user = find_user(&registry, &username).await?;
    let id = registry.site().outbox(&user.username);
    activities_of(&request, &registry, &id, Some(&user.username)).await
}

/// List who follows an actor
#[utoipa::path(tag = "ActivityPub", params(("username" = String, Path)), responses(
    (status = 200, description = "The collection", body = Object, content_type = "application/activity+json"),
    (status = 404, body = ProblemDetails, description = "There is no such user"),
))]
#[get("/users/{username}/followers")]
async fn show_followers(
    request: HttpRequest,
    registry: web::Data<Registry>,
    username: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let user = find_user(&registry, &username).await?;
    let body = empty_collection(&registry.site().followers(&user.username));
    Ok(document(&request, MediaType::ACTIVITY, Freshness::Revalidate, to_json(&body)?))
}

/// List whom an actor follows
#[utoipa::path(tag = "ActivityPub", params(("username" = String, Path)), responses(
    (status = 200, description = "The collection", body = Object, content_type = "application/activity+json"),
    (status = 404, body = ProblemDetails, description = "There is no such user"),
))]
#[get("/users/{username}/following")]
async fn show_following(
    request: HttpRequest,
    registry: web::Data<Registry>,
    username: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let user = find_user(&registry, &username).await?;
    let body = empty_collection(&format!("{}/following", registry.site().actor(&user.username)));
    Ok(document(&request, MediaType::ACTIVITY, Freshness::Revalidate, to_json(&body)?))
}

async fn find_user(registry: &Registry, username: &str) -> Result<User, Problem> {
    let nobody = || Problem::not_found(format_args!("user `{username}`"));
    let username: Username = username.parse().map_err(|_| nobody())?;
    registry.read().await?.find_user(&username).await?.ok_or_else(nobody)
}

/// A collection of activities under this id, or the page of it that the query asks for.
pub(super) async fn activities_of(
    request: &HttpRequest,
    registry: &Registry,
    id: &str,
    actor: Option<&Username>,
) -> Result<HttpResponse, Problem> {
    let query = ListQuery::of(request)?;
    let position = match (query.parse::<Cursor>("older")?, query.parse::<Cursor>("newer")?) {
        (Some(cursor), _) => Some(Position::OlderThan(cursor)),
        (None, Some(cursor)) => Some(Position::NewerThan(cursor)),
        (None, None) => query.get("page").map(|_| Position::Newest),
    };
    let mut reader = registry.read().await?;
    let total = Count::Exactly(reader.count_activities(actor).await?);
    let body = match position {
        None => to_json(&collection(id, total))?,
        Some(position) => {
            let page = Page { limit: PageLimit::COLLECTION, position };
            let activities = reader.list_activities(actor, page).await?;
            let page_id = format!("{id}?{}", request.query_string());
            to_json(&activity_page(id, &page_id, total, &activities).map_err(Problem::internal)?)?
        }
    };
    Ok(document(request, MediaType::ACTIVITY, Freshness::Revalidate, body))
}
