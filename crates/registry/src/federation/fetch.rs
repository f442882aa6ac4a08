use super::domain_rules::HostRefused;
use super::inquiry::Inquiry;
use crate::{PublishError, Registry};
use artdag_federation::{
    Barred, Gate, Iri, NotADocument, NotAnActor, PeerError, RemoteActor, key_owner, parse_document,
};
use artdag_kernel::StoreError;
use chrono::TimeDelta;
use serde_json::{Map, Value};
use std::sync::Arc;

/// How long a server that cannot be reached is left alone, or a document that does not come.
const DEAD: TimeDelta = TimeDelta::minutes(1);

/// Why nothing was fetched from another server.
#[derive(Debug, thiserror::Error)]
pub enum FetchRemoteError {
    /// The operator does not let this server speak with it, or the database failed.
    #[error(transparent)]
    Host(#[from] HostRefused),
    /// It could not be reached a moment ago.
    #[error("{0} could not be reached a moment ago")]
    Held(String),
    /// It gave nothing of use.
    #[error(transparent)]
    Peer(PeerError),
    /// What it gave is no document.
    #[error(transparent)]
    Document(#[from] NotADocument),
    /// What it gave is no actor.
    #[error(transparent)]
    Actor(#[from] NotAnActor),
    /// Another origin answered for this one.
    #[error("the document came from another origin than its id")]
    Origin,
    /// The key's document names nobody, or somebody elsewhere, as its owner.
    #[error("the key's document does not name its owner")]
    NoOwner,
    /// The owner does not know the key.
    #[error("the key's owner does not list the key")]
    NotListed,
    /// The request could not be signed.
    #[error(transparent)]
    Sign(#[from] PublishError),
}

impl From<StoreError> for FetchRemoteError {
    fn from(error: StoreError) -> Self {
        Self::Host(error.into())
    }
}

impl From<PeerError> for FetchRemoteError {
    fn from(error: PeerError) -> Self {
        match error {
            PeerError::Barred(Barred::Shunned(shunned)) => Self::Host(shunned.into()),
            other => Self::Peer(other),
        }
    }
}

impl FetchRemoteError {
    /// Whether asking again later may help.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Host(HostRefused::Store(_)) | Self::Held(_) | Self::Sign(_) => true,
            Self::Peer(error) => error.is_passing(),
            _ => false,
        }
    }
}

impl Registry {
    /// Gets the document that is found at an id, from the origin of that id.
    pub(crate) async fn fetch_document(
        &self,
        inquiry: &Arc<Inquiry>,
        id: &Iri,
    ) -> Result<(Map<String, Value>, Vec<u8>), FetchRemoteError> {
        self.check_host(id.host()).await?;
        let now = self.parts.clock.now();
        let document = id.document();
        // The document's own name is what keeps it from being asked for too often.
        let slow = format!("slow {document}");
        let mut reader = self.read().await?;
        if reader.is_fetch_held(id.origin(), now).await? || reader.is_fetch_held(&slow, now).await? {
            return Err(FetchRemoteError::Held(id.host().to_owned()));
        }
        drop(reader);
        let sign_as = self.sign_as_instance().await?;
        let gate: Arc<dyn Gate> = Arc::<Inquiry>::clone(inquiry);
        let fetched = match self.parts.peers.fetch(&document, &sign_as, &gate).await {
            Ok(fetched) => fetched,
            Err(error) => {
                // A slow page says nothing of its server: strangers may name one of anybody's.
                let hold = match error {
                    PeerError::NoConnection(_) => Some(id.origin()),
                    PeerError::Unreachable(_) => Some(slow.as_str()),
                    _ => None,
                };
                if let Some(what) = hold {
                    let mut unit = self.parts.store.begin().await?;
                    unit.hold_fetch(what, self.parts.clock.now() + DEAD).await?;
                    unit.commit().await?;
                }
                return Err(error.into());
            }
        };
        if !fetched.url.is_beside(id) {
            return Err(FetchRemoteError::Origin);
        }
        let document = parse_document(&fetched.body)?;
        Ok((document, fetched.body))
    }

    /// Gets an actor's document and keeps what it says.
    ///
    /// # Errors
    /// [`FetchRemoteError`].
    pub(crate) async fn fetch_actor(&self, inquiry: &Arc<Inquiry>, id: &Iri) -> Result<RemoteActor, FetchRemoteError> {
        let (document, _) = self.fetch_document(inquiry, id).await?;
        self.keep_actor(id, &document).await
    }

    /// Gets the actor that has a key: by way of the key's own document, if it has one, to the owner's.
    pub(crate) async fn fetch_key_owner(
        &self,
        inquiry: &Arc<Inquiry>,
        key_id: &Iri,
    ) -> Result<RemoteActor, FetchRemoteError> {
        let (document, _) = self.fetch_document(inquiry, key_id).await?;
        let owner = key_owner(key_id, &document).ok_or(FetchRemoteError::NoOwner)?;
        let actor = if owner == key_id.document() {
            self.keep_actor(&owner, &document).await?
        } else {
            self.fetch_actor(inquiry, &owner).await?
        };
        if actor.key(key_id).is_none() {
            return Err(FetchRemoteError::NotListed);
        }
        Ok(actor)
    }

    async fn keep_actor(&self, id: &Iri, document: &Map<String, Value>) -> Result<RemoteActor, FetchRemoteError> {
        let actor = RemoteActor::from_document(id, document)?;
        let mut unit = self.parts.store.begin().await?;
        unit.save_remote_actor(&actor, self.parts.clock.now()).await?;
        unit.commit().await?;
        self.remote_keys.forget(id);
        Ok(actor)
    }

    /// Who bears a handle (`@giles@art.example`, with or without the first `@`), or is at a URL.
    ///
    /// # Errors
    /// [`FetchRemoteError`].
    pub async fn find_remote(&self, handle_or_url: &str) -> Result<RemoteActor, FetchRemoteError> {
        let inquiry = &self.inquiry(0).await?;
        if let Ok(url) = handle_or_url.parse::<Iri>() {
            let (document, _) = self.fetch_document(inquiry, &url).await?;
            // The page of a profile shows the actor, too.
            return match document.get("id").and_then(|id| id.as_str()).and_then(|id| id.parse::<Iri>().ok()) {
                Some(id) if id != url && id.is_beside(&url) => self.fetch_actor(inquiry, &id).await,
                _ => self.keep_actor(&url, &document).await,
            };
        }
        let nobody = || PeerError::Nonsense("it must be a handle such as `@giles@art.example`, or a URL".to_owned());
        let (username, domain) = handle_or_url
            .trim_start_matches('@')
            .split_once('@')
            .filter(|(name, domain)| !name.is_empty() && !domain.is_empty())
            .ok_or_else(nobody)?;
        let gate: Arc<dyn Gate> = Arc::<Inquiry>::clone(inquiry);
        let id = self.parts.peers.resolve_handle(username, domain, &gate).await?;
        self.fetch_actor(inquiry, &id).await
    }
}
