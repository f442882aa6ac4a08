//! Hostile requests to inboxes, whose signatures are not good: each with the status that it gets and what its sender is
//! told, and none with an effect. What is well signed and hostile is in `inbox_speech.rs`.

use crate::federation::among_peers;
use crate::peer::{ACTIVITY_JSON, Outgoing, Peer, second_keys};
use crate::support::TestApp;
use artdag_federation::SignatureScheme::{self, Cavage, Rfc9421};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// A server here, one there, and a request to follow that would be taken as it is.
pub(crate) struct Scene {
    pub(crate) app: TestApp,
    pub(crate) peer: Peer,
}

impl Scene {
    pub(crate) async fn new(app: TestApp) -> Self {
        app.register("giles").await;
        Self { app, peer: Peer::start().await }
    }

    pub(crate) fn inbox(&self) -> String {
        self.app.url("/users/giles/inbox")
    }

    pub(crate) fn wish(&self) -> Value {
        self.peer.activity("alice", "Follow", json!(self.app.url("/users/giles")))
    }

    pub(crate) fn signed(&self, scheme: SignatureScheme, activity: &str) -> Outgoing {
        self.peer.sign("alice", scheme, &self.inbox(), activity, TimeDelta::zero())
    }

    pub(crate) fn request(&self, scheme: SignatureScheme) -> Outgoing {
        self.signed(scheme, &self.wish().to_string())
    }

    pub(crate) async fn followers(&self) -> u64 {
        self.app.get("/users/giles/followers").await.body["totalItems"].as_u64().unwrap()
    }

    /// Sends it, and sees that nobody follows for it. Answers what the sender is told.
    pub(crate) async fn refuses(&self, name: &str, outgoing: Outgoing, status: u16) -> String {
        let answer = self.peer.send(outgoing).await;
        let (got, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        assert_eq!(got, status, "{name}: {text}");
        if status >= 400 {
            let problem: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{name}: {text}"));
            assert_eq!(problem["status"], status, "{name}: {text}");
            assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{name}: {text}");
        }
        assert_eq!(self.followers().await, 0, "{name}");
        serde_json::from_str::<Value>(&text)
            .map_or_else(|_| text, |body| body["detail"].as_str().unwrap_or_default().to_owned())
    }
}

impl Outgoing {
    fn header(&mut self, name: &str) -> &mut String {
        let found = self.headers.iter_mut().find(|(other, _)| other == name);
        &mut found.unwrap_or_else(|| panic!("no header {name}")).1
    }

    fn without(mut self, name: &str) -> Self {
        self.header(name);
        self.headers.retain(|(other, _)| other != name);
        self
    }

    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    fn replacing(mut self, name: &str, from: &str, to: &str) -> Self {
        let value = self.header(name);
        assert!(value.contains(from), "{name} has no {from}: {value}");
        *value = value.replacen(from, to, 1);
        self
    }

    fn with_body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }
}

/// Spoils a request that is signed already.
type Spoil = fn(Outgoing) -> Outgoing;

