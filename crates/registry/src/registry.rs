use crate::federation::{CachedRules, InboxDesk, RemoteKeys};
use crate::revocation_desk::RevocationDesk;
use crate::usage::CachedUsage;
use crate::{AnchorPolicy, Blocks, Reader, Store, WitnessServer};
use artdag_anchoring::bitcoin::{BlockHash, Network};
use artdag_anchoring::checkpoint::VerifierKey;
use artdag_anchoring::{Calendar, Witness};
use artdag_auth::{PasswordHasher, TokenCodec};
use artdag_federation::{FederationMode, KeyReader, KeyStore, Peers, Site};
use artdag_kernel::{Clock, Instant, Randomness, ServerUrl, StoreError};
use artdag_provenance::Renderer;
use chrono::TimeDelta;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// Who may register an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationPolicy {
    /// Everybody.
    Open,
    /// Whom the operator invited.
    Invite,
    /// Nobody.
    Closed,
}

impl FromStr for RegistrationPolicy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "open" => Ok(Self::Open),
            "invite" => Ok(Self::Invite),
            "closed" => Ok(Self::Closed),
            _ => Err(format!("`{text}` is not `open`, `invite` or `closed`")),
        }
    }
}

/// What the operator decides.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Who may register an account.
    pub registration: RegistrationPolicy,
    /// How long a token is good for.
    pub token_lifetime: TimeDelta,
    /// The renderers (L1 servers) that may be attached and that may ask.
    pub l1_servers: Vec<ServerUrl>,
    /// How other servers are dealt with.
    pub federation: FederationPolicy,
    /// The logs whose checkpoints this server cosigns, by their keys.
    pub witnessed_logs: Vec<VerifierKey>,
    /// The witnesses that are asked to cosign the log's checkpoints.
    pub witnesses: Vec<WitnessServer>,
    /// How the log is stamped.
    pub anchors: AnchorPolicy,
}

/// What the operator decides about other servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FederationPolicy {
    /// With whom this server speaks.
    pub mode: FederationMode,
    /// Whether whoever asks may follow; else each user decides.
    pub accept_followers: bool,
    /// Whether collections and objects are for servers alone that sign their requests.
    pub authorized_fetch: bool,
}

/// One of every port.
#[derive(Clone)]
pub struct Parts {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Where private keys are kept.
    pub keys: Arc<dyn KeyStore>,
    /// Calls renderers.
    pub renderers: Arc<dyn Renderer>,
    /// Calls other servers of the fediverse.
    pub peers: Arc<dyn Peers>,
    /// Reads other actors' keys.
    pub key_reader: Arc<dyn KeyReader>,
    /// Asks witnesses of the log.
    pub witnesses: Arc<dyn Witness>,
    /// Takes the log's roots to Bitcoin.
    pub calendars: Arc<dyn Calendar>,
    /// Shows Bitcoin's blocks.
    pub blocks: Blocks,
    /// Hashes passwords.
    pub passwords: Arc<dyn PasswordHasher>,
    /// Seals tokens.
    pub tokens: Arc<dyn TokenCodec>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives chance.
    pub randomness: Arc<dyn Randomness>,
    /// Under which name all this speaks.
    pub site: Site,
    /// What the operator decides.
    pub policy: Policy,
}

/// The registry: its use cases are its methods. Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    pub(crate) parts: Arc<Parts>,
    pub(crate) usage: Arc<CachedUsage>,
    pub(crate) revocations: Arc<RevocationDesk>,
    /// Rung when an activity was published, so that the sequencer need not wait for its next round.
    pub(crate) published: Arc<Notify>,
    /// Rung when a job was pushed, so that the worker need not wait for its next round.
    pub(crate) pushed: Arc<Notify>,
    /// Rung when mail was handed over, so that the courier need not wait for its next round.
    pub(crate) mailed: Arc<Notify>,
    pub(crate) inbox: Arc<InboxDesk>,
    pub(crate) remote_keys: Arc<RemoteKeys>,
    pub(crate) rules: Arc<CachedRules>,
    /// The end of the chain when the latest anchors were last looked up.
    pub(crate) watched_tips: Arc<Mutex<Vec<(u32, BlockHash)>>>,
    /// The key by which the newest checkpoint was signed when it was last looked at.
    pub(crate) log_signer: Arc<Mutex<Option<VerifierKey>>>,
}

impl Registry {
    /// Puts the parts to work.
    pub fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
            usage: Arc::default(),
            revocations: Arc::default(),
            published: Arc::default(),
            pushed: Arc::default(),
            mailed: Arc::default(),
            inbox: Arc::default(),
            remote_keys: Arc::default(),
            rules: Arc::default(),
            watched_tips: Arc::default(),
            log_signer: Arc::default(),
        }
    }

    /// Reads: every look-up and list of the ports.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when no connection is free.
    pub async fn read(&self) -> Result<Box<dyn Reader>, StoreError> {
        self.parts.store.read().await
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// When there is none.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.parts.store.ping().await
    }

    /// What time it is.
    pub fn now(&self) -> Instant {
        self.parts.clock.now()
    }

    /// Under which name this registry speaks.
    pub fn site(&self) -> &Site {
        &self.parts.site
    }

    /// What the operator decided.
    pub fn policy(&self) -> &Policy {
        &self.parts.policy
    }

    /// Which of Bitcoin's networks the log is stamped into.
    pub fn bitcoin_network(&self) -> Network {
        self.parts.blocks.network
    }

    /// Where private keys are kept.
    pub fn keys(&self) -> &dyn KeyStore {
        self.parts.keys.as_ref()
    }
}
