use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// Which database to use: `postgresql://user:password@host:port/database` or `sqlite:path`.
///
/// PostgreSQL's URL takes the parameters of its manual that the driver knows, and these two in a sense of our own,
/// because a connection that is encrypted here is always verified:
///
/// - `sslmode=disable` never encrypts. `prefer`, the default, does not encrypt on loopback and Unix sockets, and
///   encrypts elsewhere if the server offers it. `require`, `verify-ca` and `verify-full` all encrypt, and check the
///   certificate and its host name.
/// - `sslrootcert=FILE` is a PEM file of the authorities to trust instead of the system's.
///
/// It is shown without its password.
#[derive(Clone)]
pub struct DatabaseUrl {
    pub(crate) engine: Engine,
}

#[derive(Clone)]
pub(crate) enum Engine {
    Postgres(Box<PostgresUrl>),
    Sqlite(PathBuf),
}

#[derive(Clone)]
pub(crate) struct PostgresUrl {
    pub(crate) config: Config,
    pub(crate) tls: TlsMode,
    pub(crate) authorities: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsMode {
    Disable,
    Prefer,
    Require,
}

/// The text is no database URL. It is not repeated here, since it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDatabaseUrl {
    /// Neither PostgreSQL nor SQLite.
    #[error("must begin with `postgresql://` or `sqlite:`")]
    Scheme,
    /// PostgreSQL's part is unreadable.
    #[error(
        "must look like `postgresql://user:password@host:5432/database`; write special characters of the password as \
         %XX (`@` is %40, `?` is %3F)"
    )]
    Postgres,
    /// An unknown way to use TLS.
    #[error("`sslmode` must be `disable`, `prefer`, `require`, `verify-ca` or `verify-full`")]
    SslMode,
    /// SQLite's part is no path.
    #[error("must name a file, as in `sqlite:/var/lib/artdag/artdag.db`, without parameters")]
    SqlitePath,
    /// A database in memory.
    #[error("must name a file: a database in memory would be lost with the process")]
    SqliteMemory,
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        let (scheme, rest) = text.split_once(':').ok_or(InvalidDatabaseUrl::Scheme)?;
        let engine = match scheme {
            "postgresql" | "postgres" => Engine::Postgres(Box::new(text.parse()?)),
            "sqlite" => Engine::Sqlite(sqlite_path(rest)?),
            _ => return Err(InvalidDatabaseUrl::Scheme),
        };
        Ok(Self { engine })
    }
}

impl From<&Path> for DatabaseUrl {
    /// The SQLite database in this file.
    fn from(path: &Path) -> Self {
        Self { engine: Engine::Sqlite(path.to_owned()) }
    }
}

fn sqlite_path(rest: &str) -> Result<PathBuf, InvalidDatabaseUrl> {
    match rest.strip_prefix("//").unwrap_or(rest) {
        "" => Err(InvalidDatabaseUrl::SqlitePath),
        path if path.contains(":memory:") => Err(InvalidDatabaseUrl::SqliteMemory),
        path if path.contains(['?', '\0']) => Err(InvalidDatabaseUrl::SqlitePath),
        path => Ok(PathBuf::from(path)),
    }
}

impl FromStr for PostgresUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        // Like the driver, which takes everything before the first `@` for user and password.
        let behind_secret = text.find('@').unwrap_or(0);
        let (base, query) = match text[behind_secret..].find('?') {
            Some(at) => (&text[..behind_secret + at], &text[behind_secret + at + 1..]),
            None => (text, ""),
        };
        let mut tls = TlsMode::Prefer;
        let mut authorities = None;
        let mut others = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", "disable")) => tls = TlsMode::Disable,
                Some(("sslmode", "prefer")) => tls = TlsMode::Prefer,
                Some(("sslmode", "require" | "verify-ca" | "verify-full")) => tls = TlsMode::Require,
                Some(("sslmode", _)) => return Err(InvalidDatabaseUrl::SslMode),
                Some(("sslrootcert", "system")) => authorities = None,
                Some(("sslrootcert", path)) => authorities = Some(PathBuf::from(path)),
                _ => others.push(pair),
            }
        }
        let mut config: Config =
            format!("{base}?{}", others.join("&")).parse().map_err(|_| InvalidDatabaseUrl::Postgres)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(InvalidDatabaseUrl::Postgres);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(5));
        }
        // A server that vanished without a word is noticed after this, not after the system's quarter of an hour.
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(Duration::from_secs(30));
        }
        if config.get_application_name().is_none() {
            config.application_name("artdag-l2");
        }
        Ok(Self { config, tls, authorities })
    }
}

