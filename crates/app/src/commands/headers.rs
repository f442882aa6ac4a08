use super::progress::{Gauge, say};
use crate::bitcoin::{self, Bitcoin, Feed};
use crate::cli::HeadersCommand;
use crate::logging::one_line;
use crate::settings::Settings;
use crate::wiring::{StartError, make_directory};
use artdag_anchoring::bitcoin::{BlockHeader, HeaderChain};
use artdag_anchoring::{BlockHeaders, Day, HeadersError};
use artdag_opentimestamps::{Attempt, Progress, SyncError};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long another process may have the file: what is new is added in moments.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long a source may take to show that it is there.
const REACH: Duration = Duration::from_secs(10);

const NO_SOURCE: &str = "there is nobody to fetch headers from: set BITCOIN_RPC_URL, BITCOIN_PEERS or ESPLORA_URLS, \
                         or take over a file with `artdag-l2 headers import FILE`";

/// `artdag-l2 headers ..`
pub(crate) async fn headers(settings: &Settings, command: HeadersCommand) -> Result<(), StartError> {
    let bitcoin = bitcoin::sources(settings)?;
    match command {
        HeadersCommand::Import { file } => {
            make_directory(&settings.data)?;
            import(&bitcoin, &file).await
        }
        HeadersCommand::Sync { from_node, from_peers, from_explorers } => {
            make_directory(&settings.data)?;
            let feeds = [(from_node, Feed::Node), (from_peers, Feed::Peers), (from_explorers, Feed::Explorers)];
            let wanted = feeds.into_iter().find_map(|(is_wanted, feed)| is_wanted.then_some(feed));
            let feed = wanted.or(bitcoin.best_feed()).ok_or(NO_SOURCE)?;
            sync(&bitcoin, feed, settings.bitcoin.esplora_urls.len()).await
        }
        HeadersCommand::Status => status(settings, &bitcoin).await,
    }
}

async fn import(bitcoin: &Bitcoin, file: &Path) -> Result<(), StartError> {
    let change = in_turn(async || bitcoin.kept.import(file).await).await?;
    match change.added {
        0 => println!("All headers of {} were there already.", file.display()),
        added => println!("New headers: {added}, from {}.", file.display()),
    }
    if change.is_reorg() {
        println!("They replace {} headers above height {}.", change.removed.len(), change.fork_height);
    }
    show_chain(&*bitcoin.kept.chain().await?);
    Ok(())
}

/// The headers could not be fetched from there.
#[derive(Debug, thiserror::Error)]
#[error("{whose}")]
struct Unfetched {
    whose: String,
    #[source]
    error: SyncError,
}

async fn sync(bitcoin: &Bitcoin, feed: Feed, explorers: usize) -> Result<(), StartError> {
    let source = bitcoin.feed(feed).ok_or(match feed {
        Feed::Node => "there is no node: set BITCOIN_RPC_URL",
        Feed::Peers => "there are no peers: set BITCOIN_PEERS",
        Feed::Explorers => "there are no explorers: set ESPLORA_URLS",
    })?;
    let unfetched = |error| Unfetched { whose: source.name(), error };
    if feed == Feed::Explorers {
        let tip = source.tip().await.map_err(|error| unfetched(error.into()))?;
        let missing = tip.saturating_sub(bitcoin.kept.chain().await?.height());
        let requests = u64::from(missing) * 2;
        println!("Missing headers: {missing}. They take {requests} requests to each explorer ({explorers} in all).");
    }
    let mut gauge = Gauge::of("headers");
    let mut tell = |Progress { height, tip, .. }| gauge.tell(height.into(), tip.into());
    let sync = async || bitcoin.kept.sync(&**source, feed.batch(), &mut tell).await.map_err(unfetched);
    let synced = in_turn(sync).await;
    drop(gauge);
    let synced = synced?;
    match synced.added {
        0 => println!("There are no new headers."),
        added => println!("New headers: {added}, from {}.", source.name()),
    }
    if let Some(fork) = synced.reorg {
        println!("They replace those above height {fork}.");
    }
    if synced.is_ahead {
        println!("The chain here has more work than the one there, or as much.");
    }
    show_chain(&*bitcoin.kept.chain().await?);
    Ok(())
}

/// Waits for its turn, if another process is changing the file.
async fn in_turn<T, E: Into<StartError>>(
    mut attempt: impl AsyncFnMut() -> Result<Attempt<T>, E>,
) -> Result<T, StartError> {
    let start = Instant::now();
    let mut told = false;
    loop {
        if let Attempt::Done(done) = attempt().await.map_err(Into::into)? {
            return Ok(done);
        }
        if start.elapsed() >= PATIENCE {
            let why = "another process is fetching headers into the same file; try again when it is done: \
                       `artdag-l2 headers status` shows how far it is";
            return Err(why.into());
        }
        if !told {
            say("Another process is changing the file; waiting for it.");
            told = true;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn status(settings: &Settings, bitcoin: &Bitcoin) -> Result<(), StartError> {
    // All of them at once, while the file is read.
    let mut asked = Vec::new();
    for source in bitcoin::each_source(settings, bitcoin)? {
        let genesis = *bitcoin.rules.genesis();
        asked.push((source.name(), tokio::spawn(async move { timeout(REACH, reach(&*source, &genesis)).await })));
    }
    let path = bitcoin.kept.path();
    println!("network  {}", bitcoin.network);
    println!("file     {}{}", path.display(), if path.exists() { "" } else { " (not there yet)" });
    let chain = bitcoin.kept.chain().await;
    match &chain {
        Ok(chain) => show_chain(chain),
        Err(_) => println!("height   unknown: the file is wrong"),
    }
    if asked.is_empty() {
        println!("sources  none: set BITCOIN_RPC_URL, BITCOIN_PEERS or ESPLORA_URLS");
    }
    for (name, asked) in asked {
        match asked.await?.unwrap_or(Err(HeadersError::Slow)) {
            Ok(Reach::Height(height)) => println!("source   {name}: reaches height {height}"),
            Ok(Reach::AnotherChain) => println!("source   {name}: has the headers of another network"),
            Err(error) => println!("source   {name}: {}", one_line(&error)),
        }
    }
    chain.map(|_| ()).map_err(Into::into)
}

enum Reach {
    Height(u32),
    AnotherChain,
}

async fn reach(source: &dyn BlockHeaders, genesis: &BlockHeader) -> Result<Reach, HeadersError> {
    let height = source.tip().await?;
    let first = source.header(0).await?;
    Ok(if first.as_ref() == Some(genesis) { Reach::Height(height) } else { Reach::AnotherChain })
}

fn show_chain(chain: &HeaderChain) {
    println!("height   {}", chain.height());
    println!("tip      {}", chain.tip());
    if let Some(last) = chain.headers().last() {
        println!("day      {}", Day::of(last.time()));
    }
    let is_enough = chain.check_work().is_ok();
    println!("work     {}", if is_enough { "enough" } else { "too little: a proof cannot be judged by it yet" });
}
