//! `/users/{username}` and its collections.

use crate::http::document::{Freshness, MediaType, document, to_json};
use crate::http::list::ListQuery;
use crate::http::problem::{Problem, ProblemDetails};
use crate::http::signed::{SignedParts, check_reader, signer};
use actix_web::{HttpRequest, HttpResponse, get, web};
use artdag_auth::{DisplayName, User};
use artdag_federation::{
    FollowState, Iri, Profile, activity_page, actor_document, collection, id_page, instance_document, whole_collection,
};
use artdag_kernel::{Count, Cursor, Page, PageLimit, Position, Slice, Username};
use artdag_registry::{PublishError, Registry};
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(show_actor)
        .service(show_outbox)
        .service(show_followers)
        .service(show_following)
        .service(show_own_followers)
        .service(show_instance);
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
///
/// An `OrderedCollection`; its pages hold the ids of the followers, newest first.
#[utoipa::path(tag = "ActivityPub", params(
    ("username" = String, Path),
    ("page" = Option<bool>, Query, description = "`true`: the first page"),
    ("older" = Option<String>, Query, description = "From the `next` link of a page"),
    ("newer" = Option<String>, Query, description = "From the `prev` link of a page"),
), responses(
    (status = 200, description = "The collection, or a page of it", body = Object, content_type = "application/activity+json"),
    (status = 404, body = ProblemDetails, description = "There is no such user"),
))]
#[get("/users/{username}/followers")]
async fn show_followers(
    request: HttpRequest,
    registry: web::Data<Registry>,
    username: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    follows_of(&request, &registry, &username, Side::Followers).await
}

/// List whom an actor follows
///
/// An `OrderedCollection`; its pages hold the ids of those who are followed, newest first.
#[utoipa::path(tag = "ActivityPub", params(
    ("username" = String, Path),
    ("page" = Option<bool>, Query, description = "`true`: the first page"),
    ("older" = Option<String>, Query, description = "From the `next` link of a page"),
    ("newer" = Option<String>, Query, description = "From the `prev` link of a page"),
), responses(
    (status = 200, description = "The collection, or a page of it", body = Object, content_type = "application/activity+json"),
    (status = 404, body = ProblemDetails, description = "There is no such user"),
))]
#[get("/users/{username}/following")]
async fn show_following(
    request: HttpRequest,
    registry: web::Data<Registry>,
    username: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    follows_of(&request, &registry, &username, Side::Following).await
}

/// List the followers that the asking server has itself
///
/// FEP-8fcf: for servers that sign their requests; each sees its own actors alone.
#[utoipa::path(tag = "ActivityPub", params(("username" = String, Path)), responses(
    (status = 200, description = "The part of the collection", body = Object, content_type = "application/activity+json"),
    (status = 401, body = ProblemDetails, description = "Not signed, or not well"),
    (status = 404, body = ProblemDetails, description = "There is no such user"),
))]
#[get("/users/{username}/followers_synchronization")]
async fn show_own_followers(
    request: HttpRequest,
    registry: web::Data<Registry>,
    username: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let user = find_user(&registry, &username).await?.username;
    let asker = signer(&registry, &SignedParts::of(&request)).await?;
    let followers = registry.read().await?.followers_at(&[(&user, asker.origin())]).await?.concat();
    let id = registry.site().followers_synchronization(&user);
    let body = whole_collection(&id, followers.iter().map(Iri::as_str));
    Ok(document(&request, MediaType::ACTIVITY, Freshness::Private, to_json(&body)?))
}

/// Show the actor that stands for this server
///
/// It signs what this server asks of others.
#[utoipa::path(tag = "ActivityPub", responses(
    (status = 200, description = "The actor document", body = Object, content_type = "application/activity+json"),
))]
#[get("/actor")]
async fn show_instance(request: HttpRequest, registry: web::Data<Registry>) -> Result<HttpResponse, Problem> {
    let keys = registry.instance_keys().await.map_err(Problem::internal)?;
    let body = instance_document(registry.site(), &keys);
    Ok(document(&request, MediaType::ACTIVITY, Freshness::Revalidate, to_json(&body)?))
}

/// Which end of its follows a user is.
#[derive(Clone, Copy)]
enum Side {
    Followers,
    Following,
}

/// The collection of who is at the other end of a user's follows, or the page of it that the query asks for.
async fn follows_of(
    request: &HttpRequest,
    registry: &Registry,
    username: &str,
    side: Side,
) -> Result<HttpResponse, Problem> {
    check_reader(request, registry).await?;
    let (user, site) = (find_user(registry, username).await?.username, registry.site());
    let mut reader = registry.read().await?;
    let (id, total) = match side {
        Side::Followers => (site.followers(&user), reader.count_followers(&user).await?),
        Side::Following => (site.following(&user), reader.count_following(&user).await?),
    };
    let total = Count::Exactly(total);
    let body = match position(&ListQuery::of(request)?)? {
        None => collection(&id, total),
        Some(position) => {
            let (page, state) = (Page { limit: PageLimit::COLLECTION, position }, Some(FollowState::Accepted));
            let place = |at, id| Cursor { at, id };
            let ids = match side {
                Side::Followers => {
                    let slice = reader.list_followers(&user, state, page).await?;
                    ids(slice, |f| (place(f.created_at, f.id), f.actor))
                }
                Side::Following => {
                    let slice = reader.list_following(&user, state, page).await?;
                    ids(slice, |f| (place(f.created_at, f.id), f.actor))
                }
            };
            id_page(&id, &format!("{id}?{}", request.query_string()), total, &ids)
        }
    };
    Ok(document(request, MediaType::ACTIVITY, Freshness::Revalidate, to_json(&body)?))
}

/// The ids of what a page shows, with where each is in the list.
fn ids<T>(slice: Slice<T>, id: impl Fn(T) -> (Cursor, Iri)) -> Slice<(Cursor, Iri)> {
    let Slice { items, has_older, has_newer } = slice;
    Slice { items: items.into_iter().map(id).collect(), has_older, has_newer }
}

pub(super) async fn find_user(registry: &Registry, username: &str) -> Result<User, Problem> {
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
    check_reader(request, registry).await?;
    let position = position(&ListQuery::of(request)?)?;
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

/// Which page of a collection is asked for; `None` for the collection itself.
fn position(query: &ListQuery) -> Result<Option<Position>, Problem> {
    Ok(match (query.parse::<Cursor>("older")?, query.parse::<Cursor>("newer")?) {
        (Some(cursor), _) => Some(Position::OlderThan(cursor)),
        (None, Some(cursor)) => Some(Position::NewerThan(cursor)),
        (None, None) => query.get("page").map(|_| Position::Newest),
    })
}
