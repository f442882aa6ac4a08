use crate::Registry;
use artdag_assets::AssetFilter;
use artdag_federation::Usage;
use artdag_kernel::{Instant, StoreError};
use chrono::TimeDelta;
use std::sync::Mutex;

/// How old the figures may be.
const MAX_AGE: TimeDelta = TimeDelta::seconds(30);

#[derive(Debug, Default)]
pub(crate) struct CachedUsage(Mutex<Option<(Instant, Usage)>>);

impl Registry {
    /// How much this registry is used. Counting is slow on large tables, so the figures may be half a minute
    /// old.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn usage(&self) -> Result<Usage, StoreError> {
        let now = self.parts.clock.now();
        if let Some((at, usage)) = *self.usage.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
            && now - at < MAX_AGE
        {
            return Ok(usage);
        }
        let mut reader = self.read().await?;
        let usage = Usage {
            users: reader.count_users().await?,
            active_month: reader.count_active_actors(now - TimeDelta::days(30)).await?,
            active_half_year: reader.count_active_actors(now - TimeDelta::days(180)).await?,
            assets: reader.count_assets(&AssetFilter::default()).await?.known(),
        };
        *self.usage.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some((now, usage));
        Ok(usage)
    }
}
