use crate::{Claimant, DomainPattern, DomainRule, Iri, Reaction, RemoteActor, RemoteKey, RemoteObject};
use crate::{data_integrity, engine_signature};
use artdag_kernel::{ActivityId, ContentHash, Instant, Page, Slice, StoreError, Username};
use async_trait::async_trait;
use std::collections::HashSet;
use uuid::Uuid;

/// An actor of another server as it was when it was last fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownActor {
    /// What it said of itself.
    pub actor: RemoteActor,
    /// When.
    pub fetched_at: Instant,
}

/// A key that is kept, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// The key.
    pub key: RemoteKey,
    /// The actor whose own document lists it.
    pub owner: Iri,
    /// When it was last fetched.
    pub fetched_at: Instant,
}

/// How far a follow is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FollowState {
    /// Nobody answered the request yet.
    Pending,
    /// It holds.
    Accepted,
    /// It was refused, or ended by the one who was followed.
    Rejected,
}

impl FollowState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Accepted, Self::Rejected];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        }
    }
}

/// A remote actor that follows somebody here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follower {
    /// A UUID v7, to page by.
    pub id: Uuid,
    /// Who is followed.
    pub user: Username,
    /// Who follows.
    pub actor: Iri,
    /// Where mail to the follower goes.
    pub inbox: Iri,
    /// Where mail to everybody there may go.
    pub shared_inbox: Option<Iri>,
    /// The id of the `Follow` that asked for it.
    pub request: Iri,
    /// How far it is.
    pub state: FollowState,
    /// When it was asked for.
    pub created_at: Instant,
}

/// A remote actor that somebody here follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Following {
    /// A UUID v7, to page by.
    pub id: Uuid,
    /// Who follows.
    pub user: Username,
    /// Who is followed.
    pub actor: Iri,
    /// The `Follow` that asked for it.
    pub request: ActivityId,
    /// How far it is.
    pub state: FollowState,
    /// When it was asked for.
    pub created_at: Instant,
}

/// Something that an actor elsewhere published, and what shows that.
#[derive(Clone, Debug, PartialEq)]
pub struct HeardObject {
    /// A UUID v7, to page by.
    pub id: Uuid,
    /// What.
    pub object: RemoteObject,
    /// The activity that told of it; the object's own id when it was fetched.
    pub activity: Iri,
    /// The activity as it came, byte for byte; the object when it was fetched.
    pub document: String,
    /// Which signatures of the document itself were found good. Whoever brought it was checked in any case.
    pub evidence: Evidence,
    /// When it was first heard of, by the clock here.
    pub received_at: Instant,
    /// When its publisher withdrew it, by the clock here.
    pub deleted_at: Option<Instant>,
}

/// The signatures in a document that hold without asking who brought it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The FEP-8b32 proof, by a key of the actor.
    pub proof: bool,
    /// The Art DAG engine's signature, by the actor's main key.
    pub engine: bool,
}

impl Evidence {
    /// The names of those that were found good: the engine's type, and the proof's cryptosuite.
    pub fn names(self) -> Vec<&'static str> {
        let all = [(self.engine, engine_signature::TYPE), (self.proof, data_integrity::CRYPTOSUITE)];
        all.into_iter().filter_map(|(is_good, name)| is_good.then_some(name)).collect()
    }
}

/// What is told of the receipt of an activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The activity's id.
    pub id: Iri,
    /// Who did it.
    pub actor: Iri,
    /// Its type.
    pub kind: String,
    /// When the request was signed that brought it, by its sender's clock; of what somebody else brings, when its actor's
    /// proof was made.
    pub signed_at: Instant,
}

/// Something that the operator should know: somebody blocked, reported or moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// A UUID v7, to page by.
    pub id: Uuid,
    /// `Block`, `Flag` or `Move`.
    pub kind: String,
    /// Who.
    pub actor: Iri,
    /// Whom or what it is about.
    pub object: Iri,
    /// When it came.
    pub received_at: Instant,
    /// The activity as it came.
    pub document: String,
}

/// How often something was pointed at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReactionCounts {
    /// Likes.
    pub likes: u64,
    /// Announces.
    pub shares: u64,
}

/// Reads what is known of other servers.
#[async_trait]
pub trait RemoteReads: Send {
    /// An actor, with its keys.
    async fn find_remote_actor(&mut self, id: &Iri) -> Result<Option<KnownActor>, StoreError>;

    /// A key by its id.
    async fn find_remote_key(&mut self, id: &Iri) -> Result<Option<KnownKey>, StoreError>;

