//! The server that is measured.

use crate::parts::Failure;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The server as a process of its own.
pub(crate) struct Server {
    process: Child,
    pub(crate) base: String,
    pub(crate) address: SocketAddr,
    _data: tempfile::TempDir,
}

impl Server {
    pub(crate) async fn start(database: &str) -> Result<Self, Failure> {
        let data = tempfile::tempdir()?;
        let port = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let process = Command::new(env!("CARGO_BIN_EXE_artdag-l2"))
            .envs([("HOST", "127.0.0.1"), ("PORT", &port.to_string()), ("DATABASE_URL", database), ("LOG", "warn")])
            .envs([("ALLOW_PRIVATE_NETWORKS", "127.0.0.0/8"), ("OTS_CALENDARS", "none")])
            .env("ARTDAG_DATA", data.path())
            .stdout(Stdio::null())
            .spawn()?;
        let (base, address) = (format!("http://localhost:{port}"), SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let server = Self { process, base, address, _data: data };
        for _ in 0..500 {
            if reqwest::get(format!("{}/health/ready", server.base)).await.is_ok_and(|r| r.status() == 200) {
                return Ok(server);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err("the server did not start".into())
    }

    pub(crate) async fn register(&self, username: &str) -> Result<String, Failure> {
        let account = json!({"username": username, "password": "correct horse battery"});
        let request = reqwest::Client::new().post(format!("{}/auth/register", self.base)).json(&account);
        let answer: Value = request.send().await?.error_for_status()?.json().await?;
        Ok(answer["access_token"].as_str().ok_or("registration gave no token")?.to_owned())
    }

    /// Resident memory in MiB: now, and at most.
    pub(crate) fn memory(&self) -> Result<(u64, u64), Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
        };
        Ok((field("VmRSS:"), field("VmHWM:")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