impl PostgresUrl {
    /// Whether nobody can listen in between here and there.
    pub(crate) fn is_local(&self) -> bool {
        let addresses = self.config.get_hostaddrs();
        let by_name = || {
            self.config.get_hosts().iter().all(|host| match host {
                Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
                Host::Unix(_) => true,
            })
        };
        if addresses.is_empty() { by_name() } else { addresses.iter().all(IpAddr::is_loopback) }
    }

    /// Host and port, as `psql` would be told them.
    pub(crate) fn server(&self) -> String {
        let ports = self.config.get_ports();
        let port = |n: usize| ports.get(n).or(ports.first()).copied().unwrap_or(5432);
        let hosts = self.config.get_hosts().iter().enumerate().map(|(n, host)| match host {
            Host::Tcp(name) if name.contains(':') => format!("[{name}]:{}", port(n)),
            Host::Tcp(name) => format!("{name}:{}", port(n)),
            Host::Unix(path) => format!("{}:{}", path.display(), port(n)),
        });
        let hosts: Vec<String> = hosts.collect();
        if hosts.is_empty() {
            let addresses = self.config.get_hostaddrs().iter().enumerate();
            return addresses.map(|(n, ip)| format!("{ip}:{}", port(n))).collect::<Vec<_>>().join(",");
        }
        hosts.join(",")
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.engine {
            Engine::Postgres(url) => fmt::Display::fmt(url, f),
            Engine::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
        }
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgresql://")?;
        if let Some(user) = self.config.get_user() {
            let secret = if self.config.get_password().is_some() { ":***" } else { "" };
            write!(f, "{user}{secret}@")?;
        }
        write!(f, "{}/{}", self.server(), self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, InvalidDatabaseUrl> {
        text.parse::<DatabaseUrl>().map(|url| format!("{url:?}"))
    }

    #[test]
    fn no_password_is_shown() {
        for (text, shown) in [
            ("postgres://u:s3cret@db.example/art", "postgresql://u:***@db.example:5432/art"),
            ("postgres://u:s3?cret@h/d?sslmode=disable", "postgresql://u:***@h:5432/d"),
            ("postgresql://u@h:1,i:2/art?password=s3cret", "postgresql://u:***@h:1,i:2/art"),
            ("postgresql://[::1]:5433/art?sslmode=require", "postgresql://[::1]:5433/art"),
            ("postgresql:///art?host=/run/postgresql", "postgresql:///run/postgresql:5432/art"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(shown));
        }
    }

    #[test]
    fn both_spellings_of_a_file() {
        for (text, shown) in [
            ("sqlite:a.db", "sqlite:a.db"),
            ("sqlite://a/b.db", "sqlite:a/b.db"),
            ("sqlite:///var/a.db", "sqlite:/var/a.db"),
            ("sqlite:/var/a b%20.db", "sqlite:/var/a b%20.db"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(shown));
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_repeating_it() {
        use InvalidDatabaseUrl::{Postgres, Scheme, SqliteMemory, SqlitePath, SslMode};
        for (text, fault) in [
            ("", Scheme),
            ("mysql://u:s3cret@h/d", Scheme),
            ("/var/a.db", Scheme),
            ("postgres:x", Postgres),
            ("postgres://u:s3cret@h:port/d", Postgres),
            ("postgres:///d", Postgres),
            ("postgres://h/d?sslmode=maybe", SslMode),
            ("sqlite:", SqlitePath),
            ("sqlite::memory:", SqliteMemory),
            ("sqlite://:memory:", SqliteMemory),
            ("sqlite:a.db?mode=ro", SqlitePath),
        ] {
            assert_eq!(parse(text), Err(fault), "{text}");
            assert!(!fault.to_string().contains("s3"));
        }
    }

    #[test]
    fn only_loopback_is_local() {
        for (host, local) in
            [("localhost", true), ("127.0.0.1", true), ("[::1]", true), ("10.0.0.1", false), ("db", false)]
        {
            let url: PostgresUrl = format!("postgres://{host}/d").parse().unwrap();
            assert_eq!(url.is_local(), local, "{host}");
        }
    }
}
