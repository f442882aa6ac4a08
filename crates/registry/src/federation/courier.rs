use super::domain_rules::HostRefused;
use crate::Registry;
use artdag_federation::delivery::{Attempt, GIVE_UP, Permit, Verdict, judge};
use artdag_federation::{Concluded, Delivery, DeliveryState, Iri, Letter, LetterBody, Peer, SignAs, SignatureScheme};
use artdag_kernel::{ActivityId, Instant, StoreError};
use chrono::TimeDelta;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinSet;

/// How long a lane may be held before another worker may have it.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// How often lanes that are still held are renewed.
const RENEW: Duration = Duration::from_secs(10);
/// How many lanes one process holds at once. A server that does not answer holds one for 10 seconds.
const LANES: usize = 256;
/// How many lanes are claimed at once.
const CLAIM: u16 = 64;
/// How many deliveries of a lane are loaded at once.
const PER_LANE: u16 = 32;
/// How many deliveries a fast server gets at once.
const MAX_WIDTH: u16 = 8;
/// A server that answers within this is fast.
const FAST: TimeDelta = TimeDelta::milliseconds(300);
/// How long what a server understands is remembered.
const SCHEME_MEMORY: TimeDelta = TimeDelta::days(7);
/// How many letters are kept at hand.
const LETTERS: usize = 64;
/// How often it is tried to write what lanes report.
const ATTEMPTS: u32 = 5;
/// How long mail that other processes handed over waits at most when nobody rings.
const POLL: Duration = Duration::from_secs(1);

/// Delivers what is due, until told to stop: many servers at once, each in its own lane. `holder` names this process.
pub async fn run_courier(registry: Registry, holder: String, mut stop: watch::Receiver<bool>) {
    let (reports, desk) = mpsc::channel(LANES);
    let desk = tokio::spawn(take_down_reports(registry.clone(), holder.clone(), desk));
    let courier = Arc::new(Courier {
        registry,
        holder,
        reports,
        letters: Mutex::default(),
        stopping: stop.clone(),
        held: Mutex::default(),
    });
    let mut lanes = JoinSet::new();
    let lane_ended = Arc::new(Notify::new());
    let mut renewal = tokio::time::interval(RENEW);
    loop {
        while lanes.try_join_next().is_some() {}
        let free = LANES.saturating_sub(lanes.len());
        let mut wait = POLL;
        if free > 0 {
            match courier.claim(free).await {
                Ok(claimed) => {
                    if claimed.len() == usize::from(CLAIM) {
                        wait = Duration::ZERO;
                    }
                    for (peer, deliveries) in claimed {
                        let (courier, ended) = (Arc::clone(&courier), Arc::clone(&lane_ended));
                        let held = courier.hold(&peer.host);
                        lanes.spawn(async move {
                            let host = peer.host.clone();
                            courier.work_lane(peer, deliveries, &held).await;
                            courier.let_go(&host, &held);
                            ended.notify_one();
                        });
                    }
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "mail could not be looked for");
                }
            }
        }
        tokio::select! {
            () = courier.registry.mailed.notified() => {}
            () = lane_ended.notified(), if lanes.len() >= LANES => {}
            () = tokio::time::sleep(wait) => {}
            _ = renewal.tick() => courier.renew().await,
            () = async { drop(stop.wait_for(|stop| *stop).await) } => break,
        }
    }
    // What is under way ends; lanes stop after that.
    loop {
        tokio::select! {
            ended = lanes.join_next() => {
                if ended.is_none() {
                    break;
                }
            }
            _ = renewal.tick() => courier.renew().await,
        }
    }
    drop(courier);
    if let Err(error) = desk.await {
        tracing::warn!(error = &error as &dyn std::error::Error, "the last deliveries were not taken down");
    }
}

struct Courier {
    registry: Registry,
    holder: String,
    reports: mpsc::Sender<Report>,
    letters: Mutex<HashMap<ActivityId, Arc<Outgoing>>>,
    stopping: watch::Receiver<bool>,
    held: Mutex<HashMap<String, Held>>,
}

/// Whether a lane is still held here.
type Held = Arc<AtomicBool>;

/// What is delivered.
struct Outgoing {
    body: LetterBody,
    /// For its sender's followers, and not for one actor alone.
    to_followers: bool,
}

/// What a lane tells of a delivery, or of its end.
struct Report {
    concluded: Option<Concluded>,
    /// The inbox that is there no more.
    gone: Option<Iri>,
    /// How the server behaved, when the lane is given back.
    released: Option<Peer>,
    done: oneshot::Sender<()>,
}

