use crate::{PublishError, Registry};
use artdag_federation::{Activity, Draft, Iri};
use artdag_kernel::{StoreError, Username};

/// Why nothing was shared.
#[derive(Debug, thiserror::Error)]
pub enum ShareError {
    /// Nothing is known here under that id, or it was withdrawn.
    #[error("nothing is known of {0} here, or it was withdrawn")]
    NotFound(Iri),
    /// It is a post, and claims no content.
    #[error("{0} claims no content")]
    NoClaim(Iri),
    /// Nothing could be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl From<StoreError> for ShareError {
    fn from(error: StoreError) -> Self {
        Self::Publish(error.into())
    }
}

impl Registry {
    /// Shows a user's followers an asset of another registry: publishes a signed `Announce`.
    ///
    /// # Errors
    /// [`ShareError`]; nothing is written then.
    pub async fn share(&self, user: &Username, object: &Iri) -> Result<Activity, ShareError> {
        let heard = self.read().await?.find_heard(object).await?.filter(|heard| heard.deleted_at.is_none());
        let heard = heard.ok_or_else(|| ShareError::NotFound(object.clone()))?;
        let hash = heard.object.content_hash.ok_or_else(|| ShareError::NoClaim(object.clone()))?;
        let (id, now) = (self.new_activity_id(), self.parts.clock.now());
        let draft = Draft::announce(&self.parts.site, user, id, object, hash, &heard.object.actor, now);
        let activity = self.sign(draft, user).await?;
        let mut unit = self.parts.store.begin().await?;
        self.publish(unit.as_mut(), &activity).await?;
        unit.commit().await?;
        self.announce(&activity);
        Ok(activity)
    }
}
