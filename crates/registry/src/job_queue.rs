use artdag_kernel::{Cursor, Instant, Page, Slice, StoreError};
use async_trait::async_trait;
use std::fmt;
use uuid::Uuid;

/// Names a job.
pub type JobId = Uuid;

/// A job as the queue keeps it: what the payload means is for [`crate::Job`] alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedJob {
    /// A UUID v7, so that jobs sort by age.
    pub id: JobId,
    /// Which kind of job.
    pub kind: String,
    /// What it needs to know, as JSON text.
    pub payload: String,
    /// Whose hands it needs.
    pub lane: Lane,
    /// What it is about, for kinds that are looked for by that.
    pub subject: Option<String>,
    /// At most one job with the same key exists at a time; `None` for jobs of which there may be many.
    pub key: Option<String>,
    /// How far it is.
    pub state: JobState,
    /// How often it was begun.
    pub attempts: u32,
    /// Not before this. For a running job: when its lease ends and another worker may take it.
    pub run_at: Instant,
    /// When it was pushed.
    pub created_at: Instant,
    /// Why it failed the last time.
    pub last_error: Option<String>,
}

/// A line in which jobs wait, longest due first. Each has workers of its own, so nothing in one waits for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// What this server and its users want done.
    Own,
    /// What waits for other servers. Strangers cause these, and strangers decide how long they take.
    Peers,
}

impl Lane {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Own, Self::Peers];

    /// Its word in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Peers => "peers",
        }
    }
}

/// How far a job is. Finished jobs are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobState {
    /// It waits for its time or for a worker.
    Waiting,
    /// A worker holds its lease.
    Running,
    /// It failed for good, and waits for the operator.
    Dead,
}

impl JobState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Running, Self::Dead];

    /// Its word in the store and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Dead => "dead",
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads the queue.
#[async_trait]
pub trait JobReads: Send {
    /// Jobs in one state or in all, newest first by the time they were pushed.
    async fn list_jobs(&mut self, state: Option<JobState>, page: Page) -> Result<Slice<QueuedJob>, StoreError>;

    /// How many jobs there are in each state, in the order of [`JobState::ALL`].
    async fn count_jobs(&mut self) -> Result<[u64; 3], StoreError>;

    /// How many jobs of a kind there are about a subject, or about any for `None`, dead ones apart. Counts no further
    /// than `at_most`.
    async fn count_jobs_about(&mut self, kind: &str, subject: Option<&str>, at_most: u16) -> Result<u64, StoreError>;

    /// Up to `limit` jobs of this one's kind and subject that were pushed before it, and behind `after`, dead ones
    /// apart. Oldest first by the time they were pushed.
    async fn earlier_jobs(
        &mut self,
        job: &QueuedJob,
        after: Option<Cursor>,
        limit: u16,
    ) -> Result<Vec<QueuedJob>, StoreError>;
}

/// Keeps the queue. Jobs are pushed in the unit of work that causes them, so they exist if and only if it was
/// committed.
#[async_trait]
pub trait JobQueue: JobReads {
    /// Adds a waiting job. `false`, and nothing written, when a job with its key exists already, unless that one
    /// is dead: then it is replaced.
    async fn push_job(&mut self, job: &QueuedJob) -> Result<bool, StoreError>;

    /// Hands up to `limit` jobs of a lane whose time has come to one worker, longest due first, and counts the attempt.
    /// Also running ones whose lease has ended. No other worker gets them until `lease_until`.
    async fn claim_jobs(
        &mut self,
        holder: &str,
        lane: Lane,
        now: Instant,
        lease_until: Instant,
        limit: u16,
    ) -> Result<Vec<QueuedJob>, StoreError>;

    /// Prolongs the lease. `false` when this worker holds it no longer.
    async fn renew_job(&mut self, id: JobId, holder: &str, lease_until: Instant) -> Result<bool, StoreError>;

    /// Removes a job that is done. `false` when this worker holds it no longer.
    async fn finish_job(&mut self, id: JobId, holder: &str) -> Result<bool, StoreError>;

    /// Gives a job back to run at `run_at`. `attempts` is what it starts over from. `false` when this worker holds
    /// it no longer.
    async fn postpone_job(
        &mut self,
        id: JobId,
        holder: &str,
        run_at: Instant,
        attempts: u32,
        error: Option<&str>,
    ) -> Result<bool, StoreError>;

    /// Sets a job aside for the operator. `false` when this worker holds it no longer.
    async fn bury_job(&mut self, id: JobId, holder: &str, error: &str) -> Result<bool, StoreError>;

    /// Lets a dead job, or all dead jobs for `None`, run again from the first attempt. Says how many.
    async fn revive_jobs(&mut self, id: Option<JobId>, now: Instant) -> Result<u64, StoreError>;
}
