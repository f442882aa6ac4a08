//! The `proof` member: FEP-8b32, that is W3C's Data Integrity with the cryptosuite `eddsa-jcs-2022`.
//!
//! Ed25519 over 64 bytes: SHA-256 of the proof without its value, then SHA-256 of the document without `proof`
//! and without `signature`, both spelt by [`jcs`](crate::canonical::jcs). So the proof covers every member that people read, and the
//! [`engine_signature`](crate::engine_signature) beside it may be added before or after.

use crate::ActorSigner;
use crate::canonical::{Members, NotCanonical, jcs_of};
use artdag_kernel::Instant;
use chrono::DateTime;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::slice;

/// The `type` of the proof.
pub const TYPE: &str = "DataIntegrityProof";
/// The only cryptosuite that is made and read here.
pub const CRYPTOSUITE: &str = "eddsa-jcs-2022";

const PURPOSE: &str = "assertionMethod";

/// 64 bytes take at most 88 base58 digits. Base58 costs the square of its length, so longer texts are not read.
const MAX_DIGITS: usize = 88;

/// Why a document was not signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Not a JSON object.
    #[error("the document is not a JSON object")]
    NotAnObject,
    /// It has no canonical form.
    #[error(transparent)]
    NotCanonical(#[from] NotCanonical),
}

/// Signs the document and puts the `proof` into it, in place of any other. `verification_method` is the id of
/// the Ed25519 key in the actor's `assertionMethod`; `created` an RFC 3339 time.
///
/// # Errors
/// [`SignError`]; the document is then as it was.
pub fn attach(
    document: &mut Value,
    signer: &dyn ActorSigner,
    verification_method: &str,
    created: &str,
) -> Result<(), SignError> {
    let members = document.as_object_mut().ok_or(SignError::NotAnObject)?;
    let mut proof = Map::new();
    if let Some(context) = members.get("@context") {
        proof.insert("@context".to_owned(), context.clone());
    }
    let said = [
        ("type", TYPE),
        ("cryptosuite", CRYPTOSUITE),
        ("created", created),
        ("verificationMethod", verification_method),
        ("proofPurpose", PURPOSE),
    ];
    proof.extend(said.map(|(name, text)| (name.to_owned(), Value::from(text))));
    let message = message(borrowed(&proof), borrowed(members))?;
    let value = format!("z{}", bs58::encode(signer.ed25519(&message)).into_string());
    proof.insert("proofValue".to_owned(), value.into());
    members.insert("proof".to_owned(), proof.into());
    Ok(())
}

