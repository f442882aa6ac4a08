//! RFC 9421, HTTP Message Signatures.

use super::clock;
use super::fault::SignatureFault;
use super::fields::{dictionary, inner_list, parse, spell};
use super::read::{Algorithm, RequestSignature, Scheme, check_key_id, is_field_name};
use super::request::SignedRequest;
use artdag_kernel::Instant;
use sfv::{BareItem, InnerList, Item, List, ListEntry};
use url::form_urlencoded;

const MAX_SIGNATURES: usize = 8;
const MAX_COMPONENTS: usize = 32;

/// The first signature that keeps the rules. Others may be by a proxy, or there to confuse.
pub(super) fn read(
    request: &SignedRequest<'_>,
    has_body: bool,
    now: Instant,
) -> Result<RequestSignature, SignatureFault> {
    let inputs = dictionary(request, "Signature-Input")?.ok_or(SignatureFault::Unsigned)?;
    let signatures = dictionary(request, "Signature")?.ok_or(SignatureFault::Label)?;
    if inputs.len() > MAX_SIGNATURES {
        return Err(SignatureFault::TooManySignatures);
    }
    let mut first_fault = None;
    for (label, input) in &inputs {
        match read_one(request, input, signatures.get(label), has_body, now) {
            Ok(signature) => return Ok(signature),
            Err(fault) => _ = first_fault.get_or_insert(fault),
        }
    }
    Err(first_fault.unwrap_or(SignatureFault::Unsigned))
}

fn read_one(
    request: &SignedRequest<'_>,
    input: &ListEntry,
    signature: Option<&ListEntry>,
    has_body: bool,
    now: Instant,
) -> Result<RequestSignature, SignatureFault> {
    let input = inner_list(input).ok_or(SignatureFault::Malformed("Signature-Input"))?;
    let signature = match signature.ok_or(SignatureFault::Label)? {
        ListEntry::Item(Item { bare_item: BareItem::ByteSequence(bytes), .. }) => bytes.clone(),
        _ => return Err(SignatureFault::Malformed("Signature")),
    };
    let key_id = text(input, "keyid")?.ok_or(SignatureFault::MissingParameter("keyid"))?;
    check_key_id(key_id)?;
    let algorithm = text(input, "alg")?.map(algorithm).transpose()?;
    let created = seconds(input, "created")?.ok_or(SignatureFault::MissingParameter("created"))?;
    let expires = seconds(input, "expires")?;
    // They mean nothing here, but must be what they should be.
    text(input, "nonce")?;
    text(input, "tag")?;

    if has_body && !request.has("Content-Digest") {
        return Err(SignatureFault::NoDigest("Content-Digest"));
    }
    let covered = components(input)?;
    check_covered(&covered, has_body)?;
    clock::check_created("created", created, now)?;
    if let Some(expires) = expires {
        clock::check_expires(expires, now)?;
    }
    if covered.iter().any(|name| name == "date") {
        let date = request.field("date")?.ok_or_else(|| SignatureFault::Absent("date".to_owned()))?;
        clock::check_date(&date, now)?;
    }
    if covered.iter().any(|name| name == "host") {
        request.check_host()?;
    }
    Ok(RequestSignature {
        scheme: Scheme::Rfc9421,
        key_id: key_id.to_owned(),
        algorithm,
        created: Some(created),
        signed_at: created,
        expires,
        covered,
        bases: vec![base(request, input)?],
        signature,
    })
}

/// What is signed by a signature whose input is this, such as `("@method" "date");created=1618884473`.
///
/// # Errors
/// [`SignatureFault`] of a component, or [`SignatureFault::Malformed`].
pub fn signature_base(request: &SignedRequest<'_>, input: &str) -> Result<Vec<u8>, SignatureFault> {
    let malformed = SignatureFault::Malformed("Signature-Input");
    let list: List = parse(input.as_bytes()).ok_or(malformed.clone())?;
    match list.as_slice() {
        [ListEntry::InnerList(input)] => base(request, input),
        _ => Err(malformed),
    }
}

/// RFC 9421, 2.5.
pub(super) fn base(request: &SignedRequest<'_>, input: &InnerList) -> Result<Vec<u8>, SignatureFault> {
    components(input)?;
    let mut base = Vec::with_capacity(1024);
    for component in &input.items {
        let name = name(component)?;
        base.push(b'"');
        base.extend_from_slice(name.as_bytes());
        base.push(b'"');
        if let Some(parameter) = query_parameter(component)? {
            base.extend_from_slice(format!(";name=\"{parameter}\"").as_bytes());
        }
        base.extend_from_slice(b": ");
        append(request, component, &mut base)?;
        base.push(b'\n');
    }
    base.extend_from_slice(b"\"@signature-params\": ");
    base.extend_from_slice(spell(input).as_bytes());
    Ok(base)
}

