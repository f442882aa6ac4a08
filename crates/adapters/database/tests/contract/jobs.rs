use crate::world::{Db, World, first_page};
use artdag_kernel::{Cursor, Page, PageLimit, Position};
use artdag_registry::{JobState, Lane, QueuedJob};
use chrono::TimeDelta;
use std::collections::BTreeSet;

const LEASE: TimeDelta = TimeDelta::seconds(60);

/// A job that is due at once, a second younger than the one before.
fn job(world: &World, kind: &str, key: Option<&str>) -> QueuedJob {
    world.wait(1);
    QueuedJob {
        id: world.id(),
        kind: kind.to_owned(),
        payload: "{\"ü\":\"\\u0000\"}".to_owned(),
        lane: Lane::Own,
        subject: None,
        key: key.map(ToOwned::to_owned),
        state: JobState::Waiting,
        attempts: 0,
        run_at: world.now(),
        created_at: world.now(),
        last_error: None,
    }
}

async fn push(store: &Db, job: &QueuedJob) -> bool {
    let mut unit = store.begin().await.unwrap();
    let pushed = unit.push_job(job).await.unwrap();
    unit.commit().await.unwrap();
    pushed
}

async fn claim(store: &Db, world: &World, holder: &str, limit: u16) -> Vec<QueuedJob> {
    let mut unit = store.begin().await.unwrap();
    let jobs = unit.claim_jobs(holder, Lane::Own, world.now(), world.now() + LEASE, limit).await.unwrap();
    unit.commit().await.unwrap();
    jobs
}

async fn all(store: &Db) -> Vec<QueuedJob> {
    store.read().await.unwrap().list_jobs(None, first_page()).await.unwrap().items
}

fn kinds(jobs: &[QueuedJob]) -> Vec<&str> {
    jobs.iter().map(|job| job.kind.as_str()).collect()
}

pub(crate) async fn are_listed_newest_first(store: Db) {
    let world = World::new();
    let jobs = ["a", "b", "c"].map(|kind| job(&world, kind, None));
    for job in jobs.iter().rev() {
        assert!(push(&store, job).await);
    }
    let running = claim(&store, &world, "w", 1).await.remove(0);
    assert_eq!(all(&store).await, [jobs[2].clone(), jobs[1].clone(), running.clone()]);
    let mut reader = store.read().await.unwrap();
    let waiting = reader.list_jobs(Some(JobState::Waiting), first_page()).await.unwrap();
    assert_eq!(kinds(&waiting.items), ["c", "b"]);
    assert_eq!(reader.list_jobs(Some(JobState::Running), first_page()).await.unwrap().items, [running]);
    assert_eq!(reader.list_jobs(Some(JobState::Dead), first_page()).await.unwrap().items, []);
    assert_eq!(reader.count_jobs().await.unwrap(), [2, 1, 0]);

    let behind = Cursor { at: jobs[2].created_at, id: jobs[2].id };
    let page = Page { limit: PageLimit::new(1).unwrap(), position: Position::OlderThan(behind) };
    let slice = reader.list_jobs(None, page).await.unwrap();
    assert_eq!((kinds(&slice.items), slice.has_older), (vec!["b"], true));
}

pub(crate) async fn are_claimed_longest_due_first_and_not_before_their_time(store: Db) {
    let world = World::new();
    let now = world.now();
    for (kind, seconds) in [("later", 100), ("third", 7), ("first", -60), ("second", 3)] {
        let due = QueuedJob { run_at: now + TimeDelta::seconds(seconds), ..job(&world, kind, None) };
        assert!(push(&store, &due).await);
    }
    world.wait(10);
    assert!(claim(&store, &world, "w", 0).await.is_empty());
    let claimed = claim(&store, &world, "w", 2).await;
    assert_eq!(kinds(&claimed), ["first", "second"]);
    for job in &claimed {
        assert_eq!((job.state, job.attempts, job.run_at), (JobState::Running, 1, world.now() + LEASE));
    }
    assert_eq!(kinds(&claim(&store, &world, "x", 10).await), ["third"]);
    assert!(claim(&store, &world, "x", 10).await.is_empty());
}

