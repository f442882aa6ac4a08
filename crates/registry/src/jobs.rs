//! Jobs: what is done later, by whichever process has time.
//!
//! A job is pushed in the unit of work that causes it, so it exists if and only if that was committed. Workers hold
//! a job by a lease; when a worker is killed, the lease ends and another runs the job again, so **every job is
//! written to be run twice**. To add a kind: a variant of [`Job`] and its arm in `perform`.

use crate::{JobId, QueuedJob, Registry};
use crate::{JobQueue, JobState, Lane};
use artdag_federation::Iri;
use artdag_kernel::{Instant, ServerUrl, StoreError, Username, new_uuid};
use artdag_provenance::RendererError;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::error::Error;

/// What can be done later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Job {
    /// Tell a renderer that a user logged out or detached.
    RevokeAtRenderer {
        /// The renderer.
        l1_server: String,
        /// The user.
        username: String,
    },
    /// Forget what has expired. Pushes itself again.
    Sweep,
    /// Stamp the log when it is time, and see how far earlier stamps have come. Pushes itself again.
    Anchor,
    /// Have the newest checkpoint of the log cosigned by its witnesses. Pushes itself again.
    Cosign,
    /// Hand a published activity over for every follower of its actor.
    FanOut {
        /// The activity.
        activity: String,
        /// Its actor.
        sender: String,
    },
    /// Get a remote actor's document anew.
    RefreshActor {
        /// Its id.
        actor: String,
    },
    /// Get an object that somebody followed here has shown.
    FetchObject {
        /// Its id.
        object: String,
    },
    /// Compare who here follows an actor with what its server knows of that (FEP-8fcf).
    SynchronizeFollowers {
        /// The actor.
        actor: String,
        /// Its followers collection.
        collection: String,
        /// Where the part of it is that concerns this server.
        url: String,
        /// What that part is said to be.
        digest: String,
        /// Whom a first look did not find there. Empty before it: this is the first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        doubtful: Vec<String>,
    },
}

/// What came of an attempt.
pub(crate) enum Outcome {
    /// It is done.
    Done,
    /// It is done for now, and is due again then.
    Again(Instant),
}

/// Why an attempt failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    /// It may go better later.
    #[error("{0}")]
    Passing(Box<dyn Error + Send + Sync>),
    /// It will never go better.
    #[error("{0}")]
    Lasting(Box<dyn Error + Send + Sync>),
}

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        Self::Passing(error.into())
    }
}

impl Job {
    /// The word for this kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::RevokeAtRenderer { .. } => "revoke-at-renderer",
            Self::Sweep => "sweep",
            Self::Anchor => "anchor",
            Self::Cosign => "cosign",
            Self::FanOut { .. } => "fan-out",
            Self::RefreshActor { .. } => "refresh-actor",
            Self::FetchObject { .. } => "fetch-object",
            Self::SynchronizeFollowers { .. } => "synchronize-followers",
        }
    }

    /// How many attempts there are before it is set aside.
    pub const fn max_attempts(&self) -> u32 {
        match self {
            // Four to five days of waiting. The tokens are revoked here whether the renderer hears of it or not.
            Self::RevokeAtRenderer { .. } => 20,
            // Nothing but the database is needed for it, and what was published must reach its followers, the witnesses
            // and the chain.
            Self::Sweep | Self::Anchor | Self::Cosign | Self::FanOut { .. } => u32::MAX,
            Self::RefreshActor { .. } | Self::FetchObject { .. } | Self::SynchronizeFollowers { .. } => 8,
        }
    }

    /// Whose hands it needs.
    const fn lane(&self) -> Lane {
        match self {
            Self::RevokeAtRenderer { .. } | Self::Sweep | Self::Anchor | Self::Cosign | Self::FanOut { .. } => {
                Lane::Own
            }
            Self::RefreshActor { .. } | Self::FetchObject { .. } | Self::SynchronizeFollowers { .. } => Lane::Peers,
        }
    }

    /// What it is about, if somebody looks for it by that.
    fn subject(&self) -> Option<String> {
        match self {
            Self::FanOut { sender, .. } => Some(sender.clone()),
            Self::FetchObject { object } => object.parse().ok().map(|object: Iri| object.host().to_owned()),
            Self::RevokeAtRenderer { .. }
            | Self::Sweep
            | Self::Anchor
            | Self::Cosign
            | Self::RefreshActor { .. }
            | Self::SynchronizeFollowers { .. } => None,
        }
    }

    /// How many of the kind may wait, about one subject and in all, where there is a bound.
    const fn most_waiting(&self) -> Option<(u16, u16)> {
        match self {
            // One who is followed here may share whatever they like, as often as they like.
            Self::FetchObject { .. } => Some((100, 1000)),
            Self::RevokeAtRenderer { .. }
            | Self::Sweep
            | Self::Anchor
            | Self::Cosign
            | Self::FanOut { .. }
            | Self::RefreshActor { .. }
            | Self::SynchronizeFollowers { .. } => None,
        }
    }

    /// How long a job is left alone after it has failed once more. `chance` is any number.
    pub(crate) fn pause_after(queued: &QueuedJob, chance: u16) -> TimeDelta {
        let longest = serde_json::from_str(&queued.payload).map_or(TimeDelta::MAX, |job: Self| job.longest_pause());
        backoff(queued.attempts, chance).min(longest)
    }

    const fn longest_pause(&self) -> TimeDelta {
        match self {
            // Whoever waits for a stamp or a cosignature waits for these.
            Self::Anchor | Self::Cosign => TimeDelta::seconds(60),
            Self::Sweep
            | Self::RevokeAtRenderer { .. }
            | Self::FanOut { .. }
            | Self::RefreshActor { .. }
            | Self::FetchObject { .. }
            | Self::SynchronizeFollowers { .. } => TimeDelta::MAX,
        }
    }

    fn key(&self) -> Option<String> {
        match self {
            Self::RevokeAtRenderer { .. } | Self::FanOut { .. } => None,
            Self::Sweep | Self::Anchor | Self::Cosign => Some(self.kind().to_owned()),
            // Pushed by the first look, which is there then.
            Self::SynchronizeFollowers { actor, doubtful, .. } if !doubtful.is_empty() => {
                Some(format!("{} again {actor}", self.kind()))
            }
            Self::RefreshActor { actor: what }
            | Self::FetchObject { object: what }
            | Self::SynchronizeFollowers { actor: what, .. } => Some(format!("{} {what}", self.kind())),
        }
    }
}

