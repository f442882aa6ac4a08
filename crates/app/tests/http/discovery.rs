//! `/.well-known/..`, `/nodeinfo/..`, `/ns`.

use crate::support::{TestApp, on_both_databases, plain_claim};
use serde_json::json;

on_both_databases! {
    async fn webfinger_finds_who_is_here(app: TestApp) {
        app.register("giles").await;
        let domain = app.settings.site.domain();
        for resource in [format!("acct:giles@{domain}"), format!("acct:GILES@{domain}"), app.url("/users/giles").replace(':', "%3A")] {
            let found = app.get(&format!("/.well-known/webfinger?resource={resource}")).await;
            assert_eq!(found.header("content-type"), "application/jrd+json", "{found:?}");
            assert_eq!(found.text("/subject"), format!("acct:giles@{domain}"));
            assert_eq!(found.text("/links/0/href"), app.url("/users/giles"));
            assert_eq!(found.text("/links/0/type"), "application/activity+json");
        }
        for resource in [format!("acct:nobody@{domain}"), "acct:giles@elsewhere.example".to_owned(), "https://elsewhere.example/users/giles".to_owned()] {
            app.get(&format!("/.well-known/webfinger?resource={resource}")).await.assert_problem(404, "not-found");
        }
        for query in ["", "?resource=", "?resource=giles", "?resource=acct:giles", "?other=x"] {
            app.get(&format!("/.well-known/webfinger{query}")).await.assert_problem(400, "malformed-request");
        }
    }

    async fn the_server_describes_itself(app: TestApp) {
        let giles = app.register("giles").await;
        app.claim(&giles, &plain_claim("a")).await;
        let links = app.get("/.well-known/nodeinfo").await.body;
        app.eventually("/", |stats| stats["activities"] == 1).await;
        for link in links["links"].as_array().unwrap() {
            let info = app.get(link["href"].as_str().unwrap()).await;
            assert!(link["rel"].as_str().unwrap().ends_with(&info.text("/version")));
            assert_eq!((&info.body["software"]["name"], &info.body["protocols"]), (&json!("artdag-l2"), &json!(["activitypub"])));
            assert_eq!(info.body["usage"]["users"]["total"], 1);
        }
        app.get("/nodeinfo/3.0").await.assert_problem(404, "not-found");
        let host_meta = app.text("/.well-known/host-meta").await;
        assert!(host_meta.contains(&format!("template=\"{}/.well-known/webfinger?resource={{uri}}\"", app.base)));
        assert_eq!(app.get("/ns").await.body["@context"]["artdag"], app.url("/ns#"));
    }
}
