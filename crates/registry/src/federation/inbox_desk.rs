use crate::{Job, Registry};
use artdag_federation::{FollowState, Follower, HeardObject, Iri, Message, Notice, Reaction, Receipt};
use artdag_kernel::{ActivityId, StoreError, Username};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{mem, slice};
use tokio::sync::oneshot;
use uuid::Uuid;

/// An activity whose sender is known, and what it does.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) receipt: Receipt,
    pub(crate) effect: Effect,
    pub(crate) jobs: Vec<Job>,
    pub(crate) host: String,
    /// How many bytes came.
    pub(crate) weight: usize,
}

/// Something that was published elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct News {
    pub(crate) heard: HeardObject,
    /// Whether it is told for the first time. What was told since is newer.
    pub(crate) is_new: bool,
    /// What is forgotten for it.
    pub(crate) in_place_of: Option<Iri>,
}

/// A request to follow.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) follower: Follower,
    /// What the follower is told if it is accepted: signed before anybody knows that.
    pub(crate) answer: Option<Message>,
    /// Whether an earlier request waits for the user.
    pub(crate) was_pending: bool,
}

/// What is written because an activity came. The actor is the receipt's.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    Nothing,
    Follow(Box<Wish>),
    Unfollow(Username),
    Answered(Option<ActivityId>, Option<Username>, FollowState),
    Publish(Box<News>),
    /// With a UUID, if it is to be noted even when the object was not heard of yet.
    Withdraw(Iri, String, Option<Uuid>),
    Forget,
    React(Reaction, String),
    Share(Reaction, Iri),
    Undo(Iri),
    Notice(Box<Notice>),
    Push(Job),
}

/// How many arrivals are written together.
const BATCH: usize = 200;
/// How many may wait, and with how many bytes. Whoever comes then is told to come again.
const MOST: (usize, usize) = (2000, 32 << 20);
/// How often a batch is tried that others stood in the way of, and how long after.
const TRIES: (u32, Duration) = (3, Duration::from_millis(50));

/// Where arrivals wait for each other: what comes while a unit of work is under way shares the next one, so that a busy
/// server commits once for many. Each hears of its own only when it is committed.
#[derive(Debug, Default)]
pub(crate) struct InboxDesk(Mutex<Desk>);

#[derive(Debug, Default)]
struct Desk {
    waiting: Vec<(Arrival, oneshot::Sender<Result<(), StoreError>>)>,
    /// The bytes of those who wait.
    weight: usize,
    is_open: bool,
}

/// Closes the desk when its task ends, however it ends; those who wait hear that nothing was written.
struct Closing(Option<Arc<InboxDesk>>);

impl Drop for Closing {
    fn drop(&mut self) {
        if let Some(desk) = self.0.take() {
            *desk.lock() = Desk::default();
        }
    }
}

impl Desk {
    /// `false` when there is no room.
    fn add(&mut self, arrival: Arrival, done: oneshot::Sender<Result<(), StoreError>>) -> bool {
        let has_room = self.waiting.len() < MOST.0 && self.weight + arrival.weight <= MOST.1;
        if has_room {
            self.weight += arrival.weight;
            self.waiting.push((arrival, done));
        }
        has_room
    }
}

/// Tries again what others stood in the way of. PostgreSQL lets one of two have its way that wait for each other.
async fn patiently<F: Future<Output = Result<(), StoreError>>>(mut work: impl FnMut() -> F) -> Result<(), StoreError> {
    let mut tries = 1;
    loop {
        match work().await {
            Err(StoreError::Busy(cause)) if tries < TRIES.0 => {
                tracing::debug!(%cause, "arrivals are written at another try");
                tokio::time::sleep(TRIES.1 * tries).await;
                tries += 1;
            }
            outcome => return outcome,
        }
    }
}

