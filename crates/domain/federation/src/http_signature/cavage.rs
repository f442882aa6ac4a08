//! draft-cavage-http-signatures-12.

use super::clock;
use super::fault::SignatureFault;
use super::fields::MAX_HEADER;
use super::parameters::{Parameters, Unreadable};
use super::read::{Algorithm, RequestSignature, Scheme, check_key_id, is_field_name};
use super::request::SignedRequest;
use artdag_kernel::Instant;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

const MAX_COMPONENTS: usize = 32;
const TARGET: &str = "(request-target)";
const CREATED: &str = "(created)";
const EXPIRES: &str = "(expires)";

pub(super) fn read(
    request: &SignedRequest<'_>,
    has_body: bool,
    now: Instant,
) -> Result<RequestSignature, SignatureFault> {
    let (name, text) = header(request)?;
    let parameters = Parameters::read(text).map_err(|unreadable| match unreadable {
        Unreadable::Malformed => SignatureFault::Malformed(name),
        Unreadable::Repeated => SignatureFault::RepeatedParameter,
    })?;
    let key_id = parameters.get("keyId").ok_or(SignatureFault::MissingParameter("keyId"))?;
    check_key_id(key_id)?;
    let algorithm = parameters.get("algorithm").map(algorithm).transpose()?;
    let signature = parameters.get("signature").ok_or(SignatureFault::MissingParameter("signature"))?;
    let signature = BASE64_STANDARD.decode(signature).map_err(|_| SignatureFault::Parameter("signature"))?;
    let (created, expires) = (seconds(&parameters, "created")?, seconds(&parameters, "expires")?);

    if has_body && !request.has("Digest") {
        return Err(SignatureFault::NoDigest("Digest"));
    }
    // Without the parameter only the time is signed.
    let covered = components(parameters.get("headers").unwrap_or(CREATED))?;
    check_covered(&covered, algorithm, has_body)?;
    let mut signed_at = created.filter(|_| covered.iter().any(|name| name == CREATED));
    if covered.iter().any(|name| name == "date") {
        let date = request.field("date")?.ok_or_else(|| SignatureFault::Absent("date".to_owned()))?;
        signed_at = Some(clock::check_date(&date, now)?);
    }
    if let Some(created) = created {
        clock::check_created("created", created, now)?;
    }
    if let Some(expires) = expires {
        clock::check_expires(expires, now)?;
    }
    request.check_host()?;

    let base = |target: &str| string(request, &covered, target, |name| parameters.get(name));
    let mut bases = vec![base(request.target)?];
    if request.query().is_some() {
        bases.push(base(request.path())?);
    }
    Ok(RequestSignature {
        scheme: Scheme::Cavage,
        key_id: key_id.to_owned(),
        algorithm,
        created,
        signed_at: signed_at.ok_or(SignatureFault::NotSigned("date"))?,
        expires,
        covered,
        bases,
        signature,
    })
}

/// What is signed when `headers` lists these components, separated by spaces; `created` and `expires` as they are
/// written in the signature's parameters.
///
/// # Errors
/// [`SignatureFault`] of a component.
pub fn signing_string(
    request: &SignedRequest<'_>,
    headers: &str,
    created: Option<&str>,
    expires: Option<&str>,
) -> Result<Vec<u8>, SignatureFault> {
    let parameter = |name: &str| if name == "created" { created } else { expires };
    string(request, &components(headers)?, request.target, parameter)
}

/// `Signature: ..`, or else `Authorization: Signature ..`.
fn header<'a>(request: &SignedRequest<'a>) -> Result<(&'static str, &'a str), SignatureFault> {
    let (name, value) = match single(request, "Signature")? {
        Some(value) => ("Signature", value),
        None => {
            let value = single(request, "Authorization")?.ok_or(SignatureFault::Unsigned)?;
            let (scheme, value) = value.split_at_checked("Signature ".len()).ok_or(SignatureFault::Unsigned)?;
            if !scheme.eq_ignore_ascii_case(b"Signature ") {
                return Err(SignatureFault::Unsigned);
            }
            ("Authorization", value)
        }
    };
    if value.len() > MAX_HEADER {
        return Err(SignatureFault::TooLong(name));
    }
    Ok((name, str::from_utf8(value).map_err(|_| SignatureFault::Malformed(name))?))
}

