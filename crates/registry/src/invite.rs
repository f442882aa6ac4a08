use crate::Registry;
use artdag_auth::InviteCode;
use artdag_kernel::StoreError;
use chrono::TimeDelta;

/// How long an invite is good for.
const LIFETIME: TimeDelta = TimeDelta::days(14);

impl Registry {
    /// Makes an invite that lets one person register within two weeks.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn invite(&self) -> Result<InviteCode, StoreError> {
        let mut chance = [0; 16];
        self.parts.randomness.fill(&mut chance);
        let code = InviteCode::from_chance(chance);
        let now = self.parts.clock.now();
        let mut unit = self.parts.store.begin().await?;
        unit.add_invite(&code.hash(), now + LIFETIME, now).await?;
        unit.commit().await?;
        Ok(code)
    }
}
