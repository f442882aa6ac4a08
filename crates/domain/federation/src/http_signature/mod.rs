//! Signatures of HTTP requests, checked and made, by both schemes that peers use: draft-cavage-http-signatures-12
//! and RFC 9421.
//!
//! Nothing here does I/O or knows a key. [`RequestSignature::read`] applies every rule that needs no key, the
//! body's digest included, and [`RequestSignature::check`] hands the signed bytes to whoever has the key. Signing
//! works on an [`OutgoingRequest`] and an [`ActorSigner`](crate::ActorSigner).
//!
//! What a rule refuses is a [`SignatureFault`], one variant a rule, with a text that may be shown to the peer. To
//! add a rule: a variant there, and a row in the table of `tests/hostile_signatures.rs`.
//!
//! ```
//! use artdag_federation::http_signature::{SignatureFault, RequestSignature, SignedRequest};
//!
//! let request = SignedRequest { method: "GET", origin: "https://art.example", target: "/users/giles", headers: &[] };
//! let now = "2026-11-22T07:21:19Z".parse().unwrap();
//! assert_eq!(RequestSignature::read(&request, None, now).unwrap_err(), SignatureFault::Unsigned);
//! ```

mod cavage;
mod challenge;
mod clock;
pub mod collection_synchronization;
mod digest;
mod fault;
mod fields;
mod parameters;
mod read;
mod request;
mod rfc9421;
mod sign;

pub use challenge::{Challenge, MAX_CHALLENGES, UnreadableChallenge, answer};
pub use digest::BodyDigest;
pub use fault::SignatureFault;
pub use read::{Algorithm, KeyKind, RequestSignature, Scheme};
pub use request::SignedRequest;
pub use sign::{CannotSign, Content, OutgoingRequest, SigningKey, sign_cavage, sign_rfc9421};

/// What exactly a peer signed, without the rules of [`RequestSignature::read`]: for finding out why a signature
/// does not match, and for the published examples, most of which cover less than the rules ask for.
pub mod bases {
    pub use super::cavage::signing_string as cavage;
    pub use super::rfc9421::signature_base as rfc9421;
}
