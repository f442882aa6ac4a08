//! `AssetReads`, `AssetRepository`

use super::super::dialect;
use super::super::schema::{activities, asset_inputs, asset_tags, assets, log_state, users};
use super::bulk::{InputRows, TagRows};
use super::listing::{COUNTED, Length, Listing};
use super::rows::{AssetRow, DetailsRow, NewAssetRow};
use super::{Mode, Session, Writing, count, micros};
use artdag_assets::{Asset, AssetFilter, AssetName, AssetReads, AssetRepository, Registered, Tombstone};
use artdag_kernel::{AssetId, ContentHash, Count, Page, Slice, StoreError, Username};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// What leads to an asset.
#[derive(Clone, Copy)]
enum Key<'a> {
    Name(&'a AssetName),
    Hash(&'a ContentHash),
    Id(AssetId),
}

impl<M: Mode> Session<M> {
    async fn find_live(&mut self, key: Key<'_>) -> Result<Option<Registered>, StoreError> {
        let claim = activities::table.on(activities::id.eq(assets::claim));
        let live = assets::table.left_join(claim).filter(assets::deleted_at.is_null());
        let query = live.select(AssetRow::as_select()).into_boxed();
        let query = match key {
            Key::Name(name) => query.filter(assets::name.eq(name.to_string())),
            Key::Hash(hash) => query.filter(assets::content_hash.eq(hash.to_bare_hex())),
            Key::Id(id) => query.filter(assets::id.eq(id.to_string())),
        };
        let row = self.run(|conn| async move { query.first::<AssetRow>(conn).await.optional() }).await?;
        row.map(Registered::try_from).transpose()
    }

    /// The newest tombstone, of anybody or of anybody but one.
    async fn find_tombstone(&mut self, key: Key<'_>, but: Option<&Username>) -> Result<Option<Tombstone>, StoreError> {
        let claim = activities::table.on(activities::id.eq(assets::claim));
        let buried = assets::table.left_join(claim).filter(assets::deleted_at.is_not_null());
        let newest = buried.order((assets::deleted_at.desc(), assets::id.desc()));
        let mut query = newest.select(AssetRow::as_select()).into_boxed();
        query = match key {
            Key::Name(name) => query.filter(assets::name.eq(name.to_string())),
            Key::Hash(hash) => query.filter(assets::content_hash.eq(hash.to_bare_hex())),
            Key::Id(id) => query.filter(assets::id.eq(id.to_string())),
        };
        if let Some(owner) = but {
            query = query.filter(assets::owner.ne(owner.to_string()));
        }
        let row = self.run(|conn| async move { query.first::<AssetRow>(conn).await.optional() }).await?;
        Ok(match row.map(Registered::try_from).transpose()? {
            Some(Registered::Deleted(tombstone)) => Some(tombstone),
            Some(Registered::Live(_)) | None => None,
        })
    }

    async fn find_registered(&mut self, key: Key<'_>) -> Result<Option<Registered>, StoreError> {
        match self.find_live(key).await? {
            Some(found) => Ok(Some(found)),
            None => Ok(self.find_tombstone(key, None).await?.map(Registered::Deleted)),
        }
    }
}

#[async_trait]
impl<M: Mode> AssetReads for Session<M> {
    async fn find_asset(&mut self, name: &AssetName) -> Result<Option<Registered>, StoreError> {
        self.find_registered(Key::Name(name)).await
    }

    async fn find_asset_by_hash(&mut self, hash: &ContentHash) -> Result<Option<Registered>, StoreError> {
        self.find_registered(Key::Hash(hash)).await
    }

    async fn find_asset_by_id(&mut self, id: AssetId) -> Result<Option<Asset>, StoreError> {
        Ok(match self.find_live(Key::Id(id)).await? {
            Some(Registered::Live(asset)) => Some(*asset),
            Some(Registered::Deleted(_)) | None => None,
        })
    }

    async fn list_assets(&mut self, filter: &AssetFilter, page: Page) -> Result<Slice<Asset>, StoreError> {
        let query = Listing::new(filter, page);
        let rows: Vec<AssetRow> = self.run(|conn| query.load(conn)).await?;
        let assets = rows.into_iter().map(Asset::try_from).collect::<Result<_, _>>()?;
        Ok(Slice::from_rows(assets, page))
    }

    async fn count_assets(&mut self, filter: &AssetFilter) -> Result<Count, StoreError> {
        if filter.is_open() {
            let query = log_state::table.select(log_state::assets);
            let n: i64 = self.run(|conn| query.first(conn)).await?;
            return Ok(Count::Exactly(count(n)));
        }
        if let AssetFilter { owner: Some(owner), .. } = filter
            && (AssetFilter { owner: None, ..filter.clone() }).is_open()
        {
            let query = users::table.find(owner.to_string()).select(users::asset_count);
            let n: Option<i64> = self.run(|conn| async move { query.first(conn).await.optional() }).await?;
            return Ok(Count::Exactly(n.map_or(0, count)));
        }
        let query = Length::new(filter);
        let n: i64 = self.run(|conn| query.get_result(conn)).await?;
        Ok(match count(n) {
            n if n > COUNTED => Count::AtLeast(COUNTED),
            n => Count::Exactly(n),
        })
    }

    async fn assets_made_from(&mut self, input: &ContentHash, limit: u16) -> Result<Vec<AssetName>, StoreError> {
        let made = asset_inputs::table.inner_join(assets::table.on(assets::id.eq(asset_inputs::asset_id)));
        let query = made
            .filter(asset_inputs::input_hash.eq(input.to_bare_hex()))
            .filter(assets::deleted_at.is_null())
            .order(asset_inputs::asset_id)
            .limit(i64::from(limit))
            .select((assets::id, assets::name));
        let rows: Vec<(String, String)> = self.run(|conn| query.load(conn)).await?;
        let names = rows.into_iter().map(|(row, name)| {
            let corrupt = |e| StoreError::Corrupt { table: "assets", column: "name", row, source: Box::new(e) };
            name.parse().map_err(corrupt)
        });
        names.collect()
    }

    async fn reserved_for_another(
        &mut self,
        name: &AssetName,
        hash: &ContentHash,
        owner: &Username,
    ) -> Result<Option<Tombstone>, StoreError> {
        let by_name = self.find_tombstone(Key::Name(name), Some(owner)).await?;
        let by_hash = self.find_tombstone(Key::Hash(hash), Some(owner)).await?;
        Ok(by_name.into_iter().chain(by_hash).max_by_key(|t| (t.deleted_at, t.id)))
    }
}

#[async_trait]
impl AssetRepository for Session<Writing> {
    async fn add_asset(&mut self, asset: &Asset) -> Result<(), StoreError> {
        let inputs = asset.provenance.inputs();
        if !inputs.is_empty() {
            let hashes = inputs.iter().map(ContentHash::to_bare_hex).collect();
            self.run(|conn| dialect::lock_inputs(conn, hashes)).await?;
        }
        let query = diesel::insert_into(assets::table).values(NewAssetRow::from(asset)).on_conflict_do_nothing();
        if self.run(|conn| query.execute(conn)).await? == 0 {
            return Err(StoreError::Conflict("asset"));
        }
        self.add_tags(asset).await?;
        if let Some(query) = InputRows::of(asset) {
            self.run(|conn| query.execute(conn)).await?;
        }
        Ok(())
    }

    async fn replace_asset(&mut self, asset: &Asset) -> Result<bool, StoreError> {
        let id = asset.id.to_string();
        let before = assets::table
            .filter(assets::id.eq(id.clone()))
            .filter(assets::revision.eq(i64::from(asset.revision) - 1))
            .filter(assets::deleted_at.is_null());
        let query = diesel::update(before).set(DetailsRow::from(asset));
        if self.run(|conn| query.execute(conn)).await? == 0 {
            return Ok(false);
        }
        self.remove_tags(id).await?;
        self.add_tags(asset).await?;
        Ok(true)
    }

    async fn bury_asset(&mut self, tombstone: &Tombstone, revision: u32) -> Result<bool, StoreError> {
        let id = tombstone.id.to_string();
        let present = assets::table
            .filter(assets::id.eq(id.clone()))
            .filter(assets::revision.eq(i64::from(revision)))
            .filter(assets::deleted_at.is_null());
        // What its owner withdrew is not kept. Its name, hash and type are the tombstone's.
        let query = diesel::update(present).set((
            assets::deleted_at.eq(micros(tombstone.deleted_at)),
            assets::withdrawal.eq(tombstone.withdrawal.to_string()),
            (assets::cid.eq(None::<String>), assets::description.eq(None::<String>), assets::url.eq(None::<String>)),
            (assets::metadata.eq(None::<String>), assets::run_id.eq(None::<String>)),
            (assets::tags.eq("[]"), assets::provenance.eq("{}"), assets::search_text.eq("")),
        ));
        if self.run(|conn| query.execute(conn)).await? == 0 {
            return Ok(false);
        }
        self.remove_tags(id.clone()).await?;
        let query = diesel::delete(asset_inputs::table.filter(asset_inputs::asset_id.eq(id)));
        self.run(|conn| query.execute(conn)).await?;
        Ok(true)
    }
}

impl Session<Writing> {
    async fn add_tags(&mut self, asset: &Asset) -> Result<(), StoreError> {
        if let Some(query) = TagRows::of(asset) {
            self.run(|conn| query.execute(conn)).await?;
        }
        Ok(())
    }

    async fn remove_tags(&mut self, id: String) -> Result<(), StoreError> {
        let query = diesel::delete(asset_tags::table.filter(asset_tags::asset_id.eq(id)));
        self.run(|conn| query.execute(conn)).await.map(drop)
    }
}
