//! `/federation..`: whom one follows, by whom one is followed, and what is heard from elsewhere.

use crate::http::caller::Member;
use crate::http::document::{Freshness, MediaType, document, to_json};
use crate::http::json::{Fields, JsonBody};
use crate::http::list::{ListQuery, ListTail};
use crate::http::problem::{Kind, Problem, ProblemDetails};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use artdag_federation::{DeliveryState, FollowState, Follower, Following, HeardObject, Iri, PeerError};
use artdag_kernel::{Count, Cursor, Instant, Page, PageLimit, rfc3339};
use artdag_registry::{FetchRemoteError, FollowError, HostRefused, PublishError, Registry, ShareError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(show_overview)
        .service(list_heard)
        .service(list_followers)
        .service(list_following)
        .service(follow)
        .service(unfollow)
        .service(accept_follower)
        .service(reject_follower)
        .service(share);
}

/// The caller's relations with other servers, in figures.
#[derive(Serialize, ToSchema)]
struct Overview {
    /// Whether this server speaks with others at all: `open`, `allowlist` or `off`.
    mode: &'static str,
    followers: u64,
    /// Requests to follow that wait for an answer, counted to 50; see `/federation/followers?state=pending`.
    pending_followers: u64,
    following: u64,
    /// What was not delivered yet or not at all, newest first; at most 50.
    undelivered: Vec<UndeliveredBody>,
    /// Where the rest is.
    heard_url: String,
    followers_url: String,
    following_url: String,
}

/// A delivery that has not arrived.
#[derive(Serialize, ToSchema)]
struct UndeliveredBody {
    activity: String,
    inbox: String,
    /// `waiting`: it is tried again. `failed`: it was given up.
    #[schema(example = "waiting")]
    state: &'static str,
    attempts: u32,
    error: Option<String>,
    /// When it is tried next.
    next_at: Option<String>,
}

/// Show the caller's relations with other servers
#[utoipa::path(tag = "Federation", security(("bearer" = [])), responses(
    (status = 200, body = Overview),
    (status = 401, body = ProblemDetails, description = "No token, or one that is not accepted"),
))]
#[get("/federation")]
async fn show_overview(
    request: HttpRequest,
    registry: web::Data<Registry>,
    member: Member,
) -> Result<HttpResponse, Problem> {
    let (site, user) = (registry.site(), member.username());
    let mut reader = registry.read().await?;
    let mut undelivered = Vec::new();
    for state in [DeliveryState::Waiting, DeliveryState::Failed] {
        undelivered.extend(reader.list_failing(user, state, 25).await?);
    }
    let some = Page::newest(PageLimit::DEFAULT);
    let body = Overview {
        mode: registry.policy().federation.mode.as_str(),
        followers: reader.count_followers(user).await?,
        pending_followers: reader.list_followers(user, Some(FollowState::Pending), some).await?.items.len() as u64,
        following: reader.count_following(user).await?,
        undelivered: undelivered
            .iter()
            .map(|d| UndeliveredBody {
                activity: site.activity(d.activity),
                inbox: d.inbox.to_string(),
                state: d.state.as_str(),
                attempts: d.attempts,
                error: d.last_error.clone(),
                next_at: (d.state == DeliveryState::Waiting).then(|| rfc3339(d.next_at)),
            })
            .collect(),
        heard_url: url(&registry, "heard"),
        followers_url: url(&registry, "followers"),
        following_url: url(&registry, "following"),
    };
    Ok(document(&request, MediaType::JSON, Freshness::Private, to_json(&body)?))
}

/// Something that was published elsewhere.
#[derive(Serialize, ToSchema)]
struct HeardBody {
    #[schema(example = "https://other.example/objects/2f7f")]
    object: String,
    actor: String,
    #[serde(rename = "type")]
    #[schema(example = "Image")]
    kind: String,
    /// The claimed content; `null` for a post.
    content_hash: Option<String>,
    name: Option<String>,
    /// HTML as its origin sent it; nobody has cleaned it.
    content: Option<String>,
    #[schema(value_type = Option<Object>)]
    provenance: Option<Value>,
    published: Option<String>,
    received_at: String,
    activity: String,
    /// Which signatures the activity itself carries that were found good here.
    signatures: Vec<&'static str>,
    /// Who else claims the same content.
    claims_url: Option<String>,
}

/// What was published elsewhere.
#[derive(Serialize, ToSchema)]
struct HeardList {
    /// Newest first.
    heard: Vec<HeardBody>,
    #[serde(flatten)]
    tail: ListTail,
}

