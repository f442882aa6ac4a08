//! Delivers what is due: many servers at once, each in its own lane.

mod desk;
mod kept;
mod lane;

use crate::Registry;
use artdag_federation::{Delivery, Peer, SignAs, Standing};
use artdag_kernel::{ActivityId, Instant, StoreError, Username};
use chrono::TimeDelta;
use desk::{Report, take_down_reports};
use kept::Kept;
use lane::{Mail, Outgoing};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

/// How long a lane may be held before another worker may have it.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// How often lanes that are still held are renewed.
const RENEW: Duration = Duration::from_secs(10);
/// How many lanes one process holds at once, of each standing in the order of [`Standing::ALL`]. A server that does not
/// answer holds one for 10 seconds, and anybody can make up ten thousand such: those who answer have lanes of their own.
const LANES: [usize; 3] = [192, 96, 96];
/// How many lanes of a standing are claimed at once.
const CLAIM: usize = 64;
/// How many reports wait to be written.
const REPORTS: usize = 256;
/// How many deliveries of a lane are loaded at once.
const PER_LANE: u16 = 32;
/// How many letters are kept at hand, and how long. They never change.
const LETTERS: usize = 64;
const LETTER_MEMORY: TimeDelta = TimeDelta::minutes(1);
/// How many senders' keys are kept at hand, and how long: to ask whether they were replaced costs a look at the disk.
const SIGNERS: usize = 64;
const SIGNER_MEMORY: TimeDelta = TimeDelta::seconds(1);
/// How long mail that other processes handed over waits at most when nobody rings.
const POLL: Duration = Duration::from_secs(1);

/// Delivers what is due, until told to stop: many servers at once, each in its own lane. `holder` names this process.
pub async fn run_courier(registry: Registry, holder: String, mut stop: watch::Receiver<bool>) {
    let (reports, desk) = mpsc::channel(REPORTS);
    let desk = tokio::spawn(take_down_reports(registry.clone(), holder.clone(), desk));
    let courier = Arc::new(Courier {
        registry,
        holder,
        reports,
        letters: Kept::new(LETTERS, LETTER_MEMORY),
        signers: Kept::new(SIGNERS, SIGNER_MEMORY),
        stopping: stop.clone(),
        held: Mutex::default(),
    });
    let mut lanes = JoinSet::new();
    let lane_ended = Arc::new(Notify::new());
    let mut renewal = tokio::time::interval(RENEW);
    loop {
        while lanes.try_join_next().is_some() {}
        let room = courier.room();
        let is_full = room.contains(&0);
        let mut wait = POLL;
        if room != [0; 3] {
            let now = courier.registry.parts.clock.now();
            let until = now + LEASE;
            match courier.claim(room, now, until).await {
                Ok(claimed) => {
                    let count = |standing| claimed.iter().filter(|(peer, _)| peer.standing() == standing).count();
                    // There may be more of those of which there were as many as there was room for.
                    if Standing::ALL.into_iter().zip(room).any(|(standing, room)| room > 0 && count(standing) == room) {
                        wait = Duration::ZERO;
                    }
                    for (peer, mail) in claimed {
                        let (courier, ended) = (Arc::clone(&courier), Arc::clone(&lane_ended));
                        let held = courier.hold(&peer, until);
                        lanes.spawn(async move {
                            let host = peer.host.clone();
                            courier.work_lane(peer, mail, &held).await;
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
            () = lane_ended.notified(), if is_full => {}
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
    letters: Kept<ActivityId, Option<Arc<Outgoing>>>,
    signers: Kept<Username, SignAs>,
    stopping: watch::Receiver<bool>,
    held: Mutex<HashMap<String, Held>>,
}

/// A lane that is held here.
type Held = Arc<Hold>;

struct Hold {
    /// When it was claimed.
    standing: Standing,
    /// When the lease ends, if nothing renews it.
    until: Mutex<Instant>,
    /// Somebody else may hold it by now.
    is_lost: AtomicBool,
}

impl Hold {
    fn until(&self) -> MutexGuard<'_, Instant> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Also where nobody could say that it is lost, because the database is out of reach.
    fn is_good(&self, now: Instant) -> bool {
        !self.is_lost.load(Ordering::SeqCst) && now < *self.until()
    }
}

impl Courier {
    /// How many lanes may be claimed now, of each standing.
    fn room(&self) -> [usize; 3] {
        let mut room = LANES;
        for held in self.held().values() {
            let of_standing = &mut room[held.standing as usize];
            *of_standing = of_standing.saturating_sub(1);
        }
        room.map(|room| room.min(CLAIM))
    }

    /// Takes lanes that are due, until `until`, with their mail.
    async fn claim(&self, room: [usize; 3], now: Instant, until: Instant) -> Result<Vec<(Peer, Mail)>, StoreError> {
        let most = room.map(|room| u16::try_from(room).unwrap_or(u16::MAX));
        let mut unit = self.registry.parts.store.begin().await?;
        let peers = unit.claim_lanes(&self.holder, now, until, most).await?;
        if peers.is_empty() {
            unit.rollback().await?;
            return Ok(Vec::new());
        }
        unit.commit().await?;
        let hosts: Vec<String> = peers.iter().map(|peer| peer.host.clone()).collect();
        let due = self.registry.read().await?.due_deliveries(&hosts, now, PER_LANE).await?;
        let headers = Arc::new(self.registry.synchronization_headers(&due).await?);
        let mut by_host: HashMap<String, Vec<Delivery>> = HashMap::new();
        for delivery in due {
            by_host.entry(delivery.inbox.host().to_owned()).or_default().push(delivery);
        }
        let with_mail = |peer: Peer| {
            let deliveries = by_host.remove(&peer.host).unwrap_or_default();
            (peer, Mail { deliveries, headers: Arc::clone(&headers) })
        };
        Ok(peers.into_iter().map(with_mail).collect())
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a lane is held here until then. If it was already, its lease had run out unnoticed.
    fn hold(&self, peer: &Peer, until: Instant) -> Held {
        let (standing, until) = (peer.standing(), Mutex::new(until));
        let held = Arc::new(Hold { standing, until, is_lost: AtomicBool::new(false) });
        if let Some(before) = self.held().insert(peer.host.clone(), Arc::clone(&held)) {
            before.is_lost.store(true, Ordering::SeqCst);
        }
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
            Ok::<_, StoreError>((kept, until))
        };
        match renewed.await {
            Ok((kept, until)) => {
                let kept: HashSet<String> = kept.into_iter().collect();
                let all = self.held();
                for (host, held) in hosts.iter().filter_map(|host| Some((host, all.get(host)?))) {
                    match kept.contains(host) {
                        true => *held.until() = until,
                        false => held.is_lost.store(true, Ordering::SeqCst),
                    }
                }
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "lanes could not be renewed");
            }
        }
    }
}
