//! Who calls: the token of a request, from the `Authorization` header or the cookie alike.

use crate::http::problem::{Kind, Problem};
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, dev, web};
use artdag_auth::{AccessToken, Scope};
use artdag_kernel::{ServerUrl, Username};
use artdag_registry::{AuthenticateError, Identity, Registry};
use std::future::Future;
use std::pin::Pin;

/// The cookie that carries a token.
pub const COOKIE: &str = "auth_token";

/// Somebody with a good token, whatever its scope.
#[derive(Debug)]
pub struct Caller(pub Identity);

/// Somebody who may do everything in their own name.
#[derive(Debug)]
pub struct Member(pub Identity);

impl Caller {
    /// That this token may be used for a request which names this renderer: a token bound to a renderer speaks for
    /// that one alone.
    ///
    /// # Errors
    /// [`Kind::Scope`].
    pub fn may_speak_for(&self, l1_server: &ServerUrl) -> Result<(), Problem> {
        match &self.0.scope {
            Scope::Renderer(bound) if bound != l1_server => Err(Problem::new(
                Kind::Scope,
                format!("This token is good for the renderer {bound}, not for {l1_server}."),
            )),
            _ => Ok(()),
        }
    }
}

impl Member {
    /// Who.
    pub fn username(&self) -> &Username {
        &self.0.username
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { authenticate(&request).await.map(Self) })
    }
}

impl FromRequest for Member {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let identity = authenticate(&request).await?;
            match identity.scope {
                Scope::Full => Ok(Self(identity)),
                Scope::Renderer(url) => Err(Problem::new(
                    Kind::Scope,
                    format!("This token is good for the renderer {url} alone. Log in for another."),
                )),
            }
        })
    }
}

async fn authenticate(request: &HttpRequest) -> Result<Identity, Problem> {
    let registry = request
        .app_data::<web::Data<Registry>>()
        .ok_or_else(|| Problem::internal("the app was built without a registry"))?;
    let token = match bearer(request)? {
        Some(token) => token,
        None => {
            let cookie = request.cookie(COOKIE).filter(|cookie| !cookie.value().is_empty());
            let cookie = cookie.ok_or_else(|| {
                Problem::new(
                    Kind::Unauthorized,
                    "Log in at POST /auth/login and send the token as `Authorization: Bearer <token>`.",
                )
            })?;
            if !request.method().is_safe() {
                check_origin(request, registry.site().base())?;
            }
            AccessToken::new(cookie.value().to_owned())
        }
    };
    let identity = registry.authenticate(&token).await.map_err(refused_token)?;
    // A renderer that the operator took off the list loses the tokens that were made for it, too.
    match &identity.scope {
        Scope::Renderer(url) if !registry.is_renderer(url) => Err(unknown_renderer(url)),
        _ => Ok(identity),
    }
}

/// What the bearer of a token that is not accepted is told.
pub fn refused_token(error: AuthenticateError) -> Problem {
    match error {
        AuthenticateError::Store(error) => error.into(),
        refused => Problem::new(Kind::Unauthorized, sentence(&format!("{refused}; log in again"))),
    }
}

/// What is said of a server that is not on the operator's list.
pub fn unknown_renderer(url: &ServerUrl) -> Problem {
    Problem::new(
        Kind::UnknownRenderer,
        format!("{url} is not a renderer of this registry; GET /renderers lists those on offer."),
    )
}

/// The token of the `Authorization` header, if there is one.
///
/// # Errors
/// When the header is there and holds no bearer token.
pub fn bearer(request: &HttpRequest) -> Result<Option<AccessToken>, Problem> {
    let Some(value) = request.headers().get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    });
    match token {
        Some(token) if !token.is_empty() => Ok(Some(AccessToken::new(token))),
        _ => Err(Problem::new(Kind::Unauthorized, "The header must be `Authorization: Bearer <token>`.")),
    }
}

/// Browsers send cookies along with requests that other sites cause; those must not write.
fn check_origin(request: &HttpRequest, base: &str) -> Result<(), Problem> {
    let text = |name: header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let same = match (text(header::HeaderName::from_static("sec-fetch-site")), text(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin.eq_ignore_ascii_case(base),
        (None, None) => false,
    };
    if same {
        return Ok(());
    }
    Err(Problem::new(
        Kind::CrossOrigin,
        "A cookie is accepted for writing only from pages of this site. Programs send the token as `Authorization: Bearer <token>`.",
    ))
}

/// Errors are fragments; people read sentences.
fn sentence(fragment: &str) -> String {
    let mut chars = fragment.chars();
    chars.next().map(|first| format!("{}{}.", first.to_uppercase(), chars.as_str())).unwrap_or_default()
}
