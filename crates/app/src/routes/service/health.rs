//! `/health/..`: for whatever restarts or balances servers.

use crate::http::problem::{Kind, Problem, ProblemDetails};
use actix_web::{HttpResponse, get, web};
use artdag_registry::Registry;
use serde_json::json;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(show_live).service(show_ready);
}

/// Tell that the process runs
#[utoipa::path(tag = "Service", responses((status = 200, body = Object)))]
#[get("/health/live")]
async fn show_live() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

/// Tell whether requests can be served
#[utoipa::path(tag = "Service", responses(
    (status = 200, body = Object),
    (status = 503, body = ProblemDetails, description = "The database does not answer"),
))]
#[get("/health/ready")]
async fn show_ready(registry: web::Data<Registry>) -> Result<HttpResponse, Problem> {
    registry.ping().await.map_err(|error| {
        tracing::warn!(error = &error as &dyn std::error::Error, "the database does not answer");
        Problem::new(Kind::Unavailable, "The database does not answer.")
    })?;
    Ok(HttpResponse::Ok().json(json!({"status": "ok", "database": "ok"})))
}
