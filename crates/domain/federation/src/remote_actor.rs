use crate::reading::{has_type, items, reference, short_text, the_reference};
use crate::{Iri, vocabulary};
use serde_json::{Map, Value};

/// How many keys of one actor are kept.
const MAX_KEYS: usize = 16;
/// An RSA key of 8192 bits as PEM takes less than 1500 bytes.
const MAX_KEY_TEXT: usize = 4096;

/// An actor of another server, as its own document describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteActor {
    /// Who it is; where the document is.
    pub id: Iri,
    /// Person, Service, Group, Application or Organization, or what else it calls itself.
    pub kind: String,
    /// The local part of its handle.
    pub username: Option<String>,
    /// How it wants to be called.
    pub name: Option<String>,
    /// Where its mail goes.
    pub inbox: Iri,
    /// Where mail for all actors of its server may go.
    pub shared_inbox: Option<Iri>,
    /// The collection of its followers.
    pub followers: Option<Iri>,
    /// The keys that it signs with.
    pub keys: Vec<RemoteKey>,
}

/// A key that an actor says is its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteKey {
    /// What signatures call it.
    pub id: Iri,
    /// The key.
    pub material: KeyMaterial,
}

/// A public key as documents spell it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeyMaterial {
    /// `publicKeyPem`.
    Pem(String),
    /// `publicKeyMultibase` (FEP-521a).
    Multibase(String),
}

/// Why a document does not describe an actor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnActor {
    /// Its `id` is not where it was asked for: it may not speak for that id.
    #[error("the document's id is not the one asked for")]
    OtherId,
    /// There is nowhere to send mail to, or somewhere else: nobody may have mail sent to another server.
    #[error("the document has no inbox of the actor's own origin")]
    NoInbox,
}

impl RemoteActor {
    /// Reads the document that was found at `id`, from the origin of `id` itself. Keys that name another owner, or that
    /// are another origin's, are left out: nobody may lend an actor a key but the actor.
    ///
    /// # Errors
    /// [`NotAnActor`].
    pub fn from_document(id: &Iri, document: &Map<String, Value>) -> Result<Self, NotAnActor> {
        if document.get("id").and_then(Value::as_str) != Some(id.as_str()) {
            return Err(NotAnActor::OtherId);
        }
        let inbox = the_reference(document, "inbox").filter(|inbox| inbox.is_beside(id)).ok_or(NotAnActor::NoInbox)?;
        let endpoints = document.get("endpoints").and_then(Value::as_object);
        Ok(Self {
            kind: short_text(document, "type", 64).unwrap_or_else(|| "Person".to_owned()),
            username: short_text(document, "preferredUsername", 255).filter(|name| !name.contains(['@', '/', '\n'])),
            name: short_text(document, "name", 255),
            inbox,
            shared_inbox: endpoints.and_then(|e| the_reference(e, "sharedInbox")).filter(|inbox| inbox.is_beside(id)),
            followers: the_reference(document, "followers").filter(|followers| followers.is_beside(id)),
            keys: keys(id, document),
            id: id.clone(),
        })
    }

    /// Its key of that id.
    pub fn key(&self, id: &Iri) -> Option<&RemoteKey> {
        self.keys.iter().find(|key| key.id == *id)
    }

    /// `@giles@art.example`; its id if it has no username.
    pub fn handle(&self) -> String {
        self.username.as_ref().map_or_else(|| self.id.to_string(), |name| format!("@{name}@{}", self.id.host()))
    }
}

/// Whether a document calls itself an actor, or may be one: it has an inbox.
pub(crate) fn is_actor(document: &Map<String, Value>) -> bool {
    ["Person", "Service", "Group", "Application", "Organization"].iter().any(|kind| has_type(document, kind))
}

fn keys(actor: &Iri, document: &Map<String, Value>) -> Vec<RemoteKey> {
    let pem = items(document.get("publicKey")).iter().filter_map(|key| pem_key(actor, key.as_object()?));
    let multibase = items(document.get("assertionMethod")).iter().filter_map(|key| multikey(actor, key.as_object()?));
    let mut keys: Vec<RemoteKey> = Vec::new();
    for key in pem.chain(multibase) {
        // A second key of the same id could be the one that a check picks.
        if keys.len() < MAX_KEYS && keys.iter().all(|known| known.id != key.id) {
            keys.push(key);
        }
    }
    keys
}

fn pem_key(actor: &Iri, key: &Map<String, Value>) -> Option<RemoteKey> {
    let pem = key.get("publicKeyPem")?.as_str().filter(|pem| pem.len() <= MAX_KEY_TEXT)?;
    own_key(actor, key, "owner", KeyMaterial::Pem(pem.to_owned()))
}

fn multikey(actor: &Iri, key: &Map<String, Value>) -> Option<RemoteKey> {
    let digits = key.get("publicKeyMultibase")?.as_str().filter(|text| text.len() <= MAX_KEY_TEXT)?;
    own_key(actor, key, "controller", KeyMaterial::Multibase(digits.to_owned()))
}

fn own_key(actor: &Iri, key: &Map<String, Value>, owner: &str, material: KeyMaterial) -> Option<RemoteKey> {
    let id: Iri = key.get("id")?.as_str()?.parse().ok()?;
    let (KeyMaterial::Pem(text) | KeyMaterial::Multibase(text)) = &material;
    // No database keeps it, and no key has it.
    if text.contains('\0') {
        return None;
    }
    let is_own = key.get(owner).and_then(reference).is_none_or(|owner| owner == *actor);
    // Below the actor's own id, or it could be the name of somebody else's key.
    let rest = id.as_str().strip_prefix(actor.as_str())?;
    (is_own && rest.starts_with(['#', '/', '?'])).then_some(RemoteKey { id, material })
}

