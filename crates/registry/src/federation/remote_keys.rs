use super::fetch::FetchRemoteError;
use super::inquiry::Inquiry;
use crate::Registry;
use artdag_federation::http_signature::{RequestSignature, SignatureFault};
use artdag_federation::{Iri, KnownKey, UnusableKey, VerifyingKey};
use artdag_kernel::{Instant, StoreError};
use chrono::TimeDelta;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Mutex as Turn, OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// A key that did not fit is asked for anew when it is older than this: its owner may have another by now.
const STALE: TimeDelta = TimeDelta::minutes(5);
/// How often one key is asked for.
const ONCE_IN: TimeDelta = TimeDelta::minutes(1);
/// How long a parsed key is used without a look at the database, where another process may have put a newer one.
const PARSED: TimeDelta = TimeDelta::seconds(30);
/// How long those who come after a vain attempt are told so at once.
const VAIN: TimeDelta = TimeDelta::seconds(10);
/// How many keys are asked for at once, of one host and of all.
const AT_ONCE: (usize, usize) = (4, 64);
/// How long to wait for a place among those who ask.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much may be held by those who wait for keys of one host, and for any, in KiB: they are not known yet.
const HELD: (usize, usize) = (12 * 1024, 48 * 1024);
/// How old a key becomes before its owner is asked whether it still holds, and how often that is asked.
const OLD: (TimeDelta, TimeDelta) = (TimeDelta::days(1), TimeDelta::hours(1));
/// How long to wait for a key that another process is asking for.
const OTHERS: (u32, Duration) = (10, Duration::from_millis(150));
/// How many parsed keys are kept: about ten megabytes.
const MOST: usize = 10_000;

/// Keys of other actors, parsed.
pub(crate) struct RemoteKeys {
    parsed: Mutex<HashMap<Iri, (ReadyKey, Instant)>>,
    /// One asks for a document, the others wait for what it brings.
    turns: Shared<Iri, Turn<()>>,
    /// Which documents were asked for in vain, and until when nobody need look whether that has changed.
    vain: Mutex<HashMap<Iri, Instant>>,
    /// How many more documents may be asked for, of each host and of all.
    of_hosts: Shared<String, Semaphore>,
    of_all: Semaphore,
    /// How much more may be held by those who wait, of each host and of all.
    held_of_hosts: Shared<String, Semaphore>,
    held_of_all: Semaphore,
    /// Whose old keys were asked about, and until when nobody need do so again.
    renewed: Mutex<HashMap<Iri, Instant>>,
}

impl Default for RemoteKeys {
    fn default() -> Self {
        Self {
            parsed: Mutex::default(),
            turns: Shared::default(),
            vain: Mutex::default(),
            of_hosts: Shared::default(),
            of_all: Semaphore::new(AT_ONCE.1),
            held_of_hosts: Shared::default(),
            held_of_all: Semaphore::new(HELD.1),
            renewed: Mutex::default(),
        }
    }
}

/// What those share who have to do with the same thing at the same time.
struct Shared<K, T>(Mutex<HashMap<K, Weak<T>>>);

impl<K, T> Default for Shared<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, T> Shared<K, T> {
    fn get(&self, key: &K, make: impl FnOnce() -> T) -> Arc<T> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = all.get(key).and_then(Weak::upgrade) {
            return shared;
        }
        all.retain(|_, shared| shared.strong_count() > 0);
        let shared = Arc::new(make());
        all.insert(key.clone(), Arc::downgrade(&shared));
        shared
    }
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
    /// Those who wait for keys hold as much as they may.
    #[error("too many wait for their keys")]
    Crowded,
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

    /// A place among those who ask, if there is one soon: strangers decide whom this server asks.
    async fn place(&self, host: &str) -> Option<(OwnedSemaphorePermit, SemaphorePermit<'_>)> {
        let of_host = self.of_hosts.get(&host.to_owned(), || Semaphore::new(AT_ONCE.0));
        // The host's first: who waits for that one takes no place from others.
        let places = async { Some((of_host.acquire_owned().await.ok()?, self.of_all.acquire().await.ok()?)) };
        timeout(PATIENCE, places).await.ok()?
    }

    /// Room for one who waits, with all that came.
    fn room(&self, host: &str, weight: u32) -> Option<(OwnedSemaphorePermit, SemaphorePermit<'_>)> {
        let of_host = self.held_of_hosts.get(&host.to_owned(), || Semaphore::new(HELD.0));
        Some((of_host.try_acquire_many_owned(weight).ok()?, self.held_of_all.try_acquire_many(weight).ok()?))
    }

    /// Whether the owner of a key that was fetched then is to be asked for it anew.
    pub(crate) fn is_due(&self, owner: &Iri, fetched_at: Instant, now: Instant) -> bool {
        if now - fetched_at < OLD.0 {
            return false;
        }
        let mut renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        if renewed.get(owner).is_some_and(|until| *until > now) {
            return false;
        }
        if renewed.len() >= MOST {
            renewed.clear();
        }
        renewed.insert(owner.clone(), now + OLD.1);
        true
    }

    fn is_vain(&self, document: &Iri, now: Instant) -> bool {
        self.vain.lock().unwrap_or_else(PoisonError::into_inner).get(document).is_some_and(|until| *until > now)
    }

    fn set_vain(&self, document: &Iri, now: Instant) {
        let mut vain = self.vain.lock().unwrap_or_else(PoisonError::into_inner);
        if vain.len() >= MOST {
            vain.retain(|_, until| *until > now);
        }
        if vain.len() >= MOST {
            vain.clear();
        }
        vain.insert(document.clone(), now + VAIN);
    }
}