pub(crate) async fn of_one_lane_wait_for_none_of_the_other(store: Db) {
    let world = World::new();
    for n in 0..3 {
        push(&store, &QueuedJob { lane: Lane::Peers, ..job(&world, &format!("peer {n}"), None) }).await;
    }
    let own = job(&world, "own", None);
    push(&store, &own).await;
    assert_eq!(kinds(&claim(&store, &world, "w", 2).await), ["own"]);
    let mut unit = store.begin().await.unwrap();
    let claimed = unit.claim_jobs("w", Lane::Peers, world.now(), world.now() + LEASE, 2).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(kinds(&claimed), ["peer 0", "peer 1"]);
    assert_eq!(claimed[0].lane, Lane::Peers);
    let left = all(&store).await.into_iter().find(|job| job.kind == "peer 2").unwrap();
    assert_eq!((left.state, left.attempts), (JobState::Waiting, 0));
}

pub(crate) async fn are_counted_by_what_they_are_about(store: Db) {
    let world = World::new();
    let about = |kind: &str, subject: &str| QueuedJob { subject: Some(subject.to_owned()), ..job(&world, kind, None) };
    for job in [about("a", "x"), about("a", "x"), about("a", "y"), about("b", "x"), job(&world, "a", None)] {
        push(&store, &job).await;
    }
    let dead = about("a", "x");
    let mut unit = store.begin().await.unwrap();
    unit.push_job(&dead).await.unwrap();
    for job in unit.claim_jobs("w", Lane::Own, world.now(), world.now() + LEASE, 50).await.unwrap() {
        if job.id == dead.id {
            unit.bury_job(job.id, "w", "gone").await.unwrap();
        }
    }
    unit.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    for (kind, subject, at_most, expected) in [
        ("a", Some("x"), 10, 2),
        ("a", Some("x"), 1, 1),
        ("a", None, 10, 3),
        ("a", None, 2, 2),
        ("b", Some("y"), 10, 0),
    ] {
        assert_eq!(reader.count_jobs_about(kind, subject, at_most).await.unwrap(), expected, "{kind} {subject:?}");
    }
}

/// However many others are between them.
pub(crate) async fn pushed_earlier_about_the_same_are_found_oldest_first(store: Db) {
    let world = World::new();
    let about = |kind: &str, subject: &str| QueuedJob { subject: Some(subject.to_owned()), ..job(&world, kind, None) };
    let mut unit = store.begin().await.unwrap();
    let mut earlier = Vec::new();
    for _ in 0..3 {
        earlier.push(about("fan-out", "giles"));
        unit.push_job(earlier.last().unwrap()).await.unwrap();
        for n in 0..100 {
            let other = if n % 2 == 0 { about("fan-out", "eve") } else { about("fetch", "giles") };
            unit.push_job(&other).await.unwrap();
        }
    }
    let (this, later) = (about("fan-out", "giles"), about("fan-out", "giles"));
    unit.push_job(&this).await.unwrap();
    unit.push_job(&later).await.unwrap();
    unit.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.earlier_jobs(&this, None, 50).await.unwrap(), earlier);
    let first = reader.earlier_jobs(&this, None, 2).await.unwrap();
    assert_eq!(first, earlier[..2]);
    let after = Cursor { at: first[1].created_at, id: first[1].id };
    assert_eq!(reader.earlier_jobs(&this, Some(after), 2).await.unwrap(), earlier[2..]);
    assert_eq!(reader.earlier_jobs(&earlier[0], None, 50).await.unwrap(), []);
    assert_eq!(reader.earlier_jobs(&job(&world, "fan-out", None), None, 50).await.unwrap(), []);
}

