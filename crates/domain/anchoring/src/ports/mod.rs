//! What anchoring asks of others: of the store, and of the world outside.

mod anchors;
mod calendar;
mod cosigning;
mod headers;
mod log;
mod witness;

pub use anchors::{AnchorReads, AnchorRepository};
pub use calendar::{Calendar, CalendarError};
pub use cosigning::{LogWitness, Witness, WitnessError};
pub use headers::{BlockHeaders, HeadersError};
pub use log::{KeptCheckpoint, LogHead, LogReads, LogRepository};
pub use witness::{WitnessReads, WitnessRepository};

/// What is behind an error, for the operator.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;
