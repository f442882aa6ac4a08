//! `/auth/..` and `/logout`: accounts and tokens.

use crate::http::caller::{COOKIE, Caller, Member};
use crate::http::json::{Fields, JsonOrForm};
use crate::http::problem::{Kind, Problem, ProblemDetails};
use crate::http::throttle::Throttle;
use actix_web::cookie::Cookie;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use artdag_auth::{InviteCode, Password, Scope};
use artdag_kernel::{Username, rfc3339_seconds};
use artdag_registry::{LogInError, NewUser, RegisterUserError, Registry, Session};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(register_user).service(log_in).service(show_me).service(log_out);
}

/// A new account.
#[derive(Deserialize, ToSchema)]
struct Registration {
    /// 1 to 30 of `a-z`, `0-9`, `_`.
    #[schema(required, example = "giles")]
    username: Option<String>,
    /// 12 characters or more, or a shorter one that is hard to guess.
    #[schema(required, format = Password, example = "correct horse battery")]
    password: Option<String>,
    /// Never published.
    email: Option<String>,
    /// How the account wants to be called.
    display_name: Option<String>,
    /// The invite's code, where registration is by invitation.
    invite: Option<String>,
}

/// Who wants in.
#[derive(Deserialize, ToSchema)]
struct Credentials {
    #[schema(required, example = "giles")]
    username: Option<String>,
    #[schema(required, format = Password, example = "correct horse battery")]
    password: Option<String>,
}

/// A token, and whose it is.
#[derive(Serialize, ToSchema)]
struct SessionBody {
    /// Send it as `Authorization: Bearer <token>`.
    access_token: String,
    /// The same.
    token: String,
    #[schema(example = "bearer")]
    token_type: &'static str,
    #[schema(example = "giles")]
    username: String,
    #[schema(example = "https://art.example/users/giles")]
    actor: String,
    /// When the token stops being good.
    expires_at: String,
}

impl SessionBody {
    fn of(session: &Session, registry: &Registry) -> Self {
        Self {
            access_token: session.token.reveal().to_owned(),
            token: session.token.reveal().to_owned(),
            token_type: "bearer",
            username: session.username.to_string(),
            actor: registry.site().actor(&session.username),
            expires_at: rfc3339_seconds(session.expires_at),
        }
    }
}

/// Register an account
///
/// Makes the account and its signing keys, and logs it in.
#[utoipa::path(tag = "Authentication", request_body = Registration, responses(
    (status = 201, body = SessionBody, description = "Registered and logged in"),
    (status = 403, body = ProblemDetails, description = "Registration is closed, or needs an invite"),
    (status = 409, body = ProblemDetails, description = "The username is taken"),
    (status = 422, body = ProblemDetails, description = "A field is missing or cannot be taken"),
))]
#[post("/auth/register")]
async fn register_user(registry: web::Data<Registry>, body: JsonOrForm<Registration>) -> Result<HttpResponse, Problem> {
    let session = registry.register_user(new_user(body.0)?).await.map_err(refused)?;
    Ok(HttpResponse::Created().insert_header(no_store()).json(SessionBody::of(&session, &registry)))
}

/// Log in
#[utoipa::path(tag = "Authentication", request_body = Credentials, responses(
    (status = 200, body = SessionBody),
    (status = 401, body = ProblemDetails, description = "The username or the password is wrong"),
    (status = 429, body = ProblemDetails, description = "Too many attempts; `Retry-After` says how long to wait"),
    (status = 422, body = ProblemDetails, description = "A field is missing"),
))]
#[post("/auth/login")]
async fn log_in(
    request: HttpRequest,
    registry: web::Data<Registry>,
    throttle: web::Data<Throttle>,
    body: JsonOrForm<Credentials>,
) -> Result<HttpResponse, Problem> {
    let Credentials { username, password } = body.0;
    let mut fields = Fields::default();
    let username = fields.required("/username", username.as_ref(), |text| Ok::<_, String>(text.to_owned()));
    let password = fields.required("/password", password.as_ref(), |text| Password::new(text.to_owned()));
    let (username, password) = fields.finish(username.zip(password))?;
    throttle.admit(&request, &username)?;
    let session = registry.log_in(&username, password).await.map_err(|error| match error {
        LogInError::Wrong => Problem::new(Kind::Unauthorized, "The username or the password is wrong."),
        LogInError::Hasher(error) => Problem::internal(error),
        LogInError::Store(error) => error.into(),
    })?;
    Ok(HttpResponse::Ok().insert_header(no_store()).json(SessionBody::of(&session, &registry)))
}

