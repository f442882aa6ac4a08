//! Every rule refuses what breaks it, with a fault of its own, and no text whatever makes reading panic.

use artdag_federation::http_signature::collection_synchronization::CollectionSynchronization;
use artdag_federation::http_signature::{Challenge, RequestSignature, Scheme, SignatureFault, SignedRequest, bases};
use artdag_kernel::Instant;
use proptest::prelude::*;

const ORIGIN: &str = "https://art.example";
const TARGET: &str = "/users/giles/inbox";
const BODY: &[u8] = b"{\"hello\": \"world\"}";
const SHA256: &str = "X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=";
const SHA512: &str = "WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==";

fn now() -> Instant {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// Seconds since 1970, `offset` from now.
fn at(offset: i64) -> i64 {
    now().timestamp() + offset
}

#[derive(Clone)]
struct Request {
    method: &'static str,
    target: &'static str,
    headers: Vec<(String, String)>,
    body: Option<&'static [u8]>,
}

impl Request {
    fn read(&self) -> Result<RequestSignature, SignatureFault> {
        let headers: Vec<(&str, &[u8])> = self.headers.iter().map(|(n, v)| (n.as_str(), v.as_bytes())).collect();
        let request = SignedRequest { method: self.method, origin: ORIGIN, target: self.target, headers: &headers };
        RequestSignature::read(&request, self.body, now())
    }

    /// In place of the header of that name.
    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self.and(name, value)
    }

    /// Besides.
    fn and(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self
    }

    fn fault(&self) -> Option<SignatureFault> {
        self.read().err()
    }
}

fn post() -> Request {
    let headers = [
        ("host", "art.example".to_owned()),
        ("date", "Sun, 22 Nov 2026 12:00:00 GMT".to_owned()),
        ("content-type", "application/activity+json".to_owned()),
        ("digest", format!("SHA-256={SHA256}")),
        ("content-digest", format!("sha-256=:{SHA256}:")),
    ];
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Request { method: "POST", target: TARGET, headers, body: Some(BODY) }
}

const KEY: &str = "https://peer.example/users/eve#main-key";

