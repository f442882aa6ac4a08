use crate::{EditAssetError, Registry};
use artdag_assets::{AssetName, Tombstone};
use artdag_federation::Draft;
use artdag_kernel::{StoreError, Username};

/// Why an asset was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteAssetError {
    /// Others were made from it; some of their names.
    #[error("other assets were made from it")]
    InUse(Vec<AssetName>),
    /// As for every change.
    #[error(transparent)]
    Edit(#[from] EditAssetError),
}

impl From<StoreError> for DeleteAssetError {
    fn from(error: StoreError) -> Self {
        Self::Edit(error.into())
    }
}

impl Registry {
    /// Deletes an asset, leaves a tombstone, and publishes a signed `Delete`, all in one unit of work. Refused
    /// while other assets name it as an input.
    ///
    /// # Errors
    /// [`DeleteAssetError`]; nothing is written then.
    pub async fn delete_asset(
        &self,
        owner: &Username,
        name: &AssetName,
        if_revision: Option<u32>,
    ) -> Result<Tombstone, DeleteAssetError> {
        for _ in 0..5 {
            let asset = self.find_own_asset(owner, name, if_revision).await?;
            let tombstone = asset.bury(self.new_activity_id(), self.parts.clock.now());
            let draft = Draft::delete(&self.parts.site, &tombstone);
            let activity = self.sign(draft, owner).await.map_err(EditAssetError::from)?;

            let mut unit = self.parts.store.begin().await?;
            if !unit.bury_asset(&tombstone, asset.revision).await? {
                unit.rollback().await?;
                continue;
            }
            // Asked after the burial, which waited for registrations that were naming it.
            let made_from_it = unit.assets_made_from(&asset.content_hash, 5).await?;
            if !made_from_it.is_empty() {
                unit.rollback().await?;
                return Err(DeleteAssetError::InUse(made_from_it));
            }
            self.publish(unit.as_mut(), &activity).await?;
            unit.commit().await?;
            self.announce(&activity);
            return Ok(tombstone);
        }
        Err(EditAssetError::Changed.into())
    }
}
