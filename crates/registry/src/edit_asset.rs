use crate::{PublishError, Registry};
use artdag_assets::{Asset, AssetName, DetailsPatch, Registered, Tombstone};
use artdag_federation::Draft;
use artdag_kernel::{StoreError, Username};

/// A change of an asset's details.
#[derive(Clone, Debug)]
pub struct EditAsset {
    /// Which asset.
    pub name: AssetName,
    /// What changes.
    pub patch: DetailsPatch,
    /// Only if this is still the asset's revision.
    pub if_revision: Option<u32>,
}

/// Why an asset was not changed or deleted.
#[derive(Debug, thiserror::Error)]
pub enum EditAssetError {
    /// There is no such asset.
    #[error("there is no such asset")]
    NotFound,
    /// It was deleted.
    #[error("the asset was deleted")]
    Gone(Tombstone),
    /// It is somebody else's.
    #[error("the asset belongs to {0}")]
    NotOwner(Username),
    /// It has changed since the caller read it.
    #[error("the asset has changed since it was read")]
    Changed,
    /// Nothing could be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl From<StoreError> for EditAssetError {
    fn from(error: StoreError) -> Self {
        Self::Publish(error.into())
    }
}

impl Registry {
    /// Changes details and publishes a signed `Update`, both in one unit of work. A patch that changes nothing
    /// publishes nothing.
    ///
    /// # Errors
    /// [`EditAssetError`]; nothing is written then.
    pub async fn edit_asset(&self, owner: &Username, edit: &EditAsset) -> Result<Asset, EditAssetError> {
        // Patches name what they change, so one that lost a race is applied to what won it.
        for _ in 0..5 {
            let asset = self.find_own_asset(owner, &edit.name, edit.if_revision).await?;
            let Some(edited) = asset.edited(edit.patch.clone(), self.parts.clock.now()) else {
                return Ok(asset);
            };
            let draft = Draft::update(&self.parts.site, &edited, self.new_activity_id());
            let activity = self.sign(draft, owner).await?;

            let mut unit = self.parts.store.begin().await?;
            if unit.replace_asset(&edited).await? {
                self.publish(unit.as_mut(), &activity).await?;
                unit.commit().await?;
                self.announce(&activity);
                return Ok(edited);
            }
            unit.rollback().await?;
        }
        Err(EditAssetError::Changed)
    }

    pub(crate) async fn find_own_asset(
        &self,
        owner: &Username,
        name: &AssetName,
        if_revision: Option<u32>,
    ) -> Result<Asset, EditAssetError> {
        let found = self.read().await?.find_asset(name).await?;
        let asset = match found.ok_or(EditAssetError::NotFound)? {
            Registered::Live(asset) => *asset,
            Registered::Deleted(tombstone) => return Err(EditAssetError::Gone(tombstone)),
        };
        if asset.owner != *owner {
            return Err(EditAssetError::NotOwner(asset.owner));
        }
        match if_revision {
            Some(revision) if revision != asset.revision => Err(EditAssetError::Changed),
            _ => Ok(asset),
        }
    }
}