/// A `Signature` of cavage with these components and further parameters.
fn cavage_with(headers: &str, more: &str) -> Request {
    post().with("signature", format!(r#"keyId="{KEY}",headers="{headers}",signature="AAAA"{more}"#))
}

fn cavage(headers: &str) -> Request {
    cavage_with(headers, "")
}

const ALL: &str = "(request-target) host date digest content-type";

/// A signature of RFC 9421 with these components and parameters.
fn message_with(components: &str, parameters: &str) -> Request {
    post().with("signature-input", format!("sig1=({components}){parameters}")).with("signature", "sig1=:AAAA:")
}

fn message(components: &str) -> Request {
    message_with(components, &format!(r#";created={};keyid="{KEY}""#, at(0)))
}

const COVERED: &str = r#""@method" "@target-uri" "content-digest""#;

fn created(offset: i64) -> String {
    format!(r#";created={};keyid="{KEY}""#, at(offset))
}

#[test]
fn what_keeps_the_rules_is_read() {
    let cavage_signature = cavage_with(ALL, r#",algorithm="rsa-sha256""#).read().unwrap();
    assert_eq!((cavage_signature.scheme(), cavage_signature.key_id()), (Scheme::Cavage, KEY));
    assert!(cavage_signature.covers("content-type") && !cavage_signature.covers("content-digest"));
    let message_signature = message(COVERED).read().unwrap();
    assert_eq!((message_signature.scheme(), message_signature.created()), (Scheme::Rfc9421, Some(now())));

    for (what, request) in [
        ("the key decides", cavage_with(ALL, r#",algorithm="hs2019""#)),
        ("Ed25519", cavage_with(ALL, r#",algorithm="ed25519""#)),
        (
            "bare numbers",
            cavage_with(
                "(request-target) (created) (expires) host digest",
                &format!(",created={},expires={}", at(-60), at(60)),
            ),
        ),
        (
            "quoted numbers",
            cavage_with(
                "(request-target) (created) (expires) host digest",
                &format!(",created=\"{}\",expires=\"{}.25\"", at(-60), at(60)),
            ),
        ),
        ("capitals in the list", cavage("(request-target) Host Date Digest")),
        ("a word that is not known", cavage_with(ALL, r#",opaque="x""#)),
        (
            "another header",
            cavage(ALL)
                .without("signature")
                .and("authorization", format!(r#"signature keyId="{KEY}",headers="{ALL}",signature="AAAA""#)),
        ),
        ("the default port", cavage(ALL).with("host", "ART.example:443")),
        ("HTTP/2", cavage(ALL).without("host")),
        ("several digests", cavage(ALL).with("digest", format!("md5=x, sha-256={SHA256},SHA-512={SHA512}"))),
        ("an old date", cavage(ALL).with("date", "Sunday, 22-Nov-26 00:00:00 GMT")),
        ("a query", Request { target: "/inbox?a=b", ..cavage(ALL) }),
        ("parts of the address", message(r#""@method" "@authority" "@path" "@query" "content-digest""#)),
        ("SHA-512", message(COVERED).with("content-digest", format!("sha-512=:{SHA512}:, unixsum=1"))),
        (
            "both digests",
            message(COVERED)
                .with("content-digest", format!("sha-512=:{SHA512}:"))
                .and("content-digest", format!("sha-256=:{SHA256}:")),
        ),
        (
            "nonce, tag and more",
            message_with(COVERED, &format!(r#"{};nonce="n";tag="t";alg="rsa-v1_5-sha256";more"#, created(0))),
        ),
        (
            "a second label",
            message(COVERED).with("signature-input", format!("sig0=(\"@status\"), sig1=({COVERED}){}", created(0))),
        ),
        (
            "a hostile second label",
            message(COVERED)
                .with("signature-input", format!("sig1=({COVERED}){}, sig2=();created=\"x\", sig3=1", created(0))),
        ),
        ("the signed digest counts", message(COVERED).with("digest", "SHA-256=AAAA")),
        ("the signed digest counts", cavage(ALL).with("content-digest", "sha-256=:AAAA:")),
    ] {
        assert_eq!(request.fault(), None, "{what}");
    }
    let get = Request { method: "GET", body: None, ..cavage("(request-target) host date") };
    assert_eq!(get.fault(), None);
    let get = Request { method: "GET", body: None, ..message(r#""@method" "@target-uri""#) };
    assert_eq!(get.fault(), None);
}

#[test]
fn what_breaks_a_rule_of_cavage() {
    use SignatureFault as F;
    let component = |name: &str| name.to_owned();
    let long_key = format!("https://peer.example/{}", "k".repeat(2048));
    let key = |id: &str| post().with("signature", format!(r#"keyId="{id}",headers="{ALL}",signature="AAAA""#));
    let many = (0..40).map(|n| format!("x-{n}")).collect::<Vec<_>>().join(" ");
    let table = [
        (post(), F::Unsigned),
        (post().with("authorization", "Bearer abc"), F::Unsigned),
        (post().with("authorization", "Signature"), F::Unsigned),
        (post().with("signature", ""), F::Malformed("Signature")),
        (post().with("signature", "keyId"), F::Malformed("Signature")),
        (post().with("signature", r#"keyId="https://a.example"#), F::Malformed("Signature")),
        (post().with("authorization", "Signature keyId"), F::Malformed("Authorization")),
        (post().with("signature", "x".repeat(9000)), F::TooLong("Signature")),
        (cavage(ALL).and("signature", "a=1"), F::Repeated("Signature")),
        (cavage_with(ALL, r#",keyId="https://other.example""#), F::RepeatedParameter),
        (cavage_with(ALL, r#",headers="date""#), F::RepeatedParameter),
        (post().with("signature", format!(r#"headers="{ALL}",signature="AAAA""#)), F::MissingParameter("keyId")),
        (post().with("signature", format!(r#"keyId="{KEY}",headers="{ALL}""#)), F::MissingParameter("signature")),
        (
            post().with("signature", format!(r#"keyId="{KEY}",headers="{ALL}",signature="?""#)),
            F::Parameter("signature"),
        ),
        (key(""), F::KeyId),
        (key("Test"), F::KeyId),
        (key("acct:eve@peer.example"), F::KeyId),
        (key("file:///etc/passwd"), F::KeyId),
        (key("/users/eve#main-key"), F::KeyId),
        (key("https://eve:secret@peer.example/"), F::KeyId),
        (key("https:\\\\\\\\peer.example\\\\x"), F::KeyId),
        (key("https://peer.example/ a"), F::KeyId),
        (key("https://"), F::KeyId),
        (key(&long_key), F::KeyId),
        (cavage_with(ALL, r#",algorithm="hmac-sha256""#), F::Algorithm),
        (cavage_with(ALL, r#",algorithm="rsa-sha1""#), F::Algorithm),
        (cavage_with(ALL, r#",algorithm="""#), F::Algorithm),
        (post().with("signature", format!(r#"keyId="{KEY}",signature="AAAA""#)), F::NotSigned("(request-target)")),
        (cavage(""), F::NotSigned("(request-target)")),
        (cavage("host date digest"), F::NotSigned("(request-target)")),
        (cavage("(request-target) date digest"), F::NotSigned("host")),
        (cavage("(request-target) host digest"), F::NotSigned("date")),
        (cavage("(request-target) host date"), F::NotSigned("digest")),
        (cavage("(request-target) host date content-digest"), F::NotSigned("digest")),
        (cavage("(request-target) host date digest host"), F::RepeatedComponent(component("host"))),
        (cavage("(request-target) host date digest DATE"), F::RepeatedComponent(component("date"))),
        (cavage("(request-target) host date digest x-more"), F::Absent(component("x-more"))),
        (cavage(ALL).without("date"), F::Absent(component("date"))),
        (cavage("(request-target) (status) host date digest"), F::UnknownComponent(component("(status)"))),
        (cavage("(request-target) host date digest a:b"), F::ComponentName),
        (cavage("(request-target) host date digest ()"), F::ComponentName),
        (cavage(&format!("(request-target) host date digest {}", "a".repeat(65))), F::ComponentName),
        (cavage(&many), F::TooManyComponents),
        (cavage("(request-target) (created) host digest"), F::MissingParameter("created")),
        (cavage("(request-target) (expires) host date digest"), F::MissingParameter("expires")),
        (cavage_with("(request-target) (created) host digest", ",created=\"soon\""), F::Parameter("created")),
        (cavage_with("(request-target) (created) host digest", ",created=1.5"), F::Parameter("created")),
        (cavage_with("(request-target) (created) host digest", ",created=-1"), F::Parameter("created")),
        (
            cavage_with("(request-target) (created) host digest", ",created=99999999999999999999"),
            F::Parameter("created"),
        ),
        (cavage_with("(request-target) (created) host digest", ",created=9999999999999999"), F::Parameter("created")),
        (cavage_with(ALL, ",expires=\"1.\""), F::Parameter("expires")),
        (cavage_with("(request-target) (created) host digest", &format!(",created={}", at(3601))), F::Early("created")),
        (
            cavage_with("(request-target) (created) host digest", &format!(",created={}", at(-43_201))),
            F::Late("created"),
        ),
        (cavage_with(ALL, &format!(",expires={}", at(0))), F::Expired),
        (
            cavage_with(
                "(request-target) (created) host digest",
                &format!(r#",algorithm="rsa-sha256",created={}"#, at(0)),
            ),
            F::TimeWithAlgorithm("(created)"),
        ),
        (
            cavage_with(
                "(request-target) (expires) host date digest",
                &format!(r#",algorithm="rsa-sha256",expires={}"#, at(9)),
            ),
            F::TimeWithAlgorithm("(expires)"),
        ),
        (cavage(ALL).with("date", "Sun, 22 Nov 2026 13:00:01 GMT"), F::Early("date")),
        (cavage(ALL).with("date", "Sat, 21 Nov 2026 23:59:59 GMT"), F::Late("date")),
        (cavage(ALL).with("date", "2026-11-22T12:00:00Z"), F::Date),
        (cavage(ALL).and("date", "Sun, 22 Nov 2026 12:00:00 GMT"), F::Date),
        (cavage(ALL).with("host", "other.example"), F::Host),
        (cavage(ALL).with("host", "art.example:8443"), F::Host),
        (cavage(ALL).with("host", "art.example:80"), F::Host),
        (cavage(ALL).and("host", "art.example"), F::Host),
        (cavage(ALL).with("content-type", "a\nb"), F::Value(component("content-type"))),
        (cavage(ALL).with("digest", ""), F::DigestMalformed("Digest")),
        (cavage(ALL).with("digest", "SHA-256"), F::DigestMalformed("Digest")),
        (cavage(ALL).with("digest", "SHA-256=?"), F::DigestMalformed("Digest")),
        (cavage(ALL).with("digest", format!("SHA-256={SHA256},")), F::DigestMalformed("Digest")),
        (cavage(ALL).with("digest", "md5=AAAA,unixsum=1"), F::DigestUnsupported("Digest")),
        (cavage(ALL).with("digest", "SHA-256=AAAA"), F::DigestMismatch("Digest")),
        (cavage(ALL).and("digest", "SHA-256=AAAA"), F::DigestMismatch("Digest")),
        (cavage(ALL).with("digest", format!("SHA-256={SHA256},sha-512=AAAA")), F::DigestMismatch("Digest")),
        (cavage(ALL).without("digest"), F::NoDigest("Digest")),
        (Request { body: Some(b"other"), ..cavage(ALL) }, F::DigestMismatch("Digest")),
        (Request { body: None, ..cavage(ALL) }, F::DigestMismatch("Digest")),
        (Request { target: "/a b", ..cavage(ALL) }, F::Value(component("@target-uri"))),
        (Request { method: "PO\nST", ..cavage(ALL) }, F::Value(component("@method"))),
    ];
    for (index, (request, expected)) in table.into_iter().enumerate() {
        assert_eq!(request.fault(), Some(expected), "row {index}");
    }
}

#[test]
fn what_breaks_a_rule_of_rfc_9421() {
    use SignatureFault as F;
    let component = |name: &str| name.to_owned();
    let parameter = |component: &str, parameter: &str| F::ComponentParameter {
        component: component.to_owned(),
        parameter: parameter.to_owned(),
    };
    let also = |component: &str| message(&format!("{COVERED} {component}"));
    let with = |parameters: &str| message_with(COVERED, parameters);
    let many = (0..30).map(|n| format!("\"x-{n}\"")).collect::<Vec<_>>().join(" ");
    let labels = (0..9).map(|n| format!("s{n}=();created=1")).collect::<Vec<_>>().join(", ");
    let table = [
        (message(COVERED).with("signature-input", ""), F::Unsigned),
        (message(COVERED).with("signature-input", "sig1=(\"@method\""), F::Malformed("Signature-Input")),
        (message(COVERED).with("signature-input", "sig1=1"), F::Malformed("Signature-Input")),
        (message(COVERED).with("signature-input", "é"), F::Malformed("Signature-Input")),
        (message(COVERED).with("signature-input", "x".repeat(9000)), F::TooLong("Signature-Input")),
        (message(COVERED).with("signature", "x".repeat(9000)), F::TooLong("Signature")),
        (message(COVERED).with("signature", "sig1=AAAA:"), F::Malformed("Signature")),
        (message(COVERED).with("signature", "sig1=\"AAAA\""), F::Malformed("Signature")),
        (message(COVERED).with("signature", "sig1"), F::Malformed("Signature")),
        (message(COVERED).with("signature", "sig2=:AAAA:"), F::Label),
        (message(COVERED).without("signature"), F::Label),
        (message(COVERED).with("signature-input", labels), F::TooManySignatures),
        (message_with(COVERED, ""), F::MissingParameter("keyid")),
        (with(&format!(";created={}", at(0))), F::MissingParameter("keyid")),
        (with(&format!(";keyid=\"{KEY}\"")), F::MissingParameter("created")),
        (with(&format!(";created={};keyid=key", at(0))), F::Parameter("keyid")),
        (with(&format!(";created={};keyid=\"key\"", at(0))), F::KeyId),
        (with(&format!(";created=\"{}\";keyid=\"{KEY}\"", at(0))), F::Parameter("created")),
        (with(&format!(";created=1.5;keyid=\"{KEY}\"")), F::Parameter("created")),
        (with(&format!(";created=999999999999999;keyid=\"{KEY}\"")), F::Parameter("created")),
        (with(&format!("{};expires=?1", created(0))), F::Parameter("expires")),
        (with(&format!("{};nonce=1", created(0))), F::Parameter("nonce")),
        (with(&format!("{};tag", created(0))), F::Parameter("tag")),
        (with(&format!("{};alg=1", created(0))), F::Parameter("alg")),
        (with(&format!("{};alg=\"hmac-sha256\"", created(0))), F::Algorithm),
        (with(&format!("{};alg=\"rsa-sha256\"", created(0))), F::Algorithm),
        (with(&format!("{};alg=\"rsa-pss-sha512\"", created(0))), F::Algorithm),
        (with(&created(3601)), F::Early("created")),
        (with(&created(-43_201)), F::Late("created")),
        (with(&format!("{};expires={}", created(-60), at(0))), F::Expired),
        (message(""), F::NotSigned("@method")),
        (message(r#""@target-uri" "content-digest""#), F::NotSigned("@method")),
        (message(r#""@method" "content-digest""#), F::NotSigned("@target-uri")),
        (message(r#""@method" "@authority" "@path" "content-digest""#), F::NotSigned("@target-uri")),
        (message(r#""@method" "@path" "@query" "content-digest""#), F::NotSigned("@target-uri")),
        (message(r#""@method" "@target-uri""#), F::NotSigned("content-digest")),
        (message(r#""@method" "@target-uri" "digest""#), F::NotSigned("content-digest")),
        (also("\"@method\""), F::RepeatedComponent(component("@method"))),
        (also("\"content-digest\""), F::RepeatedComponent(component("content-digest"))),
        (also("\"@status\""), F::UnknownComponent(component("@status"))),
        (also("\"@signature-params\""), F::UnknownComponent(component("@signature-params"))),
        (also("\"x-more\""), F::Absent(component("x-more"))),
        (also("\"Date\""), F::ComponentName),
        (also("\"a: b\""), F::ComponentName),
        (also("\"\""), F::ComponentName),
        (also("date"), F::ComponentName),
        (also("1"), F::ComponentName),
        (also(&many), F::TooManyComponents),
        (also("\"date\";sf"), parameter("date", "sf")),
        (also("\"date\";bs"), parameter("date", "bs")),
        (also("\"digest\";key=\"sha-256\""), parameter("digest", "key")),
        (also("\"@authority\";req"), parameter("@authority", "req")),
        (also("\"date\";tr"), parameter("date", "tr")),
        (message(r#""@method" "@target-uri" "content-digest";sf"#), parameter("content-digest", "sf")),
        (also("\"@query-param\""), parameter("@query-param", "name")),
        (also("\"@query-param\";name=\"a b\""), parameter("@query-param", "name")),
        (also("\"@query-param\";name=\"a\""), F::Absent(component("@query-param"))),
        (Request { target: "/i?a=1&a=2", ..also("\"@query-param\";name=\"a\"") }, F::Absent(component("@query-param"))),
        (also("\"date\"").with("date", "yesterday"), F::Date),
        (also("\"date\"").with("date", "Sat, 21 Nov 2026 12:00:00 GMT"), F::Late("date")),
        (also("\"host\"").with("host", "other.example"), F::Host),
        (also("\"x-more\"").with("x-more", "a\r\nb"), F::Value(component("x-more"))),
        (message(COVERED).without("content-digest"), F::NoDigest("Content-Digest")),
        (message(COVERED).with("content-digest", "SHA-256=AAAA"), F::DigestMalformed("Content-Digest")),
        (message(COVERED).with("content-digest", "sha-256=1"), F::DigestMalformed("Content-Digest")),
        (message(COVERED).with("content-digest", "sha-256=(:AAAA:)"), F::DigestMalformed("Content-Digest")),
        (message(COVERED).with("content-digest", ""), F::DigestUnsupported("Content-Digest")),
        (message(COVERED).with("content-digest", "md5=:AAAA:"), F::DigestUnsupported("Content-Digest")),
        (message(COVERED).with("content-digest", "sha-256=:AAAA:"), F::DigestMismatch("Content-Digest")),
        (message(COVERED).and("content-digest", "sha-512=:AAAA:"), F::DigestMismatch("Content-Digest")),
        (Request { body: Some(b""), ..message(COVERED) }, F::DigestMismatch("Content-Digest")),
        (Request { method: "PUT", body: None, ..message(COVERED) }, F::DigestMismatch("Content-Digest")),
        // Nobody falls back on the older scheme because the newer one fails.
        (cavage(ALL).with("signature-input", "sig1=();created=1"), F::Malformed("Signature")),
    ];
    for (index, (request, expected)) in table.into_iter().enumerate() {
        assert_eq!(request.fault(), Some(expected), "row {index}");
    }
}

#[test]
fn the_texts_say_what_and_how() {
    assert_eq!(cavage("host").fault().unwrap().to_string(), "the component `(request-target)` must be signed");
    let swapped = cavage(ALL).with("digest", "SHA-256=AAAA").fault().unwrap();
    assert_eq!(swapped.to_string(), "the header `Digest` does not match the body");
    let old = cavage(ALL).with("date", "Sat, 21 Nov 2026 12:00:00 GMT").fault().unwrap();
    assert_eq!(old.to_string(), "`date` is more than 12 hours old");
}

/// What a query may be signed as: by those that know of it, and by those that forget it.
#[test]
fn cavage_reads_a_query_both_ways() {
    let request = Request { target: "/inbox?a=b", ..cavage(ALL) };
    let mut seen = Vec::new();
    let signature = request.read().unwrap();
    let fault = signature.check(artdag_federation::http_signature::KeyKind::Rsa, |base, _| {
        seen.push(String::from_utf8(base.to_vec()).unwrap());
        false
    });
    assert_eq!(fault, Err(SignatureFault::Mismatch));
    let lines: Vec<&str> = seen.iter().map(|base| base.lines().next().unwrap()).collect();
    assert_eq!(lines, ["(request-target): post /inbox?a=b", "(request-target): post /inbox"]);
}

const NAMES: [&str; 9] = [
    "signature",
    "signature-input",
    "authorization",
    "digest",
    "content-digest",
    "date",
    "host",
    "accept-signature",
    "content-type",
];

/// Bits of what such headers are made of, so that chance gets past the first character.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(vec![
            "sig1",
            "=",
            "(",
            ")",
            "\"",
            ";",
            ",",
            " ",
            ":",
            "\\",
            "?1",
            "%",
            "created",
            "expires",
            "keyid",
            "keyId",
            "headers",
            "signature",
            "algorithm",
            "alg",
            "nonce",
            "name",
            "@method",
            "@target-uri",
            "@query-param",
            "content-digest",
            "(request-target)",
            "(created)",
            "host",
            "date",
            "digest",
            "sha-256",
            "SHA-256",
            "Signature ",
            "1795348800",
            "-1",
            "https://a.example/#k",
            "AAAA",
            "sig1=:AAAA:",
            "1.5",
            "99999999999999999",
            "sig1=(\"@method\" \"@target-uri\");created=1795348800;keyid=\"https://a.example/#k\"",
            "keyId=\"https://a.example/#k\",headers=\"(request-target) host date digest\",signature=\"AAAA\"",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,6}",
        "[\\x00-\\x7f]{0,6}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(piece(), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn reading_never_panics(
        headers in proptest::collection::vec((proptest::sample::select(NAMES.to_vec()), text()), 0..8),
        target in text(),
        body in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..16)),
    ) {
        let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        for (method, origin) in [("POST", ORIGIN), ("GET", "http://[::1]:8200"), ("", "")] {
            let request = SignedRequest { method, origin, target: &target, headers: &headers };
            let read = RequestSignature::read(&request, body.as_deref(), now());
            if let Ok(signature) = read {
                prop_assert!(signature.key_id().len() <= 2048);
                prop_assert!(signature.covers("@method") || signature.covers("(request-target)"));
            }
        }
    }

    #[test]
    fn nothing_else_panics_either(value in text(), other in text()) {
        let headers: [(&str, &[u8]); 1] = [("date", other.as_bytes())];
        let request = SignedRequest { method: "GET", origin: ORIGIN, target: &other, headers: &headers };
        let _ = bases::rfc9421(&request, &value);
        let _ = bases::cavage(&request, &value, Some(&other), None);
        let _ = Challenge::read(&value);
        if let Ok(header) = CollectionSynchronization::read(&value) {
            let spelled = header.to_string();
            if !spelled.contains('\\') && spelled.matches('"').count() == 6 {
                prop_assert_eq!(CollectionSynchronization::read(&spelled), Ok(header));
            }
        }
    }
}
