//! Lists of jobs: pages of all of them, and those about one thing.

use super::super::Backend;
use super::super::schema::Moment;
use super::jobs::JobRow;
use super::micros;
use super::window::Window;
use artdag_kernel::{Cursor, Instant, Page};
use artdag_registry::{JobState, QueuedJob};
use diesel::expression::{Expression, Selectable};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Text};

/// One page of the jobs in one state, or of all: rows for [`JobRow`].
pub(super) struct JobList {
    columns: Columns,
    state: Option<String>,
    window: Window,
}

type Columns = <JobRow as Selectable<Backend>>::SelectExpression;

impl JobList {
    pub(super) fn new(state: Option<JobState>, page: Page) -> Self {
        Self {
            columns: <JobRow as Selectable<Backend>>::construct_selection(),
            state: state.map(|state| state.to_string()),
            window: page.into(),
        }
    }
}

impl QueryFragment<Backend> for JobList {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        const TIME: &str = "jobs.created_at";
        const ID: &str = "jobs.id";
        out.push_sql("select ");
        self.columns.walk_ast(out.reborrow())?;
        // Always true; it gives the other conditions something to follow.
        out.push_sql(" from jobs where 1 = 1");
        if let Some(state) = &self.state {
            out.push_sql(" and jobs.state = ");
            out.push_bind_param::<Text, String>(state)?;
        }
        self.window.push_condition(&mut out, TIME, ID)?;
        self.window.push_order(&mut out, TIME, ID)
    }
}

impl Query for JobList {
    type SqlType = <Columns as Expression>::SqlType;
}

impl QueryId for JobList {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// Those of one kind and subject that were pushed before one of them, oldest first: rows for [`JobRow`].
pub(super) struct Earlier {
    columns: Columns,
    kind: String,
    subject: String,
    before: Edge,
    after: Option<Edge>,
    limit: i64,
}

type Edge = (Instant, String);

impl Earlier {
    /// `None` for a job that is about nothing.
    pub(super) fn than(job: &QueuedJob, after: Option<Cursor>, limit: u16) -> Option<Self> {
        Some(Self {
            columns: <JobRow as Selectable<Backend>>::construct_selection(),
            kind: job.kind.clone(),
            subject: job.subject.clone()?,
            before: (micros(job.created_at), job.id.to_string()),
            after: after.map(|cursor| (micros(cursor.at), cursor.id.to_string())),
            limit: limit.into(),
        })
    }
}

fn push_edge<'b>(out: &mut AstPass<'_, 'b, Backend>, comparison: &str, (at, id): &'b Edge) -> QueryResult<()> {
    out.push_sql(&format!(" and (jobs.created_at, jobs.id) {comparison} ("));
    out.push_bind_param::<Moment, Instant>(at)?;
    out.push_sql(", ");
    out.push_bind_param::<Text, String>(id)?;
    out.push_sql(")");
    Ok(())
}

impl QueryFragment<Backend> for Earlier {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        out.push_sql("select ");
        self.columns.walk_ast(out.reborrow())?;
        out.push_sql(" from jobs where jobs.state <> 'dead' and jobs.kind = ");
        out.push_bind_param::<Text, String>(&self.kind)?;
        out.push_sql(" and jobs.subject = ");
        out.push_bind_param::<Text, String>(&self.subject)?;
        push_edge(&mut out, "<", &self.before)?;
        if let Some(after) = &self.after {
            push_edge(&mut out, ">", after)?;
        }
        out.push_sql(" order by jobs.created_at, jobs.id limit ");
        out.push_bind_param::<BigInt, i64>(&self.limit)
    }
}

impl Query for Earlier {
    type SqlType = <Columns as Expression>::SqlType;
}

impl QueryId for Earlier {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// How many there are of a kind, about one subject or about any, counted no further than `at_most`.
pub(super) struct CountAbout {
    kind: String,
    subject: Option<String>,
    at_most: i64,
}

pub(super) fn count_about(kind: &str, subject: Option<&str>, at_most: u16) -> CountAbout {
    CountAbout { kind: kind.to_owned(), subject: subject.map(ToOwned::to_owned), at_most: at_most.into() }
}

impl QueryFragment<Backend> for CountAbout {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        out.push_sql("select count(*) from (select 1 from jobs where jobs.state <> 'dead' and jobs.kind = ");
        out.push_bind_param::<Text, String>(&self.kind)?;
        match &self.subject {
            Some(subject) => {
                out.push_sql(" and jobs.subject = ");
                out.push_bind_param::<Text, String>(subject)?;
            }
            None => out.push_sql(" and jobs.subject is not null"),
        }
        out.push_sql(" limit ");
        out.push_bind_param::<BigInt, i64>(&self.at_most)?;
        out.push_sql(") as waiting");
        Ok(())
    }
}

impl Query for CountAbout {
    type SqlType = BigInt;
}

impl QueryId for CountAbout {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
