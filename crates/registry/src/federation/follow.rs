use super::fetch::FetchRemoteError;
use crate::{PublishError, Registry};
use artdag_federation::{FollowState, Following, Iri, Message, Saying};
use artdag_kernel::{StoreError, Username};

/// Why a follow was not asked for, ended or answered.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The actor could not be had.
    #[error(transparent)]
    Remote(#[from] FetchRemoteError),
    /// The actor lives here. Those who follow here need no messages for it.
    #[error("{0} is an actor of this server")]
    Local(String),
    /// There is no such follow, or no such request.
    #[error("there is no such follow")]
    NotFound,
    /// The message could not be signed.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl From<StoreError> for FollowError {
    fn from(error: StoreError) -> Self {
        Self::Publish(error.into())
    }
}

impl Registry {
    /// Asks, in a user's name, to follow an actor: a handle or an id. Asking again for what is pending or holds sends
    /// nothing.
    ///
    /// # Errors
    /// [`FollowError`].
    pub async fn follow(&self, user: &Username, handle_or_id: &str) -> Result<Following, FollowError> {
        let own = |id: &Iri| self.parts.site.owns(id);
        let domain = handle_or_id.rsplit_once('@').map_or("", |(_, domain)| domain);
        if handle_or_id.parse().as_ref().is_ok_and(own) || domain.eq_ignore_ascii_case(self.parts.site.domain()) {
            return Err(FollowError::Local(handle_or_id.to_owned()));
        }
        let actor = self.find_remote(handle_or_id).await?;
        if own(&actor.id) {
            return Err(FollowError::Local(actor.id.to_string()));
        }
        let known = self.read().await?.find_following(user, &actor.id).await?;
        if let Some(known) = known.filter(|known| known.state != FollowState::Rejected) {
            return Ok(known);
        }
        let message = self.sign_message(&Saying::Follow(actor.id.clone()), user).await?;
        let following = Following {
            id: self.new_uuid(),
            user: user.clone(),
            actor: actor.id,
            request: message.id,
            state: FollowState::Pending,
            created_at: message.created_at,
        };
        let mut unit = self.parts.store.begin().await?;
        unit.save_following(&following).await?;
        unit.add_message(&message).await?;
        unit.add_delivery(message.id, user, &actor.inbox, message.created_at).await?;
        unit.commit().await?;
        self.mailed.notify_one();
        Ok(following)
    }

    /// Ends a follow, or takes a request back.
    ///
    /// # Errors
    /// [`FollowError`].
    pub async fn unfollow(&self, user: &Username, actor: &Iri) -> Result<(), FollowError> {
        let mut reader = self.read().await?;
        let following = reader.find_following(user, actor).await?.ok_or(FollowError::NotFound)?;
        let known = reader.find_remote_actor(actor).await?;
        drop(reader);
        let request = following.request;
        let message = self.sign_message(&Saying::Unfollow(request, actor.clone()), user).await?;
        let mut unit = self.parts.store.begin().await?;
        if !unit.remove_following(user, actor, request).await? {
            unit.rollback().await?;
            return Err(FollowError::NotFound);
        }
        // Of an actor that is gone there is nobody to tell.
        if let Some(known) = known {
            unit.add_message(&message).await?;
            unit.add_delivery(message.id, user, &known.actor.inbox, message.created_at).await?;
        }
        unit.commit().await?;
        self.mailed.notify_one();
        Ok(())
    }

    /// Answers a request to follow a user, or ends a follow that was accepted before.
    ///
    /// # Errors
    /// [`FollowError`].
    pub async fn answer_follower(&self, user: &Username, actor: &Iri, accept: bool) -> Result<(), FollowError> {
        let follower = self.read().await?.find_follower(user, actor).await?.ok_or(FollowError::NotFound)?;
        let message = self.answer_to(&follower, accept).await?;
        let mut unit = self.parts.store.begin().await?;
        let found = if accept {
            unit.set_follower_state(user, actor, FollowState::Accepted).await?
        } else {
            unit.remove_follower(user, actor).await?
        };
        if !found {
            unit.rollback().await?;
            return Err(FollowError::NotFound);
        }
        unit.add_message(&message).await?;
        unit.add_delivery(message.id, user, &follower.inbox, message.created_at).await?;
        unit.commit().await?;
        self.mailed.notify_one();
        Ok(())
    }

    /// Signs a message. Done before a unit of work is opened.
    pub(crate) async fn sign_message(&self, saying: &Saying, sender: &Username) -> Result<Message, PublishError> {
        let signer = self.user_signer(sender).await?;
        let (id, now) = (self.new_activity_id(), self.parts.clock.now());
        Ok(saying.sign(&self.parts.site, sender, id, now, signer.as_ref())?)
    }
}
