//! TLS, and HTTP/2 over it.

use crate::support::{Names, Reply, Seen, Server, builder, listen, reply};
use artdag_http::{FetchError, GuardedClient, Request};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{RootCertStore, ServerConfig};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use url::Url;

/// A server that says which protocol it was spoken to in.
async fn server(name: &str, protocols: &[&str]) -> (Server, RootCertStore) {
    let version = |seen: &Seen| reply(200, "text/plain", format!("{:?}", seen.head.version));
    answering(name, protocols, version).await
}

/// A server for this name that speaks these protocols, and the authority that vouches for it.
pub(crate) async fn answering(
    name: &str,
    protocols: &[&str],
    reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
) -> (Server, RootCertStore) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    (Server::on(listen("127.0.0.1:0").await, Some(acceptor), reply), roots)
}

fn client(roots: Option<RootCertStore>) -> GuardedClient {
    let builder = builder(&["127.0.0.0/8"]).resolver(Names::new(&[&["127.0.0.1"]]));
    let builder = match roots {
        Some(roots) => builder.roots(roots),
        None => builder,
    };
    builder.build().unwrap()
}

fn url(server: &Server, host: &str) -> Url {
    format!("https://{host}:{}/", server.address.port()).parse().unwrap()
}

#[tokio::test]
async fn a_certificate_of_nobody_is_refused() {
    let (server, _) = server("l1.example", &["h2", "http/1.1"]).await;
    let outcome = client(None).send(Request::get(url(&server, "l1.example"))).await;
    assert!(matches!(outcome, Err(FetchError::Connect(_))), "{outcome:?}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let (server, roots) = server("l1.example", &["h2", "http/1.1"]).await;
    let client = client(Some(roots));
    for host in ["l2.example", "127.0.0.1"] {
        let outcome = client.send(Request::get(url(&server, host))).await;
        assert!(matches!(outcome, Err(FetchError::Connect(_))), "{host}: {outcome:?}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn the_newest_protocol_that_both_know_is_spoken() {
    for (protocols, spoken) in [(&["h2", "http/1.1"][..], "HTTP/2.0"), (&["http/1.1"], "HTTP/1.1"), (&[], "HTTP/1.1")] {
        let (server, roots) = server("l1.example", protocols).await;
        let client = client(Some(roots));
        for host in ["l1.example", "L1.Example."] {
            let answer = client.send(Request::get(url(&server, host))).await.unwrap();
            assert_eq!(answer.body, spoken, "{protocols:?}");
        }
    }
}

#[tokio::test]
async fn http2_carries_many_calls_over_few_connections() {
    let (server, roots) = server("l1.example", &["h2"]).await;
    let client = client(Some(roots));
    client.send(Request::get(url(&server, "l1.example"))).await.unwrap();
    let calls = (0..20).map(|_| {
        let (client, url) = (client.clone(), url(&server, "l1.example"));
        tokio::spawn(async move { client.send(Request::get(url)).await.unwrap() })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().body, "HTTP/2.0");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_host_that_is_an_address_needs_a_certificate_for_it() {
    let (server, roots) = server("127.0.0.1", &["http/1.1"]).await;
    let answer = client(Some(roots)).send(Request::get(url(&server, "127.0.0.1"))).await.unwrap();
    assert_eq!(answer.body, "HTTP/1.1");
}
