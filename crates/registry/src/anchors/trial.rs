use crate::Registry;
use artdag_anchoring::ots::CalendarUri;
use artdag_anchoring::{Digest, Reply};
use futures_util::future::join_all;
use std::time::{Duration, Instant};

/// What came of trying a calendar.
#[derive(Debug)]
pub struct CalendarTrial {
    /// Who was tried.
    pub calendar: CalendarUri,
    /// How long it took to answer or to fail.
    pub latency: Duration,
    /// What it gave.
    pub reply: Reply,
}

impl Registry {
    /// Submits a digest of chance to each calendar. Nothing of it is kept.
    pub async fn try_calendars(&self) -> (Digest, Vec<CalendarTrial>) {
        let mut chance = [0; 32];
        self.parts.randomness.fill(&mut chance);
        let digest = Digest::from_bytes(chance);
        let trials = self.parts.policy.anchors.calendars.iter().map(|calendar| async {
            let start = Instant::now();
            let reply = self.parts.calendars.submit(calendar, &digest).await;
            CalendarTrial { calendar: calendar.clone(), latency: start.elapsed(), reply }
        });
        (digest, join_all(trials).await)
    }
}
