use super::domain_rules::HostRefused;
use super::effects::Came;
use super::inbox_desk::{Arrival, Effect};
use super::inquiry::Inquiry;
use super::remote_keys::{KeyRefused, check_request};
use crate::{Job, PublishError, Registry};
use artdag_federation::http_signature::collection_synchronization::HEADER;
use artdag_federation::http_signature::{KeyKind, RequestSignature, SignatureFault, SignedRequest};
use artdag_federation::{InboxFault, Incoming, Iri, Receipt, Shunned, data_integrity, engine_signature, parsed_size};
use artdag_kernel::{Instant, StoreError};
use chrono::TimeDelta;
use serde_json::Value;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;

/// How old a proof may be that somebody else brings, as old as a signed request.
const PROOF_AGE: TimeDelta = TimeDelta::hours(12);
/// How far ahead the clock may be that made it.
const PROOF_LEAD: TimeDelta = TimeDelta::hours(1);

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
        if !self.has_key(&key_id).await? && self.is_strangers_farewell(inbox.body).await? {
            return Ok(Received::Ignored);
        }
        let inquiry = self.inquiry(inbox.body.len()).await?;
        let key = self.check_with_key(&inquiry, &key_id, |key| check_request(&signature, key)).await?;
        // Not before its sender is known: parsed, it takes many times the memory, and would wait for the key as well.
        let incoming = Incoming::parse(inbox.body)?;
        inquiry.hold(parsed_size(inbox.body));
        self.check_host(incoming.actor.host()).await?;
        if incoming.is_farewell() && self.read().await?.find_remote_actor(&incoming.actor).await?.is_none() {
            return Ok(Received::Ignored);
        }
        let forwarded = key.owner != incoming.actor;
        let signed_at = if forwarded {
            // Whoever brings another's activity could have kept it.
            let recent = now - PROOF_AGE..=now + PROOF_LEAD;
            let proven_at = self.proven_at(&inquiry, &incoming, &recent).await?;
            proven_at.ok_or_else(|| ReceiveError::OtherActor(key.owner.clone()))?
        } else {
            signature.signed_at()
        };
        let meaning = incoming.meaning(&self.parts.site)?;
        let came = Came { inquiry: &inquiry, incoming: &incoming, body: inbox.body };
        let effect = self.effect(&came, meaning).await?;
        // The header is the sender's word, and good only about the sender.
        let header = inbox.synchronization.filter(|_| !forwarded && signature.covers(HEADER));
        let mut jobs: Vec<Job> = self.synchronization_job(&incoming.actor, header).into_iter().collect();
        if !jobs.is_empty() && !self.read().await?.is_followed(&incoming.actor).await? {
            jobs.clear();
        }
        if self.remote_keys.is_due(&key.owner, key.fetched_at, now) {
            // Its owner may have taken it back.
            jobs.push(Job::RefreshActor { actor: key.owner.to_string() });
        }
        if matches!(effect, Effect::Nothing) && jobs.is_empty() {
            self.note_sign_of_life(incoming.actor.host()).await?;
            return Ok(Received::Ignored);
        }
        let (host, weight) = (incoming.actor.host().to_owned(), inbox.body.len());
        let receipt = Receipt { id: incoming.id, actor: incoming.actor, kind: incoming.kind, signed_at };
        self.take_down(Arrival { receipt, effect, jobs, host, weight }).await?;
        Ok(Received::Done)
    }

    /// Whether somebody says that an actor is gone of whom nobody here knows. That need not be verified, which nobody
    /// could. Nothing of what is parsed for it outlives it.
    async fn is_strangers_farewell(&self, body: &[u8]) -> Result<bool, ReceiveError> {
        let (actor, is_farewell) = {
            let incoming = Incoming::parse(body)?;
            let is_farewell = incoming.is_farewell();
            (incoming.actor, is_farewell)
        };
        self.check_host(actor.host()).await?;
        Ok(is_farewell && self.read().await?.find_remote_actor(&actor).await?.is_none())
    }

    /// Who signed a request that has no body (authorized fetch).
    ///
    /// # Errors
    /// [`ReceiveError`].
    pub async fn authenticate_fetch(&self, request: SignedRequest<'_>) -> Result<Iri, ReceiveError> {
        let signature = RequestSignature::read(&request, None, self.parts.clock.now())?;
        let key_id = self.key_of(&signature).await?;
        let inquiry = self.inquiry(0).await?;
        Ok(self.check_with_key(&inquiry, &key_id, |key| check_request(&signature, key)).await?.owner)
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

    /// When the actor made an FEP-8b32 proof that is good and in this range of time.
    async fn proven_at(
        &self,
        inquiry: &Arc<Inquiry>,
        incoming: &Incoming,
        range: &RangeInclusive<Instant>,
    ) -> Result<Option<Instant>, StoreError> {
        let at = |method: &str| data_integrity::creation_time(&incoming.document, method);
        let is_in_range = |method: &str| at(method).is_some_and(|at| range.contains(&at));
        Ok(self.good_proof(inquiry, incoming, is_in_range).await?.and_then(at))
    }

    /// Whether the activity carries an FEP-8b32 proof by its own actor.
    pub(super) async fn has_proof(&self, inquiry: &Arc<Inquiry>, incoming: &Incoming) -> Result<bool, StoreError> {
        Ok(self.good_proof(inquiry, incoming, |_| true).await?.is_some())
    }

    /// The key of the activity's own actor by which a proof is good; of proofs by these keys alone.
    async fn good_proof<'a>(
        &self,
        inquiry: &Arc<Inquiry>,
        incoming: &'a Incoming,
        by: impl Fn(&str) -> bool + Send + Sync,
    ) -> Result<Option<&'a str>, StoreError> {
        let now = self.parts.clock.now();
        // Each may cost a look-up, and one of an honest document is enough.
        for method in data_integrity::methods(&incoming.document).take(3).filter(|method| by(method)) {
            let Ok(id) = Iri::from_str(method) else { continue };
            if !id.is_beside(&incoming.actor) {
                continue;
            }
            let checked = self.check_with_key(inquiry, &id, |key| {
                let is_good = key.kind() == KeyKind::Ed25519;
                let check = |message: &[u8; 64], value: &[u8; 64]| is_good && key.verify(message, value);
                data_integrity::verify(&incoming.document, method, now, check).map_err(|_| SignatureFault::Mismatch)
            });
            match checked.await {
                Ok(key) if key.owner == incoming.actor => return Ok(Some(method)),
                Err(KeyRefused::Store(error)) => return Err(error),
                _ => {}
            }
        }
        Ok(None)
    }

    /// Whether it carries the engine's signature by its actor's main key.
    pub(super) async fn has_engine_signature(
        &self,
        inquiry: &Arc<Inquiry>,
        incoming: &Incoming,
    ) -> Result<bool, StoreError> {
        let kind = incoming.document.get("signature").and_then(|signature| signature.get("type"));
        if kind.and_then(Value::as_str) != Some(engine_signature::TYPE) {
            return Ok(false);
        }
        let Ok(id) = Iri::from_str(&format!("{}#main-key", incoming.actor)) else { return Ok(false) };
        let checked = self.check_with_key(inquiry, &id, |key| {
            let is_good = key.kind() == KeyKind::Rsa;
            let check = |message: &[u8; 64], value: &[u8]| is_good && key.verify(message, value);
            engine_signature::verify(&incoming.document, check).map_err(|_| SignatureFault::Mismatch)
        });
        match checked.await {
            Ok(key) => Ok(key.owner == incoming.actor),
            Err(KeyRefused::Store(error)) => Err(error),
            Err(_) => Ok(false),
        }
    }
}