impl Courier {
    async fn claim(&self, free: usize) -> Result<Vec<(Peer, Vec<Delivery>)>, StoreError> {
        let now = self.registry.parts.clock.now();
        let most = u16::try_from(free).unwrap_or(CLAIM).min(CLAIM);
        let mut unit = self.registry.parts.store.begin().await?;
        let peers = unit.claim_lanes(&self.holder, now, now + LEASE, most).await?;
        if peers.is_empty() {
            unit.rollback().await?;
            return Ok(Vec::new());
        }
        unit.commit().await?;
        let hosts: Vec<String> = peers.iter().map(|peer| peer.host.clone()).collect();
        let due = self.registry.read().await?.due_deliveries(&hosts, now, PER_LANE).await?;
        let mut by_host: HashMap<String, Vec<Delivery>> = HashMap::new();
        for delivery in due {
            by_host.entry(delivery.inbox.host().to_owned()).or_default().push(delivery);
        }
        let with_mail = |peer: Peer| {
            let deliveries = by_host.remove(&peer.host).unwrap_or_default();
            (peer, deliveries)
        };
        Ok(peers.into_iter().map(with_mail).collect())
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a lane is held here. The flag falls when it turns out that it is not any more.
    fn hold(&self, host: &str) -> Held {
        let held: Held = Arc::new(AtomicBool::new(true));
        self.held().insert(host.to_owned(), Arc::clone(&held));
        held
    }

    fn let_go(&self, host: &str, held: &Held) {
        let mut all = self.held();
        // It may be held anew by now, after it was lost.
        if all.get(host).is_some_and(|other| Arc::ptr_eq(other, held)) {
            all.remove(host);
        }
    }

    /// Keeps the lanes that are worked off; whoever works one that is lost stops.
    async fn renew(&self) {
        let hosts: Vec<String> = self.held().keys().cloned().collect();
        if hosts.is_empty() {
            return;
        }
        let renewed = async {
            let mut unit = self.registry.parts.store.begin().await?;
            let until = self.registry.parts.clock.now() + LEASE;
            let kept = unit.renew_lanes(&self.holder, &hosts, until).await?;
            unit.commit().await?;
            Ok::<_, StoreError>(kept)
        };
        match renewed.await {
            Ok(kept) => {
                let lost = hosts.iter().filter(|host| !kept.contains(host));
                let all = self.held();
                lost.filter_map(|host| all.get(host)).for_each(|held| held.store(false, Ordering::SeqCst));
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "lanes could not be renewed");
            }
        }
    }

    /// Whether a lane is to be worked off further.
    fn goes_on(&self, held: &Held) -> bool {
        held.load(Ordering::SeqCst) && !*self.stopping.borrow()
    }

