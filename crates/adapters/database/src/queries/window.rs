//! The part of a list that one page shows: the condition and the order of a keyset query.

use super::super::{Backend, schema::Moment};
use super::micros;
use artdag_kernel::{Instant, Page, Position};
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::query_builder::AstPass;
use diesel::sql_types::{BigInt, Text};

pub(super) struct Window {
    edge: Option<(Instant, String)>,
    ascending: bool,
    limit: i64,
    offset: Option<i64>,
}

impl From<Page> for Window {
    fn from(page: Page) -> Self {
        let (edge, ascending, offset) = match page.position {
            Position::Newest => (None, false, None),
            Position::OlderThan(cursor) => (Some(cursor), false, None),
            Position::NewerThan(cursor) => (Some(cursor), true, None),
            Position::Offset(n) => (None, false, Some(i64::from(n))),
        };
        let edge = edge.map(|cursor| (bounded(cursor.at), cursor.id.to_string()));
        // One more than asked for tells whether there are more.
        Self { edge, ascending, limit: i64::from(page.limit.get()) + 1, offset }
    }
}

/// Cursors come from outside and may say any year; the engines agree on these.
fn bounded(at: Instant) -> Instant {
    const FIRST: i64 = -62_135_596_800;
    const LAST: i64 = 253_402_300_799;
    let limit = |seconds| DateTime::<Utc>::from_timestamp(seconds, 0).unwrap_or(at);
    micros(at.clamp(limit(FIRST), limit(LAST)))
}

impl Window {
    /// ` and (time, id) < (..)`, for a list whose query has a condition already. The comparison of rows is what lets
    /// both engines start in the middle of the index.
    pub(super) fn push_condition<'b>(
        &'b self,
        out: &mut AstPass<'_, 'b, Backend>,
        time: &str,
        id: &str,
    ) -> QueryResult<()> {
        if let Some((edge_at, edge_id)) = &self.edge {
            let comparison = if self.ascending { ">" } else { "<" };
            out.push_sql(&format!(" and ({time}, {id}) {comparison} ("));
            out.push_bind_param::<Moment, Instant>(edge_at)?;
            out.push_sql(", ");
            out.push_bind_param::<Text, String>(edge_id)?;
            out.push_sql(")");
        }
        Ok(())
    }

    /// ` order by .. limit ..`
    pub(super) fn push_order<'b>(
        &'b self,
        out: &mut AstPass<'_, 'b, Backend>,
        time: &str,
        id: &str,
    ) -> QueryResult<()> {
        let direction = if self.ascending { "asc" } else { "desc" };
        out.push_sql(&format!(" order by {time} {direction}, {id} {direction} limit "));
        out.push_bind_param::<BigInt, i64>(&self.limit)?;
        if let Some(offset) = &self.offset {
            out.push_sql(" offset ");
            out.push_bind_param::<BigInt, i64>(offset)?;
        }
        Ok(())
    }
}
