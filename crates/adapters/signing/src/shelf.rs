//! The directory of key files, as blocking code. One file of keys may be half there: a process was killed, or an
//! operator put one in by hand. What is missing is added; what is there stays.

use crate::actor_keys::{ActorKeys, ActorKeysFault};
use crate::files::{self, Kept, PRIVATE, PUBLIC};
use crate::history;
use artdag_federation::{ActorSigner, KeyError, KeyHistory, PublicKeys};
use artdag_kernel::{Clock, Username};
use std::collections::{HashMap, HashSet};
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

pub(crate) const RSA: &str = ".pem";
pub(crate) const ED25519: &str = ".ed25519.pem";
pub(crate) const RSA_PUBLIC: &str = ".pub";
pub(crate) const ED25519_PUBLIC: &str = ".ed25519.pub";
/// The folder with the places of keys that were replaced.
pub(crate) const RETIRED: &str = "retired";

/// A parsed pair takes a few kilobytes.
const MAX_READY: usize = 1024;

pub(crate) struct Shelf {
    directory: PathBuf,
    clock: Arc<dyn Clock>,
    ready: Mutex<HashMap<Username, Ready>>,
    warned: Mutex<HashSet<PathBuf>>,
}

struct Ready {
    stamps: [files::Stamp; 2],
    keys: Arc<ActorKeys>,
}

/// What there is of an actor's keys.
pub(crate) enum Found {
    Both(Arc<ActorKeys>),
    /// One of them, or none.
    Part {
        rsa: bool,
        ed25519: bool,
    },
}

/// A key to put on the shelf.
pub(crate) struct NewKey {
    pub(crate) pem: Zeroizing<String>,
    /// Takes the place of one that is there; else that one stays.
    pub(crate) replace: bool,
}

/// What happens to keys that are there before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// They are completed.
    Keep,
    /// They are the reason to do nothing.
    Refuse,
    /// A copy is kept under `retired/`.
    SetAside,
}

impl Shelf {
    pub(crate) fn new(directory: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self { directory, clock, ready: Mutex::default(), warned: Mutex::default() }
    }

    /// The keys as the files have them now. Costs two stats when they have not changed.
    pub(crate) fn find(&self, owner: &Username) -> Result<Found, KeyError> {
        let stamps = [self.stamp(owner, RSA)?, self.stamp(owner, ED25519)?];
        if let [Some(rsa), Some(ed25519)] = stamps
            && let Some(keys) = self.ready_for(owner, [rsa, ed25519])
        {
            return Ok(Found::Both(keys));
        }
        let (Some(rsa), Some(ed25519)) = (self.read(owner, RSA)?, self.read(owner, ED25519)?) else {
            return Ok(Found::Part { rsa: stamps[0].is_some(), ed25519: stamps[1].is_some() });
        };
        let keys = ActorKeys::from_pem(&rsa.text, &ed25519.text).map_err(|fault| match fault {
            ActorKeysFault::Rsa(e) => KeyError::Unusable { name: name(owner, RSA), reason: e.0 },
            ActorKeysFault::Ed25519(e) => KeyError::Unusable { name: name(owner, ED25519), reason: e.0 },
        })?;
        let keys = Arc::new(keys);
        self.make_ready(owner, Ready { stamps: [rsa.stamp, ed25519.stamp], keys: Arc::clone(&keys) });
        Ok(Found::Both(keys))
    }

    /// Puts keys on the shelf, safely beside other processes that do the same, and brings the public files up to
    /// date.
    pub(crate) fn install(
        &self,
        owner: &Username,
        rsa: Option<NewKey>,
        ed25519: Option<NewKey>,
        existing: Existing,
    ) -> Result<PublicKeys, KeyError> {
        let directory_failed = |source| store_error(self.directory.display().to_string(), source);
        files::make_private_directory(&self.directory).map_err(directory_failed)?;
        let _lock = files::lock(&self.directory).map_err(directory_failed)?;
        if self.stamp(owner, RSA)?.is_some() || self.stamp(owner, ED25519)?.is_some() {
            match existing {
                Existing::Keep => {}
                Existing::Refuse => return Err(KeyError::Exists(owner.clone())),
                Existing::SetAside => self.set_aside(owner)?,
            }
        }
        for (suffix, key) in [(RSA, rsa), (ED25519, ed25519)] {
            let Some(key) = key else { continue };
            let (path, temporary) = (self.path(owner, suffix), self.temporary(owner, suffix));
            let written = if key.replace {
                files::write_over(&path, &temporary, &key.pem, PRIVATE)
            } else {
                // One that is there already was made by another process in the meantime, and is as good.
                files::write_new(&path, &temporary, &key.pem, PRIVATE).map(drop)
            };
            written.map_err(|source| store_error(name(owner, suffix), source))?;
        }
        let Found::Both(keys) = self.find(owner)? else {
            return Err(store_error(name(owner, RSA), io::ErrorKind::NotFound.into()));
        };
        self.publish(owner, &keys)?;
        files::sync_directory(&self.directory).map_err(directory_failed)?;
        Ok(keys.public_keys().clone())
    }

