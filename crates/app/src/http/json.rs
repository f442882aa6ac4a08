//! Request bodies: bounded, and with errors that name the field.

use crate::http::problem::{FieldError, Kind, Problem};
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev, web};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::pin::Pin;

/// The most bytes that a body may have.
pub const BODY_LIMIT: usize = 1024 * 1024;
/// The same where passwords and tokens are sent.
pub const AUTH_BODY_LIMIT: usize = 64 * 1024;

/// A JSON body of at most `LIMIT` bytes.
#[derive(Debug)]
pub struct JsonBody<T, const LIMIT: usize = BODY_LIMIT>(pub T);

/// A JSON or form body of at most [`AUTH_BODY_LIMIT`] bytes.
#[derive(Debug)]
pub struct JsonOrForm<T>(pub T);

impl<T: DeserializeOwned + 'static, const LIMIT: usize> FromRequest for JsonBody<T, LIMIT> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let is_json = is_json(request);
        let body = read(request, payload, LIMIT);
        Box::pin(async move {
            if !is_json {
                return Err(Problem::new(
                    Kind::MediaType,
                    "Send JSON, with the header `Content-Type: application/json`.",
                ));
            }
            from_json(&body.await?).map(Self)
        })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for JsonOrForm<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let is_json = is_json(request);
        let is_form = request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded");
        let body = read(request, payload, AUTH_BODY_LIMIT);
        Box::pin(async move {
            if is_json {
                return from_json(&body.await?).map(Self);
            }
            if is_form {
                return from_form(&body.await?).map(Self);
            }
            Err(Problem::new(
                Kind::MediaType,
                "Send JSON (`Content-Type: application/json`) or a form (`application/x-www-form-urlencoded`).",
            ))
        })
    }
}

/// A body of JSON as it came, of at most [`BODY_LIMIT`] bytes: for those who check its digest before they parse it.
#[derive(Debug)]
pub struct JsonBytes(pub web::Bytes);

impl FromRequest for JsonBytes {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let is_json = is_json(request);
        let body = read(request, payload, BODY_LIMIT);
        Box::pin(async move {
            if !is_json {
                let detail = "Send JSON, with the header `Content-Type: application/activity+json`.";
                return Err(Problem::new(Kind::MediaType, detail));
            }
            body.await.map(Self)
        })
    }
}

/// A body of text as it came, of at most [`BODY_LIMIT`] bytes and of whatever type it says it is.
#[derive(Debug)]
pub struct TextBody(pub String);

impl FromRequest for TextBody {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let body = read(request, payload, BODY_LIMIT);
        Box::pin(async move {
            let text = String::from_utf8(body.await?.into());
            text.map(Self).map_err(|_| Problem::new(Kind::Malformed, "The body is no text in UTF-8."))
        })
    }
}

/// `application/json` and everything that ends in `+json`.
fn is_json(request: &HttpRequest) -> bool {
    let media_type = request.content_type().to_ascii_lowercase();
    media_type == "application/json" || media_type.ends_with("+json")
}

fn read(
    request: &HttpRequest,
    payload: &mut dev::Payload,
    limit: usize,
) -> impl Future<Output = Result<web::Bytes, Problem>> + 'static {
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    let payload = web::Payload::from_request(request, payload);
    async move {
        let too_large = || Problem::new(Kind::TooLarge, format!("The body may have at most {limit} bytes."));
        if announced.is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let payload = payload.await.map_err(unreadable)?;
        payload.to_bytes_limited(limit).await.map_err(|_| too_large())?.map_err(unreadable)
    }
}

fn unreadable(error: actix_web::Error) -> Problem {
    Problem::new(Kind::Malformed, format!("The body cannot be read: {error}."))
}

fn from_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let not_json = |error: serde_json::Error| Problem::new(Kind::Malformed, format!("The body is no JSON: {error}."));
    // An array would be read as the fields in their order, which nobody means.
    if body.trim_ascii_start().first() != Some(&b'{') {
        serde_json::from_slice::<serde::de::IgnoredAny>(body).map_err(not_json)?;
        return Err(Problem::invalid_field("", "The body must be a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        let cause = error.into_inner();
        if cause.is_data() {
            Problem::invalid(vec![FieldError { field: pointer, message: without_position(&cause) }])
        } else {
            not_json(cause)
        }
    })?;
    deserializer.end().map_err(not_json)?;
    Ok(value)
}

fn from_form<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_urlencoded::from_bytes(body)
        .map_err(|error| Problem::new(Kind::Malformed, format!("The form cannot be read: {error}.")))
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let segments = path.iter().map(|segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    });
    segments.collect()
}

/// The position in the text helps nobody who never saw the text.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

/// For members whose `null` means something else than their absence.
///
/// # Errors
/// As for `T`.
pub fn present<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Collects what is wrong with a body, so that all of it is told at once.
#[derive(Debug, Default)]
pub struct Fields(Vec<FieldError>);

impl Fields {
    /// Parses a member that must be there.
    pub fn required<T, E: ToString>(
        &mut self,
        field: &str,
        text: Option<&String>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if text.is_none() {
            self.push(field, "is missing");
        }
        self.optional(field, text, parse)
    }

    /// Parses a member that may be absent.
    pub fn optional<T, E: ToString>(
        &mut self,
        field: &str,
        text: Option<&String>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let parsed = parse(text?);
        self.take(field, parsed)
    }

    /// Keeps a parsed value or notes its error.
    pub fn take<T, E: ToString>(&mut self, field: &str, parsed: Result<T, E>) -> Option<T> {
        parsed.map_err(|error| self.push(field, error)).ok()
    }

    /// Notes an error.
    pub fn push(&mut self, field: &str, message: impl ToString) {
        self.0.push(FieldError { field: field.to_owned(), message: message.to_string() });
    }

    /// All the errors as one problem, or the value that was built when there was none.
    ///
    /// # Errors
    /// [`Kind::Invalid`] with every field noted.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Problem> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Problem::invalid(self.0)),
        }
    }
}
