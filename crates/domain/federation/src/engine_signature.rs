//! The `signature` member: the Art DAG engine's own scheme, so that its tools verify what a registry publishes.
//!
//! RSASSA-PKCS1-v1_5 with SHA-256 over 64 bytes: SHA-256 of the options, then SHA-256 of the document.
//!
//! - The options are `@context` (`https://w3id.org/security/v1`), `type`, `creator` and `created`.
//! - The document is not the activity as it is served, but the six members that the engine's own model rebuilds
//!   from it: `@context`, always as the plain string of ActivityStreams, and `type`, `id`, `actor`, `object` and
//!   `published` as they stand. `to`, `cc`, `proof` and a longer `@context` are not covered; for those there is
//!   [`data_integrity`](crate::data_integrity).
//! - Both are spelt by [`engine_json`], neither by RFC 8785 nor as RDF.
//!
//! The name `RsaSignature2017` is borrowed: the Linked Data Signature of that name is made over RDF and has
//! nothing else in common with this.

use crate::canonical::{Members, NumberInDocument, engine_json, engine_json_of};
use crate::{ActorSigner, KeyError};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// The `type` of the signature.
pub const TYPE: &str = "RsaSignature2017";

const DOCUMENT_CONTEXT: &str = "https://www.w3.org/ns/activitystreams";
const OPTIONS_CONTEXT: &str = "https://w3id.org/security/v1";
const SIGNED_MEMBERS: [&str; 5] = ["type", "id", "actor", "object", "published"];

