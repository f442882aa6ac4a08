//! A calendar with a chain, servers with bad manners, and headers that are mined here.

use artdag_anchoring::Digest;
use artdag_anchoring::bitcoin::{BlockHash, BlockHeader, ChainRules, CompactTarget};
use artdag_anchoring::ots::{CalendarUri, Calendars};
use artdag_http::{GuardPolicy, GuardedClient};
use artdag_kernel::ServerUrl;
use artdag_opentimestamps::{Esplora, HttpCalendars, NodeUrl};
use std::ffi::OsString;
use std::net::TcpListener;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/interop/ots_calendar.py");

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENT: Duration = Duration::from_secs(60);

/// The Python that has the packages of `tests/interop/requirements.txt`.
#[expect(clippy::disallowed_methods, reason = "the way `cargo xtask test` tells tests where its Python is")]
pub(crate) fn python() -> Option<OsString> {
    let python = std::env::var_os("ARTDAG_TEST_PYTHON");
    if python.is_none() {
        let skip = std::env::var_os("ARTDAG_TEST_SKIP_PYTHON").is_some_and(|skip| skip == "1");
        assert!(skip, "ARTDAG_TEST_PYTHON is not set: run `cargo xtask test`, or set ARTDAG_TEST_SKIP_PYTHON=1");
        eprintln!("\n*** SKIPPED: there is no calendar to test against (ARTDAG_TEST_SKIP_PYTHON=1)\n");
    }
    python
}

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

/// A calendar with a chain of its own in a process of its own, for as long as it is held.
pub(crate) struct Peer {
    process: Child,
    port: u16,
}

impl Peer {
    /// `None` without Python, if that was said to be fine.
    pub(crate) async fn start() -> Option<Self> {
        let python = python()?;
        // The port may be taken by somebody else before the script has it.
        for _ in 0..10 {
            let port = free_port();
            // It complains of every caller who does not wait for the end of an answer.
            let complaints = tempfile::NamedTempFile::new().unwrap();
            let mut command = Command::new(&python);
            command.arg(SCRIPT).arg(port.to_string()).stderr(complaints.reopen().unwrap());
            let mut peer = Self { process: command.spawn().unwrap(), port };
            if peer.is_up().await {
                return Some(peer);
            }
            eprintln!("{}", std::fs::read_to_string(complaints.path()).unwrap());
        }
        panic!("the calendar does not start")
    }

    async fn is_up(&mut self) -> bool {
        let start = std::time::Instant::now();
        while self.process.try_wait().unwrap().is_none() {
            if self.get("/api/blocks/tip/height").await.is_ok() {
                return true;
            }
            assert!(start.elapsed() < PATIENT, "the calendar does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }

    pub(crate) fn uri(&self) -> CalendarUri {
        self.url("").parse().unwrap()
    }

    pub(crate) fn node(&self) -> NodeUrl {
        self.url("/rpc").replacen("//", "//u:secret@", 1).parse().unwrap()
    }

    pub(crate) fn esplora(&self) -> Esplora {
        Esplora::new(client(), self.url("/api").parse().unwrap()).with_timeout(PATIENT)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// `mine/N`, `reorg/N` or `fault/MODE`.
    pub(crate) async fn control(&self, command: &str) {
        let answer = http().post(self.url(&format!("/ctl/{command}"))).send().await.unwrap();
        assert!(answer.status().is_success(), "{command}");
    }

    /// The rules of its chain, which begins with a block that it made itself.
    pub(crate) async fn rules(&self) -> ChainRules {
        ChainRules::private(self.header(0).await, None).unwrap()
    }

    /// What it shows to anybody, asked without any of the code under test.
    pub(crate) async fn header(&self, height: u32) -> BlockHeader {
        let hash = self.get(&format!("/api/block-height/{height}")).await.unwrap();
        self.get(&format!("/api/block/{hash}/header")).await.unwrap().parse().unwrap()
    }

    pub(crate) async fn all_headers(&self) -> Vec<BlockHeader> {
        let tip: u32 = self.get("/api/blocks/tip/height").await.unwrap().parse().unwrap();
        let mut headers = Vec::new();
        for height in 0..=tip {
            headers.push(self.header(height).await);
        }
        headers
    }

    async fn get(&self, path: &str) -> reqwest::Result<String> {
        http().get(self.url(path)).send().await?.error_for_status()?.text().await
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(PATIENT).build().unwrap()
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
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
