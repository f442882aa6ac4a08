//! With AUTHORIZED_FETCH: collections are for servers that sign, however they do it, and for people who are logged in.

use crate::peer::{Peer, first_keys};
use crate::support::{Account, TestApp};
use artdag_federation::SignatureScheme;
use artdag_federation::http_signature::{KeyKind, OutgoingRequest, SigningKey, sign_cavage, sign_rfc9421};
use artdag_kernel::Clock;
use reqwest::Method;
use serde_json::Value;

const SETTINGS: &[(&str, &str)] =
    &[("ALLOW_PRIVATE_NETWORKS", "127.0.0.0/8"), ("AUTHORIZED_FETCH", "true"), ("L1_SERVERS", "https://l1.example")];

/// The status of a request without a body that alice of this peer signs. `Signature` may be put elsewhere.
async fn signed(app: &TestApp, peer: &Peer, method: Method, scheme: SignatureScheme, header: &str) -> u16 {
    let url = url::Url::parse(&app.url("/users/giles/followers")).unwrap();
    let request = OutgoingRequest { method: method.as_str(), url: &url, content: None, more: &[] };
    let (key, keys) = (peer.key("alice"), first_keys());
    let key = SigningKey { id: &key, kind: KeyKind::Rsa, signer: keys.as_ref() };
    let now = artdag_app::system::SystemClock.now();
    let headers = match scheme {
        SignatureScheme::Cavage => sign_cavage(&request, &key, now),
        SignatureScheme::Rfc9421 => sign_rfc9421(&request, &key, now),
    };
    let mut request = app.client.request(method, url.as_str());
    for (name, value) in headers.unwrap() {
        request = match (name.eq_ignore_ascii_case("signature"), header) {
            (true, "authorization") => request.header(header, format!("Signature {value}")),
            _ => request.header(name, value),
        };
    }
    request.send().await.unwrap().status().as_u16()
}

async fn readers_are_known(app: TestApp) {
    let (giles, peer) = (app.register("giles").await, Peer::start().await);
    for scheme in [SignatureScheme::Cavage, SignatureScheme::Rfc9421] {
        for method in [Method::GET, Method::HEAD] {
            assert_eq!(signed(&app, &peer, method.clone(), scheme, "signature").await, 200, "{method} {scheme:?}");
        }
    }
    assert_eq!(signed(&app, &peer, Method::GET, SignatureScheme::Cavage, "authorization").await, 200);

    // A renderer's token is good for a few routes, and these are none of them.
    let attached = app.send(Method::GET, "/renderers/attach?l1_url=https://l1.example", &giles, &Value::Null).await;
    let token = attached.header("location").split_once("auth_token=").unwrap().1.to_owned();
    for path in ["/users/giles/followers", "/users/giles/outbox", "/activities"] {
        let refused = app.send(Method::GET, path, &Account { token: token.clone() }, &Value::Null).await;
        refused.assert_problem(403, "insufficient-scope");
        app.get(path).await.assert_problem(401, "signature-refused");
        assert_eq!(app.send(Method::GET, path, &giles, &Value::Null).await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite() {
    readers_are_known(TestApp::on_sqlite(SETTINGS).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres() {
    if let Some(app) = TestApp::on_postgres(SETTINGS).await {
        readers_are_known(app).await;
    }
}