/// As after the kill of a worker.
pub(crate) async fn go_to_another_when_the_lease_ends(store: Db) {
    let world = World::new();
    let job = job(&world, "a", None);
    push(&store, &job).await;
    assert_eq!(claim(&store, &world, "one", 1).await.len(), 1);
    world.wait(59);
    assert!(claim(&store, &world, "other", 1).await.is_empty());
    let mut unit = store.begin().await.unwrap();
    assert!(unit.renew_job(job.id, "one", world.now() + LEASE).await.unwrap());
    assert!(!unit.renew_job(job.id, "other", world.now() + LEASE).await.unwrap());
    unit.commit().await.unwrap();
    world.wait(59);
    assert!(claim(&store, &world, "other", 1).await.is_empty(), "it was renewed");
    world.wait(1);
    assert_eq!(claim(&store, &world, "other", 1).await[0].attempts, 2);

    let mut unit = store.begin().await.unwrap();
    assert!(!unit.renew_job(job.id, "one", world.now()).await.unwrap());
    assert!(!unit.finish_job(job.id, "one").await.unwrap());
    assert!(!unit.postpone_job(job.id, "one", world.now(), 0, None).await.unwrap());
    assert!(!unit.bury_job(job.id, "one", "?").await.unwrap());
    assert!(unit.finish_job(job.id, "other").await.unwrap());
    assert!(!unit.finish_job(job.id, "other").await.unwrap());
    unit.commit().await.unwrap();
    assert_eq!(all(&store).await, []);
}

pub(crate) async fn can_be_postponed(store: Db) {
    let world = World::new();
    let job = job(&world, "a", Some("k"));
    push(&store, &job).await;
    claim(&store, &world, "w", 1).await;
    let later = world.now() + TimeDelta::seconds(30);
    let mut unit = store.begin().await.unwrap();
    assert!(unit.postpone_job(job.id, "w", later, 1, Some("no route")).await.unwrap());
    assert!(!unit.postpone_job(job.id, "w", later, 1, None).await.unwrap(), "nobody holds it now");
    unit.commit().await.unwrap();
    let waiting = QueuedJob { run_at: later, attempts: 1, last_error: Some("no route".to_owned()), ..job.clone() };
    assert_eq!(all(&store).await, [waiting]);
    world.wait(29);
    assert!(claim(&store, &world, "w", 1).await.is_empty());
    world.wait(1);
    assert_eq!(claim(&store, &world, "w", 1).await[0].attempts, 2);
    let mut unit = store.begin().await.unwrap();
    assert!(unit.postpone_job(job.id, "w", later, 0, None).await.unwrap());
    unit.commit().await.unwrap();
    assert_eq!(all(&store).await, [QueuedJob { run_at: later, ..job }]);
}

pub(crate) async fn can_be_buried_and_revived(store: Db) {
    let world = World::new();
    let jobs = ["a", "b", "c"].map(|kind| job(&world, kind, None));
    for job in &jobs {
        push(&store, job).await;
    }
    claim(&store, &world, "w", 2).await;
    let mut unit = store.begin().await.unwrap();
    for job in &jobs[..2] {
        assert!(unit.bury_job(job.id, "w", "gone").await.unwrap());
    }
    assert!(!unit.bury_job(jobs[2].id, "w", "gone").await.unwrap(), "it waits");
    assert_eq!(unit.count_jobs().await.unwrap(), [1, 0, 2]);
    unit.commit().await.unwrap();
    world.wait(1000);
    assert_eq!(kinds(&claim(&store, &world, "w", 10).await), ["c"], "dead ones do not come back by themselves");

    let mut unit = store.begin().await.unwrap();
    assert_eq!(unit.revive_jobs(Some(jobs[2].id), world.now()).await.unwrap(), 0, "it is not dead");
    assert_eq!(unit.revive_jobs(Some(jobs[0].id), world.now()).await.unwrap(), 1);
    assert_eq!(unit.revive_jobs(None, world.now()).await.unwrap(), 1);
    assert_eq!(unit.revive_jobs(None, world.now()).await.unwrap(), 0);
    unit.commit().await.unwrap();
    let revived = claim(&store, &world, "w", 10).await;
    assert_eq!(kinds(&revived), ["a", "b"]);
    assert_eq!((revived[0].attempts, revived[0].last_error.as_deref()), (1, Some("gone")));
}

