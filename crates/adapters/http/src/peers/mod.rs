//! Peers, over HTTP.

mod handle;
mod knock;
mod media_type;

use crate::client::GuardedClient;
use crate::error::{FetchError, RedirectFault, in_full};
use crate::request::{Limits, Request};
use artdag_federation::delivery::Attempt;
use artdag_federation::http_signature::{CannotSign, collection_synchronization};
use artdag_federation::{
    ACTIVITY_JSON, Barred, Fetched, Gate, Handover, Iri, Letter, PeerError, Peers, SignAs, SignatureScheme,
};
use artdag_kernel::Clock;
use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use knock::{Knocked, Signature, knock};
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::timeout;
use url::{Position, Url};

const SYNCHRONIZATION: HeaderName = HeaderName::from_static(collection_synchronization::HEADER);
/// Longer than any date or number of seconds.
const MAX_RETRY_AFTER: usize = 100;

/// Other servers of the fediverse as they are spoken to over HTTP.
///
/// A delivery is one request when it is known how the server wants it signed, and at most three else. Signing costs a
/// millisecond of the calling thread for each, and a letter's body is never copied. Connections are kept per server;
/// who delivers to very many gives the client a short [`idle_limit`](crate::ClientBuilder::idle_limit).
#[derive(Clone)]
pub struct HttpPeers {
    client: GuardedClient,
    clock: Arc<dyn Clock>,
    limits: PeerLimits,
}

/// How much each question to a peer may take.
#[derive(Clone, Copy, Debug)]
pub struct PeerLimits {
    /// Getting a document, however often it must be asked for: 10 s, 1 MiB, 3 redirects.
    pub document: Limits,
    /// Finding out who bears a handle, all in all: 10 s, 64 KiB, 3 redirects.
    pub handle: Limits,
    /// Each request of a delivery: 10 s.
    pub delivery: Limits,
}

impl Default for PeerLimits {
    fn default() -> Self {
        let usual = Limits::default();
        Self { document: usual, handle: Limits { max_body: 64 * 1024, ..usual }, delivery: usual }
    }
}

impl HttpPeers {
    /// Speaks through this client, with the usual limits. Signatures tell the time by this clock.
    pub fn new(client: GuardedClient, clock: Arc<dyn Clock>) -> Self {
        Self::with_limits(client, clock, PeerLimits::default())
    }

    /// Speaks through this client, with these limits.
    pub fn with_limits(client: GuardedClient, clock: Arc<dyn Clock>, limits: PeerLimits) -> Self {
        Self { client, clock, limits }
    }

    async fn get(&self, url: Url, sign_as: &SignAs, gate: &GuestList) -> Result<(Url, Bytes), PeerError> {
        let request = gate
            .before(Request::get(url))
            .header(ACCEPT, HeaderValue::from_static(media_type::ACCEPTED))
            .accept(media_type::ESSENCES)
            .limits(self.limits.document);
        let signature = Signature { sign_as: sign_as.clone(), clock: Arc::clone(&self.clock), letter: None };
        let answer =
            knock(&self.client, &request, signature, None).await.outcome.map_err(|error| gate.unusable(error))?;
        expect_success(answer.status)?;
        let said = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !media_type::is_activity(said) {
            return Err(PeerError::Nonsense("it is JSON-LD without the profile of ActivityPub".to_owned()));
        }
        Ok((answer.url, answer.body))
    }
}

#[async_trait]
impl Peers for HttpPeers {
    async fn fetch(&self, url: &Iri, sign_as: &SignAs, gate: &Arc<dyn Gate>) -> Result<Fetched, PeerError> {
        let asked = url.document();
        let gate = GuestList::of(gate);
        let target = parse(&asked)?;
        let (found, body) = within(self.limits.document.total, self.get(target.clone(), sign_as, &gate)).await?;
        // Without a redirect it stays as it was spelled, since ids are compared as they are spelled.
        let url = if found == target { asked } else { place(found)? };
        Ok(Fetched { url, body: body.into() })
    }

    async fn resolve_handle(&self, username: &str, domain: &str, gate: &Arc<dyn Gate>) -> Result<Iri, PeerError> {
        let gate = GuestList::of(gate);
        within(self.limits.handle.total, handle::resolve(self, username, domain, &gate)).await
    }

    async fn deliver(&self, letter: &Letter, sign_as: &SignAs, known: Option<SignatureScheme>) -> Handover {
        let request = match post(letter, self.limits.delivery) {
            Ok(request) => request,
            Err(reason) => return Handover { attempt: Attempt::Forbidden(reason.to_string()), scheme: None },
        };
        let letter = Some(letter.clone());
        let signature = Signature { sign_as: sign_as.clone(), clock: Arc::clone(&self.clock), letter };
        let Knocked { outcome, scheme } = knock(&self.client, &request, signature, known).await;
        let attempt = match outcome {
            Ok(answer) => {
                let asked = answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                let retry_after = asked.filter(|text| text.len() <= MAX_RETRY_AFTER).map(str::to_owned);
                Attempt::Answered { status: answer.status.as_u16(), retry_after }
            }
            Err(error) => failed(&error),
        };
        Handover { attempt, scheme }
    }
}

