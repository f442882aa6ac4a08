//! Settings: the environment first, then a file, then defaults. The only module that reads the environment.

mod anchors;
mod bitcoin;
mod raw;
mod witnesses;

pub use anchors::AnchorSettings;
pub use bitcoin::BitcoinSettings;
pub use raw::InvalidSetting;

use crate::http::client_address::TrustedProxies;
use artdag_database::DatabaseUrl;
use artdag_federation::{FederationMode, InvalidSite, Site};
use artdag_kernel::Username;
use artdag_registry::{FederationPolicy, Policy, RegistrationPolicy};
use chrono::TimeDelta;
use ipnet::IpNet;
use raw::{Raw, joined, parse_duration};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use zeroize::Zeroizing;

/// Every setting there is, by its name in the environment.
pub const NAMES: &[&str] = &[
    "ARTDAG_DOMAIN",
    "PUBLIC_URL",
    "ARTDAG_USER",
    "ARTDAG_DATA",
    "DATABASE_URL",
    "DATABASE_POOL",
    "L1_SERVERS",
    "JWT_SECRET",
    "JWT_SECRET_FILE",
    "TOKEN_LIFETIME",
    "HOST",
    "PORT",
    "REGISTRATION",
    "FEDERATION",
    "FOLLOWERS",
    "AUTHORIZED_FETCH",
    "WITNESSED_LOGS",
    "WITNESSES",
    "ALLOW_PRIVATE_NETWORKS",
    "TRUSTED_PROXIES",
    "OTS_CALENDARS",
    "OTS_QUORUM",
    "OTS_CALENDAR_WHITELIST",
    "ANCHOR_INTERVAL",
    "BITCOIN_NETWORK",
    "BITCOIN_RPC_URL",
    "BITCOIN_PEERS",
    "ESPLORA_URLS",
    "BITCOIN_HEADERS",
    "LOG",
    "LOG_FORMAT",
];

/// Where a container's secret is mounted.
const CONTAINER_SECRET: &str = "/run/secrets/jwt_secret";

/// What is in force.
#[derive(Debug)]
pub struct Settings {
    /// Public URL and domain.
    pub site: Site,
    /// The account that commands mean when none is named.
    pub user: Username,
    /// Database, keys and secrets.
    pub data: PathBuf,
    /// Where everything is kept.
    pub database: DatabaseUrl,
    /// How many connections to it.
    pub pool: usize,
    /// Where the token secret comes from.
    pub secret: SecretSource,
    /// Where to listen.
    pub host: IpAddr,
    /// Where to listen; 0 lets the system choose.
    pub port: u16,
    /// What the operator decides.
    pub policy: Policy,
    /// Networks that may be called though they are private, and over plain http.
    pub private_networks: Vec<IpNet>,
    /// Whose word on a client's address counts.
    pub trusted_proxies: TrustedProxies,
    /// How the log is stamped.
    pub anchors: AnchorSettings,
    /// Where Bitcoin's headers come from.
    pub bitcoin: BitcoinSettings,
    /// What to log.
    pub log: String,
    /// How to log it.
    pub log_format: LogFormat,
}

/// Where the secret that seals tokens comes from.
pub enum SecretSource {
    /// The setting itself.
    Given(Zeroizing<String>),
    /// A file that must be there.
    File(PathBuf),
    /// A file that is made when it is not there.
    Kept(PathBuf),
}

impl std::fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Given(_) => f.write_str("JWT_SECRET"),
            Self::File(path) | Self::Kept(path) => path.fmt(f),
        }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("`{text}` is not `text` or `json`")),
        }
    }
}

