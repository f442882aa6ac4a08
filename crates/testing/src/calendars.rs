use crate::tools::{free_port, interop_file, python};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Longer than anything takes on a busy machine.
pub const PATIENT: Duration = Duration::from_secs(60);

/// OpenTimestamps calendars that share a regtest chain, in a process of their own, for as long as it is held:
/// `tests/interop/ots_calendar.py`.
#[derive(Debug)]
pub struct OtsCalendars {
    process: Child,
    ports: Vec<u16>,
    peer: Option<u16>,
}

impl OtsCalendars {
    /// So many calendars, which tell of a block when it has so many confirmations. `None` without Python, if that was
    /// said to be fine.
    ///
    /// # Panics
    /// When they do not start.
    pub async fn start(count: usize, confirmations: u32) -> Option<Self> {
        Self::start_if(count, confirmations, false).await
    }

    /// The same, and their chain is also shown by a peer that speaks Bitcoin's own protocol.
    ///
    /// # Panics
    /// When they do not start.
    pub async fn start_with_peer(count: usize, confirmations: u32) -> Option<Self> {
        Self::start_if(count, confirmations, true).await
    }

    async fn start_if(count: usize, confirmations: u32, peer: bool) -> Option<Self> {
        let python = python("there is no calendar to test against")?;
        // A port may be taken by somebody else before the script has it.
        for _ in 0..10 {
            let ports: Vec<u16> = (0..count).map(|_| free_port()).collect();
            let peer = peer.then(free_port);
            // It complains of every caller who does not wait for the end of an answer.
            let complaints = tempfile::NamedTempFile::new().expect("a file for complaints");
            let process = Command::new(&python)
                .arg(interop_file("ots_calendar.py"))
                .args(ports.iter().map(ToString::to_string))
                .args(["--confirmations", &confirmations.to_string()])
                .args(peer.map(|port| format!("--p2p={port}")))
                .stderr(complaints.reopen().expect("the same file"))
                .spawn()
                .expect("Python starts");
            let mut calendars = Self { process, ports, peer };
            if calendars.are_up().await {
                return Some(calendars);
            }
            eprintln!("{}", std::fs::read_to_string(complaints.path()).unwrap_or_default());
        }
        panic!("the calendars do not start")
    }

    async fn are_up(&mut self) -> bool {
        let start = Instant::now();
        for at in 0..self.ports.len() {
            while self.get(at, "/api/blocks/tip/height").await.is_err() {
                if self.process.try_wait().expect("a child's state").is_some() {
                    return false;
                }
                assert!(start.elapsed() < PATIENT, "the calendars do not answer");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        true
    }

    /// The address of one of them.
    pub fn url(&self, at: usize) -> String {
        format!("http://127.0.0.1:{}", self.ports[at])
    }

    /// The addresses of all of them, as a setting has them.
    pub fn urls(&self) -> String {
        let urls: Vec<String> = (0..self.ports.len()).map(|at| self.url(at)).collect();
        urls.join(",")
    }

    /// The chain's node, as a setting has it.
    pub fn node_url(&self) -> String {
        format!("http://u:secret@127.0.0.1:{}/rpc", self.ports[0])
    }

    /// The chain's explorer.
    pub fn explorer_url(&self) -> String {
        format!("{}/api", self.url(0))
    }

    /// The chain's peer, as a setting has it.
    ///
    /// # Panics
    /// When they were started without.
    pub fn peer(&self) -> String {
        format!("127.0.0.1:{}", self.peer.expect("a peer, if they are started with one"))
    }

    /// Tells one of them `fault/MODE`, the peer `p2p/MODE`, or all of them `mine/N` or `reorg/N`.
    ///
    /// # Panics
    /// When it does not understand.
    pub async fn control(&self, at: usize, command: &str) {
        let answer = http().post(format!("{}/ctl/{command}", self.url(at))).send().await;
        assert!(answer.expect("it answers").status().is_success(), "{command}");
    }

    /// Mines so many blocks, the first of which has all that waits.
    pub async fn mine(&self, blocks: u32) {
        self.control(0, &format!("mine/{blocks}")).await;
    }

    /// Replaces the last so many blocks by one more.
    pub async fn reorganise(&self, blocks: u32) {
        self.control(0, &format!("reorg/{blocks}")).await;
    }

    /// The header of the chain's block at that height, in hex.
    ///
    /// # Panics
    /// When there is no such block.
    pub async fn header(&self, height: u32) -> String {
        let hash = self.get(0, &format!("/api/block-height/{height}")).await.expect("a block of that height");
        self.get(0, &format!("/api/block/{hash}/header")).await.expect("a block of that hash")
    }

    /// The headers of all its blocks, in hex.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn headers(&self) -> Vec<String> {
        let tip = self.get(0, "/api/blocks/tip/height").await.expect("it answers");
        let mut headers = Vec::new();
        for height in 0..=tip.parse().expect("a height") {
            headers.push(self.header(height).await);
        }
        headers
    }

    /// What one of them says, asked without any of the code under test.
    ///
    /// # Errors
    /// When it does not answer, or not with a success.
    pub async fn get(&self, at: usize, path: &str) -> reqwest::Result<String> {
        http().get(format!("{}{path}", self.url(at))).send().await?.error_for_status()?.text().await
    }
}

impl Drop for OtsCalendars {
    fn drop(&mut self) {
        // What fails here is only untidy.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(PATIENT).build().expect("a client")
}
