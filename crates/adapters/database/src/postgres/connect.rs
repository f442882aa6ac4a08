//! One connection to PostgreSQL, with or without TLS.

use crate::OpenError;
use crate::url::{PostgresUrl, TlsMode};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Knows how to connect. Certificates are read once, when it is made.
#[derive(Clone)]
pub(crate) struct Connector {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    server: String,
    settings: String,
}

impl Connector {
    pub(crate) fn new(url: &PostgresUrl) -> Result<Self, OpenError> {
        let mode = if url.tls == TlsMode::Prefer && url.is_local() { TlsMode::Disable } else { url.tls };
        let tls = match mode {
            TlsMode::Disable => None,
            TlsMode::Require => Some(verifying(url.authorities.as_deref())?),
            // Without authorities nothing can be verified, and plain is what `prefer` then leaves.
            TlsMode::Prefer => match verifying(url.authorities.as_deref()) {
                Err(OpenError::NoAuthorities) => {
                    tracing::warn!("connecting to PostgreSQL without TLS: this machine has no root certificates");
                    None
                }
                tls => Some(tls?),
            },
        };
        let mut config = url.config.clone();
        config.ssl_mode(match (&tls, mode) {
            (None, _) => SslMode::Disable,
            (Some(_), TlsMode::Require) => SslMode::Require,
            (Some(_), _) => SslMode::Prefer,
        });
        Ok(Self { settings: settings(&config), config, tls, server: url.server() })
    }

    pub(crate) async fn connect(&self) -> Result<AsyncPgConnection, OpenError> {
        let refused = |source| refused(self.server.clone(), source);
        let conn = match &self.tls {
            None => {
                let (client, driver) = self.config.connect(NoTls).await.map_err(|e| refused(Box::new(e)))?;
                AsyncPgConnection::try_from_client_and_connection(client, driver).await
            }
            Some(tls) => {
                let (client, driver) = self.config.connect(tls.clone()).await.map_err(|e| refused(Box::new(e)))?;
                AsyncPgConnection::try_from_client_and_connection(client, driver).await
            }
        };
        let mut conn = conn.map_err(|e| refused(Box::new(e)))?;
        conn.batch_execute(&self.settings).await.map_err(|e| refused(Box::new(e)))?;
        Ok(conn)
    }
}

fn refused(server: String, source: Box<dyn Error + Send + Sync>) -> OpenError {
    let first: &(dyn Error + 'static) = source.as_ref();
    let mut causes = std::iter::successors(Some(first), |&e| e.source());
    // The driver wraps rustls's error in one of I/O, which passes on its text and not its type.
    if causes.any(|e| e.to_string().starts_with("invalid peer certificate")) {
        OpenError::Untrusted { server, source }
    } else {
        OpenError::Connect { server, source }
    }
}

/// PostgreSQL's default is the price of a page on a turning disk: for it, reading a small table whole, again and again,
/// seems cheaper than its index. What the operator set, for this database or for all, stands.
const PAGE_COST: &str = "\
    select set_config(name, '1.1', false) from pg_settings where name = 'random_page_cost' and source = 'default';";

/// No request waits forever, and no forgotten transaction keeps its locks. What the URL's `options` set stands.
fn settings(config: &Config) -> String {
    let chosen = config.get_options().unwrap_or_default();
    let ours = [("statement_timeout", "30s"), ("lock_timeout", "10s"), ("idle_in_transaction_session_timeout", "60s")];
    let ours = ours.iter().filter(|(name, _)| !chosen.contains(name));
    ours.map(|(name, value)| format!("set {name} = '{value}';")).chain([PAGE_COST.to_owned()]).collect()
}

fn verifying(authorities: Option<&Path>) -> Result<MakeRustlsConnect, OpenError> {
    let mut roots = RootCertStore::empty();
    match authorities {
        Some(path) => {
            let unreadable =
                |source: Box<dyn Error + Send + Sync>| OpenError::Authorities { path: path.to_owned(), source };
            for certificate in CertificateDer::pem_file_iter(path).map_err(|e| unreadable(Box::new(e)))? {
                let certificate = certificate.map_err(|e| unreadable(Box::new(e)))?;
                roots.add(certificate).map_err(|e| unreadable(Box::new(e)))?;
            }
            if roots.is_empty() {
                return Err(unreadable("it holds no certificate".into()));
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(OpenError::NoAuthorities);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| OpenError::Connect { server: "any server".to_owned(), source: Box::new(e) })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::url::Engine;
    use diesel::QueryableByName;
    use diesel::sql_types::Text;
    use diesel_async::RunQueryDsl;

    #[derive(QueryableByName)]
    struct Shown {
        #[diesel(sql_type = Text)]
        random_page_cost: String,
    }

    async fn page_cost(url: &str) -> String {
        let Engine::Postgres(url) = url.parse::<crate::DatabaseUrl>().unwrap().engine else {
            panic!("{url} is not PostgreSQL's");
        };
        let mut conn = Connector::new(&url).unwrap().connect().await.unwrap();
        diesel::sql_query("show random_page_cost").get_result::<Shown>(&mut conn).await.unwrap().random_page_cost
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_the_operator_says_of_pages_stands() {
        let Some((url, database)) = crate::testing::fresh_postgres().await else {
            return;
        };
        assert_eq!(page_cost(&database.url()).await, "1.1");
        let chosen = format!("{}options=-c%20random_page_cost%3D2", database.url());
        assert_eq!(page_cost(&chosen).await, "2");
        let set =
            "do $$ begin execute format('alter database %I set random_page_cost = 3', current_database()); end $$";
        crate::testing::execute(&url, set).await;
        assert_eq!(page_cost(&database.url()).await, "3");
    }
}