/// The gate that one question passes, and why it did not let a request by.
#[derive(Clone)]
struct GuestList {
    gate: Arc<dyn Gate>,
    barred: Arc<OnceLock<Barred>>,
}

impl GuestList {
    fn of(gate: &Arc<dyn Gate>) -> Self {
        Self { gate: Arc::clone(gate), barred: Arc::default() }
    }

    /// The request, with the gate before it.
    fn before(&self, request: Request) -> Request {
        let Self { gate, barred } = self.clone();
        request.if_let_by(move |url| {
            let passed = gate.pass(&url[Position::BeforeHost..Position::AfterPort]);
            passed.map_err(|reason| barred.get_or_init(|| reason)).is_ok()
        })
    }

    fn unusable(&self, error: FetchError) -> PeerError {
        match self.barred.get() {
            Some(reason) => reason.clone().into(),
            None => unusable(error),
        }
    }
}

/// A text that the requests of all its recipients share.
struct Shared(Arc<str>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn post(letter: &Letter, limits: Limits) -> Result<Request, PeerError> {
    let body = Bytes::from_owner(Shared(Arc::clone(letter.body.text())));
    let mut request = Request::post(parse(&letter.inbox)?, body)
        .header(CONTENT_TYPE, HeaderValue::from_static(ACTIVITY_JSON))
        .status_only()
        .limits(limits);
    if let Some(value) = &letter.synchronization {
        let unwritable = |_| PeerError::Forbidden("its `Collection-Synchronization` is no header".to_owned());
        request = request.header(SYNCHRONIZATION, HeaderValue::try_from(value).map_err(unwritable)?);
    }
    Ok(request)
}

fn failed(error: &FetchError) -> Attempt {
    match error {
        FetchError::Redirects(RedirectFault::NotFollowed(status)) => {
            Attempt::Answered { status: *status, retry_after: None }
        }
        FetchError::Refused(_) => Attempt::Forbidden(error.to_string()),
        FetchError::Unsigned(reason) if is_for_good(reason.as_ref()) => Attempt::Forbidden(in_full(error)),
        FetchError::Unsigned(_)
        | FetchError::Connect(_)
        | FetchError::Timeout
        | FetchError::Broken(_)
        | FetchError::TooLarge
        | FetchError::ContentType(_)
        | FetchError::Redirects(_)
        | FetchError::Protocol(_) => Attempt::Unreachable(in_full(error)),
    }
}

/// Whether it is the request that cannot be signed, and not the key that fails.
fn is_for_good(reason: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    !matches!(reason.downcast_ref(), Some(CannotSign::Key(_)))
}

fn unusable(error: FetchError) -> PeerError {
    match &error {
        FetchError::Refused(reason) => PeerError::Forbidden(reason.to_string()),
        FetchError::Redirects(RedirectFault::Refused(_)) => PeerError::Forbidden(error.to_string()),
        FetchError::Unsigned(reason) if is_for_good(reason.as_ref()) => PeerError::Forbidden(in_full(&error)),
        FetchError::Connect(_) => PeerError::NoConnection(error.into()),
        FetchError::Unsigned(_)
        | FetchError::Timeout
        | FetchError::Broken(_)
        | FetchError::Redirects(RedirectFault::NoConnection) => PeerError::Unreachable(error.into()),
        FetchError::TooLarge | FetchError::ContentType(_) | FetchError::Redirects(_) | FetchError::Protocol(_) => {
            PeerError::Nonsense(error.to_string())
        }
    }
}

fn expect_success(status: StatusCode) -> Result<(), PeerError> {
    match status {
        status if status.is_success() => Ok(()),
        StatusCode::NOT_FOUND | StatusCode::GONE => Err(PeerError::Gone(status.as_u16())),
        status => Err(PeerError::Refused(status.as_u16())),
    }
}

/// The whole, however many requests it takes, within the time that one may take.
async fn within<T>(total: Duration, work: impl Future<Output = Result<T, PeerError>>) -> Result<T, PeerError> {
    timeout(total, work).await.unwrap_or_else(|_| Err(unusable(FetchError::Timeout)))
}

fn parse(iri: &Iri) -> Result<Url, PeerError> {
    Url::parse(iri.as_str()).map_err(|_| PeerError::Forbidden(crate::Refusal::Host.to_string()))
}

/// Where a redirect ended.
fn place(mut url: Url) -> Result<Iri, PeerError> {
    url.set_fragment(None);
    url.as_str().parse().map_err(|_| PeerError::Nonsense("it redirects to a URL that is no id".to_owned()))
}

impl fmt::Debug for HttpPeers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, clock: _, limits } = self;
        f.debug_struct("HttpPeers").field("client", client).field("limits", limits).finish_non_exhaustive()
    }
}
