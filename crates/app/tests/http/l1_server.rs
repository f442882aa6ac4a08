//! A renderer (L1 server) as a real HTTP server on loopback, with its good and its bad days.

use crate::support::hash_of;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A running renderer.
#[derive(Clone)]
pub(crate) struct L1Server {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Requests as they came: method, path, body.
    heard: Vec<(String, String, String)>,
    /// The registry that it asks about tokens.
    l2: Option<String>,
    /// Answers every logout with 500.
    deaf: bool,
    /// Answers no logout at all.
    asleep: bool,
    /// Has forgotten what was in its cache.
    evicted: bool,
}

impl L1Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { url, state: Arc::default() };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = serving.clone();
                tokio::spawn(async move { server.answer(stream).await });
            }
        });
        server
    }

    pub(crate) fn belongs_to(&self, l2: &str) {
        self.state.lock().unwrap().l2 = Some(l2.to_owned());
    }

    pub(crate) fn turn_deaf(&self, deaf: bool) {
        self.state.lock().unwrap().deaf = deaf;
    }

    pub(crate) fn fall_asleep(&self, asleep: bool) {
        self.state.lock().unwrap().asleep = asleep;
    }

    pub(crate) fn evict(&self) {
        self.state.lock().unwrap().evicted = true;
    }

    /// The bodies that were sent to a path.
    pub(crate) fn heard(&self, method: &str, path: &str) -> Vec<Value> {
        let state = self.state.lock().unwrap();
        let heard = state.heard.iter().filter(|(m, p, _)| m == method && p == path);
        heard.map(|(_, _, body)| serde_json::from_str(body).unwrap_or(Value::Null)).collect()
    }

    fn is_asleep(&self) -> bool {
        self.state.lock().unwrap().asleep
    }

    async fn answer(self, mut stream: TcpStream) {
        let Some((method, path, body)) = read_request(&mut stream).await else { return };
        self.state.lock().unwrap().heard.push((method.clone(), path.clone(), body));
        let reply = self.reply(&method, &path, &mut stream).await;
        let _ = stream.write_all(&reply).await;
        let _ = stream.shutdown().await;
    }

    async fn reply(&self, method: &str, path: &str, stream: &mut TcpStream) -> Vec<u8> {
        let json = |value: Value| response(200, "application/json", value.to_string().as_bytes());
        match (method, path) {
            // A run in the words of the first renderers, and one in those of the later ones.
            ("GET", "/runs/old-run") => json(json!({
                "run_id": "old-run", "status": "completed", "recipe": "beat-sync", "output_hash": &hash_of("old output")[9..],
                "inputs": [&hash_of("input 1")[9..], &hash_of("input 2")[9..]], "effects_commit": "abc", "completed_at": "2026-11-22T00:00:00Z",
            })),
            ("GET", "/runs/new-run") => json(json!({
                "run_id": "new-run", "status": "COMPLETED", "output_cid": hash_of("new output"),
                "inputs": [{"name": "left", "cid": hash_of("old output")}, {"name": "right", "cid": hash_of("input 3")}],
                "recipe": {"name": "blend", "cid": hash_of("recipe")}, "infrastructure": {"software": "l1", "hardware": "a box"}, "output_type": "video/mp4",
            })),
            ("GET", "/runs/running") => json(json!({"run_id": "running", "status": "running"})),
            ("GET", "/runs/hang") => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                Vec::new()
            }
            ("GET", "/runs/error") => response(500, "application/json", b"{}"),
            ("GET", "/runs/html") => response(200, "text/html", b"<h1>hello</h1>"),
            ("GET", "/runs/large") => response(200, "application/json", format!("{{\"x\": \"{}\"}}", "y".repeat(2 << 20)).as_bytes()),
            ("GET", "/runs/no-hash") => json(json!({"status": "completed", "output_hash": "nonsense"})),
            ("GET", "/runs/no-output") => json(json!({"status": "completed"})),
            ("GET", "/runs/bad-input") => json(json!({"status": "completed", "output_hash": hash_of("x"), "inputs": ["nonsense"]})),
            ("GET", "/runs/other-id") => json(json!({"run_id": "another", "status": "completed", "output_hash": hash_of("x")})),
            ("GET", "/runs/array") => json(json!([1, 2, 3])),
            ("GET", "/runs/private") => {
                b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2:1/secret\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()
            }
            ("GET", "/runs/cut") => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"status\": ").await;
                Vec::new()
            }
            ("GET", path) if !self.state.lock().unwrap().evicted && path == format!("/cache/{}", &hash_of("cached")[9..]) => response(200, "application/octet-stream", b"cached"),
            ("POST", "/auth/revoke-user") if self.is_asleep() => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                Vec::new()
            }
            ("POST", "/auth/revoke-user") if self.state.lock().unwrap().deaf => response(500, "text/plain", b"no"),
            ("POST", "/auth/revoke-user") => json(json!({"revoked": true})),
            ("GET", path) if path.starts_with("/auth?auth_token=") => {
                let token = path.trim_start_matches("/auth?auth_token=").to_owned();
                let l2 = self.state.lock().unwrap().l2.clone().unwrap();
                // As a renderer does: the token as Bearer, its own address in the body.
                let answer = reqwest::Client::new().post(format!("{l2}/auth/verify")).bearer_auth(token).json(&json!({"l1_server": self.url})).send().await.unwrap();
                let status = answer.status().as_u16();
                response(status, "application/json", answer.text().await.unwrap().as_bytes())
            }
            _ => response(404, "application/json", b"{\"detail\": \"not found\"}"),
        }
    }
}

/// Method, path and body of a request; `None` if whoever sends it hangs up.
pub(crate) async fn read_request(stream: &mut TcpStream) -> Option<(String, String, String)> {
    let mut bytes = Vec::new();
    let head = loop {
        let mut piece = [0; 4096];
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&piece[..n]),
        }
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let length: usize = text
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(|n| n.trim().parse().unwrap()))
        .unwrap_or(0);
    while bytes.len() < head + 4 + length {
        let mut piece = [0; 4096];
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&piece[..n]),
        }
    }
    let body = String::from_utf8_lossy(&bytes[head + 4..]).into_owned();
    let mut words = text.split(' ');
    Some((words.next()?.to_owned(), words.next()?.to_owned(), body))
}

pub(crate) fn response(status: u16, content_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