    /// Who follows a user, newest first: in that state, or in any.
    async fn list_followers(
        &mut self,
        user: &Username,
        state: Option<FollowState>,
        page: Page,
    ) -> Result<Slice<Follower>, StoreError>;

    /// How many followers a user has accepted.
    async fn count_followers(&mut self, user: &Username) -> Result<u64, StoreError>;

    /// For each of these users and origins, the user's accepted followers that live there (FEP-8fcf), in order.
    async fn followers_at(&mut self, of: &[(&Username, &str)]) -> Result<Vec<Vec<Iri>>, StoreError>;

    /// One follower of a user.
    async fn find_follower(&mut self, user: &Username, actor: &Iri) -> Result<Option<Follower>, StoreError>;

    /// Whom a user follows, newest first: in that state, or in any.
    async fn list_following(
        &mut self,
        user: &Username,
        state: Option<FollowState>,
        page: Page,
    ) -> Result<Slice<Following>, StoreError>;

    /// How many let a user follow them.
    async fn count_following(&mut self, user: &Username) -> Result<u64, StoreError>;

    /// One that a user follows or asked to.
    async fn find_following(&mut self, user: &Username, actor: &Iri) -> Result<Option<Following>, StoreError>;

    /// Who here follows an actor, with its consent, and by which request (FEP-8fcf).
    async fn local_followers_of(&mut self, actor: &Iri) -> Result<Vec<(Username, ActivityId)>, StoreError>;

    /// Whether an actor has to do with anybody here: follows, is followed, or asked to.
    async fn is_related(&mut self, actor: &Iri) -> Result<bool, StoreError>;

    /// Whether anybody here follows an actor, with its consent.
    async fn is_followed(&mut self, actor: &Iri) -> Result<bool, StoreError>;

    /// Something that was published elsewhere, withdrawn or not.
    async fn find_heard(&mut self, id: &Iri) -> Result<Option<HeardObject>, StoreError>;

    /// Whether any of these ids is of something that this actor published or withdrew, be it before it was heard of.
    async fn is_heard(&mut self, ids: &[&Iri], actor: &Iri) -> Result<bool, StoreError>;

    /// Every claim from elsewhere to this content, first heard first, at most so many.
    async fn heard_claims(&mut self, hash: &ContentHash, most: u16) -> Result<Vec<HeardObject>, StoreError>;

    /// The same claims without what they say.
    async fn list_claimants(&mut self, hash: &ContentHash, most: u16) -> Result<Vec<Claimant>, StoreError>;

    /// What those published whom a user follows, newest first; nothing that was withdrawn.
    async fn list_heard(&mut self, user: &Username, page: Page) -> Result<Slice<HeardObject>, StoreError>;

    /// How often something was liked and shared. `target` is its id.
    async fn count_reactions(&mut self, target: &str) -> Result<ReactionCounts, StoreError>;

    /// What the operator decided about other servers, by pattern.
    async fn list_domain_rules(&mut self) -> Result<Vec<DomainRule>, StoreError>;

    /// What the operator should know, newest first.
    async fn list_notices(&mut self, page: Page) -> Result<Slice<Notice>, StoreError>;

    /// Whether something is not to be asked for yet; see [`RemoteRepository::claim_fetch`].
    async fn is_fetch_held(&mut self, what: &str, now: Instant) -> Result<bool, StoreError>;
}

/// Keeps what is known of other servers.
#[async_trait]
pub trait RemoteRepository: RemoteReads {
    /// Takes down which activities came, and answers those that came for the first time. Of several copies in
    /// different units of work one is the first: the others wait for its commit.
    ///
    /// Some servers give each `Follow` of one actor by another the same id, and each `Undo` of it. So the id of a `Follow`
    /// that has ended, and that of an `Undo`, counts as new again when its actor signs it at a later time than before. A
    /// copy has the time of what it is a copy of.
    async fn first_receipts(&mut self, receipts: &[Receipt], now: Instant) -> Result<HashSet<Iri>, StoreError>;

    /// Keeps an actor and exactly these keys of it, in place of what was known, and corrects where its mail as a follower
    /// goes.
    async fn save_remote_actor(&mut self, actor: &RemoteActor, now: Instant) -> Result<(), StoreError>;

    /// Forgets an actor that is gone, with its keys, follows and reactions, and marks what it published as withdrawn, with
    /// an empty document. Says whether anything was known of it.
    async fn forget_remote_actor(&mut self, id: &Iri, now: Instant) -> Result<bool, StoreError>;

    /// Adds a follower, or puts a new request in place of its old one. Who was accepted stays so. Says how far it is now.
    async fn save_follower(&mut self, follower: &Follower) -> Result<FollowState, StoreError>;

