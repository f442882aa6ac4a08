//! The client.

use crate::body;
use crate::connect::{GuardedConnector, TimedConnector};
use crate::error::{FetchError, RedirectFault};
use crate::policy::{GuardPolicy, Refusal};
use crate::request::{Answer, Reading, Request};
use crate::resolve::{Resolve, SystemResolver};
use crate::tls;
use artdag_kernel::ServerUrl;
use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, HOST, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

/// How much is kept of what comes with an error status.
const ERROR_PAGE: usize = 16 * 1024;
/// How long a body that nobody reads is let pass.
const PASSING: Duration = Duration::from_millis(250);

/// An HTTP client that cannot be led into the operator's own network. Clones share their connections.
#[derive(Clone)]
pub struct GuardedClient {
    pool: legacy::Client<TimedConnector, Full<Bytes>>,
    policy: Arc<GuardPolicy>,
    user_agent: HeaderValue,
}

/// The client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The public URL cannot stand in a header.
    #[error("the public URL cannot stand in a header")]
    UserAgent,
}

/// What a [`GuardedClient`] is made of.
pub struct ClientBuilder {
    public_url: ServerUrl,
    policy: GuardPolicy,
    resolver: Arc<dyn Resolve>,
    connect_limit: Duration,
    idle_limit: Duration,
    roots: Option<rustls::RootCertStore>,
}

impl ClientBuilder {
    /// Another resolver than the system's.
    #[must_use]
    pub fn resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = resolver;
        self
    }

    /// How long look-up, TCP and TLS may take together: 5 s, unless told otherwise. It belongs to the client and
    /// not to a call, since calls share connections.
    #[must_use]
    pub fn connect_limit(mut self, limit: Duration) -> Self {
        self.connect_limit = limit;
        self
    }

    /// How long a connection is kept that nobody uses: 30 s, unless told otherwise. Each holds some 30 KiB and a file,
    /// so who calls thousands of servers keeps theirs for less.
    #[must_use]
    pub fn idle_limit(mut self, limit: Duration) -> Self {
        self.idle_limit = limit;
        self
    }

    /// Trusts these authorities and no others.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn roots(mut self, roots: rustls::RootCertStore) -> Self {
        self.roots = Some(roots);
        self
    }

    /// Makes the client.
    ///
    /// # Errors
    ///
    /// [`ClientError`], which a machine that serves HTTP does not see.
    pub fn build(self) -> Result<GuardedClient, ClientError> {
        let policy = Arc::new(self.policy);
        let guarded = GuardedConnector { policy: Arc::clone(&policy), resolver: self.resolver };
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls::config(self.roots.unwrap_or_else(tls::public_roots))?)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(guarded);
        let connector = TimedConnector { inner: https, limit: self.connect_limit };
        let user_agent = format!("artdag-l2/{} (+{})", env!("CARGO_PKG_VERSION"), self.public_url);
        Ok(GuardedClient {
            pool: pool(self.idle_limit).build(connector),
            policy,
            user_agent: HeaderValue::try_from(user_agent).map_err(|_| ClientError::UserAgent)?,
        })
    }
}

/// Few idle connections and small windows: there may be thousands of peers, and none is owed memory.
fn pool(idle_limit: Duration) -> legacy::Builder {
    let mut pool = legacy::Client::builder(TokioExecutor::new());
    pool.timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(idle_limit)
        .pool_max_idle_per_host(4)
        .http1_max_buf_size(64 * 1024)
        .http2_max_header_list_size(64 * 1024)
        .http2_initial_stream_window_size(256 * 1024)
        .http2_initial_connection_window_size(1024 * 1024)
        // Without it calls would go on failing over a connection whose other end is gone.
        .http2_keep_alive_interval(Duration::from_secs(3))
        .http2_keep_alive_timeout(Duration::from_secs(3));
    pool
}

impl GuardedClient {
    /// A client that calls itself by this server's public URL and goes where the policy lets it.
    pub fn builder(public_url: &ServerUrl, policy: GuardPolicy) -> ClientBuilder {
        ClientBuilder {
            public_url: public_url.clone(),
            policy,
            resolver: Arc::new(SystemResolver::default()),
            connect_limit: Duration::from_secs(5),
            idle_limit: Duration::from_secs(30),
            roots: None,
        }
    }

