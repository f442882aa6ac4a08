//! Settings: the environment first, then a file, then defaults. The only file that reads the environment.

use crate::http::client_address::TrustedProxies;
use artdag_anchoring::checkpoint::{KeyKind, VerifierKey};
use artdag_database::DatabaseUrl;
use artdag_federation::{FederationMode, InvalidSite, Site};
use artdag_kernel::Username;
use artdag_registry::{FederationPolicy, Policy, RegistrationPolicy};
use chrono::TimeDelta;
use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use figment::value::Value;
use ipnet::IpNet;
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
    "ALLOW_PRIVATE_NETWORKS",
    "TRUSTED_PROXIES",
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

/// One line that says which setting cannot be used and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub struct InvalidSetting {
    name: String,
    message: String,
}

impl InvalidSetting {
    fn new(name: &str, message: impl ToString) -> Self {
        Self { name: name.to_owned(), message: message.to_string() }
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
            },
            private_networks: raw.networks("ALLOW_PRIVATE_NETWORKS")?,
            trusted_proxies: TrustedProxies(raw.networks("TRUSTED_PROXIES")?),
            log: raw.get("LOG").unwrap_or("info").to_owned(),
            log_format: raw.parse_or("LOG_FORMAT", LogFormat::Text, str::parse)?,
            data,
        })
    }

    /// Every setting in force, secrets masked.
    pub fn shown(&self) -> Vec<(&'static str, String)> {
        vec![
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
            ("ALLOW_PRIVATE_NETWORKS", joined(&self.private_networks)),
            ("TRUSTED_PROXIES", joined(&self.trusted_proxies.0)),
            ("LOG", self.log.clone()),
            (
                "LOG_FORMAT",
                match self.log_format {
                    LogFormat::Text => "text",
                    LogFormat::Json => "json",
                }
                .to_owned(),
            ),
        ]
    }
}

fn joined(items: &[impl ToString]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
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

/// `90s`, `15m`, `12h`, `30d`.
fn parse_duration(text: &str) -> Result<TimeDelta, String> {
    let odd = || format!("`{text}` is no length of time such as `90s`, `15m`, `12h` or `30d`");
    let split = text.len().checked_sub(1).filter(|&at| text.is_char_boundary(at)).ok_or_else(odd)?;
    let (number, unit) = text.split_at(split);
    let number: u32 = number.parse().ok().filter(|n| *n > 0).ok_or_else(odd)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(odd()),
    };
    Ok(TimeDelta::seconds(i64::from(number) * seconds))
}

/// `10.0.0.0/8`, or an address alone.
#[derive(PartialEq)]
struct Network(IpNet);

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map(Self).map_err(|_| "is no network such as `10.0.0.0/8`")
    }
}

/// The texts of all settings that are given, by their name in the environment.
struct Raw(BTreeMap<String, String>);

impl Raw {
    fn gather(environment: &BTreeMap<String, String>, file: Option<&Path>) -> Result<Self, InvalidSetting> {
        // A variable that is set to nothing is not set: compose files do that.
        let given: BTreeMap<String, String> = environment
            .iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| (name.to_lowercase(), text.clone()))
            .collect();
        let mut figment = Figment::new();
        if let Some(path) = file {
            if !path.is_file() {
                return Err(InvalidSetting::new("--config", format!("there is no file {}", path.display())));
            }
            figment = figment.merge(Toml::file_exact(path));
        }
        let merged: BTreeMap<String, Value> = figment
            .merge(Serialized::globals(given))
            .extract()
            .map_err(|error| InvalidSetting::new("--config", error))?;
        let mut texts = BTreeMap::new();
        for (key, value) in merged {
            let name = key.to_uppercase();
            if !NAMES.contains(&name.as_str()) {
                return Err(InvalidSetting::new(
                    &key,
                    "there is no such setting; config/artdag-l2.example.toml has them all",
                ));
            }
            let text = match value {
                Value::String(_, text) => text,
                Value::Num(_, number) => number
                    .to_i128()
                    .map(|n| n.to_string())
                    .ok_or_else(|| InvalidSetting::new(&key, "must be a whole number or a text"))?,
                Value::Bool(_, flag) => flag.to_string(),
                _ => return Err(InvalidSetting::new(&key, "must be a text or a number")),
            };
            texts.insert(name, text);
        }
        Ok(Self(texts))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Texts between commas.
    fn list<T: FromStr<Err: ToString> + PartialEq>(&self, name: &str) -> Result<Vec<T>, InvalidSetting> {
        let mut items = Vec::new();
        for text in self.get(name).unwrap_or("").split(',').map(str::trim).filter(|text| !text.is_empty()) {
            let refused = |error: T::Err| InvalidSetting::new(name, format!("`{text}` {}", error.to_string()));
            let item = text.parse().map_err(refused)?;
            if !items.contains(&item) {
                items.push(item);
            }
        }
        Ok(items)
    }

    fn networks(&self, name: &str) -> Result<Vec<IpNet>, InvalidSetting> {
        let networks: Vec<Network> = self.list(name)?;
        Ok(networks.into_iter().map(|Network(network)| network).collect())
    }

    fn log_keys(&self, name: &str) -> Result<Vec<VerifierKey>, InvalidSetting> {
        let keys: Vec<VerifierKey> = self.list(name)?;
        match keys.iter().find(|key| key.kind() != KeyKind::Ed25519) {
            Some(key) => Err(InvalidSetting::new(name, format!("`{key}` is the key of a witness, not of a log"))),
            None => Ok(keys),
        }
    }

    fn parse_or<T, E: ToString>(
        &self,
        name: &str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, InvalidSetting> {
        self.get(name).map_or(Ok(default), |text| parse(text).map_err(|error| InvalidSetting::new(name, error)))
    }
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