/// Who a token belongs to.
#[derive(Serialize, ToSchema)]
struct Me {
    #[schema(example = "giles")]
    username: String,
    #[schema(example = "https://art.example/users/giles")]
    actor: String,
    #[schema(example = "@giles@art.example")]
    handle: String,
    created_at: String,
    /// The renderer that the token is bound to; `null` for a token of full scope.
    l1_server: Option<String>,
    /// When the token stops being good.
    expires_at: String,
}

/// Show whose token this is
#[utoipa::path(tag = "Authentication", security(("bearer" = [])), responses(
    (status = 200, body = Me),
    (status = 401, body = ProblemDetails, description = "No token, or one that is not accepted"),
))]
#[get("/auth/me")]
async fn show_me(registry: web::Data<Registry>, caller: Caller) -> Result<HttpResponse, Problem> {
    let identity = caller.0;
    let user = registry.read().await?.find_user(&identity.username).await?;
    let user = user.ok_or_else(|| Problem::new(Kind::Unauthorized, "The account of this token is gone."))?;
    let site = registry.site();
    Ok(HttpResponse::Ok().insert_header(no_store()).json(Me {
        actor: site.actor(&user.username),
        handle: site.handle(&user.username),
        username: user.username.to_string(),
        created_at: artdag_kernel::rfc3339(user.created_at),
        l1_server: match identity.scope {
            Scope::Full => None,
            Scope::Renderer(url) => Some(url.to_string()),
        },
        expires_at: rfc3339_seconds(identity.expires_at),
    }))
}

/// Log out
///
/// Revokes the token that the request carries and those of all attached renderers, for good, tells the renderers, and
/// clears the cookie.
#[utoipa::path(tag = "Authentication", security(("bearer" = [])), responses(
    (status = 204, description = "The token is revoked"),
    (status = 401, body = ProblemDetails, description = "No token, or one that is not accepted"),
))]
#[post("/logout")]
async fn log_out(registry: web::Data<Registry>, member: Member) -> Result<HttpResponse, Problem> {
    registry.log_out(&member.0).await?;
    let mut cookie = Cookie::build(COOKIE, "").path("/").http_only(true).secure(registry.site().is_https()).finish();
    cookie.make_removal();
    Ok(HttpResponse::NoContent().cookie(cookie).finish())
}

/// Answers that hold a token or tell of one are nobody else's.
const fn no_store() -> (header::HeaderName, &'static str) {
    (header::CACHE_CONTROL, "no-store")
}

fn new_user(body: Registration) -> Result<NewUser, Problem> {
    let Registration { username, password, email, display_name, invite } = body;
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let mut fields = Fields::default();
    let username = fields.required("/username", username.as_ref(), str::parse::<Username>);
    let password = fields.required("/password", password.as_ref(), |text| Password::new(text.to_owned()));
    let display_name = fields.optional("/display_name", given(display_name).as_ref(), str::parse);
    let email = fields.optional("/email", given(email).as_ref(), str::parse);
    let invite = given(invite).map(|code| InviteCode::typed(&code));
    let known = username.zip(password);
    fields.finish(known.map(|(username, password)| NewUser { username, password, display_name, email, invite }))
}

fn refused(error: RegisterUserError) -> Problem {
    match error {
        RegisterUserError::Closed => {
            Problem::new(Kind::RegistrationClosed, "This server takes no new accounts. Ask its operator for one.")
        }
        RegisterUserError::NotInvited => Problem::new(
            Kind::InviteNeeded,
            "Send the code of an unused invite as `invite`. The operator of this server makes them.",
        ),
        RegisterUserError::NameTaken(username) => {
            Problem::new(Kind::Taken, format!("The username `{username}` is taken; choose another."))
        }
        RegisterUserError::Weak(weak) => Problem::invalid_field("/password", weak),
        RegisterUserError::Keys(error) => Problem::internal(error),
        RegisterUserError::Hasher(error) => Problem::internal(error),
        RegisterUserError::Store(error) => error.into(),
    }
}
