//! Jobs that get something from another server.

use super::fetch::FetchRemoteError;
use crate::Registry;
use crate::jobs::JobError;
use artdag_federation::{Evidence, HeardObject, Iri, PeerError, RemoteObject};

impl Registry {
    /// Gets an actor anew: it said that it has changed.
    pub(crate) async fn refresh_actor(&self, actor: &str) -> Result<(), JobError> {
        let actor: Iri = actor.parse().map_err(lasting)?;
        match self.fetch_actor(&self.inquiry(0).await?, &actor).await {
            Ok(_) => Ok(()),
            Err(FetchRemoteError::Peer(PeerError::Gone(410))) => {
                let mut unit = self.parts.store.begin().await?;
                unit.forget_remote_actor(&actor, self.parts.clock.now()).await?;
                Ok(unit.commit().await?)
            }
            Err(error) => Err(fetch_failed(error)),
        }
    }

    /// Gets an object that somebody followed here has shown, and keeps it if it is a claim. Its origin vouches for it.
    pub(crate) async fn fetch_object(&self, object: &str) -> Result<(), JobError> {
        let id: Iri = object.parse().map_err(lasting)?;
        let (document, body) = self.fetch_document(&self.inquiry(0).await?, &id).await.map_err(fetch_failed)?;
        if document.get("id").and_then(|id| id.as_str()) != Some(id.as_str()) {
            return Err(lasting("the document's id is not the one asked for"));
        }
        let owner: Option<Iri> = document.get("attributedTo").and_then(|owner| match owner {
            serde_json::Value::Object(members) => members.get("id")?.as_str()?.parse().ok(),
            other => other.as_str()?.parse().ok(),
        });
        let owner = owner.ok_or_else(|| lasting("the object does not say whose it is"))?;
        let object = RemoteObject::from_document(&owner, &document).map_err(lasting)?;
        if object.content_hash.is_none() {
            return Ok(());
        }
        let heard = HeardObject {
            id: self.new_uuid(),
            object,
            activity: id,
            document: String::from_utf8_lossy(&body).into_owned(),
            evidence: Evidence::default(),
            received_at: self.parts.clock.now(),
            deleted_at: None,
        };
        let mut unit = self.parts.store.begin().await?;
        // What was told of it by a signed activity meanwhile is worth more.
        unit.add_heard(&heard).await?;
        Ok(unit.commit().await?)
    }
}

pub(super) fn lasting(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> JobError {
    JobError::Lasting(error.into())
}

pub(super) fn fetch_failed(error: FetchRemoteError) -> JobError {
    if error.is_passing() { JobError::Passing(error.into()) } else { JobError::Lasting(error.into()) }
}
