//! Pages for people.

use crate::support::{TestApp, on_both_databases};
use reqwest::Method;

/// What a browser asks for.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

pub(crate) async fn page(app: &TestApp, path: &str) -> String {
    let response = app.request(Method::GET, path).header("accept", BROWSER).send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    assert!(header("content-security-policy").starts_with("default-src 'none'"));
    assert!(header("vary").starts_with("Accept"));
    assert_eq!(header("x-content-type-options"), "nosniff");
    response.text().await.unwrap()
}

on_both_databases! {
    async fn anchors_are_shown_before_there_are_any(app: TestApp) {
        let text = page(&app, "/anchors/ui").await;
        assert!(text.contains("Nothing was stamped yet.") && text.contains("has set no calendars"), "{text}");
        assert!(page(&app, "/anchors/ui?before=5").await.contains("There are no older anchors."));
        let style = text.split('"').find(|part| part.ends_with(".css")).unwrap().to_owned();
        let style = app.request(Method::GET, &style).send().await.unwrap();
        assert_eq!((style.status().as_u16(), &style.headers()["content-type"]), (200, &"text/css; charset=utf-8".parse().unwrap()));
        for path in ["/static/none.css", "/static/../Cargo.toml", "/static/%2e%2e/css/app.css", "/static/"] {
            app.get(path).await.assert_problem(404, "not-found");
        }
        // Programs get what programs read, and a wrong query is a problem for everybody.
        for accept in ["*/*", "application/json"] {
            assert_eq!(app.get_as(accept, "/anchors/ui").await.body, app.get("/anchors").await.body);
        }
        app.get_as(BROWSER, "/anchors/ui?before=x").await.assert_problem(422, "invalid-fields");
    }
}
