//! All public keys that an actor has and had, out of the directory of key files. Changes nothing there.

use crate::files;
use crate::pem::{self, PublicDer};
use crate::shelf::{ED25519, ED25519_PUBLIC, RETIRED, RSA, RSA_PUBLIC, name, store_error};
use artdag_federation::{KeyError, KeyHistory};
use artdag_kernel::Username;
use ring::signature::KeyPair;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The present keys first, then those that were set aside, the latest first.
pub(crate) fn read(directory: &Path, owner: &Username) -> Result<KeyHistory, KeyError> {
    let mut history = KeyHistory::default();
    let retired = directory.join(RETIRED);
    let places =
        retired_places(&retired, owner).map_err(|source| store_error(retired.display().to_string(), source))?;
    for folder in [directory.to_owned()].into_iter().chain(places) {
        let folder = Folder { path: &folder, owner };
        // A key that was not replaced together with the other one was set aside with it all the same.
        if let Some(pem) = folder.rsa()?.filter(|pem| !history.rsa_pems.contains(pem)) {
            history.rsa_pems.push(pem);
        }
        if let Some(key) = folder.ed25519()?.filter(|key| !history.ed25519.contains(key)) {
            history.ed25519.push(key);
        }
    }
    Ok(history)
}

/// Usernames have no hyphen, so nobody else's places begin like this.
fn retired_places(retired: &Path, owner: &Username) -> io::Result<Vec<PathBuf>> {
    let start = format!("{owner}-");
    let entries = match fs::read_dir(retired) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut places = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(&start)) {
            places.push(entry.path());
        }
    }
    places.sort_unstable_by(|a, b| b.cmp(a));
    Ok(places)
}

/// A place with keys of an actor. The private ones are what counts; an operator may have kept the public ones alone.
struct Folder<'a> {
    path: &'a Path,
    owner: &'a Username,
}

impl Folder<'_> {
    fn rsa(&self) -> Result<Option<String>, KeyError> {
        if let Some(kept) = self.text(RSA)? {
            let public = pem::read_rsa(&kept.text).and_then(|key| pem::rsa_public_pem(&key));
            return public.map(Some).map_err(|reason| self.unusable(RSA, reason));
        }
        Ok(self.text(RSA_PUBLIC)?.map(|kept| kept.text.to_string()))
    }

    fn ed25519(&self) -> Result<Option<[u8; 32]>, KeyError> {
        let (suffix, bytes) = if let Some(kept) = self.text(ED25519)? {
            let key = pem::read_ed25519(&kept.text).map_err(|reason| self.unusable(ED25519, reason))?;
            (ED25519, key.public_key().as_ref().to_vec())
        } else if let Some(kept) = self.text(ED25519_PUBLIC)? {
            let Some(PublicDer::Ed25519(bytes)) = pem::public_der(&kept.text) else {
                return Err(self.unusable(ED25519_PUBLIC, "it is no Ed25519 key in PEM".to_owned()));
            };
            (ED25519_PUBLIC, bytes)
        } else {
            return Ok(None);
        };
        bytes.try_into().map(Some).map_err(|_| self.unusable(suffix, "it has not 32 bytes".to_owned()))
    }

    fn text(&self, suffix: &str) -> Result<Option<files::Kept>, KeyError> {
        files::read(&self.file(suffix)).map_err(|source| store_error(self.file(suffix).display().to_string(), source))
    }

    fn unusable(&self, suffix: &str, reason: String) -> KeyError {
        KeyError::Unusable { name: self.file(suffix).display().to_string(), reason }
    }

    fn file(&self, suffix: &str) -> PathBuf {
        self.path.join(name(self.owner, suffix))
    }
}
