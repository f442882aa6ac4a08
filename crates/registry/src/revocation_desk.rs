use crate::Registry;
use artdag_auth::TokenHash;
use artdag_kernel::StoreError;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Where those who ask whether a token was revoked wait for each other. Whoever asks while a look-up is under way shares
/// the next one, so a busy server asks the database once for many requests, and none of them gets an answer that is
/// older than its question. No answer is kept.
#[derive(Debug, Default)]
pub(crate) struct RevocationDesk(Mutex<Desk>);

#[derive(Debug, Default)]
struct Desk {
    waiting: Vec<(TokenHash, oneshot::Sender<bool>)>,
    is_open: bool,
}

/// Closes the desk when its task ends, however it ends: those who wait then look for themselves.
struct Closing(Option<Arc<RevocationDesk>>);

impl Drop for Closing {
    fn drop(&mut self) {
        if let Some(desk) = self.0.take() {
            *desk.lock() = Desk::default();
        }
    }
}

impl RevocationDesk {
    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those who wait, or nobody: then the desk is closed.
    fn next(&self) -> Vec<(TokenHash, oneshot::Sender<bool>)> {
        let mut desk = self.lock();
        desk.is_open = !desk.waiting.is_empty();
        mem::take(&mut desk.waiting)
    }
}

impl Registry {
    /// Whether a token was revoked before this question, or was being revoked meanwhile.
    pub(crate) async fn is_revoked(&self, token: TokenHash) -> Result<bool, StoreError> {
        let (answer, answered) = oneshot::channel();
        let is_first = {
            let mut desk = self.revocations.lock();
            desk.waiting.push((token, answer));
            !mem::replace(&mut desk.is_open, true)
        };
        if is_first {
            // A task of its own: the one who asked first may hang up.
            tokio::spawn(self.clone().answer_all());
        }
        match answered.await {
            Ok(revoked) => Ok(revoked),
            // Nobody answered: the look-up failed, or the task was cut off. The error is for each to see.
            Err(_) => self.read().await?.is_revoked(&token).await,
        }
    }

    async fn answer_all(self) {
        let mut closing = Closing(Some(self.revocations.clone()));
        loop {
            // Those who can ask already are let ask first: the more share a look-up, the less each of them costs.
            tokio::task::yield_now().await;
            let batch = self.revocations.next();
            if batch.is_empty() {
                // It is closed already, and may have been opened again since.
                closing.0 = None;
                return;
            }
            let tokens: Vec<TokenHash> = batch.iter().map(|(token, _)| *token).collect();
            let looked_up = async { self.read().await?.revoked_among(&tokens).await };
            if let Ok(revoked) = looked_up.await {
                for (token, answer) in batch {
                    // Who hung up needs no answer.
                    let _ = answer.send(revoked.contains(&token));
                }
            }
        }
    }
}
