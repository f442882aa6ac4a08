//! `GET /assets` and `GET /assets/{name}`.

use crate::support::{Answer, TestApp, hash_of, on_both_databases, plain_claim};
use reqwest::Method;
use serde_json::{Value, json};

fn names(list: &Value) -> Vec<&str> {
    list["assets"].as_array().unwrap().iter().map(|asset| asset["name"].as_str().unwrap()).collect()
}

on_both_databases! {
    async fn an_empty_registry_lists_nothing(app: TestApp) {
        let list = app.get("/assets").await;
        assert_eq!(list.body, json!({"assets": [], "limit": 50, "next": null, "total": 0, "total_relation": "eq"}));
        app.get("/assets/nothing").await.assert_problem(404, "not-found");
        app.get(&format!("/objects/{}", hash_of("x"))).await.assert_problem(404, "not-found");
    }

    async fn pages_are_complete_and_without_doubles(app: TestApp) {
        let giles = app.register("giles").await;
        for n in 0..7 {
            app.claim(&giles, &plain_claim(&format!("asset {n}"))).await;
        }
        app.eventually("/assets", |list| list["total"] == 7).await;
        let mut seen = Vec::new();
        let mut next = "/assets?limit=3&owner=giles".to_owned();
        loop {
            let list = app.get(&next).await.body;
            assert_eq!((&list["limit"], &list["total"]), (&json!(3), &json!(7)));
            seen.extend(names(&list).into_iter().map(str::to_owned));
            match list["next"].as_str() {
                Some(url) => next = url.to_owned(),
                None => break,
            }
        }
        assert_eq!(seen, ["asset 6", "asset 5", "asset 4", "asset 3", "asset 2", "asset 1", "asset 0"]);
        assert_eq!(names(&app.get("/assets?limit=2&page=2").await.body), ["asset 4", "asset 3"]);
        assert_eq!(names(&app.get("/assets?limit=2&offset=6").await.body), ["asset 0"]);
    }

    async fn conditions_narrow_the_list(app: TestApp) {
        let giles = app.register("giles").await;
        let eve = app.register("eve").await;
        for (who, name, asset_type, tags, run) in [
            (&giles, "red dog", "image", json!(["Art", "dog"]), "run-1"),
            (&giles, "blue dog", "video", json!(["art"]), "run-2"),
            (&eve, "effect:Été", "effect", json!([]), "run-3"),
        ] {
            let claim = json!({"name": name, "content_hash": hash_of(name), "asset_type": asset_type, "tags": tags, "provenance": {"run_id": run}, "description": "made of code"});
            app.claim(who, &claim).await;
        }
        let domain = app.settings.site.domain();
        for (query, expected) in [
            ("owner=giles".to_owned(), vec!["blue dog", "red dog"]),
            (format!("owner=@eve@{domain}"), vec!["effect:Été"]),
            ("asset_type=video".to_owned(), vec!["blue dog"]),
            ("tag=ART".to_owned(), vec!["blue dog", "red dog"]),
            ("tag=art&tag=dog".to_owned(), vec!["red dog"]),
            (format!("content_hash={}", &hash_of("red dog")[9..]), vec!["red dog"]),
            ("run_id=run-3".to_owned(), vec!["effect:Été"]),
            ("q=dog".to_owned(), vec!["blue dog", "red dog"]),
            ("q=DO+blu".to_owned(), vec!["blue dog"]),
            ("q=ete".to_owned(), vec!["effect:Été"]),
            ("q=code".to_owned(), vec!["effect:Été", "blue dog", "red dog"]),
            ("q=cat".to_owned(), vec![]),
            ("q=dog&owner=eve".to_owned(), vec![]),
            ("tag=art&asset_type=image&owner=giles&q=dog".to_owned(), vec!["red dog"]),
        ] {
            let list = app.get(&format!("/assets?{query}")).await;
            assert_eq!(names(&list.body), expected, "{query}");
            if !query.starts_with("owner=") {
                assert_eq!(list.body["total"], expected.len(), "{query}");
            }
        }
        app.eventually("/assets?owner=giles", |list| list["total"] == 2).await;
    }

    async fn who_has_it_already_gets_304(app: TestApp) {
        let giles = app.register("giles").await;
        app.claim(&giles, &plain_claim("a")).await;
        app.eventually("/assets/a", |asset| asset["activity_index"] == 0).await;
        for path in ["/assets/a", "/assets", "/users/giles", "/users/giles/outbox", "/activities/0", "/activities/0/canonical.json", "/openapi.json"] {
            let first = app.get(path).await;
            let tag = first.header("etag").to_owned();
            assert!(first.header("vary").contains("Accept"), "{path}");
            for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
                let again = app.request(Method::GET, path).header("if-none-match", &known).send().await.unwrap();
                assert_eq!((again.status().as_u16(), again.headers()["etag"].to_str().unwrap()), (304, tag.as_str()), "{path}");
                assert!(again.bytes().await.unwrap().is_empty());
            }
            let changed = app.request(Method::GET, path).header("if-none-match", "\"other\"").send().await.unwrap();
            assert_eq!(changed.status(), 200, "{path}");
        }
        let id = app.get("/assets/a").await.text("/activity");
        assert!(app.get(&format!("{id}/canonical.json")).await.header("cache-control").contains("immutable"));
        assert!(!app.get("/activities/0/canonical.json").await.header("cache-control").contains("immutable"));
    }

    async fn a_browser_elsewhere_may_read_and_head_is_get_without_a_body(app: TestApp) {
        let giles = app.register("giles").await;
        app.claim(&giles, &plain_claim("a")).await;
        let answer = Answer::of(app.request(Method::GET, "/assets/a").header("origin", "https://elsewhere.example").send().await.unwrap()).await;
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
        let head = app.request(Method::HEAD, "/assets/a").send().await.unwrap();
        assert_eq!(head.status(), 200);
        assert_eq!(head.headers()["content-type"], "application/json");
        assert!(head.bytes().await.unwrap().is_empty());
        assert_eq!(app.request(Method::HEAD, "/assets/b").send().await.unwrap().status(), 404);
    }
}
