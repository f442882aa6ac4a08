//! Pages for people: the templates of `templates/`, which are part of the binary.
//!
//! To add a page: a template under `templates/pages`, and a route in `routes/web` that renders it with a view of its own,
//! in which everything is said already. A template decides nothing, and everything that it shows is escaped.

use crate::http::document::{Freshness, MediaType, document};
use crate::http::problem::Problem;
use crate::wiring::StartError;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use artdag_federation::Site;
use rust_embed::RustEmbed;
use serde::Serialize;
use serde_json::json;
use tera::{Context, Tera};

#[derive(RustEmbed)]
#[folder = "../../templates"]
struct Templates;

/// What a page may load: this site's own style and pictures, and no script.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; \
                              form-action 'self'; frame-ancestors 'none'";

/// The templates, read.
#[derive(Debug)]
pub struct Pages(Tera);

impl Pages {
    /// Reads all templates.
    ///
    /// # Errors
    /// [`StartError`] that names the template which is wrong.
    pub fn read() -> Result<Self, StartError> {
        let text = |name: &str| {
            let file = Templates::get(name).map(|file| file.data.into_owned()).unwrap_or_default();
            String::from_utf8(file).map_err(|_| format!("the template {name} is no text in UTF-8"))
        };
        let files = Templates::iter().map(|name| Ok((name.to_string(), text(&name)?)));
        let files = files.collect::<Result<Vec<_>, String>>()?;
        let mut tera = Tera::default();
        tera.add_raw_templates(files)?;
        Ok(Self(tera))
    }

    /// A page of this site, for this request.
    ///
    /// # Errors
    /// [`Problem`] when the template and the view do not fit: our fault.
    pub fn show(
        &self,
        request: &HttpRequest,
        site: &Site,
        template: &str,
        view: &impl Serialize,
    ) -> Result<HttpResponse, Problem> {
        let mut context = Context::from_serialize(view).map_err(Problem::internal)?;
        context.insert("site", &json!({"base": site.base(), "domain": site.domain()}));
        let text = self.0.render(template, &context).map_err(Problem::internal)?;
        let mut response = document(request, MediaType::HTML, Freshness::Private, text);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, header::HeaderValue::from_static(CONTENT_POLICY));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, header::HeaderValue::from_static("same-origin"));
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_sound_and_escapes() {
        let pages = Pages::read().unwrap();
        assert!(pages.0.contains_template("layouts/base.html"));
        let mut context = Context::new();
        context.insert("site", &json!({"base": "https://art.example", "domain": "<b>&\"'"}));
        let text = pages.0.render("layouts/base.html", &context).unwrap();
        assert!(text.contains("&lt;b&gt;&amp;") && !text.contains("<b>&"), "{text}");
    }
}
