//! Puts an adapter behind every port.

use crate::bitcoin::{self, Bitcoin};
use crate::settings::{AnchorSettings, SecretSource, Settings};
use crate::system::{SystemClock, SystemRandomness};
use artdag_http::{GuardPolicy, GuardedClient, HttpPeers, HttpRenderers, HttpWitnesses};
use artdag_kernel::{Clock, Randomness, ServerUrl};
use artdag_opentimestamps::HttpCalendars;
use artdag_registry::{Blocks, Parts, Registry};
use artdag_signing::{BoundedArgon2, FileKeyStore, HeavyWork, JwtCodec, RingKeys, load_or_create_secret};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Why the server cannot start. Its text is for the operator.
pub type StartError = Box<dyn Error + Send + Sync>;

/// Makes what is missing (directory, secret, tables) and builds the registry.
///
/// # Errors
/// [`StartError`] says what could not be made or reached.
pub async fn build(settings: &Settings) -> Result<Registry, StartError> {
    build_with(settings, bitcoin::sources(settings)?).await
}

/// The same over sources of headers that others use too.
///
/// # Errors
/// [`StartError`] says what could not be made or reached.
pub async fn build_with(settings: &Settings, bitcoin: Bitcoin) -> Result<Registry, StartError> {
    Ok(Registry::new(parts(settings, bitcoin).await?))
}

/// One adapter for every port.
///
/// # Errors
/// [`StartError`] says what could not be made or reached.
pub async fn parts(settings: &Settings, bitcoin: Bitcoin) -> Result<Parts, StartError> {
    make_directory(&settings.data)?;
    let secret = secret(&settings.secret)?;
    artdag_database::migrate(&settings.database).await?;
    let work = HeavyWork::one_per_core();
    let randomness: Arc<dyn Randomness> = Arc::new(SystemRandomness);
    Ok(Parts {
        store: artdag_database::open(&settings.database, settings.pool).await?,
        keys: Arc::new(key_store(settings, work.clone())),
        renderers: Arc::new(renderers(settings)?),
        peers: Arc::new(peers(settings)?),
        key_reader: Arc::new(RingKeys),
        witnesses: Arc::new(HttpWitnesses::new(guarded(settings)?)),
        calendars: Arc::new(calendars(settings)?),
        blocks: Blocks {
            network: bitcoin.network,
            sources: bitcoin.sources,
            rules: bitcoin.rules,
            clock: Arc::new(SystemClock),
        },
        passwords: Arc::new(BoundedArgon2::new(work, randomness.clone())),
        tokens: Arc::new(JwtCodec::new(&secret)?),
        clock: Arc::new(SystemClock),
        randomness,
        site: settings.site.clone(),
        policy: settings.policy.clone(),
    })
}

/// Calls renderers: those of `L1_SERVERS` may be private, everything else is guarded.
fn renderers(settings: &Settings) -> Result<HttpRenderers, StartError> {
    let policy = GuardPolicy::new(settings.private_networks.clone(), &settings.policy.l1_servers);
    let public_url: ServerUrl = settings.site.base().parse()?;
    Ok(HttpRenderers::new(GuardedClient::builder(&public_url, policy).build()?))
}

/// Calls other servers of the fediverse: nobody there is trusted with this server's own network.
fn peers(settings: &Settings) -> Result<HttpPeers, StartError> {
    Ok(HttpPeers::new(guarded(settings)?, Arc::new(SystemClock)))
}

/// Calls calendars. The operator opens private networks for trials; a proof leads to the whitelist alone.
fn calendars(settings: &Settings) -> Result<HttpCalendars, StartError> {
    let AnchorSettings { policy, whitelist, .. } = &settings.anchors;
    Ok(HttpCalendars::new(guarded(settings)?, &policy.calendars, whitelist.clone()))
}

/// A client for which nothing is open but what `ALLOW_PRIVATE_NETWORKS` opens.
fn guarded(settings: &Settings) -> Result<GuardedClient, StartError> {
    let policy = GuardPolicy::new(settings.private_networks.clone(), []);
    let public_url: ServerUrl = settings.site.base().parse()?;
    Ok(GuardedClient::builder(&public_url, policy).build()?)
}

/// What a process calls itself where it holds leases: unlike any other process of this registry.
pub fn process_name(what: &str) -> String {
    let mut chance = [0; 4];
    SystemRandomness.fill(&mut chance);
    format!("{what}#{}-{}", std::process::id(), hex::encode(chance))
}

/// Where actors' keys are kept: `$ARTDAG_DATA/keys`.
pub fn key_store(settings: &Settings, work: HeavyWork) -> FileKeyStore {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    FileKeyStore::new(settings.data.join("keys"), Arc::new(SystemRandomness), clock, work)
}

/// Makes the data directory if there is none, for its owner alone.
///
/// # Errors
/// [`StartError`] names the directory.
pub fn make_directory(path: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| format!("ARTDAG_DATA: the directory {} cannot be made: {error}", path.display()).into())
}

fn secret(source: &SecretSource) -> Result<Zeroizing<Vec<u8>>, StartError> {
    match source {
        SecretSource::Given(secret) => Ok(Zeroizing::new(secret.as_bytes().to_vec())),
        SecretSource::Kept(path) => Ok(load_or_create_secret(path, &SystemRandomness)?),
        SecretSource::File(path) => {
            let text = std::fs::read_to_string(path).map(Zeroizing::new);
            let text = text.map_err(|error| format!("JWT_SECRET_FILE: {} cannot be read: {error}", path.display()))?;
            let secret = text.trim_end_matches(['\r', '\n']).as_bytes().to_vec();
            if secret.len() < 32 {
                return Err(format!(
                    "JWT_SECRET_FILE: {} holds fewer than 32 bytes; `openssl rand -hex 32` makes a secret",
                    path.display()
                )
                .into());
            }
            Ok(Zeroizing::new(secret))
        }
    }
}
