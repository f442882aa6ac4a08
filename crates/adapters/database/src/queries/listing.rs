//! The list of assets that a filter lets through, and its length.

use super::super::{Backend, dialect};
use super::rows::AssetRow;
use super::window::Window;
use artdag_assets::AssetFilter;
use artdag_kernel::Page;
use diesel::QueryResult;
use diesel::expression::{Expression, Selectable};
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Text};

/// Counting stops behind this many rows.
pub(super) const COUNTED: u64 = 10_000;
const COUNT_LIMIT: i64 = 10_001;

/// A filter in the words of the tables.
pub(super) struct Conditions {
    equal: Vec<(&'static str, String)>,
    tags: Vec<String>,
    search: Option<String>,
}

impl From<&AssetFilter> for Conditions {
    fn from(filter: &AssetFilter) -> Self {
        // Every field is named, so that a new one cannot be forgotten here.
        let AssetFilter { owner, asset_type, tags, content_hash, run_id, words } = filter;
        let equal = [
            ("owner", owner.as_ref().map(ToString::to_string)),
            ("asset_type", asset_type.as_ref().map(ToString::to_string)),
            ("content_hash", content_hash.as_ref().map(artdag_kernel::ContentHash::to_bare_hex)),
            ("run_id", run_id.as_ref().map(ToString::to_string)),
        ];
        Self {
            equal: equal.into_iter().filter_map(|(column, value)| Some((column, value?))).collect(),
            tags: tags.iter().map(artdag_assets::Tag::key).collect(),
            // Without a word there is nothing to look for: every asset has all of none.
            search: words.as_ref().filter(|w| !w.as_slice().is_empty()).map(dialect::search_query),
        }
    }
}

impl Conditions {
    /// The columns that order the list. A tag's list is read from its own table, which holds it in order.
    fn order(&self) -> (&'static str, &'static str) {
        if self.tags.is_empty() {
            ("assets.created_at", "assets.id")
        } else {
            ("asset_tags.created_at", "asset_tags.asset_id")
        }
    }

    fn push_from(&self, out: &mut AstPass<'_, '_, Backend>) {
        out.push_sql(if self.tags.is_empty() {
            " from assets"
        } else {
            " from asset_tags inner join assets on assets.id = asset_tags.asset_id"
        });
    }

    fn push_where<'b>(&'b self, out: &mut AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        out.push_sql(" where assets.deleted_at is null");
        for (column, value) in &self.equal {
            out.push_sql(&format!(" and assets.{column} = "));
            out.push_bind_param::<Text, String>(value)?;
        }
        if let Some((first, others)) = self.tags.split_first() {
            out.push_sql(" and asset_tags.tag_key = ");
            out.push_bind_param::<Text, String>(first)?;
            for tag in others {
                out.push_sql(" and exists (select 1 from asset_tags as more where more.asset_id = asset_tags.asset_id");
                out.push_sql(" and more.tag_key = ");
                out.push_bind_param::<Text, String>(tag)?;
                out.push_sql(")");
            }
        }
        if let Some(search) = &self.search {
            out.push_sql(" and ");
            dialect::push_search(out, search)?;
        }
        Ok(())
    }
}

/// One page of the list: rows for [`AssetRow`].
pub(super) struct Listing {
    columns: Columns,
    conditions: Conditions,
    window: Window,
}

impl Listing {
    pub(super) fn new(filter: &AssetFilter, page: Page) -> Self {
        Self {
            columns: <AssetRow as Selectable<Backend>>::construct_selection(),
            conditions: filter.into(),
            window: page.into(),
        }
    }
}

type Columns = <AssetRow as Selectable<Backend>>::SelectExpression;

impl QueryFragment<Backend> for Listing {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        let (time, id) = self.conditions.order();
        out.push_sql("select ");
        self.columns.walk_ast(out.reborrow())?;
        self.conditions.push_from(&mut out);
        out.push_sql(" left join activities on activities.id = assets.claim");
        self.conditions.push_where(&mut out)?;
        self.window.push_condition(&mut out, time, id)?;
        match self.conditions.search {
            Some(_) => self.window.push_order(&mut out, &dialect::unindexed(time), id),
            None => self.window.push_order(&mut out, time, id),
        }
    }
}

impl Query for Listing {
    type SqlType = <Columns as Expression>::SqlType;
}

/// The text depends on the filter, so only the text can name the prepared statement.
impl QueryId for Listing {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// How long the list is, counted to one beyond [`COUNTED`].
pub(super) struct Length(Conditions);

impl Length {
    pub(super) fn new(filter: &AssetFilter) -> Self {
        Self(filter.into())
    }
}

impl QueryFragment<Backend> for Length {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        out.push_sql("select count(*) from (select 1");
        self.0.push_from(&mut out);
        self.0.push_where(&mut out)?;
        out.push_sql(" limit ");
        out.push_bind_param::<BigInt, i64>(&COUNT_LIMIT)?;
        out.push_sql(") as counted");
        Ok(())
    }
}

impl Query for Length {
    type SqlType = BigInt;
}

impl QueryId for Length {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
