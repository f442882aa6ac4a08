//! Where lanes report what came of their deliveries, so that many are written down together.

use super::{Courier, REPORTS};
use crate::Registry;
use artdag_federation::{Concluded, Iri, Peer};
use artdag_kernel::StoreError;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How often it is tried to write what lanes report.
const ATTEMPTS: u32 = 5;

/// What a lane tells of a delivery, or of its end.
pub(super) struct Report {
    concluded: Option<Concluded>,
    /// The inbox that is there no more.
    gone: Option<Iri>,
    /// How the server behaved, when the lane is given back.
    released: Option<Peer>,
    done: oneshot::Sender<()>,
}

impl Courier {
    /// Waits until it is written, or cannot be: then the lease runs out, and it is done again.
    pub(super) async fn report(&self, concluded: Option<Concluded>, gone: Option<Iri>, released: Option<Peer>) {
        let (done, written) = oneshot::channel();
        if self.reports.send(Report { concluded, gone, released, done }).await.is_ok() {
            let _ = written.await;
        }
    }
}

/// Writes what lanes report, many reports in one unit of work.
pub(super) async fn take_down_reports(registry: Registry, holder: String, mut desk: mpsc::Receiver<Report>) {
    while let Some(first) = desk.recv().await {
        let mut reports = vec![first];
        while reports.len() < REPORTS
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
    let mut unit = registry.parts.store.begin().await?;
    let concluded: Vec<Concluded> = reports.iter().filter_map(|report| report.concluded.clone()).collect();
    unit.conclude_deliveries(&concluded).await?;
    for inbox in reports.iter().filter_map(|report| report.gone.as_ref()) {
        unit.remove_followers_at_inbox(inbox).await?;
    }
    let released: Vec<&Peer> = reports.iter().filter_map(|report| report.released.as_ref()).collect();
    unit.release_lanes(holder, &released).await?;
    unit.commit().await
}
