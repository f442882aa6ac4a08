use crate::{Identity, Job, Registry};
use artdag_auth::{AccessToken, Attachment, Claims, Scope};
use artdag_kernel::{ServerUrl, StoreError, Username, new_uuid};

/// Why no renderer was attached.
#[derive(Debug, thiserror::Error)]
pub enum AttachRendererError {
    /// The server is not one of this registry's renderers.
    #[error("{0} is not a renderer of this registry")]
    UnknownRenderer(ServerUrl),
    /// The user has logged out meanwhile.
    #[error("the token was revoked")]
    Revoked,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Registry {
    /// Attaches a user to a renderer: records it, and makes a token that is good for this renderer alone, and no longer
    /// than `identity` is logged in.
    ///
    /// # Errors
    /// [`AttachRendererError`].
    pub async fn attach_renderer(
        &self,
        identity: &Identity,
        l1_server: &ServerUrl,
    ) -> Result<AccessToken, AttachRendererError> {
        let username = &identity.username;
        if !self.is_renderer(l1_server) {
            return Err(AttachRendererError::UnknownRenderer(l1_server.clone()));
        }
        let now = self.parts.clock.now();
        let id = new_uuid(now, self.parts.randomness.as_ref()).to_string();
        let scope = Scope::Renderer(l1_server.clone());
        let lifetime = self.parts.policy.token_lifetime;
        let claims = Claims::new(username.clone(), self.parts.site.base(), scope, now, lifetime, id);
        let token = self.parts.tokens.seal(&claims);
        let attachment = Attachment { username: username.clone(), l1_server: l1_server.clone(), attached_at: now };
        let mut unit = self.parts.store.begin().await?;
        // The request was let in a while ago. Behind the lock that a logout takes too, the answer stays what it is.
        unit.lock_attachments(username).await?;
        if unit.is_revoked(&identity.token).await? {
            unit.rollback().await?;
            return Err(AttachRendererError::Revoked);
        }
        unit.attach(&attachment).await?;
        unit.add_scoped_token(&token.hash(), &attachment, claims.expires_at()).await?;
        unit.commit().await?;
        tracing::info!(%username, %l1_server, "attached a renderer");
        Ok(token)
    }

    /// Detaches a user from a renderer: revokes every token made for it, and lets a job tell the renderer. `false`
    /// when it was not attached. Also for renderers that the operator no longer allows.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is revoked then.
    pub async fn detach_renderer(&self, username: &Username, l1_server: &ServerUrl) -> Result<bool, StoreError> {
        let now = self.parts.clock.now();
        let mut unit = self.parts.store.begin().await?;
        let detached = unit.detach(username, Some(l1_server), now).await?;
        for attachment in &detached {
            self.push(unit.as_mut(), &revocation(attachment)).await?;
        }
        unit.commit().await?;
        self.pushed.notify_one();
        Ok(!detached.is_empty())
    }
}

/// The job that tells a renderer.
pub(crate) fn revocation(attachment: &Attachment) -> Job {
    Job::RevokeAtRenderer { l1_server: attachment.l1_server.to_string(), username: attachment.username.to_string() }
}
