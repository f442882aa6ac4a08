use super::fetch::FetchRemoteError;
use crate::Registry;
use artdag_federation::http_signature::{RequestSignature, SignatureFault};
use artdag_federation::{Iri, KnownKey, UnusableKey, VerifyingKey};
use artdag_kernel::{Instant, StoreError};
use chrono::TimeDelta;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::Mutex as Turn;

/// A key that did not fit is asked for anew when it is older than this: its owner may have another by now.
const STALE: TimeDelta = TimeDelta::minutes(5);
/// How often one key is asked for.
const ONCE_IN: TimeDelta = TimeDelta::minutes(1);
/// How long a parsed key is used without a look at the database, where another process may have put a newer one.
const PARSED: TimeDelta = TimeDelta::seconds(30);
/// How many parsed keys are kept: about ten megabytes.
const MOST: usize = 10_000;

/// Keys of other actors, parsed.
#[derive(Default)]
pub(crate) struct RemoteKeys {
    parsed: Mutex<HashMap<Iri, (ReadyKey, Instant)>>,
    /// One asks for a key, the others wait for what it brings.
    turns: Mutex<HashMap<Iri, Weak<Turn<()>>>>,
}

/// A key that can be used, and whose it is.
#[derive(Clone)]
pub(crate) struct ReadyKey {
    pub(crate) key: Arc<dyn VerifyingKey>,
    pub(crate) owner: Iri,
    pub(crate) fetched_at: Instant,
}

/// Why a signature by a key was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum KeyRefused {
    /// Nobody has such a key, or its owner cannot be asked.
    #[error("the key cannot be had: {0}")]
    Fetch(#[source] FetchRemoteError),
    /// It was asked for a moment ago, in vain.
    #[error("the key could not be had a moment ago")]
    Waiting,
    /// It is of no use.
    #[error(transparent)]
    Unusable(#[from] UnusableKey),
    /// The signature is not by this key.
    #[error(transparent)]
    Signature(#[from] SignatureFault),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RemoteKeys {
    fn parsed(&self) -> MutexGuard<'_, HashMap<Iri, (ReadyKey, Instant)>> {
        self.parsed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what is parsed of an actor's keys.
    pub(crate) fn forget(&self, owner: &Iri) {
        self.parsed().retain(|_, (key, _)| key.owner != *owner);
    }

    fn get(&self, id: &Iri, now: Instant) -> Option<ReadyKey> {
        self.parsed().get(id).filter(|(_, until)| *until > now).map(|(key, _)| key.clone())
    }

    fn put(&self, id: &Iri, key: &ReadyKey, now: Instant) {
        let mut parsed = self.parsed();
        if parsed.len() >= MOST {
            parsed.retain(|_, (_, until)| *until > now);
        }
        if parsed.len() >= MOST {
            // All of them are in use; to begin anew costs one look-up each.
            parsed.clear();
        }
        parsed.insert(id.clone(), (key.clone(), now + PARSED));
    }

    fn turn(&self, id: &Iri) -> Arc<Turn<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(id).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::new(Turn::new(()));
        turns.insert(id.clone(), Arc::downgrade(&turn));
        turn
    }
}

impl Registry {
    /// Checks with the key of that id, which is looked up here and, when it is not here or may be an old one, asked of
    /// its owner. Answers the owner.
    pub(crate) async fn check_with_key(
        &self,
        id: &Iri,
        check: impl Fn(&dyn VerifyingKey) -> Result<(), SignatureFault> + Send + Sync,
    ) -> Result<Iri, KeyRefused> {
        let known = match self.known_key(id).await? {
            Some(Ok(known)) => known,
            Some(Err(unusable)) => return Err(unusable.into()),
            None => self.fetch_key(id, None).await?,
        };
        let fault = match check(known.key.as_ref()) {
            Ok(()) => return Ok(known.owner),
            Err(fault) => fault,
        };
        if self.parts.clock.now() - known.fetched_at < STALE {
            return Err(fault.into());
        }
        match self.fetch_key(id, Some(known.fetched_at)).await {
            Ok(newer) => check(newer.key.as_ref()).map(|()| newer.owner).map_err(KeyRefused::from),
            // What it was checked with stands.
            Err(KeyRefused::Waiting | KeyRefused::Fetch(_)) => Err(fault.into()),
            Err(other) => Err(other),
        }
    }

    /// A key that is here, parsed or not.
    async fn known_key(&self, id: &Iri) -> Result<Option<Result<ReadyKey, UnusableKey>>, StoreError> {
        let now = self.parts.clock.now();
        if let Some(ready) = self.remote_keys.get(id, now) {
            return Ok(Some(Ok(ready)));
        }
        let known = self.read().await?.find_remote_key(id).await?;
        Ok(known.map(|known| {
            let ready = self.parse_key(known)?;
            self.remote_keys.put(id, &ready, now);
            Ok(ready)
        }))
    }

    fn parse_key(&self, known: KnownKey) -> Result<ReadyKey, UnusableKey> {
        let key = self.parts.key_reader.read(&known.key.material)?;
        Ok(ReadyKey { key, owner: known.owner, fetched_at: known.fetched_at })
    }

    /// Asks the key's owner for it. Of all who want it at once, in whatever process, one asks; the others of this
    /// process get what it brought. `known` is when the one that is here was fetched.
    async fn fetch_key(&self, id: &Iri, known: Option<Instant>) -> Result<ReadyKey, KeyRefused> {
        let turn = self.remote_keys.turn(id);
        let _turn = turn.lock().await;
        if let Some(Ok(found)) = self.known_key(id).await?
            && known.is_none_or(|known| found.fetched_at > known)
        {
            return Ok(found);
        }
        let now = self.parts.clock.now();
        let mut unit = self.parts.store.begin().await?;
        if !unit.claim_fetch(id.as_str(), now, now + ONCE_IN).await? {
            unit.rollback().await?;
            return Err(KeyRefused::Waiting);
        }
        unit.commit().await?;
        let actor = self.fetch_key_owner(id).await.map_err(KeyRefused::Fetch)?;
        let key = actor.key(id).cloned().ok_or(KeyRefused::Fetch(FetchRemoteError::NotListed))?;
        let ready = self.parse_key(KnownKey { key, owner: actor.id, fetched_at: self.parts.clock.now() })?;
        self.remote_keys.put(id, &ready, self.parts.clock.now());
        Ok(ready)
    }
}

/// Whether a request's signature is by a key.
pub(crate) fn check_request(signature: &RequestSignature, key: &dyn VerifyingKey) -> Result<(), SignatureFault> {
    signature.check(key.kind(), |base, bytes| key.verify(base, bytes))
}
