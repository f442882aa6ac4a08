//! Inserts of many rows in one statement, which diesel's builder cannot say to SQLite.

use super::super::Backend;
use super::super::schema::Moment;
use super::micros;
use artdag_assets::Asset;
use artdag_kernel::{ContentHash, Instant};
use diesel::QueryResult;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Text};

/// An asset's rows in `asset_tags`.
pub(super) struct TagRows {
    keys: Vec<String>,
    created_at: Instant,
    asset_id: String,
}

impl TagRows {
    /// `None` when there are none, which no `insert` can say.
    pub(super) fn of(asset: &Asset) -> Option<Self> {
        let keys: Vec<String> = asset.details.tags.as_slice().iter().map(artdag_assets::Tag::key).collect();
        let created_at = micros(asset.created_at);
        (!keys.is_empty()).then(|| Self { keys, created_at, asset_id: asset.id.to_string() })
    }
}

impl QueryFragment<Backend> for TagRows {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        let mut before = "insert into asset_tags (tag_key, created_at, asset_id) values (";
        for key in &self.keys {
            out.push_sql(before);
            out.push_bind_param::<Text, String>(key)?;
            out.push_sql(", ");
            out.push_bind_param::<Moment, Instant>(&self.created_at)?;
            out.push_sql(", ");
            out.push_bind_param::<Text, String>(&self.asset_id)?;
            before = "), (";
        }
        out.push_sql(")");
        Ok(())
    }
}

/// An asset's rows in `asset_inputs`.
pub(super) struct InputRows {
    hashes: Vec<(String, i64)>,
    asset_id: String,
}

impl InputRows {
    /// `None` when there are none, which no `insert` can say.
    pub(super) fn of(asset: &Asset) -> Option<Self> {
        let hashes: Vec<_> = asset.provenance.inputs().iter().map(ContentHash::to_bare_hex).zip(0..).collect();
        (!hashes.is_empty()).then(|| Self { hashes, asset_id: asset.id.to_string() })
    }
}

impl QueryFragment<Backend> for InputRows {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        let mut before = "insert into asset_inputs (input_hash, asset_id, position) values (";
        for (hash, position) in &self.hashes {
            out.push_sql(before);
            out.push_bind_param::<Text, String>(hash)?;
            out.push_sql(", ");
            out.push_bind_param::<Text, String>(&self.asset_id)?;
            out.push_sql(", ");
            out.push_bind_param::<BigInt, i64>(position)?;
            before = "), (";
        }
        out.push_sql(")");
        Ok(())
    }
}

impl QueryId for TagRows {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryId for InputRows {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
