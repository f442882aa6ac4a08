//! `PATCH` and `DELETE /assets/{name}`.

use crate::support::{Account, Answer, TestApp, hash_of, on_both_databases, plain_claim};
use reqwest::Method;
use serde_json::{Value, json};

async fn patch_if(app: &TestApp, who: &Account, tag: &str, body: &Value) -> Answer {
    let request = app.request(Method::PATCH, "/assets/a").bearer_auth(&who.token).header("if-match", tag).json(body);
    Answer::of(request.send().await.unwrap()).await
}

on_both_databases! {
    async fn an_owner_changes_details_and_an_update_is_published(app: TestApp) {
        let giles = app.register("giles").await;
        let mut claim = plain_claim("a");
        claim["description"] = json!("before");
        claim["metadata"] = json!({"n": 1});
        app.claim(&giles, &claim).await;
        let change = json!({"description": null, "tags": ["new"], "url": "https://example.com/", "asset_type": "video"});
        let changed = app.send(Method::PATCH, "/assets/a", &giles, &change).await;
        assert_eq!(changed.status, 200, "{changed:?}");
        assert_eq!(changed.body.get("description"), None);
        assert_eq!(changed.body["metadata"], json!({"n": 1}));
        assert_eq!((changed.text("/asset_type"), &changed.body["tags"]), ("video".to_owned(), &json!(["new"])));
        assert_ne!(changed.body["updated_at"], changed.body["created_at"]);

        let activities = app.get("/activities").await.body["activities"].clone();
        assert_eq!((&activities[0]["type"], &activities[1]["type"]), (&json!("Update"), &json!("Create")));
        assert_eq!(activities[0]["object"]["updated"], changed.body["updated_at"]);
        let object = app.get(&format!("/objects/{}", hash_of("a"))).await.body;
        assert_eq!((&object["type"], &object["tag"][0]["name"]), (&json!("Video"), &json!("#new")));
        assert_eq!(app.get("/assets?tag=new").await.body["assets"][0]["name"], "a");
        assert_eq!(app.get("/assets?q=before").await.body["assets"], json!([]));

        // What changes nothing publishes nothing.
        let same = app.send(Method::PATCH, "/assets/a", &giles, &change).await;
        assert_eq!((same.status.as_u16(), &same.body["updated_at"]), (200, &changed.body["updated_at"]));
        assert_eq!(app.published().await, 2);
    }

    async fn what_must_not_change_does_not(app: TestApp) {
        let giles = app.register("giles").await;
        let eve = app.register("eve").await;
        app.claim(&giles, &plain_claim("a")).await;
        for field in ["name", "content_hash", "cid", "owner", "provenance"] {
            let answer = app.send(Method::PATCH, "/assets/a", &giles, &json!({field: "x", "tags": ["y"]})).await;
            answer.assert_problem(422, "invalid-fields");
            assert_eq!(answer.fields(), [format!("/{field}")]);
        }
        app.send(Method::PATCH, "/assets/a", &eve, &json!({"tags": ["eve"]})).await.assert_problem(403, "forbidden");
        app.send(Method::DELETE, "/assets/a", &eve, &json!({})).await.assert_problem(403, "forbidden");
        app.send(Method::PATCH, "/assets/b", &giles, &json!({"tags": []})).await.assert_problem(404, "not-found");
        app.send(Method::DELETE, "/assets/b", &giles, &json!({})).await.assert_problem(404, "not-found");
        app.send(Method::PATCH, "/assets/a", &giles, &json!({"tags": 7})).await.assert_problem(422, "invalid-fields");
        assert_eq!(app.get("/assets/a").await.body["tags"], json!([]));
        assert_eq!(app.published().await, 1);
    }

    async fn if_match_guards_against_lost_changes(app: TestApp) {
        let giles = app.register("giles").await;
        app.claim(&giles, &plain_claim("a")).await;
        // The tag that was read before the claim got its index is as good as the one after.
        let early = app.get("/assets/a").await.header("etag").to_owned();
        app.eventually("/assets/a", |asset| asset["activity_index"] == 0).await;
        let changed = patch_if(&app, &giles, &early, &json!({"tags": ["one"]})).await;
        assert_eq!(changed.status, 200, "{changed:?}");
        patch_if(&app, &giles, &early, &json!({"tags": ["two"]})).await.assert_problem(412, "changed");
        patch_if(&app, &giles, "\"nonsense\"", &json!({"tags": ["two"]})).await.assert_problem(412, "changed");
        let weak = format!("W/{}", changed.header("etag"));
        patch_if(&app, &giles, &weak, &json!({"tags": ["two"]})).await.assert_problem(412, "changed");
        let request = app.request(Method::DELETE, "/assets/a").bearer_auth(&giles.token).header("if-match", &early);
        Answer::of(request.send().await.unwrap()).await.assert_problem(412, "changed");
        assert_eq!(patch_if(&app, &giles, "*", &json!({"tags": ["two"]})).await.status, 200);
        assert_eq!(app.get("/assets/a").await.body["tags"], json!(["two"]));
    }

    async fn a_deleted_asset_leaves_a_tombstone(app: TestApp) {
        let giles = app.register("giles").await;
        let eve = app.register("eve").await;
        app.claim(&giles, &plain_claim("a")).await;
        let deleted = app.send(Method::DELETE, "/assets/a", &giles, &json!({})).await;
        assert_eq!(deleted.status, 200, "{deleted:?}");
        assert_eq!(deleted.text("/type"), "Tombstone");
        let gone = app.get("/assets/a").await;
        gone.assert_problem(410, "gone");
        assert_eq!(gone.body["tombstone"], deleted.body);
        app.send(Method::DELETE, "/assets/a", &giles, &json!({})).await.assert_problem(410, "gone");
        app.send(Method::PATCH, "/assets/a", &giles, &json!({})).await.assert_problem(410, "gone");

        let object = app.get(&format!("/objects/{}", hash_of("a"))).await;
        assert_eq!(object.status, 410);
        assert_eq!((&object.body["type"], &object.body["formerType"]), (&json!("Tombstone"), &json!("Image")));
        let withdrawal = app.get(&deleted.text("/activity")).await;
        assert_eq!((&withdrawal.body["type"], &withdrawal.body["object"]["type"]), (&json!("Delete"), &json!("Tombstone")));
        assert_eq!(app.get("/assets").await.body["assets"], json!([]));

        // Name and content stay their former owner's.
        app.post("/assets", &eve, &plain_claim("a")).await.assert_problem(409, "reserved");
        let mut other_name = plain_claim("b");
        other_name["content_hash"] = json!(hash_of("a"));
        let reserved = app.post("/assets", &eve, &other_name).await;
        reserved.assert_problem(409, "reserved");
        assert!(reserved.text("/detail").contains("@giles@"), "{reserved:?}");
        assert_eq!(app.published().await, 2);
        app.claim(&giles, &plain_claim("a")).await;
        assert_eq!(app.get("/assets/a").await.status, 200);
        assert_eq!(app.get(&format!("/objects/{}", hash_of("a"))).await.status, 200);
        app.eventually("/assets", |list| list["total"] == 1).await;
    }

    async fn what_others_were_made_from_stays(app: TestApp) {
        let giles = app.register("giles").await;
        let eve = app.register("eve").await;
        app.claim(&giles, &plain_claim("input")).await;
        let mut made = plain_claim("made from it");
        made["provenance"] = json!({"inputs": [hash_of("input")]});
        app.claim(&eve, &made).await;
        let refused = app.send(Method::DELETE, "/assets/input", &giles, &json!({})).await;
        refused.assert_problem(409, "in-use");
        assert_eq!(refused.body["used_by"], json!(["made from it"]));
        assert_eq!(app.get("/assets/input").await.status, 200);
        assert_eq!(app.published().await, 2);
        assert_eq!(app.send(Method::DELETE, "/assets/made%20from%20it", &eve, &json!({})).await.status, 200);
        assert_eq!(app.send(Method::DELETE, "/assets/input", &giles, &json!({})).await.status, 200);
    }
}
