//! Whose certificates are believed.

use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

/// The machine's authorities; where it has none, as in a bare container, Mozilla's.
pub(crate) fn public_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

pub(crate) fn config(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    // The provider is named, so that it does not depend on what else the process has installed.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
