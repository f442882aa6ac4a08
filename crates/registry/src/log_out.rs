use crate::attach_renderer::revocation;
use crate::{Identity, Registry};
use artdag_kernel::StoreError;

impl Registry {
    /// Logs a user out: revokes the token that this identity came with and every token made for their renderers, and
    /// lets jobs tell the renderers. What is revoked here stays so whatever a renderer answers.
    ///
    /// # Errors
    /// [`StoreError`] when the database failed; nothing is revoked then.
    pub async fn log_out(&self, identity: &Identity) -> Result<(), StoreError> {
        let now = self.parts.clock.now();
        let mut unit = self.parts.store.begin().await?;
        // Who is attaching with this very token has done so before this, and is detached here, or finds it revoked.
        unit.lock_attachments(&identity.username).await?;
        unit.revoke(&identity.token, identity.expires_at, now).await?;
        for attachment in unit.detach(&identity.username, None, now).await? {
            self.push(unit.as_mut(), &revocation(&attachment)).await?;
        }
        unit.commit().await?;
        self.pushed.notify_one();
        tracing::info!(username = %identity.username, "logged out");
        Ok(())
    }
}
