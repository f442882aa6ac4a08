use crate::heavy_work::blocking;
use crate::new_keys::{self, KeyFault};
use crate::shelf::{Existing, Found, NewKey, Shelf};
use crate::{HeavyWork, WorkLost};
use artdag_federation::{ActorSigner, KeyError, KeyHistory, KeyStore, PublicKeys};
use artdag_kernel::{Clock, Randomness, Username};
use async_trait::async_trait;
use std::path::PathBuf;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Keys in a directory, four files an actor:
///
/// | file | what | mode |
/// |---|---|---|
/// | `{username}.pem` | RSA-2048, PKCS#8 | 0600 |
/// | `{username}.pub` | its public half, SubjectPublicKeyInfo | 0644 |
/// | `{username}.ed25519.pem` | Ed25519, PKCS#8 | 0600 |
/// | `{username}.ed25519.pub` | its public half, SubjectPublicKeyInfo | 0644 |
///
/// The private files are what counts; the public ones are derived from them, for people. Files that are put or
/// replaced by hand count from the next signature on. Replaced keys lie in `retired/{username}-{time}/`. Several
/// processes may use one directory.
#[derive(Clone)]
pub struct FileKeyStore {
    shelf: Arc<Shelf>,
    randomness: Arc<dyn Randomness>,
    work: HeavyWork,
}

impl FileKeyStore {
    /// Keeps keys in `directory`, which is made, for its owner alone, with the first key. Keys are generated within
    /// `work`.
    pub fn new(
        directory: impl Into<PathBuf>,
        randomness: Arc<dyn Randomness>,
        clock: Arc<dyn Clock>,
        work: HeavyWork,
    ) -> Self {
        Self { shelf: Arc::new(Shelf::new(directory.into(), clock)), randomness, work }
    }

    /// Takes over keys that were made elsewhere, such as those of the original system, which has RSA only: PEM
    /// documents in PKCS#8 or, for RSA, PKCS#1. Without `ed25519_pem`, the actor keeps the Ed25519 key it has, or
    /// gets a new one.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] for what is encrypted, of another kind, or too small; [`KeyError::Exists`] when there
    /// are keys and not `replace`; [`KeyError::Store`].
    pub async fn import(
        &self,
        owner: &Username,
        rsa_pem: &str,
        ed25519_pem: Option<&str>,
        replace: bool,
    ) -> Result<PublicKeys, KeyError> {
        let (rsa, ed25519) = (Zeroizing::new(rsa_pem.to_owned()), ed25519_pem.map(|p| Zeroizing::new(p.to_owned())));
        let randomness = Arc::clone(&self.randomness);
        let work = move || {
            let rsa = new_keys::import_rsa(&rsa).map_err(|e| unusable("to import (RSA)", e))?;
            let ed25519 = match ed25519 {
                Some(pem) => {
                    let pem = new_keys::import_ed25519(&pem).map_err(|e| unusable("to import (Ed25519)", e))?;
                    NewKey { pem, replace }
                }
                None => NewKey { pem: new_ed25519(&*randomness)?, replace: false },
            };
            Ok((NewKey { pem: rsa, replace }, ed25519))
        };
        let (rsa, ed25519) = self.work.run(work).await.map_err(|e| lost(owner, e))??;
        let existing = if replace { Existing::SetAside } else { Existing::Refuse };
        self.install(owner, Some(rsa), Some(ed25519), existing).await
    }

    async fn find(&self, owner: &Username) -> Result<Found, KeyError> {
        let (shelf, of) = (Arc::clone(&self.shelf), owner.clone());
        blocking(move || shelf.find(&of)).await.map_err(|e| lost(owner, e))?
    }

    async fn install(
        &self,
        owner: &Username,
        rsa: Option<NewKey>,
        ed25519: Option<NewKey>,
        existing: Existing,
    ) -> Result<PublicKeys, KeyError> {
        let (shelf, of) = (Arc::clone(&self.shelf), owner.clone());
        blocking(move || shelf.install(&of, rsa, ed25519, existing)).await.map_err(|e| lost(owner, e))?
    }

    /// New keys where they are wanted.
    async fn make(
        &self,
        owner: &Username,
        rsa: bool,
        ed25519: bool,
        replace: bool,
    ) -> Result<(Option<NewKey>, Option<NewKey>), KeyError> {
        let new = |pem| NewKey { pem, replace };
        let randomness = Arc::clone(&self.randomness);
        let rsa = if rsa {
            let made = self.work.run(move || new_keys::rsa(&*randomness)).await.map_err(|e| lost(owner, e))?;
            Some(new(made.map_err(|e| unusable("to be made (RSA)", e))?))
        } else {
            None
        };
        let ed25519 = if ed25519 { Some(new(new_ed25519(&*self.randomness)?)) } else { None };
        Ok((rsa, ed25519))
    }
}

#[async_trait]
impl KeyStore for FileKeyStore {
    async fn ensure(&self, owner: &Username) -> Result<PublicKeys, KeyError> {
        let (rsa, ed25519) = match self.find(owner).await? {
            Found::Both(keys) => {
                let (shelf, of, public) = (Arc::clone(&self.shelf), owner.clone(), keys.public_keys().clone());
                let published = blocking(move || shelf.is_published(&of, &keys)).await.map_err(|e| lost(owner, e))?;
                if published? {
                    return Ok(public);
                }
                (None, None)
            }
            Found::Part { rsa, ed25519 } => self.make(owner, !rsa, !ed25519, false).await?,
        };
        self.install(owner, rsa, ed25519, Existing::Keep).await
    }

    async fn generate(&self, owner: &Username, replace: bool) -> Result<PublicKeys, KeyError> {
        if !replace && !matches!(self.find(owner).await?, Found::Part { rsa: false, ed25519: false }) {
            return Err(KeyError::Exists(owner.clone()));
        }
        let (rsa, ed25519) = self.make(owner, true, true, replace).await?;
        let existing = if replace { Existing::SetAside } else { Existing::Refuse };
        self.install(owner, rsa, ed25519, existing).await
    }

    async fn signer(&self, owner: &Username) -> Result<Option<Arc<dyn ActorSigner>>, KeyError> {
        match self.find(owner).await? {
            Found::Both(keys) => return Ok(Some(keys)),
            Found::Part { rsa: false, ed25519: false } => return Ok(None),
            // A killed process left it so, or an operator brought the key of the original system.
            Found::Part { .. } => _ = self.ensure(owner).await?,
        }
        match self.find(owner).await? {
            Found::Both(keys) => Ok(Some(keys)),
            Found::Part { .. } => Ok(None),
        }
    }

    async fn history(&self, owner: &Username) -> Result<KeyHistory, KeyError> {
        let (shelf, of) = (Arc::clone(&self.shelf), owner.clone());
        blocking(move || shelf.history(&of)).await.map_err(|e| lost(owner, e))?
    }
}

fn new_ed25519(randomness: &dyn Randomness) -> Result<Zeroizing<String>, KeyError> {
    new_keys::ed25519(randomness).map_err(|e| unusable("to be made (Ed25519)", e))
}

fn unusable(name: &str, fault: KeyFault) -> KeyError {
    KeyError::Unusable { name: name.to_owned(), reason: fault.0 }
}

fn lost(owner: &Username, source: WorkLost) -> KeyError {
    KeyError::Store { name: owner.to_string(), source: Box::new(source) }
}
