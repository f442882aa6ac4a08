use super::fetch_jobs::lasting;
use crate::jobs::JobError;
use crate::{Job, QueuedJob, Registry};
use artdag_kernel::{ActivityId, Cursor, StoreError, Username};

/// How many activities are handed over in one unit of work.
const BATCH: u16 = 200;

impl Registry {
    /// Hands an activity over for every follower of its actor. What the actor published before and is not handed over yet
    /// goes first, however much that is: jobs run side by side, and nothing may overtake.
    pub(crate) async fn fan_out(&self, job: &QueuedJob, activity: &str, sender: &str) -> Result<(), JobError> {
        let activity: ActivityId = activity.parse().map_err(lasting)?;
        let sender: Username = sender.parse().map_err(lasting)?;
        let (mut added, mut after) = (0, None);
        loop {
            let earlier = self.read().await?.earlier_jobs(job, after, BATCH).await?;
            let Some(last) = earlier.last() else { break };
            after = Some(Cursor { at: last.created_at, id: last.id });
            let activities = earlier.iter().filter_map(|job| match serde_json::from_str(&job.payload) {
                Ok(Job::FanOut { activity, .. }) => activity.parse().ok(),
                _ => None,
            });
            added += self.hand_over(activities.collect(), &sender).await?;
        }
        added += self.hand_over(vec![activity], &sender).await?;
        tracing::debug!(%activity, added, "handed an activity over for followers");
        if added > 0 {
            self.mailed.notify_one();
        }
        Ok(())
    }

    async fn hand_over(&self, activities: Vec<ActivityId>, sender: &Username) -> Result<u64, StoreError> {
        let mut unit = self.parts.store.begin().await?;
        let added = unit.add_deliveries_to_followers(&activities, sender, self.parts.clock.now()).await?;
        unit.commit().await?;
        Ok(added)
    }
}