impl Settings {
    /// Reads the process's environment and, if one is named, a file.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the first that cannot be used.
    #[expect(clippy::disallowed_methods, reason = "the environment is read here and nowhere else")]
    pub fn load(file: Option<&Path>) -> Result<Self, InvalidSetting> {
        let given = NAMES.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)));
        let home = std::env::var_os("HOME").map(PathBuf::from);
        Self::from(&given.collect(), file, home.as_deref())
    }

    /// The same from an environment that is handed in.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the first that cannot be used.
    pub fn from(
        environment: &BTreeMap<String, String>,
        file: Option<&Path>,
        home: Option<&Path>,
    ) -> Result<Self, InvalidSetting> {
        let raw = Raw::gather(environment, file)?;
        let port: u16 =
            raw.parse_or("PORT", 8200, |text| text.parse().map_err(|_| format!("`{text}` is no port (0 to 65535)")))?;
        let domain = raw.get("ARTDAG_DOMAIN").map_or_else(|| format!("localhost:{port}"), str::to_owned);
        let public_url = raw.get("PUBLIC_URL").map_or_else(|| default_public_url(&domain), str::to_owned);
        let site = Site::new(&public_url, &domain).map_err(|error| {
            // A URL that was made from the domain is the domain's fault.
            if error == InvalidSite::PublicUrl && raw.get("PUBLIC_URL").is_some() {
                InvalidSetting::new("PUBLIC_URL", error)
            } else {
                InvalidSetting::new("ARTDAG_DOMAIN", InvalidSite::Domain)
            }
        })?;
        let data = match (raw.get("ARTDAG_DATA"), home) {
            (Some(path), Some(home)) if path.starts_with("~/") => home.join(&path[2..]),
            (Some(path), _) => PathBuf::from(path),
            (None, Some(home)) => home.join(".artdag/l2"),
            (None, None) => {
                return Err(InvalidSetting::new(
                    "ARTDAG_DATA",
                    "name a directory: there is no home directory to put it in",
                ));
            }
        };
        let database = match raw.get("DATABASE_URL") {
            Some(url) => url.parse().map_err(|error| InvalidSetting::new("DATABASE_URL", error))?,
            None => DatabaseUrl::from(data.join("artdag.db").as_path()),
        };
        let private_networks = raw.networks("ALLOW_PRIVATE_NETWORKS")?;
        let anchors = AnchorSettings::from(&raw)?;
        let bitcoin = BitcoinSettings::from(&raw, &data, &private_networks)?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            site,
            user: raw
                .get("ARTDAG_USER")
                .unwrap_or("giles")
                .parse()
                .map_err(|error| InvalidSetting::new("ARTDAG_USER", error))?,
            database,
            pool: raw.parse_or("DATABASE_POOL", (2 * cores).max(8), |text| match text.parse() {
                Ok(n) if (1..=1000).contains(&n) => Ok(n),
                _ => Err(format!("`{text}` is no number from 1 to 1000")),
            })?,
            secret: secret_source(&raw, &data)?,
            host: raw.parse_or("HOST", IpAddr::from([0, 0, 0, 0]), |text| {
                text.parse().map_err(|_| format!("`{text}` is no IP address, such as 127.0.0.1 or ::"))
            })?,
            port,
            policy: Policy {
                registration: raw.parse_or("REGISTRATION", RegistrationPolicy::Open, str::parse)?,
                token_lifetime: raw.parse_or("TOKEN_LIFETIME", TimeDelta::days(30), parse_duration)?,
                l1_servers: raw.list("L1_SERVERS")?,
                federation: FederationPolicy {
                    mode: raw.parse_or("FEDERATION", FederationMode::Open, str::parse)?,
                    accept_followers: raw.parse_or("FOLLOWERS", true, |text| match text {
                        "open" => Ok(true),
                        "approval" => Ok(false),
                        _ => Err(format!("`{text}` is not `open` or `approval`")),
                    })?,
                    authorized_fetch: raw.parse_or("AUTHORIZED_FETCH", false, |text| {
                        text.parse().map_err(|_| format!("`{text}` is not `true` or `false`"))
                    })?,
                },
                witnessed_logs: raw.log_keys("WITNESSED_LOGS")?,
                witnesses: witnesses::read(&raw)?,
                anchors: anchors.policy.clone(),
            },
            private_networks,
            trusted_proxies: TrustedProxies(raw.networks("TRUSTED_PROXIES")?),
            anchors,
            bitcoin,
            log: raw.get("LOG").unwrap_or("info").to_owned(),
            log_format: raw.parse_or("LOG_FORMAT", LogFormat::Text, str::parse)?,
            data,
        })
    }

    /// Every setting in force, secrets masked.
    pub fn shown(&self) -> Vec<(&'static str, String)> {
        let mut shown = vec![
            ("ARTDAG_DOMAIN", self.site.domain().to_owned()),
            ("PUBLIC_URL", self.site.base().to_owned()),
            ("ARTDAG_USER", self.user.to_string()),
            ("ARTDAG_DATA", self.data.display().to_string()),
            ("DATABASE_URL", self.database.to_string()),
            ("DATABASE_POOL", self.pool.to_string()),
            ("L1_SERVERS", joined(&self.policy.l1_servers)),
            (
                "JWT_SECRET",
                match self.secret {
                    SecretSource::Given(_) => "(given, not shown)",
                    _ => "(not given)",
                }
                .to_owned(),
            ),
            (
                "JWT_SECRET_FILE",
                match &self.secret {
                    SecretSource::Given(_) => "(not used)".to_owned(),
                    SecretSource::File(path) => path.display().to_string(),
                    SecretSource::Kept(path) => format!("{} (made when missing)", path.display()),
                },
            ),
            ("TOKEN_LIFETIME", format!("{}s", self.policy.token_lifetime.num_seconds())),
            ("HOST", self.host.to_string()),
            ("PORT", self.port.to_string()),
            (
                "REGISTRATION",
                match self.policy.registration {
                    RegistrationPolicy::Open => "open",
                    RegistrationPolicy::Invite => "invite",
                    RegistrationPolicy::Closed => "closed",
                }
                .to_owned(),
            ),
            ("FEDERATION", self.policy.federation.mode.as_str().to_owned()),
            ("FOLLOWERS", if self.policy.federation.accept_followers { "open" } else { "approval" }.to_owned()),
            ("AUTHORIZED_FETCH", self.policy.federation.authorized_fetch.to_string()),
            ("WITNESSED_LOGS", joined(&self.policy.witnessed_logs)),
            ("WITNESSES", witnesses::shown(&self.policy.witnesses)),
            ("ALLOW_PRIVATE_NETWORKS", joined(&self.private_networks)),
            ("TRUSTED_PROXIES", joined(&self.trusted_proxies.0)),
        ];
        shown.extend(self.anchors.shown());
        shown.extend(self.bitcoin.shown());
        shown.extend([
            ("LOG", self.log.clone()),
            (
                "LOG_FORMAT",
                match self.log_format {
                    LogFormat::Text => "text",
                    LogFormat::Json => "json",
                }
                .to_owned(),
            ),
        ]);
        shown
    }
}