pub(crate) async fn exist_once_for_a_key(store: Db) {
    let world = World::new();
    let first = job(&world, "first", Some("k"));
    let mut unit = store.begin().await.unwrap();
    assert!(unit.push_job(&first).await.unwrap());
    assert!(!unit.push_job(&first).await.unwrap());
    assert!(!unit.push_job(&job(&world, "second", Some("k"))).await.unwrap());
    assert!(unit.push_job(&job(&world, "other", Some("l"))).await.unwrap(), "the unit is still good");
    unit.commit().await.unwrap();
    claim(&store, &world, "w", 1).await;
    assert!(!push(&store, &job(&world, "second", Some("k"))).await, "it is running");

    let mut unit = store.begin().await.unwrap();
    assert!(unit.bury_job(first.id, "w", "gone").await.unwrap());
    unit.commit().await.unwrap();
    let third = job(&world, "third", Some("k"));
    assert!(push(&store, &third).await, "a dead one is replaced");
    assert!(!push(&store, &job(&world, "fourth", Some("k"))).await);
    let jobs = all(&store).await;
    assert_eq!(kinds(&jobs), ["third", "other"]);
    assert_eq!(jobs[0], third);

    assert_eq!(claim(&store, &world, "w", 10).await.len(), 2);
    let mut unit = store.begin().await.unwrap();
    assert!(unit.finish_job(third.id, "w").await.unwrap());
    unit.commit().await.unwrap();
    assert!(push(&store, &job(&world, "fifth", Some("k"))).await, "a finished one is gone");
}

pub(crate) async fn are_there_only_after_the_commit(store: Db) {
    let world = World::new();
    let mut unit = store.begin().await.unwrap();
    assert!(unit.push_job(&job(&world, "a", Some("k"))).await.unwrap());
    unit.rollback().await.unwrap();
    assert!(claim(&store, &world, "w", 1).await.is_empty());
    push(&store, &job(&world, "b", Some("k"))).await;
    let mut unit = store.begin().await.unwrap();
    assert_eq!(unit.claim_jobs("w", Lane::Own, world.now(), world.now() + LEASE, 1).await.unwrap().len(), 1);
    unit.rollback().await.unwrap();
    assert_eq!(claim(&store, &world, "x", 1).await[0].attempts, 1, "the claim was taken back");
}

pub(crate) async fn are_shared_by_workers_without_one_done_twice_or_lost(store: Db) {
    let world = World::new();
    let jobs: Vec<_> = (0..200).map(|n| job(&world, &n.to_string(), None)).collect();
    let mut unit = store.begin().await.unwrap();
    for job in &jobs {
        unit.push_job(job).await.unwrap();
    }
    unit.commit().await.unwrap();
    let now = world.now();
    let worker = |holder: &'static str| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut done = Vec::new();
            loop {
                let mut unit = store.begin().await.unwrap();
                let claimed = unit.claim_jobs(holder, Lane::Own, now, now + LEASE, 7).await.unwrap();
                // While this claim is not committed, others must pass over it.
                tokio::task::yield_now().await;
                unit.commit().await.unwrap();
                if claimed.is_empty() {
                    return done;
                }
                let mut unit = store.begin().await.unwrap();
                for job in claimed {
                    assert!(unit.finish_job(job.id, holder).await.unwrap());
                    done.push(job.id);
                }
                unit.commit().await.unwrap();
            }
        })
    };
    let (one, other) = (worker("one"), worker("other"));
    let mut done = one.await.unwrap();
    done.extend(other.await.unwrap());
    assert_eq!(done.len(), 200);
    assert_eq!(done.into_iter().collect::<BTreeSet<_>>(), jobs.iter().map(|job| job.id).collect());
    assert_eq!(all(&store).await, []);
}

pub(crate) async fn pushed_by_many_with_one_key_are_one(store: Db) {
    let world = World::new();
    let pushes = (0..20).map(|n| {
        let (store, job) = (store.clone(), job(&world, &n.to_string(), Some("k")));
        tokio::spawn(async move { push(&store, &job).await })
    });
    let mut pushed = 0;
    for push in pushes.collect::<Vec<_>>() {
        pushed += usize::from(push.await.unwrap());
    }
    assert_eq!(pushed, 1);
    assert_eq!(all(&store).await.len(), 1);
}
