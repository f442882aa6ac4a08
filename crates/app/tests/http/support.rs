//! A server of one's own for each test.

use artdag_app::bitcoin;
use artdag_app::server::Bound;
use artdag_app::settings::Settings;
use artdag_app::wiring;
use artdag_database::{DatabaseUrl, testing};
use artdag_kernel::ContentHash;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use tempfile::TempDir;
use tokio::sync::watch;

pub(crate) const SECRET: &str = "a secret for tests, of 32 bytes or more";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Makes each test twice: over SQLite and over PostgreSQL.
macro_rules! on_both_databases {
    ($($(#[doc = $doc:literal])* async fn $name:ident($app:ident: $type:ident) $body:block)+) => {
        $($(#[doc = $doc])* async fn $name($app: $type) $body)+

        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::support::TestApp::on_sqlite(&[]).await).await;
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if let Some(app) = $crate::support::TestApp::on_postgres(&[]).await {
                    super::$name(app).await;
                }
            })+
        }
    };
}
pub(crate) use on_both_databases;

/// A server on a free port of loopback, stopped when it is dropped.
pub(crate) struct TestApp {
    pub(crate) base: String,
    pub(crate) client: Client,
    pub(crate) settings: Settings,
    stop: watch::Sender<bool>,
    _data: TempDir,
    _database: Box<dyn Send>,
}

/// An account with its token.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) token: String,
}

/// A status and a JSON body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl TestApp {
    pub(crate) async fn on_sqlite(settings: &[(&str, &str)]) -> Self {
        let (url, directory) = testing::fresh_sqlite().await;
        Self::start(&url, Box::new(directory), settings).await
    }

    pub(crate) async fn on_postgres(settings: &[(&str, &str)]) -> Option<Self> {
        let (url, database) = testing::fresh_postgres().await?;
        Some(Self::start(&url, Box::new(database), settings).await)
    }

    async fn start(database: &DatabaseUrl, guard: Box<dyn Send>, extra: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let bound = Bound::new(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let port = bound.address().port().to_string();
        let mut environment = BTreeMap::from([
            ("PORT".to_owned(), port),
            ("ARTDAG_DATA".to_owned(), data.path().display().to_string()),
            ("JWT_SECRET".to_owned(), SECRET.to_owned()),
            ("OTS_CALENDARS".to_owned(), "none".to_owned()),
        ]);
        environment.extend(extra.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut settings = Settings::from(&environment, None, None).unwrap();
        settings.database = database.clone();
        let bitcoin = bitcoin::sources(&settings).unwrap();
        let registry = wiring::build_with(&settings, bitcoin.clone()).await.unwrap();
        let (stop, stopped) = watch::channel(false);
        let proxies = settings.trusted_proxies.clone();
        // Its end may find the database gone: the test is over by then.
        tokio::spawn(async move { bound.serve(registry, bitcoin, proxies, stopped).await });
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { base: settings.site.base().to_owned(), client, settings, stop, _data: data, _database: guard }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub(crate) async fn get_as(&self, accept: &str, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).header("accept", accept).send().await.unwrap()).await
    }

    pub(crate) async fn text(&self, path: &str) -> String {
        self.request(Method::GET, path).send().await.unwrap().text().await.unwrap()
    }

    pub(crate) async fn send(&self, method: Method, path: &str, who: &Account, body: &Value) -> Answer {
        Answer::of(self.request(method, path).bearer_auth(&who.token).json(body).send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, who: &Account, body: &Value) -> Answer {
        self.send(Method::POST, path, who, body).await
    }

    pub(crate) async fn register(&self, name: &str) -> Account {
        let body = json!({"username": name, "password": PASSWORD});
        let answer = Answer::of(self.request(Method::POST, "/auth/register").json(&body).send().await.unwrap()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        Account { token: answer.text("/access_token") }
    }

    /// Registers an asset and answers it.
    pub(crate) async fn claim(&self, who: &Account, claim: &Value) -> Value {
        let answer = self.post("/assets", who, claim).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body
    }

    /// How many activities there are, to see that something wrote nothing.
    pub(crate) async fn published(&self) -> usize {
        self.get("/activities?limit=200").await.body["activities"].as_array().unwrap().len()
    }

    /// The path, read again and again until it fulfils the condition: what the sequencer does takes milliseconds.
    pub(crate) async fn eventually(&self, path: &str, condition: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..500 {
            let answer = self.get(path).await;
            if condition(&answer.body) {
                return answer.body;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("{path} never became what was expected: {}", self.get(path).await.body);
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { status, headers, body }
    }

    /// The text at a JSON pointer.
    pub(crate) fn text(&self, pointer: &str) -> String {
        self.body
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no text at {pointer}: {self:?}"))
            .to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name}: {self:?}")).to_str().unwrap()
    }

    /// That it is a whole problem of this kind.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, slug: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert!(self.text("/type").ends_with(&format!("/problems/{slug}")), "{self:?}");
        assert_eq!(self.body["status"], status, "{self:?}");
        assert!(
            !self.text("/detail").is_empty() && !self.text("/title").is_empty() && !self.text("/instance").is_empty()
        );
    }

    /// The fields that a 422 complains of.
    pub(crate) fn fields(&self) -> Vec<String> {
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|e| e["field"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// The hash of made-up content.
pub(crate) fn hash_of(content: &str) -> String {
    ContentHash::of(content.as_bytes()).to_string()
}

/// A claim with nothing but what must be there.
pub(crate) fn plain_claim(name: &str) -> Value {
    json!({"name": name, "content_hash": hash_of(name), "asset_type": "image"})
}
