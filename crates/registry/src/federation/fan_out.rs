use super::fetch_jobs::lasting;
use crate::jobs::JobError;
use crate::{Job, QueuedJob, Registry};
use artdag_kernel::{ActivityId, Cursor, StoreError, Username};

/// How many activities are handed over in one unit of work.
const BATCH: u16 = 200;
/// For how many followers this is done in the first unit of work, and in each at most.
const FIRST: u16 = 100;
const MOST: u16 = 3200;

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
        Ok(())
    }

    /// In units of work that grow: the first letters go while the others are still handed over, and however many follow,
    /// lanes are not locked for long.
    async fn hand_over(&self, activities: Vec<ActivityId>, sender: &Username) -> Result<u64, StoreError> {
        let (mut all, mut after, mut most) = (0, None, FIRST);
        loop {
            let mut unit = self.parts.store.begin().await?;
            let now = self.parts.clock.now();
            let (added, last) =
                unit.add_deliveries_to_followers(&activities, sender, after.as_ref(), most, now).await?;
            unit.commit().await?;
            if added > 0 {
                self.mailed.notify_one();
            }
            all += added;
            if last.is_none() {
                return Ok(all);
            }
            (after, most) = (last, (2 * most).min(MOST));
        }
    }
}
