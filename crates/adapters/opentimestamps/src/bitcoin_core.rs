//! Headers from a Bitcoin node.

use crate::failure::{Failure, clean};
use crate::fetch::one_by_one;
use crate::node_url::NodeUrl;
use artdag_anchoring::Assurance;
use artdag_anchoring::bitcoin::{BlockHash, BlockHeader};
use artdag_anchoring::{BlockHeaders, HeadersError};
use artdag_http::header::{AUTHORIZATION, CONTENT_TYPE};
use artdag_http::{GuardedClient, HeaderValue, Limits, Request, StatusCode};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

/// A node answers four questions at a time, unless it is told otherwise.
const AT_A_TIME: usize = 4;

/// Codes of errors, from the node's `rpc/protocol.h`.
const NO_SUCH_BLOCK: i64 = -5;
const NO_SUCH_HEIGHT: i64 = -8;
const STARTING: i64 = -28;

/// A Bitcoin Core node, or one that speaks its JSON-RPC, that the operator trusts. It may be pruned.
#[derive(Clone, Debug)]
pub struct BitcoinCoreRpc {
    client: GuardedClient,
    url: NodeUrl,
    limits: Limits,
}

/// An error that the node reports in its answer.
struct RpcError {
    code: i64,
    message: String,
}

impl BitcoinCoreRpc {
    /// Asks through this client, whose policy has to let the node's [`server`](NodeUrl::server) be called.
    #[must_use]
    pub fn new(client: GuardedClient, url: NodeUrl) -> Self {
        let limits = Limits { max_body: 16 * 1024, redirects: 0, ..Limits::default() };
        Self { client, url, limits }.with_timeout(Duration::from_secs(10))
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

    fn nonsense(&self, why: &str) -> HeadersError {
        self.failed(Failure::Nonsense(why.to_owned()))
    }

    async fn call(&self, method: &str, params: Value) -> Result<Result<Value, RpcError>, HeadersError> {
        let refused = |why: &str| self.failed(Failure::Refused(why.into()));
        let url = Url::parse(self.url.server().as_str()).map_err(|_| refused("its address is no URL"))?;
        let body = json!({ "jsonrpc": "1.0", "id": "artdag", "method": method, "params": params }).to_string();
        let json = HeaderValue::from_static("application/json");
        let mut request = Request::post(url, body).header(CONTENT_TYPE, json).limits(self.limits);
        if let Some(authorization) = self.url.authorization() {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let answer = self.client.send(request).await.map_err(|error| self.failed(error))?;
        if matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(refused("it does not let this server in"));
        }
        // Errors come with a status of their own, and with JSON all the same.
        let Ok(Value::Object(mut document)) = serde_json::from_slice(&answer.body) else {
            let is_success = answer.status.is_success();
            let no_json = || Failure::Nonsense("it does not speak JSON-RPC".to_owned());
            return Err(self.failed(if is_success { no_json() } else { Failure::of_status(answer.status) }));
        };
        match document.remove("error") {
            None | Some(Value::Null) => {
                let result = document.remove("result").filter(|_| answer.status.is_success());
                result.map(Ok).ok_or_else(|| self.nonsense("it gives neither a result nor an error"))
            }
            Some(error) => {
                let code = error["code"].as_i64().ok_or_else(|| self.nonsense("its error has no code"))?;
                let message = clean(error["message"].as_str().unwrap_or_default().as_bytes());
                if code == STARTING {
                    return Err(self.failed(Failure::Unreachable("it is still starting".into())));
                }
                Ok(Err(RpcError { code, message }))
            }
        }
    }

    fn unexpected(&self, method: &str, error: &RpcError) -> HeadersError {
        let RpcError { code, message } = error;
        self.nonsense(&format!("it fails to {method}: {message} ({code})"))
    }
}

#[async_trait]
impl BlockHeaders for BitcoinCoreRpc {
    fn assurance(&self) -> Assurance {
        Assurance::Node
    }

    fn name(&self) -> String {
        format!("the node {}", self.url)
    }

    async fn tip(&self) -> Result<u32, HeadersError> {
        let height = self.call("getblockcount", json!([])).await?;
        let height = height.map_err(|error| self.unexpected("getblockcount", &error))?;
        let height = height.as_u64().and_then(|height| u32::try_from(height).ok());
        height.ok_or_else(|| self.nonsense("its count of blocks is no height"))
    }

    async fn header(&self, height: u32) -> Result<Option<BlockHeader>, HeadersError> {
        // The node reads heights as signed numbers.
        if i32::try_from(height).is_err() {
            return Ok(None);
        }
        let hash = match self.call("getblockhash", json!([height])).await? {
            Ok(hash) => hash,
            Err(RpcError { code: NO_SUCH_HEIGHT, .. }) => return Ok(None),
            Err(error) => return Err(self.unexpected("getblockhash", &error)),
        };
        let hash = hash.as_str().and_then(|hash| hash.parse::<BlockHash>().ok());
        let hash = hash.ok_or_else(|| self.nonsense("its block's hash is none"))?;
        let header = match self.call("getblockheader", json!([hash.to_string(), false])).await? {
            Ok(header) => header,
            // The chain changed between the two questions. It has no block there that could be named now.
            Err(RpcError { code: NO_SUCH_BLOCK, .. }) => return Ok(None),
            Err(error) => return Err(self.unexpected("getblockheader", &error)),
        };
        let header = header.as_str().and_then(|header| header.parse::<BlockHeader>().ok());
        let header = header.filter(|header| header.hash() == hash);
        header.map(Some).ok_or_else(|| self.nonsense("its block's header is not the one of that hash"))
    }

    async fn headers(&self, from: u32, count: u32) -> Result<Vec<BlockHeader>, HeadersError> {
        one_by_one(self, from, count, AT_A_TIME).await
    }
}
