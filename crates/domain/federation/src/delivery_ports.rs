use crate::SignatureScheme;
use crate::delivery::{Breaker, Delivery, DeliveryState};
use crate::{Iri, Message};
use artdag_kernel::{ActivityId, Instant, StoreError, Username};
use async_trait::async_trait;

/// A server that mail goes to, and how it has behaved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Host and port.
    pub host: String,
    /// How it has answered.
    pub breaker: Breaker,
    /// What it is known to understand, and since when.
    pub scheme: Option<(SignatureScheme, Instant)>,
    /// How many deliveries it gets at once.
    pub width: u16,
    /// When it last took anything.
    pub last_success_at: Option<Instant>,
    /// Why it did not, the last time it did not.
    pub last_error: Option<String>,
    /// When mail for it is due next, if there is any.
    pub due_at: Option<Instant>,
}

/// What is known of a server, as far as it counts for who is served first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It took mail, and answers.
    Proven,
    /// It never took any.
    New,
    /// It did not answer the last time.
    Troubled,
}

impl Standing {
    /// Every standing, the best first.
    pub const ALL: [Self; 3] = [Self::Proven, Self::New, Self::Troubled];
}

impl Peer {
    /// What is known of it.
    pub fn standing(&self) -> Standing {
        match (self.breaker.failures, self.last_success_at) {
            (0, Some(_)) => Standing::Proven,
            (0, None) => Standing::New,
            _ => Standing::Troubled,
        }
    }
}

/// How one delivery came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concluded {
    /// What was delivered.
    pub activity: ActivityId,
    /// Where to.
    pub inbox: Iri,
    /// How far it is now.
    pub state: DeliveryState,
    /// When it is tried next; now, when it is over.
    pub next_at: Instant,
    /// The status of the answer.
    pub status: Option<u16>,
    /// What the operator is told.
    pub error: Option<String>,
    /// Whether an attempt was made that counts.
    pub attempted: bool,
}

/// Reads what is on its way.
#[async_trait]
pub trait DeliveryReads: Send {
    /// Deliveries, newest first: of a state and a host, or of any; at most so many.
    async fn list_deliveries(
        &mut self,
        state: Option<DeliveryState>,
        host: Option<&str>,
        most: u16,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// A sender's deliveries of a state whose last attempt failed, newest first, at most so many.
    async fn list_failing(
        &mut self,
        sender: &Username,
        state: DeliveryState,
        most: u16,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// How many deliveries are in each state, in the order of [`DeliveryState::ALL`].
    async fn count_deliveries(&mut self) -> Result<[u64; 3], StoreError>;

    /// A server that mail was sent to.
    async fn find_peer(&mut self, host: &str) -> Result<Option<Peer>, StoreError>;

    /// Servers that mail was sent to, those in trouble first, at most so many.
    async fn list_peers(&mut self, most: u16) -> Result<Vec<Peer>, StoreError>;

    /// The hosts that mail waits for, in their order, from behind this one on, at most so many.
    async fn hosts_with_mail(&mut self, after: &str, most: u16) -> Result<Vec<String>, StoreError>;

    /// The signed text of a message.
    async fn find_message(&mut self, id: ActivityId) -> Result<Option<Message>, StoreError>;

    /// The deliveries that may go now, at most `per_host` of each host: oldest first, and of each inbox none whose
    /// predecessor waits for a later time.
    async fn due_deliveries(
        &mut self,
        hosts: &[String],
        now: Instant,
        per_host: u16,
    ) -> Result<Vec<Delivery>, StoreError>;
}

/// A message for one inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// The message.
    pub message: ActivityId,
    /// Who sends it.
    pub sender: Username,
    /// Where to.
    pub inbox: Iri,
}

/// Keeps what is on its way. Each host has a lane that one worker at a time holds.
#[async_trait]
pub trait DeliveryQueue: DeliveryReads {
    /// Keeps a message.
    async fn add_message(&mut self, message: &Message) -> Result<(), StoreError>;

    /// Hands over an activity for one inbox. Handing it over again changes nothing.
    async fn add_delivery(
        &mut self,
        activity: ActivityId,
        sender: &Username,
        inbox: &Iri,
        now: Instant,
    ) -> Result<(), StoreError>;

    /// Hands over messages for an inbox each, and takes down that mail came from these hosts ([`Self::heard_from`]).
    /// Both lock lanes. A unit of work that does it in more than one call may wait for one that waits for it.
    async fn add_deliveries(&mut self, mail: &[Posting], heard_from: &[String], now: Instant)
    -> Result<(), StoreError>;

    /// Hands over activities for accepted followers of their sender, at most so many, in the order of their ids from behind
    /// this one on: one delivery for each inbox, and for a server with a shared one just that. Doing it again changes
    /// nothing. Says how many deliveries were added, and behind whom to go on, if these may not have been the last.
    async fn add_deliveries_to_followers(
        &mut self,
        activities: &[ActivityId],
        sender: &Username,
        after: Option<&Iri>,
        most: u16,
        now: Instant,
    ) -> Result<(u64, Option<Iri>), StoreError>;

    /// Takes the lanes of hosts for which mail is due and that nobody holds, until `until`: of each standing at most so
    /// many, in the order of [`Standing::ALL`], and those that have been due for longest.
    async fn claim_lanes(
        &mut self,
        holder: &str,
        now: Instant,
        until: Instant,
        most: [u16; 3],
    ) -> Result<Vec<Peer>, StoreError>;

    /// Keeps lanes that this holder still has. Answers those.
    async fn renew_lanes(&mut self, holder: &str, hosts: &[String], until: Instant) -> Result<Vec<String>, StoreError>;

    /// Takes down how deliveries came out. One that is over already stays as it is.
    async fn conclude_deliveries(&mut self, concluded: &[Concluded]) -> Result<(), StoreError>;

    /// Takes down how servers behaved, and gives their lanes back, each due when its next mail is: not before its
    /// breaker allows. Answers their hosts in order; of a lane that this worker holds no longer nothing is written.
    async fn release_lanes(&mut self, holder: &str, peers: &[&Peer]) -> Result<Vec<String>, StoreError>;

    /// Mail came from these hosts: what [`Breaker::heard`] says, where it says anything.
    async fn heard_from(&mut self, hosts: &[String], now: Instant) -> Result<(), StoreError>;

    /// Tries again at once what waits for a host, or for all, and forgets their breakers. Says how many deliveries.
    async fn hurry_deliveries(&mut self, host: Option<&str>, now: Instant) -> Result<u64, StoreError>;

    /// Gives up what waits for a host. Says how many deliveries.
    async fn drop_deliveries(&mut self, host: &str, reason: &str, now: Instant) -> Result<u64, StoreError>;
}
