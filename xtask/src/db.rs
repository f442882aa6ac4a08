//! `cargo xtask db`

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Subcommand;

use crate::postgres::{self, Cluster, Programs};
use crate::workspace;

/// A throwaway PostgreSQL for development and tests
///
/// It listens on a free port of 127.0.0.1 only, trusts every local user, does not sync to disk, and is gone after
/// `down`. Run by root, the server runs as the user postgres, or else nobody.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start it, unless it runs, and print its URL
    Up,
    /// Stop it and remove its data
    Down,
    /// Print the URL of the running one
    Url,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    match args.command {
        Command::Up => up(),
        Command::Down => down(),
        Command::Url => url(),
    }
}

/// The cluster that `up` started, if it still runs.
pub(crate) fn running() -> Result<Option<Cluster>> {
    Ok(recorded()?.filter(Cluster::is_ours))
}

fn up() -> Result<()> {
    let cluster = match running()? {
        Some(cluster) => cluster,
        None => start()?,
    };
    println!("{}\n", cluster.url());
    println!("export TEST_DATABASE_URL={}", cluster.url());
    Ok(())
}

fn start() -> Result<Cluster> {
    // One that died, with the machine perhaps, leaves its folder behind.
    if let Some(dead) = recorded()? {
        dead.stop()?;
    }
    let Some(programs) = Programs::find() else {
        bail!("`initdb` and `postgres` are not on this machine: {}", postgres::HOW_TO_INSTALL);
    };
    let cluster = Cluster::start(&programs)?;
    if let Err(error) = record(&cluster) {
        cluster.stop()?;
        return Err(error);
    }
    Ok(cluster)
}

fn down() -> Result<()> {
    let Some(cluster) = recorded()? else {
        println!("no PostgreSQL of `cargo xtask db up` is running");
        return Ok(());
    };
    cluster.stop()?;
    let path = record_path()?;
    fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
    println!("stopped");
    Ok(())
}

fn url() -> Result<()> {
    match running()? {
        Some(cluster) => println!("{}", cluster.url()),
        None => bail!("no PostgreSQL is running; start one with `cargo xtask db up`"),
    }
    Ok(())
}

/// Three lines: process, port, folder.
fn record_path() -> Result<PathBuf> {
    Ok(workspace::target_dir()?.join("xtask-postgres"))
}

fn record(cluster: &Cluster) -> Result<()> {
    let path = record_path()?;
    if let Some(target) = path.parent() {
        fs::create_dir_all(target).with_context(|| format!("cannot make {}", target.display()))?;
    }
    let text = format!("{}\n{}\n{}\n", cluster.pid, cluster.port, cluster.dir.display());
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn recorded() -> Result<Option<Cluster>> {
    let path = record_path()?;
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    match parse(&text) {
        Some(cluster) => Ok(Some(cluster)),
        None => bail!("{} is not what `cargo xtask db up` writes; remove it", path.display()),
    }
}

fn parse(text: &str) -> Option<Cluster> {
    let mut lines = text.lines();
    let pid = lines.next()?.parse().ok().filter(|pid| *pid > 1)?;
    let port = lines.next()?.parse().ok()?;
    let dir = PathBuf::from(lines.next()?);
    // `stop` removes this folder, so a file that names another one is not believed.
    let ours = dir.is_absolute() && dir.file_name()?.to_str()?.starts_with("artdag-postgres-");
    ours.then_some(Cluster { dir, pid, port })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_record_is_read_back() {
        let cluster = parse("4711\n40123\n/tmp/artdag-postgres-12-ab\n").expect("it is whole");
        assert_eq!((cluster.pid, cluster.port), (4711, 40123));
        assert_eq!(cluster.url(), "postgresql://postgres@127.0.0.1:40123/postgres");
    }

    #[test]
    fn a_record_that_could_do_harm_is_refused() {
        for text in [
            "",
            "4711\n40123\n",
            "4711\n40123\n/home\n",
            "1\n40123\n/tmp/artdag-postgres-1",
            "-5\n1\n/tmp/artdag-postgres-1",
        ] {
            assert!(parse(text).is_none(), "{text:?}");
        }
    }
}
