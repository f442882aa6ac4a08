//! Files of headers that were left in the middle of something, or were damaged.

use crate::support::{EASY, HARD, chain, mine_on};
use artdag_anchoring::bitcoin::{AcceptError, BlockHeader, ChainRules, HeaderFault, Network};
use artdag_anchoring::{BlockHeaders, HeadersError};
use artdag_opentimestamps::{HeaderFile, HeaderFileError};
use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

struct Place {
    folder: TempDir,
    rules: ChainRules,
}

impl Place {
    fn new(rules: ChainRules) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), rules }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("headers")
    }

    fn open(&self) -> Result<HeaderFile, HeaderFileError> {
        HeaderFile::open(self.path(), self.rules.clone())
    }

    /// Another file beside it.
    fn beside(&self, headers: &[BlockHeader]) -> PathBuf {
        let path = self.folder.path().join("other");
        fs::write(&path, bytes(headers)).unwrap();
        path
    }

    fn stored(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }
}

fn bytes(headers: &[BlockHeader]) -> Vec<u8> {
    headers.iter().flat_map(BlockHeader::as_bytes).copied().collect()
}

fn of(file: &HeaderFile) -> Vec<BlockHeader> {
    file.chain(|chain| chain.headers().to_vec())
}

#[test]
fn what_was_added_is_there_after_the_next_opening() {
    let (rules, headers) = chain(EASY, 30);
    let place = Place::new(rules);
    let file = place.open().unwrap();
    assert_eq!(place.stored(), bytes(&headers[..1]), "the first header needs nobody to tell it");
    assert_eq!(file.add(&headers[1..10]).unwrap().added, 9);
    assert_eq!(file.add(&headers[5..30]).unwrap().added, 20, "known ones are passed over");
    for known in [&headers[..], &headers[3..7], &[]] {
        assert_eq!(file.add(known).unwrap().added, 0);
        assert_eq!(place.stored(), bytes(&headers));
    }
    drop(file);
    assert_eq!(of(&place.open().unwrap()), headers);
}

#[test]
fn a_branch_replaces_what_it_outweighs_and_nothing_else() {
    let (rules, headers) = chain(EASY, 20);
    let place = Place::new(rules);
    let file = place.open().unwrap();
    file.add(&headers).unwrap();
    let branch = mine_on(&headers[9], 11, "b");
    let refused = file.add(&branch[..10]);
    assert!(
        matches!(refused, Err(HeaderFileError::Refused(AcceptError::NotHeavier { fork_height: 9 }))),
        "{refused:?}"
    );
    assert_eq!(place.stored(), bytes(&headers));
    let change = file.add(&branch).unwrap();
    assert_eq!((change.fork_height, change.removed, change.added), (9, headers[10..].to_vec(), 11));
    let now = [&headers[..10], &branch].concat();
    assert_eq!(place.stored(), bytes(&now));
    drop(file);
    assert_eq!(of(&place.open().unwrap()), now);
}

#[test]
fn an_append_that_was_cut_off_at_any_byte_is_mended() {
    let (rules, headers) = chain(EASY, 9);
    let whole = bytes(&headers);
    let place = Place::new(rules);
    for length in 0..=whole.len() {
        fs::write(place.path(), &whole[..length]).unwrap();
        let read = HeaderFile::read(&place.path(), place.rules.clone()).unwrap();
        assert_eq!(place.stored(), &whole[..length], "reading changes nothing");
        let file = place.open().unwrap();
        let left = (length / 80).max(1);
        assert_eq!((of(&file), read.headers()), (headers[..left].to_vec(), &headers[..left]), "{length}");
        assert_eq!(place.stored(), bytes(&headers[..left]), "{length}");
        file.add(&headers).unwrap();
        assert_eq!(place.stored(), whole, "{length}");
    }
}

