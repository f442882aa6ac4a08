//! Where lanes report what came of their deliveries, so that many are written down together.

use super::{Courier, REPORTS};
use crate::Registry;
use artdag_federation::{Concluded, Iri, Peer};
use artdag_kernel::StoreError;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How often it is tried to write what lanes report.
const ATTEMPTS: u32 = 5;

/// While many report, those who come within this share a commit. It is short beside what a delivery takes.
const GATHER: Duration = Duration::from_millis(8);

/// What came of a delivery.
pub(super) struct Outcome {
    pub(super) concluded: Concluded,
    /// The inbox that is there no more.
    pub(super) gone: Option<Iri>,
}

/// What a lane tells of a delivery, or of its end, or of both.
pub(super) struct Report {
    outcome: Option<Outcome>,
    /// How the server behaved, when the lane is given back.
    released: Option<Peer>,
    done: oneshot::Sender<bool>,
}

impl Courier {
    /// Waits until it is written, and says whether it is. What is not is done again when the lease has run out, and so
    /// is all that comes after it: the lane is to stop.
    pub(super) async fn report(&self, outcome: Option<Outcome>, released: Option<Peer>) -> bool {
        let (done, written) = oneshot::channel();
        self.reports.send(Report { outcome, released, done }).await.is_ok() && written.await.unwrap_or(false)
    }
}

/// Writes what lanes report, many reports in one unit of work.
pub(super) async fn take_down_reports(registry: Registry, holder: String, mut desk: mpsc::Receiver<Report>) {
    let mut many = false;
    while let Some(first) = desk.recv().await {
        if many {
            tokio::time::sleep(GATHER).await;
        }
        let mut reports = vec![first];
        while reports.len() < REPORTS
            && let Ok(more) = desk.try_recv()
        {
            reports.push(more);
        }
        many = reports.len() > 1;
        let mut outcome = write_patiently(&registry, &holder, &reports).await;
        // One that no database takes must not take the others along.
        let apart = reports.len() > 1 && matches!(&outcome, Err(error) if !matches!(error, StoreError::Busy(_)));
        warn(&outcome);
        for report in reports {
            if apart {
                outcome = write(&registry, &holder, std::slice::from_ref(&report)).await;
                warn(&outcome);
            }
            if outcome.is_ok() && report.released.is_some() {
                registry.mailed.notify_one();
            }
            // The lane waits for it, if it was not cut off.
            let _ = report.done.send(outcome.is_ok());
        }
    }
}

fn warn(outcome: &Result<(), StoreError>) {
    if let Err(error) = outcome {
        let error = error as &dyn std::error::Error;
        tracing::warn!(error, "what came of deliveries was not taken down; they are made again");
    }
}

/// Again and again while the store is busy.
async fn write_patiently(registry: &Registry, holder: &str, reports: &[Report]) -> Result<(), StoreError> {
    let mut attempt = 1;
    loop {
        match write(registry, holder, reports).await {
            Err(StoreError::Busy(_)) if attempt < ATTEMPTS => {
                tokio::time::sleep(Duration::from_millis(200) * attempt).await;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

async fn write(registry: &Registry, holder: &str, reports: &[Report]) -> Result<(), StoreError> {
    let mut unit = registry.parts.store.begin().await?;
    let outcomes = || reports.iter().filter_map(|report| report.outcome.as_ref());
    let concluded: Vec<Concluded> = outcomes().map(|outcome| outcome.concluded.clone()).collect();
    unit.conclude_deliveries(&concluded).await?;
    for inbox in outcomes().filter_map(|outcome| outcome.gone.as_ref()) {
        unit.remove_followers_at_inbox(inbox).await?;
    }
    let released: Vec<&Peer> = reports.iter().filter_map(|report| report.released.as_ref()).collect();
    unit.release_lanes(holder, &released).await?;
    unit.commit().await
}
