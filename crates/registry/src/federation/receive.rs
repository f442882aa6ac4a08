use super::domain_rules::HostRefused;
use super::inbox_desk::{Arrival, Effect};
use super::remote_keys::{KeyRefused, check_request};
use crate::{Job, PublishError, Registry};
use artdag_federation::http_signature::collection_synchronization::HEADER;
use artdag_federation::http_signature::{KeyKind, RequestSignature, SignatureFault, SignedRequest};
use artdag_federation::{
    Evidence, FollowState, Follower, HeardObject, InboxFault, Incoming, Iri, Meaning, Notice, Receipt, RemoteObject,
    Saying, Shunned, Target, data_integrity, engine_signature,
};
use artdag_kernel::{StoreError, Username, new_uuid};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::str::FromStr;

/// How old a proof may be that somebody else brings, as old as a signed request.
const PROOF_AGE: TimeDelta = TimeDelta::hours(12);
/// How far ahead the clock may be that made it.
const PROOF_LEAD: TimeDelta = TimeDelta::hours(1);
/// How much of a notice is kept.
const MAX_NOTICE: usize = 64 * 1024;
/// How many claims of strangers to content that is registered here are kept.
const MAX_CLAIMS: u16 = 100;

/// A POST to an inbox.
#[derive(Clone, Copy, Debug)]
pub struct InboxRequest<'a> {
    /// The request, as far as its signature may cover it.
    pub request: SignedRequest<'a>,
    /// What it carries.
    pub body: &'a [u8],
    /// `Collection-Synchronization`, if it is there (FEP-8fcf).
    pub synchronization: Option<&'a str>,
}

/// What came of a request that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It did what it says, or had done so before.
    Done,
    /// It concerns nobody here. It is forgotten.
    Ignored,
}