impl Registry {
    /// Checks with the key of that id, which is looked up here and, when it is not here or may be an old one, asked of
    /// its owner. Answers that key.
    pub(crate) async fn check_with_key(
        &self,
        inquiry: &Arc<Inquiry>,
        id: &Iri,
        check: impl Fn(&dyn VerifyingKey) -> Result<(), SignatureFault> + Send + Sync,
    ) -> Result<ReadyKey, KeyRefused> {
        let known = match self.known_key(id).await? {
            Some((Ok(known), _)) => known,
            // Its owner may have mended it.
            Some((Err(unusable), fetched_at)) if self.parts.clock.now() - fetched_at < STALE => {
                return Err(unusable.into());
            }
            Some((Err(_), fetched_at)) => self.fetch_key(inquiry, id, Some(fetched_at)).await?,
            None => self.fetch_key(inquiry, id, None).await?,
        };
        let fault = match check(known.key.as_ref()) {
            Ok(()) => return Ok(known),
            Err(fault) => fault,
        };
        if self.parts.clock.now() - known.fetched_at < STALE {
            return Err(fault.into());
        }
        match self.fetch_key(inquiry, id, Some(known.fetched_at)).await {
            Ok(newer) => check(newer.key.as_ref()).map(|()| newer).map_err(KeyRefused::from),
            // What it was checked with stands.
            Err(KeyRefused::Waiting | KeyRefused::Crowded | KeyRefused::Fetch(_)) => Err(fault.into()),
            Err(other) => Err(other),
        }
    }

    /// Whether a key is here, be it of use or not.
    pub(crate) async fn has_key(&self, id: &Iri) -> Result<bool, StoreError> {
        Ok(self.known_key(id).await?.is_some())
    }

    /// A key that is here, parsed or not.
    async fn known_key(&self, id: &Iri) -> Result<Option<KeyAtHand>, StoreError> {
        let now = self.parts.clock.now();
        if let Some(ready) = self.remote_keys.get(id, now) {
            let fetched_at = ready.fetched_at;
            return Ok(Some((Ok(ready), fetched_at)));
        }
        self.kept_key(id).await
    }

    /// A key that is in the database.
    async fn kept_key(&self, id: &Iri) -> Result<Option<KeyAtHand>, StoreError> {
        let known = self.read().await?.find_remote_key(id).await?;
        Ok(known.map(|known| {
            let fetched_at = known.fetched_at;
            let ready = self.parse_key(known);
            if let Ok(ready) = &ready {
                self.remote_keys.put(id, ready, self.parts.clock.now());
            }
            (ready, fetched_at)
        }))
    }

    fn parse_key(&self, known: KnownKey) -> Result<ReadyKey, UnusableKey> {
        let key = self.parts.key_reader.read(&known.key.material)?;
        Ok(ReadyKey { key, owner: known.owner, fetched_at: known.fetched_at })
    }

    /// The key, if somebody has fetched it since.
    async fn newer_key(&self, id: &Iri, known: Option<Instant>) -> Result<Option<ReadyKey>, StoreError> {
        let kept = self.kept_key(id).await?;
        Ok(kept.and_then(|(key, at)| key.ok().filter(|_| known.is_none_or(|known| at > known))))
    }

