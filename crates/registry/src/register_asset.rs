use crate::{PublishError, Registry, UnitOfWork};
use artdag_assets::{Asset, NewAsset, Registered, Tombstone};
use artdag_federation::{Activity, Draft};
use artdag_kernel::{StoreError, Username, new_uuid};

/// What a claim led to.
#[derive(Clone, Debug, PartialEq)]
pub struct RegisteredAsset {
    /// The asset.
    pub asset: Asset,
    /// `false` when the same owner had made the identical claim before.
    pub is_new: bool,
}

/// Why a claim was not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterAssetError {
    /// Another asset has that name.
    #[error("the name is taken")]
    NameTaken(Box<Asset>),
    /// The content is claimed already.
    #[error("the content is claimed already")]
    HashClaimed(Box<Asset>),
    /// Name or content belonged to another user's deleted asset and stays theirs.
    #[error("the name or the content is reserved for its former owner")]
    Reserved(Box<Tombstone>),
    /// It names itself as an input.
    #[error("an asset cannot be its own input")]
    OwnInput,
    /// Others took and gave up the name so often meanwhile that no answer was reached.
    #[error("the name or the content changed hands while it was being registered")]
    Contended,
    /// Nothing could be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl From<StoreError> for RegisterAssetError {
    fn from(error: StoreError) -> Self {
        Self::Publish(error.into())
    }
}

impl Registry {
    /// Registers a claim and publishes its signed `Create`, both in one unit of work. Making the identical
    /// claim again answers the asset that is there.
    ///
    /// # Errors
    /// [`RegisterAssetError`]; nothing is written then.
    pub async fn register_asset(&self, owner: &Username, new: NewAsset) -> Result<RegisteredAsset, RegisterAssetError> {
        if new.provenance.inputs().contains(&new.content_hash) {
            return Err(RegisterAssetError::OwnInput);
        }
        // A claim that is lost to another is answered from what won; that may be gone again when it is read.
        for _ in 0..5 {
            if let Some(asset) = self.find_claim(owner, &new).await? {
                return Ok(RegisteredAsset { asset, is_new: false });
            }
            let (asset, activity) = self.signed_claim(owner, new.clone()).await?;
            if self.write_claim(&asset, &activity).await? {
                self.announce(&activity);
                return Ok(RegisteredAsset { asset, is_new: true });
            }
        }
        Err(RegisterAssetError::Contended)
    }

    /// The identical claim if it is registered, nothing if the way is free, else what is in the way.
    pub(crate) async fn find_claim(
        &self,
        owner: &Username,
        new: &NewAsset,
    ) -> Result<Option<Asset>, RegisterAssetError> {
        let mut reader = self.read().await?;
        // The two look-ups are no transaction: the second may see what was committed after the first.
        let by_name = reader.find_asset(&new.name).await?;
        let found = match by_name {
            Some(Registered::Live(asset)) => Some(asset),
            _ => match reader.find_asset_by_hash(&new.content_hash).await? {
                Some(Registered::Live(asset)) => Some(asset),
                _ => None,
            },
        };
        match found {
            None => Ok(None),
            Some(asset) if asset.is_claim_of(owner, new) => Ok(Some(*asset)),
            Some(asset) if asset.name == new.name => Err(RegisterAssetError::NameTaken(asset)),
            Some(asset) => Err(RegisterAssetError::HashClaimed(asset)),
        }
    }

    /// The asset that a claim makes, and the activity that publishes it.
    pub(crate) async fn signed_claim(
        &self,
        owner: &Username,
        new: NewAsset,
    ) -> Result<(Asset, Activity), PublishError> {
        let now = self.parts.clock.now();
        let id = new_uuid(now, self.parts.randomness.as_ref()).into();
        let asset = Asset::register(new, owner.clone(), id, self.new_activity_id(), now);
        let activity = self.sign(Draft::create(&self.parts.site, &asset), owner).await?;
        Ok((asset, activity))
    }

    /// `false` when another claim came first.
    async fn write_claim(&self, asset: &Asset, activity: &Activity) -> Result<bool, RegisterAssetError> {
        let mut unit = self.parts.store.begin().await?;
        match self.add_claim(unit.as_mut(), asset, activity).await {
            Ok(true) => unit.commit().await?,
            other => {
                unit.rollback().await?;
                return other;
            }
        }
        Ok(true)
    }

    /// Adds an asset and the activity that claims it. `false` when another claim came first; that, and an error, leave the
    /// unit of work to be rolled back.
    pub(crate) async fn add_claim(
        &self,
        unit: &mut (dyn UnitOfWork + '_),
        asset: &Asset,
        activity: &Activity,
    ) -> Result<bool, RegisterAssetError> {
        match unit.add_asset(asset).await {
            Err(StoreError::Conflict(_)) => return Ok(false),
            added => added?,
        }
        // Asked after the insert, which waited for a deletion of the same name or content to end.
        let reserved = unit.reserved_for_another(&asset.name, &asset.content_hash, &asset.owner).await?;
        if let Some(tombstone) = reserved {
            return Err(RegisterAssetError::Reserved(Box::new(tombstone)));
        }
        self.publish(unit, activity).await?;
        Ok(true)
    }
}
