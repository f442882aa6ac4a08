//! `ProvenanceReads`, `ProvenanceRepository`

use super::super::Backend;
use super::super::schema::{Moment, runs};
use super::lineage::Walk;
use super::rows::Place;
use super::{Mode, Session, Writing, micros};
use artdag_kernel::{ContentHash, Instant, ServerUrl, StoreError};
use artdag_provenance::{Lineage, ProvenanceReads, ProvenanceRepository, Run, RunId};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;

/// A run whose output was deleted may be recorded anew.
const ADD_RUN: &str = "\
    insert into runs (l1_server, run_id, recorded_by, recorded_at, output, report) values ($1, $2, $3, $4, $5, $6) \
    on conflict (l1_server, run_id) do update set \
        recorded_by = excluded.recorded_by, recorded_at = excluded.recorded_at, output = excluded.output, \
        report = excluded.report \
    where exists (select 1 from assets where assets.id = runs.output and assets.deleted_at is not null)";

#[async_trait]
impl<M: Mode> ProvenanceReads for Session<M> {
    async fn find_run(&mut self, l1_server: &ServerUrl, run_id: &RunId) -> Result<Option<Run>, StoreError> {
        let key = (l1_server.to_string(), run_id.to_string());
        let query = runs::table.find(key).select(RunRow::as_select());
        let row = self.run(|conn| async move { query.first(conn).await.optional() }).await?;
        row.map(Run::try_from).transpose()
    }

    async fn list_runs(&mut self, run_id: &RunId, limit: u16) -> Result<Vec<Run>, StoreError> {
        let query = runs_of(run_id, limit);
        let rows: Vec<RunRow> = self.run(|conn| query.load(conn)).await?;
        rows.into_iter().map(Run::try_from).collect()
    }

    async fn lineage(&mut self, of: &ContentHash, depth: u16, max_nodes: u32) -> Result<Lineage, StoreError> {
        Walk::new(*of, depth, max_nodes).run(self).await
    }
}

#[async_trait]
impl ProvenanceRepository for Session<Writing> {
    async fn add_run(&mut self, run: &Run) -> Result<(), StoreError> {
        let query = sql_query(ADD_RUN)
            .bind::<Text, _>(run.l1_server.to_string())
            .bind::<Text, _>(run.run_id.to_string())
            .bind::<Text, _>(run.recorded_by.to_string())
            .bind::<Moment, _>(micros(run.recorded_at))
            .bind::<Text, _>(run.output.to_string())
            .bind::<Text, _>(run.report.clone());
        match self.run(|conn| query.execute(conn)).await? {
            0 => Err(StoreError::Conflict("run")),
            _ => Ok(()),
        }
    }
}

/// Rows for [`RunRow`].
#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn runs_of(run_id: &RunId, limit: u16) -> _ {
    let (run_id, limit): (String, i64) = (run_id.to_string(), limit.into());
    let columns: diesel::dsl::AsSelect<RunRow, Backend> = RunRow::as_select();
    runs::table.filter(runs::run_id.eq(run_id)).order((runs::recorded_at, runs::l1_server)).limit(limit).select(columns)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = runs, check_for_backend(Backend))]
pub(super) struct RunRow {
    l1_server: String,
    run_id: String,
    recorded_by: String,
    recorded_at: Instant,
    output: String,
    report: String,
}

impl TryFrom<RunRow> for Run {
    type Error = StoreError;

    fn try_from(row: RunRow) -> Result<Self, StoreError> {
        let key = format!("{} {}", row.l1_server, row.run_id);
        let at = Place { table: "runs", row: &key };
        Ok(Self {
            l1_server: at.parse("l1_server", &row.l1_server)?,
            run_id: at.parse("run_id", &row.run_id)?,
            recorded_by: at.parse("recorded_by", &row.recorded_by)?,
            recorded_at: row.recorded_at,
            output: at.parse("output", &row.output)?,
            report: row.report,
        })
    }
}
