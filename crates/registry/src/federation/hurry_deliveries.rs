use crate::Registry;
use artdag_kernel::StoreError;

impl Registry {
    /// Tries at once what waits for a host, or for all. Says how many deliveries.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hurry_deliveries(&self, host: Option<&str>) -> Result<u64, StoreError> {
        let mut unit = self.parts.store.begin().await?;
        let count = unit.hurry_deliveries(host, self.parts.clock.now()).await?;
        unit.commit().await?;
        self.mailed.notify_one();
        Ok(count)
    }
}
