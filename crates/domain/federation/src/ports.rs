use crate::{Activity, SignedDocument};
use artdag_kernel::{ActivityId, ContentHash, Instant, Page, Slice, StoreError, Username};
use async_trait::async_trait;

/// Reads published activities.
#[async_trait]
pub trait ActivityReads: Send {
    /// The activity of that id.
    async fn find_activity(&mut self, id: ActivityId) -> Result<Option<Activity>, StoreError>;

    /// The activity at that place of the log.
    async fn find_activity_at(&mut self, index: u64) -> Result<Option<Activity>, StoreError>;

    /// The newest activity about this content: what its object is now. An `Announce` is about somebody else's.
    async fn find_latest_about(&mut self, hash: &ContentHash) -> Result<Option<Activity>, StoreError>;

    /// Activities, newest first: one actor's or everybody's.
    async fn list_activities(&mut self, actor: Option<&Username>, page: Page) -> Result<Slice<Activity>, StoreError>;

    /// How many there are in the log, of one actor or of everybody. Cheap; those that wait for their index are
    /// not counted yet.
    async fn count_activities(&mut self, actor: Option<&Username>) -> Result<u64, StoreError>;

    /// Whether an activity waits for its index.
    async fn has_unindexed(&mut self) -> Result<bool, StoreError>;

    /// How many wait for their index.
    async fn count_unindexed(&mut self) -> Result<u64, StoreError>;

    /// The signed texts of at most so many activities, in the log's order, from that place on.
    async fn list_documents(&mut self, from: u64, limit: u16) -> Result<Vec<SignedDocument>, StoreError>;

    /// The ids of at most so many activities, in the log's order, from that place on.
    async fn list_activity_ids(&mut self, from: u64, limit: u16) -> Result<Vec<ActivityId>, StoreError>;

    /// How many actors published anything since then.
    async fn count_active_actors(&mut self, since: Instant) -> Result<u64, StoreError>;
}

/// Keeps published activities.
#[async_trait]
pub trait ActivityRepository: ActivityReads {
    /// Adds an activity that has no index yet.
    async fn add_activity(&mut self, activity: &Activity) -> Result<(), StoreError>;
}

/// Gives published activities their places in the log.
#[async_trait]
pub trait ActivityLog: Send {
    /// Takes or renews a lease that one holder has at a time, until `until`. `false` when somebody else has it.
    async fn take_lease(&mut self, name: &str, holder: &str, now: Instant, until: Instant) -> Result<bool, StoreError>;

    /// Gives the lease back, if this holder has it.
    async fn release_lease(&mut self, name: &str, holder: &str) -> Result<(), StoreError>;

    /// How many activities have an index: the next index to give.
    async fn log_size(&mut self) -> Result<u64, StoreError>;

    /// Gives the indexes from `size` on, without gaps, to up to `limit` activities that have none, oldest first, and
    /// counts them (and the assets they create and delete) for their actors and for the whole registry. Answers how
    /// many it gave, or `None`, and writes nothing, when the log's size is no longer `size`.
    async fn extend_log(&mut self, size: u64, limit: u16) -> Result<Option<u64>, StoreError>;
}