/// Why a document cannot be signed in this scheme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSignable {
    /// Not a JSON object.
    #[error("the document is not a JSON object")]
    NotAnObject,
    /// A member that the signature covers is not there.
    #[error("the document has no `{0}`")]
    Missing(&'static str),
    /// See [`NumberInDocument`].
    #[error(transparent)]
    Number(#[from] NumberInDocument),
}

/// Why a document was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The document is at fault.
    #[error(transparent)]
    Document(#[from] NotSignable),
    /// The key is at fault.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// The 64 bytes that get signed.
///
/// # Errors
/// [`NotSignable`].
pub fn message(document: &Map<String, Value>, creator: &str, created: &str) -> Result<[u8; 64], NotSignable> {
    let context = Value::from(DOCUMENT_CONTEXT);
    let mut covered = Members::from([("@context", &context)]);
    for name in SIGNED_MEMBERS {
        covered.insert(name, document.get(name).ok_or(NotSignable::Missing(name))?);
    }
    let options = json!({"@context": OPTIONS_CONTEXT, "type": TYPE, "creator": creator, "created": created});
    let mut message = [0; 64];
    message[..32].copy_from_slice(&Sha256::digest(engine_json(&options)?));
    message[32..].copy_from_slice(&Sha256::digest(engine_json_of(&covered)?));
    Ok(message)
}

/// Signs the document and puts the `signature` into it, in place of any other. `creator` is the id of the RSA
/// key, `{actor}#main-key`; `created` an RFC 3339 time.
///
/// # Errors
/// [`SignError`]; the document is then as it was.
pub fn attach(document: &mut Value, signer: &dyn ActorSigner, creator: &str, created: &str) -> Result<(), SignError> {
    let members = document.as_object_mut().ok_or(NotSignable::NotAnObject)?;
    let signature = signer.rsa_sha256(&message(members, creator, created)?)?;
    let signature = json!({
        "type": TYPE,
        "creator": creator,
        "created": created,
        "signatureValue": BASE64_STANDARD.encode(signature),
    });
    members.insert("signature".to_owned(), signature);
    Ok(())
}

/// Why a signature is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is no `signature` object.
    #[error("the document has no signature")]
    Unsigned,
    /// A member of the signature is not there, or no string.
    #[error("the signature has no `{0}`")]
    Missing(&'static str),
    /// Another scheme.
    #[error("the signature's type is not {TYPE}")]
    Type,
    /// Not by the document's own actor.
    #[error("the signature's creator is not the main key of the document's actor")]
    Creator,
    /// `signatureValue` is not base64.
    #[error("the signature's value is not base64")]
    Value,
    /// The document could not have been signed like this.
    #[error(transparent)]
    Document(#[from] NotSignable),
    /// Everything is in its place, but another key or another document was signed.
    #[error("the signature does not match the document")]
    Mismatch,
}

/// Checks the `signature` of a document of unknown origin. `check` gets the 64 bytes and the signature, and must
/// check them with the RSA key that the document's `actor` itself publishes as `{actor}#main-key`.
///
/// # Errors
/// The first [`Fault`].
pub fn verify(document: &Map<String, Value>, check: impl FnOnce(&[u8; 64], &[u8]) -> bool) -> Result<(), Fault> {
    let signature = document.get("signature").and_then(Value::as_object).ok_or(Fault::Unsigned)?;
    let text = |name| signature.get(name).and_then(Value::as_str).ok_or(Fault::Missing(name));
    if text("type")? != TYPE {
        return Err(Fault::Type);
    }
    let creator = text("creator")?;
    let actor = document.get("actor").and_then(Value::as_str).ok_or(Fault::Creator)?;
    if creator.strip_prefix(actor) != Some("#main-key") {
        return Err(Fault::Creator);
    }
    let value = BASE64_STANDARD.decode(text("signatureValue")?).map_err(|_| Fault::Value)?;
    let message = message(document, creator, text("created")?)?;
    if check(&message, &value) { Ok(()) } else { Err(Fault::Mismatch) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PublicKeys;

    const KEY: &str = "https://art.example/users/giles#main-key";
    const CREATED: &str = "2026-11-22T07:21:19Z";

    /// "Signs" by repeating the message: enough to see what was to be signed.
    struct Echo(PublicKeys);

    impl ActorSigner for Echo {
        fn rsa_sha256(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
            Ok(message.to_vec())
        }

        fn ed25519(&self, _: &[u8]) -> [u8; 64] {
            [0; 64]
        }

        fn public_keys(&self) -> &PublicKeys {
            &self.0
        }
    }

    fn activity() -> Value {
        json!({
            "@context": ["https://www.w3.org/ns/activitystreams", "https://art.example/ns"],
            "type": "Create",
            "id": "https://art.example/activities/1",
            "actor": "https://art.example/users/giles",
            "to": ["https://www.w3.org/ns/activitystreams#Public"],
            "object": {"type": "Image", "name": "été → ✨ 𝒳"},
            "published": "2026-11-22T07:21:19.000000Z",
        })
    }

    fn signed() -> Value {
        let mut document = activity();
        attach(&mut document, &Echo(PublicKeys { rsa_pem: String::new(), ed25519: [0; 32] }), KEY, CREATED).unwrap();
        document
    }

    fn verdict(document: &Value) -> Result<(), Fault> {
        verify(document.as_object().unwrap(), |message, signature| message == signature)
    }

    fn fault(edit: impl FnOnce(&mut Value)) -> Fault {
        let mut document = signed();
        edit(&mut document);
        verdict(&document).unwrap_err()
    }

    #[test]
    fn the_message_is_two_hashes() {
        // The hashes of what CPython's json.dumps printed for these two objects.
        let message = message(activity().as_object().unwrap(), KEY, CREATED).unwrap();
        let options = br##"{"@context":"https://w3id.org/security/v1","created":"2026-11-22T07:21:19Z","creator":"https://art.example/users/giles#main-key","type":"RsaSignature2017"}"##;
        let document = br#"{"@context":"https://www.w3.org/ns/activitystreams","actor":"https://art.example/users/giles","id":"https://art.example/activities/1","object":{"name":"\u00e9t\u00e9 \u2192 \u2728 \ud835\udcb3","type":"Image"},"published":"2026-11-22T07:21:19.000000Z","type":"Create"}"#;
        assert_eq!(message[..32], *Sha256::digest(options));
        assert_eq!(message[32..], *Sha256::digest(document));
    }

    #[test]
    fn covers_six_members_and_no_more() {
        let mut document = signed();
        document["to"] = json!([]);
        document["proof"] = json!({"a": 1.5});
        document["@context"] = json!("https://www.w3.org/ns/activitystreams");
        assert_eq!(verdict(&document), Ok(()));
        for name in ["type", "id", "object", "published"] {
            assert_eq!(fault(|d| d[name] = json!("else")), Fault::Mismatch, "{name}");
            let missing = fault(|d| _ = d.as_object_mut().unwrap().remove(name));
            assert_eq!(missing, Fault::Document(NotSignable::Missing(name)));
        }
    }

    #[test]
    fn faults_are_told_apart() {
        assert_eq!(fault(|d| _ = d.as_object_mut().unwrap().remove("signature")), Fault::Unsigned);
        assert_eq!(fault(|d| d["signature"] = json!("x")), Fault::Unsigned);
        assert_eq!(fault(|d| d["signature"]["type"] = json!("Ed25519Signature2020")), Fault::Type);
        assert_eq!(fault(|d| d["signature"]["created"] = json!(1)), Fault::Missing("created"));
        assert_eq!(fault(|d| d["signature"]["created"] = json!("2026-11-22T07:21:20Z")), Fault::Mismatch);
        assert_eq!(fault(|d| d["signature"]["signatureValue"] = json!("~")), Fault::Value);
        assert_eq!(fault(|d| d["signature"]["signatureValue"] = json!("")), Fault::Mismatch);
        assert_eq!(fault(|d| d["actor"] = json!("https://art.example/users/eve")), Fault::Creator);
        assert_eq!(fault(|d| d["actor"] = json!({"id": "https://art.example/users/giles"})), Fault::Creator);
        assert!(matches!(fault(|d| d["object"]["n"] = json!(1.5)), Fault::Document(NotSignable::Number(_))));
    }

    #[test]
    fn what_cannot_be_signed_is_left_alone() {
        let signer = Echo(PublicKeys { rsa_pem: String::new(), ed25519: [0; 32] });
        let mut document = json!({"type": "Create"});
        let before = document.clone();
        let error = attach(&mut document, &signer, KEY, CREATED).unwrap_err();
        assert!(matches!(error, SignError::Document(NotSignable::Missing("id"))), "{error}");
        assert_eq!(document, before);
        assert!(attach(&mut json!("text"), &signer, KEY, CREATED).is_err());
    }
}
