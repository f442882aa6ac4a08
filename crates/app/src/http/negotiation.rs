//! One path, several forms: which one does the client ask for?

use actix_web::HttpRequest;
use actix_web::http::header::{self, Accept, Header};

/// The forms a document may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For programs. Also for `*/*` and for those who say nothing.
    Json,
    /// For the fediverse.
    ActivityJson,
    /// For people: only when `text/html` is named.
    Html,
}

const ACTIVITY_STREAMS_PROFILE: &str = "https://www.w3.org/ns/activitystreams";

/// The form that the `Accept` header prefers, by quality; JSON wins ties with wildcards, else the first named.
pub fn preferred_form(request: &HttpRequest) -> Form {
    if !request.headers().contains_key(header::ACCEPT) {
        return Form::Json;
    }
    let Ok(accept) = Accept::parse(request) else {
        return Form::Json;
    };
    let mut best: Option<(Form, header::Quality)> = None;
    for item in accept.iter() {
        let form = match item.item.essence_str() {
            "text/html" | "application/xhtml+xml" => Form::Html,
            "application/activity+json" => Form::ActivityJson,
            "application/ld+json" if is_activity_streams(&item.item) => Form::ActivityJson,
            "application/json" | "application/*" | "*/*" => Form::Json,
            _ => continue,
        };
        if item.quality > header::Quality::ZERO && best.is_none_or(|(_, quality)| item.quality > quality) {
            best = Some((form, item.quality));
        }
    }
    best.map_or(Form::Json, |(form, _)| form)
}

fn is_activity_streams(mime: &actix_web::mime::Mime) -> bool {
    mime.get_param("profile").is_some_and(|profile| profile.as_str().split(' ').any(|p| p == ACTIVITY_STREAMS_PROFILE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn form(accept: &str) -> Form {
        preferred_form(&TestRequest::default().insert_header((header::ACCEPT, accept)).to_http_request())
    }

    #[test]
    fn html_only_when_named() {
        assert_eq!(preferred_form(&TestRequest::default().to_http_request()), Form::Json);
        for accept in ["*/*", "application/json", "", "nonsense", "image/png, */*;q=0.1", "application/*"] {
            assert_eq!(form(accept), Form::Json, "{accept}");
        }
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for accept in [browser, "text/html", "application/json;q=0.5, text/html;q=0.6"] {
            assert_eq!(form(accept), Form::Html, "{accept}");
        }
    }

    #[test]
    fn the_fediverse_gets_its_own() {
        for accept in [
            "application/activity+json",
            "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"",
            "application/activity+json, application/ld+json",
            "application/json;q=0.1, application/activity+json",
            "text/html;q=0, application/activity+json",
        ] {
            assert_eq!(form(accept), Form::ActivityJson, "{accept}");
        }
        assert_eq!(form("application/ld+json"), Form::Json);
    }
}
