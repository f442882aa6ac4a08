//! `ActivityReads`, `ActivityRepository`

use super::super::Backend;
use super::super::schema::{activities, log_state, users};
use super::rows::{ActivityRow, Place};
use super::statement::Statement;
use super::window::Window;
use super::{Mode, Session, Writing, count, micros};
use artdag_federation::{Activity, ActivityKind, ActivityReads, ActivityRepository, SignedDocument};
use artdag_kernel::{ActivityId, ContentHash, Instant, Page, Slice, StoreError, Username};
use async_trait::async_trait;
use diesel::dsl::exists;
use diesel::expression::{Expression, Selectable};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;

#[async_trait]
impl<M: Mode> ActivityReads for Session<M> {
    async fn find_activity(&mut self, id: ActivityId) -> Result<Option<Activity>, StoreError> {
        let query = activities::table.find(id.to_string()).select(ActivityRow::as_select());
        let row = self.run(|conn| async move { query.first(conn).await.optional() }).await?;
        row.map(Activity::try_from).transpose()
    }

    async fn find_activity_at(&mut self, index: u64) -> Result<Option<Activity>, StoreError> {
        let Ok(index) = i64::try_from(index) else {
            return Ok(None);
        };
        let query = activities::table.filter(activities::log_index.eq(index)).select(ActivityRow::as_select());
        let row = self.run(|conn| async move { query.first(conn).await.optional() }).await?;
        row.map(Activity::try_from).transpose()
    }

    async fn find_latest_about(&mut self, hash: &ContentHash) -> Result<Option<Activity>, StoreError> {
        let query = activities::table
            .filter(activities::content_hash.eq(hash.to_bare_hex()))
            // It points at somebody else's object.
            .filter(activities::kind.ne(ActivityKind::Announce.as_str()))
            .order((activities::published_at.desc(), activities::id.desc()))
            .select(ActivityRow::as_select());
        let row = self.run(|conn| async move { query.first(conn).await.optional() }).await?;
        row.map(Activity::try_from).transpose()
    }

    async fn list_activities(&mut self, actor: Option<&Username>, page: Page) -> Result<Slice<Activity>, StoreError> {
        let query = Timeline::new(actor, page);
        let rows: Vec<ActivityRow> = self.run(|conn| query.load(conn)).await?;
        let activities = rows.into_iter().map(Activity::try_from).collect::<Result<_, _>>()?;
        Ok(Slice::from_rows(activities, page))
    }

    async fn count_activities(&mut self, actor: Option<&Username>) -> Result<u64, StoreError> {
        let n: Option<i64> = match actor {
            Some(actor) => {
                let query = users::table.find(actor.to_string()).select(users::activity_count);
                self.run(|conn| async move { query.first(conn).await.optional() }).await?
            }
            None => {
                let query = log_state::table.select(log_state::size);
                Some(self.run(|conn| query.first(conn)).await?)
            }
        };
        Ok(n.map_or(0, count))
    }

    async fn has_unindexed(&mut self) -> Result<bool, StoreError> {
        let query = diesel::select(exists(activities::table.filter(activities::log_index.is_null())));
        self.run(|conn| query.get_result(conn)).await
    }

    async fn count_unindexed(&mut self) -> Result<u64, StoreError> {
        let query = activities::table.filter(activities::log_index.is_null()).count();
        self.run(|conn| query.get_result(conn)).await.map(count)
    }

    async fn list_documents(&mut self, from: u64, limit: u16) -> Result<Vec<SignedDocument>, StoreError> {
        let documents = self.list_log("document", from, limit).await?;
        Ok(documents.into_iter().map(|(_, document)| SignedDocument::from_stored(document)).collect())
    }

    async fn list_activity_ids(&mut self, from: u64, limit: u16) -> Result<Vec<ActivityId>, StoreError> {
        let ids = self.list_log("id", from, limit).await?;
        let parse = |(_, id): &(i64, String)| Place { table: "activities", row: id }.parse("id", id);
        ids.iter().map(parse).collect()
    }

    async fn count_active_actors(&mut self, since: Instant) -> Result<u64, StoreError> {
        // One look into the index for each user is less than reading half a year of activities.
        let published = activities::table
            .filter(activities::actor.eq(users::username))
            .filter(activities::published_at.ge(micros(since)));
        let query = users::table.filter(exists(published)).count();
        self.run(|conn| query.get_result(conn)).await.map(count)
    }
}

impl<M: Mode> Session<M> {
    /// A column of the activities at some places of the log, with these places. There are no gaps.
    async fn list_log(&mut self, column: &str, from: u64, limit: u16) -> Result<Vec<(i64, String)>, StoreError> {
        let Ok(first) = i64::try_from(from) else {
            return Ok(Vec::new());
        };
        let query = log_range(column, first, limit);
        let rows: Vec<(i64, String)> = self.run(|conn| query.load(conn)).await?;
        for ((index, _), expected) in rows.iter().zip(first..) {
            let at = Place { table: "activities", row: &format!("log_index {expected}") };
            at.sound("log_index", if *index == expected { Ok(()) } else { Err("the log has a gap here") })?;
        }
        Ok(rows)
    }
}

#[async_trait]
impl ActivityRepository for Session<Writing> {
    async fn add_activity(&mut self, activity: &Activity) -> Result<(), StoreError> {
        let row = ActivityRow::from(activity);
        let query = diesel::insert_into(activities::table).values(row).on_conflict_do_nothing();
        match self.run(|conn| query.execute(conn)).await? {
            0 => Err(StoreError::Conflict("activity")),
            _ => Ok(()),
        }
    }
}

/// A column of what stands at some places of the log, in its order.
pub(super) fn log_range(column: &str, from: i64, limit: u16) -> Statement<(BigInt, Text)> {
    let text =
        format!("select log_index, {column} from activities where log_index >= ? and log_index < ? order by log_index");
    Statement::new(text).with(from).with(from.saturating_add(limit.into()))
}

/// One page of one actor's activities, or of everybody's: rows for [`ActivityRow`].
pub(super) struct Timeline {
    columns: Columns,
    actor: Option<String>,
    window: Window,
}

type Columns = <ActivityRow as Selectable<Backend>>::SelectExpression;

impl Timeline {
    pub(super) fn new(actor: Option<&Username>, page: Page) -> Self {
        Self {
            columns: <ActivityRow as Selectable<Backend>>::construct_selection(),
            actor: actor.map(ToString::to_string),
            window: page.into(),
        }
    }
}

impl QueryFragment<Backend> for Timeline {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        const TIME: &str = "activities.published_at";
        const ID: &str = "activities.id";
        out.push_sql("select ");
        self.columns.walk_ast(out.reborrow())?;
        // Always true; it gives the other conditions something to follow.
        out.push_sql(" from activities where 1 = 1");
        if let Some(actor) = &self.actor {
            out.push_sql(" and activities.actor = ");
            out.push_bind_param::<Text, String>(actor)?;
        }
        self.window.push_condition(&mut out, TIME, ID)?;
        self.window.push_order(&mut out, TIME, ID)
    }
}

impl Query for Timeline {
    type SqlType = <Columns as Expression>::SqlType;
}

impl QueryId for Timeline {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
