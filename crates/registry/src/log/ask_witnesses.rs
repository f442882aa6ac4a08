use super::{LogError, prove_consistency};
use crate::Registry;
use crate::jobs::backoff;
use crate::work::chain;
use artdag_anchoring::checkpoint::{
    AddCheckpoint, InvalidRequest, NoteSignature, SignedCheckpoint, UnverifiedNote, VerifierKey, WitnessAnswer,
};
use artdag_anchoring::{LogWitness, WitnessError};
use artdag_kernel::{Instant, ServerUrl};
use chrono::TimeDelta;
use futures_util::future::join_all;
use std::error::Error;

/// However fast the log grows, its witnesses are shown a checkpoint no more often than this, and the newest one only.
const PACE: TimeDelta = TimeDelta::seconds(3);
/// How long a witness is left alone at most that has failed again and again.
const LONGEST: TimeDelta = TimeDelta::hours(1);

/// A witness that the operator names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessServer {
    /// Below this it is asked.
    pub url: ServerUrl,
    /// By this its cosignatures are checked.
    pub key: VerifierKey,
}

/// Why a witness has not cosigned.
#[derive(Debug, thiserror::Error)]
enum NotCosigned {
    /// It gave no answer that can be used.
    #[error(transparent)]
    Unanswered(#[from] WitnessError),
    /// It has seen what is not there, such as what was lost when the database was restored.
    #[error("the witness has seen the log at size {seen}, and it has no more than {size}")]
    Ahead {
        /// What it says.
        seen: u64,
        /// What was signed.
        size: u64,
    },
    /// Of that size it has seen another log, or it does not know what it wants.
    #[error("the witness takes no proof from {0}, the size that it names itself")]
    Elsewhere(u64),
    /// What it gave is no signature of its key of this checkpoint.
    #[error("the witness's answer is not its cosignature")]
    Signature(#[from] UnverifiedNote),
    /// The request cannot be put together.
    #[error("there is no request to the witness")]
    Request(#[from] InvalidRequest),
}

impl Registry {
    /// Has the newest checkpoint cosigned by those of the witnesses that have not yet done so, all at once. Says when to
    /// look again; `None` if there are no witnesses.
    ///
    /// # Errors
    /// [`LogError`] of this server's own faults. What witnesses fail to do is no error: it is logged and kept.
    pub(crate) async fn ask_witnesses(&self) -> Result<Option<Instant>, LogError> {
        let servers = &self.parts.policy.witnesses;
        if servers.is_empty() {
            return Ok(None);
        }
        let mut reader = self.read().await?;
        let newest = reader.newest_checkpoint().await?;
        let known = reader.log_witnesses().await?;
        drop(reader);
        if let Some(newest) = newest.map(|kept| kept.signed) {
            let now = self.now();
            let open = servers.iter().filter(|server| !newest.claims_signature_of(&server.key));
            let due = open.filter_map(|server| {
                let known = known.iter().find(|known| known.key == server.key).cloned();
                let witness = known.unwrap_or_else(|| LogWitness::new(server.key.clone(), now));
                (witness.due_at <= now).then_some((server, witness))
            });
            let asked = join_all(due.map(|(server, witness)| self.ask_witness(server, witness, &newest))).await;
            asked.into_iter().collect::<Result<(), _>>()?;
        }
        Ok(Some(self.now() + PACE))
    }

    /// Asks one, and keeps what comes of it at once: others may take longer.
    async fn ask_witness(
        &self,
        server: &WitnessServer,
        mut witness: LogWitness,
        newest: &SignedCheckpoint,
    ) -> Result<(), LogError> {
        let size = newest.checkpoint().size();
        let cosigned = self.request_cosignature(server, &mut witness.seen_size, newest).await?;
        let now = self.now();
        match &cosigned {
            Ok(_) => {
                witness = LogWitness { seen_size: size, cosigned_at: Some(now), ..LogWitness::new(witness.key, now) }
            }
            Err(error) => {
                let mut chance = [0; 2];
                self.parts.randomness.fill(&mut chance);
                witness.failures = witness.failures.saturating_add(1);
                witness.due_at = now + backoff(witness.failures, u16::from_le_bytes(chance)).min(LONGEST);
                witness.last_error = Some(chain(error));
            }
        }
        let mut unit = self.parts.store.begin().await?;
        if let Ok(signature) = &cosigned {
            unit.add_cosignatures(size, std::slice::from_ref(signature)).await?;
        }
        unit.save_log_witness(&witness).await?;
        unit.commit().await?;
        let (name, url) = (server.key.name(), &server.url);
        match cosigned {
            Ok(_) => tracing::debug!(witness = %name, size, "the log was cosigned"),
            Err(error) => {
                let (error, next) = (&error as &dyn Error, witness.due_at);
                tracing::warn!(witness = %name, %url, size, error, %next, "a witness did not cosign the log");
            }
        }
        Ok(())
    }

    /// With a proof from the size at which it is thought to have seen the log; once more if it names another one.
    async fn request_cosignature(
        &self,
        server: &WitnessServer,
        seen_size: &mut u64,
        newest: &SignedCheckpoint,
    ) -> Result<Result<NoteSignature, NotCosigned>, LogError> {
        let size = newest.checkpoint().size();
        for _ in 0..2 {
            // What was kept may be of a log that was longer.
            let from = size.min(*seen_size);
            let proof = prove_consistency(self.read().await?.as_mut(), from, size).await?;
            let request = match AddCheckpoint::new(proof, newest.clone()) {
                Ok(request) => request,
                Err(error) => return Ok(Err(error.into())),
            };
            match self.parts.witnesses.add_checkpoint(&server.url, &request).await {
                Ok(WitnessAnswer::Cosigned(signatures)) => {
                    let is_ed25519 =
                        |key: &[u8; 32], message: &[u8], bytes: &[u8; 64]| self.is_ed25519(key, message, bytes);
                    return Ok(newest.find_cosignature(&server.key, &signatures, is_ed25519).map_err(Into::into));
                }
                Ok(WitnessAnswer::SeenAt(seen)) if seen > size => return Ok(Err(NotCosigned::Ahead { seen, size })),
                Ok(WitnessAnswer::SeenAt(seen)) if seen == from => break,
                Ok(WitnessAnswer::SeenAt(seen)) => *seen_size = seen,
                Err(error) => return Ok(Err(error.into())),
            }
        }
        Ok(Err(NotCosigned::Elsewhere(*seen_size)))
    }
}
