//! Servers that behave, servers that do not, name servers, and clients with little patience.

use artdag_federation::{Barred, Gate, Shunned};
use artdag_http::{ClientBuilder, GuardPolicy, GuardedClient, Limits, Resolve};
use async_trait::async_trait;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use url::Url;

pub(crate) type Reply = Response<Full<Bytes>>;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) head: Arc<http::request::Parts>,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A server for as long as it is held.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Answers by the function, on 127.0.0.1.
    pub(crate) async fn start(reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::on(listen("127.0.0.1:0").await, None, reply)
    }

    pub(crate) fn on(
        listener: TcpListener,
        tls: Option<TlsAcceptor>,
        reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (record, reply) = (Arc::clone(&seen), Arc::new(reply));
        Self::accepting(listener, seen, move |stream| {
            let (record, reply, tls) = (Arc::clone(&record), Arc::clone(&reply), tls.clone());
            async move {
                match tls {
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            converse(stream, record, reply).await;
                        }
                    }
                    None => converse(stream, record, reply).await,
                }
            }
        })
    }

    /// Does what the function does with each connection whose request has been read.
    pub(crate) async fn raw<F: Future<Output = ()> + Send + 'static>(
        talk: impl Fn(TcpStream) -> F + Send + Sync + 'static,
    ) -> Self {
        let talk = Arc::new(talk);
        Self::accepting(listen("127.0.0.1:0").await, Arc::default(), move |mut stream| {
            let talk = Arc::clone(&talk);
            async move {
                read_head(&mut stream).await;
                talk(stream).await;
            }
        })
    }

    /// Writes this after each request, and closes.
    pub(crate) async fn says(text: impl Into<Vec<u8>>) -> Self {
        let text = Arc::new(text.into());
        Self::raw(move |mut stream| {
            let text = Arc::clone(&text);
            async move {
                // The client may hang up on what it does not want to hear.
                let _ = stream.write_all(&text).await;
                let _ = stream.shutdown().await;
            }
        })
        .await
    }

    /// Writes this after each request, and then nothing more, but does not close.
    pub(crate) async fn stops_after(text: &'static str) -> Self {
        Self::raw(move |mut stream| async move {
            let _ = stream.write_all(text.as_bytes()).await;
            std::future::pending::<()>().await;
        })
        .await
    }

    fn accepting<F: Future<Output = ()> + Send + 'static>(
        listener: TcpListener,
        seen: Arc<Mutex<Vec<Seen>>>,
        talk: impl Fn(TcpStream) -> F + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(talk(stream));
            }
        });
        Self { address, seen, connections, accepting }
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

pub(crate) async fn listen(address: &str) -> TcpListener {
    TcpListener::bind(address).await.unwrap()
}

async fn converse<S>(
    stream: S,
    record: Arc<Mutex<Vec<Seen>>>,
    reply: Arc<impl Fn(&Seen) -> Reply + Send + Sync + 'static>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let (record, reply) = (Arc::clone(&record), Arc::clone(&reply));
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            let seen = Seen { head: Arc::new(head), body };
            let reply = reply(&seen);
            record.lock().unwrap().push(seen);
            Ok::<_, Infallible>(reply)
        }
    });
    // A client that hangs up in the middle is what many tests are about.
    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
}

pub(crate) fn reply(status: u16, content_type: &str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap();
    reply.headers_mut().insert("content-type", content_type.parse().unwrap());
    reply
}

pub(crate) fn redirect(status: u16, location: &str) -> Reply {
    let mut reply = reply(status, "text/html", "moved");
    reply.headers_mut().insert("location", location.parse().unwrap());
    reply
}

/// A name server that gives one list after the other, and the last for good.
pub(crate) struct Names {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Names {
    pub(crate) fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect();
        Arc::new(Self { answers: Mutex::new(answers.iter().rev().map(parse).collect()), asked: AtomicUsize::new(0) })
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop() } else { answers.last().cloned() };
        answer.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

/// A client for which these networks are open.
pub(crate) fn builder(networks: &[&str]) -> ClientBuilder {
    let networks = networks.iter().map(|text| text.parse().unwrap()).collect();
    let public_url = "https://l2.example".parse().unwrap();
    GuardedClient::builder(&public_url, GuardPolicy::new(networks, []))
}

/// A client for which loopback is open.
pub(crate) fn client() -> GuardedClient {
    builder(&["127.0.0.0/8"]).build().unwrap()
}

/// Limits for servers that answer: a busy machine must not make them look slow.
pub(crate) const PATIENT: Limits =
    Limits { total: Duration::from_secs(60), stall: Duration::from_secs(30), ..IMPATIENT };

/// Limits for servers that do not answer.
pub(crate) const IMPATIENT: Limits = Limits {
    total: Duration::from_millis(300),
    stall: Duration::from_millis(100),
    max_body: 1024 * 1024,
    max_ratio: 100,
    redirects: 3,
};

/// Lets every request by but those to these hosts, and keeps the hosts that were asked about.
#[derive(Default)]
pub(crate) struct TestGate {
    pub(crate) blocked: Vec<String>,
    pub(crate) passed: Mutex<Vec<String>>,
}

impl Gate for TestGate {
    fn pass(&self, host: &str) -> Result<(), Barred> {
        if self.blocked.iter().any(|blocked| blocked == host) {
            return Err(Shunned::Blocked(host.to_owned()).into());
        }
        self.passed.lock().unwrap().push(host.to_owned());
        Ok(())
    }
}

/// A gate that nothing is kept from.
pub(crate) fn open_gate() -> Arc<dyn Gate> {
    Arc::new(TestGate::default())
}

/// A gate that these hosts are kept from.
pub(crate) fn gate_against(blocked: &[String]) -> (Arc<TestGate>, Arc<dyn Gate>) {
    let gate = Arc::new(TestGate { blocked: blocked.to_vec(), ..TestGate::default() });
    (gate.clone(), gate)
}
