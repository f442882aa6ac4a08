//! What is done for one server while its lane is held.

use super::desk::Outcome;
use super::{Courier, Held, PER_LANE};
use crate::federation::domain_rules::HostRefused;
use crate::federation::synchronize::SynchronizationHeaders;
use artdag_federation::delivery::{Attempt, GIVE_UP, Permit, Verdict, judge};
use artdag_federation::{Concluded, Delivery, DeliveryState, Letter, LetterBody, Peer, SignAs, SignatureScheme};
use artdag_kernel::{ActivityId, Instant, StoreError};
use chrono::TimeDelta;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::sync::Arc;

/// How many deliveries a fast server gets at once.
const MAX_WIDTH: u16 = 8;
/// A server that answers within this is fast.
const FAST: TimeDelta = TimeDelta::milliseconds(300);
/// How long what a server understands is remembered.
const SCHEME_MEMORY: TimeDelta = TimeDelta::days(7);

/// What is delivered.
pub(super) struct Outgoing {
    body: LetterBody,
    /// For its sender's followers, and not for one actor alone.
    to_followers: bool,
}

/// What a server is due, and what goes along with it.
pub(super) struct Mail {
    pub(super) deliveries: Vec<Delivery>,
    pub(super) headers: Arc<SynchronizationHeaders>,
}

impl Courier {
    /// Whether a lane is to be worked off further.
    fn goes_on(&self, held: &Held) -> bool {
        held.is_good(self.registry.parts.clock.now()) && !*self.stopping.borrow()
    }