    /// Makes one call, with the redirects that it may follow. It can be dropped at any time; what it holds ends
    /// with it. Needs a tokio runtime with I/O and time.
    ///
    /// # Errors
    ///
    /// [`FetchError`], when there is no answer or none that can be used. A status that is no success is an answer.
    pub async fn send(&self, request: Request) -> Result<Answer, FetchError> {
        let outcome = timeout(request.limits.total, self.follow(&request)).await;
        let outcome = outcome.unwrap_or(Err(FetchError::Timeout));
        // The path may hold what is nobody's business.
        let (method, host) = (&request.method, request.url.host_str());
        match &outcome {
            Ok(answer) => {
                tracing::debug!(%method, host, status = answer.status.as_u16(), "called another server");
            }
            Err(error) => {
                let error: &dyn Error = error;
                tracing::debug!(%method, host, error, "a call to another server failed");
            }
        }
        outcome
    }

    /// Whom this client may call.
    pub(crate) fn policy(&self) -> &GuardPolicy {
        &self.policy
    }

    async fn follow(&self, request: &Request) -> Result<Answer, FetchError> {
        let mut url = request.url.clone();
        let mut response = self.exchange(request, &url, self.headers(request)).await?;
        if is_redirect(response.status()) && request.method != Method::GET {
            return Err(FetchError::Redirects(RedirectFault::NotFollowed(response.status().as_u16())));
        }
        for _ in 0..request.limits.redirects {
            if !is_redirect(response.status()) {
                break;
            }
            url = location(&url, response.headers())?;
            let followed = self.exchange(request, &url, self.redirected_headers(request)).await;
            response = followed.map_err(|error| match error {
                FetchError::Refused(reason) => FetchError::Redirects(RedirectFault::Refused(reason)),
                FetchError::Connect(_) => FetchError::Redirects(RedirectFault::NoConnection),
                other => other,
            })?;
        }
        if is_redirect(response.status()) {
            return Err(FetchError::Redirects(RedirectFault::TooMany));
        }
        answer(request, url, response).await
    }

    /// One request and the head of its answer.
    async fn exchange(
        &self,
        request: &Request,
        url: &Url,
        mut headers: HeaderMap,
    ) -> Result<http::Response<Incoming>, FetchError> {
        let target = self.policy.check_url(url).map_err(FetchError::Refused)?;
        if let Some(gate) = &request.gate
            && !(gate.0)(url)
        {
            return Err(FetchError::Refused(Refusal::Barred));
        }
        if let Some(signing) = &request.signing {
            // What is signed is what is sent, down to the dot that a host's name may have lost.
            let sent = Url::parse(&target.uri.to_string()).map_err(|e| FetchError::Unsigned(e.into()))?;
            headers.extend(signing.headers(&request.method, &sent).map_err(FetchError::Unsigned)?);
        }
        let mut message = http::Request::new(Full::new(request.body.clone()));
        *message.method_mut() = request.method.clone();
        *message.uri_mut() = target.uri;
        *message.headers_mut() = headers;
        self.pool.request(message).await.map_err(FetchError::from_client)
    }

    fn headers(&self, request: &Request) -> HeaderMap {
        let mut headers = request.headers.clone();
        // It is the URL's, which is what the guard has checked.
        headers.remove(HOST);
        headers.insert(USER_AGENT, self.user_agent.clone());
        let codings = if request.reading == Reading::Whole { "gzip" } else { "identity" };
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(codings));
        headers
    }

    fn redirected_headers(&self, request: &Request) -> HeaderMap {
        let mut headers = self.headers(request);
        let kept = [ACCEPT, USER_AGENT, ACCEPT_ENCODING].map(|name| (headers.remove(&name), name));
        kept.into_iter().filter_map(|(value, name)| Some((name, value?))).collect()
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn location(from: &Url, headers: &HeaderMap) -> Result<Url, FetchError> {
    let location = headers.get(LOCATION).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
    let location = location.ok_or_else(|| FetchError::Protocol("a redirect to nowhere".into()))?;
    let refused = |_| FetchError::Redirects(RedirectFault::Refused(Refusal::Host));
    from.join(location).map_err(refused)
}

async fn answer(request: &Request, url: Url, response: http::Response<Incoming>) -> Result<Answer, FetchError> {
    let (head, incoming) = response.into_parts();
    let body = match request.reading {
        Reading::Nothing => Bytes::new(),
        Reading::Past => {
            // Waiting any longer would cost more than another connection.
            let _ = timeout(PASSING, body::skip(incoming, ERROR_PAGE)).await;
            Bytes::new()
        }
        Reading::Whole if head.status.is_success() => {
            body::check_type(&head.headers, request.types)?;
            body::read(&head.headers, incoming, &request.limits).await?
        }
        Reading::Whole => body::read_some(incoming, &request.limits, ERROR_PAGE).await,
    };
    Ok(Answer { status: head.status, headers: head.headers, body, url })
}

impl fmt::Debug for GuardedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedClient").field("policy", &self.policy).finish_non_exhaustive()
    }
}
