//! `GET /assets/{name}/provenance`.

use crate::support::{TestApp, hash_of, on_both_databases};
use serde_json::{Value, json};

async fn make(app: &TestApp, who: &crate::support::Account, name: &str, inputs: &[&str]) {
    let inputs: Vec<String> = inputs.iter().map(|input| hash_of(input)).collect();
    let claim = json!({"name": name, "content_hash": hash_of(name), "asset_type": "video", "provenance": {"inputs": inputs, "recipe": "blend", "run_id": format!("run of {name}")}});
    app.claim(who, &claim).await;
}

on_both_databases! {
    async fn a_lineage_reaches_both_ways(app: TestApp) {
        let giles = app.register("giles").await;
        make(&app, &giles, "raw", &[]).await;
        make(&app, &giles, "cut", &["raw", "nobody's"]).await;
        make(&app, &giles, "mix", &["cut", "raw"]).await;
        make(&app, &giles, "show", &["mix"]).await;
        let names = |lineage: &Value| {
            let mut names: Vec<String> = lineage["nodes"].as_array().unwrap().iter().map(|n| n["name"].as_str().unwrap_or("?").to_owned()).collect();
            names.sort();
            names
        };
        let all = app.get("/assets/cut/provenance").await.body;
        assert_eq!(names(&all), ["?", "cut", "mix", "raw", "show"]);
        assert_eq!(all["edges"].as_array().unwrap().len(), 5);
        assert_eq!(names(&app.get("/assets/cut/provenance?depth=1").await.body), ["?", "cut", "mix", "raw"]);
        assert_eq!(names(&app.get("/assets/cut/provenance?depth=0").await.body), ["cut"]);
        for (format, media_type, needle) in [
            ("prov-json", "application/json", "wasDerivedFrom"),
            ("prov-n", "text/provenance-notation", "endDocument"),
            ("jsonld", "application/ld+json", "@context"),
            ("ro-crate", "application/ld+json", "ro-crate-metadata.json"),
            ("dot", "text/vnd.graphviz", "digraph"),
            ("svg", "image/svg+xml", "<svg"),
        ] {
            let answer = app.get(&format!("/assets/cut/provenance?format={format}")).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert!(answer.header("content-type").starts_with(media_type), "{format}: {}", answer.header("content-type"));
            let known = app.request(reqwest::Method::GET, &format!("/assets/cut/provenance?format={format}")).header("if-none-match", answer.header("etag"));
            assert_eq!(known.send().await.unwrap().status(), 304, "{format}");
            assert!(app.text(&format!("/assets/cut/provenance?format={format}")).await.contains(needle), "{format}");
        }
        for query in ["depth=101", "depth=x", "format=pdf"] {
            app.get(&format!("/assets/cut/provenance?{query}")).await.assert_problem(422, "invalid-fields");
        }
        app.get("/assets/unknown/provenance").await.assert_problem(404, "not-found");
    }
}
