use super::serve::until_told_to_stop;
use crate::bitcoin::{self, run_follower};
use crate::settings::Settings;
use crate::wiring::{self, StartError};
use artdag_registry::{run_courier, run_worker};

/// `artdag-l2 worker`
pub(crate) async fn worker(settings: &Settings) -> Result<(), StartError> {
    let bitcoin = bitcoin::sources(settings)?;
    let registry = wiring::build_with(settings, bitcoin.clone()).await?;
    let stopped = until_told_to_stop()?;
    let holder = wiring::process_name("worker");
    tracing::info!(%holder, database = %settings.database, "working off jobs and deliveries");
    tokio::join!(
        run_worker(registry.clone(), holder.clone(), stopped.clone()),
        run_courier(registry, holder, stopped.clone()),
        run_follower(bitcoin, stopped),
    );
    tracing::info!("stopped");
    Ok(())
}