/// Why a proof is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is no `proof`, or nothing in it that looks like one.
    #[error("the document has no proof")]
    Unsigned,
    /// No proof names the expected key.
    #[error("no proof of the document is by the expected key")]
    Method,
    /// Another kind of proof.
    #[error("the proof's type is not {TYPE}")]
    Type,
    /// Another way of canonicalising or signing.
    #[error("the proof's cryptosuite is not {CRYPTOSUITE}")]
    Cryptosuite,
    /// Signed for another purpose, such as logging in somewhere.
    #[error("the proof's purpose is not {PURPOSE}")]
    Purpose,
    /// It is only good together with another proof, which is not understood here.
    #[error("the proof is part of a chain")]
    Chained,
    /// The proof's `@context` is not what the document's begins with.
    #[error("the proof's @context is not the beginning of the document's")]
    Context,
    /// `created` or `expires` is there, but is no time.
    #[error("the proof's `{0}` is not a time")]
    Time(&'static str),
    /// `expires` is past.
    #[error("the proof has expired")]
    Expired,
    /// `proofValue` is not 64 bytes in base58btc.
    #[error("the proof's value is not a multibase Ed25519 signature")]
    Value,
    /// The document could not have been signed like this.
    #[error(transparent)]
    NotCanonical(#[from] NotCanonical),
    /// Everything is in its place, but another key or another document was signed.
    #[error("the proof does not match the document")]
    Mismatch,
}

/// The ids of the keys that the document's proofs claim to be by: what to look up before [`verify`].
pub fn methods(document: &Map<String, Value>) -> impl Iterator<Item = &str> {
    proofs(document).filter_map(|proof| proof.get("verificationMethod")?.as_str())
}

/// When the proof says that it was made which [`verify`] checks with this key, if it says so. It is true when that proof
/// is good; another proof of the document says nothing of it.
pub fn creation_time(document: &Map<String, Value>, method: &str) -> Option<Instant> {
    time(proof_by(document, method)?, "created").ok().flatten()
}

/// Checks the proof by one key in a document of unknown origin. `method` is the id of a key that the document's
/// actor itself lists in its `assertionMethod`; `check` gets the 64 bytes and the signature, and must check them
/// with that key.
///
/// # Errors
/// The first [`Fault`].
pub fn verify(
    document: &Map<String, Value>,
    method: &str,
    now: Instant,
    check: impl FnOnce(&[u8; 64], &[u8; 64]) -> bool,
) -> Result<(), Fault> {
    proofs(document).next().ok_or(Fault::Unsigned)?;
    let proof = proof_by(document, method).ok_or(Fault::Method)?;
    check_rules(proof, now)?;
    let signature = proof.get("proofValue").and_then(read_value).ok_or(Fault::Value)?;
    let mut members = borrowed(document);
    if let Some(context) = proof.get("@context") {
        // Terms may have been added after signing (vc-di-eddsa 3.3.2); the signed ones are restored.
        if !list(document.get("@context")).starts_with(list(Some(context))) {
            return Err(Fault::Context);
        }
        members.insert("@context", context);
    }
    let mut proof = borrowed(proof);
    proof.remove("proofValue");
    if check(&message(proof, members)?, &signature) { Ok(()) } else { Err(Fault::Mismatch) }
}

fn check_rules(proof: &Map<String, Value>, now: Instant) -> Result<(), Fault> {
    if !is(proof, "type", TYPE) {
        return Err(Fault::Type);
    }
    if !is(proof, "cryptosuite", CRYPTOSUITE) {
        return Err(Fault::Cryptosuite);
    }
    if !is(proof, "proofPurpose", PURPOSE) {
        return Err(Fault::Purpose);
    }
    if proof.contains_key("previousProof") {
        return Err(Fault::Chained);
    }
    time(proof, "created")?;
    if time(proof, "expires")?.is_some_and(|expires| expires <= now) {
        return Err(Fault::Expired);
    }
    Ok(())
}

/// What is signed: `proof` is without its value here, `members` may still have signatures of any kind.
fn message(proof: Members<'_>, mut members: Members<'_>) -> Result<[u8; 64], NotCanonical> {
    members.remove("proof");
    members.remove("signature");
    let mut message = [0; 64];
    message[..32].copy_from_slice(&Sha256::digest(jcs_of(&proof)?));
    message[32..].copy_from_slice(&Sha256::digest(jcs_of(&members)?));
    Ok(message)
}

/// The members without a copy of what is in them.
fn borrowed(object: &Map<String, Value>) -> Members<'_> {
    object.iter().map(|(name, member)| (name.as_str(), member)).collect()
}

/// The first proof by a key is the one that counts.
fn proof_by<'a>(document: &'a Map<String, Value>, method: &str) -> Option<&'a Map<String, Value>> {
    proofs(document).find(|proof| is(proof, "verificationMethod", method))
}

/// One proof, or a set of them.
fn proofs(document: &Map<String, Value>) -> impl Iterator<Item = &Map<String, Value>> {
    list(document.get("proof")).iter().filter_map(Value::as_object)
}

/// JSON-LD takes one value and a list of one for the same.
fn list(value: Option<&Value>) -> &[Value] {
    match value {
        None => &[],
        Some(Value::Array(items)) => items,
        Some(single) => slice::from_ref(single),
    }
}

fn is(proof: &Map<String, Value>, name: &str, expected: &str) -> bool {
    proof.get(name).and_then(Value::as_str) == Some(expected)
}

fn time(proof: &Map<String, Value>, name: &'static str) -> Result<Option<Instant>, Fault> {
    let Some(value) = proof.get(name) else { return Ok(None) };
    let text = value.as_str().ok_or(Fault::Time(name))?;
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| Fault::Time(name))?;
    Ok(Some(time.to_utc()))
}

