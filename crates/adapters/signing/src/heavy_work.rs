use std::error::Error;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use tokio::sync::Semaphore;
use tokio::task;

/// Runs what takes a core for a while, away from the async threads and at most so many at once.
///
/// Callers queue and are served in the order they came. Clones share the bound, so give everybody a clone of one.
#[derive(Clone, Debug)]
pub struct HeavyWork {
    turns: Arc<Semaphore>,
}

/// The work has no result: it panicked, or the runtime is shutting down.
#[derive(Debug, thiserror::Error)]
#[error("the work was cut off")]
pub struct WorkLost(#[source] Box<dyn Error + Send + Sync>);

impl HeavyWork {
    /// At most `at_once` pieces of work at the same time.
    pub fn new(at_once: NonZeroUsize) -> Self {
        Self { turns: Arc::new(Semaphore::new(at_once.get())) }
    }

    /// As many at once as this process has cores.
    pub fn one_per_core() -> Self {
        Self::new(thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
    }

    /// Waits for a turn, then runs `work`. A caller that goes away while waiting gives its turn up; work that has
    /// begun is finished, and keeps its turn until then.
    ///
    /// # Errors
    /// [`WorkLost`].
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, WorkLost> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|e| WorkLost(Box::new(e)))?;
        blocking(move || {
            let result = work();
            drop(turn);
            result
        })
        .await
    }
}

/// Runs what waits for a disk, away from the async threads.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, WorkLost> {
    task::spawn_blocking(work).await.map_err(|e| WorkLost(Box::new(e)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn no_more_at_once_than_allowed() {
        let work = HeavyWork::new(NonZeroUsize::new(2).unwrap());
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        // Each waits for a second one, so two must run at once for any to end.
        let pair = Arc::new(Barrier::new(2));
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let (work, running, most, pair) = (work.clone(), running.clone(), most.clone(), pair.clone());
                tokio::spawn(async move {
                    let body = move || {
                        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        pair.wait();
                        running.fetch_sub(1, Ordering::SeqCst);
                    };
                    work.run(body).await.unwrap();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_gives_the_turn_back() {
        let work = HeavyWork::new(NonZeroUsize::MIN);
        assert!(work.run(|| panic!("oh")).await.is_err());
        assert_eq!(work.run(|| 7).await.unwrap(), 7);
    }
}
