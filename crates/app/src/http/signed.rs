//! Requests that other servers sign.

use crate::http::caller::Member;
use crate::http::client_address::TrustedProxies;
use crate::http::finish::AskedForHead;
use crate::http::problem::{Kind, Problem};
use actix_web::http::{Method, header};
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev, web};
use artdag_federation::Iri;
use artdag_federation::http_signature::SignedRequest;
use artdag_registry::{KeyRefused, ReceiveError, Registry};
use std::error::Error;

/// The parts of a request that a signature may cover, copied out of it: a request may not cross threads.
#[derive(Clone, Debug)]
pub struct SignedParts {
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
}

impl SignedParts {
    /// Of this request. Behind a trusted proxy the `Host` is the one that the proxy was asked for.
    pub fn of(request: &HttpRequest) -> Self {
        let proxies = request.app_data::<web::Data<TrustedProxies>>();
        let forwarded = proxies.and_then(|proxies| proxies.host_of(request));
        let headers = request.headers().iter().map(|(name, value)| {
            let value = match &forwarded {
                Some(host) if name == header::HOST => host.as_bytes().to_vec(),
                _ => value.as_bytes().to_vec(),
            };
            (name.as_str().to_owned(), value)
        });
        let method = match request.extensions().get::<AskedForHead>() {
            Some(AskedForHead) => Method::HEAD,
            None => request.method().clone(),
        };
        Self {
            method: method.to_string(),
            target: request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned(),
            headers: headers.collect(),
        }
    }

    /// The value of a header that is there once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(other, _)| other == name);
        let (_, value) = values.next()?;
        std::str::from_utf8(value).ok().filter(|_| values.next().is_none())
    }

    /// Whether it is signed at all, in whichever of the places where a signature is read.
    fn is_signed(&self) -> bool {
        self.headers.iter().any(|(name, value)| match name.as_str() {
            "signature" | "signature-input" => true,
            "authorization" => value.get(..10).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"signature ")),
            _ => false,
        })
    }

    /// The headers, as [`SignedRequest`] takes them.
    pub fn headers(&self) -> Vec<(&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect()
    }

    /// The request that a signature covers.
    pub fn request<'a>(&'a self, origin: &'a str, headers: &'a [(&'a str, &'a [u8])]) -> SignedRequest<'a> {
        SignedRequest { method: &self.method, origin, target: &self.target, headers }
    }
}

/// Who signed a GET.
///
/// # Errors
/// [`Problem`], when nobody did, or the signature is not good.
pub async fn signer(registry: &Registry, parts: &SignedParts) -> Result<Iri, Problem> {
    let headers = parts.headers();
    let request = parts.request(registry.site().base(), &headers);
    registry.authenticate_fetch(request).await.map_err(refused)
}

/// With `AUTHORIZED_FETCH`, collections and objects are for servers that sign their requests, and for people who are
/// logged in. A renderer's token is for neither.
///
/// # Errors
/// [`Problem`] for everybody else.
pub async fn check_reader(request: &HttpRequest, registry: &Registry) -> Result<(), Problem> {
    if !registry.policy().federation.authorized_fetch {
        return Ok(());
    }
    let parts = SignedParts::of(request);
    if parts.is_signed() {
        return signer(registry, &parts).await.map(drop);
    }
    match Member::from_request(request, &mut dev::Payload::None).await {
        Ok(_) => Ok(()),
        Err(problem) if problem.kind() == Kind::Unauthorized => Err(Problem::new(
            Kind::Signature,
            "This server shows this only to servers that sign their requests (authorized fetch), and to those who are logged in.",
        )),
        Err(problem) => Err(problem),
    }
}

fn later(cause: Option<Box<dyn Error + Send + Sync>>) -> Problem {
    let detail = "The key that the signature names cannot be had now. Send the request again in a minute.";
    let problem = Problem::new(Kind::TooMany, detail).retry_after(60);
    match cause {
        Some(cause) => problem.because(cause),
        None => problem,
    }
}

/// What a sender is told whose request is refused: which part of it failed and how, and never more.
pub fn refused(error: ReceiveError) -> Problem {
    match error {
        ReceiveError::Signature(fault) => Problem::new(Kind::Signature, format!("Not accepted: {fault}.")),
        // Told as a refusal for good, a passing fault would lose the activity.
        ReceiveError::Key(KeyRefused::Waiting | KeyRefused::Crowded) => later(None),
        ReceiveError::Key(KeyRefused::Fetch(cause)) if cause.is_passing() => later(Some(cause.into())),
        ReceiveError::Key(KeyRefused::Fetch(cause)) => {
            Problem::new(Kind::Signature, "Not accepted: the key that the signature names cannot be had.")
                .because(Box::<dyn Error + Send + Sync>::from(cause))
        }
        ReceiveError::Key(refused) => Problem::new(Kind::Signature, format!("Not accepted: {refused}.")),
        ReceiveError::OtherActor(_) => Problem::new(Kind::Signature, format!("Not accepted: {error}.")),
        ReceiveError::Shunned(shunned) => Problem::new(Kind::Shunned, format!("Not accepted: {shunned}.")),
        ReceiveError::Activity(fault) => Problem::new(Kind::Malformed, format!("Not accepted: {fault}.")),
        ReceiveError::Publish(error) => Problem::internal(error),
        ReceiveError::Store(error) => error.into(),
    }
}
