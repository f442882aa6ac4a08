//! Who bears a handle: WebFinger, with servers that tell the truth and others.

use crate::peers::speaking;
use crate::support::{
    IMPATIENT, Names, PATIENT, Seen, Server, builder, client, gate_against, listen, open_gate, redirect, reply,
};
use artdag_federation::{Barred, Iri, PeerError, Peers};
use serde_json::{Value, json};

const JRD: &str = "application/jrd+json";

async fn resolve(server: &Server) -> Result<Iri, PeerError> {
    speaking(client(), PATIENT).0.resolve_handle("ada", &server.address.to_string(), &open_gate()).await
}

/// A server that gives this descriptor, in which `HOST` stands for it.
async fn giving(descriptor: &Value) -> Server {
    let text = descriptor.to_string();
    Server::start(move |seen| reply(200, JRD, text.replace("HOST", seen.header("host").unwrap()))).await
}

fn link(kind: &str, href: &str) -> Value {
    json!({"rel": "self", "type": kind, "href": href})
}

fn to_ada() -> Value {
    link("application/activity+json", "http://HOST/users/ada")
}

fn is_nonsense(outcome: &Result<Iri, PeerError>) -> bool {
    matches!(outcome, Err(PeerError::Nonsense(_)))
}

#[tokio::test]
async fn a_handle_leads_to_an_actor() {
    let server = giving(&json!({
        "subject": "acct:ada@HOST",
        "aliases": ["http://HOST/@ada"],
        "links": [
            {"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": "http://HOST/@ada"},
            {"rel": "self", "type": "text/html", "href": "http://HOST/@ada"},
            to_ada(),
            {"rel": "http://ostatus.org/schema/1.0/subscribe", "template": "http://HOST/?uri={uri}"},
        ],
    }))
    .await;
    assert_eq!(resolve(&server).await.unwrap().as_str(), server.url("/users/ada").as_str());
    let seen = &server.seen()[0];
    assert_eq!(seen.head.uri.path(), "/.well-known/webfinger");
    let resource = format!("acct:ada@{}", server.address);
    let query: Vec<_> = url::form_urlencoded::parse(seen.head.uri.query().unwrap().as_bytes()).collect();
    assert_eq!(query, [("resource".into(), resource.into())]);
    assert_eq!(seen.header("accept"), Some("application/jrd+json, application/json"));
}

