//! `artdag-l2 headers ..`, and the headers that a server keeps by itself, beside a chain of its own.

use crate::process::{Said, Server};
use artdag_testing::{OtsCalendars, free_port};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A data directory, and the settings that lead to a chain.
struct Place {
    data: TempDir,
    settings: Vec<(&'static str, String)>,
}

impl Place {
    fn new(settings: &[(&'static str, &str)]) -> Self {
        let mut all = vec![("BITCOIN_NETWORK", "regtest".to_owned())];
        all.extend(settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
        Self { data: tempfile::tempdir().unwrap(), settings: all }
    }

    fn file(&self) -> PathBuf {
        self.data.path().join("headers-regtest")
    }

    /// Runs `artdag-l2 headers ..` to its end.
    fn run(&self, arguments: &[&str]) -> Said {
        let arguments = [&["headers"], arguments].concat();
        Said::by(self.data.path(), self.settings.iter().map(|(name, value)| (*name, value.as_str())), &arguments)
    }

    fn status(&self) -> String {
        self.run(&["status"]).well()
    }

    fn height(&self) -> u32 {
        let status = self.status();
        let line = status.lines().find_map(|line| line.strip_prefix("height   "));
        line.and_then(|height| height.parse().ok()).unwrap_or_else(|| panic!("no height: {status}"))
    }
}

/// All headers that the chain shows, as a file.
async fn save(chain: &OtsCalendars, path: &Path) -> Vec<Vec<u8>> {
    let headers: Vec<Vec<u8>> = chain.headers().await.iter().map(|header| hex::decode(header).unwrap()).collect();
    std::fs::write(path, headers.concat()).unwrap();
    headers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_taken_over_and_a_wrong_one_is_refused() {
    let Some(chain) = OtsCalendars::start(1, 1).await else { return };
    let place = Place::new(&[]);
    let other = place.data.path().join("other");
    let import = || place.run(&["import", other.to_str().unwrap()]);

    let headers = save(&chain, &other).await;
    let said = import().well();
    assert!(said.contains("New headers: 9,") && said.contains("height   9\n"), "{said}");
    assert!(import().well().contains("were there already."));
    assert_eq!(std::fs::read(place.file()).unwrap(), headers.concat());

    let gap = [&headers[..5], &headers[6..]].concat().concat();
    std::fs::write(&other, gap).unwrap();
    import().assert_failed("the header of height 5, are wrong");
    std::fs::write(&other, "no headers at all").unwrap();
    import().assert_failed("are those of another chain");
    std::fs::remove_file(&other).unwrap();
    import().assert_failed("cannot be opened");
    assert_eq!(std::fs::read(place.file()).unwrap(), headers.concat());

    chain.reorganise(3).await;
    let headers = save(&chain, &other).await;
    let said = import().well();
    assert!(said.contains("They replace 3 headers above height 6.") && said.contains("height   10\n"), "{said}");
    assert_eq!(std::fs::read(place.file()).unwrap(), headers.concat());

    std::fs::write(place.file(), "no headers at all").unwrap();
    let said = place.run(&["status"]);
    said.assert_failed("are those of another chain");
    assert!(said.out.contains("height   unknown: the file is wrong"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_fetched_from_a_node_or_from_explorers() {
    let Some(chain) = OtsCalendars::start(3, 1).await else { return };
    let explorers: Vec<String> = chain.urls().split(',').map(|url| format!("{url}/api")).collect();
    let place = Place::new(&[
        ("BITCOIN_RPC_URL", &chain.node_url()),
        ("ESPLORA_URLS", &explorers.join(",")),
        ("ALLOW_PRIVATE_NETWORKS", "127.0.0.0/8"),
    ]);
    let said = place.run(&["sync"]).well();
    assert!(said.contains("New headers: 9, from the node ") && said.contains("height   9\n"), "{said}");
    assert!(place.run(&["sync", "--from-node"]).well().contains("There are no new headers."));

    chain.mine(3).await;
    let said = place.run(&["sync", "--from-explorers"]).well();
    assert!(said.contains("Missing headers: 3. They take 6 requests to each explorer (3 in all)."), "{said}");
    assert!(said.contains("New headers: 3, from the explorer ") && said.contains("height   12\n"), "{said}");
    chain.reorganise(4).await;
    let said = place.run(&["sync", "--from-explorers"]).well();
    assert!(said.contains("They replace those above height 8.") && said.contains("height   13\n"), "{said}");
    let theirs = save(&chain, &place.data.path().join("other")).await;
    assert_eq!(std::fs::read(place.file()).unwrap(), theirs.concat());

    let nobody = Place::new(&[]);
    nobody.run(&["sync"]).assert_failed("set BITCOIN_RPC_URL, BITCOIN_PEERS or ESPLORA_URLS");
    nobody.run(&["sync", "--from-node"]).assert_failed("set BITCOIN_RPC_URL");
    nobody.run(&["sync", "--from-explorers"]).assert_failed("set ESPLORA_URLS");
    let gone = Place::new(&[("BITCOIN_RPC_URL", &format!("http://u:secret@127.0.0.1:{}/", free_port()))]);
    let said = gone.run(&["sync"]);
    said.assert_failed("the node http://127.0.0.1:");
    said.assert_failed("the source of headers cannot be reached");
    assert!(!said.error.contains("secret"), "{said:?}");
}

#[cfg(feature = "p2p-headers")]
#[tokio::test(flavor = "multi_thread")]
async fn p2p_peers_show_what_is_missing() {
    let Some(chain) = OtsCalendars::start_with_peer(1, 1).await else { return };
    let dead = format!("127.0.0.1:{}", free_port());
    let place = Place::new(&[("BITCOIN_PEERS", &format!("{dead},{}", chain.peer()))]);
    let said = place.run(&["sync"]).well();
    assert!(said.contains("New headers: 9, from the Bitcoin peer ") && said.contains("height   9\n"), "{said}");
    chain.reorganise(4).await;
    let said = place.run(&["sync", "--from-peers"]).well();
    assert!(said.contains("They replace those above height 5.") && said.contains("height   10\n"), "{said}");
    let theirs = save(&chain, &place.data.path().join("other")).await;
    assert_eq!(std::fs::read(place.file()).unwrap(), theirs.concat());

    let status = place.status();
    assert!(status.contains(&format!("source   the Bitcoin peer {}: reaches height 10\n", chain.peer())), "{status}");
    assert!(status.contains(&format!("source   the Bitcoin peer {dead}: the source of headers cannot be reached: ")));
    chain.mine(3).await;
    chain.control(0, "p2p/unlinked").await;
    place.run(&["sync"]).assert_failed("gives an answer that cannot be: its headers do not follow");
    Place::new(&[]).run(&["sync", "--from-peers"]).assert_failed("set BITCOIN_PEERS");
}

#[cfg(not(feature = "p2p-headers"))]
#[test]
fn peers_take_a_program_that_can_ask_them() {
    let place = Place::new(&[("BITCOIN_PEERS", "127.0.0.1:18444")]);
    place.run(&["status"]).assert_failed("BITCOIN_PEERS: this program was built without the feature `p2p-headers`");
}

#[tokio::test(flavor = "multi_thread")]
async fn status_tells_what_there_is_and_who_answers() {
    let Some(chain) = OtsCalendars::start(1, 1).await else { return };
    let dead = format!("http://127.0.0.1:{}", free_port());
    let explorers = format!("{},{dead}", chain.explorer_url());
    let settings = [
        ("BITCOIN_RPC_URL", &*chain.node_url()),
        ("ESPLORA_URLS", &explorers),
        ("ALLOW_PRIVATE_NETWORKS", "127.0.0.0/8"),
    ];
    let place = Place::new(&settings);
    let status = place.status();
    assert!(status.contains(&format!("file     {} (not there yet)\n", place.file().display())), "{status}");
    assert!(!place.file().exists(), "looking makes none");
    place.run(&["sync"]).well();
    let status = place.status();
    let tip = chain.get(0, "/api/block-height/9").await.unwrap();
    for line in [
        "network  regtest",
        &format!("file     {}", place.file().display()),
        "height   9",
        &format!("tip      {tip}"),
        "work     enough",
        &format!("source   the node {}/rpc: reaches height 9", chain.url(0)),
        &format!("source   the explorer {}: reaches height 9", chain.explorer_url()),
    ] {
        assert!(status.lines().any(|said| said == line), "{line}: {status}");
    }
    assert!(status.contains(&format!("source   the explorer {dead}: the source of headers cannot be reached: ")));

    let mut elsewhere = Place::new(&settings);
    elsewhere.settings.push(("BITCOIN_NETWORK", "mainnet".to_owned()));
    let status = elsewhere.status();
    assert!(status.contains("work     too little: a proof cannot be judged by it yet\n"), "{status}");
    assert!(status.contains("/rpc: has the headers of another network\n"), "{status}");
    elsewhere.run(&["sync"]).assert_failed("has the headers of another chain");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_follows_its_node_and_commands_share_its_file() {
    let Some(chain) = OtsCalendars::start(1, 1).await else { return };
    let place = Place::new(&[("BITCOIN_RPC_URL", &chain.node_url())]);
    let database = format!("sqlite:{}", place.data.path().join("artdag.db").display());
    let node = chain.node_url();
    let settings = [("BITCOIN_NETWORK", "regtest"), ("BITCOIN_RPC_URL", &*node)];
    let mut server = Server::start(free_port(), place.data.path(), &database, &settings).await;
    let start = Instant::now();
    while place.height() < 9 {
        assert!(start.elapsed() < Duration::from_secs(60), "the server fetches nothing");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    chain.mine(5).await;
    // The server, which looks each second, may have been quicker.
    place.run(&["sync"]).well();
    assert_eq!(place.height(), 14);
    assert!(server.terminate().success());
}
