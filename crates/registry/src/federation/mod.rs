//! With other servers: what they send, what is sent to them, and what is asked of them.

mod apply;
mod courier;
mod domain_rules;
mod effects;
mod fan_out;
mod fetch;
mod fetch_jobs;
mod follow;
mod hurry_deliveries;
mod inbox_desk;
mod inquiry;
mod instance;
mod receive;
mod remote_keys;
mod share;
mod synchronize;

pub use courier::run_courier;
pub use domain_rules::HostRefused;
pub use fetch::FetchRemoteError;
pub use follow::FollowError;
pub use receive::{InboxRequest, ReceiveError, Received};
pub use remote_keys::KeyRefused;
pub use share::ShareError;

pub(crate) use domain_rules::CachedRules;
pub(crate) use inbox_desk::InboxDesk;
pub(crate) use remote_keys::RemoteKeys;
