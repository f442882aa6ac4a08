//! Answers that may be kept by caches: an `ETag`, and 304 for those who have it.

use crate::http::problem::Problem;
use actix_web::http::header::{self, ETag, EntityTag, Header, IfNoneMatch};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// How long others may keep an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Ask again every time.
    Revalidate,
    /// Good for a few minutes.
    Minutes,
    /// The URL will never answer anything else.
    Immutable,
    /// For one person's eyes.
    Private,
}

impl Freshness {
    const fn directive(self) -> &'static str {
        match self {
            Self::Revalidate => "no-cache",
            Self::Minutes => "public, max-age=300",
            Self::Immutable => "public, max-age=31536000, immutable",
            Self::Private => "private, no-cache",
        }
    }
}

/// The media type of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaType(pub &'static str);

impl MediaType {
    /// For programs.
    pub const JSON: Self = Self("application/json");
    /// For people and programs.
    pub const TEXT: Self = Self("text/plain; charset=utf-8");
    /// For people.
    pub const HTML: Self = Self("text/html; charset=utf-8");
    /// For whoever knows what it is.
    pub const BYTES: Self = Self("application/octet-stream");
    /// A proof of OpenTimestamps.
    pub const OTS: Self = Self("application/vnd.opentimestamps.v1");
    /// For the fediverse.
    pub const ACTIVITY: Self = Self(artdag_federation::ACTIVITY_JSON);
}

/// A body under its `ETag`, or 304. The tag is made from the body.
pub fn document(
    request: &HttpRequest,
    media_type: MediaType,
    freshness: Freshness,
    body: impl Into<Vec<u8>>,
) -> HttpResponse {
    let body = body.into();
    let tag = hex::encode(&Sha256::digest(&body)[..12]);
    tagged_document(request, media_type, freshness, &tag, body)
}

/// A body under the `ETag` given, or 304.
pub fn tagged_document(
    request: &HttpRequest,
    media_type: MediaType,
    freshness: Freshness,
    tag: &str,
    body: Vec<u8>,
) -> HttpResponse {
    let tag = EntityTag::new_strong(tag.to_owned());
    let unchanged = request.headers().contains_key(header::IF_NONE_MATCH)
        && IfNoneMatch::parse(request).is_ok_and(|known| match known {
            IfNoneMatch::Any => true,
            IfNoneMatch::Items(tags) => tags.iter().any(|known| known.weak_eq(&tag)),
        });
    let mut response = if unchanged { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header(ETag(tag))
        .insert_header((header::CACHE_CONTROL, freshness.directive()))
        .insert_header((header::VARY, "Accept"));
    if unchanged { response.finish() } else { response.content_type(media_type.0).body(body) }
}

/// A value as JSON text.
///
/// # Errors
/// [`Problem`] when the value cannot be written as JSON: our fault.
pub fn to_json(value: &impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(value).map_err(Problem::internal)
}
