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
            Some(Command::Config) => commands::config(&settings),
            Some(Command::Openapi) => commands::openapi(),
        }
    }
}
