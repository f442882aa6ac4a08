//! ActivityPub as an Art DAG registry speaks it.
//!
//! Claims become activities here: a [`Draft`] is made from an asset, signed in two ways (the Art DAG engine's
//! own scheme, and FEP-8b32), and from then on exists as the exact text that was signed
//! ([`SignedDocument`]). Beside it stand the documents by which others find actors and read collections.
//!
//! This crate is pure: keys sit behind [`ActorSigner`], storage behind the repository ports. It must never
//! print a signed document a second time from parsed values. To publish a new kind of activity: a variant of
//! [`ActivityKind`], a constructor of [`Draft`], and its rule in `docs/signatures.md`.
//!
//! ```
//! use artdag_federation::{Site, webfinger, webfinger_subject};
//!
//! let site = Site::new("https://art.example", "art.example")?;
//! let giles = webfinger_subject(&site, "acct:giles@art.example")?.expect("a local name");
//! assert_eq!(webfinger(&site, &giles)["links"][0]["href"], "https://art.example/users/giles");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod activity;
mod actor;
pub mod canonical;
mod claimants;
mod collection;
pub mod data_integrity;
pub mod delivery;
mod delivery_ports;
mod discovery;
mod domain_rules;
pub mod engine_signature;
pub mod http_signature;
mod incoming;
mod iri;
mod keys;
mod message;
pub mod multikey;
mod object;
mod peers;
mod ports;
mod reading;
mod remote_actor;
mod remote_object;
mod remote_ports;
mod site;
pub mod vocabulary;

pub use activity::{Activity, ActivityKind, Draft, SignError, SignedDocument, UnknownActivityKind};
pub use actor::{Profile, actor_document, instance_document};
pub use claimants::{Claimant, Room, room_for};
pub use collection::{CollectionPage, activity_page, collection, collection_ids, id_page, whole_collection};
pub use delivery::{Delivery, DeliveryState};
pub use delivery_ports::{Concluded, DeliveryQueue, DeliveryReads, Peer, Posting, Standing};
pub use discovery::{
    ACTIVITY_JSON, InvalidResource, Usage, host_meta, instance_webfinger, nodeinfo, nodeinfo_links, webfinger,
    webfinger_subject,
};
pub use domain_rules::{DomainAction, DomainPattern, DomainRule, FederationMode, InvalidPattern, Shunned, check_host};
pub use http_signature::Scheme as SignatureScheme;
pub use incoming::{InboxFault, Incoming, Meaning, Reaction, Target};
pub use iri::{InvalidIri, Iri};
pub use keys::{ActorSigner, KeyError, KeyHistory, KeyReader, KeyStore, PublicKeys, UnusableKey, VerifyingKey};
pub use message::{Message, Saying};
pub use peers::{Barred, Fetched, Gate, Handover, Letter, LetterBody, PeerError, Peers, SignAs};
pub use ports::{ActivityLog, ActivityReads, ActivityRepository};
pub use reading::{NotADocument, parse_document, parsed_size};
pub use remote_actor::{KeyMaterial, NotAnActor, RemoteActor, RemoteKey, key_owner};
pub use remote_object::{NotTheirs, RemoteObject};
pub use remote_ports::{
    Evidence, FollowState, Follower, Following, HeardObject, KnownActor, KnownKey, Notice, ReactionCounts, Receipt,
    RemoteReads, RemoteRepository,
};
pub use site::{InvalidSite, Site};
