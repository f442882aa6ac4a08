//! Anchors: the log's way into Bitcoin.
//!
//! A round ([`Registry::create_anchor`]) writes down what is to be stamped before it asks anybody. Whatever calendars
//! give is joined to the stored anchor by a compare-and-set, so it does not matter who asks, how often, and who is
//! killed on the way: the job and the routes do the same.

mod begin;
mod blocks;
mod proof;
mod tend;
mod trial;

pub use blocks::Blocks;
pub use proof::{ActivityAnchor, activity_proof, checkpoint_proof, prove_by_anchor, root_proof};
pub use trial::CalendarTrial;

use crate::LogError;
use artdag_anchoring::ots::{CalendarUri, OtsError};
use artdag_anchoring::{InvalidTransition, Pace};
use artdag_kernel::StoreError;
use chrono::TimeDelta;

/// What the operator decides about anchors.
#[derive(Clone, Debug)]
pub struct AnchorPolicy {
    /// Who is asked to carry roots to Bitcoin. Without any there are no anchors.
    pub calendars: Vec<CalendarUri>,
    /// How many of them have to answer; at least one.
    pub quorum: usize,
    /// How often the log is stamped by itself, when it has grown. `None`: by hand only.
    pub interval: Option<TimeDelta>,
}

impl AnchorPolicy {
    /// Blocks are made every ten minutes: to ask more often is of no use, unless everything goes faster here.
    pub(crate) fn pace(&self) -> Pace {
        let usual = TimeDelta::minutes(10);
        Pace::new(self.interval.map_or(usual, |interval| interval.min(usual)))
    }
}

/// Why there is no anchor, or no proof by it.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// There is nobody to submit to.
    #[error("no calendars are set; see OTS_CALENDARS")]
    NoCalendars,
    /// It cannot be given up.
    #[error(transparent)]
    Transition(#[from] InvalidTransition),
    /// The log cannot prove what it should.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The proof cannot be put together.
    #[error("the proof cannot be put together")]
    Proof(#[from] OtsError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
