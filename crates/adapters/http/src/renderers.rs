//! Renderers, over HTTP.

use crate::client::GuardedClient;
use crate::error::FetchError;
use crate::request::{JSON, Limits, Request};
use artdag_kernel::{ContentHash, ServerUrl, Username};
use artdag_provenance::{Renderer, RendererError, RunId, RunReport};
use async_trait::async_trait;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// Renderers as they are asked over HTTP.
///
/// Which of them may be asked at all is the caller's to decide, by the list in the settings; the same list goes
/// into the client's [`GuardPolicy`](crate::GuardPolicy), so that they may live in a private network.
#[derive(Clone, Debug)]
pub struct HttpRenderers {
    client: GuardedClient,
    limits: RendererLimits,
}

/// How much each question to a renderer may take.
#[derive(Clone, Copy, Debug)]
pub struct RendererLimits {
    /// Asking for a run: 10 s, 1 MiB.
    pub run: Limits,
    /// Asking for content, of which nothing is read: 5 s for each of the two spellings of its name.
    pub content: Limits,
    /// Telling of a logout: 5 s.
    pub revocation: Limits,
}

impl Default for RendererLimits {
    fn default() -> Self {
        let quick = Limits { total: Duration::from_secs(5), ..Limits::default() };
        Self { run: Limits::default(), content: quick, revocation: quick }
    }
}

impl HttpRenderers {
    /// Asks through this client, with the usual limits.
    pub fn new(client: GuardedClient) -> Self {
        Self::with_limits(client, RendererLimits::default())
    }

    /// Asks through this client, with these limits.
    pub fn with_limits(client: GuardedClient, limits: RendererLimits) -> Self {
        Self { client, limits }
    }
}

#[async_trait]
impl Renderer for HttpRenderers {
    async fn fetch_run(&self, l1_server: &ServerUrl, run_id: &RunId) -> Result<RunReport, RendererError> {
        let url = below(l1_server, &["runs", run_id.as_str()])?;
        let request = Request::get(url).accept(JSON).limits(self.limits.run);
        let answer = self.client.send(request).await.map_err(unusable)?;
        expect_success(answer.status)?;
        let nonsense = |_| RendererError::Nonsense("it is not JSON".to_owned());
        let document: Value = serde_json::from_slice(&answer.body).map_err(nonsense)?;
        RunReport::from_json(&document, l1_server, run_id).map_err(|fault| RendererError::Nonsense(fault.to_string()))
    }

    async fn has_content(&self, l1_server: &ServerUrl, hash: &ContentHash) -> Result<bool, RendererError> {
        // Renderers of one era file it under the bare digits, those of the other under the whole name.
        for name in [hash.to_bare_hex(), hash.to_string()] {
            let url = below(l1_server, &["cache", &name])?;
            let request = Request::get(url).head_only().limits(self.limits.content);
            let answer = self.client.send(request).await.map_err(unusable)?;
            match expect_success(answer.status) {
                Err(RendererError::NotFound) => {}
                Err(other) => return Err(other),
                Ok(()) => return Ok(true),
            }
        }
        Ok(false)
    }

    async fn revoke_user(
        &self,
        l1_server: &ServerUrl,
        username: &Username,
        l2_server: &str,
    ) -> Result<(), RendererError> {
        let url = below(l1_server, &["auth", "revoke-user"])?;
        let body = serde_json::json!({ "username": username.as_str(), "l2_server": l2_server });
        let request = Request::post(url, body.to_string())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .head_only()
            .limits(self.limits.revocation);
        let answer = self.client.send(request).await.map_err(unusable)?;
        match expect_success(answer.status) {
            // A renderer of the older era keeps no tokens, and has no such route: there is nothing to revoke.
            Err(RendererError::NotFound) => Ok(()),
            outcome => outcome,
        }
    }
}

/// A URL under the renderer's. Each segment stays one, whatever is in it.
fn below(server: &ServerUrl, segments: &[&str]) -> Result<Url, RendererError> {
    // No URL can say them: they would climb. So no renderer has anything under them.
    if segments.iter().any(|segment| matches!(*segment, "." | "..")) {
        return Err(RendererError::NotFound);
    }
    let unusable = || RendererError::Unreachable("its address is no URL with a path".into());
    let mut url = Url::parse(server.as_str()).map_err(|_| unusable())?;
    url.path_segments_mut().map_err(|()| unusable())?.pop_if_empty().extend(segments);
    Ok(url)
}

fn expect_success(status: StatusCode) -> Result<(), RendererError> {
    match status {
        status if status.is_success() => Ok(()),
        StatusCode::NOT_FOUND => Err(RendererError::NotFound),
        status => Err(RendererError::Nonsense(format!("its status is {}", status.as_u16()))),
    }
}

fn unusable(error: FetchError) -> RendererError {
    match error {
        FetchError::Timeout => RendererError::Slow,
        FetchError::Refused(_) | FetchError::Unsigned(_) | FetchError::Connect(_) | FetchError::Broken(_) => {
            RendererError::Unreachable(Box::new(error))
        }
        FetchError::TooLarge | FetchError::ContentType(_) | FetchError::Redirects(_) | FetchError::Protocol(_) => {
            RendererError::Nonsense(error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(server: &str, run_id: &str) -> Result<String, RendererError> {
        below(&server.parse().unwrap(), &["runs", run_id]).map(String::from)
    }

    #[test]
    fn a_run_id_is_one_segment_whatever_is_in_it() {
        for (id, segment) in [
            ("b7c1-42", "b7c1-42"),
            ("a/b", "a%2Fb"),
            ("../../admin", "..%2F..%2Fadmin"),
            ("%2e%2e", "%252e%252e"),
            ("a?b=c#d", "a%3Fb=c%23d"),
            ("a\\b", "a%5Cb"),
            ("ä b", "%C3%A4%20b"),
            ("@evil.example:80", "@evil.example:80"),
        ] {
            for server in ["https://l1.example", "https://l1.example/art/dag"] {
                assert_eq!(url(server, id).unwrap(), format!("{server}/runs/{segment}"), "{id}");
            }
        }
    }

    #[test]
    fn ids_that_would_climb_are_known_to_nobody() {
        for id in [".", ".."] {
            assert!(matches!(url("https://l1.example", id), Err(RendererError::NotFound)), "{id}");
        }
    }
}
