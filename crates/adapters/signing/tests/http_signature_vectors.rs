//! The published examples of both schemes. Most cover too little for our rules, or use algorithms that are not
//! accepted here; then what is signed is compared, by having the published signature verify.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use artdag_federation::http_signature::{RequestSignature, SignatureFault, SignedRequest, bases};
use artdag_signing::VerificationKey;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;
use ring::signature::{RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PSS_2048_8192_SHA512, UnparsedPublicKey};

/// `test-key-rsa-pss` of RFC 9421, B.1.2.
const RSA_PSS: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHqgDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5WUtzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI2wIDAQAB";
/// `test-key-ed25519` of RFC 9421, B.1.4.
const ED25519: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n-----END PUBLIC KEY-----\n";
/// `test-shared-secret` of RFC 9421, B.1.5.
const SECRET: &str = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";

const B21: &str = "d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==";
const B22: &str = "LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==";
const B23: &str = "bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==";
const B25: &str = "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=";
const B26: &str = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==";
/// The same with a tag, by another implementation.
const TAGGED: &str = "pDPhW4vxi28JZfogrM4NLeYhZKW+TYDko8KtzCFoTOFeGCCSivD0iVcIuT9gqM6AtGfgzqQU/GaoLqh8sC6bCg==";

/// The request of RFC 9421, B.2.
const MESSAGE: SignedRequest<'_> = SignedRequest {
    method: "POST",
    origin: "https://example.com",
    target: "/foo?param=Value&Pet=dog",
    headers: &[
        ("Host", b"example.com"),
        ("Date", b"Tue, 20 Apr 2021 02:07:55 GMT"),
        ("Content-Type", b"application/json"),
        (
            "Content-Digest",
            b"sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
        ),
        ("Content-Length", b"18"),
    ],
};

fn decoded(text: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(text).unwrap()
}

/// An `RSAPublicKey` stands at the end of a SubjectPublicKeyInfo, behind this many bytes.
fn rsa_of(spki: &str, prefix: usize) -> Vec<u8> {
    decoded(spki)[prefix..].to_vec()
}

#[test]
fn rfc_9421_b_2_with_rsa_pss() {
    let key = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA512, rsa_of(RSA_PSS, 24));
    let inputs = [
        (r#"();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd""#, B21),
        (
            r#"("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example""#,
            B22,
        ),
        (
            r#"("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss""#,
            B23,
        ),
    ];
    for (input, signature) in inputs {
        let base = bases::rfc9421(&MESSAGE, input).unwrap();
        assert!(key.verify(&base, &decoded(signature)).is_ok(), "{}", String::from_utf8_lossy(&base));
    }
}

#[test]
fn rfc_9421_b_2_5_with_a_shared_secret() {
    let input = r#"("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret""#;
    let base = bases::rfc9421(&MESSAGE, input).unwrap();
    assert!(hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &decoded(SECRET)), &base, &decoded(B25)).is_ok());
}

#[test]
fn rfc_9421_b_2_6_with_ed25519() {
    let key = VerificationKey::from_pem(ED25519).unwrap();
    let covered = r#"("date" "@method" "@path" "@authority" "content-type" "content-length")"#;
    let input = format!(r#"{covered};created=1618884473;keyid="test-key-ed25519""#);
    let base = bases::rfc9421(&MESSAGE, &input).unwrap();
    let expected = format!(
        "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@method\": POST\n\"@path\": /foo\n\"@authority\": example.com\n\
         \"content-type\": application/json\n\"content-length\": 18\n\"@signature-params\": {input}"
    );
    assert_eq!(String::from_utf8(base.clone()).unwrap(), expected);
    assert!(key.verify_ed25519(&base, &decoded(B26)));
    let tagged = bases::rfc9421(&MESSAGE, &format!("{input};tag=\"tag-b27\"")).unwrap();
    assert!(key.verify_ed25519(&tagged, &decoded(TAGGED)));
    assert!(!key.verify_ed25519(&tagged, &decoded(B26)));
}

#[test]
fn the_examples_of_rfc_9421_cover_too_little() {
    let input = r#"sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="https://a.example/#k""#;
    let signature = format!("sig-b26=:{B26}:");
    let mut headers = MESSAGE.headers.to_vec();
    headers.extend([("signature-input", input.as_bytes()), ("signature", signature.as_bytes())]);
    let request = SignedRequest { headers: &headers, ..MESSAGE };
    let now = "2021-04-20T02:07:55Z".parse().unwrap();
    let fault = RequestSignature::read(&request, Some(b"{\"hello\": \"world\"}"), now).unwrap_err();
    assert_eq!(fault, SignatureFault::NotSigned("@target-uri"));
}

/// The key of draft-cavage-http-signatures-12, C: 1024 bits, which are only enough for an example.
const CAVAGE: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCFENGw33yGihy92pDjZQhl0C36rPJj+CvfSC8+q28hxA161QFNUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6Z4UMR7EOcpfdUE9Hf3m/hs+FUR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJwoYi+1hqp1fIekaxsyQIDAQAB";

/// The request of the same.
const CAVAGE_MESSAGE: SignedRequest<'_> = SignedRequest {
    method: "POST",
    origin: "https://example.com",
    target: "/foo?param=value&pet=dog",
    headers: &[
        ("Host", b"example.com"),
        ("Date", b"Sun, 05 Jan 2014 21:31:40 GMT"),
        ("Content-Type", b"application/json"),
        ("Digest", b"SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="),
        ("Content-Length", b"18"),
    ],
};