    /// `false` when there is no such follower.
    async fn set_follower_state(
        &mut self,
        user: &Username,
        actor: &Iri,
        state: FollowState,
    ) -> Result<bool, StoreError>;

    /// `false` when there is no such follower.
    async fn remove_follower(&mut self, user: &Username, actor: &Iri) -> Result<bool, StoreError>;

    /// Removes all followers whose mail goes to an inbox that is gone for good. Says how many.
    async fn remove_followers_at_inbox(&mut self, inbox: &Iri) -> Result<u64, StoreError>;

    /// Adds whom a user asks to follow, or puts a new request in place of the old one.
    async fn save_following(&mut self, following: &Following) -> Result<(), StoreError>;

    /// Takes down an actor's answer to a request of ours. It must name the request, or the user who asked; `false`
    /// when nobody asked that, or the answer changes nothing.
    async fn answer_following(
        &mut self,
        actor: &Iri,
        request: Option<ActivityId>,
        user: Option<&Username>,
        state: FollowState,
    ) -> Result<bool, StoreError>;

    /// `false` when the user did not follow the actor by that request.
    async fn remove_following(&mut self, user: &Username, actor: &Iri, request: ActivityId)
    -> Result<bool, StoreError>;

    /// Adds an object that nobody here has heard of yet. `false`, and nothing changes, when its id is known: what told of
    /// it since is newer.
    async fn add_heard(&mut self, heard: &HeardObject) -> Result<bool, StoreError>;

    /// Forgets a claim, in whose place another is kept.
    async fn remove_heard(&mut self, id: &Iri) -> Result<bool, StoreError>;

    /// Adds an object, or changes one of the same actor that was not withdrawn; `id` stays what it was
    /// then, and so does `received_at`, unless it claims other content now. `false` when the id is another actor's, or withdrawn by
    /// this one.
    async fn save_heard(&mut self, heard: &HeardObject) -> Result<bool, StoreError>;

    /// Marks an object as withdrawn by its own actor; what it said goes, its hash and the withdrawing activity stay.
    async fn withdraw_heard(&mut self, id: &Iri, actor: &Iri, document: &str, now: Instant)
    -> Result<bool, StoreError>;

    /// Notes that an actor withdrew an object that nobody here has heard of, so that it is not taken when it comes later,
    /// for 30 days. Nothing changes when the id is known. Done before [`Self::withdraw_heard`] it misses nothing: it
    /// waits for whoever is saving the object at this moment. `id` is a UUID v7, `activity` the withdrawal.
    async fn forestall_heard(
        &mut self,
        id: Uuid,
        object: &Iri,
        actor: &Iri,
        activity: &Iri,
        now: Instant,
    ) -> Result<(), StoreError>;

    /// Counts a reaction: one of each kind by an actor to a target.
    async fn add_reaction(
        &mut self,
        activity: &Iri,
        actor: &Iri,
        reaction: Reaction,
        target: &str,
        now: Instant,
    ) -> Result<(), StoreError>;

    /// Takes back what an activity of this actor said: a reaction, or a follow. `false` when it said nothing that is
    /// kept.
    async fn undo_received(&mut self, activity: &Iri, actor: &Iri) -> Result<bool, StoreError>;

    /// Keeps a notice for the operator; `false` when its actor's host has sent so many within a day already.
    async fn add_notice(&mut self, notice: &Notice, a_day: u16) -> Result<bool, StoreError>;

    /// Sets a rule, in place of another for the same pattern.
    async fn save_domain_rule(&mut self, rule: &DomainRule) -> Result<(), StoreError>;

    /// `false` when there is no such rule.
    async fn remove_domain_rule(&mut self, pattern: &DomainPattern) -> Result<bool, StoreError>;

    /// Takes the right to ask for something (a key's id, a server's origin) until `again_at`: `true` for one of all who
    /// ask for it before then.
    async fn claim_fetch(&mut self, what: &str, now: Instant, again_at: Instant) -> Result<bool, StoreError>;

    /// Nobody is to ask for it before then.
    async fn hold_fetch(&mut self, what: &str, until: Instant) -> Result<(), StoreError>;

    /// Forgets receipts and forestalled objects that are older than 30 days, deliveries that ended more than 7 days ago, messages that nothing is
    /// delivered of any more, notices and posts older than 90 days, rights to fetch that have run out, and actors that were
    /// fetched more than 30 days ago and have to do with nothing that is kept. Gives up deliveries that have waited for 7
    /// days. At most 5,000 of each at once. Says how many rows.
    async fn sweep_federation(&mut self, now: Instant) -> Result<u64, StoreError>;
}
