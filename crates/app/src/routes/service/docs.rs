//! `/openapi.json`, `/problems/{slug}`: descriptions that are built into the binary.

use crate::http::document::{Freshness, MediaType, document};
use crate::http::problem::{Problem, ProblemDetails};
use crate::openapi::OpenApiJson;
use actix_web::{HttpRequest, HttpResponse, get, web};
use rust_embed::RustEmbed;
use utoipa_actix_web::service_config::ServiceConfig;

#[derive(RustEmbed)]
#[folder = "../../docs/problems"]
struct ProblemPages;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(show_openapi).service(show_problem);
}

/// Show this description
#[utoipa::path(tag = "Service", responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
#[get("/openapi.json")]
async fn show_openapi(request: HttpRequest, json: web::Data<OpenApiJson>) -> HttpResponse {
    document(&request, MediaType::JSON, Freshness::Revalidate, json.0.as_str())
}

/// Describe a kind of problem
#[utoipa::path(tag = "Service", params(("slug" = String, Path, description = "The last segment of a problem's `type`")), responses(
    (status = 200, description = "What it means and what to do", body = String, content_type = "text/markdown"),
    (status = 404, body = ProblemDetails, description = "There is no such kind"),
))]
#[get("/problems/{slug}")]
async fn show_problem(request: HttpRequest, slug: web::Path<String>) -> Result<HttpResponse, Problem> {
    let page = ProblemPages::get(&format!("{slug}.md"));
    let page = page.ok_or_else(|| Problem::not_found(format_args!("kind of problem called `{slug}`")))?;
    Ok(document(&request, MediaType("text/markdown; charset=utf-8"), Freshness::Minutes, page.data))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::problem::Kind;

    #[test]
    fn every_kind_of_problem_has_its_page_and_every_page_its_kind() {
        for kind in Kind::ALL {
            let page = ProblemPages::get(&format!("{}.md", kind.slug()))
                .unwrap_or_else(|| panic!("no page {}.md", kind.slug()));
            let text = String::from_utf8(page.data.into_owned()).expect("UTF-8");
            assert!(text.starts_with(&format!("# {}\n", kind.title())), "{}", kind.slug());
            assert!(text.contains(&kind.status().as_u16().to_string()), "{}", kind.slug());
        }
        assert_eq!(ProblemPages::iter().filter(|name| name != "README.md").count(), Kind::ALL.len());
    }
}
