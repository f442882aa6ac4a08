//! Witnesses of this server's log, over HTTP.

use crate::client::GuardedClient;
use crate::error::FetchError;
use crate::request::{Answer, Limits, Request};
use artdag_anchoring::checkpoint::{AddCheckpoint, WitnessAnswer};
use artdag_anchoring::{Witness, WitnessError};
use artdag_kernel::ServerUrl;
use async_trait::async_trait;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use std::time::Duration;
use url::Url;

/// Of the size at which a log was last seen.
const SIZE: &str = "text/x.tlog.size";
/// A few lines, some of which may be of a kind of signature that takes thousands of bytes.
const MOST_READ: usize = 64 * 1024;

/// Witnesses as they are asked over HTTP, as C2SP's `tlog-witness` says.
///
/// Which of them are asked is the caller's to decide, by the list in the settings. One in a private network must also be
/// in the client's [`GuardPolicy`](crate::GuardPolicy).
#[derive(Clone, Debug)]
pub struct HttpWitnesses {
    client: GuardedClient,
    limits: Limits,
}

impl HttpWitnesses {
    /// Asks through this client.
    pub fn new(client: GuardedClient) -> Self {
        // No redirects: the operator has named who is to sign.
        Self { client, limits: Limits { max_body: MOST_READ, redirects: 0, ..Limits::default() } }
    }

    /// How long a call may take altogether, if not 10 s.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.limits.total = timeout;
        self
    }
}

#[async_trait]
impl Witness for HttpWitnesses {
    async fn add_checkpoint(
        &self,
        witness: &ServerUrl,
        request: &AddCheckpoint,
    ) -> Result<WitnessAnswer, WitnessError> {
        let no_url = || WitnessError::Refused("its address is no URL with a path".into());
        let mut url = Url::parse(witness.as_str()).map_err(|_| no_url())?;
        url.path_segments_mut().map_err(|()| no_url())?.pop_if_empty().push("add-checkpoint");
        let request = Request::post(url, request.to_string())
            .header(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))
            .limits(self.limits);
        read(&self.client.send(request).await?)
    }
}

fn read(answer: &Answer) -> Result<WitnessAnswer, WitnessError> {
    let nonsense = |why: &str| WitnessError::Nonsense(why.to_owned());
    let body = str::from_utf8(&answer.body);
    match answer.status {
        StatusCode::OK => {
            let body = body.map_err(|_| nonsense("it is no text"))?;
            WitnessAnswer::cosigned(body).map_err(|error| WitnessError::Nonsense(error.to_string()))
        }
        StatusCode::CONFLICT => {
            let is_size = answer.headers.get(CONTENT_TYPE).is_some_and(|said| said.as_bytes() == SIZE.as_bytes());
            let size = body.ok().filter(|_| is_size).and_then(WitnessAnswer::seen_at);
            size.ok_or_else(|| nonsense("its conflict names no size"))
        }
        StatusCode::NOT_FOUND => Err(WitnessError::UnknownLog),
        StatusCode::FORBIDDEN => Err(WitnessError::UnknownKey),
        StatusCode::UNPROCESSABLE_ENTITY => Err(WitnessError::Rewritten),
        status => {
            let said = format!("its status is {}", status.as_u16());
            let is_passing = status.is_server_error()
                || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
            Err(if is_passing { WitnessError::Unreachable(said.into()) } else { WitnessError::Nonsense(said) })
        }
    }
}

impl From<FetchError> for WitnessError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Timeout => Self::Slow,
            FetchError::Refused(_) | FetchError::Unsigned(_) => Self::Refused(error.into()),
            FetchError::Connect(_) | FetchError::Broken(_) => Self::Unreachable(error.into()),
            FetchError::TooLarge | FetchError::ContentType(_) | FetchError::Redirects(_) | FetchError::Protocol(_) => {
                Self::Nonsense(error.to_string())
            }
        }
    }
}
