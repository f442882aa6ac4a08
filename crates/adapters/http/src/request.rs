//! What is asked, and what comes back.

use crate::error::BoxError;
use bytes::Bytes;
use http::header::{ACCEPT, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// JSON of any kind, for [`Request::accept`].
pub const JSON: &[&str] = &["application/json", "+json"];

/// How much of this server's time and memory a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the first look-up to the last byte, redirects and all.
    pub total: Duration,
    /// Between two pieces of a body. The wait for its head is bounded by `total` alone, since a server may have to
    /// think.
    pub stall: Duration,
    /// Bytes of a body, after decompression.
    pub max_body: usize,
    /// How many times larger than what came over the wire a body may be that is larger than 64 KiB.
    pub max_ratio: usize,
    /// How many redirects of a GET are followed.
    pub redirects: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(10),
            stall: Duration::from_secs(5),
            max_body: 1024 * 1024,
            max_ratio: 100,
            redirects: 3,
        }
    }
}

/// One call.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) limits: Limits,
    pub(crate) types: &'static [&'static str],
    pub(crate) reading: Reading,
    pub(crate) signing: Option<Signing>,
    pub(crate) gate: Option<HopGate>,
}

/// How much of an answer's body is of interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// All of it.
    Whole,
    /// Nothing, and it is dropped, which costs a connection of HTTP/1.1 its life.
    Nothing,
    /// Nothing, but it is let pass if it is small, so that the connection can be used again.
    Past,
}

type Sign = dyn Fn(&Method, &Url) -> Result<HeaderMap, BoxError> + Send + Sync;

/// Makes the headers that vouch for one request.
#[derive(Clone)]
pub(crate) struct Signing(Arc<Sign>);

impl Signing {
    pub(crate) fn headers(&self, method: &Method, url: &Url) -> Result<HeaderMap, BoxError> {
        (self.0)(method, url)
    }
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signing")
    }
}

/// Says whether a URL may be called.
#[derive(Clone)]
pub(crate) struct HopGate(pub(crate) Arc<dyn Fn(&Url) -> bool + Send + Sync>);

impl fmt::Debug for HopGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HopGate")
    }
}

impl Request {
    /// A call with this method, without a body.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            limits: Limits::default(),
            types: &[],
            reading: Reading::Whole,
            signing: None,
            gate: None,
        }
    }

    /// A GET.
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// A POST of this body, whose type is a [`header`](Self::header).
    pub fn post(url: Url, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..Self::new(Method::POST, url) }
    }

    /// Sets a header. `Host`, `User-Agent` and `Accept-Encoding` are the client's own. After a redirect only
    /// `Accept` is sent again: a token was meant for the first server. A signature is made by
    /// [`signed_by`](Self::signed_by).
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The media types that a successful answer may have, in lower case; one that begins with `+` stands for all
    /// that end so. They are also sent as `Accept`, unless a [`header`](Self::header) says otherwise.
    #[must_use]
    pub fn accept(mut self, types: &'static [&'static str]) -> Self {
        self.types = types;
        let whole: Vec<&str> = types.iter().copied().filter(|name| !name.starts_with('+')).collect();
        if let Ok(value) = HeaderValue::from_str(&whole.join(", ")) {
            self.headers.entry(ACCEPT).or_insert(value);
        }
        self
    }

    /// Other limits than the usual.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Reads status and headers only, and drops the body unread. Unlike a HEAD it asks what every server answers.
    #[must_use]
    pub fn head_only(mut self) -> Self {
        self.reading = Reading::Nothing;
        self
    }

    /// Reads status and headers only, and lets a small body pass: for calls of which more will follow to the same
    /// server.
    #[must_use]
    pub fn status_only(mut self) -> Self {
        self.reading = Reading::Past;
        self
    }

    /// Asks before each request, the first one and those that redirects lead to, whether its URL may be called. What
    /// may not is [`Refusal::Barred`](crate::Refusal::Barred).
    #[must_use]
    pub fn if_let_by(mut self, gate: impl Fn(&Url) -> bool + Send + Sync + 'static) -> Self {
        self.gate = Some(HopGate(Arc::new(gate)));
        self
    }

    /// Adds headers that are made for the very request that is sent: for the first, and anew for each redirect that
    /// is followed. The URL is spelled as the request has it.
    #[must_use]
    pub fn signed_by(
        mut self,
        sign: impl Fn(&Method, &Url) -> Result<HeaderMap, BoxError> + Send + Sync + 'static,
    ) -> Self {
        self.signing = Some(Signing(Arc::new(sign)));
        self
    }
}

/// What a server answered, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status; never one of the redirects that can be followed.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, unpacked. Of an answer that is no success at most the first 16 KiB are there, as they came; their
    /// type was not checked.
    pub body: Bytes,
    /// Where the answer came from, after redirects.
    pub url: Url,
}
