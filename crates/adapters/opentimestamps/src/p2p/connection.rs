//! A call to a peer.

use super::wire::{self, HEAD, Head, Message};
use crate::failure::Failure;
use artdag_anchoring::bitcoin::{BlockHash, BlockHeader, Network};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A peer that has greeted, for as long as this is held.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    magic: [u8; 4],
    /// How long an answer may take, whatever else is said meanwhile.
    patience: Duration,
    /// The height that the peer named. It may be anything.
    pub(super) height: u32,
}

impl Connection {
    /// Calls a peer, and exchanges greetings.
    pub(super) async fn open(
        address: SocketAddr,
        network: Network,
        seconds: i64,
        patience: Duration,
    ) -> Result<Self, Failure> {
        let stream = timeout(patience, TcpStream::connect(address)).await.map_err(|_| Failure::Slow)??;
        stream.set_nodelay(true)?;
        let mut peer = Self { stream, magic: wire::magic(network), patience, height: 0 };
        timeout(patience, peer.greet(seconds)).await.map_err(|_| Failure::Slow)??;
        Ok(peer)
    }

    /// The headers after the first of these blocks that the peer knows, at most [`FULL`](wire::FULL).
    pub(super) async fn headers_after(&mut self, locator: &[BlockHash]) -> Result<Vec<BlockHeader>, Failure> {
        let patience = self.patience;
        let asked = async {
            self.say("getheaders", &wire::get_headers(locator)).await?;
            loop {
                if let Message::Headers(headers) = self.hear().await? {
                    return Ok(headers);
                }
            }
        };
        timeout(patience, asked).await.map_err(|_| Failure::Slow)?
    }

    async fn greet(&mut self, seconds: i64) -> Result<(), Failure> {
        self.say("version", &wire::version(seconds)).await?;
        let mut has_greeted = false;
        loop {
            match self.hear().await? {
                Message::Version(height) if !has_greeted => {
                    has_greeted = true;
                    self.height = height;
                    self.say("verack", &[]).await?;
                }
                Message::Verack if has_greeted => return Ok(()),
                Message::Version(_) | Message::Verack => {
                    return Err(Failure::Nonsense("it greets out of turn".to_owned()));
                }
                Message::Ping(_) | Message::Headers(_) | Message::Other => {}
            }
        }
    }

    /// The next message. A ping is answered.
    async fn hear(&mut self) -> Result<Message, Failure> {
        let nonsense = |why: &str| Failure::Nonsense(why.to_owned());
        let mut head = [0; HEAD];
        self.stream.read_exact(&mut head).await?;
        let head = Head::parse(self.magic, &head).map_err(nonsense)?;
        let mut payload = vec![0; head.length];
        self.stream.read_exact(&mut payload).await?;
        let message = head.read(&payload).map_err(nonsense)?;
        if let Message::Ping(nonce) = &message {
            self.say("pong", nonce).await?;
        }
        Ok(message)
    }

    async fn say(&mut self, command: &str, payload: &[u8]) -> Result<(), Failure> {
        Ok(self.stream.write_all(&wire::message(self.magic, command, payload)).await?)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Unreachable(error.into())
    }
}
