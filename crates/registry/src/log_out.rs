use crate::{Identity, Registry};
use artdag_kernel::StoreError;

impl Registry {
    /// Revokes the token that this identity came with, for good.
    ///
    /// # Errors
    /// [`StoreError`] when the database failed; the token is then still good.
    pub async fn log_out(&self, identity: &Identity) -> Result<(), StoreError> {
        let now = self.parts.clock.now();
        let mut unit = self.parts.store.begin().await?;
        unit.revoke(&identity.token, identity.expires_at, now).await?;
        unit.sweep_revocations(now).await?;
        unit.commit().await
    }
}
