use crate::files;
use artdag_kernel::Randomness;
use std::path::Path;
use std::{io, process};
use zeroize::Zeroizing;

const LENGTH: usize = 32;

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read or made.
    #[error("the secret file {path} cannot be read or made")]
    File {
        /// Which.
        path: String,
        /// What the system reported.
        #[source]
        source: io::Error,
    },
    /// The file holds something else.
    #[error("the secret file {path} must hold {} hex digits or more, and does not", 2 * LENGTH)]
    Content {
        /// Which.
        path: String,
    },
}

/// The secret that is kept in `path`; made, and kept there in hex, when there is none yet. Several processes that
/// start at once agree on one.
///
/// # Errors
/// [`SecretError`]. A damaged file is never replaced: that would log everybody out without a word.
pub fn load_or_create_secret(path: &Path, randomness: &dyn Randomness) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let file_error = |source| SecretError::File { path: path.display().to_string(), source };
    if let Some(secret) = load(path)? {
        return Ok(secret);
    }
    create(path, randomness).map_err(file_error)?;
    // Not necessarily the one just made: the first process wins.
    load(path)?.ok_or_else(|| file_error(io::ErrorKind::NotFound.into()))
}

fn load(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, SecretError> {
    let name = || path.display().to_string();
    let kept = files::read(path).map_err(|source| SecretError::File { path: name(), source })?;
    let Some(kept) = kept else { return Ok(None) };
    if kept.exposed {
        tracing::warn!(file = %path.display(), "a secret can be read by other users of this machine; chmod it to 600");
    }
    match hex::decode(kept.text.trim()).map(Zeroizing::new) {
        Ok(secret) if secret.len() >= LENGTH => Ok(Some(secret)),
        _ => Err(SecretError::Content { path: name() }),
    }
}

fn create(path: &Path, randomness: &dyn Randomness) -> io::Result<()> {
    let mut secret = Zeroizing::new([0; LENGTH]);
    randomness.fill(secret.as_mut());
    let text = Zeroizing::new(format!("{}\n", Zeroizing::new(hex::encode(secret.as_ref())).as_str()));
    let directory = files::parent(path);
    files::make_private_directory(directory)?;
    // Several processes, and several threads of one, may be here at once.
    let mut chance = [0; 8];
    randomness.fill(&mut chance);
    let temporary = directory.join(format!(".secret-{}-{}.tmp", process::id(), hex::encode(chance)));
    files::write_new(path, &temporary, &text, files::PRIVATE)?;
    files::sync_directory(directory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use artdag_kernel::testing::SeededRandomness;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Barrier;
    use std::thread;

    #[test]
    fn is_made_once_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data/jwt_secret");
        let secret = load_or_create_secret(&path, &SeededRandomness::default()).unwrap();
        assert_eq!(secret.len(), 32);
        assert_eq!(*load_or_create_secret(&path, &SeededRandomness::default()).unwrap(), *secret);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn those_who_start_at_once_agree() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("jwt_secret");
        let start = Barrier::new(8);
        let make = || {
            start.wait();
            load_or_create_secret(&path, &SeededRandomness::default()).unwrap()
        };
        let secrets: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(secrets.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn a_damaged_file_is_an_error_and_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("jwt_secret");
        for text in ["", "\n", "abcd", "not hex at all, but quite long enough to be a secret otherwise"] {
            fs::write(&path, text).unwrap();
            let error = load_or_create_secret(&path, &SeededRandomness::default()).unwrap_err();
            assert!(matches!(error, SecretError::Content { .. }), "{error}");
            assert!(error.to_string().contains("64 hex digits"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        let error = load_or_create_secret(directory.path(), &SeededRandomness::default()).unwrap_err();
        assert!(matches!(error, SecretError::File { .. }), "{error}");
    }
}
