//! From the names of hosts to addresses.

use async_trait::async_trait;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Look-ups that may be under way at once. A look-up takes a thread for as long as the system's resolver waits,
/// which a hostile name server can draw out; the other threads are left to others.
const LOOKUPS: usize = 64;

/// Looks up the addresses of a host. What it says is not believed: each address is checked by the guard, and the
/// connection goes to that very address.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// The addresses of a host that is not itself an address.
    ///
    /// # Errors
    ///
    /// When there are none, or nobody could be asked.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of the system.
#[derive(Debug)]
pub struct SystemResolver {
    lookups: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self { lookups: Arc::new(Semaphore::new(LOOKUPS)) }
    }
}

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let permit = Arc::clone(&self.lookups).acquire_owned().await.map_err(io::Error::other)?;
        let host = host.to_owned();
        let lookup = move || {
            // The thread goes on when the caller has given up, so the permit is the thread's.
            let _permit = permit;
            let found = (host.as_str(), 0).to_socket_addrs()?;
            Ok(found.map(|address| address.ip()).collect())
        };
        tokio::task::spawn_blocking(lookup).await.map_err(io::Error::other)?
    }
}