    /// Delivers what a server is due, and gives the lane back.
    pub(super) async fn work_lane(&self, mut peer: Peer, mut mail: Mail, held: &Held) {
        let last = loop {
            let full = mail.deliveries.len() >= usize::from(PER_LANE);
            let Ok(last) = self.deliver_all(&mut peer, mail, held, !full).await else { return };
            if !full || peer.breaker.open_until.is_some() || !self.goes_on(held) {
                break last;
            }
            mail = match self.next_mail(&peer.host).await {
                Ok(next) => next,
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, host = peer.host, "a lane's mail could not be read");
                    break last;
                }
            };
        };
        self.report(last, Some(peer)).await;
    }

    async fn next_mail(&self, host: &str) -> Result<Mail, StoreError> {
        let now = self.registry.parts.clock.now();
        let deliveries = self.registry.read().await?.due_deliveries(&[host.to_owned()], now, PER_LANE).await?;
        let headers = self.registry.synchronization_headers(&deliveries).await?;
        Ok(Mail { deliveries, headers: Arc::new(headers) })
    }

    /// Works off deliveries to one server: those for one inbox one after the other, several inboxes at once if the
    /// server is fast. Of an inbox whose delivery fails the rest waits, so that the order stays. If the lane ends with
    /// this mail, what came of the last delivery may be left to be taken down along with that: most lanes have one.
    async fn deliver_all(
        &self,
        peer: &mut Peer,
        mail: Mail,
        held: &Held,
        ends: bool,
    ) -> Result<Option<Outcome>, Unwritten> {
        let Mail { deliveries, headers } = mail;
        match self.registry.check_host(&peer.host).await {
            Ok(()) => {}
            Err(HostRefused::Shunned(reason)) => {
                let now = self.registry.parts.clock.now();
                for delivery in &deliveries {
                    let refused = conclude(delivery, DeliveryState::Failed, now, None, Some(reason.to_string()), false);
                    if !self.report(Some(Outcome { concluded: refused, gone: None }), None).await {
                        return Err(Unwritten);
                    }
                }
                return Ok(None);
            }
            Err(HostRefused::Store(_)) => return Ok(None),
        }
        let mut inboxes: Vec<Vec<Delivery>> = Vec::new();
        for delivery in deliveries {
            match inboxes.iter_mut().find(|inbox| inbox.first().is_some_and(|first| first.inbox == delivery.inbox)) {
                Some(inbox) => inbox.push(delivery),
                None => inboxes.push(vec![delivery]),
            }
        }
        let mut waiting = inboxes.into_iter();
        let mut under_way = FuturesUnordered::new();
        let (mut probed, mut outcome) = (false, Ok(None));
        loop {
            let now = self.registry.parts.clock.now();
            let width = match peer.breaker.permit(now) {
                Permit::Open => usize::from(peer.width.clamp(1, MAX_WIDTH)),
                Permit::Probe if !probed => 1,
                Permit::Probe | Permit::Wait(_) => 0,
            };
            while under_way.len() < width && outcome.is_ok() && self.goes_on(held) {
                let Some(mut inbox) = waiting.next() else { break };
                if peer.breaker.open_until.is_some() {
                    probed = true;
                    inbox.truncate(1);
                }
                let known = peer.scheme.filter(|(_, since)| now - *since < SCHEME_MEMORY).map(|(scheme, _)| scheme);
                let is_last = ends && under_way.is_empty() && waiting.len() == 0;
                under_way.push(self.deliver_inbox(inbox, &headers, known, held, is_last));
            }
            let Some((run, last)) = under_way.next().await else { return outcome };
            self.learn(peer, &run);
            outcome = outcome.and(last);
        }
    }

    /// What a server's answers say about it.
    fn learn(&self, peer: &mut Peer, run: &InboxRun) {
        let now = self.registry.parts.clock.now();
        match run.scheme {
            Some(scheme) if peer.scheme.is_none_or(|(known, since)| known != scheme || now - since > SCHEME_MEMORY) => {
                peer.scheme = Some((scheme, now));
            }
            None if run.unauthorized => peer.scheme = None,
            _ => {}
        }
        if let Some(error) = &run.outage {
            peer.breaker = peer.breaker.failed(now);
            peer.width = 1;
            peer.last_error = Some(error.clone());
        } else if run.answered {
            peer.breaker = peer.breaker.succeeded();
            if run.delivered {
                peer.last_success_at = Some(now);
            }
            let double = peer.width.saturating_mul(2).min(MAX_WIDTH);
            peer.width = if run.slowest <= FAST { double } else { 1 };
        }
    }

    /// Delivers to one inbox, one after the other, until one fails that is to be tried again. Each is taken down before
    /// the next goes: whoever is cut off repeats what was under way, and nothing else. What came of the last one is left
    /// to the caller if nothing else is done for the server.
    async fn deliver_inbox(
        &self,
        deliveries: Vec<Delivery>,
        headers: &SynchronizationHeaders,
        known: Option<SignatureScheme>,
        held: &Held,
        is_last: bool,
    ) -> (InboxRun, Result<Option<Outcome>, Unwritten>) {
        let mut run = InboxRun { scheme: known, ..InboxRun::default() };
        let mut deliveries = deliveries.into_iter();
        while let Some(delivery) = deliveries.next() {
            let (concluded, then) = if run.gone {
                let (now, error) = (self.registry.parts.clock.now(), Some("the inbox is gone".to_owned()));
                (conclude(&delivery, DeliveryState::Failed, now, None, error, false), Then::GoOn)
            } else {
                self.deliver_one(&delivery, headers, &mut run).await
            };
            let gone = (then == Then::Forget).then_some(delivery.inbox);
            let outcome = Outcome { concluded, gone };
            let ends = deliveries.len() == 0 || then == Then::Wait || !self.goes_on(held);
            if ends && is_last {
                return (run, Ok(Some(outcome)));
            }
            if !self.report(Some(outcome), None).await {
                return (run, Err(Unwritten));
            }
            if ends {
                break;
            }
        }
        (run, Ok(None))
    }

    async fn deliver_one(
        &self,
        delivery: &Delivery,
        headers: &SynchronizationHeaders,
        run: &mut InboxRun,
    ) -> (Concluded, Then) {
        let started = self.registry.parts.clock.now();
        let (attempt, scheme) = match self.letter(delivery, headers).await {
            Ok(Some((letter, sign_as))) => {
                let handover = self.registry.parts.peers.deliver(&letter, &sign_as, run.scheme).await;
                (handover.attempt, handover.scheme)
            }
            Ok(None) => (Attempt::Forbidden("there is no such activity".to_owned()), run.scheme),
            Err(error) => {
                // Our own fault: it says nothing about the other server.
                let again = started + TimeDelta::minutes(1);
                let state =
                    if again > delivery.created_at + GIVE_UP { DeliveryState::Failed } else { DeliveryState::Waiting };
                return (conclude(delivery, state, again, None, Some(error), false), Then::Wait);
            }
        };
        let now = self.registry.parts.clock.now();
        let mut chance = [0; 2];
        self.registry.parts.randomness.fill(&mut chance);
        let verdict = judge(&attempt, delivery.attempts + 1, delivery.created_at, now, u16::from_le_bytes(chance));
        let (status, error) = (status(&attempt), attempt.error());
        run.scheme = scheme;
        run.unauthorized |= matches!(status, Some(401 | 403));
        if attempt.is_outage() {
            run.outage = error.clone().or_else(|| Some("no answer".to_owned()));
        } else if status.is_some() {
            run.answered = true;
            run.slowest = run.slowest.max(now - started);
        }
        run.delivered |= verdict == Verdict::Delivered;
        let (state, next_at, then) = match verdict {
            Verdict::Delivered => (DeliveryState::Delivered, now, Then::GoOn),
            Verdict::Again(at) => (DeliveryState::Waiting, at, Then::Wait),
            Verdict::Refused => (DeliveryState::Failed, now, Then::GoOn),
            Verdict::Expired => (DeliveryState::Failed, now, Then::Wait),
            Verdict::Gone => {
                run.gone = true;
                (DeliveryState::Failed, now, Then::Forget)
            }
        };
        let (activity, inbox) = (delivery.activity, &delivery.inbox);
        tracing::debug!(%activity, %inbox, state = state.as_str(), error, "tried a delivery");
        (conclude(delivery, state, next_at, status, error, true), then)
    }

    /// What is sent; `None` when there is no such activity any more.
    async fn letter(
        &self,
        delivery: &Delivery,
        headers: &SynchronizationHeaders,
    ) -> Result<Option<(Letter, SignAs)>, String> {
        let now = self.registry.parts.clock.now();
        let outgoing = self.letters.get(&delivery.activity, now, self.outgoing(delivery.activity));
        let Some(outgoing) = outgoing.await.map_err(|error| error.to_string())? else {
            return Ok(None);
        };
        let sign_as = self.signers.get(&delivery.sender, now, self.registry.sign_as_user(&delivery.sender));
        let sign_as = sign_as.await.map_err(|error| error.to_string())?;
        let synchronization = headers.of(delivery).filter(|_| outgoing.to_followers).cloned();
        let letter = Letter { inbox: delivery.inbox.clone(), body: outgoing.body.clone(), synchronization };
        Ok(Some((letter, sign_as)))
    }

    async fn outgoing(&self, id: ActivityId) -> Result<Option<Arc<Outgoing>>, StoreError> {
        let mut reader = self.registry.read().await?;
        let (document, to_followers) = match reader.find_activity(id).await? {
            Some(activity) => (activity.document, true),
            None => match reader.find_message(id).await? {
                Some(message) => (message.document, false),
                None => return Ok(None),
            },
        };
        Ok(Some(Arc::new(Outgoing { body: document.as_str().into(), to_followers })))
    }
}

/// What came of a delivery could not be taken down: the lane is left as it is, until its lease has run out.
struct Unwritten;

/// What came of the deliveries to one inbox.
#[derive(Default)]
struct InboxRun {
    gone: bool,
    delivered: bool,
    scheme: Option<SignatureScheme>,
    unauthorized: bool,
    answered: bool,
    outage: Option<String>,
    slowest: TimeDelta,
}

/// What follows for the rest of an inbox's mail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    GoOn,
    /// The next would overtake, or meet the same outage.
    Wait,
    /// There is no such inbox any more.
    Forget,
}

fn status(attempt: &Attempt) -> Option<u16> {
    match attempt {
        Attempt::Answered { status, .. } => Some(*status),
        Attempt::Unreachable(_) | Attempt::Forbidden(_) => None,
    }
}

fn conclude(
    delivery: &Delivery,
    state: DeliveryState,
    next_at: Instant,
    status: Option<u16>,
    error: Option<String>,
    attempted: bool,
) -> Concluded {
    let Delivery { activity, inbox, .. } = delivery;
    Concluded { activity: *activity, inbox: inbox.clone(), state, next_at, status, error, attempted }
}