fn single<'a>(request: &SignedRequest<'a>, name: &'static str) -> Result<Option<&'a [u8]>, SignatureFault> {
    let mut values = request.values(name);
    let first = values.next();
    if values.next().is_some() { Err(SignatureFault::Repeated(name)) } else { Ok(first) }
}

fn algorithm(text: &str) -> Result<Algorithm, SignatureFault> {
    let known = [Algorithm::RsaSha256, Algorithm::Hs2019, Algorithm::Ed25519];
    known.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(text)).ok_or(SignatureFault::Algorithm)
}

/// Whole seconds; the draft lets `expires` have a fraction, which takes nothing away.
fn seconds(parameters: &Parameters<'_>, name: &'static str) -> Result<Option<Instant>, SignatureFault> {
    let Some(text) = parameters.get(name) else { return Ok(None) };
    let malformed = || SignatureFault::Parameter(name);
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if name == "expires" => {
            let digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
            digits.then_some(whole).ok_or_else(malformed)?
        }
        _ => text,
    };
    if whole.is_empty() || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed());
    }
    clock::from_seconds(name, whole.parse().map_err(|_| malformed())?).map(Some)
}

fn components(headers: &str) -> Result<Vec<String>, SignatureFault> {
    let mut components: Vec<String> = Vec::new();
    for name in headers.split_ascii_whitespace() {
        if components.len() == MAX_COMPONENTS {
            return Err(SignatureFault::TooManyComponents);
        }
        let name = name.to_ascii_lowercase();
        let inner = name.strip_prefix('(').and_then(|name| name.strip_suffix(')'));
        if !is_field_name(inner.unwrap_or(&name)) {
            return Err(SignatureFault::ComponentName);
        }
        if inner.is_some() && ![TARGET, CREATED, EXPIRES].contains(&name.as_str()) {
            return Err(SignatureFault::UnknownComponent(name));
        }
        if components.contains(&name) {
            return Err(SignatureFault::RepeatedComponent(name));
        }
        components.push(name);
    }
    Ok(components)
}

fn check_covered(covered: &[String], algorithm: Option<Algorithm>, has_body: bool) -> Result<(), SignatureFault> {
    let covers = |name: &str| covered.iter().any(|covered| covered == name);
    for name in [TARGET, "host"] {
        if !covers(name) {
            return Err(SignatureFault::NotSigned(name));
        }
    }
    if !covers("date") && !covers(CREATED) {
        return Err(SignatureFault::NotSigned("date"));
    }
    if has_body && !covers("digest") {
        return Err(SignatureFault::NotSigned("digest"));
    }
    if algorithm == Some(Algorithm::RsaSha256) {
        // 2.3 of the draft: an error in both.
        if let Some(time) = [CREATED, EXPIRES].into_iter().find(|name| covers(name)) {
            return Err(SignatureFault::TimeWithAlgorithm(time));
        }
    }
    Ok(())
}

fn string<'p>(
    request: &SignedRequest<'_>,
    components: &[String],
    target: &str,
    parameter: impl Fn(&'static str) -> Option<&'p str>,
) -> Result<Vec<u8>, SignatureFault> {
    let mut base = Vec::with_capacity(512);
    for name in components {
        if !base.is_empty() {
            base.push(b'\n');
        }
        base.extend_from_slice(name.as_bytes());
        base.extend_from_slice(b": ");
        let timed = |name: &'static str| parameter(name).ok_or(SignatureFault::MissingParameter(name));
        match name.as_str() {
            TARGET => {
                base.extend_from_slice(request.method.to_ascii_lowercase().as_bytes());
                base.push(b' ');
                base.extend_from_slice(target.as_bytes());
            }
            CREATED => base.extend_from_slice(timed("created")?.as_bytes()),
            EXPIRES => base.extend_from_slice(timed("expires")?.as_bytes()),
            // HTTP/2 has another word for it.
            "host" if !request.has("host") => base.extend_from_slice(request.authority().as_bytes()),
            field => {
                if !request.append(field, &mut base)? {
                    return Err(SignatureFault::Absent(field.to_owned()));
                }
            }
        }
    }
    Ok(base)
}
