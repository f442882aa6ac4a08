use crate::{Asset, AssetName, AssetType, Registered, SearchWords, Tag, Tombstone};
use artdag_kernel::{AssetId, ContentHash, Count, Page, Slice, StoreError, Username};
use artdag_provenance::RunId;
use async_trait::async_trait;

/// Which assets a list holds: those that fulfil every condition given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssetFilter {
    /// Claimed by this user.
    pub owner: Option<Username>,
    /// Of this type.
    pub asset_type: Option<AssetType>,
    /// With all these tags.
    pub tags: Vec<Tag>,
    /// With this content.
    pub content_hash: Option<ContentHash>,
    /// Made by this run.
    pub run_id: Option<RunId>,
    /// With all these words in name, description or tags.
    pub words: Option<SearchWords>,
}

impl AssetFilter {
    /// Whether it lets every asset through.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }
}

/// Reads assets.
#[async_trait]
pub trait AssetReads: Send {
    /// What the name leads to: the asset, else the newest tombstone of that name.
    async fn find_asset(&mut self, name: &AssetName) -> Result<Option<Registered>, StoreError>;

    /// What the hash leads to: the asset, else the newest tombstone of that hash.
    async fn find_asset_by_hash(&mut self, hash: &ContentHash) -> Result<Option<Registered>, StoreError>;

    /// The asset with this id, unless it was deleted.
    async fn find_asset_by_id(&mut self, id: AssetId) -> Result<Option<Asset>, StoreError>;

    /// Assets, newest first; never deleted ones.
    async fn list_assets(&mut self, filter: &AssetFilter, page: Page) -> Result<Slice<Asset>, StoreError>;

    /// How many [`AssetReads::list_assets`] would list in all. Cheap on any number of rows, so it may lag a
    /// little behind, and stops counting at some thousands when there is a filter.
    async fn count_assets(&mut self, filter: &AssetFilter) -> Result<Count, StoreError>;

    /// Names of up to `limit` assets that name this content as an input.
    async fn assets_made_from(&mut self, input: &ContentHash, limit: u16) -> Result<Vec<AssetName>, StoreError>;

    /// The newest tombstone with this name or this hash that another user left behind.
    async fn reserved_for_another(
        &mut self,
        name: &AssetName,
        hash: &ContentHash,
        owner: &Username,
    ) -> Result<Option<Tombstone>, StoreError>;
}

/// Keeps assets.
#[async_trait]
pub trait AssetRepository: AssetReads {
    /// Adds an asset. [`StoreError::Conflict`] when a live one has its name or its hash; the unit of work
    /// stays usable. Waits for a unit of work that is deleting one of its inputs.
    async fn add_asset(&mut self, asset: &Asset) -> Result<(), StoreError>;

    /// Replaces the details of the revision before this one. `false`, and nothing written, when that is not
    /// the present revision.
    async fn replace_asset(&mut self, asset: &Asset) -> Result<bool, StoreError>;

    /// Replaces an asset of this revision by its tombstone. `false`, and nothing written, when that is not the
    /// present revision. Waits for units of work that are adding assets made from it.
    async fn bury_asset(&mut self, tombstone: &Tombstone, revision: u32) -> Result<bool, StoreError>;
}
