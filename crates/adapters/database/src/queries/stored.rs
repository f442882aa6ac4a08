//! `StoredReads`

use super::anchors::{AnchorRow, AskRow, asks_at};
use super::rows::{ActivityRow, AssetRow, Place};
use super::statement::{Select, Statement};
use super::{Mode, Session, count, place};
use artdag_anchoring::Anchor;
use artdag_anchoring::checkpoint::SignedCheckpoint;
use artdag_assets::Asset;
use artdag_federation::Activity;
use artdag_kernel::StoreError;
use artdag_registry::{Stored, StoredAsset, StoredCheckpoint, StoredReads};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Text};
use diesel_async::RunQueryDsl;
use std::collections::BTreeMap;
use std::ops::Range;

/// The end of a text that wants the numbers of a range, and at most so many rows.
fn in_range<S>(text: &'static str, range: &Range<u64>, limit: u16) -> Statement<S> {
    // Beyond what can be stored there is nothing to leave out.
    let number = |number| place(number).unwrap_or(i64::MAX);
    Statement::new(text).with(number(range.start)).with(number(range.end)).with(limit)
}

pub(super) fn activities_at(places: &Range<u64>, limit: u16) -> Select<ActivityRow> {
    let text = "from activities where log_index >= ? and log_index < ? order by log_index limit ?";
    Select::new(in_range(text, places, limit))
}

pub(super) fn tiles_of(level: i64, indices: &Range<u64>, limit: u16) -> Statement<(BigInt, Binary)> {
    let number = |number| place(number).unwrap_or(i64::MAX);
    let text = "select idx, hashes from log_tiles where level = ? and idx >= ? and idx < ? order by idx limit ?";
    Statement::new(text).with(level).with(number(indices.start)).with(number(indices.end)).with(limit)
}

pub(super) fn checkpoints_of(sizes: &Range<u64>, limit: u16) -> Statement<(BigInt, Binary, Text)> {
    in_range(
        "select size, root, note from log_checkpoints where size >= ? and size < ? order by size limit ?",
        sizes,
        limit,
    )
}

pub(super) fn anchors_of_sizes(sizes: &Range<u64>, limit: u16) -> Select<AnchorRow> {
    let text = "from anchors where tree_size >= ? and tree_size < ? order by tree_size limit ?";
    Select::new(in_range(text, sizes, limit))
}

pub(super) fn assets_behind(after: &str, limit: u16) -> Select<AssetWithClaim> {
    let text = "from assets left join activities on activities.id = assets.claim \
                where assets.deleted_at is null and assets.id > ? order by assets.id limit ?";
    Select::new(Statement::new(text).with(after).with(limit))
}

#[derive(Queryable, Selectable)]
#[diesel(check_for_backend(super::super::Backend))]
pub(super) struct AssetWithClaim {
    #[diesel(embed)]
    asset: AssetRow,
    #[diesel(embed)]
    claim: Option<ActivityRow>,
}

#[async_trait]
impl<M: Mode> StoredReads for Session<M> {
    async fn stored_activities(
        &mut self,
        places: Range<u64>,
        limit: u16,
    ) -> Result<Vec<Stored<u64, Activity>>, StoreError> {
        let query = activities_at(&places, limit);
        let rows: Vec<ActivityRow> = self.run(|conn| query.load(conn)).await?;
        // The condition leaves none without a place.
        Ok(rows.into_iter().map(|row| (count(row.log_index.unwrap_or_default()), row.try_into())).collect())
    }

    async fn stored_tiles(
        &mut self,
        level: Option<u8>,
        indices: Range<u64>,
        limit: u16,
    ) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let query = tiles_of(level.map_or(super::tree::ENTRIES, i64::from), &indices, limit);
        let rows: Vec<(i64, Vec<u8>)> = self.run(|conn| query.load(conn)).await?;
        Ok(rows.into_iter().map(|(index, hashes)| (count(index), hashes)).collect())
    }

    async fn stored_checkpoints(
        &mut self,
        sizes: Range<u64>,
        limit: u16,
    ) -> Result<Vec<Stored<u64, StoredCheckpoint>>, StoreError> {
        let query = checkpoints_of(&sizes, limit);
        let rows: Vec<(i64, Vec<u8>, String)> = self.run(|conn| query.load(conn)).await?;
        let read = |(size, root, note): (i64, Vec<u8>, String)| {
            let name = size.to_string();
            let at = Place { table: "log_checkpoints", row: &name };
            let signed = at.sound("note", SignedCheckpoint::parse(&note));
            let root = at.digest("root", root);
            (count(size), root.and_then(|root| Ok(StoredCheckpoint { root, signed: signed? })))
        };
        Ok(rows.into_iter().map(read).collect())
    }

    async fn stored_anchors(&mut self, sizes: Range<u64>, limit: u16) -> Result<Vec<Stored<u64, Anchor>>, StoreError> {
        let query = anchors_of_sizes(&sizes, limit);
        let rows: Vec<AnchorRow> = self.run(|conn| query.load(conn)).await?;
        let sizes: Vec<i64> = rows.iter().map(|row| row.tree_size).collect();
        let mut anchors: BTreeMap<i64, Result<Anchor, StoreError>> =
            rows.into_iter().map(|row| (row.tree_size, row.try_into())).collect();
        if !sizes.is_empty() {
            let query = asks_at(&sizes);
            let asks: Vec<AskRow> = self.run(|conn| query.load(conn)).await?;
            for ask in asks {
                let Some(row) = anchors.get_mut(&ask.tree_size) else { continue };
                let Ok(anchor) = row else { continue };
                match ask.of(&anchor.digest()) {
                    Ok(ask) => anchor.asks.push(ask),
                    Err(error) => *row = Err(error),
                }
            }
        }
        Ok(anchors.into_iter().map(|(size, anchor)| (count(size), anchor)).collect())
    }

    async fn stored_assets(
        &mut self,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Vec<Stored<String, StoredAsset>>, StoreError> {
        let query = assets_behind(after.unwrap_or_default(), limit);
        let rows: Vec<AssetWithClaim> = self.run(|conn| query.load(conn)).await?;
        let read = |AssetWithClaim { asset, claim }| {
            let id = asset.id.clone();
            let claim = claim.map(Activity::try_from).transpose();
            (id, Asset::try_from(asset).and_then(|asset| Ok(StoredAsset { asset, claim: claim? })))
        };
        Ok(rows.into_iter().map(read).collect())
    }
}
