//! `JobReads`, `JobQueue`

use super::super::schema::{Moment, jobs};
use super::super::{Backend, dialect};
use super::job_lists::{Earlier, JobList, count_about};
use super::rows::Place;
use super::{Mode, Session, Writing, count, micros};
use artdag_kernel::{Cursor, Instant, Page, Slice, StoreError};
use artdag_registry::{JobId, JobQueue, JobReads, JobState, Lane, QueuedJob};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;

const WAITING: &str = JobState::Waiting.as_str();
const RUNNING: &str = JobState::Running.as_str();
const DEAD: &str = JobState::Dead.as_str();

/// With a key that is taken it waits for who is working with that row: if the row then goes, this one comes.
const PUSH: &str = "\
    insert into jobs (id, kind, payload, job_key, state, attempts, run_at, created_at, last_error, lane, subject) \
    values ($1, $2, $3, $4, 'waiting', $5, $6, $7, $8, $9, $10) \
    on conflict (job_key) do update set \
        id = excluded.id, kind = excluded.kind, payload = excluded.payload, state = excluded.state, \
        lane = excluded.lane, subject = excluded.subject, attempts = excluded.attempts, run_at = excluded.run_at, created_at = excluded.created_at, \
        last_error = excluded.last_error \
    where jobs.state = 'dead'";

/// The jobs of the lane $1 that are due before or at $2, up to $3 of them.
pub(super) const DUE: &str = "\
    select id from jobs where lane = $1 and state <> 'dead' and run_at <= $2 order by run_at, id limit $3";

#[async_trait]
impl<M: Mode> JobReads for Session<M> {
    async fn list_jobs(&mut self, state: Option<JobState>, page: Page) -> Result<Slice<QueuedJob>, StoreError> {
        let query = JobList::new(state, page);
        let rows: Vec<JobRow> = self.run(|conn| query.load(conn)).await?;
        let jobs = rows.into_iter().map(QueuedJob::try_from).collect::<Result<_, _>>()?;
        Ok(Slice::from_rows(jobs, page))
    }

    async fn count_jobs(&mut self) -> Result<[u64; 3], StoreError> {
        let query = jobs::table.group_by(jobs::state).select((jobs::state, diesel::dsl::count_star()));
        let rows: Vec<(String, i64)> = self.run(|conn| query.load(conn)).await?;
        let of = |state: JobState| rows.iter().find(|(word, _)| word == state.as_str()).map_or(0, |(_, n)| count(*n));
        Ok(JobState::ALL.map(of))
    }

    async fn count_jobs_about(&mut self, kind: &str, subject: Option<&str>, at_most: u16) -> Result<u64, StoreError> {
        let query = count_about(kind, subject, at_most);
        self.run(|conn| query.get_result(conn)).await.map(count)
    }

    async fn earlier_jobs(
        &mut self,
        job: &QueuedJob,
        after: Option<Cursor>,
        limit: u16,
    ) -> Result<Vec<QueuedJob>, StoreError> {
        let Some(query) = Earlier::than(job, after, limit) else { return Ok(Vec::new()) };
        let rows: Vec<JobRow> = self.run(|conn| query.load(conn)).await?;
        rows.into_iter().map(QueuedJob::try_from).collect()
    }
}

#[async_trait]
impl JobQueue for Session<Writing> {
    async fn push_job(&mut self, job: &QueuedJob) -> Result<bool, StoreError> {
        let query = sql_query(PUSH)
            .bind::<Text, _>(job.id.to_string())
            .bind::<Text, _>(job.kind.clone())
            .bind::<Text, _>(job.payload.clone())
            .bind::<Nullable<Text>, _>(job.key.clone())
            .bind::<BigInt, _>(i64::from(job.attempts))
            .bind::<Moment, _>(micros(job.run_at))
            .bind::<Moment, _>(micros(job.created_at))
            .bind::<Nullable<Text>, _>(job.last_error.clone())
            .bind::<Text, _>(job.lane.as_str())
            .bind::<Nullable<Text>, _>(job.subject.clone());
        self.run(|conn| query.execute(conn)).await.map(|n| n > 0)
    }

