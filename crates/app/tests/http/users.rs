//! `/users/{username}` and its collections.

use crate::support::{TestApp, on_both_databases, plain_claim};
use serde_json::{Value, json};

on_both_databases! {
    async fn an_actor_shows_its_keys(app: TestApp) {
        app.register("giles").await;
        let actor = app.get_as("text/html;q=0.1, application/activity+json", "/users/Giles").await;
        assert_eq!(actor.header("content-type"), "application/activity+json");
        let id = app.url("/users/giles");
        assert_eq!(actor.text("/id"), id);
        assert_eq!(actor.text("/publicKey/id"), format!("{id}#main-key"));
        assert_eq!(actor.text("/publicKey/owner"), id);
        assert!(actor.text("/publicKey/publicKeyPem").starts_with("-----BEGIN PUBLIC KEY-----\n"));
        assert_eq!(actor.text("/assertionMethod/0/controller"), id);
        assert!(actor.text("/assertionMethod/0/publicKeyMultibase").starts_with("z6Mk"));
        assert_eq!(actor.text("/outbox"), format!("{id}/outbox"));
        app.get("/users/nobody").await.assert_problem(404, "not-found");
        for collection in ["followers", "following"] {
            let empty = app.get(&format!("/users/giles/{collection}")).await.body;
            assert_eq!((&empty["type"], &empty["totalItems"]), (&json!("OrderedCollection"), &json!(0)));
            let first = app.get(empty["first"].as_str().unwrap()).await.body;
            assert_eq!((&first["type"], &first["orderedItems"]), (&json!("OrderedCollectionPage"), &json!([])));
            app.get(&format!("/users/nobody/{collection}")).await.assert_problem(404, "not-found");
        }
    }

    async fn an_outbox_is_walked_in_both_directions(app: TestApp) {
        let giles = app.register("giles").await;
        let eve = app.register("eve").await;
        app.claim(&eve, &plain_claim("of eve")).await;
        for n in 0..90 {
            app.claim(&giles, &plain_claim(&format!("asset {n}"))).await;
        }
        app.eventually("/users/giles/outbox", |outbox| outbox["totalItems"] == 90).await;
        let outbox = app.get("/users/giles/outbox").await.body;
        let mut pages = Vec::new();
        let mut next = Some(outbox["first"].as_str().unwrap().to_owned());
        while let Some(url) = next {
            let page = app.get(&url).await.body;
            assert_eq!((&page["type"], &page["partOf"], &page["id"]), (&json!("OrderedCollectionPage"), &outbox["id"], &json!(url)));
            next = page["next"].as_str().map(str::to_owned);
            pages.push(page);
        }
        let items = |page: &Value| page["orderedItems"].as_array().unwrap().clone();
        assert_eq!(pages.iter().map(|page| items(page).len()).collect::<Vec<_>>(), [40, 40, 10]);
        let names: Vec<String> = pages.iter().flat_map(items).map(|a| a["object"]["name"].as_str().unwrap().to_owned()).collect();
        assert_eq!(names, (0..90).rev().map(|n| format!("asset {n}")).collect::<Vec<_>>());
        assert_eq!(pages[0].get("prev"), None);
        for (page, before) in [(2, 1), (1, 0)] {
            let back = app.get(pages[page]["prev"].as_str().unwrap()).await.body;
            assert_eq!(back["orderedItems"], pages[before]["orderedItems"]);
        }

        // The items are the signed texts themselves.
        let id = pages[0]["orderedItems"][0]["id"].as_str().unwrap();
        let text = app.text(pages[0]["id"].as_str().unwrap()).await;
        assert!(text.contains(&app.text(id).await));
    }
}
