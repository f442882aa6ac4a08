use crate::{Job, Registry, UnitOfWork};
use artdag_federation::{Activity, ActorSigner, Draft, FederationMode, KeyError, SignError};
use artdag_kernel::{ActivityId, StoreError, Username, new_uuid};
use std::sync::Arc;

/// Why nothing could be published in a user's name.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The user's keys are not where this server keeps keys.
    #[error("there are no keys of {0} here")]
    NoKeys(Username),
    /// The keys cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The keys do not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Registry {
    pub(crate) fn new_activity_id(&self) -> ActivityId {
        new_uuid(self.parts.clock.now(), self.parts.randomness.as_ref()).into()
    }

    /// What signs in a user's name.
    pub(crate) async fn user_signer(&self, username: &Username) -> Result<Arc<dyn ActorSigner>, PublishError> {
        let signer = self.parts.keys.signer(username).await?;
        signer.ok_or_else(|| PublishError::NoKeys(username.clone()))
    }

    /// Signs a draft. Done before a unit of work is opened: it takes a millisecond and a file.
    pub(crate) async fn sign(&self, draft: Draft, actor: &Username) -> Result<Activity, PublishError> {
        let signer = self.user_signer(actor).await?;
        Ok(draft.sign(&self.parts.site, signer.as_ref())?)
    }

    /// Adds a published activity, and the job that hands it over for every follower.
    pub(crate) async fn publish(
        &self,
        unit: &mut (dyn UnitOfWork + '_),
        activity: &Activity,
    ) -> Result<(), StoreError> {
        unit.add_activity(activity).await?;
        if self.parts.policy.federation.mode == FederationMode::Off {
            return Ok(());
        }
        let job = Job::FanOut { activity: activity.id.to_string(), sender: activity.actor.to_string() };
        self.push(unit, &job).await
    }

    /// Tells the sequencer and the workers, after the commit.
    pub(crate) fn announce(&self, activity: &Activity) {
        tracing::info!(id = %activity.id, kind = %activity.kind, actor = %activity.actor, "published an activity");
        self.published.notify_one();
        self.pushed.notify_one();
    }
}
