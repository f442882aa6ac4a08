//! What is posted to inboxes and fetched from other servers: activities, actors, objects, keys' documents, proofs.

#![no_main]

use artdag_federation::{Incoming, Iri, Meaning, RemoteActor, RemoteObject, Site, data_integrity, engine_signature};
use artdag_federation::{collection_ids, key_owner, parse_document};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let site = Site::new("https://art.example", "art.example").expect("a site");
    let actor: Iri = "https://b.example/users/bob".parse().expect("an id");
    if let Ok(incoming) = Incoming::parse(input) {
        assert!(incoming.id.is_beside(&incoming.actor));
        _ = incoming.is_farewell();
        match incoming.meaning(&site) {
            Ok(Meaning::Published(object)) => {
                assert!(object.id.is_beside(&incoming.actor) && object.actor == incoming.actor);
                assert!(object.content.is_none_or(|text| text.chars().count() <= 10_000));
            }
            Ok(Meaning::Withdrew(object) | Meaning::Undid(object)) => assert!(object.is_beside(&incoming.actor)),
            Ok(_) | Err(_) => assert!(!site.owns(&incoming.actor) || incoming.meaning(&site).is_err()),
        }
    }
    let Ok(document) = parse_document(input) else { return };
    if let Ok(read) = RemoteActor::from_document(&actor, &document) {
        assert!(read.keys.len() <= 16 && read.keys.iter().all(|key| key.id.is_beside(&actor)));
    }
    if let Ok(read) = RemoteObject::from_document(&actor, &document) {
        assert!(read.id.is_beside(&actor));
    }
    if let Some(owner) = key_owner(&actor, &document) {
        assert!(owner.is_beside(&actor));
    }
    assert!(collection_ids(&document).is_none_or(|ids| ids.len() <= 1000));
    let now = "2026-11-22T12:00:00Z".parse().expect("a time");
    let methods: Vec<String> = data_integrity::methods(&document).map(str::to_owned).collect();
    for method in methods.iter().take(4) {
        // Nobody's key fits.
        assert!(data_integrity::verify(&document, method, now, |_, _| false).is_err());
    }
    assert!(engine_signature::verify(&document, |_, _| false).is_err());
});
