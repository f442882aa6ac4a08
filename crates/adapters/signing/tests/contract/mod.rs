//! What every `KeyStore` must do. Call each function with a store that is empty.

use artdag_federation::{KeyError, KeyHistory, KeyStore};
use artdag_kernel::Username;
use artdag_signing::{verify_ed25519, verify_rsa_sha256};
use std::sync::Arc;

pub(crate) fn user(name: &str) -> Username {
    name.parse().unwrap()
}

/// A user without keys has no signer, and that is no error.
pub(crate) async fn nobody_has_no_signer(store: &dyn KeyStore) {
    assert!(store.signer(&user("nobody")).await.unwrap().is_none());
}

/// What the signer signs is checked with the keys that the store shows.
pub(crate) async fn signs_with_the_keys_it_shows(store: &dyn KeyStore) {
    let giles = user("giles");
    let public = store.ensure(&giles).await.unwrap();
    let signer = store.signer(&giles).await.unwrap().unwrap();
    assert_eq!(signer.public_keys(), &public);
    assert!(public.rsa_pem.starts_with("-----BEGIN PUBLIC KEY-----\n"), "{}", public.rsa_pem);
    assert!(verify_rsa_sha256(&public.rsa_pem, b"a", &signer.rsa_sha256(b"a").unwrap()));
    assert!(verify_ed25519(&public.ed25519, b"a", &signer.ed25519(b"a")));
}

/// Asking again changes nothing; another user's keys are others.
pub(crate) async fn ensure_is_idempotent(store: &dyn KeyStore) {
    let first = store.ensure(&user("giles")).await.unwrap();
    let other = store.ensure(&user("alice")).await.unwrap();
    assert_eq!(store.ensure(&user("giles")).await.unwrap(), first);
    assert!(first.rsa_pem != other.rsa_pem && first.ed25519 != other.ed25519);
}

/// Keys are replaced on demand only, and then at once.
pub(crate) async fn generate_never_replaces_unasked(store: &dyn KeyStore) {
    let giles = user("giles");
    let first = store.generate(&giles, false).await.unwrap();
    let refused = store.generate(&giles, false).await.unwrap_err();
    assert!(matches!(&refused, KeyError::Exists(owner) if *owner == giles), "{refused}");
    assert_eq!(store.signer(&giles).await.unwrap().unwrap().public_keys(), &first);
    let second = store.generate(&giles, true).await.unwrap();
    assert!(first.rsa_pem != second.rsa_pem && first.ed25519 != second.ed25519);
    assert_eq!(store.signer(&giles).await.unwrap().unwrap().public_keys(), &second);
    assert_eq!(store.ensure(&giles).await.unwrap(), second);
    // Asked to replace what is not there, it makes it.
    store.generate(&user("new"), true).await.unwrap();
}

/// What was signed before keys were replaced can still be checked, and looking makes no keys.
pub(crate) async fn knows_the_keys_that_were_replaced(store: &dyn KeyStore) {
    let giles = user("giles");
    assert_eq!(store.history(&giles).await.unwrap(), KeyHistory::default());
    assert!(store.signer(&giles).await.unwrap().is_none());
    let first = store.ensure(&giles).await.unwrap();
    store.ensure(&user("giles2")).await.unwrap();
    store.generate(&user("giles2"), true).await.unwrap();
    let second = store.generate(&giles, true).await.unwrap();
    let third = store.generate(&giles, true).await.unwrap();
    let all = [third, second, first];
    let expected = KeyHistory {
        rsa_pems: all.iter().map(|keys| keys.rsa_pem.clone()).collect(),
        ed25519: all.iter().map(|keys| keys.ed25519).collect(),
    };
    assert_eq!(store.history(&giles).await.unwrap(), expected);
}

/// All who ask at once get the same keys. `open` gives another store over the same place, as another process has.
pub(crate) async fn those_who_ask_at_once_agree(open: impl Fn() -> Arc<dyn KeyStore>) {
    let asking: Vec<_> = (0..4)
        .map(|_| {
            let store = open();
            tokio::spawn(async move { store.ensure(&user("giles")).await.unwrap() })
        })
        .collect();
    let kept = {
        let mut all = Vec::new();
        for one in asking {
            all.push(one.await.unwrap());
        }
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
        all.remove(0)
    };
    assert_eq!(open().signer(&user("giles")).await.unwrap().unwrap().public_keys(), &kept);
}
