//! Where the workspace lies.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand};

use crate::env;

/// The workspace's root, as it was when xtask was built.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// The build directory, as cargo sees it: `CARGO_TARGET_DIR` and the like are heeded.
pub(crate) fn target_dir() -> Result<PathBuf> {
    Ok(metadata()?.target_directory.into_std_path_buf())
}

/// The workspace's packages and what they declare, without resolving anything.
pub(crate) fn metadata() -> Result<Metadata> {
    MetadataCommand::new()
        .cargo_path(PathBuf::from(env::cargo()))
        .current_dir(root())
        .no_deps()
        .exec()
        .context("`cargo metadata` failed; a Cargo.toml of the workspace may be broken")
}
