//! Connections that only go to addresses that the guard has seen.

use crate::error::BoxError;
use crate::policy::{GuardPolicy, Origin, Refusal};
use crate::resolve::Resolve;
use http::Uri;
use hyper_rustls::HttpsConnector;
use hyper_util::rt::TokioIo;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower_service::Service;

/// How many addresses of one host are tried.
const MAX_ADDRESSES: usize = 8;
/// How long one address is waited for before the next is tried beside it (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectFault {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the host's name cannot be resolved")]
    Resolve(#[source] io::Error),
    #[error("no address of the host answers")]
    Tcp(#[source] io::Error),
    #[error("connecting took too long")]
    Slow,
}

type Connecting<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// Resolves, checks, and connects to what was checked: between check and connection there is no second look-up
/// that could answer differently.
#[derive(Clone)]
pub(crate) struct GuardedConnector {
    pub(crate) policy: Arc<GuardPolicy>,
    pub(crate) resolver: Arc<dyn Resolve>,
}

impl GuardedConnector {
    async fn connect(self, uri: Uri) -> Result<TokioIo<TcpStream>, ConnectFault> {
        let origin = Origin::of(&uri).ok_or(Refusal::Host)?;
        let addresses = match origin.host.parse::<IpAddr>() {
            Ok(literal) => vec![literal],
            Err(_) => self.resolver.resolve(&origin.host).await.map_err(ConnectFault::Resolve)?,
        };
        let mut refusal = None;
        let mut checked = Vec::new();
        for address in addresses {
            match self.policy.check_address(&origin, address) {
                Ok(()) => checked.push(SocketAddr::new(address, origin.port)),
                Err(reason) => refusal = refusal.or(Some(reason)),
            }
        }
        checked.truncate(MAX_ADDRESSES);
        match (checked.is_empty(), refusal) {
            (true, Some(reason)) => Err(reason.into()),
            _ => first_to_answer(checked).await.map(TokioIo::new).map_err(ConnectFault::Tcp),
        }
    }
}

/// Tries the addresses in their order, the next one when the last has failed or keeps silent. Attempts that are not
/// needed any more end with the set, also when the caller gives up.
async fn first_to_answer(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut untried = addresses.into_iter();
    let mut attempts = JoinSet::new();
    let mut fault = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    loop {
        if let Some(address) = untried.next() {
            attempts.spawn(TcpStream::connect(address));
        }
        let outcome = tokio::select! {
            outcome = attempts.join_next() => outcome,
            () = sleep(HEAD_START), if untried.len() > 0 => continue,
        };
        match outcome {
            None => return Err(fault),
            Some(Ok(Ok(stream))) => {
                // A request is one write, and waits for its answer.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Some(Ok(Err(reason))) => fault = reason,
            Some(Err(lost)) => fault = io::Error::other(lost),
        }
    }
}

impl Service<Uri> for GuardedConnector {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectFault;
    type Future = Connecting<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectFault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// Bounds the way to a usable connection: look-up, TCP and TLS together.
#[derive(Clone)]
pub(crate) struct TimedConnector {
    pub(crate) inner: HttpsConnector<GuardedConnector>,
    pub(crate) limit: Duration,
}

impl Service<Uri> for TimedConnector {
    type Response = <HttpsConnector<GuardedConnector> as Service<Uri>>::Response;
    type Error = BoxError;
    type Future = Connecting<Self::Response, Self::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = timeout(self.limit, self.inner.call(uri));
        Box::pin(async move { connecting.await.unwrap_or_else(|_| Err(ConnectFault::Slow.into())) })
    }
}