    async fn claim_jobs(
        &mut self,
        holder: &str,
        lane: Lane,
        now: Instant,
        lease_until: Instant,
        limit: u16,
    ) -> Result<Vec<QueuedJob>, StoreError> {
        // Two statements: a worker that finds nothing has written nothing, and the update forgets the order.
        let query = sql_query(format!("{DUE}{}", dialect::SKIP_LOCKED))
            .bind::<Text, _>(lane.as_str())
            .bind::<Moment, _>(micros(now))
            .bind::<BigInt, _>(i64::from(limit));
        let due: Vec<DueRow> = self.run(|conn| query.load(conn)).await?;
        let ids: Vec<String> = due.into_iter().map(|row| row.id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let query = diesel::update(jobs::table.filter(jobs::id.eq_any(ids.clone())))
            .set((
                jobs::state.eq(RUNNING),
                jobs::holder.eq(holder.to_owned()),
                jobs::run_at.eq(micros(lease_until)),
                jobs::attempts.eq(jobs::attempts + 1),
            ))
            .returning(JobRow::as_returning());
        let mut rows: Vec<JobRow> = self.run(|conn| query.get_results(conn)).await?;
        rows.sort_by_cached_key(|row| ids.iter().position(|id| *id == row.id));
        rows.into_iter().map(QueuedJob::try_from).collect()
    }

    async fn renew_job(&mut self, id: JobId, holder: &str, lease_until: Instant) -> Result<bool, StoreError> {
        let query = diesel::update(held(id, holder)).set(jobs::run_at.eq(micros(lease_until)));
        self.run(|conn| query.execute(conn)).await.map(|n| n > 0)
    }

    async fn finish_job(&mut self, id: JobId, holder: &str) -> Result<bool, StoreError> {
        let query = diesel::delete(held(id, holder));
        self.run(|conn| query.execute(conn)).await.map(|n| n > 0)
    }

    async fn postpone_job(
        &mut self,
        id: JobId,
        holder: &str,
        run_at: Instant,
        attempts: u32,
        error: Option<&str>,
    ) -> Result<bool, StoreError> {
        let query = diesel::update(held(id, holder)).set((
            jobs::state.eq(WAITING),
            jobs::holder.eq(None::<String>),
            jobs::run_at.eq(micros(run_at)),
            jobs::attempts.eq(i64::from(attempts)),
            jobs::last_error.eq(error.map(ToOwned::to_owned)),
        ));
        self.run(|conn| query.execute(conn)).await.map(|n| n > 0)
    }

    async fn bury_job(&mut self, id: JobId, holder: &str, error: &str) -> Result<bool, StoreError> {
        let query = diesel::update(held(id, holder)).set((
            jobs::state.eq(DEAD),
            jobs::holder.eq(None::<String>),
            jobs::last_error.eq(error.to_owned()),
        ));
        self.run(|conn| query.execute(conn)).await.map(|n| n > 0)
    }

    async fn revive_jobs(&mut self, id: Option<JobId>, now: Instant) -> Result<u64, StoreError> {
        let mut query = diesel::update(jobs::table)
            .set((jobs::state.eq(WAITING), jobs::attempts.eq(0), jobs::run_at.eq(micros(now))))
            .filter(jobs::state.eq(DEAD))
            .into_boxed();
        if let Some(id) = id {
            query = query.filter(jobs::id.eq(id.to_string()));
        }
        self.run(|conn| query.execute(conn)).await.map(|n| n as u64)
    }
}

/// The job, if this worker holds it.
#[diesel::dsl::auto_type(no_type_alias)]
fn held(id: JobId, holder: &str) -> _ {
    let id: String = id.to_string();
    let holder: String = holder.to_owned();
    let state: &'static str = RUNNING;
    jobs::table.filter(jobs::id.eq(id)).filter(jobs::holder.eq(holder)).filter(jobs::state.eq(state))
}

#[derive(QueryableByName)]
struct DueRow {
    #[diesel(sql_type = Text)]
    id: String,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = jobs, check_for_backend(Backend))]
pub(super) struct JobRow {
    id: String,
    kind: String,
    payload: String,
    lane: String,
    subject: Option<String>,
    job_key: Option<String>,
    state: String,
    attempts: i64,
    run_at: Instant,
    created_at: Instant,
    last_error: Option<String>,
}

impl TryFrom<JobRow> for QueuedJob {
    type Error = StoreError;

    fn try_from(row: JobRow) -> Result<Self, StoreError> {
        let at = Place { table: "jobs", row: &row.id };
        Ok(Self {
            id: at.parse("id", &row.id)?,
            state: at.one_of("state", &JobState::ALL, JobState::as_str, &row.state)?,
            attempts: at.sound("attempts", u32::try_from(row.attempts))?,
            kind: row.kind,
            payload: row.payload,
            lane: at.one_of("lane", &Lane::ALL, Lane::as_str, &row.lane)?,
            subject: row.subject,
            key: row.job_key,
            run_at: row.run_at,
            created_at: row.created_at,
            last_error: row.last_error,
        })
    }
}
