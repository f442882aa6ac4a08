//! The commands, one file each. What they print is their result, and goes to standard output.
#![expect(clippy::print_stdout, reason = "commands print their result")]

mod anchors;
mod check;
mod federation;
mod headers;
mod jobs;
mod keys;
mod progress;
mod serve;
mod users;
mod worker;

pub(crate) use anchors::anchors;
pub(crate) use check::check;
pub(crate) use federation::federation;
pub(crate) use headers::headers;
pub(crate) use jobs::jobs;
pub(crate) use keys::keys;
pub(crate) use serve::serve;
pub(crate) use users::users;
pub(crate) use worker::worker;

use crate::openapi::openapi_json;
use crate::settings::Settings;
use crate::wiring::{StartError, make_directory};

/// `artdag-l2 config`
#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(crate) fn config(settings: &Settings) -> Result<(), StartError> {
    for (name, value) in settings.shown() {
        println!("{name}={value}");
    }
    Ok(())
}

/// `artdag-l2 openapi`
pub(crate) fn openapi() -> Result<(), StartError> {
    print!("{}", openapi_json()?);
    Ok(())
}

/// `artdag-l2 migrate`
pub(crate) async fn migrate(settings: &Settings) -> Result<(), StartError> {
    make_directory(&settings.data)?;
    let applied = artdag_database::migrate(&settings.database).await?;
    match applied.as_slice() {
        [] => println!("{} is up to date.", settings.database),
        applied => println!("{}: applied {}.", settings.database, applied.join(", ")),
    }
    Ok(())
}
