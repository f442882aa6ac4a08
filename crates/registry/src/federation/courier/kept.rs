//! What many deliveries need at the same time, and is asked for once.

use artdag_kernel::Instant;
use chrono::TimeDelta;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// Values that are kept at hand for a while. Hundreds of lanes begin at once and want the same one: the first reads it,
/// and the others wait for that.
pub(super) struct Kept<K, V> {
    entries: Mutex<HashMap<K, Entry<V>>>,
    most: usize,
    /// How long a value counts.
    memory: TimeDelta,
}

struct Entry<V> {
    since: Instant,
    value: Arc<OnceCell<V>>,
}

impl<K: Eq + Hash + Clone, V: Clone> Kept<K, V> {
    pub(super) fn new(most: usize, memory: TimeDelta) -> Self {
        Self { entries: Mutex::default(), most, memory }
    }

    /// The value, which is read if it is not at hand or older than it may be. Whoever waits for a reading that fails reads
    /// for itself.
    pub(super) async fn get<E>(&self, key: &K, now: Instant, read: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let value = self.entry(key, now);
        value.get_or_try_init(|| read).await.cloned()
    }

    fn entry(&self, key: &K, now: Instant) -> Arc<OnceCell<V>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        match entries.get(key) {
            Some(entry) if now - entry.since < self.memory => return Arc::clone(&entry.value),
            None if entries.len() >= self.most => entries.clear(),
            _ => {}
        }
        let value = Arc::default();
        entries.insert(key.clone(), Entry { since: now, value: Arc::clone(&value) });
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn at(seconds: i64) -> Instant {
        chrono::DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    #[tokio::test]
    async fn reads_once_for_all_and_again_when_it_is_old() {
        let (kept, reads) = (Kept::new(2, TimeDelta::seconds(10)), AtomicUsize::new(0));
        let get = |key: &'static str, second| {
            let (kept, reads) = (&kept, &reads);
            async move {
                let read = async {
                    tokio::task::yield_now().await;
                    Ok::<_, ()>(reads.fetch_add(1, Ordering::SeqCst))
                };
                kept.get(&key, at(second), read).await
            }
        };
        assert_eq!(join_all((0..50).map(|_| get("a", 0))).await, vec![Ok(0); 50]);
        assert_eq!(get("a", 9).await, Ok(0));
        assert_eq!(get("a", 10).await, Ok(1));
        // A third one makes room for itself.
        assert_eq!((get("b", 10).await, get("c", 10).await, get("a", 10).await), (Ok(2), Ok(3), Ok(4)));
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let kept = Kept::new(2, TimeDelta::seconds(10));
        assert_eq!(kept.get(&1, at(0), async { Err("busy") }).await, Err("busy"));
        assert_eq!(kept.get(&1, at(0), async { Ok::<_, ()>("a letter") }).await, Ok("a letter"));
    }
}
