//! `/`, `/health/..`, `/docs`, `/openapi.json`, `/problems/..`, and what is not there.

use crate::support::{Answer, TestApp, on_both_databases};
use reqwest::Method;
use serde_json::json;

on_both_databases! {
    async fn the_front_door_is_json_for_machines(app: TestApp) {
        let stats = app.get("/").await;
        assert_eq!(stats.header("content-type"), "application/json");
        assert_eq!((&stats.body["name"], &stats.body["assets"]), (&json!("artdag-l2"), &json!(0)));
        assert_eq!(app.get("/health/live").await.status, 200);
        assert_eq!(app.get("/health/ready").await.body["database"], "ok");
    }

    async fn the_api_is_described_without_a_network(app: TestApp) {
        let api = app.get("/openapi.json").await.body;
        assert!(api["paths"]["/assets"]["post"]["responses"]["201"].is_object());
        let docs = app.request(Method::GET, "/docs").send().await.unwrap();
        assert_eq!((docs.status().as_u16(), &docs.headers()["location"]), (308, &"/docs/".parse().unwrap()));
        let page = app.text("/docs/").await;
        assert!(page.contains("swagger-ui-bundle.js") && !page.contains("https://"), "{page}");
        assert!(app.text("/docs/swagger-ui-bundle.js").await.len() > 100_000);
        assert!(app.text("/docs/swagger-initializer.js").await.contains("/openapi.json"));
    }

    async fn a_problems_type_leads_to_its_page(app: TestApp) {
        let problem = app.get("/assets/nothing").await;
        problem.assert_problem(404, "not-found");
        assert_eq!(problem.text("/instance"), "/assets/nothing");
        assert!(app.text(&problem.text("/type")).await.starts_with("# There is nothing here\n"));
        assert!(!problem.header("x-request-id").is_empty());
    }

    async fn another_method_is_told_which_are_taken(app: TestApp) {
        for (method, path, allowed) in [
            (Method::DELETE, "/assets", "GET, HEAD, POST"),
            (Method::POST, "/assets/a", "GET, HEAD, PATCH, DELETE"),
            (Method::GET, "/auth/login", "POST"),
            (Method::PUT, "/", "GET, HEAD"),
        ] {
            let answer = Answer::of(app.request(method, path).send().await.unwrap()).await;
            answer.assert_problem(405, "method-not-allowed");
            assert_eq!(answer.header("allow"), allowed);
        }
        for path in ["/nowhere", "/assets/", "/users", "/assets/a/b/c"] {
            app.get(path).await.assert_problem(404, "not-found");
        }
    }
}
