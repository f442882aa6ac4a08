use super::LogError;
use crate::Registry;
use crate::own_keys::OwnKey;
use artdag_anchoring::checkpoint::{
    AddCheckpoint, InvalidRequest, NoteSignature, Refusal, UnverifiedCheckpoint, VerifierKey,
};
use artdag_anchoring::log::empty_root;
use artdag_federation::{ActorSigner, KeyMaterial, multikey};
use artdag_kernel::StoreError;
use std::convert::Infallible;

/// Why another log's checkpoint is not cosigned.
#[derive(Debug, thiserror::Error)]
pub enum CosignError {
    /// The request is none.
    #[error(transparent)]
    Malformed(#[from] InvalidRequest),
    /// The operator does not watch that log.
    #[error("the log {0} is not watched here")]
    UnknownLog(String),
    /// The log has not signed it.
    #[error(transparent)]
    Unverified(#[from] UnverifiedCheckpoint),
    /// It does not continue what was seen.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// This server failed.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl From<StoreError> for CosignError {
    fn from(error: StoreError) -> Self {
        Self::Log(error.into())
    }
}

impl Registry {
    /// The key that this server cosigns with; made when it is first needed.
    ///
    /// # Errors
    /// [`LogError::Key`].
    pub async fn witness_key(&self) -> Result<VerifierKey, LogError> {
        let signer = self.own_signer(OwnKey::Witness).await?;
        self.witness_key_of(signer.as_ref())
    }

    fn witness_key_of(&self, signer: &dyn ActorSigner) -> Result<VerifierKey, LogError> {
        let name = format!("{}/witness", self.parts.site.domain());
        Ok(VerifierKey::cosignature_v1(name.parse()?, signer.public_keys().ed25519))
    }

    /// Cosigns a checkpoint of a log that the operator watches, if it continues what was last seen of that log.
    ///
    /// What was seen is noted before the signature is made, by a compare-and-set: of two histories that arrive at once
    /// one is refused.
    ///
    /// # Errors
    /// [`CosignError`].
    pub async fn cosign(&self, request: &str) -> Result<NoteSignature, CosignError> {
        let request = AddCheckpoint::parse(request)?;
        let checkpoint = request.checkpoint();
        self.check_log(&request)?;
        let signer = self.own_signer(OwnKey::Witness).await.map_err(LogError::from)?;
        let origin = checkpoint.checkpoint().origin();
        // Whoever was quicker has changed what the request is compared with, so this ends.
        loop {
            let last = self.read().await?.last_seen(origin).await?.unwrap_or((0, empty_root()));
            request.check(last.0, &last.1)?;
            let mut unit = self.parts.store.begin().await?;
            if unit.note_seen(last, checkpoint, self.now()).await? {
                unit.commit().await?;
                break;
            }
            unit.rollback().await?;
        }
        let time = u64::try_from(self.now().timestamp()).unwrap_or(0);
        let key = self.witness_key_of(signer.as_ref())?;
        let Ok(signature) =
            key.sign(checkpoint.note().text(), time, |message| Ok::<_, Infallible>(signer.ed25519(message)));
        Ok(signature)
    }

    /// That one of the keys that the operator knows by this origin has signed it.
    fn check_log(&self, request: &AddCheckpoint) -> Result<(), CosignError> {
        let checkpoint = request.checkpoint();
        let origin = checkpoint.checkpoint().origin();
        let watched = self.parts.policy.witnessed_logs.iter().filter(|key| key.name().as_str() == origin);
        let mut refused = CosignError::UnknownLog(origin.to_owned());
        for key in watched {
            match checkpoint.verify(key, |public, message, signature| self.is_ed25519(public, message, signature)) {
                Ok(()) => return Ok(()),
                Err(error) => refused = error.into(),
            }
        }
        Err(refused)
    }

    /// Whether this is the signature of the Ed25519 key over the message.
    pub(crate) fn is_ed25519(&self, public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        let material = KeyMaterial::Multibase(multikey::encode(public));
        self.parts.key_reader.read(&material).is_ok_and(|key| key.verify(message, signature))
    }
}
