//! `POST /assets`: a claim is stored, signed, published and sequenced.

use crate::support::{TestApp, hash_of, on_both_databases, plain_claim};
use serde_json::json;

on_both_databases! {
    async fn a_claim_is_served_in_every_form(app: TestApp) {
        let giles = app.register("giles").await;
        let input = hash_of("an input that nobody registered");
        let claim = json!({
            "name": "effect:été → ✨ 𝒳", "content_hash": hash_of("x")[9..].to_uppercase(), "asset_type": "video",
            "tags": ["Art", "#generated", "art"], "description": "One.\nTwo <b>.", "url": "https://example.com/x",
            "cid": "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", "metadata": {"fps": 25.0, "nul": "\u{0}", "big": 18446744073709551615u64},
            "provenance": {"inputs": [input], "recipe": {"name": "beat-sync", "bpm": 120.5}, "run_id": "r-1", "l1_server": "https://l1.example", "effects": ["dog"]},
        });
        let answer = app.post("/assets", &giles, &claim).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let path = "/assets/effect:%C3%A9t%C3%A9%20%E2%86%92%20%E2%9C%A8%20%F0%9D%92%B3";
        assert_eq!(answer.header("location"), app.url(path));

        let shown = app.eventually(path, |asset| asset["activity_index"] == 0).await;
        for (field, expected) in [
            ("name", json!("effect:été → ✨ 𝒳")), ("content_hash", json!(hash_of("x"))), ("sha3_256", json!(&hash_of("x")[9..])),
            ("asset_type", json!("video")), ("owner", json!(format!("@giles@{}", app.settings.site.domain()))),
            ("tags", json!(["Art", "generated"])), ("metadata", claim["metadata"].clone()), ("cid", claim["cid"].clone()),
            ("description", claim["description"].clone()), ("url", claim["url"].clone()), ("provenance", claim["provenance"].clone()),
            ("anchor", json!({"status": "unanchored"})), ("activity", answer.body["activity"].clone()), ("created_at", answer.body["created_at"].clone()),
        ] {
            assert_eq!(shown[field], expected, "{field}");
        }

        // The activity, at its id, by its index, and as the bytes that were signed, is one text.
        let id = answer.text("/activity");
        let text = app.text(&id).await;
        assert_eq!(text, app.text("/activities/0").await);
        assert_eq!(text, app.text("/activity/0").await);
        assert_eq!(text, app.text(&format!("{id}/canonical.json")).await);
        let activity = app.get_as("application/activity+json", &id).await;
        assert_eq!(activity.header("content-type"), "application/activity+json");
        let object = &activity.body["object"];
        assert_eq!(activity.body["type"], "Create");
        assert_eq!(activity.body["published"], shown["created_at"]);
        assert_eq!(object["content"], hash_of("x"));
        assert_eq!(object["type"], "Video");
        assert_eq!(object["summary"], "One.<br>Two &lt;b&gt;.");
        assert_eq!(object["artdag:provenance"]["inputs"], json!([input]));
        assert_eq!(object["artdag:provenance"]["recipe"], r#"{"bpm":120.5,"name":"beat-sync"}"#);
        assert_eq!(object["tag"][0]["name"], "#Art");

        // The object on its own, by its id and by the asset's name.
        let alone = app.get_as("application/activity+json", &object["id"].as_str().unwrap().replace(&app.base, "")).await;
        assert_eq!(alone.header("content-type"), "application/activity+json");
        assert_eq!(alone.body["name"], object["name"]);
        assert_eq!(alone.body["@context"], activity.body["@context"]);
        assert_eq!(app.get_as("application/activity+json", path).await.body, alone.body);
        assert_eq!(app.get(&format!("/objects/{}", hash_of("x")[9..].to_uppercase())).await.body, alone.body);
        assert_eq!(app.get(&format!("/objects/{}", hash_of("x"))).await.body, alone.body);
    }

    async fn no_number_is_signed(app: TestApp) {
        fn has_number(value: &serde_json::Value) -> bool {
            match value {
                serde_json::Value::Number(_) => true,
                serde_json::Value::Array(items) => items.iter().any(has_number),
                serde_json::Value::Object(members) => members.values().any(has_number),
                _ => false,
            }
        }
        let giles = app.register("giles").await;
        let claim = json!({"name": "a", "content_hash": hash_of("a"), "asset_type": "image", "metadata": {"n": 1}, "provenance": {"recipe": {"bpm": 1.5}, "seed": 7}});
        let id = app.claim(&giles, &claim).await["activity"].as_str().unwrap().to_owned();
        assert!(!has_number(&app.get(&id).await.body));
    }

    async fn other_names_for_the_fields_are_read(app: TestApp) {
        let giles = app.register("giles").await;
        for (n, (name, hash)) in [("asset_name", "content_hash"), ("output_name", "output_hash"), ("name", "cid")].into_iter().enumerate() {
            let bare = &hash_of(&n.to_string())[9..];
            let answer = app.claim(&giles, &json!({name: format!("asset {n}"), hash: bare, "asset_type": "image"})).await;
            assert_eq!(answer["content_hash"], hash_of(&n.to_string()));
            assert_eq!(answer.get("cid"), None);
        }
    }

    async fn the_same_claim_again_is_no_second_one(app: TestApp) {
        let giles = app.register("giles").await;
        let eve = app.register("eve").await;
        let first = app.claim(&giles, &plain_claim("a")).await;
        let again = app.post("/assets", &giles, &plain_claim("a")).await;
        assert_eq!(again.status, 200, "{again:?}");
        assert_eq!(again.body["activity"], first["activity"]);

        let mut other = plain_claim("a");
        other["content_hash"] = json!(hash_of("other"));
        let taken = app.post("/assets", &giles, &other).await;
        taken.assert_problem(409, "name-taken");
        assert_eq!(taken.body["existing"]["content_hash"], hash_of("a"));
        let mut other = plain_claim("b");
        other["content_hash"] = json!(hash_of("a"));
        let claimed = app.post("/assets", &eve, &other).await;
        claimed.assert_problem(409, "content-claimed");
        assert!(claimed.text("/detail").contains("`a`") && claimed.text("/detail").contains("@giles@"), "{claimed:?}");
        app.post("/assets", &eve, &plain_claim("a")).await.assert_problem(409, "name-taken");
        assert_eq!(app.published().await, 1);
    }

    async fn a_decomposed_name_is_the_composed_one(app: TestApp) {
        let giles = app.register("giles").await;
        let claim = json!({"name": "e\u{301}", "content_hash": hash_of("a"), "asset_type": "image"});
        assert_eq!(app.claim(&giles, &claim).await["name"], "é");
        assert_eq!(app.get("/assets/%C3%A9").await.status, 200);
        assert_eq!(app.get("/assets/e%CC%81").await.status, 200);
    }
}
