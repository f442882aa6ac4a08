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
        "@context": [
            vocabulary::ACTIVITY_STREAMS,
            vocabulary::SECURITY_V1,
            vocabulary::DATA_INTEGRITY_V1,
            vocabulary::MULTIKEY_V1,
        ],
        "id": id,
        "type": "Person",
        "preferredUsername": username.as_str(),
        "name": display_name.unwrap_or(username.as_str()),
        "summary": "",
        "url": id,
        "inbox": format!("{id}/inbox"),
        "outbox": site.outbox(username),
        "followers": site.followers(username),
        "following": format!("{id}/following"),
        "endpoints": {"sharedInbox": format!("{}/inbox", site.base())},
        "publicKey": {"id": site.main_key(username), "owner": id, "publicKeyPem": keys.rsa_pem},
        "assertionMethod": [{
            "id": site.ed25519_key(username),
            "type": "Multikey",
            "controller": id,
            "publicKeyMultibase": multikey::encode(&keys.ed25519),
        }],
        "published": rfc3339(created_at),
        "discoverable": true,
    })
}