/// List what those published whom the caller follows
///
/// Newest first.
#[utoipa::path(tag = "Federation", security(("bearer" = [])), params(
    ("limit" = Option<u16>, Query, description = "1 to 200; 50 when not given", minimum = 1, maximum = 200),
    ("cursor" = Option<String>, Query, description = "From the `next` link of the page before"),
), responses(
    (status = 200, body = HeardList),
    (status = 401, body = ProblemDetails, description = "No token, or one that is not accepted"),
    (status = 422, body = ProblemDetails, description = "A parameter cannot be taken"),
))]
#[get("/federation/heard")]
async fn list_heard(
    request: HttpRequest,
    registry: web::Data<Registry>,
    member: Member,
) -> Result<HttpResponse, Problem> {
    let query = ListQuery::of(&request)?;
    let page = query.page()?;
    let slice = registry.read().await?.list_heard(member.username(), page).await?;
    let count = Count::AtLeast(slice.items.len() as u64 + u64::from(slice.has_older));
    let place = |heard: &HeardObject| Cursor { at: heard.received_at, id: heard.id };
    let tail = query.tail(&url(&registry, "heard"), page, &slice, count, place);
    let heard = slice.items.iter().map(|heard| heard_body(&registry, heard)).collect();
    Ok(document(&request, MediaType::JSON, Freshness::Private, to_json(&HeardList { heard, tail })?))
}

fn heard_body(registry: &Registry, heard: &HeardObject) -> HeardBody {
    let object = &heard.object;
    HeardBody {
        object: object.id.to_string(),
        actor: object.actor.to_string(),
        kind: object.kind.clone(),
        content_hash: object.content_hash.map(|hash| hash.to_string()),
        name: object.name.clone(),
        content: object.content.clone(),
        provenance: object.provenance.as_ref().map(artdag_provenance::Provenance::to_json),
        published: object.published.map(rfc3339),
        received_at: rfc3339(heard.received_at),
        activity: heard.activity.to_string(),
        signatures: heard.evidence.names(),
        claims_url: object.content_hash.map(|hash| format!("{}/claims", registry.site().object(&hash))),
    }
}

/// One end of a follow, the other being the caller.
#[derive(Serialize, ToSchema)]
struct FollowBody {
    #[schema(example = "https://other.example/users/bob")]
    actor: String,
    /// `pending`, `accepted` or `rejected`.
    #[schema(example = "accepted")]
    state: &'static str,
    since: String,
}

/// Who follows the caller.
#[derive(Serialize, ToSchema)]
struct FollowerList {
    /// Newest first.
    followers: Vec<FollowBody>,
    #[serde(flatten)]
    tail: ListTail,
}

/// Whom the caller follows.
#[derive(Serialize, ToSchema)]
struct FollowingList {
    /// Newest first.
    following: Vec<FollowBody>,
    #[serde(flatten)]
    tail: ListTail,
}

/// List who follows the caller, or asks to
#[utoipa::path(tag = "Federation", security(("bearer" = [])), params(
    ("state" = Option<String>, Query, description = "`pending` or `accepted`"),
    ("limit" = Option<u16>, Query, description = "1 to 200; 50 when not given", minimum = 1, maximum = 200),
    ("cursor" = Option<String>, Query, description = "From the `next` link of the page before"),
), responses(
    (status = 200, body = FollowerList),
    (status = 401, body = ProblemDetails, description = "No token, or one that is not accepted"),
    (status = 422, body = ProblemDetails, description = "A parameter cannot be taken"),
))]
#[get("/federation/followers")]
async fn list_followers(
    request: HttpRequest,
    registry: web::Data<Registry>,
    member: Member,
) -> Result<HttpResponse, Problem> {
    let query = ListQuery::of(&request)?;
    let (page, state) = (query.page()?, state(&query)?);
    let mut reader = registry.read().await?;
    let slice = reader.list_followers(member.username(), state, page).await?;
    let count = Count::AtLeast(reader.count_followers(member.username()).await?);
    let place = |follower: &Follower| Cursor { at: follower.created_at, id: follower.id };
    let tail = query.tail(&url(&registry, "followers"), page, &slice, count, place);
    let body = |follower: &Follower| follow_body(&follower.actor, follower.state, follower.created_at);
    let followers = slice.items.iter().map(body).collect();
    Ok(document(&request, MediaType::JSON, Freshness::Private, to_json(&FollowerList { followers, tail })?))
}