    /// Delivers what a server is due, and gives the lane back.
    async fn work_lane(&self, mut peer: Peer, mut deliveries: Vec<Delivery>, held: &Held) {
        loop {
            let full = deliveries.len() >= usize::from(PER_LANE);
            self.deliver_all(&mut peer, deliveries, held).await;
            if !full || peer.breaker.open_until.is_some() || !self.goes_on(held) {
                break;
            }
            let now = self.registry.parts.clock.now();
            let hosts = [peer.host.clone()];
            let next = async { self.registry.read().await?.due_deliveries(&hosts, now, PER_LANE).await }.await;
            deliveries = match next {
                Ok(next) => next,
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, host = peer.host, "a lane's mail could not be read");
                    break;
                }
            };
        }
        self.report(None, None, Some(peer)).await;
    }

    /// Waits until it is written, or cannot be: then the lease runs out, and it is done again.
    async fn report(&self, concluded: Option<Concluded>, gone: Option<Iri>, released: Option<Peer>) {
        let (done, written) = oneshot::channel();
        if self.reports.send(Report { concluded, gone, released, done }).await.is_ok() {
            let _ = written.await;
        }
    }

    /// Works off deliveries to one server: those for one inbox one after the other, several inboxes at once if the
    /// server is fast. Of an inbox whose delivery fails the rest waits, so that the order stays.
    async fn deliver_all(&self, peer: &mut Peer, deliveries: Vec<Delivery>, held: &Held) {
        match self.registry.check_host(&peer.host).await {
            Ok(()) => {}
            Err(HostRefused::Shunned(reason)) => {
                let now = self.registry.parts.clock.now();
                for delivery in &deliveries {
                    let refused = conclude(delivery, DeliveryState::Failed, now, None, Some(reason.to_string()), false);
                    self.report(Some(refused), None, None).await;
                }
                return;
            }
            Err(HostRefused::Store(_)) => return,
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
        let mut probed = false;
        loop {
            let now = self.registry.parts.clock.now();
            let width = match peer.breaker.permit(now) {
                Permit::Open => usize::from(peer.width.clamp(1, MAX_WIDTH)),
                Permit::Probe if !probed => 1,
                Permit::Probe | Permit::Wait(_) => 0,
            };
            while under_way.len() < width && self.goes_on(held) {
                let Some(mut inbox) = waiting.next() else { break };
                if peer.breaker.open_until.is_some() {
                    probed = true;
                    inbox.truncate(1);
                }
                let known = peer.scheme.filter(|(_, since)| now - *since < SCHEME_MEMORY).map(|(scheme, _)| scheme);
                under_way.push(self.deliver_inbox(inbox, known, held));
            }
            let Some(run) = under_way.next().await else { break };
            self.learn(peer, &run);
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
    /// the next goes: whoever is cut off repeats what was under way, and nothing else.
    async fn deliver_inbox(&self, deliveries: Vec<Delivery>, known: Option<SignatureScheme>, held: &Held) -> InboxRun {
        let mut run = InboxRun { scheme: known, ..InboxRun::default() };
        for delivery in deliveries {
            let (concluded, then) = if run.gone {
                let (now, error) = (self.registry.parts.clock.now(), Some("the inbox is gone".to_owned()));
                (conclude(&delivery, DeliveryState::Failed, now, None, error, false), Then::GoOn)
            } else {
                self.deliver_one(&delivery, &mut run).await
            };
            let gone = (then == Then::Forget).then(|| delivery.inbox.clone());
            self.report(Some(concluded), gone, None).await;
            if then == Then::Wait || !self.goes_on(held) {
                break;
            }
        }
        run
    }

    async fn deliver_one(&self, delivery: &Delivery, run: &mut InboxRun) -> (Concluded, Then) {
        let started = self.registry.parts.clock.now();
        let (attempt, scheme) = match self.letter(delivery).await {
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
    async fn letter(&self, delivery: &Delivery) -> Result<Option<(Letter, SignAs)>, String> {
        let Some(outgoing) = self.outgoing(delivery.activity).await.map_err(|error| error.to_string())? else {
            return Ok(None);
        };
        let sign_as = self.registry.sign_as_user(&delivery.sender).await.map_err(|error| error.to_string())?;
        let synchronization = if outgoing.to_followers {
            let header = self.registry.synchronization_header(&delivery.sender, &delivery.inbox).await;
            Some(header.map_err(|error| error.to_string())?)
        } else {
            None
        };
        let letter = Letter { inbox: delivery.inbox.clone(), body: outgoing.body.clone(), synchronization };
        Ok(Some((letter, sign_as)))
    }

    async fn outgoing(&self, id: ActivityId) -> Result<Option<Arc<Outgoing>>, StoreError> {
        let known = self.letters.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let mut reader = self.registry.read().await?;
        let (document, to_followers) = match reader.find_activity(id).await? {
            Some(activity) => (activity.document, true),
            None => match reader.find_message(id).await? {
                Some(message) => (message.document, false),
                None => return Ok(None),
            },
        };
        let outgoing = Arc::new(Outgoing { body: document.as_str().into(), to_followers });
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        if letters.len() >= LETTERS {
            letters.clear();
        }
        letters.insert(id, Arc::clone(&outgoing));
        Ok(Some(outgoing))
    }
}

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

/// Writes what lanes report, many reports in one unit of work.
async fn take_down_reports(registry: Registry, holder: String, mut desk: mpsc::Receiver<Report>) {
    while let Some(first) = desk.recv().await {
        let mut reports = vec![first];
        while reports.len() < LANES
            && let Ok(more) = desk.try_recv()
        {
            reports.push(more);
        }
        for attempt in 1..=ATTEMPTS {
            match write(&registry, &holder, &reports).await {
                Ok(()) => break,
                Err(error) if attempt == ATTEMPTS => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "deliveries were not taken down; they will be made again"
                    );
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(200) * attempt).await,
            }
        }
        let released = reports.iter().any(|report| report.released.is_some());
        for report in reports {
            // The lane waits for it, if it was not cut off.
            let _ = report.done.send(());
        }
        if released {
            registry.mailed.notify_one();
        }
    }
}

async fn write(registry: &Registry, holder: &str, reports: &[Report]) -> Result<(), StoreError> {
    let now = registry.parts.clock.now();
    let mut unit = registry.parts.store.begin().await?;
    let concluded: Vec<Concluded> = reports.iter().filter_map(|report| report.concluded.clone()).collect();
    unit.conclude_deliveries(&concluded).await?;
    for inbox in reports.iter().filter_map(|report| report.gone.as_ref()) {
        unit.remove_followers_at_inbox(inbox).await?;
    }
    // In one order, so that two processes cannot wait for each other.
    let mut released: Vec<&Peer> = reports.iter().filter_map(|report| report.released.as_ref()).collect();
    released.sort_by(|a, b| a.host.cmp(&b.host));
    for peer in released {
        unit.release_lane(holder, peer, now).await?;
    }
    unit.commit().await
}
