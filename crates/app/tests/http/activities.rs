//! `/activities` and the log's order.

use crate::support::{TestApp, on_both_databases, plain_claim};
use serde_json::{Value, json};
use std::collections::BTreeSet;

on_both_databases! {
    async fn every_claim_gets_its_index_without_gaps(app: TestApp) {
        let giles = app.register("giles").await;
        let claims: Vec<Value> = (0..12).map(|n| plain_claim(&format!("asset {n}"))).collect();
        futures_util::future::join_all(claims.iter().map(|claim| app.claim(&giles, claim))).await;
        // Items and total are two look-ups: the total may know of more than the items do.
        let all_indexed = |list: &Value| list["activities"].as_array().unwrap().iter().all(|a| a["index"].is_u64());
        let list = app.eventually("/activities?limit=200", |list| list["total"] == 12 && all_indexed(list)).await;
        let activities = list["activities"].as_array().unwrap();
        let indexes: BTreeSet<u64> = activities.iter().map(|a| a["index"].as_u64().unwrap()).collect();
        assert_eq!(indexes, (0..12).collect());
        for activity in activities {
            let by_index = app.text(&format!("/activities/{}", activity["index"])).await;
            assert_eq!(by_index, app.text(activity["id"].as_str().unwrap()).await);
            assert_eq!(by_index, app.text(activity["canonical"].as_str().unwrap()).await);
        }
        assert_eq!(app.get("/activities/12").await.status, 404);
        assert_eq!(app.get("/").await.body["activities"], 12);
    }

    async fn the_list_is_a_collection_for_the_fediverse(app: TestApp) {
        let giles = app.register("giles").await;
        for n in 0..3 {
            app.claim(&giles, &plain_claim(&n.to_string())).await;
        }
        app.eventually("/activities", |list| list["total"] == 3).await;
        let json = app.get("/activities?limit=2").await.body;
        assert_eq!(json["activities"].as_array().unwrap().len(), 2);
        let rest = app.get(json["next"].as_str().unwrap()).await.body;
        assert_eq!((rest["activities"].as_array().unwrap().len(), &rest["next"]), (1, &Value::Null));
        let collection = app.get_as("application/activity+json", "/activities").await.body;
        assert_eq!((&collection["type"], &collection["totalItems"]), (&json!("OrderedCollection"), &json!(3)));
        let page = app.get_as("application/activity+json", collection["first"].as_str().unwrap()).await.body;
        assert_eq!(page["orderedItems"].as_array().unwrap().len(), 3);
    }
}
