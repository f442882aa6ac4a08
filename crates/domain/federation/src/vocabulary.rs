//! Names that documents are made of.

use crate::Site;
use serde_json::{Value, json};

/// The ActivityStreams context (and what the Art DAG engine signs as the context of every activity).
pub const ACTIVITY_STREAMS: &str = "https://www.w3.org/ns/activitystreams";
/// Terms of `publicKey` and `signature`.
pub const SECURITY_V1: &str = "https://w3id.org/security/v1";
/// Terms of `proof` and `assertionMethod`.
pub const DATA_INTEGRITY_V1: &str = "https://w3id.org/security/data-integrity/v1";
/// Terms of `Multikey`.
pub const MULTIKEY_V1: &str = "https://w3id.org/security/multikey/v1";
/// The collection of everybody (ActivityPub, 5.6).
pub const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// The terms that Art DAG adds to ActivityStreams.
pub fn terms(site: &Site) -> Value {
    json!({
        "artdag": site.vocabulary(),
        "Hashtag": "as:Hashtag",
        "contentHash": "artdag:contentHash",
        "algorithm": "artdag:algorithm",
        "value": "artdag:value",
        "inputs": {"@id": "artdag:inputs", "@container": "@list"},
        "recipe": "artdag:recipe",
        "l1_server": {"@id": "artdag:l1_server", "@type": "@id"},
        "run_id": "artdag:run_id",
    })
}

/// The `@context` of our activities and objects. The terms are spelled inline: few receivers fetch contexts.
pub fn activity_context(site: &Site) -> Value {
    json!([ACTIVITY_STREAMS, SECURITY_V1, DATA_INTEGRITY_V1, terms(site)])
}
