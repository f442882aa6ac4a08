use crate::{Activity, vocabulary};
use artdag_kernel::{Count, Cursor, Slice};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The head of a paged collection (ActivityStreams, 5): how many items, and where they begin.
pub fn collection(id: &str, total: Count) -> Value {
    json!({
        "@context": vocabulary::ACTIVITY_STREAMS,
        "id": id,
        "type": "OrderedCollection",
        "totalItems": total.known(),
        "first": format!("{id}?page=true"),
    })
}

/// A collection without items, which needs no pages.
pub fn empty_collection(id: &str) -> Value {
    json!({
        "@context": vocabulary::ACTIVITY_STREAMS,
        "id": id,
        "type": "OrderedCollection",
        "totalItems": 0,
        "orderedItems": [],
    })
}

/// One page of a collection of activities, newest first. The items are the stored documents, byte for byte.
///
/// # Errors
/// When a stored document is no JSON, which none made here is.
pub fn activity_page(
    collection: &str,
    page_id: &str,
    total: Count,
    activities: &Slice<Activity>,
) -> Result<CollectionPage, serde_json::Error> {
    let raw = activities.items.iter().map(|a| RawValue::from_string(a.document.as_str().to_owned()));
    let at = |activity: &Activity| Cursor { at: activity.published_at, id: activity.id.as_uuid() };
    let link = |which: &str, activity: Option<&Activity>| activity.map(|a| format!("{collection}?{which}={}", at(a)));
    Ok(CollectionPage {
        context: vocabulary::ACTIVITY_STREAMS,
        id: page_id.to_owned(),
        kind: "OrderedCollectionPage",
        part_of: collection.to_owned(),
        total_items: total.known(),
        next: link("older", activities.items.last().filter(|_| activities.has_older)),
        prev: link("newer", activities.items.first().filter(|_| activities.has_newer)),
        ordered_items: raw.collect::<Result<_, _>>()?,
    })
}

/// An `OrderedCollectionPage`, ready to be written.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CollectionPage {
    #[serde(rename = "@context")]
    context: &'static str,
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    part_of: String,
    total_items: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev: Option<String>,
    ordered_items: Vec<Box<RawValue>>,
}
