use super::serve::until_told_to_stop;
use crate::bitcoin::{self, run_follower};
use crate::server::{WIND_UP, wind_up};
use crate::settings::Settings;
use crate::wiring::{self, StartError};
use artdag_registry::{run_courier, run_worker};
use tokio::task::JoinSet;

/// `artdag-l2 worker`
pub(crate) async fn worker(settings: &Settings) -> Result<(), StartError> {
    let bitcoin = bitcoin::sources(settings)?;
    let registry = wiring::build_with(settings, bitcoin.clone()).await?;
    let mut stopped = until_told_to_stop()?;
    let holder = wiring::process_name("worker");
    tracing::info!(%holder, database = %settings.database, "working off jobs and deliveries");
    let mut background = JoinSet::new();
    background.spawn(run_worker(registry.clone(), holder.clone(), stopped.clone()));
    background.spawn(run_courier(registry, holder, stopped.clone()));
    background.spawn(run_follower(bitcoin, stopped.clone()));
    // One that ended early has failed, and is told of at the end as the others are.
    let _told = stopped.wait_for(|stop| *stop).await;
    wind_up(background, WIND_UP).await?;
    tracing::info!("stopped");
    Ok(())
}
