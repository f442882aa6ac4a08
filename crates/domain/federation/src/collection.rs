use crate::reading::reference;
use crate::{Activity, Iri, vocabulary};
use artdag_kernel::{Count, Cursor, Slice};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

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

/// A collection that needs no pages.
pub fn whole_collection<'a>(id: &str, items: impl IntoIterator<Item = &'a str>) -> Value {
    let items: Vec<&str> = items.into_iter().collect();
    json!({
        "@context": vocabulary::ACTIVITY_STREAMS,
        "id": id,
        "type": "OrderedCollection",
        "totalItems": items.len(),
        "orderedItems": items,
    })
}

/// All ids in a collection that came whole; `None` when it has no items, or pages with more of them. Whoever
/// concludes something from what is missing (FEP-8fcf) must not miss any.
pub fn collection_ids(document: &Map<String, Value>) -> Option<Vec<Iri>> {
    let items = ["orderedItems", "items"].into_iter().find_map(|name| document.get(name))?;
    if ["first", "next"].into_iter().any(|page| document.contains_key(page)) {
        return None;
    }
    let items = match items {
        Value::Array(items) => items.as_slice(),
        single => std::slice::from_ref(single),
    };
    Some(items.iter().filter_map(reference).collect())
}

/// One page of a collection of ids, newest first.
pub fn id_page(collection: &str, page_id: &str, total: Count, ids: &Slice<(Cursor, Iri)>) -> Value {
    let link = |which: &str, at: Option<&(Cursor, Iri)>| at.map(|(cursor, _)| format!("{collection}?{which}={cursor}"));
    let mut page = json!({
        "@context": vocabulary::ACTIVITY_STREAMS,
        "id": page_id,
        "type": "OrderedCollectionPage",
        "partOf": collection,
        "totalItems": total.known(),
        "orderedItems": ids.items.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>(),
    });
    let links = [
        ("next", link("older", ids.items.last().filter(|_| ids.has_older))),
        ("prev", link("newer", ids.items.first().filter(|_| ids.has_newer))),
    ];
    for (name, url) in links {
        if let Some(url) = url {
            page[name] = url.into();
        }
    }
    page
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_all_read_or_none() {
        let ids: Vec<String> = (0..5000).map(|n| format!("https://a.example/users/{n}")).collect();
        let ids_of = |mut document: Value, more: Option<&str>| {
            if let Some(more) = more {
                document[more] = "https://a.example/more".into();
            }
            collection_ids(document.as_object().unwrap()).map(|ids| ids.len())
        };
        let whole = whole_collection("https://a.example/followers", ids.iter().map(String::as_str));
        assert_eq!(ids_of(whole.clone(), None), Some(5000));
        assert_eq!(ids_of(whole.clone(), Some("next")), None);
        assert_eq!(ids_of(whole, Some("first")), None);
        assert_eq!(ids_of(json!({"items": ids[0]}), None), Some(1));
        assert_eq!(ids_of(json!({"orderedItems": null}), None), Some(0));
        assert_eq!(ids_of(json!({"totalItems": 3}), Some("first")), None);
    }
}
