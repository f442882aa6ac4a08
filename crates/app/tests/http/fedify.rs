//! With a foreign implementation: the Fedify server of `tests/interop/node/fedify_peer.mjs`.

use crate::federation::PEERS;
use crate::support::{Account, TestApp, hash_of, plain_claim};
use artdag_testing::node_folder;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The foreign server as a process of its own, ended when it is dropped.
struct Fedify {
    process: Child,
    base: String,
    client: Client,
}

impl Fedify {
    /// `None` when there is no Node.js to run it with, which is said aloud.
    fn start(more: &[&str]) -> Option<Self> {
        let folder = node_folder("a foreign server was NOT spoken with").map(PathBuf::from)?;
        let program = installed(&folder);
        // The port is free now, and the server says so itself if somebody was quicker.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut process = Command::new("node")
            .arg(program)
            .args(["--port", &port.to_string()])
            .args(more)
            .current_dir(&folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = output.by_ref().map_while(Result::ok).any(|line| line.contains("peer ready"));
        assert!(ready, "the Fedify peer did not start");
        // What it says later must not fill the pipe.
        std::thread::spawn(move || output.for_each(drop));
        Some(Self { process, base: format!("http://127.0.0.1:{port}"), client: Client::new() })
    }

    async fn send(&self, what: Value) -> Value {
        let answer = self.client.post(format!("{}/_ctl/send", self.base)).json(&what).send().await.unwrap();
        let body: Value = answer.json().await.unwrap();
        assert!(body.get("sent").is_some(), "{what}: {body}");
        body
    }

    /// Waits until it has received something that fulfils the condition and was verified by it.
    async fn receives(&self, condition: impl Fn(&Value) -> bool) -> Value {
        let mut all = Value::Null;
        for _ in 0..1500 {
            let answer = self.client.get(format!("{}/_ctl/received", self.base)).send().await.unwrap();
            all = answer.json().await.unwrap();
            if let Some(found) = all["received"].as_array().unwrap().iter().find(|item| condition(item)) {
                return found.clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the Fedify peer never received it, but {all:#}");
    }

    fn actor(&self, name: &str) -> String {
        format!("{}/users/{name}", self.base)
    }
}

impl Drop for Fedify {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The program, in the folder of its packages: that is where it looks for them.
fn installed(folder: &Path) -> PathBuf {
    const PROGRAM: &str = include_str!("../../../../tests/interop/node/fedify_peer.mjs");
    let path = folder.join("fedify_peer.mjs");
    if std::fs::read_to_string(&path).is_ok_and(|text| text == PROGRAM) {
        return path;
    }
    // Tests run side by side: none may start half a program.
    let own = folder.join(format!("fedify_peer.{}.mjs", std::process::id()));
    std::fs::write(&own, PROGRAM).unwrap();
    std::fs::rename(&own, &path).unwrap();
    path
}

/// Everything that the two say to each other.
async fn talk(app: TestApp, fedify: &Fedify) {
    let giles = app.register("giles").await;
    let actor = app.url("/users/giles");
    // Its keys are made when they are first needed, which takes longer than other servers like to wait on a busy machine.
    assert_eq!(app.get("/actor").await.status, 200);

    // It follows, and gets what is published here.
    let follow = fedify.send(json!({"type": "Follow", "from": "alice", "target": actor})).await;
    fedify.receives(|a| a["type"] == "Accept").await;
    assert_eq!(app.get("/users/giles/followers").await.body["totalItems"], 1);
    app.claim(&giles, &plain_claim("a")).await;
    let create = fedify.receives(|a| a["type"] == "Create").await;
    assert_eq!(create["actor"], json!(actor));
    let edited = app.send(Method::PATCH, "/assets/a", &giles, &json!({"description": "a dog"})).await;
    assert_eq!(edited.status, 200, "{edited:?}");
    fedify.receives(|a| a["type"] == "Update").await;

    // It likes and shares what is here.
    let object = format!("{}/objects/{}", app.base, &hash_of("a")[9..]);
    fedify.send(json!({"type": "Like", "from": "alice", "target": actor, "object": object})).await;
    fedify.send(json!({"type": "Announce", "from": "alice", "target": actor, "object": object})).await;
    let claims = format!("/objects/{}/claims", hash_of("a"));
    app.eventually(&claims, |body| body["claims"][0]["likes"] == 1 && body["claims"][0]["shares"] == 1).await;

    // It follows no longer.
    let id = follow["sent"].as_str().unwrap();
    fedify.send(json!({"type": "Undo", "from": "alice", "target": actor, "followId": id})).await;
    app.eventually("/users/giles/followers", |body| body["totalItems"] == 0).await;

    // It is followed, by its handle, and what it posts, changes and deletes is heard.
    let handle = format!("@bob@{}", fedify.base.trim_start_matches("http://"));
    let asked = app.post("/federation/follow", &giles, &json!({"actor": handle})).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    fedify.receives(|a| a["type"] == "Follow" && a["object"] == json!(fedify.actor("bob"))).await;
    hears(&app, &giles, "/federation/following?state=accepted", |b| {
        b["following"].as_array().is_some_and(|f| f.len() == 1)
    })
    .await;
    let post = fedify.send(json!({"type": "Create", "from": "bob", "target": actor, "content": "hello"})).await;
    let content = |text: &'static str| move |body: &Value| body["heard"][0]["content"] == text;
    hears(&app, &giles, "/federation/heard", content("hello")).await;
    let note = post["json"]["object"]["id"].clone();
    fedify.send(json!({"type": "Update", "from": "bob", "target": actor, "object": note, "content": "farewell"})).await;
    hears(&app, &giles, "/federation/heard", content("farewell")).await;
    fedify.send(json!({"type": "Delete", "from": "bob", "target": actor, "object": note})).await;
    hears(&app, &giles, "/federation/heard", |body| body["heard"] == json!([])).await;

    // It is told when that ends.
    let ended = app.post("/federation/unfollow", &giles, &json!({"actor": fedify.actor("bob")})).await;
    assert_eq!(ended.status, 204, "{ended:?}");
    fedify.receives(|a| a["type"] == "Undo").await;
}

/// The path as the account sees it, read again and again until it fulfils the condition.
async fn hears(app: &TestApp, who: &Account, path: &str, condition: impl Fn(&Value) -> bool) {
    let mut body = Value::Null;
    for _ in 0..1500 {
        body = app.send(Method::GET, path, who, &Value::Null).await.body;
        if condition(&body) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{path} never became what was expected: {body:#}");
}

macro_rules! talks {
    ($($name:ident: $options:expr;)+) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if let Some(fedify) = super::Fedify::start($options) {
                    super::talk(super::TestApp::on_sqlite(super::PEERS).await, &fedify).await;
                }
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if let Some(fedify) = super::Fedify::start($options)
                    && let Some(app) = super::TestApp::on_postgres(super::PEERS).await
                {
                    super::talk(app, &fedify).await;
                }
            })+
        }
    };
}

talks! {
    talks_with_fedify: &[];
    talks_with_fedify_by_cavage_alone: &["--spec", "draft-cavage-http-signatures-12"];
    talks_with_fedify_that_challenges: &["--challenge", "nonce"];
}
