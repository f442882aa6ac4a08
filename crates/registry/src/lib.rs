//! The use cases of an Art DAG registry, over ports.
//!
//! A [`Registry`] holds one of every port and nothing else; each use case is a method in a file of its own that
//! reads top to bottom: its input, its error, the steps. The steps are always the same:
//! check, do what is slow or secret, then one [`UnitOfWork`] and one commit. Nothing here calls out to another
//! machine while a unit of work is open, and nothing here knows HTTP or SQL.
//!
//! To add a use case: a file with `impl Registry`, an error enum whose variants a person could tell apart, and
//! a route that calls it. To read something, no use case is needed: see [`Registry::read`].

mod anchors;
mod asset_of_run;
mod attach_renderer;
mod authenticate;
mod check;
mod delete_asset;
mod edit_asset;
mod federation;
mod invite;
mod job_queue;
mod jobs;
mod log;
mod log_in;
mod log_out;
mod own_keys;
mod publish;
mod publish_cache;
mod record_run;
mod register_asset;
mod register_user;
mod registry;
mod revocation_desk;
mod store;
mod usage;
mod verify_token;
mod work;

pub use anchors::{
    ActivityAnchor, AnchorError, AnchorPolicy, Blocks, CalendarTrial, activity_proof, checkpoint_proof,
    prove_by_anchor, root_proof,
};
pub use attach_renderer::AttachRendererError;
pub use authenticate::{AuthenticateError, Identity};
pub use check::{
    CheckError, Kind, Progress, Remark, Remarks, Report, Step, Stored, StoredAsset, StoredCheckpoint, StoredReads,
};
pub use delete_asset::DeleteAssetError;
pub use edit_asset::{EditAsset, EditAssetError};
pub use federation::{
    FetchRemoteError, FollowError, HostRefused, InboxRequest, KeyRefused, ReceiveError, Received, ShareError,
    run_courier,
};
pub use job_queue::{JobId, JobQueue, JobReads, JobState, Lane, QueuedJob};
pub use jobs::Job;
pub use log::{
    CosignError, LogError, WitnessServer, list_entries, prove_consistency, prove_inclusion, run_sequencer, tree_root,
};
pub use log_in::{LogInError, Session};
pub use own_keys::OwnKey;
pub use publish::PublishError;
pub use publish_cache::PublishCacheError;
pub use record_run::{RecordRun, RecordRunError};
pub use register_asset::{RegisterAssetError, RegisteredAsset};
pub use register_user::{NewUser, RegisterUserError};
pub use registry::{FederationPolicy, Parts, Policy, RegistrationPolicy, Registry};
pub use store::{Reader, Store, UnitOfWork};
pub use verify_token::VerifyTokenError;
pub use work::run_worker;