/// What is done to a request, in which scheme, after it was signed. All of these are 401.
const SPOILT: &[(&str, SignatureScheme, Spoil, &str)] = &[
    ("nothing is signed", Rfc9421, |o| o.without("signature").without("signature-input"), "is not signed"),
    ("no signature to the input", Rfc9421, |o| o.without("signature"), "nothing under the label"),
    ("no input to the signature", Rfc9421, |o| o.without("signature-input"), "`keyId` of the signature is missing"),
    ("no digest", Rfc9421, |o| o.without("content-digest"), "no `Content-Digest`"),
    ("no digest, cavage", Cavage, |o| o.without("digest"), "no `Digest`"),
    (
        "another body",
        Rfc9421,
        |o| {
            let body = o.body.replace("Follow", "Follow ");
            o.with_body(body)
        },
        "does not match the body",
    ),
    (
        "another body, cavage",
        Cavage,
        |o| {
            let body = o.body.replace("Follow", "Follow ");
            o.with_body(body)
        },
        "does not match the body",
    ),
    ("no body", Rfc9421, |o| o.with_body(""), "does not match the body"),
    (
        "the digest of another body",
        Rfc9421,
        |o| o.with("content-digest", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"),
        "does not match the body",
    ),
    (
        "the digest of another body, cavage",
        Cavage,
        |o| o.with("digest", "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
        "does not match the body",
    ),
    (
        "an unknown digest",
        Rfc9421,
        |o| o.with("content-digest", "md5=:47DEQpj8HBSa+/TImW+5JA==:"),
        "neither SHA-256 nor SHA-512",
    ),
    (
        "an unknown digest, cavage",
        Cavage,
        |o| o.with("digest", "MD5=47DEQpj8HBSa+/TImW+5JA=="),
        "neither SHA-256 nor SHA-512",
    ),
    ("a digest that is none", Rfc9421, |o| o.with("content-digest", "sha-256=nonsense"), "not a list of digests"),
    (
        "a second, false digest",
        Rfc9421,
        |o| {
            let more = format!("{}, sha-512=:AAAA:", o.clone().header("content-digest"));
            o.with("content-digest", more)
        },
        "does not match the body",
    ),
    (
        "the method is not signed",
        Rfc9421,
        |o| o.replacing("signature-input", "\"@method\" ", ""),
        "`@method` must be signed",
    ),
    (
        "the address is not signed",
        Rfc9421,
        |o| o.replacing("signature-input", "\"@target-uri\" ", ""),
        "`@target-uri` must be signed",
    ),
    (
        "the digest is not signed",
        Rfc9421,
        |o| o.replacing("signature-input", "\"content-digest\" ", ""),
        "`content-digest` must be signed",
    ),
    (
        "the time is missing",
        Rfc9421,
        |o| o.replacing("signature-input", ";created=", ";cxeated="),
        "`created` of the signature is missing",
    ),
    (
        "no key is named",
        Rfc9421,
        |o| o.replacing("signature-input", ";keyid=", ";kexid="),
        "`keyid` of the signature is missing",
    ),
    (
        "an algorithm that is none",
        Rfc9421,
        |o| o.replacing("signature-input", "rsa-v1_5-sha256", "hmac-sha256"),
        "algorithm is not supported",
    ),
    (
        "the other key's algorithm",
        Rfc9421,
        |o| o.replacing("signature-input", "rsa-v1_5-sha256", "ed25519"),
        "not one of an RSA key",
    ),
    ("expired", Rfc9421, |o| o.replacing("signature-input", ";created=", ";expires=1;created="), "has expired"),
    (
        "an unknown component",
        Rfc9421,
        |o| o.replacing("signature-input", "\"@method\"", "\"@method\" \"@magic\""),
        "`@magic` is unknown",
    ),
    (
        "a component twice",
        Rfc9421,
        |o| o.replacing("signature-input", "\"@method\"", "\"@method\" \"@method\""),
        "`@method` is signed twice",
    ),
    (
        "a component with parameters",
        Rfc9421,
        |o| o.replacing("signature-input", "\"content-type\"", "\"content-type\";sf"),
        "`sf` of the signed component `content-type`",
    ),
    (
        "a component of the answer",
        Rfc9421,
        |o| o.replacing("signature-input", "\"@method\"", "\"@status\""),
        "`@status` is unknown",
    ),
    (
        "a header that is not there",
        Rfc9421,
        |o| o.replacing("signature-input", "\"content-type\"", "\"x-nothing\""),
        "`x-nothing` is not in the request",
    ),
    (
        "another order",
        Rfc9421,
        |o| o.replacing("signature-input", "\"@method\" \"@target-uri\"", "\"@target-uri\" \"@method\""),
        "does not match the request",
    ),
    ("another label", Rfc9421, |o| o.replacing("signature-input", "sig1=", "sig2="), "nothing under the label"),
    ("no structured field", Rfc9421, |o| o.with("signature-input", "sig1=((("), "`Signature-Input` is malformed"),
    ("an empty input", Rfc9421, |o| o.with("signature-input", ""), "is not signed"),
    (
        "an item instead of a list",
        Rfc9421,
        |o| o.with("signature-input", "sig1=\"@method\""),
        "`Signature-Input` is malformed",
    ),
    ("a signature that is no bytes", Rfc9421, |o| o.with("signature", "sig1=\"AAAA\""), "`Signature` is malformed"),
    ("a short signature", Rfc9421, |o| o.with("signature", "sig1=:AAAA:"), "does not match the request"),
    (
        "a dozen signatures",
        Rfc9421,
        |o| {
            let many: Vec<String> = (0..12).map(|n| format!("s{n}=(\"@method\")")).collect();
            o.with("signature-input", many.join(", "))
        },
        "too many signatures",
    ),
    (
        "a thousand signatures",
        Rfc9421,
        |o| {
            let many: Vec<String> = (0..1000).map(|n| format!("s{n}=(\"@method\")")).collect();
            o.with("signature-input", many.join(", "))
        },
        "`Signature-Input` is too long",
    ),
    (
        "a very long input",
        Rfc9421,
        |o| {
            let long = format!("sig1=(\"{}\")", "a".repeat(20_000));
            o.with("signature-input", long)
        },
        "`Signature-Input` is too long",
    ),
    (
        "a cavage signature in its place",
        Rfc9421,
        |o| o.with("signature", "keyId=\"https://a.example/\",signature=\"AAAA\""),
        "`Signature` is malformed",
    ),
    (
        "the target is not signed, cavage",
        Cavage,
        |o| o.replacing("signature", "(request-target) ", ""),
        "`(request-target)` must be signed",
    ),
    ("the host is not signed, cavage", Cavage, |o| o.replacing("signature", " host", ""), "`host` must be signed"),
    ("the date is not signed, cavage", Cavage, |o| o.replacing("signature", " date", ""), "`date` must be signed"),
    (
        "the digest is not signed, cavage",
        Cavage,
        |o| o.replacing("signature", " digest", ""),
        "`digest` must be signed",
    ),
    (
        "only the date is signed, cavage",
        Cavage,
        |o| o.replacing("signature", "(request-target) host date digest content-type", "date"),
        "`(request-target)` must be signed",
    ),
    ("no headers are named, cavage", Cavage, |o| o.replacing("signature", "headers=", "hexders="), "must be signed"),
    (
        "an algorithm that is none, cavage",
        Cavage,
        |o| o.replacing("signature", "rsa-sha256", "hmac-sha256"),
        "algorithm is not supported",
    ),
    (
        "no key is named, cavage",
        Cavage,
        |o| o.replacing("signature", "keyId=", "kexId="),
        "`keyId` of the signature is missing",
    ),
    (
        "two keys are named, cavage",
        Cavage,
        |o| o.replacing("signature", "keyId=", "keyId=\"https://a.example/\",keyId="),
        "a parameter of the signature is there twice",
    ),
    (
        "no signature in the signature, cavage",
        Cavage,
        |o| o.replacing("signature", ",signature=", ",sxgnature="),
        "`signature` of the signature is missing",
    ),
    (
        "no base64, cavage",
        Cavage,
        |o| o.replacing("signature", ",signature=\"", ",signature=\"~~~"),
        "`signature` of the signature is malformed",
    ),
    (
        "a time of its own, cavage",
        Cavage,
        |o| o.replacing("signature", "keyId=", "created=1,keyId=").replacing("signature", "date", "(created)"),
        "cannot be signed with the algorithm `rsa-sha256`",
    ),
    (
        "expired, cavage",
        Cavage,
        |o| o.replacing("signature", "rsa-sha256", "hs2019").replacing("signature", "keyId=", "expires=1,keyId="),
        "has expired",
    ),
    ("a header twice, cavage", Cavage, |o| o.replacing("signature", "host", "host host"), "`host` is signed twice"),
    (
        "a header that is not there, cavage",
        Cavage,
        |o| o.replacing("signature", "content-type", "x-nothing"),
        "`x-nothing` is not in the request",
    ),
    (
        "an unknown pseudo header, cavage",
        Cavage,
        |o| o.replacing("signature", "content-type", "(magic)"),
        "`(magic)` is unknown",
    ),
    ("an empty signature, cavage", Cavage, |o| o.with("signature", ""), "`Signature` is malformed"),
    ("nonsense, cavage", Cavage, |o| o.with("signature", "\"\"\",,,==="), "`Signature` is malformed"),
    (
        "a quote that never ends, cavage",
        Cavage,
        |o| o.with("signature", "keyId=\"https://a.example/"),
        "`Signature` is malformed",
    ),
    (
        "another date, cavage",
        Cavage,
        |o| o.with("date", "Sun, 22 Nov 2026 06:12:53 GMT"),
        "`date` is more than 12 hours old",
    ),
    ("a date that is none, cavage", Cavage, |o| o.with("date", "yesterday"), "`Date` is not a date"),
    ("another host, cavage", Cavage, |o| o.with("host", "other.example"), "`Host` does not name this server"),
    ("a relative key", Rfc9421, |o| o.replacing("signature-input", "keyid=\"http://", "keyid=\""), "key's id must be"),
    (
        "a key that is no URL of the web",
        Rfc9421,
        |o| o.replacing("signature-input", "keyid=\"http://", "keyid=\"ftp://"),
        "key's id must be",
    ),
    (
        "a key with a password",
        Rfc9421,
        |o| o.replacing("signature-input", "keyid=\"http://", "keyid=\"http://u:p@"),
        "key's id must be",
    ),
    (
        "a key in somebody's own network",
        Rfc9421,
        |mut o| {
            let input = o.header("signature-input").clone();
            let (before, after) = input.split_once("keyid=\"").unwrap();
            let (_, after) = after.split_once('"').unwrap();
            o.with("signature-input", format!("{before}keyid=\"http://10.0.0.1/k\"{after}"))
        },
        "key that the signature names cannot be had",
    ),
    (
        "a key that is not there",
        Cavage,
        |o| o.replacing("signature", "#main-key", "/nothing#main-key"),
        "key that the signature names cannot be had",
    ),
];

among_peers! {
    async fn spoilt_signatures_are_refused(app: TestApp) {
        let scene = Scene::new(app).await;
        let mut wrong = Vec::new();
        for (name, scheme, spoil, said) in SPOILT {
            let detail = scene.refuses(name, spoil(scene.request(*scheme)), 401).await;
            if !detail.contains(said) {
                wrong.push(format!("{name}: {detail:?} does not say {said:?}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        // The document was asked for a moment ago; it is not asked for again for each name that somebody makes up.
        let unlisted = scene.request(Cavage).replacing("signature", "#main-key", "#other-key");
        scene.refuses("a key that its owner does not list", unlisted, 429).await;
        // What was spoilt is good as it was.
        for scheme in [Rfc9421, Cavage] {
            assert_eq!(scene.peer.send(scene.request(scheme)).await.status(), 202, "{scheme}");
        }
        let mut authorization = scene.request(Cavage);
        let signature = format!("Signature {}", authorization.header("signature"));
        let authorization = authorization.without("signature").with("authorization", signature);
        assert_eq!(scene.peer.send(authorization).await.status(), 202);
        assert_eq!(scene.followers().await, 1);
    }

    async fn what_is_signed_for_another_time_or_place_is_refused(app: TestApp) {
        let scene = Scene::new(app).await;
        let (inbox, wish) = (scene.inbox(), scene.wish().to_string());
        for scheme in [Rfc9421, Cavage] {
            for off in [TimeDelta::hours(-13), TimeDelta::days(-400), TimeDelta::hours(2), TimeDelta::days(4000)] {
                let outgoing = scene.peer.sign("alice", scheme, &inbox, &wish, off);
                scene.refuses(&format!("{scheme}, {off} off"), outgoing, 401).await;
            }
            for elsewhere in ["http://other.example/users/giles/inbox".to_owned(), scene.app.url("/inbox"), format!("{inbox}?x=1")] {
                let mut outgoing = scene.peer.sign("alice", scheme, &elsewhere, &wish, TimeDelta::zero());
                outgoing.url.clone_from(&inbox);
                scene.refuses(&format!("{scheme}, for {elsewhere}"), outgoing, 401).await;
            }
            let stranger = scene.peer.sign_with(&scene.peer.key("alice"), second_keys().as_ref(), scheme, &inbox, &wish, TimeDelta::zero());
            scene.refuses(&format!("{scheme}, by another key"), stranger, 401).await;
        }
        for off in [TimeDelta::hours(-11), TimeDelta::minutes(50)] {
            let outgoing = scene.peer.sign("alice", Cavage, &inbox, &scene.wish().to_string(), off);
            assert_eq!(scene.peer.send(outgoing).await.status(), 202, "{off}");
        }
    }

    async fn a_key_counts_only_if_its_owner_says_so(app: TestApp) {
        let scene = Scene::new(app).await;
        let peer = &scene.peer;
        let document = |name: &str, edit: &dyn Fn(&mut Value)| {
            let mut document = peer.actor_document(name);
            edit(&mut document);
            document.to_string()
        };
        let other = Peer::start().await;
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(70), "]".repeat(70));
        let rows: Vec<(&str, u16, &str, String)> = vec![
            ("plain JSON", 200, "application/json", document("k0", &|_| ())),
            ("a page", 200, "text/html", document("k1", &|_| ())),
            ("JSON-LD of another profile", 200, "application/ld+json", document("k2", &|_| ())),
            ("no JSON", 200, ACTIVITY_JSON, "<html>".to_owned()),
            ("an array", 200, ACTIVITY_JSON, "[]".to_owned()),
            ("too deep", 200, ACTIVITY_JSON, deep),
            ("too large", 200, ACTIVITY_JSON, document("k6", &|d| d["summary"] = json!("x".repeat(2 << 20)))),
            ("another id", 200, ACTIVITY_JSON, document("k7", &|d| d["id"] = json!(peer.actor("eve")))),
            ("another server's id", 200, ACTIVITY_JSON, document("k8", &|d| d["id"] = json!(other.actor("k8")))),
            ("no inbox", 200, ACTIVITY_JSON, document("k9", &|d| d["inbox"] = json!(null))),
            ("another owner", 200, ACTIVITY_JSON, document("k10", &|d| d["publicKey"]["owner"] = json!(peer.actor("eve")))),
            ("another key", 200, ACTIVITY_JSON, document("k11", &|d| d["publicKey"]["id"] = json!(peer.key("eve")))),
            ("no key", 200, ACTIVITY_JSON, document("k12", &|d| d["publicKey"] = json!(null))),
            ("a key that is none", 200, ACTIVITY_JSON, document("k13", &|d| d["publicKey"]["publicKeyPem"] = json!("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n"))),
            ("a key alone, of an owner elsewhere", 200, ACTIVITY_JSON, json!({"id": peer.key("k14"), "owner": other.actor("k14"), "publicKeyPem": "x"}).to_string()),
            ("a key alone, of an owner that does not list it", 200, ACTIVITY_JSON, json!({"id": peer.key("k15"), "owner": peer.actor("eve"), "publicKeyPem": "x"}).to_string()),
            ("not there", 404, ACTIVITY_JSON, "{}".to_owned()),
            ("gone", 410, ACTIVITY_JSON, "{}".to_owned()),
            ("broken", 500, ACTIVITY_JSON, "{}".to_owned()),
        ];
        for (n, (name, status, media_type, body)) in rows.into_iter().enumerate() {
            let actor = format!("k{n}");
            peer.put(&format!("/users/{actor}"), status, media_type, body);
            let wish = peer.activity(&actor, "Follow", json!(scene.app.url("/users/giles"))).to_string();
            let outgoing = peer.sign(&actor, Cavage, &scene.inbox(), &wish, TimeDelta::zero());
            // What may be mended in a minute is not refused for good.
            scene.refuses(name, outgoing, if status == 500 { 429 } else { 401 }).await;
        }
    }
}