#[test]
fn a_power_cut_that_leaves_zeros_is_mended() {
    let (rules, headers) = chain(EASY, 9);
    let place = Place::new(rules);
    for zeros in [1, 79, 80, 81, 160, 80 * 20_000 + 7] {
        fs::write(place.path(), [bytes(&headers[..5]), vec![0; zeros]].concat()).unwrap();
        assert_eq!(of(&place.open().unwrap()), headers[..5], "{zeros}");
        assert_eq!(place.stored(), bytes(&headers[..5]), "{zeros}");
    }
    let mut gap = bytes(&headers);
    gap[80 * 5..80 * 6].fill(0);
    fs::write(place.path(), &gap).unwrap();
    let error = place.open().unwrap_err();
    assert!(matches!(error, HeaderFileError::Corrupt { height: 5, .. }), "{error:?}");
    assert_eq!(place.stored(), gap);
}

#[test]
fn a_damaged_byte_is_named_and_nothing_is_changed() {
    let (rules, headers) = chain(HARD, 6);
    let whole = bytes(&headers);
    let place = Place::new(rules);
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x40;
        fs::write(place.path(), &damaged).unwrap();
        match place.open().unwrap_err() {
            HeaderFileError::AnotherChain(path) => assert_eq!((at / 80, path), (0, place.path())),
            HeaderFileError::Corrupt { height, .. } => assert_eq!(usize::try_from(height).unwrap(), at / 80),
            other => panic!("{at}: {other:?}"),
        }
        assert_eq!(place.stored(), damaged);
    }
    let mut damaged = whole;
    damaged[3 * 80 + 70] ^= 1;
    fs::write(place.path(), &damaged).unwrap();
    let error = place.open().unwrap_err();
    let path = place.path();
    assert_eq!(error.to_string(), format!("bytes 240 to 319 of {}, the header of height 3, are wrong", path.display()));
    assert_eq!(error.source().unwrap().to_string(), "its hash exceeds its target");
}

#[test]
fn damage_is_found_behind_the_first_piece_too() {
    let (rules, headers) = chain(EASY, 20_000);
    let place = Place::new(rules);
    let file = place.open().unwrap();
    file.add(&headers).unwrap();
    drop(file);
    assert_eq!(of(&place.open().unwrap()), headers);
    // The beginning of a piece is where one that is known could be mistaken for the next.
    for (at, wrong) in [(8192, 1), (8192, 8191), (16_384, 0), (19_999, 19_998)] {
        let mut damaged = headers.clone();
        damaged[at] = headers[wrong];
        fs::write(place.path(), bytes(&damaged)).unwrap();
        let error = place.open().unwrap_err();
        let is_named = matches!(error, HeaderFileError::Corrupt { height, fault: HeaderFault::NotLinked, .. } if height as usize == at);
        assert!(is_named, "{at}: {error:?}");
    }
}

#[test]
fn a_file_of_something_else_is_left_alone() {
    let (rules, headers) = chain(EASY, 3);
    let place = Place::new(rules);
    let mainnet = bytes(&[*ChainRules::of(Network::Mainnet).genesis()]);
    for other in [b"a note".to_vec(), vec![b'x'; 79], vec![b'x'; 10_000], mainnet, bytes(&headers[1..])] {
        fs::write(place.path(), &other).unwrap();
        let error = place.open().unwrap_err();
        assert!(matches!(error, HeaderFileError::AnotherChain(_)), "{error:?}");
        assert_eq!(place.stored(), other);
    }
    let error = HeaderFile::open(place.folder.path(), place.rules.clone()).unwrap_err();
    assert!(matches!(error, HeaderFileError::Io { doing: "opened", .. }), "{error:?}");
}

#[test]
fn one_has_it_open_at_a_time_and_anybody_may_read() {
    let (rules, headers) = chain(EASY, 5);
    let place = Place::new(rules);
    let file = place.open().unwrap();
    file.add(&headers).unwrap();
    let second = place.open().unwrap_err();
    assert!(matches!(second, HeaderFileError::InUse(path) if path == place.path()));
    assert_eq!(HeaderFile::read(&place.path(), place.rules.clone()).unwrap().headers(), headers);
    drop(file);
    place.open().unwrap();
}

