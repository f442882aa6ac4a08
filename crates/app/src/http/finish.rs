//! The last hand on every answer: problems get their body, `HEAD` is `GET` without one.

use crate::http::problem::{Kind, Problem};
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, web};
use artdag_registry::Registry;
use std::error::Error as StdError;
use tracing_actix_web::RequestId;

/// Beside a request that came as `HEAD`: that is what a signature of it says.
#[derive(Clone, Copy, Debug)]
pub struct AskedForHead;

/// Middleware for the whole app.
///
/// # Errors
/// None of its own: those of the routes are answers by now.
pub async fn finish<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let request_id = request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    if request.method() == Method::HEAD {
        // The connection remembers that no body is to be sent.
        request.head_mut().method = Method::GET;
        request.extensions_mut().insert(AskedForHead);
    }
    let response = next.call(request).await?;
    let body = response.response().error().map(|error| problem_response(&response, error));
    let mut response = match body {
        Some(body) => response.into_response(body).map_into_right_body(),
        None => response.map_into_left_body(),
    };
    if let Ok(value) = header::HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(header::HeaderName::from_static("x-request-id"), value);
    }
    Ok(response)
}

fn problem_response<B>(answered: &ServiceResponse<B>, error: &Error) -> HttpResponse {
    let request = answered.request();
    let foreign;
    let problem = match error.as_error::<Problem>() {
        Some(problem) => problem,
        None => {
            foreign = from_framework(error);
            &foreign
        }
    };
    if let Some(cause) = problem.cause() {
        log(problem.kind(), cause);
    }
    let base = request.app_data::<web::Data<Registry>>().map_or("", |registry| registry.site().base());
    let mut response = HttpResponse::build(problem.kind().status());
    response.content_type("application/problem+json").insert_header((header::CACHE_CONTROL, "no-store"));
    if problem.kind() == Kind::Unauthorized {
        response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
    }
    if let Some(seconds) = problem.seconds_to_wait() {
        response.insert_header((header::RETRY_AFTER, seconds));
    }
    if let Some(allow) = answered.headers().get(header::ALLOW) {
        response.insert_header((header::ALLOW, allow.clone()));
    }
    match serde_json::to_string(&problem.details(base, request.path())) {
        Ok(body) => response.body(body),
        Err(_) => response.finish(),
    }
}

/// An operator is called for what only an operator can mend. What a request or another server is to blame for, anybody
/// can bring about as often as they like.
fn log(kind: Kind, error: &(dyn StdError + 'static)) {
    let title = kind.title();
    match kind.status() {
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => tracing::warn!(error, "{title}"),
        status if status.is_server_error() => tracing::error!(error, "{title}"),
        _ => tracing::debug!(error, "{title}"),
    }
}

/// The framework's own errors, such as a path that is no UTF-8.
fn from_framework(error: &Error) -> Problem {
    match error.as_response_error().status_code() {
        StatusCode::NOT_FOUND => Problem::not_found("such path"),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Kind::TooLarge, "The body is larger than is read here."),
        status if status.is_client_error() => {
            Problem::new(Kind::Malformed, format!("The request cannot be read: {error}."))
        }
        _ => Problem::internal(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::middleware::from_fn;
    use actix_web::{App, HttpRequest, test};
    use artdag_kernel::StoreError;
    use std::io::Write;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::fmt::MakeWriter;

    async fn fails(request: HttpRequest) -> Result<HttpResponse, Problem> {
        let cause = || std::io::Error::other("the cause");
        Err(match request.path() {
            "/busy" => StoreError::Busy(cause().into()).into(),
            "/internal" => Problem::internal(cause()),
            "/peer" => Problem::new(Kind::PeerFailed, "It failed.").because(cause()),
            "/slow" => Problem::new(Kind::RendererSlow, "It is slow.").because(cause()),
            "/signature" => Problem::new(Kind::Signature, "No such key.").because(cause()),
            "/later" => Problem::new(Kind::TooMany, "Later.").retry_after(60).because(cause()),
            _ => Problem::new(Kind::Unavailable, "The database does not answer."),
        })
    }

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Lines {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    /// The header `Retry-After` of the answer, and what was logged.
    async fn answer(path: &str) -> (Option<String>, String) {
        let lines = Lines::default();
        let log = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
        let _logging = tracing::subscriber::set_default(log.with_writer(lines.clone()).finish());
        let app = App::new().default_service(web::to(fails)).wrap(from_fn(finish));
        let app = test::init_service(app).await;
        let answer = test::call_service(&app, test::TestRequest::get().uri(path).to_request()).await;
        let wait = answer.headers().get(header::RETRY_AFTER).map(|value| value.to_str().unwrap().to_owned());
        let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        (wait, logged)
    }

    #[actix_web::test]
    async fn what_is_over_soon_says_when_to_come_back() {
        for (path, wait) in [("/busy", "1"), ("/ready", "1"), ("/later", "60")] {
            assert_eq!(answer(path).await.0.as_deref(), Some(wait), "{path}");
        }
        assert_eq!(answer("/internal").await.0, None);
    }

    #[actix_web::test]
    async fn an_error_is_logged_for_what_this_server_did_wrong() {
        let expected = [
            ("/busy", "ERROR"),
            ("/internal", "ERROR"),
            ("/peer", "WARN"),
            ("/slow", "WARN"),
            ("/signature", "DEBUG"),
            ("/later", "DEBUG"),
        ];
        for (path, level) in expected {
            let logged = answer(path).await.1;
            let line = logged.lines().find(|line| line.contains("the cause")).unwrap();
            assert!(line.contains(level), "{path}: {line}");
        }
    }
}
