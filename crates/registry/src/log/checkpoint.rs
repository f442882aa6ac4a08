use super::{LogError, prove_consistency, tree_root};
use crate::Registry;
use crate::own_keys::OwnKey;
use artdag_anchoring::checkpoint::{Checkpoint, SignedCheckpoint, VerifierKey};
use artdag_federation::ActorSigner;
use artdag_kernel::StoreError;
use std::convert::Infallible;

impl Registry {
    /// What the log calls itself in its checkpoints.
    pub fn log_origin(&self) -> String {
        format!("{}/log", self.parts.site.domain())
    }

    /// The key that the log's checkpoints are signed with; made when it is first needed.
    ///
    /// # Errors
    /// [`LogError::Key`].
    pub async fn log_key(&self) -> Result<VerifierKey, LogError> {
        let signer = self.own_signer(OwnKey::Log).await?;
        self.log_key_of(signer.as_ref())
    }

    fn log_key_of(&self, signer: &dyn ActorSigner) -> Result<VerifierKey, LogError> {
        Ok(VerifierKey::ed25519(self.log_origin().parse()?, signer.public_keys().ed25519))
    }

    /// Signs a checkpoint of the tree as it is stored, if the newest one is of a smaller tree.
    ///
    /// The tree was committed before: whatever is signed here is there for good. Two processes may sign at once, since
    /// neither signs what contradicts the other: the tree that both read only grows.
    ///
    /// # Errors
    /// [`LogError`]. [`LogError::Inconsistent`] does not pass by itself.
    pub async fn sign_checkpoint(&self) -> Result<(), LogError> {
        let mut reader = self.read().await?;
        let head = reader.log_head().await?;
        let size = head.tree_size;
        if size == head.signed_size {
            drop(reader);
            return self.sign_with_new_key(size).await;
        }
        let root = tree_root(reader.as_mut(), size).await?;
        if let Some(last) = reader.newest_checkpoint().await? {
            let last = last.signed.checkpoint();
            if last.size() > size && head.signed_size < size {
                // Another process was quicker, and had more to sign.
                return Ok(());
            }
            let inconsistent = LogError::Inconsistent { signed: last.size(), size };
            if last.size() > size {
                return Err(inconsistent);
            }
            let proof = prove_consistency(reader.as_mut(), last.size(), size).await?;
            proof.verify(&last.root(), &root).map_err(|_| inconsistent)?;
        }
        drop(reader);

        let signer = self.own_signer(OwnKey::Log).await?;
        let key = self.log_key_of(signer.as_ref())?;
        let signed = sign(Checkpoint::new(&self.log_origin(), size, root)?, &key, signer.as_ref());
        let mut unit = self.parts.store.begin().await?;
        match unit.add_checkpoint(&signed, self.now()).await {
            Err(StoreError::Conflict(_)) => return Err(LogError::Inconsistent { signed: size, size }),
            added => added?,
        }
        unit.commit().await?;
        self.log_signed_by(key);
        tracing::debug!(size, %root, "signed a checkpoint");
        Ok(())
    }

    /// The newest checkpoint is to be checked by the key that is shown now, also when that is newer than the checkpoint.
    /// What was signed with the key before stays.
    async fn sign_with_new_key(&self, size: u64) -> Result<(), LogError> {
        if size == 0 {
            return Ok(());
        }
        let signer = self.own_signer(OwnKey::Log).await?;
        let key = self.log_key_of(signer.as_ref())?;
        if self.log_signer.lock().is_ok_and(|known| known.as_ref() == Some(&key)) {
            return Ok(());
        }
        let newest = self.read().await?.newest_checkpoint().await?;
        if let Some(newest) = newest.map(|kept| kept.signed).filter(|newest| !newest.claims_signature_of(&key)) {
            let size = newest.checkpoint().size();
            let signed = sign(newest.checkpoint().clone(), &key, signer.as_ref());
            let mut unit = self.parts.store.begin().await?;
            unit.add_cosignatures(size, signed.note().signatures()).await?;
            unit.commit().await?;
            tracing::info!(size, key = %key.name(), "signed the newest checkpoint with the log's new key");
        }
        self.log_signed_by(key);
        Ok(())
    }

    fn log_signed_by(&self, key: VerifierKey) {
        if let Ok(mut known) = self.log_signer.lock() {
            *known = Some(key);
        }
    }
}

fn sign(checkpoint: Checkpoint, key: &VerifierKey, signer: &dyn ActorSigner) -> SignedCheckpoint {
    let Ok(signed) = SignedCheckpoint::sign(checkpoint, key, 0, |text| Ok::<_, Infallible>(signer.ed25519(text)));
    signed
}