fn append(request: &SignedRequest<'_>, component: &Item, base: &mut Vec<u8>) -> Result<(), SignatureFault> {
    let absent = |name: &str| SignatureFault::Absent(name.to_owned());
    match name(component)? {
        "@method" => base.extend_from_slice(request.method.as_bytes()),
        "@target-uri" => {
            base.extend_from_slice(request.origin.as_bytes());
            base.extend_from_slice(request.target.as_bytes());
        }
        "@authority" => base.extend_from_slice(request.authority().as_bytes()),
        "@scheme" => base.extend_from_slice(request.scheme().as_bytes()),
        "@request-target" => base.extend_from_slice(request.target.as_bytes()),
        "@path" => base.extend_from_slice(request.path().as_bytes()),
        "@query" => {
            base.push(b'?');
            base.extend_from_slice(request.query().unwrap_or("").as_bytes());
        }
        "@query-param" => {
            let parameter = query_parameter(component)?.ok_or_else(|| absent("@query-param"))?;
            base.extend_from_slice(query_value(request, parameter).ok_or_else(|| absent("@query-param"))?.as_bytes());
        }
        // HTTP/2 has another word for it.
        "host" if !request.has("host") => base.extend_from_slice(request.authority().as_bytes()),
        field => {
            if !request.append(field, base)? {
                return Err(absent(field));
            }
        }
    }
    Ok(())
}

const DERIVED: [&str; 8] =
    ["@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query", "@query-param"];

fn name(component: &Item) -> Result<&str, SignatureFault> {
    match &component.bare_item {
        BareItem::String(name) => Ok(name.as_str()),
        _ => Err(SignatureFault::ComponentName),
    }
}

/// The names of the signed components, each of a kind that can be signed here.
pub(super) fn components(input: &InnerList) -> Result<Vec<String>, SignatureFault> {
    if input.items.len() > MAX_COMPONENTS {
        return Err(SignatureFault::TooManyComponents);
    }
    for (index, component) in input.items.iter().enumerate() {
        let name = name(component)?;
        if !is_field_name(name.strip_prefix('@').unwrap_or(name)) {
            return Err(SignatureFault::ComponentName);
        }
        if name.starts_with('@') && !DERIVED.contains(&name) {
            return Err(SignatureFault::UnknownComponent(name.to_owned()));
        }
        let parameter = query_parameter(component)?;
        for before in &input.items[..index] {
            if before.bare_item == component.bare_item && query_parameter(before)? == parameter {
                return Err(SignatureFault::RepeatedComponent(name.to_owned()));
            }
        }
    }
    input.items.iter().map(|component| name(component).map(str::to_owned)).collect()
}

/// The `name` of a `@query-param`; any other parameter of a component is refused.
fn query_parameter(component: &Item) -> Result<Option<&str>, SignatureFault> {
    let named = name(component)?;
    let refused = |parameter: &str| SignatureFault::ComponentParameter {
        component: named.to_owned(),
        parameter: parameter.chars().take(32).collect(),
    };
    let mut found = None;
    for (parameter, value) in &component.params {
        match (named, parameter.as_str(), value) {
            ("@query-param", "name", BareItem::String(value)) => found = Some(value.as_str()),
            (_, other, _) => return Err(refused(other)),
        }
    }
    // What stands between quotes in the base must need no escapes.
    let plain = |value: &&str| value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"*-._%".contains(&byte));
    match (named, found) {
        ("@query-param", Some(value)) => Some(value).filter(plain).map(Some).ok_or_else(|| refused("name")),
        ("@query-param", None) => Err(refused("name")),
        _ => Ok(None),
    }
}

/// The one value of a query's parameter, encoded as RFC 9421, 2.2.8 wants. `None` also when there are several: which
/// was meant?
fn query_value(request: &SignedRequest<'_>, encoded_name: &str) -> Option<String> {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
    let pairs = form_urlencoded::parse(request.query()?.as_bytes());
    let mut values = pairs.filter(|(name, _)| encode(name) == encoded_name).map(|(_, value)| encode(&value));
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

fn check_covered(covered: &[String], has_body: bool) -> Result<(), SignatureFault> {
    let covers = |name: &str| covered.iter().any(|covered| covered == name);
    if !covers("@method") {
        return Err(SignatureFault::NotSigned("@method"));
    }
    if !covers("@target-uri") && !["@authority", "@path", "@query"].into_iter().all(covers) {
        return Err(SignatureFault::NotSigned("@target-uri"));
    }
    if has_body && !covers("content-digest") {
        return Err(SignatureFault::NotSigned("content-digest"));
    }
    Ok(())
}

fn text<'a>(input: &'a InnerList, name: &'static str) -> Result<Option<&'a str>, SignatureFault> {
    match input.params.get(name) {
        None => Ok(None),
        Some(BareItem::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(SignatureFault::Parameter(name)),
    }
}

fn seconds(input: &InnerList, name: &'static str) -> Result<Option<Instant>, SignatureFault> {
    match input.params.get(name) {
        None => Ok(None),
        Some(BareItem::Integer(seconds)) => clock::from_seconds(name, i64::from(*seconds)).map(Some),
        Some(_) => Err(SignatureFault::Parameter(name)),
    }
}

fn algorithm(text: &str) -> Result<Algorithm, SignatureFault> {
    let known = [Algorithm::RsaV15Sha256, Algorithm::Ed25519];
    known.into_iter().find(|known| known.as_str() == text).ok_or(SignatureFault::Algorithm)
}
