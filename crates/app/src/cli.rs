//! The command line of `artdag-l2`.

use crate::commands;
use crate::settings::Settings;
use crate::wiring::StartError;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// The ownership registry of Art DAG: assets by content hash, claims as signed ActivityPub activities.
///
/// Settings come from the environment, then from the file of --config, then from defaults. Without any, the
/// server keeps everything in ~/.artdag/l2 and listens on port 8200.
#[derive(Debug, Parser)]
#[command(name = "artdag-l2", version, arg_required_else_help = false)]
pub struct Cli {
    /// A TOML file with settings; config/artdag-l2.example.toml explains them all
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve (what happens without a command, too)
    Serve,
    /// Bring the database's tables up to date; `serve` does it by itself
    Migrate,
    /// Make or take over the keys that sign in users' names
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Manage accounts
    #[command(subcommand)]
    Users(UsersCommand),
    /// See to the jobs that wait, run or failed
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// See to the log's stamps in Bitcoin
    #[command(subcommand)]
    Anchors(AnchorsCommand),
    /// Compute anew what is stored and can be computed anew, and name what is wrong
    Check,
    /// See to other servers: blocks, deliveries, reports
    #[command(subcommand)]
    Federation(FederationCommand),
    /// See to the headers of Bitcoin's blocks, by which proofs are judged
    #[command(subcommand)]
    Headers(HeadersCommand),
    /// Do jobs and deliveries without serving: more hands beside `serve` processes over one PostgreSQL
    Worker,
    /// Show the settings in force, secrets masked
    Config,
    /// Print the OpenAPI description of the HTTP interface
    Openapi,
}

/// `artdag-l2 keys ..`
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make an RSA and an Ed25519 key for a user
    Generate {
        /// Whose keys
        #[command(flatten)]
        place: KeysPlace,
        /// Replace the keys there are; they are set aside in keys/retired
        #[arg(long)]
        force: bool,
    },
    /// Take over keys that were made elsewhere, such as those of the original server
    Import {
        /// Whose keys
        #[command(flatten)]
        place: KeysPlace,
        /// The private RSA key, PEM (PKCS#8 or PKCS#1)
        #[arg(long, value_name = "FILE")]
        rsa: PathBuf,
        /// The private Ed25519 key, PEM (PKCS#8); made anew when not given
        #[arg(long, value_name = "FILE")]
        ed25519: Option<PathBuf>,
        /// Replace the keys there are; they are set aside in keys/retired
        #[arg(long)]
        force: bool,
    },
}

/// Whose keys, and where they are kept.
#[derive(Debug, Args)]
pub struct KeysPlace {
    /// The user; ARTDAG_USER when not given
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// The data directory; ARTDAG_DATA when not given
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// `artdag-l2 users ..`
#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// Make an account, whatever REGISTRATION says; the password is read from standard input
    Create {
        /// The username
        name: String,
    },
    /// Make an invite for one account, good for two weeks; with REGISTRATION=invite, nobody registers without
    Invite,
}

/// `artdag-l2 jobs ..`
#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// List jobs, newest first
    List {
        /// Only those that are waiting, running or dead
        #[arg(long, value_name = "STATE", value_parser = ["waiting", "running", "dead"])]
        state: Option<String>,
        /// How many at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
        limit: u16,
    },
    /// Let dead jobs run again
    Retry {
        /// The job's id; all dead jobs with --all
        #[arg(required_unless_present = "all")]
        id: Option<String>,
        /// Every dead job
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
}

/// `artdag-l2 anchors ..`
#[derive(Debug, Subcommand)]
pub enum AnchorsCommand {
    /// List anchors, newest first
    List {
        /// How many at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
    },
    /// Show an anchor and what each calendar said
    Show {
        /// Its root, in hex
        root: String,
    },
    /// Stamp all that no anchor has yet
    Create,
    /// Ask every calendar that has not answered, at once, and look up the blocks that they name
    Upgrade {
        /// Its root, in hex
        root: String,
    },
    /// Ask nobody about an anchor any more; what it has is in none of the later anchors' pages, but in their trees
    GiveUp {
        /// Its root, in hex
        root: String,
    },
}