#[test]
fn another_file_is_imported_if_it_is_better() {
    let (rules, headers) = chain(HARD, 12);
    let place = Place::new(rules);
    let file = place.open().unwrap();
    assert_eq!(file.import(&place.beside(&headers[..8])).unwrap().added, 7);
    assert_eq!(file.import(&place.beside(&headers[..4])).unwrap().added, 0, "a part of it");
    assert_eq!(file.import(&place.beside(&headers)).unwrap().added, 4);
    assert_eq!(place.stored(), bytes(&headers));

    let light = [&headers[..6], &mine_on(&headers[5], 6, "light")].concat();
    let refused = file.import(&place.beside(&light)).unwrap_err();
    assert!(matches!(refused, HeaderFileError::Refused(AcceptError::NotHeavier { fork_height: 5 })), "{refused:?}");
    let mut damaged = [&headers[..], &mine_on(&headers[11], 5, "")].concat();
    damaged.remove(14);
    let refused = file.import(&place.beside(&damaged)).unwrap_err();
    assert!(matches!(refused, HeaderFileError::Corrupt { height: 14, .. }), "{refused:?}");
    let refused = file.import(&place.beside(&chain(EASY, 50).1)).unwrap_err();
    assert!(matches!(refused, HeaderFileError::AnotherChain(_)), "{refused:?}");
    let missing = file.import(&place.folder.path().join("missing")).unwrap_err();
    assert!(matches!(missing, HeaderFileError::Io { .. }), "{missing:?}");
    assert_eq!(place.stored(), bytes(&headers), "and nothing of those was taken");

    let heavy = [&headers[..6], &mine_on(&headers[5], 7, "heavy")].concat();
    assert_eq!(file.import(&place.beside(&heavy)).unwrap().fork_height, 5);
    assert_eq!(place.stored(), bytes(&heavy));
}

/// Not a test by itself: what [`a_process_that_is_killed_leaves_a_chain`] runs and kills, in the folder of the file.
#[test]
#[ignore = "another test runs it in a process of its own"]
fn writes_one_branch_after_the_other() {
    let (rules, headers) = chain(EASY, 50);
    let file = HeaderFile::open("headers", rules).unwrap();
    file.add(&headers).unwrap();
    println!("\nready");
    for length in 1..300 {
        file.add(&mine_on(&headers[49], length, &length.to_string())).unwrap();
    }
}

#[test]
fn a_process_that_is_killed_leaves_a_chain() {
    let (rules, headers) = chain(EASY, 50);
    let mut survived = Vec::new();
    for round in 0..12 {
        let place = Place::new(rules.clone());
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "header_file::writes_one_branch_after_the_other", "--ignored", "--nocapture"])
            .current_dir(place.folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "ready"), "it ended before it had begun");
        // Not a wait for anything: it only makes each kill hit another moment.
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(3 * round) {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let found = of(&place.open().unwrap());
        assert_eq!(found[..50], headers, "what was acknowledged is there");
        survived.push(found.len());
    }
    assert!(survived.iter().any(|length| *length > 50), "some were killed after they had got on: {survived:?}");
}

#[tokio::test]
async fn it_says_nothing_before_it_has_the_work() {
    let (rules, headers) = chain(EASY, 12);
    let enough = {
        let place = Place::new(rules.clone());
        let file = place.open().unwrap();
        file.add(&headers[..11]).unwrap();
        file.chain(artdag_anchoring::bitcoin::HeaderChain::work)
    };
    let place = Place::new(rules.with_minimum_work(enough));
    let file = place.open().unwrap();
    file.add(&headers[..10]).unwrap();
    assert!(matches!(file.tip().await, Err(HeadersError::NotYet(_))));
    assert!(matches!(file.header(3).await, Err(HeadersError::NotYet(_))));
    assert!(matches!(file.headers(0, 3).await, Err(HeadersError::NotYet(_))));
    file.add(&headers[10..]).unwrap();
    assert_eq!(file.tip().await.unwrap(), 11);
    assert_eq!((file.header(3).await.unwrap(), file.header(12).await.unwrap()), (Some(headers[3]), None));
    assert_eq!(file.headers(9, u32::MAX).await.unwrap(), headers[9..]);
    assert_eq!(file.headers(12, 5).await.unwrap(), []);
}
