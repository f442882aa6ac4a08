//! The key store in files: the contract, and what is special about files.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod contract;

use artdag_federation::{KeyError, KeyStore};
use artdag_kernel::testing::{ManualClock, SeededRandomness};
use artdag_signing::{FileKeyStore, HeavyWork};
use contract::user;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

fn open(directory: &Path) -> FileKeyStore {
    let clock = Arc::new(ManualClock::new());
    FileKeyStore::new(directory, Arc::new(SeededRandomness::default()), clock, HeavyWork::one_per_core())
}

fn fresh() -> (TempDir, FileKeyStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("data/keys"));
    (directory, store)
}

fn keys_in(directory: &TempDir) -> std::path::PathBuf {
    directory.path().join("data/keys")
}

fn listing(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn openssl(arguments: &[&str], input: &str) -> String {
    use std::io::Write;
    let mut command = Command::new("openssl");
    let mut child =
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn keeps_the_contract() {
    contract::nobody_has_no_signer(&fresh().1).await;
    let (_kept, store) = fresh();
    contract::signs_with_the_keys_it_shows(&store).await;
    let (_kept, store) = fresh();
    contract::ensure_is_idempotent(&store).await;
    let (_kept, store) = fresh();
    contract::generate_never_replaces_unasked(&store).await;
    let (_kept, store) = fresh();
    contract::knows_the_keys_that_were_replaced(&store).await;
    let kept = tempfile::tempdir().unwrap();
    contract::those_who_ask_at_once_agree(|| Arc::new(open(kept.path()))).await;
}

#[tokio::test]
async fn four_files_with_their_modes_that_openssl_reads() {
    let (directory, store) = fresh();
    let public = store.ensure(&user("giles")).await.unwrap();
    let keys = keys_in(&directory);
    let mode = |name: &str| fs::metadata(keys.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(fs::metadata(&keys).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!((mode("giles.pem"), mode("giles.ed25519.pem")), (0o600, 0o600));
    let names = [".lock", "giles.ed25519.pem", "giles.ed25519.pub", "giles.pem", "giles.pub"];
    assert_eq!(listing(&keys), names, "no temporary file is left");
    let read = |name: &str| fs::read_to_string(keys.join(name)).unwrap();
    assert_eq!(openssl(&["pkey", "-pubout"], &read("giles.pem")), read("giles.pub"));
    assert_eq!(openssl(&["pkey", "-pubout"], &read("giles.ed25519.pem")), read("giles.ed25519.pub"));
    assert_eq!(read("giles.pub"), public.rsa_pem);
    assert!(openssl(&["pkey", "-noout", "-text"], &read("giles.pem")).contains("2048 bit"));
}

#[tokio::test]
async fn what_a_killed_process_left_is_completed() {
    let (directory, store) = fresh();
    let giles = user("giles");
    let whole = store.ensure(&giles).await.unwrap();
    let keys = keys_in(&directory);
    // Killed before the public files were written, and once while a temporary one was.
    fs::remove_file(keys.join("giles.pub")).unwrap();
    fs::write(keys.join("giles.ed25519.pub"), "half").unwrap();
    fs::write(keys.join(".giles.pub.tmp"), "ha").unwrap();
    assert_eq!(open(&keys).ensure(&giles).await.unwrap(), whole);
    assert_eq!(fs::read_to_string(keys.join("giles.pub")).unwrap(), whole.rsa_pem);
    assert!(fs::read_to_string(keys.join("giles.ed25519.pub")).unwrap().contains("BEGIN PUBLIC KEY"));
    assert!(!listing(&keys).contains(&".giles.pub.tmp".to_owned()));
    // Killed between the two private ones. Asking for a signer is enough.
    fs::remove_file(keys.join("giles.ed25519.pem")).unwrap();
    let signer = open(&keys).signer(&giles).await.unwrap().unwrap();
    assert_eq!(signer.public_keys().rsa_pem, whole.rsa_pem);
    assert_ne!(signer.public_keys().ed25519, whole.ed25519);
    let refused = store.generate(&giles, false).await.unwrap_err();
    assert!(matches!(refused, KeyError::Exists(_)), "{refused}");
}

#[tokio::test]
async fn replaced_keys_are_kept() {
    let (directory, store) = fresh();
    let first = store.ensure(&user("giles")).await.unwrap();
    store.generate(&user("giles"), true).await.unwrap();
    store.generate(&user("giles"), true).await.unwrap();
    let retired = keys_in(&directory).join("retired");
    assert_eq!(listing(&retired), ["giles-20260101T000000Z", "giles-20260101T000000Z-2"]);
    let place = retired.join("giles-20260101T000000Z");
    assert_eq!(listing(&place), ["giles.ed25519.pem", "giles.ed25519.pub", "giles.pem", "giles.pub"]);
    // They still are what they were.
    assert_eq!(open(&place).ensure(&user("giles")).await.unwrap(), first);
}

#[tokio::test]
async fn a_retired_key_is_known_by_its_public_half_alone() {
    let (directory, store) = fresh();
    let giles = user("giles");
    let first = store.ensure(&giles).await.unwrap();
    let second = store.generate(&giles, true).await.unwrap();
    let place = keys_in(&directory).join("retired/giles-20260101T000000Z");
    fs::remove_file(place.join("giles.pem")).unwrap();
    fs::remove_file(place.join("giles.ed25519.pem")).unwrap();
    let history = store.history(&giles).await.unwrap();
    assert_eq!(history.rsa_pems, [second.rsa_pem, first.rsa_pem]);
    assert_eq!(history.ed25519, [second.ed25519, first.ed25519]);
    for (file, reason) in [("giles.ed25519.pub", "no Ed25519 key"), ("giles.pem", "no PEM")] {
        fs::write(place.join(file), "oops").unwrap();
        let Err(KeyError::Unusable { name, reason: told }) = store.history(&giles).await else { panic!("{file}") };
        assert!(name.ends_with(file) && told.contains(reason), "{name}: {told}");
    }
}

#[tokio::test]
async fn keys_changed_by_hand_count_at_once() {
    let (directory, store) = fresh();
    let (giles, alice) = (user("giles"), user("alice"));
    store.ensure(&giles).await.unwrap();
    let other = store.ensure(&alice).await.unwrap();
    store.signer(&giles).await.unwrap().unwrap();
    let keys = keys_in(&directory);
    fs::copy(keys.join("alice.pem"), keys.join("giles.pem")).unwrap();
    let signer = store.signer(&giles).await.unwrap().unwrap();
    assert_eq!(signer.public_keys().rsa_pem, other.rsa_pem);
    fs::write(keys.join("giles.pem"), "oops").unwrap();
    let Err(KeyError::Unusable { name, .. }) = store.signer(&giles).await else { panic!("must be unusable") };
    assert_eq!(name, "giles.pem");
}

#[tokio::test]
async fn takes_over_keys_of_the_original() {
    let (directory, store) = fresh();
    let pkcs8 = openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "");
    let expected = openssl(&["pkey", "-pubout"], &pkcs8);
    let pkcs1 = openssl(&["rsa", "-traditional"], &pkcs8);
    assert!(pkcs1.contains("BEGIN RSA PRIVATE KEY"));
    let ed25519 = openssl(&["genpkey", "-algorithm", "ed25519"], "");
    for (name, pem) in [("one", &pkcs8), ("two", &pkcs1), ("three", &pkcs8.replace('\n', "\r\n"))] {
        let public = store.import(&user(name), pem, None, false).await.unwrap();
        assert_eq!(public.rsa_pem, expected, "{name}");
        let kept = fs::read_to_string(keys_in(&directory).join(format!("{name}.pem"))).unwrap();
        assert!(kept.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{name}");
    }
    let before = store.ensure(&user("giles")).await.unwrap();
    let refused = store.import(&user("giles"), &pkcs8, None, false).await.unwrap_err();
    assert!(matches!(refused, KeyError::Exists(_)), "{refused}");
    let rsa_only = store.import(&user("giles"), &pkcs8, None, true).await.unwrap();
    assert_eq!((rsa_only.rsa_pem.as_str(), rsa_only.ed25519), (expected.as_str(), before.ed25519));
    let both = store.import(&user("giles"), &pkcs8, Some(&ed25519), true).await.unwrap();
    assert_ne!(both.ed25519, before.ed25519);
    let kept = fs::read_to_string(keys_in(&directory).join("giles.ed25519.pem")).unwrap();
    assert_eq!(kept, ed25519);
}

#[tokio::test]
async fn keys_put_there_by_hand_are_taken_up() {
    let (directory, store) = fresh();
    let pkcs8 = openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"], "");
    fs::create_dir_all(keys_in(&directory)).unwrap();
    fs::write(keys_in(&directory).join("giles.pem"), openssl(&["rsa", "-traditional"], &pkcs8)).unwrap();
    let public = store.ensure(&user("giles")).await.unwrap();
    assert_eq!(public.rsa_pem, openssl(&["pkey", "-pubout"], &pkcs8));
}

#[tokio::test]
async fn says_why_a_key_cannot_be_imported() {
    let (directory, store) = fresh();
    let rsa = |bits| openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", &format!("rsa_keygen_bits:{bits}")], "");
    let good = rsa(2048);
    let cases = [
        (rsa(1024), "1024 bits"),
        (openssl(&["pkcs8", "-topk8", "-passout", "pass:x"], &good), "encrypted"),
        (openssl(&["rsa", "-traditional", "-aes128", "-passout", "pass:x"], &good), "encrypted"),
        (openssl(&["genpkey", "-algorithm", "ed25519"], ""), "another kind"),
        (openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], ""), "another kind"),
        (openssl(&["pkey", "-pubout"], &good), "public half"),
        (good[..good.len() / 2].to_owned(), "no PEM"),
        (String::new(), "no PEM"),
        ("x".repeat(1_000_000), "too long"),
    ];
    for (pem, expected) in cases {
        let error = store.import(&user("giles"), &pem, None, false).await.unwrap_err();
        let KeyError::Unusable { reason, .. } = error else { panic!("{error}") };
        assert!(reason.contains(expected), "{reason} | {expected}");
    }
    let error = store.import(&user("giles"), &good, Some(&good), false).await.unwrap_err();
    assert!(error.to_string().contains("Ed25519"), "{error}");
    assert!(!keys_in(&directory).exists(), "nothing was written");
}

/// Not a test of its own: what [`processes_that_start_at_once_agree`] starts several times.
#[tokio::test]
async fn child() {
    #[expect(clippy::disallowed_methods, reason = "how the parent tells the child where the keys are")]
    let Some(directory) = std::env::var_os("ARTDAG_TEST_CHILD_KEYS") else {
        return;
    };
    for n in 0..3 {
        let public = open(Path::new(&directory)).ensure(&user(&format!("u{n}"))).await.unwrap();
        println!("key {n} {} {:?}", public.rsa_pem.replace('\n', ""), public.ed25519);
    }
}

#[test]
fn processes_that_start_at_once_agree() {
    let directory = tempfile::tempdir().unwrap();
    let start = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child", "--nocapture"]).env("ARTDAG_TEST_CHILD_KEYS", directory.path());
        command.stdout(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..3).map(|_| start()).collect();
    let outputs: Vec<_> = children
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success());
            let text = String::from_utf8(output.stdout).unwrap();
            // The test runner prints on the same lines.
            text.match_indices("key ").map(|(at, _)| text[at..].lines().next().unwrap().to_owned()).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(outputs[0].len(), 3, "{outputs:?}");
    assert!(outputs.windows(2).all(|pair| pair[0] == pair[1]), "{outputs:#?}");
}
