use crate::Instant;
use uuid::{Builder, Uuid};

/// A source of bytes nobody can guess. Everything that needs chance is handed one.
pub trait Randomness: Send + Sync {
    /// Fills the whole slice.
    fn fill(&self, bytes: &mut [u8]);
}

/// A UUID v7 (RFC 9562, 5.7): its first 48 bits are the milliseconds of `now`, so ids sort by age.
pub fn new_uuid(now: Instant, randomness: &dyn Randomness) -> Uuid {
    let mut chance = [0; 10];
    randomness.fill(&mut chance);
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, &chance).into_uuid()
}
