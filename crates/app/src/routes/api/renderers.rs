//! `/renderers..`: connections to L1 servers.

use crate::http::caller::{Member, refused_token, unknown_renderer};
use crate::http::document::{Freshness, MediaType, document, to_json};
use crate::http::json::{Fields, JsonOrForm};
use crate::http::list::{ListQuery, ListTail};
use crate::http::problem::{Problem, ProblemDetails};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use artdag_kernel::{Count, Position, ServerUrl, rfc3339};
use artdag_registry::{AttachRendererError, AuthenticateError, Registry};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(list_renderers).service(attach_renderer).service(detach_renderer);
}

/// A renderer, and whether the caller is attached to it.
#[derive(Serialize, ToSchema)]
struct RendererBody {
    #[schema(example = "https://l1.example")]
    l1_server: String,
    attached: bool,
    attached_at: Option<String>,
    /// Whether the operator still has it on the list.
    on_offer: bool,
    /// Where a browser goes to attach it; `null` when it is not on offer.
    attach_url: Option<String>,
}

/// The renderers attached and on offer.
#[derive(Serialize, ToSchema)]
struct RendererList {
    renderers: Vec<RendererBody>,
    #[serde(flatten)]
    tail: ListTail,
}

/// List renderers
///
/// Those the caller is attached to, and those on offer.
#[utoipa::path(tag = "Renderers", security(("bearer" = [])), params(
    ("limit" = Option<u16>, Query, description = "1 to 200; 50 when not given", minimum = 1, maximum = 200),
    ("offset" = Option<u32>, Query, description = "From the `next` link of the page before: how many to pass over"),
), responses(
    (status = 200, body = RendererList),
    (status = 401, body = ProblemDetails, description = "No token, or one that is not accepted"),
    (status = 422, body = ProblemDetails, description = "A parameter cannot be taken"),
))]
#[get("/renderers")]
async fn list_renderers(
    request: HttpRequest,
    registry: web::Data<Registry>,
    member: Member,
) -> Result<HttpResponse, Problem> {
    let page = ListQuery::of(&request)?.page()?;
    let offset = match page.position {
        Position::Offset(offset) => offset as usize,
        Position::Newest => 0,
        // The list is no timeline, and gives no cursors.
        Position::OlderThan(_) | Position::NewerThan(_) => {
            return Err(Problem::invalid_field("cursor", "is none of this list"));
        }
    };
    let attachments = registry.read().await?.list_attachments(member.username()).await?;
    let offered = &registry.policy().l1_servers;
    let attached = attachments.iter().map(|a| (&a.l1_server, Some(rfc3339(a.attached_at))));
    let free = offered.iter().filter(|url| !attachments.iter().any(|a| a.l1_server == **url)).map(|url| (url, None));
    let body = |(url, attached_at): (&ServerUrl, Option<String>)| {
        let on_offer = offered.contains(url);
        let query: String = url::form_urlencoded::byte_serialize(url.as_str().as_bytes()).collect();
        RendererBody {
            l1_server: url.to_string(),
            attached: attached_at.is_some(),
            attached_at,
            on_offer,
            attach_url: on_offer.then(|| format!("{}/renderers/attach?l1_url={query}", registry.site().base())),
        }
    };
    let all: Vec<_> = attached.chain(free).collect();
    let (total, limit) = (all.len(), usize::from(page.limit.get()));
    let end = offset + limit;
    let next = (end < total).then(|| format!("{}/renderers?limit={limit}&offset={end}", registry.site().base()));
    let body = RendererList {
        renderers: all.into_iter().skip(offset).take(limit).map(body).collect(),
        tail: ListTail::new(page, next, Count::Exactly(total as u64)),
    };
    Ok(document(&request, MediaType::JSON, Freshness::Private, to_json(&body)?))
}

/// Attach a renderer
///
/// Makes a token that is good for this renderer alone, and sends the browser there with it.
#[utoipa::path(tag = "Renderers", security(("bearer" = [])), params(
    ("l1_url" = String, Query, description = "The renderer's URL; `l1_server` is read as well"),
), responses(
    (status = 303, description = "To the renderer's `/auth` with the token", headers(("Location" = String))),
    (status = 401, body = ProblemDetails, description = "No token, or one that is not accepted"),
    (status = 403, body = ProblemDetails, description = "The server is no renderer of this registry"),
    (status = 422, body = ProblemDetails, description = "`l1_url` is missing or no URL"),
))]
#[get("/renderers/attach")]
async fn attach_renderer(
    request: HttpRequest,
    registry: web::Data<Registry>,
    member: Member,
) -> Result<HttpResponse, Problem> {
    let query = ListQuery::of(&request)?;
    let text = query.get("l1_url").or(query.get("l1_server"));
    let text = text.ok_or_else(|| Problem::invalid_field("l1_url", "is missing"))?;
    let l1_server: ServerUrl = text.parse().map_err(|error| Problem::invalid_field("l1_url", error))?;
    let token = registry.attach_renderer(&member.0, &l1_server).await.map_err(|error| match error {
        AttachRendererError::UnknownRenderer(url) => unknown_renderer(&url),
        AttachRendererError::Revoked => refused_token(AuthenticateError::Revoked),
        AttachRendererError::Store(error) => error.into(),
    })?;
    Ok(HttpResponse::SeeOther()
        .insert_header((header::LOCATION, format!("{l1_server}/auth?auth_token={}", token.reveal())))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .finish())
}

/// Which renderer. `l1_server` is read as `l1_url`.
#[derive(Deserialize, ToSchema)]
struct Detachment {
    #[schema(required, example = "https://l1.example")]
    l1_url: Option<String>,
    #[schema(ignore)]
    l1_server: Option<String>,
}

/// What was detached.
#[derive(Serialize, ToSchema)]
struct Detached {
    l1_server: String,
    /// `false`: it was not attached.
    detached: bool,
}

/// Detach a renderer
///
/// Revokes every token made for it at once, and tells the renderer in its own time. Works for renderers that are no
/// longer on offer as well.
#[utoipa::path(tag = "Renderers", request_body = Detachment, security(("bearer" = [])), responses(
    (status = 200, body = Detached),
    (status = 401, body = ProblemDetails, description = "No token, or one that is not accepted"),
    (status = 422, body = ProblemDetails, description = "`l1_url` is missing or no URL"),
))]
#[post("/renderers/detach")]
async fn detach_renderer(
    registry: web::Data<Registry>,
    member: Member,
    body: JsonOrForm<Detachment>,
) -> Result<HttpResponse, Problem> {
    let mut fields = Fields::default();
    let url = fields.required("/l1_url", body.0.l1_url.or(body.0.l1_server).as_ref(), str::parse::<ServerUrl>);
    let l1_server = fields.finish(url)?;
    let detached = registry.detach_renderer(member.username(), &l1_server).await?;
    Ok(HttpResponse::Ok().json(Detached { l1_server: l1_server.to_string(), detached }))
}