const C1: &str = "SjWJWbWN7i0wzBvtPl8rbASWz5xQW6mcJmn+ibttBqtifLN7Sazz6m79cNfwwb8DMJ5cou1s7uEGKKCs+FLEEaDV5lp7q25WqS+lavg7T8hc0GppauB6hbgEKTwblDHYGEtbGmtdHgVCk9SuS13F0hZ8FD0k/5OxEPXe5WozsbM=";
const C2: &str = "qdx+H7PHHDZgy4y/Ahn9Tny9V3GP6YgBPyUXMmoxWtLbHpUnXS2mg2+SbrQDMCJypxBLSPQR2aAjn7ndmw2iicw3HMbe8VfEdKFYRqzic+efkb3nndiv/x1xSHDJWeSWkx3ButlYSuBskLu6kd9Fswtemr3lgdDEmn04swr2Os0=";
const C3: &str = "vSdrb+dS3EceC9bcwHSo4MlyKS59iFIrhgYkz8+oVLEEzmYZZvRs8rgOp+63LEM3v+MFHB32NfpB2bEKBIvB1q52LaEUHFv120V01IL+TAD48XaERZFukWgHoBTLMhYS2Gb51gWxpeIq8knRmPnYePbF5MOkR0Zkly4zKH7s1dE=";

#[test]
fn cavage_appendix_c() {
    let key = UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, rsa_of(CAVAGE, 22));
    for (headers, signature) in [
        ("date", C1),
        ("(request-target) host date", C2),
        ("(request-target) host date content-type digest content-length", C3),
    ] {
        let base = bases::cavage(&CAVAGE_MESSAGE, headers, None, None).unwrap();
        assert!(key.verify(&base, &decoded(signature)).is_ok(), "{}", String::from_utf8_lossy(&base));
        let other = bases::cavage(&SignedRequest { method: "PUT", ..CAVAGE_MESSAGE }, headers, None, None).unwrap();
        assert_eq!(key.verify(&other, &decoded(signature)).is_ok(), headers == "date");
    }
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", wrapped(CAVAGE));
    assert_eq!(
        VerificationKey::from_pem(&pem).err().unwrap().to_string(),
        "is an RSA key of 1024 bits, and 2048 to 8192 are needed"
    );
}

#[test]
fn cavage_appendix_c_by_the_rules() {
    let text = format!(
        r#"keyId="https://a.example/#k",algorithm="rsa-sha256",headers="(request-target) host date content-type digest content-length",signature="{C3}""#
    );
    let mut headers = CAVAGE_MESSAGE.headers.to_vec();
    headers.push(("Signature", text.as_bytes()));
    let request = SignedRequest { headers: &headers, ..CAVAGE_MESSAGE };
    let now = "2014-01-05T21:31:40Z".parse().unwrap();
    let signature = RequestSignature::read(&request, Some(b"{\"hello\": \"world\"}"), now).unwrap();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, rsa_of(CAVAGE, 22));
    let kind = artdag_federation::http_signature::KeyKind::Rsa;
    assert_eq!(signature.check(kind, |base, signature| key.verify(base, signature).is_ok()), Ok(()));
}

fn wrapped(base64: &str) -> String {
    base64.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect::<Vec<_>>().join("\n")
}
