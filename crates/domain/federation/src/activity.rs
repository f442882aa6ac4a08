use crate::canonical::{NotCanonical, jcs};
use crate::{ActorSigner, Iri, Site, data_integrity, engine_signature, object, vocabulary};
use artdag_assets::{Asset, Tombstone};
use artdag_kernel::{ActivityId, ContentHash, Instant, Username, rfc3339, rfc3339_seconds};
use serde_json::{Value, json};
use std::fmt;
use std::str::FromStr;

/// What an activity does (ActivityStreams vocabulary).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActivityKind {
    /// Claims an asset.
    Create,
    /// Changes an asset's details.
    Update,
    /// Withdraws a claim.
    Delete,
    /// Shows a claim of another registry to the actor's followers.
    Announce,
}

impl ActivityKind {
    /// The ActivityStreams type.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Update => "Update",
            Self::Delete => "Delete",
            Self::Announce => "Announce",
        }
    }
}

impl fmt::Display for ActivityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not a kind of activity that this registry publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not Create, Update, Delete or Announce")]
pub struct UnknownActivityKind;

impl FromStr for ActivityKind {
    type Err = UnknownActivityKind;

    fn from_str(text: &str) -> Result<Self, UnknownActivityKind> {
        [Self::Create, Self::Update, Self::Delete, Self::Announce]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(UnknownActivityKind)
    }
}

/// A published activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// The last segment of its id.
    pub id: ActivityId,
    /// What it does.
    pub kind: ActivityKind,
    /// Who published it.
    pub actor: Username,
    /// The content it is about.
    pub content_hash: ContentHash,
    /// When it was published.
    pub published_at: Instant,
    /// The document, with both signatures.
    pub document: SignedDocument,
    /// Its place in this server's log; `None` until the sequencer gives it one.
    pub index: Option<u64>,
}

/// The exact text that was signed and is served: RFC 8785 canonical JSON of the whole activity, both
/// signatures included. It is never printed again from parsed values.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedDocument(String);

impl SignedDocument {
    /// Takes back what [`SignedDocument::as_str`] gave.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parsed document, to read from.
    ///
    /// # Errors
    /// When the text is no JSON, which no document made here is.
    pub fn parse(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_str(&self.0)
    }
}

impl fmt::Debug for SignedDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why an activity could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The engine's signature.
    #[error("the activity cannot be signed with the RSA key")]
    Engine(#[from] engine_signature::SignError),
    /// The proof of FEP-8b32.
    #[error("the activity cannot be signed with the Ed25519 key")]
    Proof(#[from] data_integrity::SignError),
    /// The signed whole.
    #[error("the activity cannot be made canonical")]
    NotCanonical(#[from] NotCanonical),
}

/// An activity that waits for its signatures.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    id: ActivityId,
    kind: ActivityKind,
    actor: Username,
    content_hash: ContentHash,
    published_at: Instant,
    document: Value,
}

impl Draft {
    /// Claims an asset: the activity is the asset's [`Asset::claim`].
    pub fn create(site: &Site, asset: &Asset) -> Self {
        let object = object::object(site, asset);
        Self::new(site, ActivityKind::Create, asset.claim, &asset.owner, asset.content_hash, asset.created_at, object)
    }

    /// Tells of new details of an asset.
    pub fn update(site: &Site, asset: &Asset, id: ActivityId) -> Self {
        let object = object::object(site, asset);
        Self::new(site, ActivityKind::Update, id, &asset.owner, asset.content_hash, asset.updated_at, object)
    }

    /// Withdraws a claim: the activity is the tombstone's [`Tombstone::withdrawal`].
    pub fn delete(site: &Site, tombstone: &Tombstone) -> Self {
        let Tombstone { withdrawal, owner, content_hash, deleted_at, .. } = tombstone;
        let object = object::tombstone(site, tombstone);
        Self::new(site, ActivityKind::Delete, *withdrawal, owner, *content_hash, *deleted_at, object)
    }

    /// Shows the actor's followers an object of another registry, which claims this content, and tells its owner.
    pub fn announce(
        site: &Site,
        actor: &Username,
        id: ActivityId,
        object: &Iri,
        content_hash: ContentHash,
        owner: &Iri,
        now: Instant,
    ) -> Self {
        let kind = ActivityKind::Announce;
        let mut draft = Self::new(site, kind, id, actor, content_hash, now, Value::from(object.as_str()));
        draft.document["cc"] = json!([site.followers(actor), owner.as_str()]);
        draft
    }

    fn new(
        site: &Site,
        kind: ActivityKind,
        id: ActivityId,
        actor: &Username,
        content_hash: ContentHash,
        published_at: Instant,
        object: Value,
    ) -> Self {
        let document = json!({
            "@context": vocabulary::activity_context(site),
            "id": site.activity(id),
            "type": kind.as_str(),
            "actor": site.actor(actor),
            "published": rfc3339(published_at),
            "to": [vocabulary::PUBLIC],
            "cc": [site.followers(actor)],
            "object": object,
        });
        Self { id, kind, actor: actor.clone(), content_hash, published_at, document }
    }

    /// Signs with both of the actor's keys. Neither signature covers the other.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign(self, site: &Site, signer: &dyn ActorSigner) -> Result<Activity, SignError> {
        let Self { id, kind, actor, content_hash, published_at, mut document } = self;
        let created = rfc3339_seconds(published_at);
        engine_signature::attach(&mut document, signer, &site.main_key(&actor), &created)?;
        data_integrity::attach(&mut document, signer, &site.ed25519_key(&actor), &created)?;
        let document = SignedDocument(jcs(&document)?);
        Ok(Activity { id, kind, actor, content_hash, published_at, document, index: None })
    }
}