/// Plain http is for the machine itself alone.
fn default_public_url(domain: &str) -> String {
    let host = domain
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(domain, |(host, _)| host);
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    let local = host.eq_ignore_ascii_case("localhost") || address.is_some_and(|address| address.is_loopback());
    format!("{}://{domain}", if local { "http" } else { "https" })
}

fn secret_source(raw: &Raw, data: &Path) -> Result<SecretSource, InvalidSetting> {
    if let Some(secret) = raw.get("JWT_SECRET") {
        if secret.len() < 32 {
            return Err(InvalidSetting::new(
                "JWT_SECRET",
                "must have at least 32 bytes; `openssl rand -hex 32` makes one",
            ));
        }
        return Ok(SecretSource::Given(Zeroizing::new(secret.to_owned())));
    }
    Ok(match raw.get("JWT_SECRET_FILE") {
        Some(path) => SecretSource::File(PathBuf::from(path)),
        None if Path::new(CONTAINER_SECRET).exists() => SecretSource::File(PathBuf::from(CONTAINER_SECRET)),
        None => SecretSource::Kept(data.join("jwt_secret")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn settings(pairs: &[(&str, &str)]) -> Result<Settings, String> {
        let environment = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Settings::from(&environment, None, Some(Path::new("/home/giles"))).map_err(|e| e.to_string())
    }

    #[test]
    fn a_bare_machine_needs_none() {
        let settings = settings(&[]).unwrap();
        assert_eq!(settings.site.base(), "http://localhost:8200");
        assert_eq!(settings.data, Path::new("/home/giles/.artdag/l2"));
        assert_eq!(settings.database.to_string(), "sqlite:/home/giles/.artdag/l2/artdag.db");
        assert!(matches!(settings.secret, SecretSource::Kept(path) if path.ends_with("jwt_secret")));
    }

    #[test]
    fn a_domain_is_spoken_for_over_tls() {
        let base = |pairs: &[(&str, &str)]| settings(pairs).unwrap().site.base().to_owned();
        assert_eq!(base(&[("ARTDAG_DOMAIN", "art.example")]), "https://art.example");
        assert_eq!(base(&[("PORT", "9000")]), "http://localhost:9000");
        assert_eq!(base(&[("ARTDAG_DOMAIN", "127.0.0.1:8200")]), "http://127.0.0.1:8200");
        assert_eq!(base(&[("ARTDAG_DOMAIN", "[::1]:8200")]), "http://[::1]:8200");
        assert_eq!(
            base(&[("ARTDAG_DOMAIN", "art.example"), ("PUBLIC_URL", "https://l2.art.example/")]),
            "https://l2.art.example"
        );
    }

    #[test]
    fn a_bad_value_is_one_line_that_names_it() {
        for (name, value) in [
            ("PORT", "70000"),
            ("HOST", "nowhere"),
            ("PUBLIC_URL", "art.example"),
            ("ARTDAG_DOMAIN", "a b"),
            ("DATABASE_URL", "mysql://x"),
            ("DATABASE_POOL", "0"),
            ("JWT_SECRET", "short"),
            ("REGISTRATION", "maybe"),
            ("TOKEN_LIFETIME", "é"),
            ("TOKEN_LIFETIME", "0d"),
            ("LOG_FORMAT", "xml"),
            ("ARTDAG_USER", "../x"),
            ("L1_SERVERS", "l1.example"),
            ("ALLOW_PRIVATE_NETWORKS", "10.0.0.0/99"),
            ("TRUSTED_PROXIES", "proxy"),
            ("FEDERATION", "maybe"),
            ("FOLLOWERS", "none"),
            ("AUTHORIZED_FETCH", "1"),
            ("WITNESSED_LOGS", "art.example/log"),
            ("OTS_CALENDARS", "a.pool.opentimestamps.org"),
            ("OTS_CALENDARS", "file:///etc/passwd"),
            ("OTS_QUORUM", "0"),
            ("OTS_QUORUM", "5"),
            ("OTS_CALENDAR_WHITELIST", "http://calendar.example"),
            ("ANCHOR_INTERVAL", "often"),
            ("BITCOIN_NETWORK", "testnet"),
            ("BITCOIN_RPC_URL", "127.0.0.1:8332"),
            ("ESPLORA_URLS", "https://u:p@a.example"),
        ] {
            let error = settings(&[(name, value)]).unwrap_err();
            assert!(error.starts_with(&format!("{name}: ")) && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let secret = "s".repeat(32);
        let settings = settings(&[("JWT_SECRET", &secret), ("DATABASE_URL", "postgresql://a:hunter2@h/d")]).unwrap();
        let shown = format!("{:?} {settings:?}", settings.shown());
        assert!(!shown.contains(&secret) && !shown.contains("hunter2"), "{shown}");
        assert_eq!(settings.shown().iter().map(|(name, _)| *name).collect::<Vec<_>>(), NAMES);
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "port = 9001\nregistration = \"closed\"").unwrap();
        let environment = BTreeMap::from([("PORT".to_owned(), "9002".to_owned()), ("LOG".to_owned(), String::new())]);
        let settings = Settings::from(&environment, Some(file.path()), Some(Path::new("/h"))).unwrap();
        assert_eq!((settings.port, settings.policy.registration), (9002, RegistrationPolicy::Closed));
        writeln!(file, "prot = 1").unwrap();
        let error = Settings::from(&environment, Some(file.path()), None).unwrap_err().to_string();
        assert!(error.starts_with("prot: there is no such setting"), "{error}");
        let error = Settings::from(&environment, Some(Path::new("/nowhere.toml")), None).unwrap_err().to_string();
        assert!(error.contains("there is no file"), "{error}");
    }

    #[test]
    fn the_example_file_has_every_setting_with_its_default() {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/artdag-l2.example.toml");
        let text = std::fs::read_to_string(&example).unwrap();
        for name in NAMES {
            assert!(text.contains(&format!("# {} = ", name.to_lowercase())), "{name} is not in the example file");
        }
        assert!(Settings::from(&BTreeMap::new(), Some(&example), Some(Path::new("/h"))).is_ok());
    }
}
