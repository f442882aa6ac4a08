use crate::{JobQueue, JobReads, StoredReads};
use artdag_anchoring::{AnchorReads, AnchorRepository, LogReads, LogRepository, WitnessReads, WitnessRepository};
use artdag_assets::{AssetReads, AssetRepository};
use artdag_auth::{
    AttachmentReads, AttachmentRepository, InviteRepository, RevocationReads, RevocationRepository, UserReads,
    UserRepository,
};
use artdag_federation::{
    ActivityLog, ActivityReads, ActivityRepository, DeliveryQueue, DeliveryReads, RemoteReads, RemoteRepository,
};
use artdag_kernel::StoreError;
use artdag_provenance::{ProvenanceReads, ProvenanceRepository};
use async_trait::async_trait;

/// What only reads. It opens no transaction: two reads may see two states of the database.
pub trait Reader:
    AssetReads
    + ProvenanceReads
    + ActivityReads
    + UserReads
    + RevocationReads
    + AttachmentReads
    + JobReads
    + RemoteReads
    + DeliveryReads
    + LogReads
    + AnchorReads
    + WitnessReads
    + StoredReads
{
}

impl<T> Reader for T where
    T: AssetReads
        + ProvenanceReads
        + ActivityReads
        + UserReads
        + RevocationReads
        + AttachmentReads
        + JobReads
        + RemoteReads
        + DeliveryReads
        + LogReads
        + AnchorReads
        + WitnessReads
        + StoredReads
{
}

/// One transaction. Every repository is a supertrait, so a function that needs one port takes `&mut dyn` of
/// that port. Dropped unfinished (a cancelled request), it leaves no trace and no lock.
#[async_trait]
pub trait UnitOfWork:
    AssetRepository
    + ProvenanceRepository
    + ActivityRepository
    + ActivityLog
    + UserRepository
    + RevocationRepository
    + AttachmentRepository
    + InviteRepository
    + JobQueue
    + RemoteRepository
    + DeliveryQueue
    + LogRepository
    + AnchorRepository
    + WitnessRepository
{
    /// Makes all of it durable and visible. What was acknowledged after this is never lost.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;

    /// Forgets all of it.
    async fn rollback(self: Box<Self>) -> Result<(), StoreError>;
}

/// A database that registries live in.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Opens a transaction that may write.
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError>;

    /// Takes a connection to read with.
    async fn read(&self) -> Result<Box<dyn Reader>, StoreError>;

    /// Asks the database for a sign of life.
    async fn ping(&self) -> Result<(), StoreError>;
}
