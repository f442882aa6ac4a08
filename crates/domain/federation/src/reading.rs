//! Reads members of documents that others wrote: a string, an object with an `id` or a list of either may all mean the
//! same there, and anything at all may be anywhere.

use crate::Iri;
use serde_json::{Map, Value};
use std::slice;

/// How deep a document may be nested.
const MAX_DEPTH: usize = 64;
/// How many values a document may have: each takes some hundred bytes of memory, however few it takes on the wire.
const MAX_VALUES: usize = 20_000;
/// How much memory each takes at most, on the average.
const VALUE: usize = 400;
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
    /// More than 20,000 values.
    #[error("the document has too many values")]
    TooMany,
    /// JSON, but no object.
    #[error("the document is not a JSON object")]
    NotAnObject,
}

/// Parses a document of unknown origin.
///
/// # Errors
/// [`NotADocument`].
pub fn parse_document(bytes: &[u8]) -> Result<Map<String, Value>, NotADocument> {
    count_values(bytes)?;
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(NotADocument::NotAnObject),
        Err(_) => Err(NotADocument::NotJson),
    }
}

/// How much memory a document takes with all that is parsed of it.
pub fn parsed_size(bytes: &[u8]) -> usize {
    bytes.len() + count_values(bytes).unwrap_or(MAX_VALUES) * VALUE
}

/// How deep the brackets go and how much they hold, whatever else is wrong with the text. Looked at before a parser
/// makes anything of it.
fn count_values(bytes: &[u8]) -> Result<usize, NotADocument> {
    let (mut depth, mut values, mut is_first, mut in_text, mut escaped) = (0_usize, 0_usize, false, false, false);
    for byte in bytes {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            b',' => values += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            // The first item of a list, and the first member of an object, stand behind no comma.
            _ => values += usize::from(is_first),
        }
        is_first = matches!(byte, b'{' | b'[');
        if is_first {
            depth += 1;
        }
        in_text = *byte == b'"';
        if depth > MAX_DEPTH {
            return Err(NotADocument::TooDeep);
        }
        if values > MAX_VALUES {
            return Err(NotADocument::TooMany);
        }
    }
    Ok(values)
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
    fn parses_so_many_values_and_no_more() {
        for (item, n) in [("0", 20_000), ("[]", 20_000), ("{ }", 20_000), ("\"[,,,,]\"", 20_000), ("{\"\":0}", 10_000)]
        {
            // The list is a member, and with it one value.
            let list = |n: usize| format!("{{\"a\" : [ {}]}}", vec![item; n].join(" , ")).into_bytes();
            assert!(parse_document(&list(n - 1)).is_ok(), "{item}");
            assert_eq!(parse_document(&list(n + 1)), Err(NotADocument::TooMany), "{item}");
        }
        assert_eq!(parsed_size(b"{\"a\": [1, {}]}"), 14 + 3 * VALUE);
        let members: Vec<String> = (0..20_001).map(|n| format!("\"{n}\":0")).collect();
        assert_eq!(parse_document(format!("{{{}}}", members.join(",")).as_bytes()), Err(NotADocument::TooMany));
        assert_eq!(parse_document(&[b','; 1_000_000]), Err(NotADocument::TooMany));
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