fn read_value(value: &Value) -> Option<[u8; 64]> {
    let digits = value.as_str()?.strip_prefix('z').filter(|digits| digits.len() <= MAX_DIGITS)?;
    bs58::decode(digits).into_vec().ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyError, PublicKeys};
    use serde_json::json;

    const KEY: &str = "https://art.example/users/giles#ed25519-key";

    /// "Signs" by repeating the message: enough to see what was to be signed.
    struct Echo(PublicKeys);

    impl ActorSigner for Echo {
        fn rsa_sha256(&self, _: &[u8]) -> Result<Vec<u8>, KeyError> {
            Ok(Vec::new())
        }

        fn ed25519(&self, message: &[u8]) -> [u8; 64] {
            message.try_into().unwrap()
        }

        fn public_keys(&self) -> &PublicKeys {
            &self.0
        }
    }

    fn echo() -> Echo {
        Echo(PublicKeys { rsa_pem: String::new(), ed25519: [0; 32] })
    }

    fn signed() -> Value {
        let mut document = json!({"@context": ["https://a.example/1", "https://a.example/2"], "id": "urn:1", "n": "é"});
        attach(&mut document, &echo(), KEY, "2026-11-22T07:21:19Z").unwrap();
        document
    }

    fn verdict(document: &Value) -> Result<(), Fault> {
        let now = "2027-01-01T00:00:00Z".parse().unwrap();
        verify(document.as_object().unwrap(), KEY, now, |message, signature| message == signature)
    }

    fn edited(edit: impl FnOnce(&mut Value)) -> Result<(), Fault> {
        let mut document = signed();
        edit(&mut document);
        verdict(&document)
    }

    #[test]
    fn covers_everything_but_the_two_signatures() {
        assert_eq!(edited(|_| ()), Ok(()));
        assert_eq!(edited(|d| d["signature"] = json!({"type": "RsaSignature2017"})), Ok(()));
        assert_eq!(edited(|d| d["id"] = json!("urn:2")), Err(Fault::Mismatch));
        assert_eq!(edited(|d| d["more"] = json!(null)), Err(Fault::Mismatch));
        assert_eq!(edited(|d| d["proof"]["created"] = json!("2026-11-22T07:21:20Z")), Err(Fault::Mismatch));
        assert_eq!(edited(|d| d["proof"]["more"] = json!(1)), Err(Fault::Mismatch));
    }

    #[test]
    fn the_context_may_grow_at_its_end_only() {
        let context = |value: Value| edited(|d| d["@context"] = value);
        assert_eq!(context(json!(["https://a.example/1", "https://a.example/2", {"x": "y:z"}])), Ok(()));
        assert_eq!(context(json!(["https://a.example/2", "https://a.example/1"])), Err(Fault::Context));
        assert_eq!(context(json!("https://a.example/1")), Err(Fault::Context));
        assert_eq!(edited(|d| _ = d.as_object_mut().unwrap().remove("@context")), Err(Fault::Context));
    }

    #[test]
    fn a_proof_without_context_covers_the_documents_own() {
        let mut document = json!({"id": "urn:1"});
        attach(&mut document, &echo(), KEY, "2026-11-22T07:21:19Z").unwrap();
        assert!(document["proof"].get("@context").is_none());
        assert_eq!(verdict(&document), Ok(()));
        document["@context"] = json!("https://a.example/1");
        assert_eq!(verdict(&document), Err(Fault::Mismatch));
    }

    #[test]
    fn one_of_several_proofs_is_enough() {
        let other = json!({"type": "DataIntegrityProof", "verificationMethod": "https://a.example/#k"});
        let several = edited(|d| d["proof"] = json!([1, other, d["proof"]]));
        assert_eq!(several, Ok(()));
        let document = json!({"proof": [1, other, {}]});
        assert_eq!(methods(document.as_object().unwrap()).collect::<Vec<_>>(), ["https://a.example/#k"]);
    }

    #[test]
    fn faults_are_told_apart() {
        let faults = [
            ("verificationMethod", json!("https://eve.example/#key"), Fault::Method),
            ("type", json!(["DataIntegrityProof"]), Fault::Type),
            ("cryptosuite", json!("eddsa-rdfc-2022"), Fault::Cryptosuite),
            ("proofPurpose", json!("authentication"), Fault::Purpose),
            ("previousProof", json!("urn:uuid:1"), Fault::Chained),
            ("created", json!("yesterday"), Fault::Time("created")),
            ("created", json!(null), Fault::Time("created")),
            ("expires", json!(7), Fault::Time("expires")),
            ("expires", json!("2026-12-31T23:59:59+00:00"), Fault::Expired),
            ("proofValue", json!("u1111"), Fault::Value),
            ("proofValue", json!("z11"), Fault::Value),
            ("proofValue", json!(format!("z{}", "1".repeat(1_000_000))), Fault::Value),
            ("proofValue", json!(null), Fault::Value),
        ];
        for (name, value, fault) in faults {
            assert_eq!(edited(|d| d["proof"][name] = value.clone()), Err(fault), "{name}: {value}");
        }
        for proof in [json!(null), json!([]), json!(1), json!([[]]), json!("proof")] {
            assert_eq!(edited(|d| d["proof"] = proof.clone()), Err(Fault::Unsigned), "{proof}");
        }
        assert_eq!(edited(|d| _ = d.as_object_mut().unwrap().remove("proof")), Err(Fault::Unsigned));
        let rounded = edited(|d| d["n"] = json!(u64::MAX));
        assert!(matches!(rounded, Err(Fault::NotCanonical(NotCanonical::Number(_)))), "{rounded:?}");
    }
}