/// `artdag-l2 federation ..`
#[derive(Debug, Subcommand)]
pub enum FederationCommand {
    /// Block a domain: nothing is taken from it, nothing is sent to it
    Block {
        /// `spam.example`, or `*.spam.example` for it and everything below it
        domain: String,
        /// Why, for those who read the list later
        #[arg(long)]
        reason: Option<String>,
    },
    /// Put a domain on the list of those that FEDERATION=allowlist speaks with
    Allow {
        /// `friends.example`, or `*.friends.example` for it and everything below it
        domain: String,
        /// Why, for those who read the list later
        #[arg(long)]
        reason: Option<String>,
    },
    /// Take a domain off either list
    Forget {
        /// As it was given to `block` or `allow`
        domain: String,
    },
    /// Print both lists as CSV
    Rules,
    /// Take over rules from CSV with the columns domain, action and reason; `domain` alone (or `#domain`, as others
    /// export it) blocks
    Import {
        /// The file; - reads standard input
        file: PathBuf,
    },
    /// List the servers that mail goes to, those in trouble first
    Peers {
        /// How many at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
    },
    /// List deliveries, newest first: who did not get what, why, and when it is tried next
    Deliveries {
        /// Only those that are waiting, delivered or failed
        #[arg(long, value_name = "STATE", value_parser = ["waiting", "delivered", "failed"])]
        state: Option<String>,
        /// Only those to this host
        #[arg(long)]
        host: Option<String>,
        /// How many at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
    },
    /// Try at once what waits for a host, or for all
    Retry {
        /// Host and port; all hosts with --all
        #[arg(required_unless_present = "all")]
        host: Option<String>,
        /// Every host
        #[arg(long, conflicts_with = "host")]
        all: bool,
    },
    /// List what others reported: blocks, flags and moves, newest first
    Notices {
        /// How many at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
        limit: u16,
    },
}

/// `artdag-l2 headers ..`
#[derive(Debug, Subcommand)]
pub enum HeadersCommand {
    /// Check the headers of a file (80 bytes each, from the first block on), and take over those that are new
    Import {
        /// The file, such as BITCOIN_HEADERS of another server
        file: PathBuf,
    },
    /// Fetch the headers that are missing, from the node if there is one, else from the peers, else from the explorers
    Sync {
        /// From the node of BITCOIN_RPC_URL
        #[arg(long, conflicts_with_all = ["from_peers", "from_explorers"])]
        from_node: bool,
        /// From the peers of BITCOIN_PEERS
        #[arg(long, conflicts_with = "from_explorers")]
        from_peers: bool,
        /// From the explorers of ESPLORA_URLS, two requests to each of them for each header
        #[arg(long)]
        from_explorers: bool,
    },
    /// Show how far the headers reach, and whether their sources answer
    Status,
}

impl Cli {
    /// Does what was asked for.
    ///
    /// # Errors
    /// A text for the person at the terminal.
    pub async fn run(self) -> Result<(), StartError> {
        // It describes the program, not an installation: no settings are needed for it.
        if matches!(self.command, Some(Command::Openapi)) {
            return commands::openapi();
        }
        let settings = Settings::load(self.config.as_deref())?;
        crate::logging::start(&settings)?;
        match self.command {
            None | Some(Command::Serve) => commands::serve(&settings).await,
            Some(Command::Migrate) => commands::migrate(&settings).await,
            Some(Command::Keys(command)) => commands::keys(settings, command).await,
            Some(Command::Users(command)) => commands::users(&settings, command).await,
            Some(Command::Jobs(command)) => commands::jobs(&settings, command).await,
            Some(Command::Anchors(command)) => commands::anchors(&settings, command).await,
            Some(Command::Check) => commands::check(&settings).await,
            Some(Command::Federation(command)) => commands::federation(&settings, command).await,
            Some(Command::Headers(command)) => commands::headers(&settings, command).await,
            Some(Command::Worker) => commands::worker(&settings).await,
            Some(Command::Config) => commands::config(&settings),
            Some(Command::Openapi) => commands::openapi(),
        }
    }
}
