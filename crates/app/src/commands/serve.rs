use crate::bitcoin;
use crate::server::Bound;
use crate::settings::{LogFormat, Settings};
use crate::wiring::{self, StartError};
use std::net::{IpAddr, SocketAddr};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// `artdag-l2 serve`
pub(crate) async fn serve(settings: &Settings) -> Result<(), StartError> {
    // The port first: a second server must not touch the first one's data before it notices.
    let bound = Bound::new(SocketAddr::new(settings.host, settings.port))?;
    let bitcoin = bitcoin::sources(settings)?;
    let registry = wiring::build_with(settings, bitcoin.clone()).await?;
    greet(settings, bound.address());

    let stopped = until_told_to_stop()?;
    bound.serve(registry, bitcoin, settings.trusted_proxies.clone(), stopped).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Turns true on SIGTERM and on Ctrl-C.
pub(super) fn until_told_to_stop() -> Result<watch::Receiver<bool>, StartError> {
    let (stop, stopped) = watch::channel(false);
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: ending what is under way");
        stop.send_replace(true);
    });
    Ok(stopped)
}

/// What somebody who starts it for the first time wants to know.
fn greet(settings: &Settings, address: SocketAddr) {
    tracing::info!(%address, public_url = settings.site.base(), database = %settings.database, "serving");
    if settings.log_format == LogFormat::Json {
        return;
    }
    let base = settings.site.base();
    let reach = if address.ip().is_unspecified() {
        SocketAddr::new(IpAddr::from([127, 0, 0, 1]), address.port())
    } else {
        address
    };
    println!("Art DAG L2 {} is serving on {address}", env!("CARGO_PKG_VERSION"));
    println!("  public URL  {base} (handles end in @{})", settings.site.domain());
    println!("  database    {}", settings.database);
    println!("  data        {} (keys, secrets; back it up)", settings.data.display());
    println!("  API         http://{reach}/docs/");
    println!("Next: register an account");
    let body = format!("{{\"username\": \"{}\", \"password\": \"choose a long one\"}}", settings.user);
    println!("  curl http://{reach}/auth/register -H 'Content-Type: application/json' -d '{body}'");
}