/// List whom the caller follows, or asked to
#[utoipa::path(tag = "Federation", security(("bearer" = [])), params(
    ("state" = Option<String>, Query, description = "`pending`, `accepted` or `rejected`"),
    ("limit" = Option<u16>, Query, description = "1 to 200; 50 when not given", minimum = 1, maximum = 200),
    ("cursor" = Option<String>, Query, description = "From the `next` link of the page before"),
), responses(
    (status = 200, body = FollowingList),
    (status = 401, body = ProblemDetails, description = "No token, or one that is not accepted"),
    (status = 422, body = ProblemDetails, description = "A parameter cannot be taken"),
))]
#[get("/federation/following")]
async fn list_following(
    request: HttpRequest,
    registry: web::Data<Registry>,
    member: Member,
) -> Result<HttpResponse, Problem> {
    let query = ListQuery::of(&request)?;
    let (page, state) = (query.page()?, state(&query)?);
    let mut reader = registry.read().await?;
    let slice = reader.list_following(member.username(), state, page).await?;
    let count = Count::AtLeast(reader.count_following(member.username()).await?);
    let place = |following: &Following| Cursor { at: following.created_at, id: following.id };
    let tail = query.tail(&url(&registry, "following"), page, &slice, count, place);
    let following = slice.items.iter().map(following_body).collect();
    Ok(document(&request, MediaType::JSON, Freshness::Private, to_json(&FollowingList { following, tail })?))
}

/// Where a list of this module is.
fn url(registry: &Registry, list: &str) -> String {
    format!("{}/federation/{list}", registry.site().base())
}

fn following_body(following: &Following) -> FollowBody {
    follow_body(&following.actor, following.state, following.created_at)
}

fn follow_body(actor: &Iri, state: FollowState, since: Instant) -> FollowBody {
    FollowBody { actor: actor.to_string(), state: state.as_str(), since: rfc3339(since) }
}

fn state(query: &ListQuery) -> Result<Option<FollowState>, Problem> {
    let Some(word) = query.get("state") else { return Ok(None) };
    let state = FollowState::ALL.into_iter().find(|state| state.as_str() == word);
    let state = state.ok_or_else(|| Problem::invalid_field("state", "must be `pending`, `accepted` or `rejected`"))?;
    Ok(Some(state))
}

/// Whom: a handle or a URL.
#[derive(Deserialize, ToSchema)]
struct Whom {
    #[schema(required, example = "@bob@other.example")]
    actor: Option<String>,
}

impl Whom {
    fn text(&self) -> Result<String, Problem> {
        let mut fields = Fields::default();
        let text = fields.required("/actor", self.actor.as_ref(), |text| match text.trim() {
            "" => Err("must be a handle such as `@bob@other.example`, or the URL of an actor"),
            text => Ok(text.to_owned()),
        });
        fields.finish(text)
    }

    fn id(&self) -> Result<Iri, Problem> {
        let mut fields = Fields::default();
        let id = fields.required("/actor", self.actor.as_ref(), |text| text.trim().parse::<Iri>());
        fields.finish(id)
    }
}

/// Follow an actor elsewhere
///
/// Asks in the caller's name. `pending` until the other server answers.
#[utoipa::path(tag = "Federation", request_body = Whom, security(("bearer" = [])), responses(
    (status = 200, body = FollowBody, description = "Asked before"),
    (status = 202, body = FollowBody, description = "Asked"),
    (status = 401, body = ProblemDetails, description = "No token, or one that is not accepted"),
    (status = 403, body = ProblemDetails, description = "This server does not speak with that one"),
    (status = 422, body = ProblemDetails, description = "No handle or URL of an actor elsewhere"),
    (status = 502, body = ProblemDetails, description = "The other server cannot be reached, or has no such actor"),
))]
#[post("/federation/follow")]
async fn follow(registry: web::Data<Registry>, member: Member, body: JsonBody<Whom>) -> Result<HttpResponse, Problem> {
    let whom = body.0.text()?;
    let before = registry.now();
    let following = registry.follow(member.username(), &whom).await.map_err(refused)?;
    let is_new = following.created_at >= before;
    let mut response = if is_new { HttpResponse::Accepted() } else { HttpResponse::Ok() };
    Ok(response.insert_header((header::CACHE_CONTROL, "no-store")).json(following_body(&following)))
}

/// Follow an actor no longer
#[utoipa::path(tag = "Federation", request_body = Whom, security(("bearer" = [])), responses(
    (status = 204, description = "Done; the other server is told"),
    (status = 401, body = ProblemDetails, description = "No token, or one that is not accepted"),
    (status = 404, body = ProblemDetails, description = "The caller does not follow that actor"),
    (status = 422, body = ProblemDetails, description = "Not the URL of an actor"),
))]
#[post("/federation/unfollow")]
async fn unfollow(
    registry: web::Data<Registry>,
    member: Member,
    body: JsonBody<Whom>,
) -> Result<HttpResponse, Problem> {
    registry.unfollow(member.username(), &body.0.id()?).await.map_err(refused)?;
    Ok(HttpResponse::NoContent().finish())
}

