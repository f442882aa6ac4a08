//! `/static/..`: the files of `assets/`, which are part of the binary.

use crate::http::document::{Freshness, MediaType, document};
use crate::http::problem::{Problem, ProblemDetails};
use actix_web::{HttpRequest, HttpResponse, get, web};
use rust_embed::RustEmbed;
use utoipa_actix_web::service_config::ServiceConfig;

#[derive(RustEmbed)]
#[folder = "../../assets"]
struct Statics;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(show_static);
}

/// Show a part of the pages
#[utoipa::path(tag = "Pages", params(("path" = String, Path, description = "Where it is")), responses(
    (status = 200, description = "A style sheet or a picture", content_type = "text/css"),
    (status = 404, body = ProblemDetails, description = "There is none"),
))]
#[get("/static/{path:.*}")]
async fn show_static(request: HttpRequest, path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let file = Statics::get(&path).ok_or_else(|| Problem::not_found(format_args!("file `{path}` of the pages")))?;
    let media_type = match path.rsplit_once('.') {
        Some((_, "css")) => MediaType("text/css; charset=utf-8"),
        Some((_, "svg")) => MediaType("image/svg+xml"),
        _ => MediaType::BYTES,
    };
    Ok(document(&request, media_type, Freshness::Minutes, file.data))
}
