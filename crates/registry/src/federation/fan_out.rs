use super::fetch_jobs::lasting;
use crate::jobs::JobError;
use crate::{Job, JobState, QueuedJob, Registry};
use artdag_kernel::{ActivityId, Cursor, Page, PageLimit, Position, StoreError, Username};

impl Registry {
    /// Hands an activity over for every follower of its actor. What the actor published before and is not handed over yet
    /// goes first: jobs run side by side, and nothing may overtake.
    pub(crate) async fn fan_out(&self, job: &QueuedJob, activity: &str, sender: &str) -> Result<(), JobError> {
        let activity: ActivityId = activity.parse().map_err(lasting)?;
        let mut activities = self.waiting_before(job, sender).await?;
        activities.push(activity);
        let sender: Username = sender.parse().map_err(lasting)?;
        let mut unit = self.parts.store.begin().await?;
        let mut added = 0;
        for activity in activities {
            added += unit.add_deliveries_to_followers(activity, &sender, self.parts.clock.now()).await?;
        }
        unit.commit().await?;
        tracing::debug!(%activity, added, "handed an activity over for followers");
        if added > 0 {
            self.mailed.notify_one();
        }
        Ok(())
    }

    /// What a sender published before this job was pushed, and that other jobs are still to hand over; oldest first.
    async fn waiting_before(&self, job: &QueuedJob, sender: &str) -> Result<Vec<ActivityId>, StoreError> {
        let before = Position::OlderThan(Cursor { at: job.created_at, id: job.id });
        let page = Page { limit: PageLimit::MOST, position: before };
        let older = self.read().await?.list_jobs(None, page).await?;
        let waiting = older.items.iter().rev().filter(|job| job.state != JobState::Dead);
        let theirs = waiting.filter_map(|job| match serde_json::from_str(&job.payload) {
            Ok(Job::FanOut { activity, sender: whose }) if whose == sender => activity.parse().ok(),
            _ => None,
        });
        Ok(theirs.collect())
    }
}
