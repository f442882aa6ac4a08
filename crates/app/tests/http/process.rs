//! The server as a process of its own: to be killed, and to be several.

use crate::support::{Answer, PASSWORD};
use reqwest::Client;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The real program as a process of its own.
pub(crate) struct Server {
    process: Child,
    pub(crate) base: String,
}

impl Server {
    /// Starts it, and waits until it is ready. `settings` go before the usual.
    pub(crate) async fn start(port: u16, data: &Path, database: &str, settings: &[(&str, &str)]) -> Self {
        let process = Command::new(env!("CARGO_BIN_EXE_artdag-l2"))
            .envs([
                ("HOST", "127.0.0.1"),
                ("PORT", &port.to_string()),
                ("DATABASE_URL", database),
                ("LOG", "error"),
                ("OTS_CALENDARS", "none"),
            ])
            .envs(settings.iter().copied())
            .env("ARTDAG_DATA", data)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { process, base: format!("http://localhost:{port}") };
        for _ in 0..500 {
            if reqwest::get(server.url("/health/ready")).await.is_ok_and(|r| r.status() == 200) {
                return server;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the server did not start");
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// SIGKILL: no handler runs.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// SIGTERM, as a supervisor sends it.
    pub(crate) fn terminate(&mut self) -> std::process::ExitStatus {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.process.wait().unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let url = if path.starts_with("http") { path.to_owned() } else { self.url(path) };
        Answer::of(reqwest::get(url).await.unwrap()).await
    }

    /// All items of a list.
    pub(crate) async fn all(&self, list: &str, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let page = self.get(&path).await.body;
            items.extend(page[list].as_array().unwrap().iter().cloned());
            next = page["next"].as_str().map(str::to_owned);
        }
        items
    }
}

impl Server {
    /// Registers an account and answers its token.
    pub(crate) async fn register(&self, name: &str) -> String {
        let account = json!({"username": name, "password": PASSWORD});
        let request = Client::new().post(self.url("/auth/register")).json(&account);
        Answer::of(request.send().await.unwrap()).await.text("/access_token")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) is_success: bool,
    pub(crate) out: String,
    pub(crate) error: String,
}

impl Said {
    /// Runs the program with these arguments to its end.
    pub(crate) fn by<'a>(
        data: &Path,
        settings: impl IntoIterator<Item = (&'a str, &'a str)>,
        arguments: &[&str],
    ) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_artdag-l2"));
        command.envs(settings).env("ARTDAG_DATA", data).env("LOG", "error");
        let output = command.args(arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { is_success: output.status.success(), out: text(&output.stdout), error: text(&output.stderr) }
    }

    /// What it printed, if it ended well.
    #[track_caller]
    pub(crate) fn well(self) -> String {
        assert!(self.is_success, "{self:?}");
        self.out
    }

    /// That it failed, and said this.
    #[track_caller]
    pub(crate) fn assert_failed(&self, words: &str) {
        assert!(!self.is_success && self.error.contains(words), "{self:?}");
    }
}
