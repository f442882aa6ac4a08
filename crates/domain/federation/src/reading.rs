//! Reads members of documents that others wrote: a string, an object with an `id` or a list of either may all mean the
//! same there, and anything at all may be anywhere.

use crate::Iri;
use serde_json::{Map, Value};
use std::slice;

/// How deep a document may be nested.
const MAX_DEPTH: usize = 64;
/// How many items of a list are looked at.
const MAX_ITEMS: usize = 1000;

/// The bytes are no document that is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotADocument {
    /// Not JSON.
    #[error("the body is not JSON")]
    NotJson,
    /// Nested deeper than 64 levels.
    #[error("the document is nested too deep")]
    TooDeep,
    /// JSON, but no object.
    #[error("the document is not a JSON object")]
    NotAnObject,
}

/// Parses a document of unknown origin.
///
/// # Errors
/// [`NotADocument`].
pub fn parse_document(bytes: &[u8]) -> Result<Map<String, Value>, NotADocument> {
    if depth(bytes) > MAX_DEPTH {
        return Err(NotADocument::TooDeep);
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(NotADocument::NotAnObject),
        Err(_) => Err(NotADocument::NotJson),
    }
}

/// How deep the brackets go, whatever else is wrong with the text.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The items of a list; of anything else, itself; of null and nothing, none.
pub(crate) fn items(value: Option<&Value>) -> &[Value] {
    match value {
        None | Some(Value::Null) => &[],
        Some(Value::Array(items)) => &items[..items.len().min(MAX_ITEMS)],
        Some(single) => slice::from_ref(single),
    }
}

/// The id that a reference names: a string, or an object with an `id`.
pub(crate) fn reference(value: &Value) -> Option<Iri> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Object(members) => members.get("id")?.as_str()?.parse().ok(),
        _ => None,
    }
}

/// The ids that a member names.
pub(crate) fn references(members: &Map<String, Value>, name: &str) -> impl Iterator<Item = Iri> {
    items(members.get(name)).iter().filter_map(reference)
}

/// The one id that a member names; none when it names none, or more than one.
pub(crate) fn the_reference(members: &Map<String, Value>, name: &str) -> Option<Iri> {
    let mut all = references(members, name);
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

/// The member as text; the first of several.
pub(crate) fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    items(members.get(name)).iter().find_map(Value::as_str)
}

/// The member's text, cut to so many characters, without control characters; `None` when nothing is left.
pub(crate) fn short_text(members: &Map<String, Value>, name: &str, most: usize) -> Option<String> {
    let visible = |c: &char| !c.is_control() || *c == '\n';
    let text: String = text(members, name)?.chars().filter(visible).take(most).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Whether the member `type` says this word, alone or among others.
pub(crate) fn has_type(members: &Map<String, Value>, word: &str) -> bool {
    items(members.get("type")).iter().any(|kind| kind == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parses_objects_of_modest_depth_alone() {
        let nested = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n)).into_bytes();
        assert!(parse_document(&nested(63)).is_ok());
        assert_eq!(parse_document(&nested(64)), Err(NotADocument::TooDeep));
        assert_eq!(parse_document(&[b'['; 1_000_000]), Err(NotADocument::TooDeep));
        assert_eq!(parse_document(br#"{"a": "\"[[[[", "b": "{"}"#).map(|d| d.len()), Ok(2));
        for text in ["", "{", "{\"a\":1}}", "nul", "\u{feff}{}", "{\"a\":1e999}"] {
            assert_eq!(parse_document(text.as_bytes()), Err(NotADocument::NotJson), "{text}");
        }
        assert_eq!(parse_document(b"{\"a\": \"\xff\"}"), Err(NotADocument::NotJson));
        for text in ["null", "[]", "1", "\"{}\""] {
            assert_eq!(parse_document(text.as_bytes()), Err(NotADocument::NotAnObject), "{text}");
        }
    }

    #[test]
    fn one_a_list_of_one_and_an_object_are_alike() {
        let id: Iri = "https://a.example/1".parse().unwrap();
        for value in [
            json!("https://a.example/1"),
            json!(["https://a.example/1"]),
            json!({"id": "https://a.example/1", "type": "Person"}),
            json!([null, 1, {"x": 1}, "https://a.example/1", {"id": "https://a.example/1"}]),
        ] {
            let document = json!({"actor": value});
            assert_eq!(the_reference(document.as_object().unwrap(), "actor"), Some(id.clone()), "{document}");
        }
        for value in [json!(null), json!([]), json!(1), json!(["https://a.example/1", "https://b.example/1"])] {
            let document = json!({"actor": value});
            assert_eq!(the_reference(document.as_object().unwrap(), "actor"), None, "{document}");
        }
    }
}
