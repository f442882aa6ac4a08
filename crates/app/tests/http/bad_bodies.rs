//! Bodies that must not be taken: each the right problem, and nothing written.

use crate::support::{Answer, TestApp, hash_of, on_both_databases};
use reqwest::Method;
use serde_json::{Value, json};

fn claim_with(field: &str, value: Value) -> Value {
    let mut claim = json!({"name": "a", "content_hash": hash_of("a"), "asset_type": "image"});
    claim[field] = value;
    claim
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

on_both_databases! {
    async fn fields_that_cannot_be_taken(app: TestApp) {
        let giles = app.register("giles").await;
        let hash = hash_of("a");
        let many_inputs: Vec<String> = (0..1001).map(|n| hash_of(&n.to_string())).collect();
        for (field, value, complaint) in [
            ("name", json!(null), "/name"), ("name", json!(""), "/name"), ("name", json!(7), "/name"),
            ("name", json!([]), "/name"), ("name", json!(" a"), "/name"), ("name", json!("a/b"), "/name"),
            ("name", json!(".."), "/name"), ("name", json!("../../etc/passwd"), "/name"), ("name", json!("a\u{0}b"), "/name"),
            ("name", json!("a\nb"), "/name"), ("name", json!("a\u{202e}gpj.exe"), "/name"), ("name", json!("x".repeat(256)), "/name"),
            ("content_hash", json!(null), "/content_hash"), ("content_hash", json!(""), "/content_hash"),
            ("content_hash", json!(&hash[9..72]), "/content_hash"), ("content_hash", json!(format!("{hash}0")), "/content_hash"),
            ("content_hash", json!(format!("sha256:{}", &hash[9..])), "/content_hash"), ("content_hash", json!("g".repeat(64)), "/content_hash"),
            ("content_hash", json!("é".repeat(32)), "/content_hash"), ("content_hash", json!({"sha3": hash}), "/content_hash"),
            ("asset_type", json!(null), "/asset_type"), ("asset_type", json!(1), "/asset_type"), ("asset_type", json!("x".repeat(65)), "/asset_type"),
            ("tags", json!("art"), "/tags"), ("tags", json!([1]), "/tags/0"), ("tags", json!(["ok", ""]), "/tags/1"),
            ("tags", json!(["x".repeat(65)]), "/tags/0"), ("tags", json!((0..51).map(|n| n.to_string()).collect::<Vec<_>>()), "/tags"),
            ("description", json!(7), "/description"), ("description", json!("a\u{0}"), "/description"), ("description", json!("x".repeat(5001)), "/description"),
            ("url", json!("javascript:alert(1)"), "/url"), ("url", json!("/local"), "/url"), ("url", json!("https://u:p@example.com/"), "/url"),
            ("cid", json!("not a cid"), "/cid"), ("cid", json!(1), "/cid"),
            ("metadata", json!([]), "/metadata"), ("metadata", json!("x"), "/metadata"), ("metadata", json!({"x": "y".repeat(65_536)}), "/metadata"),
            ("provenance", json!([]), "/provenance"), ("provenance", json!({"inputs": "x"}), "/provenance/inputs"),
            ("provenance", json!({"inputs": ["x"]}), "/provenance/inputs/0"), ("provenance", json!({"inputs": [hash]}), "/provenance/inputs"),
            ("provenance", json!({"inputs": many_inputs}), "/provenance"), ("provenance", json!({"recipe": 1}), "/provenance/recipe"),
            ("provenance", json!({"run_id": ["x"]}), "/provenance/run_id"),
        ] {
            let answer = app.post("/assets", &giles, &claim_with(field, value.clone())).await;
            answer.assert_problem(422, "invalid-fields");
            assert_eq!(answer.fields(), [complaint], "{field}: {value:.80}: {answer:?}");
        }
        let answer = app.post("/assets", &giles, &json!({"url": "x", "tags": [""]})).await;
        assert_eq!(answer.fields(), ["/name", "/content_hash", "/asset_type"], "{answer:?}");
        assert_eq!(app.published().await, 0);
        assert_eq!(app.get("/assets").await.body["assets"], json!([]));
    }

    async fn bodies_that_cannot_be_read(app: TestApp) {
        let giles = app.register("giles").await;
        let send = async |content_type: &str, body: Vec<u8>| {
            let request = app.request(Method::POST, "/assets").bearer_auth(&giles.token).header("content-type", content_type);
            Answer::of(request.body(body).send().await.unwrap()).await
        };
        for body in ["", "{", "{\"name\": \"a\"", "not json", "{\"name\": \"\\ud800\"}", "{} {}", "{'name': 'a'}", &format!("{{\"metadata\": {}}}", nested(100_000))] {
            send("application/json", body.into()).await.assert_problem(400, "malformed-request");
        }
        send("application/json", vec![b'{', b'"', 0xff, b'"']).await.assert_problem(400, "malformed-request");
        for body in ["[]", "7", "null", "\"text\"", &nested(100_000)] {
            send("application/json; charset=utf-8", body.into()).await.assert_problem(422, "invalid-fields");
        }
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "nonsense"] {
            send(content_type, b"{}".to_vec()).await.assert_problem(415, "unsupported-media-type");
        }
        let large = claim_with("description", json!("x".repeat(1024 * 1024))).to_string();
        send("application/json", large.into()).await.assert_problem(413, "too-large");
        let chunks = (0..40).map(|_| Ok::<_, std::io::Error>(vec![b' '; 64 * 1024]));
        let unannounced = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
        let request = app.request(Method::POST, "/assets").bearer_auth(&giles.token).header("content-type", "application/json");
        // The server may hang up while the rest is still being sent; both are a refusal.
        if let Ok(response) = request.body(unannounced).send().await {
            Answer::of(response).await.assert_problem(413, "too-large");
        }
        let login = json!({"username": "giles", "password": "x".repeat(70_000)});
        Answer::of(app.request(Method::POST, "/auth/login").json(&login).send().await.unwrap()).await.assert_problem(413, "too-large");
        assert_eq!(app.published().await, 0);
    }

    async fn unknown_fields_are_ignored(app: TestApp) {
        let giles = app.register("giles").await;
        app.claim(&giles, &claim_with("whatever", json!({"a": [1]}))).await;
    }

    async fn queries_that_cannot_be_read(app: TestApp) {
        for (query, field) in [
            ("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"), ("limit=-1", "limit"), ("cursor=x", "cursor"),
            ("offset=10001", "offset"), ("offset=x", "offset"), ("page=0", "page"), ("page=202&limit=50", "page"), ("page=9999999999", "page"),
            ("owner=..%2Fx", "owner"), ("content_hash=x", "content_hash"), ("tag=%00", "tag"), ("asset_type=%0A", "asset_type"),
        ] {
            let answer = app.get(&format!("/assets?{query}")).await;
            answer.assert_problem(422, "invalid-fields");
            assert_eq!(answer.fields(), [field], "{query}");
        }
        for query in ["limit=200", "offset=10000", "page=1", "limit=&cursor=&q=", "q=%22%27*%26()", "unknown=1", "owner=@nobody"] {
            assert_eq!(app.get(&format!("/assets?{query}")).await.status, 200, "{query}");
        }
    }

    async fn hostile_paths_find_nothing(app: TestApp) {
        app.register("giles").await;
        for path in [
            "/users/..%2F..%2Fetc%2Fpasswd", "/users/giles%00", "/users/giles%2Foutbox%2Fx", "/users/GILES%20",
            "/users/jwt_secret", "/assets/..%2F..", "/assets/%00", "/assets/%E2%80%AE", "/activities/99999999999999999999999",
            "/activities/-1", "/activities/nonsense", "/activities/0", "/activity/x", "/problems/..%2FREADME", "/problems/..%2f..%2fCargo.toml", "/docs/..%2f..%2fCargo.toml",
        ] {
            let answer = app.get(path).await;
            assert_eq!(answer.status, 404, "{path}: {answer:?}");
        }
        let answer = app.get(&format!("/objects/{}", "0".repeat(63))).await;
        answer.assert_problem(422, "invalid-fields");
        // A path that is no UTF-8.
        assert!(app.get("/assets/%ff%fe").await.status.is_client_error());
    }
}