/// Why a request to an inbox is refused. Nothing is written then.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The request's signature keeps some rule not.
    #[error(transparent)]
    Signature(#[from] SignatureFault),
    /// The key that it names did not make it, or cannot be had.
    #[error(transparent)]
    Key(KeyRefused),
    /// The key is somebody else's than the activity's actor, who has not signed the activity itself either.
    #[error("the key belongs to {0}, and the activity has no proof by its actor")]
    OtherActor(Iri),
    /// The operator does not speak with that server.
    #[error(transparent)]
    Shunned(#[from] Shunned),
    /// The activity is not one that its actor may send.
    #[error(transparent)]
    Activity(#[from] InboxFault),
    /// The answer could not be signed.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<HostRefused> for ReceiveError {
    fn from(error: HostRefused) -> Self {
        match error {
            HostRefused::Shunned(shunned) => Self::Shunned(shunned),
            HostRefused::Store(error) => Self::Store(error),
        }
    }
}

impl From<KeyRefused> for ReceiveError {
    fn from(error: KeyRefused) -> Self {
        match error {
            KeyRefused::Store(error) => Self::Store(error),
            KeyRefused::Signature(fault) => Self::Signature(fault),
            other => Self::Key(other),
        }
    }
}

impl Registry {
    /// Takes an activity from another server: checks who sent it, and does what it says, in one unit of work with the
    /// note that it came. What needs the network becomes a job.
    ///
    /// # Errors
    /// [`ReceiveError`].
    pub async fn receive(&self, inbox: InboxRequest<'_>) -> Result<Received, ReceiveError> {
        let now = self.parts.clock.now();
        let signature = RequestSignature::read(&inbox.request, Some(inbox.body), now)?;
        let key_id = self.key_of(&signature).await?;
        let incoming = Incoming::parse(inbox.body)?;
        self.check_host(incoming.actor.host()).await?;
        if incoming.is_farewell() && self.read().await?.find_remote_actor(&incoming.actor).await?.is_none() {
            return Ok(Received::Ignored);
        }
        let sender = self.check_with_key(&key_id, |key| check_request(&signature, key)).await?;
        let forwarded = sender != incoming.actor;
        if forwarded && !(self.is_recent(&incoming) && self.has_proof(&incoming).await?) {
            return Err(ReceiveError::OtherActor(sender));
        }
        let meaning = incoming.meaning(&self.parts.site)?;
        let effect = self.effect(&incoming, meaning, inbox.body).await?;
        // The header is the sender's word, and good only about the sender.
        let header = inbox.synchronization.filter(|_| !forwarded && signature.covers(HEADER));
        let mut jobs: Vec<Job> = self.synchronization_job(&incoming.actor, header).into_iter().collect();
        if !jobs.is_empty() && !self.read().await?.is_followed(&incoming.actor).await? {
            jobs.clear();
        }
        if matches!(effect, Effect::Nothing) && jobs.is_empty() {
            self.note_sign_of_life(incoming.actor.host()).await?;
            return Ok(Received::Ignored);
        }
        let receipt = Receipt { id: incoming.id.clone(), actor: incoming.actor.clone(), kind: incoming.kind.clone() };
        self.take_down(Arrival { receipt, effect, jobs, host: incoming.actor.host().to_owned() }).await?;
        Ok(Received::Done)
    }

    /// Who signed a request that has no body (authorized fetch).
    ///
    /// # Errors
    /// [`ReceiveError`].
    pub async fn authenticate_fetch(&self, request: SignedRequest<'_>) -> Result<Iri, ReceiveError> {
        let signature = RequestSignature::read(&request, None, self.parts.clock.now())?;
        let key_id = self.key_of(&signature).await?;
        Ok(self.check_with_key(&key_id, |key| check_request(&signature, key)).await?)
    }

    /// Which key a request says that it was signed with, if it is one of a server that is spoken with.
    async fn key_of(&self, signature: &RequestSignature) -> Result<Iri, ReceiveError> {
        let id = Iri::from_str(signature.key_id()).map_err(|_| SignatureFault::KeyId)?;
        self.check_host(id.host()).await?;
        if self.parts.site.owns(&id) {
            // Those who live here need no signed request, and this server need not ask itself for their keys.
            return Err(InboxFault::OwnName.into());
        }
        Ok(id)
    }

    /// Whether its proofs are no older than a request may be: whoever brings another's activity could have kept it.
    fn is_recent(&self, incoming: &Incoming) -> bool {
        let now = self.parts.clock.now();
        let mut times = data_integrity::creation_times(&incoming.document).peekable();
        times.peek().is_some() && times.all(|time| (now - PROOF_AGE..=now + PROOF_LEAD).contains(&time))
    }

    /// Whether the activity carries an FEP-8b32 proof by its own actor.
    async fn has_proof(&self, incoming: &Incoming) -> Result<bool, StoreError> {
        let now = self.parts.clock.now();
        // Each may cost a look-up, and one of an honest document is enough.
        for method in data_integrity::methods(&incoming.document).take(3) {
            let Ok(id) = Iri::from_str(method) else { continue };
            if !id.is_beside(&incoming.actor) {
                continue;
            }
            let checked = self.check_with_key(&id, |key| {
                let is_good = key.kind() == KeyKind::Ed25519;
                let check = |message: &[u8; 64], value: &[u8; 64]| is_good && key.verify(message, value);
                data_integrity::verify(&incoming.document, method, now, check).map_err(|_| SignatureFault::Mismatch)
            });
            match checked.await {
                Ok(owner) if owner == incoming.actor => return Ok(true),
                Err(KeyRefused::Store(error)) => return Err(error),
                _ => {}
            }
        }
        Ok(false)
    }

    /// Whether it carries the engine's signature by its actor's main key.
    async fn has_engine_signature(&self, incoming: &Incoming) -> Result<bool, StoreError> {
        let kind = incoming.document.get("signature").and_then(|signature| signature.get("type"));
        if kind.and_then(Value::as_str) != Some(engine_signature::TYPE) {
            return Ok(false);
        }
        let Ok(id) = Iri::from_str(&format!("{}#main-key", incoming.actor)) else { return Ok(false) };
        let checked = self.check_with_key(&id, |key| {
            let is_good = key.kind() == KeyKind::Rsa;
            let check = |message: &[u8; 64], value: &[u8]| is_good && key.verify(message, value);
            engine_signature::verify(&incoming.document, check).map_err(|_| SignatureFault::Mismatch)
        });
        match checked.await {
            Ok(owner) => Ok(owner == incoming.actor),
            Err(KeyRefused::Store(error)) => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// What is to be written, with everything looked up and signed that it needs.
    async fn effect(&self, incoming: &Incoming, meaning: Meaning, body: &[u8]) -> Result<Effect, ReceiveError> {
        let actor = &incoming.actor;
        Ok(match meaning {
            Meaning::Nothing => Effect::Nothing,
            Meaning::Follow(whom) => self.follow_effect(incoming, whom).await?,
            Meaning::Unfollow(whom) => Effect::Unfollow(whom),
            Meaning::Accepted(None, None) | Meaning::Rejected(None, None) => Effect::Nothing,
            Meaning::Accepted(request, user) => Effect::Answered(request, user, FollowState::Accepted),
            Meaning::Rejected(request, user) => Effect::Answered(request, user, FollowState::Rejected),
            Meaning::Published(object) => self.published_effect(incoming, *object, body).await?,
            Meaning::Withdrew(object) => {
                // Mail can be late, and a deletion overtake what it deletes. Strangers' are not kept: they could be many.
                let early = self.read().await?.is_followed(actor).await?.then(|| self.new_uuid());
                Effect::Withdraw(object, text(body), early)
            }
            Meaning::Left => Effect::Forget,
            Meaning::ChangedProfile if self.read().await?.is_related(actor).await? => {
                Effect::Push(Job::RefreshActor { actor: actor.to_string() })
            }
            Meaning::ChangedProfile => Effect::Nothing,
            Meaning::Reacted(reaction, Target::Local(hash)) => {
                match self.read().await?.find_latest_about(&hash).await? {
                    Some(_) => Effect::React(reaction, self.parts.site.object(&hash)),
                    None => Effect::Nothing,
                }
            }
            Meaning::Reacted(reaction, Target::LocalActivity(id)) => {
                match self.read().await?.find_activity(id).await? {
                    Some(_) => Effect::React(reaction, self.parts.site.activity(id)),
                    None => Effect::Nothing,
                }
            }
            Meaning::Reacted(reaction, Target::Remote(target)) => {
                if !self.read().await?.is_followed(actor).await? {
                    return Ok(Effect::Nothing);
                }
                Effect::Share(reaction, target)
            }
            Meaning::Undid(activity) => Effect::Undo(activity),
            // About somebody else's affairs, or too long to be read.
            Meaning::Notice(_) if body.len() > MAX_NOTICE => Effect::Nothing,
            Meaning::Notice(object)
                if !self.parts.site.owns(&object) && !self.read().await?.is_related(actor).await? =>
            {
                Effect::Nothing
            }
            Meaning::Notice(object) => Effect::Notice(Box::new(Notice {
                id: self.new_uuid(),
                kind: incoming.kind.clone(),
                actor: actor.clone(),
                object,
                received_at: self.parts.clock.now(),
                document: text(body),
            })),
        })
    }

    async fn follow_effect(&self, incoming: &Incoming, user: Username) -> Result<Effect, ReceiveError> {
        let mut reader = self.read().await?;
        if reader.find_user(&user).await?.is_none() {
            return Ok(Effect::Nothing);
        }
        // Whose signature was good is known here.
        let Some(known) = reader.find_remote_actor(&incoming.actor).await? else { return Ok(Effect::Nothing) };
        let was_accepted = reader
            .find_follower(&user, &incoming.actor)
            .await?
            .is_some_and(|follower| follower.state == FollowState::Accepted);
        drop(reader);
        let accept = was_accepted || self.parts.policy.federation.accept_followers;
        let follower = Follower {
            id: self.new_uuid(),
            user,
            actor: incoming.actor.clone(),
            inbox: known.actor.inbox,
            shared_inbox: known.actor.shared_inbox,
            request: incoming.id.clone(),
            state: if accept { FollowState::Accepted } else { FollowState::Pending },
            created_at: self.parts.clock.now(),
        };
        let answer = if accept { Some(self.answer_to(&follower, true).await?) } else { None };
        Ok(Effect::Follow(Box::new(follower), answer.map(Box::new)))
    }

    /// The message that tells a follower what became of the request.
    pub(crate) async fn answer_to(
        &self,
        follower: &Follower,
        accept: bool,
    ) -> Result<artdag_federation::Message, PublishError> {
        let site = &self.parts.site;
        let request = json!({
            "id": follower.request.as_str(),
            "type": "Follow",
            "actor": follower.actor.as_str(),
            "object": site.actor(&follower.user),
        });
        let saying = if accept {
            Saying::Accept(request, follower.actor.clone())
        } else {
            Saying::Reject(request, follower.actor.clone())
        };
        self.sign_message(&saying, &follower.user).await
    }

    async fn published_effect(
        &self,
        incoming: &Incoming,
        object: RemoteObject,
        body: &[u8],
    ) -> Result<Effect, ReceiveError> {
        let mut reader = self.read().await?;
        let mut concerns = reader.is_followed(&incoming.actor).await?;
        if let (false, Some(hash)) = (concerns, &object.content_hash) {
            // Somebody else claims what is registered here.
            concerns = reader.find_asset_by_hash(hash).await?.is_some()
                && reader.heard_claims(hash, MAX_CLAIMS).await?.len() < usize::from(MAX_CLAIMS);
        }
        // What is known is changed by an `Update` alone; and its actor may have withdrawn it before it came.
        let known = incoming.kind == "Create"
            && concerns
            && reader.is_heard(&[&object.id, &incoming.id], &incoming.actor).await?;
        drop(reader);
        if !concerns || known {
            return Ok(Effect::Nothing);
        }
        let evidence = if object.content_hash.is_some() {
            Evidence { proof: self.has_proof(incoming).await?, engine: self.has_engine_signature(incoming).await? }
        } else {
            Evidence::default()
        };
        Ok(Effect::Publish(Box::new(HeardObject {
            id: self.new_uuid(),
            object,
            activity: incoming.id.clone(),
            document: text(body),
            evidence,
            received_at: self.parts.clock.now(),
            deleted_at: None,
        })))
    }

    pub(crate) fn new_uuid(&self) -> uuid::Uuid {
        new_uuid(self.parts.clock.now(), self.parts.randomness.as_ref())
    }
}

/// What was parsed as JSON is text.
fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}
