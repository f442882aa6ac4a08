//! The description of the API. Made from the routes themselves, so it cannot tell of others.

use crate::routes;
use actix_web::App;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder};
use utoipa_actix_web::AppExt;

/// The description as it is served.
#[derive(Clone, Debug)]
pub struct OpenApiJson(pub String);

/// The description, without paths yet.
pub fn head() -> OpenApi {
    let bearer = SecurityScheme::Http(
        HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("The `access_token` of `POST /auth/login`."))
            .build(),
    );
    let description = "An ownership registry for generative art. Assets are registered by their content hash; every claim is a signed ActivityPub activity.\n\nErrors are RFC 9457 problem details. Lists page by their `next` link.";
    let info = InfoBuilder::new()
        .title("Art DAG L2")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(description))
        .license(Some(LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build()))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .components(Some(ComponentsBuilder::new().security_scheme("bearer", bearer).build()))
        .build()
}

/// The whole description.
pub fn openapi() -> OpenApi {
    App::new().into_utoipa_app().openapi(head()).configure(routes::configure).split_for_parts().1
}

/// The whole description as JSON text.
///
/// # Errors
/// When it cannot be written as JSON: never, unless a route describes itself absurdly.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    Ok(openapi().to_pretty_json()? + "\n")
}