/// How long to wait after an attempt that failed: 10 s, doubling up to 12 h, and up to a quarter more by chance, so
/// that jobs which failed together do not come back together. `chance` is any number.
pub(crate) fn backoff(attempts: u32, chance: u16) -> TimeDelta {
    let doublings = attempts.saturating_sub(1).min(13);
    let base = (10_000_i64 << doublings).min(12 * 3_600_000);
    TimeDelta::milliseconds(base + base * i64::from(chance) / (4 * i64::from(u16::MAX)))
}

impl Registry {
    /// Pushes a job within a unit of work. Nobody runs it before the commit.
    pub(crate) async fn push(&self, queue: &mut (dyn JobQueue + '_), job: &Job) -> Result<(), StoreError> {
        self.push_for(queue, job, TimeDelta::zero()).await
    }

    /// Pushes a job that is due after a while.
    pub(crate) async fn push_for(
        &self,
        queue: &mut (dyn JobQueue + '_),
        job: &Job,
        after: TimeDelta,
    ) -> Result<(), StoreError> {
        let now = self.parts.clock.now();
        let subject = job.subject();
        if let Some((about_one, in_all)) = job.most_waiting()
            && (queue.count_jobs_about(job.kind(), subject.as_deref(), about_one).await? >= about_one.into()
                || queue.count_jobs_about(job.kind(), None, in_all).await? >= in_all.into())
        {
            tracing::debug!(?job, "too many of these wait already; it is not done");
            return Ok(());
        }
        let id: JobId = new_uuid(now, self.parts.randomness.as_ref());
        let payload = serde_json::to_string(job).map_err(|error| StoreError::Backend(error.into()))?;
        let queued = QueuedJob {
            id,
            kind: job.kind().to_owned(),
            payload,
            lane: job.lane(),
            subject,
            key: job.key(),
            state: JobState::Waiting,
            attempts: 0,
            run_at: now + after,
            created_at: now,
            last_error: None,
        };
        queue.push_job(&queued).await?;
        Ok(())
    }

    /// Pushes the jobs that keep themselves going, unless they are there.
    pub(crate) async fn ensure_periodic_jobs(&self) -> Result<(), StoreError> {
        let mut unit = self.parts.store.begin().await?;
        self.push(unit.as_mut(), &Job::Sweep).await?;
        self.push(unit.as_mut(), &Job::Anchor).await?;
        if !self.parts.policy.witnesses.is_empty() {
            self.push(unit.as_mut(), &Job::Cosign).await?;
        }
        unit.commit().await
    }

    /// Does what needs another server. What that does not give, at once or after the last attempt, is for nobody to repair
    /// here, and strangers could fill the queue with dead jobs.
    async fn ask_a_peer(
        &self,
        queued: &QueuedJob,
        job: &Job,
        asking: impl Future<Output = Result<(), JobError>>,
    ) -> Result<Outcome, JobError> {
        match asking.await {
            Err(JobError::Passing(error)) if queued.attempts < job.max_attempts() => Err(JobError::Passing(error)),
            Err(JobError::Passing(error) | JobError::Lasting(error)) => {
                tracing::debug!(error = error.as_ref() as &dyn Error, "another server gave nothing of use");
                Ok(Outcome::Done)
            }
            Ok(()) => Ok(Outcome::Done),
        }
    }

    /// Does what a job says, once.
    pub(crate) async fn perform(&self, queued: &QueuedJob, job: &Job) -> Result<Outcome, JobError> {
        match job {
            Job::RevokeAtRenderer { l1_server, username } => {
                let l1_server: ServerUrl =
                    l1_server.parse().map_err(|e: artdag_kernel::InvalidServerUrl| JobError::Lasting(e.into()))?;
                let username: Username =
                    username.parse().map_err(|e: artdag_kernel::InvalidUsername| JobError::Lasting(e.into()))?;
                // Attached anew meanwhile: the renderer would end the new session, and the old tokens are dead anyway.
                let attachments = self.read().await?.list_attachments(&username).await?;
                if attachments.iter().any(|attachment| attachment.l1_server == l1_server) {
                    return Ok(Outcome::Done);
                }
                let told = self.parts.renderers.revoke_user(&l1_server, &username, self.parts.site.base()).await;
                told.map_err(|error: RendererError| JobError::Passing(error.into()))?;
                Ok(Outcome::Done)
            }
            Job::Sweep => {
                let now = self.parts.clock.now();
                let mut unit = self.parts.store.begin().await?;
                let revocations = unit.sweep_revocations(now).await?;
                unit.commit().await?;
                let mut federation = 0;
                // A little at a time, so that nobody waits for it long.
                loop {
                    let mut unit = self.parts.store.begin().await?;
                    let swept = unit.sweep_federation(now).await?;
                    unit.commit().await?;
                    federation += swept;
                    if swept == 0 {
                        break;
                    }
                }
                tracing::debug!(revocations, federation, "forgot what has expired");
                Ok(Outcome::Again(now + TimeDelta::hours(1)))
            }
            Job::Anchor => {
                let next = self.see_to_anchors().await.map_err(|error| JobError::Passing(error.into()))?;
                Ok(Outcome::Again(next))
            }
            Job::Cosign => {
                let next = self.ask_witnesses().await.map_err(|error| JobError::Passing(error.into()))?;
                Ok(next.map_or(Outcome::Done, Outcome::Again))
            }
            Job::FanOut { activity, sender } => self.fan_out(queued, activity, sender).await.map(|()| Outcome::Done),
            Job::RefreshActor { actor } => self.ask_a_peer(queued, job, self.refresh_actor(actor)).await,
            Job::FetchObject { object } => self.ask_a_peer(queued, job, self.fetch_object(object)).await,
            Job::SynchronizeFollowers { .. } => self.ask_a_peer(queued, job, self.synchronize(job)).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_each_time_and_never_for_ever() {
        assert_eq!(backoff(1, 0), TimeDelta::seconds(10));
        assert_eq!(backoff(2, 0), TimeDelta::seconds(20));
        assert_eq!(backoff(1, u16::MAX), TimeDelta::milliseconds(12_500));
        assert_eq!(backoff(50, 0), TimeDelta::hours(12));
        assert!((1..60).all(|n| backoff(n, 7) <= backoff(n + 1, 7)));
    }

    #[test]
    fn what_others_wait_for_is_not_left_alone_for_long() {
        assert_eq!(backoff(50, 0).min(Job::Anchor.longest_pause()), TimeDelta::seconds(60));
        assert_eq!(backoff(50, 0).min(Job::Cosign.longest_pause()), TimeDelta::seconds(60));
        assert_eq!(backoff(50, 0).min(Job::Sweep.longest_pause()), TimeDelta::hours(12));
    }

    #[test]
    fn a_job_survives_the_store() {
        let job = Job::RevokeAtRenderer { l1_server: "https://l1.example".into(), username: "giles".into() };
        let text = serde_json::to_string(&job).unwrap();
        assert!(text.contains(&format!("\"kind\":\"{}\"", job.kind())), "{text}");
        assert_eq!(serde_json::from_str::<Job>(&text).unwrap(), job);
    }

    #[test]
    fn a_job_of_an_earlier_version_is_read() {
        let text = r#"{"kind":"synchronize-followers","actor":"a","collection":"c","url":"u","digest":"d"}"#;
        let job: Job = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&job).unwrap(), text);
        assert_eq!(job.key().as_deref(), Some("synchronize-followers a"));
    }
}
