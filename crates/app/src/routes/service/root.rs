//! `/`: what this server is, in figures.

use crate::http::document::{Freshness, MediaType, document, to_json};
use crate::http::problem::Problem;
use actix_web::{HttpRequest, HttpResponse, get, web};
use artdag_registry::Registry;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(show_stats);
}

/// What this server is.
#[derive(Serialize, ToSchema)]
struct Stats {
    #[schema(example = "artdag-l2")]
    name: &'static str,
    version: &'static str,
    /// What follows the `@` of handles here.
    domain: String,
    /// Registered assets.
    assets: u64,
    /// Published activities: the size of the log.
    activities: u64,
    /// Accounts.
    users: u64,
    /// The API, described for people.
    docs: String,
    /// The API, described for programs.
    openapi: String,
}

/// Show what this server is
#[utoipa::path(tag = "Service", responses((status = 200, body = Stats)))]
#[get("/")]
async fn show_stats(request: HttpRequest, registry: web::Data<Registry>) -> Result<HttpResponse, Problem> {
    let usage = registry.usage().await?;
    let site = registry.site();
    let body = Stats {
        name: "artdag-l2",
        version: env!("CARGO_PKG_VERSION"),
        domain: site.domain().to_owned(),
        assets: usage.assets,
        activities: registry.read().await?.count_activities(None).await?,
        users: usage.users,
        docs: format!("{}/docs/", site.base()),
        openapi: format!("{}/openapi.json", site.base()),
    };
    Ok(document(&request, MediaType::JSON, Freshness::Revalidate, to_json(&body)?))
}
