use crate::Iri;
use crate::reading::{has_type, items, short_text, text, the_reference};
use artdag_kernel::{ContentHash, Instant};
use artdag_provenance::Provenance;
use chrono::DateTime;
use serde_json::{Map, Value};

/// Something that an actor of another server published: a claim to content if it names a hash, else a post.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteObject {
    /// Its id.
    pub id: Iri,
    /// Whose it is.
    pub actor: Iri,
    /// The ActivityStreams type.
    pub kind: String,
    /// The content that it claims.
    pub content_hash: Option<ContentHash>,
    /// How the claimed content came to be; what cannot be read of it is left out.
    pub provenance: Option<Provenance>,
    /// Its name.
    pub name: Option<String>,
    /// What it says, as its origin sent it: HTML that nobody has cleaned.
    pub content: Option<String>,
    /// When it was published, by its origin's own clock.
    pub published: Option<Instant>,
}

/// Why an object is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTheirs {
    /// It has no id.
    #[error("the object has no id that is an http(s) URL")]
    NoId,
    /// Its id belongs to another origin.
    #[error("the object's id is of another origin than the actor's")]
    ForeignId,
    /// It says that it is somebody else's.
    #[error("the object is not attributed to the actor")]
    Attribution,
}

impl RemoteObject {
    /// Reads an object that `actor` published.
    ///
    /// # Errors
    /// [`NotTheirs`] when it is not the actor's to publish.
    pub fn from_document(actor: &Iri, object: &Map<String, Value>) -> Result<Self, NotTheirs> {
        let id: Iri = object.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok()).ok_or(NotTheirs::NoId)?;
        if !id.is_beside(actor) {
            return Err(NotTheirs::ForeignId);
        }
        let attributed = items(object.get("attributedTo"));
        if !attributed.is_empty() && the_reference(object, "attributedTo").as_ref() != Some(actor) {
            return Err(NotTheirs::Attribution);
        }
        let content_hash = content_hash(object);
        let provenance = object.get("artdag:provenance").or_else(|| object.get("provenance"));
        Ok(Self {
            id,
            actor: actor.clone(),
            kind: short_text(object, "type", 64).unwrap_or_else(|| "Object".to_owned()),
            provenance: provenance.filter(|_| content_hash.is_some()).and_then(|p| Provenance::from_json(p).ok()),
            content_hash,
            name: short_text(object, "name", 255),
            content: short_text(object, "content", 10_000),
            published: text(object, "published").and_then(time),
        })
    }
}

/// Times that no database agrees on are none.
fn time(text: &str) -> Option<Instant> {
    let time = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (0..=253_402_300_799).contains(&time.timestamp()).then_some(time)
}

/// Both spellings of Art DAG: `contentHash` with its algorithm, and `content` as `sha3-256:` and hex digits. When both
/// are there they must say the same.
fn content_hash(object: &Map<String, Value>) -> Option<ContentHash> {
    let named = items(object.get("contentHash")).iter().find_map(|hash| match hash {
        Value::String(text) => text.parse().ok(),
        Value::Object(members) => {
            let algorithm = members.get("algorithm")?.as_str()?;
            algorithm.eq_ignore_ascii_case("sha3-256").then(|| members.get("value")?.as_str()?.parse().ok())?
        }
        _ => None,
    });
    let written = text(object, "content").filter(|text| text.starts_with("sha3-256:")).and_then(|t| t.parse().ok());
    match (named, written) {
        (Some(named), Some(written)) if named != written => None,
        (named, written) => named.or(written),
    }
}

/// Whether it stands in the place of something that was deleted.
pub(crate) fn is_tombstone(object: &Map<String, Value>) -> bool {
    has_type(object, "Tombstone")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const HASH: &str = "sha3-256:0000000000000000000000000000000000000000000000000000000000000001";

    fn object(edit: impl FnOnce(&mut Value)) -> Result<RemoteObject, NotTheirs> {
        let mut object = json!({
            "id": "https://b.example/objects/1", "type": "Image", "name": "dog.png", "content": HASH,
            "contentHash": {"algorithm": "sha3-256", "value": &HASH[9..]},
            "attributedTo": "https://b.example/users/bob", "published": "2026-11-22T07:21:19Z",
            "artdag:provenance": {"inputs": [HASH]},
        });
        edit(&mut object);
        RemoteObject::from_document(&"https://b.example/users/bob".parse().unwrap(), object.as_object().unwrap())
    }

    #[test]
    fn reads_claims_and_posts() {
        let claim = object(|_| ()).unwrap();
        assert_eq!(claim.content_hash.unwrap().to_string(), HASH);
        assert_eq!(claim.provenance.unwrap().inputs().len(), 1);
        let engine = object(|o| _ = o.as_object_mut().unwrap().remove("content")).unwrap();
        assert!(engine.content_hash.is_some());
        let original = object(|o| _ = o.as_object_mut().unwrap().remove("contentHash")).unwrap();
        assert!(original.content_hash.is_some());
        let post = object(|o| {
            o["content"] = json!("<p>hello</p>");
            o["contentHash"] = json!(null);
        });
        let post = post.unwrap();
        assert_eq!((post.content_hash, post.provenance), (None, None));
    }

    #[test]
    fn two_hashes_are_none() {
        let other = object(|o| o["content"] = json!(HASH.replace('1', "2"))).unwrap();
        assert_eq!(other.content_hash, None);
        let md5 = object(|o| o["contentHash"]["algorithm"] = json!("md5")).unwrap();
        assert_eq!(md5.content_hash.unwrap().to_string(), HASH);
    }

    #[test]
    fn is_refused_when_it_is_not_the_actors() {
        assert_eq!(object(|o| o["id"] = json!(null)), Err(NotTheirs::NoId));
        assert_eq!(object(|o| o["id"] = json!("https://c.example/1")), Err(NotTheirs::ForeignId));
        for other in [
            json!("https://b.example/users/eve"),
            json!(["https://b.example/users/bob", "https://c.example/"]),
            json!(1),
        ] {
            assert_eq!(object(|o| o["attributedTo"] = other.clone()), Err(NotTheirs::Attribution), "{other}");
        }
        assert!(object(|o| o["attributedTo"] = json!([{"id": "https://b.example/users/bob"}])).is_ok());
        assert!(object(|o| o["attributedTo"] = json!(null)).is_ok());
    }
}