    /// Asks the key's owner for it. Of all who want it at once, in whatever process, one asks; the others of this
    /// process get what it brought. `known` is when the one that is here was fetched.
    async fn fetch_key(
        &self,
        inquiry: &Arc<Inquiry>,
        id: &Iri,
        known: Option<Instant>,
    ) -> Result<ReadyKey, KeyRefused> {
        let _room = self.remote_keys.room(id.host(), inquiry.weight()).ok_or(KeyRefused::Crowded)?;
        // One document may hold many keys, and as many ids as somebody likes to make up.
        let document = id.document();
        let turn = self.remote_keys.turns.get(&document, Turn::default);
        let _turn = turn.lock().await;
        if let Some(newer) = self.newer_key(id, known).await? {
            return Ok(newer);
        }
        let now = self.parts.clock.now();
        if self.remote_keys.is_vain(&document, now) {
            return Err(KeyRefused::Waiting);
        }
        let _place = self.remote_keys.place(id.host()).await.ok_or(KeyRefused::Waiting)?;
        let mut unit = self.parts.store.begin().await?;
        if !unit.claim_fetch(document.as_str(), now, now + ONCE_IN).await? {
            unit.rollback().await?;
            // Another process may be at it this very moment.
            for _ in 0..OTHERS.0 {
                tokio::time::sleep(OTHERS.1).await;
                if let Some(newer) = self.newer_key(id, known).await? {
                    return Ok(newer);
                }
            }
            self.remote_keys.set_vain(&document, self.parts.clock.now());
            return Err(KeyRefused::Waiting);
        }
        unit.commit().await?;
        let actor = match self.fetch_key_owner(inquiry, id).await {
            Ok(actor) => actor,
            Err(error) => {
                self.remote_keys.set_vain(&document, self.parts.clock.now());
                return Err(KeyRefused::Fetch(error));
            }
        };
        let key = actor.key(id).cloned().ok_or(KeyRefused::Fetch(FetchRemoteError::NotListed))?;
        let ready = self.parse_key(KnownKey { key, owner: actor.id, fetched_at: self.parts.clock.now() })?;
        self.remote_keys.put(id, &ready, self.parts.clock.now());
        Ok(ready)
    }
}

/// A key as it is here, if it can be used, and when it was fetched.
type KeyAtHand = (Result<ReadyKey, UnusableKey>, Instant);

/// Whether a request's signature is by a key.
pub(crate) fn check_request(signature: &RequestSignature, key: &dyn VerifyingKey) -> Result<(), SignatureFault> {
    signature.check(key.kind(), |base, bytes| key.verify(base, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use tokio::task::unconstrained;

    #[test]
    fn those_who_wait_hold_so_much_and_no_more() {
        let keys = RemoteKeys::default();
        let mebibyte = 1024;
        let mut of_one: Vec<_> = (0..12).map(|_| keys.room("one.example", mebibyte).unwrap()).collect();
        assert!(keys.room("one.example", 1).is_none());
        let others: Vec<_> = (0..36).map(|n| keys.room(&format!("{n}.example"), mebibyte).unwrap()).collect();
        assert!(keys.room("other.example", 1).is_none(), "all that may be held is held");
        of_one.pop();
        assert!(keys.room("other.example", mebibyte).is_some());
        drop(others);
        assert!(keys.room("one.example", mebibyte).is_some());
    }

    #[test]
    fn old_keys_are_asked_about_once_an_hour() {
        let (keys, owner) = (RemoteKeys::default(), "https://a.example/alice".parse().unwrap());
        let fetched_at: Instant = "2026-11-22T12:00:00Z".parse().unwrap();
        let is_due = |hours: i64| keys.is_due(&owner, fetched_at, fetched_at + TimeDelta::hours(hours));
        assert_eq!([0, 23, 24, 24, 25, 25].map(is_due), [false, false, true, false, true, false]);
    }

    #[tokio::test]
    async fn few_ask_one_host_and_more_ask_all() {
        let keys = RemoteKeys::default();
        // Tokio lets a task that does much at once wait for others now and then.
        let place = |host: &str| unconstrained(keys.place(host)).now_or_never().flatten();
        let mut of_one: Vec<_> = (0..4).map(|_| place("one.example").unwrap()).collect();
        assert!(place("one.example").is_none());
        let next = keys.place("one.example");
        of_one.pop();
        assert!(next.await.is_some(), "a place came free");
        let others: Vec<_> = (0..61).map(|n| place(&format!("{n}.example")).unwrap()).collect();
        assert!(place("other.example").is_none(), "all places are taken");
        drop(others);
        assert!(place("other.example").is_some());
    }
}