#[tokio::test]
async fn many_ways_of_saying_it_are_understood() {
    let ld = r#"application/ld+json; profile="https://www.w3.org/ns/activitystreams""#;
    for descriptor in [
        json!({"subject": "acct:ADA@HOST", "links": [to_ada()]}),
        json!({"subject": "acct:@ada@HOST", "links": [to_ada()]}),
        json!({"subject": "http://HOST/users/ada", "links": [to_ada()]}),
        json!({"subject": "https://elsewhere.example/", "aliases": [1, "acct:ada@HOST"], "links": [to_ada()]}),
        json!({"links": [to_ada()]}),
        json!({"subject": null, "links": [null, 1, [], {}, {"rel": "self"}, to_ada()]}),
        json!({"subject": "acct:ada@HOST", "links": [link(ld, "http://HOST/users/ada")]}),
        json!({"subject": "acct:ada@HOST", "links": [link("application/activity+json", "acct:ada@HOST"), to_ada()]}),
    ] {
        let server = giving(&descriptor).await;
        let outcome = resolve(&server).await;
        let expected = server.url("/users/ada");
        assert_eq!(outcome.as_ref().map(Iri::as_str).ok(), Some(expected.as_str()), "{descriptor}: {outcome:?}");
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_domain_may_leave_its_actors_to_another_host() {
    let elsewhere = link("application/activity+json", "https://social.example/users/ada");
    let server = giving(&json!({"subject": "acct:ada@HOST", "links": [elsewhere]})).await;
    assert_eq!(resolve(&server).await.unwrap().as_str(), "https://social.example/users/ada");
}

#[tokio::test]
async fn descriptors_that_name_nobody_or_somebody_else_are_of_no_use() {
    let activity = "application/activity+json";
    for descriptor in [
        json!({"subject": "acct:ada@HOST"}),
        json!({"subject": "acct:ada@HOST", "links": []}),
        json!({"subject": "acct:ada@HOST", "links": to_ada()}),
        json!({"subject": "acct:ada@HOST", "links": [{"rel": "me", "type": activity, "href": "http://HOST/u"}]}),
        json!({"subject": "acct:ada@HOST", "links": [{"rel": "self", "href": "http://HOST/u"}]}),
        json!({"subject": "acct:ada@HOST", "links": [link("text/html", "http://HOST/users/ada")]}),
        json!({"subject": "acct:ada@HOST", "links": [link("application/json", "http://HOST/users/ada")]}),
        json!({"subject": "acct:ada@HOST", "links": [link("application/ld+json", "http://HOST/users/ada")]}),
        json!({"subject": "acct:ada@HOST", "links": [link(activity, "ftp://HOST/users/ada")]}),
        json!({"subject": "acct:ada@HOST", "links": [link(activity, "http://u:p@HOST/users/ada")]}),
        json!({"subject": "acct:ada@HOST", "links": [link(activity, "/users/ada")]}),
        json!({"subject": "acct:ada@HOST", "links": [{"rel": "self", "type": 1, "href": ["http://HOST/u"]}]}),
        json!({"subject": "acct:bob@HOST", "links": [to_ada()]}),
        json!({"subject": 1, "links": [to_ada()]}),
        json!({"subject": "https://elsewhere.example/ada", "links": [to_ada()]}),
        // Nobody but its own host can say so little of an actor.
        json!({"links": [link(activity, "https://elsewhere.example/users/ada")]}),
        json!([{"subject": "acct:ada@HOST", "links": [to_ada()]}]),
        json!("acct:ada@HOST"),
    ] {
        let outcome = resolve(&giving(&descriptor).await).await;
        assert!(is_nonsense(&outcome), "{descriptor}: {outcome:?}");
    }
    let far = vec![json!({}); 100].into_iter().chain([to_ada()]).collect::<Vec<_>>();
    let outcome = resolve(&giving(&json!({"subject": "acct:ada@HOST", "links": far})).await).await;
    assert!(is_nonsense(&outcome), "{outcome:?}");
}

#[tokio::test]
async fn another_handle_of_somebody_elsewhere_is_confirmed_there() {
    let activity = "application/activity+json";
    let home = giving(&json!({"subject": "acct:ada@HOST", "links": [to_ada()]})).await;
    let ada = home.url("/users/ada");
    let pointing = |user: &str, actor: &str| {
        let subject = format!("acct:{user}@{}", home.address);
        let descriptor = json!({"subject": subject, "links": [link(activity, actor)]});
        async move { giving(&descriptor).await }
    };
    let alias = pointing("ada", ada.as_str()).await;
    assert_eq!(resolve(&alias).await.unwrap().as_str(), ada.as_str());
    assert_eq!(home.seen().len(), 1);

    // It speaks of another actor than the other server does, or of nobody there.
    for (user, actor) in [("ada", home.url("/users/bob")), ("bob", ada)] {
        let outcome = resolve(&pointing(user, actor.as_str()).await).await;
        assert!(is_nonsense(&outcome), "{user}, {actor}: {outcome:?}");
    }
    assert_eq!(home.seen().len(), 3);
}

#[tokio::test]
async fn nobody_is_sent_from_server_to_server() {
    let last = giving(&json!({"subject": "acct:ada@HOST", "links": [to_ada()]})).await;
    let ada = link("application/activity+json", last.url("/users/ada").as_str());
    let middle = giving(&json!({"subject": format!("acct:ada@{}", last.address), "links": [ada]})).await;
    let first = giving(&json!({"subject": format!("acct:ada@{}", middle.address), "links": [ada]})).await;
    let outcome = resolve(&first).await;
    assert!(is_nonsense(&outcome), "{outcome:?}");
    assert!(last.seen().is_empty());
}

#[tokio::test]
async fn answers_that_are_no_descriptor_are_told_apart() {
    let good = json!({"subject": "acct:ada@HOST", "links": [to_ada()]}).to_string();
    let answering = |status: u16, kind: &'static str, body: String| {
        Server::start(move |seen: &Seen| reply(status, kind, body.replace("HOST", seen.header("host").unwrap())))
    };
    assert!(resolve(&answering(200, "application/json; charset=utf-8", good.clone()).await).await.is_ok());
    for (kind, body) in [
        ("text/html", good.clone()),
        ("application/xrd+xml", good.clone()),
        ("application/activity+json", good.clone()),
        (JRD, "<html>".to_owned()),
        (JRD, String::new()),
        (JRD, format!("{good}{}", " ".repeat(64 * 1024))),
        (JRD, format!("{{\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100))),
    ] {
        let outcome = resolve(&answering(200, kind, body.clone()).await).await;
        assert!(is_nonsense(&outcome), "{kind} {body:.40}: {outcome:?}");
    }
    for status in [404, 410] {
        let outcome = resolve(&answering(status, JRD, good.clone()).await).await;
        assert!(matches!(outcome, Err(PeerError::Gone(said)) if said == status), "{outcome:?}");
    }
    for status in [400, 401, 429, 500] {
        let server = answering(status, JRD, good.clone()).await;
        let outcome = resolve(&server).await;
        assert!(matches!(outcome, Err(PeerError::Refused(said)) if said == status), "{outcome:?}");
        assert_eq!(server.seen().len(), 1);
    }
    let silent = Server::stops_after("").await;
    let hasty = speaking(client(), IMPATIENT).0;
    let outcome = hasty.resolve_handle("ada", &silent.address.to_string(), &open_gate()).await;
    assert!(matches!(outcome, Err(PeerError::Unreachable(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_redirect_of_the_question_is_followed() {
    let server = Server::start(|seen| {
        let host = seen.header("host").unwrap();
        let descriptor = json!({"subject": "acct:ada@HOST", "links": [to_ada()]}).to_string();
        match seen.head.uri.path() {
            "/.well-known/webfinger" => redirect(302, &format!("/finger?{}", seen.head.uri.query().unwrap())),
            _ => reply(200, JRD, descriptor.replace("HOST", host)),
        }
    })
    .await;
    assert_eq!(resolve(&server).await.unwrap().as_str(), server.url("/users/ada").as_str());
}

#[tokio::test]
async fn what_is_no_handle_is_asked_of_nobody() {
    let names = Names::new(&[&["127.0.0.1"]]);
    let (peers, _) = speaking(builder(&["127.0.0.0/8"]).resolver(names.clone()).build().unwrap(), PATIENT);
    let long = "x".repeat(256);
    for (username, domain) in [
        ("", "peer.example"),
        ("a@b", "peer.example"),
        ("a b", "peer.example"),
        ("a\r\nb", "peer.example"),
        ("a/b", "peer.example"),
        (&long, "peer.example"),
        ("ada", ""),
        ("ada", "peer.example/x"),
        ("ada", "peer.example?x"),
        ("ada", "peer.example#x"),
        ("ada", "u@peer.example"),
        ("ada", "peer.example\\x"),
        ("ada", "peer .example"),
        ("ada", "[::1"),
        ("ada", "peer.example:port"),
        ("ada", "peer.example:65536"),
        ("ada", &long),
    ] {
        let outcome = peers.resolve_handle(username, domain, &open_gate()).await;
        assert!(matches!(outcome, Err(PeerError::Forbidden(_))), "{username}@{domain}: {outcome:?}");
    }
    assert_eq!(names.asked(), 0);
}

#[tokio::test]
async fn a_domain_is_one_however_it_is_spelled() {
    let server = Server::start(|seen| {
        let host = seen.header("host").unwrap();
        let subject = format!("acct:ada@{}", host.replace("xn--bcher-kva", "B\u{dc}CHER"));
        let links = [link("application/activity+json", &format!("http://{host}/users/ada"))];
        reply(200, JRD, json!({"subject": subject, "links": links}).to_string())
    })
    .await;
    let client = builder(&["127.0.0.0/8"]).resolver(Names::new(&[&["127.0.0.1"]])).build().unwrap();
    let (peers, _) = speaking(client, PATIENT);
    let port = server.address.port();
    for domain in ["b\u{fc}cher.example", "B\u{fc}cher.Example", "xn--bcher-kva.example"] {
        let outcome = peers.resolve_handle("ada", &format!("{domain}:{port}"), &open_gate()).await;
        let expected = format!("http://xn--bcher-kva.example:{port}/users/ada");
        assert_eq!(outcome.unwrap().as_str(), expected, "{domain}");
    }
}

#[tokio::test]
async fn every_server_that_is_asked_passes_the_gate() {
    let other = Server::on(listen("127.0.0.2:0").await, None, |_| reply(200, JRD, "{}"));
    let subject = format!("acct:ada@{}", other.address);
    let server = giving(&json!({"subject": subject, "links": [to_ada()]})).await;
    let (seen, gate) = gate_against(&[other.address.to_string()]);
    let outcome = speaking(client(), PATIENT).0.resolve_handle("ada", &server.address.to_string(), &gate).await;
    assert!(matches!(outcome, Err(PeerError::Barred(Barred::Shunned(_)))), "{outcome:?}");
    assert_eq!(*seen.passed.lock().unwrap(), [server.address.to_string()]);
    assert_eq!(other.connections(), 0);

    // However the domain is spelled.
    let (_, gate) = gate_against(&["xn--bcher-kva.example:8443".to_owned()]);
    let client = builder(&["127.0.0.0/8"]).resolver(Names::new(&[&["127.0.0.1"]])).build().unwrap();
    let outcome = speaking(client, PATIENT).0.resolve_handle("ada", "B\u{fc}cher.Example:8443", &gate).await;
    assert!(matches!(outcome, Err(PeerError::Barred(_))), "{outcome:?}");
}

#[tokio::test]
async fn only_opened_networks_are_asked_without_tls() {
    let server = giving(&json!({"subject": "acct:ada@HOST", "links": [to_ada()]})).await;
    let closed = builder(&[]).resolver(Names::new(&[&["127.0.0.1"]])).build().unwrap();
    let (peers, _) = speaking(closed, PATIENT);
    for domain in [server.address.to_string(), format!("peer.example:{}", server.address.port())] {
        let outcome = peers.resolve_handle("ada", &domain, &open_gate()).await;
        assert!(matches!(outcome, Err(PeerError::Forbidden(_))), "{domain}: {outcome:?}");
    }
    // Another network is open, which this server does not lie in.
    let other = builder(&["10.0.0.0/8"]).resolver(Names::new(&[&["127.0.0.1"]])).build().unwrap();
    let outcome = speaking(other, PATIENT).0.resolve_handle("ada", &server.address.to_string(), &open_gate()).await;
    assert!(matches!(outcome, Err(PeerError::Forbidden(_))), "{outcome:?}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_server_with_tls_is_found_at_any_port() {
    let descriptor = json!({"links": [link("application/activity+json", "https://HOST/users/ada")]}).to_string();
    let give = move |seen: &Seen| {
        let authority = seen.head.uri.authority().map(ToString::to_string);
        let host = authority.unwrap_or_else(|| seen.header("host").unwrap().to_owned());
        reply(200, JRD, descriptor.replace("HOST", &host))
    };
    let (server, roots) = crate::tls::answering("peer.example", &["h2", "http/1.1"], give).await;
    let client = builder(&["127.0.0.0/8"]).resolver(Names::new(&[&["127.0.0.1"]])).roots(roots).build().unwrap();
    let domain = format!("peer.example:{}", server.address.port());
    let found = speaking(client, PATIENT).0.resolve_handle("ada", &domain, &open_gate()).await.unwrap();
    assert_eq!(found.as_str(), format!("https://{domain}/users/ada"));
}
