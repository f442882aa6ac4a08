//! Headers from explorers on the web.

use crate::failure::Failure;
use crate::fetch::one_by_one;
use artdag_anchoring::Assurance;
use artdag_anchoring::bitcoin::{BlockHash, BlockHeader};
use artdag_anchoring::{BlockHeaders, HeadersError};
use artdag_http::{GuardedClient, Limits, Request, StatusCode};
use artdag_kernel::ServerUrl;
use async_trait::async_trait;
use std::str::FromStr;
use std::time::Duration;
use url::Url;

/// Public explorers turn away who asks for more.
const AT_A_TIME: usize = 4;

/// An explorer that speaks the API of Esplora, such as `https://blockstream.info/api`.
#[derive(Clone, Debug)]
pub struct Esplora {
    client: GuardedClient,
    server: ServerUrl,
    limits: Limits,
}

impl Esplora {
    /// Asks through this client. The address is that under which `/blocks/tip/height` is found.
    #[must_use]
    pub fn new(client: GuardedClient, server: ServerUrl) -> Self {
        let limits = Limits { max_body: 1024, redirects: 0, ..Limits::default() };
        Self { client, server, limits }.with_timeout(Duration::from_secs(10))
    }

    /// How long a question may take, if not 10 s.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.limits.total = timeout;
        self
    }

    fn failed(&self, failure: impl Into<Failure>) -> HeadersError {
        failure.into().of_source(self.name())
    }

    /// What is found there, `None` if it says that there is nothing.
    async fn get<T: FromStr>(&self, segments: &[&str], what: &str) -> Result<Option<T>, HeadersError> {
        let no_url = || self.failed(Failure::Refused("its address is no URL with a path".into()));
        let mut url = Url::parse(self.server.as_str()).map_err(|_| no_url())?;
        url.path_segments_mut().map_err(|()| no_url())?.pop_if_empty().extend(segments);
        let request = Request::get(url).limits(self.limits);
        let answer = self.client.send(request).await.map_err(|error| self.failed(error))?;
        match answer.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            status => return Err(self.failed(Failure::of_status(status))),
        }
        let read = std::str::from_utf8(&answer.body).ok().and_then(|text| text.trim().parse().ok());
        read.map(Some).ok_or_else(|| self.failed(Failure::Nonsense(format!("{what} is none"))))
    }
}

#[async_trait]
impl BlockHeaders for Esplora {
    fn assurance(&self) -> Assurance {
        Assurance::Explorers { agreeing: 1, asked: 1 }
    }

    fn name(&self) -> String {
        format!("the explorer {}", self.server)
    }

    async fn tip(&self) -> Result<u32, HeadersError> {
        let height = self.get(&["blocks", "tip", "height"], "its height").await?;
        height.ok_or_else(|| self.failed(Failure::Nonsense("it does not know its height".to_owned())))
    }

    async fn header(&self, height: u32) -> Result<Option<BlockHeader>, HeadersError> {
        let hash = self.get::<BlockHash>(&["block-height", &height.to_string()], "its block's hash").await?;
        let Some(hash) = hash else { return Ok(None) };
        let segments = ["block", &hash.to_string(), "header"];
        let header = self.get::<BlockHeader>(&segments, "its block's header").await?;
        // There is none if the chain changed between the two questions.
        let Some(header) = header else { return Ok(None) };
        if header.hash() != hash {
            let why = "its block's header is not the one of that hash".to_owned();
            return Err(self.failed(Failure::Nonsense(why)));
        }
        Ok(Some(header))
    }

    async fn headers(&self, from: u32, count: u32) -> Result<Vec<BlockHeader>, HeadersError> {
        one_by_one(self, from, count, AT_A_TIME).await
    }
}