    /// The public halves of the keys that are here, and of those that were set aside.
    pub(crate) fn history(&self, owner: &Username) -> Result<KeyHistory, KeyError> {
        history::read(&self.directory, owner)
    }

    /// Whether the public files say what the private ones imply.
    pub(crate) fn is_published(&self, owner: &Username, keys: &ActorKeys) -> Result<bool, KeyError> {
        let public = public_pems(owner, keys)?;
        Ok(public.iter().all(|(suffix, pem)| self.says(owner, suffix, pem)))
    }

    /// The public files are there for people. They are derived, so a wrong one may be replaced.
    fn publish(&self, owner: &Username, keys: &ActorKeys) -> Result<(), KeyError> {
        for (suffix, pem) in public_pems(owner, keys)? {
            if !self.says(owner, suffix, &pem) {
                files::write_over(&self.path(owner, suffix), &self.temporary(owner, suffix), &pem, PUBLIC)
                    .map_err(|source| store_error(name(owner, suffix), source))?;
            }
        }
        Ok(())
    }

    fn says(&self, owner: &Username, suffix: &str, text: &str) -> bool {
        files::read(&self.path(owner, suffix)).is_ok_and(|kept| kept.is_some_and(|kept| kept.text.as_str() == text))
    }

    /// Links the files of today under `retired/`, before new ones take their names. So there is no moment without
    /// a key.
    fn set_aside(&self, owner: &Username) -> Result<(), KeyError> {
        let retired = self.directory.join(RETIRED);
        let link_all = || {
            files::make_private_directory(&retired)?;
            let place = self.new_place(&retired, owner)?;
            for suffix in [RSA, ED25519, RSA_PUBLIC, ED25519_PUBLIC] {
                match fs::hard_link(self.path(owner, suffix), place.join(name(owner, suffix))) {
                    Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
                    _ => {}
                }
            }
            files::sync_directory(&place)?;
            files::sync_directory(&retired)
        };
        link_all().map_err(|source| store_error(retired.display().to_string(), source))
    }

    fn new_place(&self, retired: &Path, owner: &Username) -> io::Result<PathBuf> {
        let base = format!("{owner}-{}", self.clock.now().format("%Y%m%dT%H%M%SZ"));
        let mut place = retired.join(&base);
        let mut number = 1_u32;
        loop {
            match DirBuilder::new().mode(0o700).create(&place) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                    number += 1;
                    place = retired.join(format!("{base}-{number}"));
                }
                made => return made.map(|()| place),
            }
        }
    }

    fn read(&self, owner: &Username, suffix: &str) -> Result<Option<Kept>, KeyError> {
        let path = self.path(owner, suffix);
        let kept = files::read(&path).map_err(|source| store_error(name(owner, suffix), source))?;
        if kept.as_ref().is_some_and(|kept| kept.exposed) {
            let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
            if warned.insert(path.clone()) {
                tracing::warn!(
                    file = %path.display(),
                    "a private key can be read by other users of this machine; chmod it to 600"
                );
            }
        }
        Ok(kept)
    }

    fn stamp(&self, owner: &Username, suffix: &str) -> Result<Option<files::Stamp>, KeyError> {
        files::stamp(&self.path(owner, suffix)).map_err(|source| store_error(name(owner, suffix), source))
    }

    fn path(&self, owner: &Username, suffix: &str) -> PathBuf {
        self.directory.join(name(owner, suffix))
    }

    /// Used under the lock only, so one name is enough, and what a killed process left is found again.
    fn temporary(&self, owner: &Username, suffix: &str) -> PathBuf {
        self.directory.join(format!(".{}.tmp", name(owner, suffix)))
    }

    fn ready_for(&self, owner: &Username, stamps: [files::Stamp; 2]) -> Option<Arc<ActorKeys>> {
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        ready.get(owner).filter(|ready| ready.stamps == stamps).map(|ready| Arc::clone(&ready.keys))
    }

    fn make_ready(&self, owner: &Username, keys: Ready) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.len() >= MAX_READY
            && !ready.contains_key(owner)
            && let Some(any) = ready.keys().next().cloned()
        {
            ready.remove(&any);
        }
        ready.insert(owner.clone(), keys);
    }
}

fn public_pems(owner: &Username, keys: &ActorKeys) -> Result<[(&'static str, String); 2], KeyError> {
    let ed25519 = keys
        .ed25519_public_pem()
        .map_err(|e| KeyError::Unusable { name: name(owner, ED25519), reason: e.to_string() })?;
    Ok([(RSA_PUBLIC, keys.public_keys().rsa_pem.clone()), (ED25519_PUBLIC, ed25519)])
}

pub(crate) fn name(owner: &Username, suffix: &str) -> String {
    format!("{owner}{suffix}")
}

pub(crate) fn store_error(name: String, source: io::Error) -> KeyError {
    KeyError::Store { name, source: Box::new(source) }
}
