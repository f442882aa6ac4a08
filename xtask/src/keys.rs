//! `cargo xtask keys`

use std::path::PathBuf;

use anyhow::Result;

use crate::process;

/// Make a user's signing keys: `artdag-l2 keys generate`
///
/// Without --user and --data-dir the server's own settings decide.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Whose keys
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The server's data folder; keys lie in its `keys/`
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Replace keys that exist; signatures made with them no longer verify
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut server = process::server();
    server.args(["keys", "generate"]);
    if let Some(user) = &args.user {
        server.arg("--user").arg(user);
    }
    if let Some(data_dir) = &args.data_dir {
        server.arg("--data-dir").arg(data_dir);
    }
    process::run(server.args(args.force.then_some("--force")))
}