/// Let an actor follow the caller
#[utoipa::path(tag = "Federation", request_body = Whom, security(("bearer" = [])), responses(
    (status = 204, description = "Done; the other server is told"),
    (status = 401, body = ProblemDetails, description = "No token, or one that is not accepted"),
    (status = 404, body = ProblemDetails, description = "That actor did not ask"),
    (status = 422, body = ProblemDetails, description = "Not the URL of an actor"),
))]
#[post("/federation/followers/accept")]
async fn accept_follower(
    registry: web::Data<Registry>,
    member: Member,
    body: JsonBody<Whom>,
) -> Result<HttpResponse, Problem> {
    registry.answer_follower(member.username(), &body.0.id()?, true).await.map_err(refused)?;
    Ok(HttpResponse::NoContent().finish())
}

/// Refuse a follower, or dismiss one
#[utoipa::path(tag = "Federation", request_body = Whom, security(("bearer" = [])), responses(
    (status = 204, description = "Done; the other server is told"),
    (status = 401, body = ProblemDetails, description = "No token, or one that is not accepted"),
    (status = 404, body = ProblemDetails, description = "That actor neither follows nor asked"),
    (status = 422, body = ProblemDetails, description = "Not the URL of an actor"),
))]
#[post("/federation/followers/reject")]
async fn reject_follower(
    registry: web::Data<Registry>,
    member: Member,
    body: JsonBody<Whom>,
) -> Result<HttpResponse, Problem> {
    registry.answer_follower(member.username(), &body.0.id()?, false).await.map_err(refused)?;
    Ok(HttpResponse::NoContent().finish())
}

/// What to share.
#[derive(Deserialize, ToSchema)]
struct Sharing {
    /// The id of an object that another registry's actor claims.
    #[schema(required, example = "https://other.example/objects/2f7f")]
    object: Option<String>,
}

/// Share an asset of another registry
///
/// Publishes a signed `Announce` to the caller's followers.
#[utoipa::path(tag = "Federation", request_body = Sharing, security(("bearer" = [])), responses(
    (status = 201, description = "The activity's id", body = Object),
    (status = 401, body = ProblemDetails, description = "No token, or one that is not accepted"),
    (status = 404, body = ProblemDetails, description = "Nothing is known of it here, or it was withdrawn"),
    (status = 422, body = ProblemDetails, description = "Not an id, or not one of a claim"),
))]
#[post("/federation/share")]
async fn share(
    registry: web::Data<Registry>,
    member: Member,
    body: JsonBody<Sharing>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    let object = fields.required("/object", body.0.object.as_ref(), str::parse::<Iri>);
    let object = fields.finish(object)?;
    let activity = registry.share(member.username(), &object).await.map_err(|error| match error {
        ShareError::NotFound(object) => Problem::not_found(format_args!("object {object} that is known here")),
        ShareError::NoClaim(_) => Problem::invalid_field("/object", "must be one that claims content"),
        ShareError::Publish(PublishError::Store(error)) => error.into(),
        ShareError::Publish(error) => Problem::internal(error),
    })?;
    let id = registry.site().activity(activity.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, id.clone())).json(json!({"activity": id})))
}

fn refused(error: FollowError) -> Problem {
    match error {
        FollowError::Local(actor) => {
            Problem::invalid_field("/actor", format!("must live elsewhere; {actor} lives here"))
        }
        FollowError::NotFound => Problem::not_found("such follow"),
        FollowError::Publish(PublishError::Store(error)) => error.into(),
        FollowError::Publish(error) => Problem::internal(error),
        FollowError::Remote(error) => match error {
            FetchRemoteError::Host(HostRefused::Shunned(shunned)) => Problem::new(Kind::Shunned, format!("{shunned}.")),
            FetchRemoteError::Host(HostRefused::Store(error)) => error.into(),
            FetchRemoteError::Sign(error) => Problem::internal(error),
            FetchRemoteError::Peer(PeerError::Nonsense(what)) => {
                Problem::new(Kind::PeerFailed, format!("The other server's answer is of no use: {what}."))
            }
            error => Problem::new(Kind::PeerFailed, format!("The actor cannot be had: {error}.")),
        },
    }
}
