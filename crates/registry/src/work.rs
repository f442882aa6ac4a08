use crate::jobs::{JobError, Outcome};
use crate::{Job, JobId, Lane, QueuedJob, Registry};
use artdag_kernel::StoreError;
use chrono::TimeDelta;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// How long a worker may take for a job before another may have it.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// How often a worker tells that it is still at it.
const RENEW: Duration = Duration::from_secs(20);
/// How many jobs one process does at once, of each lane in the order of [`Lane::ALL`].
const AT_ONCE: [usize; 2] = [16, 8];
/// How long to wait for jobs that other processes pushed.
const POLL: Duration = Duration::from_secs(1);

impl Registry {
    /// Lets a dead job, or all of them for `None`, run again. Says how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revive_jobs(&self, id: Option<JobId>) -> Result<u64, StoreError> {
        let mut unit = self.parts.store.begin().await?;
        let revived = unit.revive_jobs(id, self.parts.clock.now()).await?;
        unit.commit().await?;
        self.pushed.notify_one();
        Ok(revived)
    }

    /// As many jobs of each lane as there are free hands: a claimed job begins at once, or its attempt would not count.
    async fn claim(&self, holder: &str, hands: &Hands) -> Result<Vec<QueuedJob>, StoreError> {
        let free = hands.free();
        if free.iter().all(|(_, count)| *count == 0) {
            return Ok(Vec::new());
        }
        let now = self.parts.clock.now();
        let mut unit = self.parts.store.begin().await?;
        let mut jobs = Vec::new();
        for (lane, count) in free.into_iter().filter(|(_, count)| *count > 0) {
            jobs.extend(unit.claim_jobs(holder, lane, now, now + LEASE, count).await?);
        }
        if jobs.is_empty() {
            unit.rollback().await?;
        } else {
            unit.commit().await?;
        }
        Ok(jobs)
    }

    /// One attempt, and what follows from it. Never fails: a queue that cannot be written leaves the job to the end
    /// of its lease.
    async fn attempt(&self, holder: &str, queued: QueuedJob) {
        let span = tracing::info_span!("job", id = %queued.id, kind = queued.kind, attempt = queued.attempts);
        let result = match serde_json::from_str::<Job>(&queued.payload) {
            // It was begun often enough and never ended: it takes its workers down with it.
            Ok(job) if queued.attempts > job.max_attempts() => {
                Err((JobError::Lasting("every attempt was cut off".into()), 0))
            }
            Ok(job) => self.perform_leased(holder, &queued, &job).await.map_err(|error| (error, job.max_attempts())),
            Err(error) => Err((JobError::Lasting(error.into()), 0)),
        };
        if let Err(error) = self.conclude(holder, &queued, result, &span).await {
            span.in_scope(|| {
                tracing::warn!(error = &error as &dyn Error, "the job's end was not written; it will run again");
            });
        }
    }

    /// Performs a job and prolongs its lease for as long as that takes.
    async fn perform_leased(&self, holder: &str, queued: &QueuedJob, job: &Job) -> Result<Outcome, JobError> {
        let renewals = async {
            loop {
                tokio::time::sleep(RENEW).await;
                let renewed = async {
                    let mut unit = self.parts.store.begin().await?;
                    let held = unit.renew_job(queued.id, holder, self.parts.clock.now() + LEASE).await?;
                    unit.commit().await?;
                    Ok::<_, StoreError>(held)
                };
                if let Ok(false) = renewed.await {
                    return;
                }
            }
        };
        tokio::select! {
            outcome = self.perform(queued, job) => outcome,
            () = renewals => Err(JobError::Passing("the lease was lost".into())),
        }
    }

    async fn conclude(
        &self,
        holder: &str,
        queued: &QueuedJob,
        result: Result<Outcome, (JobError, u32)>,
        span: &tracing::Span,
    ) -> Result<(), StoreError> {
        let mut unit = self.parts.store.begin().await?;
        match result {
            Ok(Outcome::Done) => {
                unit.finish_job(queued.id, holder).await?;
            }
            Ok(Outcome::Again(at)) => {
                unit.postpone_job(queued.id, holder, at, 0, None).await?;
            }
            Err((JobError::Passing(error), max)) if queued.attempts < max => {
                let mut chance = [0; 2];
                self.parts.randomness.fill(&mut chance);
                let pause = Job::pause_after(queued, u16::from_le_bytes(chance));
                let at = self.parts.clock.now() + pause;
                span.in_scope(|| tracing::info!(error = error.as_ref() as &dyn Error, next = %at, "the job failed; it will be tried again"));
                unit.postpone_job(queued.id, holder, at, queued.attempts, Some(&chain(error.as_ref()))).await?;
            }
            Err((JobError::Passing(error) | JobError::Lasting(error), _)) => {
                span.in_scope(|| {
                    tracing::warn!(
                        error = error.as_ref() as &dyn Error,
                        "the job failed for good; see `artdag-l2 jobs`"
                    );
                });
                unit.bury_job(queued.id, holder, &chain(error.as_ref())).await?;
            }
        }
        unit.commit().await
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text.chars().take(1000).collect()
}

/// The hands that are free, of each lane.
struct Hands([Arc<Semaphore>; 2]);

impl Hands {
    fn new() -> Self {
        Self(AT_ONCE.map(|count| Arc::new(Semaphore::new(count))))
    }

    fn free(&self) -> [(Lane, u16); 2] {
        let count = |lane: Lane| u16::try_from(self.of(lane).available_permits()).unwrap_or(u16::MAX);
        Lane::ALL.map(|lane| (lane, count(lane)))
    }

    const fn of(&self, lane: Lane) -> &Arc<Semaphore> {
        let Self([own, peers]) = self;
        match lane {
            Lane::Own => own,
            Lane::Peers => peers,
        }
    }

    /// One of those that were free when the job was claimed: nobody else takes any.
    fn take(&self, lane: Lane) -> Option<OwnedSemaphorePermit> {
        self.of(lane).clone().try_acquire_owned().ok()
    }
}

/// Does jobs until told to stop, then ends those under way. `holder` names this process.
pub async fn run_worker(registry: Registry, holder: String, mut stop: watch::Receiver<bool>) {
    if let Err(error) = registry.ensure_periodic_jobs().await {
        tracing::warn!(error = &error as &dyn Error, "the periodic jobs could not be pushed");
    }
    let (mut running, hands) = (JoinSet::new(), Hands::new());
    loop {
        while running.try_join_next().is_some() {}
        match registry.claim(&holder, &hands).await {
            Ok(jobs) => {
                for job in jobs {
                    let (registry, holder, hand) = (registry.clone(), holder.clone(), hands.take(job.lane));
                    running.spawn(async move {
                        registry.attempt(&holder, job).await;
                        drop(hand);
                    });
                }
            }
            Err(error) => tracing::warn!(error = &error as &dyn Error, "no jobs could be claimed; trying again"),
        }
        tokio::select! {
            () = registry.pushed.notified() => {}
            () = tokio::time::sleep(POLL) => {}
            Some(_) = running.join_next() => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    while running.join_next().await.is_some() {}
}
