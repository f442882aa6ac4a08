//! A calendar with a chain, servers with bad manners, and headers that are mined here.

use artdag_anchoring::Digest;
use artdag_anchoring::bitcoin::{BlockHash, BlockHeader, ChainRules, CompactTarget};
use artdag_anchoring::ots::{CalendarUri, Calendars};
use artdag_http::{GuardPolicy, GuardedClient};
use artdag_kernel::ServerUrl;
use artdag_opentimestamps::{Esplora, HttpCalendars, NodeUrl};
use artdag_testing::{OtsCalendars, PATIENT};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A client that may call this machine.
pub(crate) fn client() -> GuardedClient {
    let policy = GuardPolicy::new(vec!["127.0.0.0/8".parse().unwrap()], []);
    let builder = GuardedClient::builder(&"https://l2.example".parse().unwrap(), policy);
    builder.connect_limit(PATIENT).build().unwrap()
}

/// Asks these calendars and no others.
pub(crate) fn calendars(uris: &[CalendarUri]) -> HttpCalendars {
    HttpCalendars::new(client(), uris, Calendars::none()).with_timeout(PATIENT)
}

/// A calendar with a chain of its own, in the words of this crate.
pub(crate) struct Peer(OtsCalendars);

impl Peer {
    /// `None` without Python, if that was said to be fine.
    pub(crate) async fn start() -> Option<Self> {
        OtsCalendars::start(1, 6).await.map(Self)
    }

    pub(crate) fn uri(&self) -> CalendarUri {
        self.0.url(0).parse().unwrap()
    }

    pub(crate) fn node(&self) -> NodeUrl {
        self.0.node_url().parse().unwrap()
    }

    pub(crate) fn esplora(&self) -> Esplora {
        Esplora::new(client(), self.0.explorer_url().parse().unwrap()).with_timeout(PATIENT)
    }

    /// `mine/N`, `reorg/N` or `fault/MODE`.
    pub(crate) async fn control(&self, command: &str) {
        self.0.control(0, command).await;
    }

    /// The rules of its chain, which begins with a block that it made itself.
    pub(crate) async fn rules(&self) -> ChainRules {
        ChainRules::private(self.header(0).await, None).unwrap()
    }

    /// What it shows to anybody, asked without any of the code under test.
    pub(crate) async fn header(&self, height: u32) -> BlockHeader {
        self.0.header(height).await.parse().unwrap()
    }

    pub(crate) async fn all_headers(&self) -> Vec<BlockHeader> {
        self.0.headers().await.iter().map(|header| header.parse().unwrap()).collect()
    }

    /// What the official client says of the proof beside the file; `Err` if it does not accept it.
    pub(crate) fn official_client(&self, document: &Path) -> Result<String, String> {
        let (ok, said) = artdag_testing::official_client(&self.0.node_url(), &[document.to_owned()]).remove(0);
        if ok { Ok(said) } else { Err(said) }
    }
}

/// A server that says the same to everybody and closes the connection, or keeps it open for ever.
pub(crate) struct Parrot {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Parrot {
    pub(crate) async fn saying(answer: impl Into<Vec<u8>>, closes: bool) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (answer, heard) = (Arc::new(answer.into()), Arc::new(Mutex::new(Vec::new())));
        let record = Arc::clone(&heard);
        let accepting = tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !is_whole(&request) {
                    match stream.read_buf(&mut request).await {
                        Ok(1..) => {}
                        Ok(0) | Err(_) => break,
                    }
                }
                record.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
                let _ = stream.write_all(&answer).await;
                if !closes {
                    open.push(stream);
                }
            }
        });
        Self { port, heard, accepting }
    }

    /// With this status line and body.
    pub(crate) async fn answering(status: &str, kind: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head = format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len());
        Self::saying([head.as_bytes(), body].concat(), true).await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn uri(&self) -> CalendarUri {
        self.url().parse().unwrap()
    }

    pub(crate) fn server(&self) -> ServerUrl {
        self.url().parse().unwrap()
    }

    /// The requests that came, as they came.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for Parrot {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, _)) = text.split_once("\r\n\r\n") else { return false };
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    request.len() >= head.len() + 4 + length.unwrap_or(0)
}

/// Takes two hashes to meet.
pub(crate) const EASY: u32 = 0x207f_ffff;
/// Takes so many that a changed header does not meet it.
pub(crate) const HARD: u32 = 0x1f3f_ffff;

/// A chain of so many headers, the first included, and its rules.
pub(crate) fn chain(bits: u32, count: usize) -> (ChainRules, Vec<BlockHeader>) {
    let genesis = mine(BlockHash::from_bytes([0; 32]), 1_600_000_000, bits, "");
    let mut headers = vec![genesis];
    headers.extend(mine_on(&genesis, count - 1, ""));
    (ChainRules::private(genesis, None).unwrap(), headers)
}

/// So many headers after this one. Another tag makes others.
pub(crate) fn mine_on(last: &BlockHeader, count: usize, tag: &str) -> Vec<BlockHeader> {
    let next = |last: &BlockHeader| mine(last.hash(), last.time() + 600, last.bits().to_consensus(), tag);
    std::iter::successors(Some(next(last)), |last| Some(next(last))).take(count).collect()
}

fn mine(previous: BlockHash, time: u32, bits: u32, tag: &str) -> BlockHeader {
    let root = Digest::of(tag.as_bytes());
    let bits = CompactTarget::from_consensus(bits).to_consensus();
    let mut bytes =
        [&[1, 0, 0, 0], &previous.as_bytes()[..], root.as_bytes(), &time.to_le_bytes(), &bits.to_le_bytes()].concat();
    bytes.resize(80, 0);
    let mut bytes: [u8; 80] = bytes.try_into().unwrap();
    for nonce in 0_u32.. {
        bytes[76..].copy_from_slice(&nonce.to_le_bytes());
        let header = BlockHeader::from_bytes(bytes);
        if header.has_its_work() {
            return header;
        }
    }
    panic!("no nonce will do")
}