impl InboxDesk {
    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Vec<(Arrival, oneshot::Sender<Result<(), StoreError>>)> {
        let mut desk = self.lock();
        // Who has hung up comes again.
        desk.waiting.retain(|(_, done)| !done.is_closed());
        let rest = if desk.waiting.len() > BATCH { desk.waiting.split_off(BATCH) } else { Vec::new() };
        let batch = mem::replace(&mut desk.waiting, rest);
        desk.weight = desk.waiting.iter().map(|(arrival, _)| arrival.weight).sum();
        desk.is_open = !batch.is_empty();
        batch
    }
}

impl Registry {
    /// Writes an arrival, with others that come at the same time.
    pub(crate) async fn take_down(&self, arrival: Arrival) -> Result<(), StoreError> {
        let (done, told) = oneshot::channel();
        let is_first = {
            let mut desk = self.inbox.lock();
            if !desk.add(arrival, done) {
                return Err(StoreError::Busy("too many activities are waiting to be written".into()));
            }
            !mem::replace(&mut desk.is_open, true)
        };
        if is_first {
            // A task of its own: the one who came first may hang up.
            tokio::spawn(self.clone().take_down_all());
        }
        told.await.unwrap_or_else(|_| Err(StoreError::Busy("the write was cut off".into())))
    }

    async fn take_down_all(self) {
        let mut closing = Closing(Some(Arc::clone(&self.inbox)));
        loop {
            let batch = self.inbox.next();
            if batch.is_empty() {
                // It is closed already, and may have been opened again since.
                closing.0 = None;
                return;
            }
            let (arrivals, waiting): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
            match patiently(|| self.apply(&arrivals)).await {
                Ok(()) => waiting.into_iter().for_each(|done| drop(done.send(Ok(())))),
                // One of them may be at fault; the others need not suffer.
                Err(error) if arrivals.len() > 1 && !matches!(error, StoreError::Busy(_)) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "arrivals are written one by one");
                    for (arrival, done) in arrivals.into_iter().zip(waiting) {
                        let _ = done.send(patiently(|| self.apply(slice::from_ref(&arrival))).await);
                    }
                }
                Err(error) => {
                    let text = error.to_string();
                    for done in waiting {
                        let _ = done.send(Err(StoreError::Busy(text.clone().into())));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(weight: usize) -> Arrival {
        let receipt = Receipt {
            id: "https://a.example/1".parse().unwrap(),
            actor: "https://a.example/alice".parse().unwrap(),
            kind: "Like".to_owned(),
            signed_at: "2026-11-22T12:00:00Z".parse().unwrap(),
        };
        Arrival { receipt, effect: Effect::Nothing, jobs: Vec::new(), host: "a.example".to_owned(), weight }
    }

    #[test]
    fn so_many_bytes_wait_and_no_more() {
        let desk = InboxDesk::default();
        let mut told = Vec::new();
        let mut add = |weight: usize| {
            let (done, waits) = oneshot::channel();
            told.push(waits);
            desk.lock().add(arrival(weight), done)
        };
        assert!((0..32).all(|_| add(1 << 20)));
        assert!(!add(1));
        assert_eq!(desk.next().len(), 32);
        assert!(add(1 << 20), "the others are being written");
    }

    #[tokio::test]
    async fn what_stood_in_the_way_is_given_time() {
        for (failures, expected) in [(0, 1), (2, 3), (9, 3)] {
            let mut calls = 0;
            let outcome = patiently(|| {
                calls += 1;
                let is_busy = calls <= failures;
                async move { if is_busy { Err(StoreError::Busy("deadlock detected".into())) } else { Ok(()) } }
            });
            assert_eq!(outcome.await.is_ok(), failures < 3);
            assert_eq!(calls, expected);
        }
        let mut calls = 0;
        let broken = patiently(|| {
            calls += 1;
            async { Err(StoreError::Conflict("message")) }
        });
        assert!(broken.await.is_err());
        assert_eq!(calls, 1);
    }
}
