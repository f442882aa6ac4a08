//! `POST /auth/verify`: the question every renderer asks of every request.

use crate::http::caller::{bearer, refused_token, unknown_renderer};
use crate::http::json::{Fields, JsonOrForm};
use crate::http::problem::{Kind, Problem, ProblemDetails};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, post, web};
use artdag_auth::AccessToken;
use artdag_kernel::{ServerUrl, rfc3339_seconds};
use artdag_registry::{Registry, VerifyTokenError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(verify_token);
}

/// Who asks, and about which token. `l1_url` is read as `l1_server`.
#[derive(Deserialize, ToSchema)]
struct Question {
    /// The token, unless it is sent as `Authorization: Bearer <token>`.
    token: Option<String>,
    /// The asking renderer's own URL.
    #[schema(required, example = "https://l1.example")]
    l1_server: Option<String>,
    #[schema(ignore)]
    l1_url: Option<String>,
}

/// The token is good, and made for the renderer that asks.
#[derive(Serialize, ToSchema)]
struct Verified {
    valid: bool,
    #[schema(example = "giles")]
    username: String,
    #[schema(example = "giles")]
    sub: String,
    #[schema(example = "https://art.example")]
    l2_server: String,
    #[schema(example = "https://l1.example")]
    l1_server: String,
    expires_at: String,
}

/// Verify a token (for renderers)
///
/// Good means: made here, not expired, not revoked, and bound to the renderer that asks, which must be one of this
/// registry's renderers.
#[utoipa::path(tag = "Authentication", request_body = Question, security(("bearer" = [])), responses(
    (status = 200, body = Verified),
    (status = 401, body = ProblemDetails, description = "The token is bad, expired or revoked"),
    (status = 403, body = ProblemDetails, description = "The caller is no renderer of this registry, or the token is bound to another"),
    (status = 422, body = ProblemDetails, description = "`l1_server` is missing or no URL"),
))]
#[post("/auth/verify")]
async fn verify_token(
    request: HttpRequest,
    registry: web::Data<Registry>,
    body: JsonOrForm<Question>,
) -> Result<HttpResponse, Problem> {
    let Question { token, l1_server, l1_url } = body.0;
    let token = match bearer(&request)? {
        Some(token) => token,
        None => token.filter(|token| !token.is_empty()).map(AccessToken::new).ok_or_else(|| {
            Problem::new(Kind::Unauthorized, "Send the token as `Authorization: Bearer <token>` or as `token`.")
        })?,
    };
    let mut fields = Fields::default();
    let caller = fields.required("/l1_server", l1_server.or(l1_url).as_ref(), str::parse::<ServerUrl>);
    let caller = fields.finish(caller)?;
    let identity = registry.verify_token(&token, &caller).await.map_err(|error| match error {
        VerifyTokenError::Token(error) => refused_token(error),
        VerifyTokenError::UnknownRenderer(url) => unknown_renderer(&url),
        VerifyTokenError::OtherScope(url) => {
            Problem::new(Kind::Scope, format!("This token was not made for {url}. Attach it at GET /renderers/attach."))
        }
    })?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(Verified {
        valid: true,
        username: identity.username.to_string(),
        sub: identity.username.to_string(),
        l2_server: registry.site().base().to_owned(),
        l1_server: caller.to_string(),
        expires_at: rfc3339_seconds(identity.expires_at),
    }))
}
