use crate::{PublicKeys, Site, multikey, vocabulary};
use artdag_kernel::{Instant, Username, rfc3339};
use serde_json::{Value, json};

/// What an actor document tells besides its keys.
#[derive(Clone, Copy, Debug)]
pub struct Profile<'a> {
    /// The account.
    pub username: &'a Username,
    /// How it wants to be called.
    pub display_name: Option<&'a str>,
    /// When it registered.
    pub created_at: Instant,
}

/// The actor document of a user (ActivityPub, 4), with the RSA key as `publicKey` and the Ed25519 key as
/// `assertionMethod` (FEP-521a).
pub fn actor_document(site: &Site, profile: Profile<'_>, keys: &PublicKeys) -> Value {
    let Profile { username, display_name, created_at } = profile;
    let id = site.actor(username);
    json!({
        "@context": context(),
        "id": id,
        "type": "Person",
        "preferredUsername": username.as_str(),
        "name": display_name.unwrap_or(username.as_str()),
        "summary": "",
        "url": id,
        "inbox": site.inbox(username),
        "outbox": site.outbox(username),
        "followers": site.followers(username),
        "following": site.following(username),
        "endpoints": {"sharedInbox": site.shared_inbox()},
        "publicKey": {"id": site.main_key(username), "owner": id, "publicKeyPem": keys.rsa_pem},
        "assertionMethod": [{
            "id": site.ed25519_key(username),
            "type": "Multikey",
            "controller": id,
            "publicKeyMultibase": multikey::encode(&keys.ed25519),
        }],
        "published": rfc3339(created_at),
        "discoverable": true,
        "generator": generator(site),
    })
}

/// The document of the actor that stands for the whole site: it signs what the site itself asks of others.
pub fn instance_document(site: &Site, keys: &PublicKeys) -> Value {
    let id = site.instance_actor();
    json!({
        "@context": context(),
        "id": id,
        "type": "Service",
        "preferredUsername": site.domain(),
        "name": site.domain(),
        "summary": "This server itself.",
        "url": site.base(),
        "inbox": site.shared_inbox(),
        "outbox": format!("{}/activities", site.base()),
        "endpoints": {"sharedInbox": site.shared_inbox()},
        "publicKey": {"id": site.instance_key(), "owner": id, "publicKeyPem": keys.rsa_pem},
        "assertionMethod": [{
            "id": site.instance_ed25519_key(),
            "type": "Multikey",
            "controller": id,
            "publicKeyMultibase": multikey::encode(&keys.ed25519),
        }],
        "generator": generator(site),
    })
}

fn context() -> Value {
    json!([
        vocabulary::ACTIVITY_STREAMS,
        vocabulary::SECURITY_V1,
        vocabulary::DATA_INTEGRITY_V1,
        vocabulary::MULTIKEY_V1,
        {"implements": {"@id": "https://w3id.org/fep/844e#implements", "@type": "@id", "@container": "@list"}},
    ])
}

/// What made the document, and what it understands (FEP-844e).
fn generator(site: &Site) -> Value {
    json!({
        "type": "Application",
        "id": site.instance_actor(),
        "name": "Art DAG L2",
        "implements": [{
            "href": "https://datatracker.ietf.org/doc/html/rfc9421",
            "name": "RFC-9421: HTTP Message Signatures",
        }],
    })
}