/// Where a key's id leads: to the actor itself, or to a document that holds the key alone and names the actor.
///
/// The second kind only says where to look further. What counts is the actor's own document.
pub fn key_owner(key_id: &Iri, document: &Map<String, Value>) -> Option<Iri> {
    let id: Iri = document.get("id")?.as_str()?.parse().ok()?;
    if is_actor(document) || document.contains_key("inbox") {
        // Some servers show a part of the actor where the key is. The whole is at the actor's own id.
        return id.is_beside(key_id).then_some(id);
    }
    let owner = the_reference(document, "owner").or_else(|| the_reference(document, "controller"))?;
    owner.is_beside(key_id).then_some(owner)
}

/// Whether a list of recipients has everybody in it.
pub(crate) fn is_public(recipients: &Map<String, Value>) -> bool {
    let public = |value: &Value| matches!(value.as_str(), Some(vocabulary::PUBLIC | "as:Public" | "Public"));
    ["to", "cc"].iter().any(|name| items(recipients.get(*name)).iter().any(public))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn actor() -> Value {
        json!({
            "id": "https://a.example/users/alice",
            "type": "Person",
            "preferredUsername": "alice",
            "inbox": "https://a.example/users/alice/inbox",
            "endpoints": {"sharedInbox": "https://a.example/inbox"},
            "followers": "https://a.example/users/alice/followers",
            "publicKey": {
                "id": "https://a.example/users/alice#main-key",
                "owner": "https://a.example/users/alice",
                "publicKeyPem": "PEM",
            },
            "assertionMethod": [
                {"id": "https://a.example/users/alice#k2", "controller": "https://a.example/users/alice",
                 "type": "Multikey", "publicKeyMultibase": "z6Mk"},
            ],
        })
    }

    fn read(document: &Value) -> Result<RemoteActor, NotAnActor> {
        RemoteActor::from_document(&"https://a.example/users/alice".parse().unwrap(), document.as_object().unwrap())
    }

    #[test]
    fn reads_what_actors_say_of_themselves() {
        let alice = read(&actor()).unwrap();
        assert_eq!(alice.handle(), "@alice@a.example");
        assert_eq!(alice.shared_inbox.unwrap().as_str(), "https://a.example/inbox");
        let keys: Vec<_> = alice.keys.iter().map(|key| (key.id.as_str(), key.material.clone())).collect();
        assert_eq!(
            keys,
            [
                ("https://a.example/users/alice#main-key", KeyMaterial::Pem("PEM".into())),
                ("https://a.example/users/alice#k2", KeyMaterial::Multibase("z6Mk".into())),
            ]
        );
    }

    #[test]
    fn a_key_of_somebody_else_is_not_its_own() {
        for (pointer, value) in [
            ("/publicKey/owner", json!("https://a.example/users/bob")),
            ("/publicKey/id", json!("https://b.example/users/alice#main-key")),
            ("/publicKey/id", json!("https://a.example/users/alice2#main-key")),
            ("/publicKey/id", json!(null)),
            ("/publicKey/publicKeyPem", json!("x".repeat(5000))),
            ("/publicKey/publicKeyPem", json!(["PEM"])),
            ("/publicKey/publicKeyPem", json!("PEM\0")),
            ("/publicKey", json!("https://a.example/users/alice#main-key")),
        ] {
            let mut document = actor();
            *document.pointer_mut(pointer).unwrap() = value;
            let keys = read(&document).unwrap().keys;
            assert!(keys.iter().all(|key| !key.id.as_str().ends_with("main-key")), "{pointer}: {keys:?}");
        }
        let mut twice = actor();
        let first = twice["publicKey"].clone();
        twice["publicKey"] = json!([first.clone(), first]);
        assert_eq!(read(&twice).unwrap().keys.len(), 2);
    }

    #[test]
    fn a_document_speaks_for_its_own_id_alone() {
        let mut document = actor();
        document["id"] = json!("https://a.example/users/bob");
        assert_eq!(read(&document), Err(NotAnActor::OtherId));
        let mut document = actor();
        document["inbox"] = json!("mailto:alice@a.example");
        assert_eq!(read(&document), Err(NotAnActor::NoInbox));
        document["inbox"] = json!("https://victim.example/inbox");
        assert_eq!(read(&document), Err(NotAnActor::NoInbox));
        let mut document = actor();
        document["endpoints"]["sharedInbox"] = json!("https://victim.example/inbox");
        assert_eq!(read(&document).map(|alice| alice.shared_inbox), Ok(None));
    }

    #[test]
    fn a_key_document_leads_to_its_owner() {
        let key: Iri = "https://a.example/users/alice/key".parse().unwrap();
        let owner = |document: Value| key_owner(&key, document.as_object().unwrap()).map(|owner| owner.to_string());
        let document = |owner: &str| json!({"id": key.as_str(), "owner": owner, "publicKeyPem": "PEM"});
        assert_eq!(owner(document("https://a.example/users/alice")).as_deref(), Some("https://a.example/users/alice"));
        assert_eq!(owner(document("https://b.example/users/alice")), None);
        assert_eq!(owner(json!({"owner": "https://a.example/users/alice"})), None);
        let main: Iri = "https://a.example/users/alice#main-key".parse().unwrap();
        assert_eq!(key_owner(&main, actor().as_object().unwrap()).unwrap().as_str(), "https://a.example/users/alice");
        // As GoToSocial has it.
        assert_eq!(owner(actor()).as_deref(), Some("https://a.example/users/alice"));
        let mut elsewhere = actor();
        elsewhere["id"] = json!("https://b.example/users/alice");
        assert_eq!(owner(elsewhere), None);
    }
}
