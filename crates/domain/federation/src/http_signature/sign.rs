use super::clock::http_date;
use super::digest::BodyDigest;
use super::fault::SignatureFault;
use super::fields::spell;
use super::read::{Algorithm, KeyKind};
use super::request::SignedRequest;
use super::{cavage, rfc9421};
use crate::{ActorSigner, KeyError};
use artdag_kernel::Instant;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sfv::{BareItem, InnerList, Item, Key};
use url::{Position, Url};

const LABEL: &str = "sig1";

/// A request that is to be sent.
#[derive(Clone, Copy, Debug)]
pub struct OutgoingRequest<'a> {
    /// `POST`, in capitals.
    pub method: &'a str,
    /// Where it goes. What it says of users and fragments is not sent.
    pub url: &'a Url,
    /// What it carries.
    pub content: Option<Content<'a>>,
    /// Headers that are signed besides, such as `collection-synchronization`: names in lower case.
    pub more: &'a [(&'a str, &'a str)],
}

/// The body of a request.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// The value of the `Content-Type` header.
    pub media_type: &'a str,
    /// Of the bytes that are sent.
    pub digest: &'a BodyDigest,
}

/// A key of ours.
#[derive(Clone, Copy)]
pub struct SigningKey<'a> {
    /// Where others find its public half, such as `https://art.example/users/giles#main-key`.
    pub id: &'a str,
    /// Which of the signer's two keys it is.
    pub kind: KeyKind,
    /// What signs.
    pub signer: &'a dyn ActorSigner,
}

/// Why a request was not signed.
#[derive(Debug, thiserror::Error)]
pub enum CannotSign {
    /// The key failed.
    #[error("the key cannot sign")]
    Key(#[source] KeyError),
    /// The request or the key's id has something that no signature can cover.
    #[error("the request cannot be signed")]
    Request(#[source] SignatureFault),
    /// No challenge asks for something that we can and should sign.
    #[error("no challenge can be answered: {0}")]
    Challenge(&'static str),
}

/// Signs by draft-cavage-http-signatures-12, for the moment `now`. Returns the headers to add to those that the
/// request has by itself: `Host`, `Content-Type`, and what `more` names.
///
/// # Errors
/// [`CannotSign`].
pub fn sign_cavage(
    request: &OutgoingRequest<'_>,
    key: &SigningKey<'_>,
    now: Instant,
) -> Result<Vec<(&'static str, String)>, CannotSign> {
    let mut headers = vec![("date", http_date(now))];
    let mut list = String::from("(request-target) host date");
    if let Some(content) = request.content {
        headers.push(("digest", content.digest.digest()));
        list.push_str(" digest content-type");
    }
    for (name, _) in request.more {
        list.push(' ');
        list.push_str(name);
    }
    let id = plain(key.id).ok_or(CannotSign::Request(SignatureFault::KeyId))?;
    let base = with_signed(request, &headers, |signed| cavage::signing_string(signed, &list, None, None))?;
    let signature = BASE64_STANDARD.encode(signature(key, &base)?);
    // A name of its own for Ed25519 was never agreed on; this one leaves it to the key.
    let algorithm = if key.kind == KeyKind::Rsa { Algorithm::RsaSha256 } else { Algorithm::Hs2019 };
    let value = format!(r#"keyId="{id}",algorithm="{algorithm}",headers="{list}",signature="{signature}""#);
    headers.push(("signature", value));
    Ok(headers)
}

/// Signs by RFC 9421, for the moment `now`. Returns the headers to add to those that the request has by itself:
/// `Content-Type`, and what `more` names.
///
/// # Errors
/// [`CannotSign`].
pub fn sign_rfc9421(
    request: &OutgoingRequest<'_>,
    key: &SigningKey<'_>,
    now: Instant,
) -> Result<Vec<(&'static str, String)>, CannotSign> {
    let mut components = vec!["@method", "@target-uri"];
    let mut headers = Vec::new();
    if let Some(content) = request.content {
        headers.push(("content-digest", content.digest.content_digest()));
        components.extend(["content-digest", "content-type"]);
    }
    components.extend(request.more.iter().map(|(name, _)| *name));
    let wanted = Wanted { label: LABEL, components: &components, expires: None, nonce: None, tag: None };
    sign_wanted(request, key, now, &wanted, headers)
}

/// What a signature by RFC 9421 is to be like.
pub(super) struct Wanted<'a> {
    pub(super) label: &'a str,
    pub(super) components: &'a [&'a str],
    pub(super) expires: Option<Instant>,
    pub(super) nonce: Option<&'a str>,
    pub(super) tag: Option<&'a str>,
}

pub(super) fn sign_wanted(
    request: &OutgoingRequest<'_>,
    key: &SigningKey<'_>,
    now: Instant,
    wanted: &Wanted<'_>,
    mut headers: Vec<(&'static str, String)>,
) -> Result<Vec<(&'static str, String)>, CannotSign> {
    let input = input(key, now, wanted).ok_or(CannotSign::Request(SignatureFault::KeyId))?;
    let base = with_signed(request, &headers, |signed| rfc9421::base(signed, &input))?;
    let signature = BASE64_STANDARD.encode(signature(key, &base)?);
    headers.push(("signature-input", format!("{}={}", wanted.label, spell(&input))));
    headers.push(("signature", format!("{}=:{signature}:", wanted.label)));
    Ok(headers)
}

fn input(key: &SigningKey<'_>, now: Instant, wanted: &Wanted<'_>) -> Option<InnerList> {
    let algorithm = if key.kind == KeyKind::Rsa { Algorithm::RsaV15Sha256 } else { Algorithm::Ed25519 };
    let components = wanted.components.iter().map(|name| Some(Item::new(string(name)?)));
    let mut input = InnerList::new(components.collect::<Option<_>>()?);
    let mut add = |name: &str, value: BareItem| {
        let key = Key::from_string(name.to_owned()).ok()?;
        input.params.insert(key, value);
        Some(())
    };
    add("created", seconds(now)?)?;
    if let Some(expires) = wanted.expires {
        add("expires", seconds(expires)?)?;
    }
    add("keyid", string(key.id)?)?;
    add("alg", string(algorithm.as_str())?)?;
    for (name, text) in [("nonce", wanted.nonce), ("tag", wanted.tag)] {
        if let Some(text) = text {
            add(name, string(text)?)?;
        }
    }
    Some(input)
}

fn string(text: &str) -> Option<BareItem> {
    sfv::String::from_string(text.to_owned()).ok().map(BareItem::String)
}

fn seconds(at: Instant) -> Option<BareItem> {
    sfv::Integer::try_from(at.timestamp()).ok().map(BareItem::Integer)
}

/// What needs no escapes between quotes.
fn plain(id: &str) -> Option<&str> {
    let plain = id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
    plain.then_some(id)
}

fn signature(key: &SigningKey<'_>, base: &[u8]) -> Result<Vec<u8>, CannotSign> {
    match key.kind {
        KeyKind::Rsa => key.signer.rsa_sha256(base).map_err(CannotSign::Key),
        KeyKind::Ed25519 => Ok(key.signer.ed25519(base).to_vec()),
    }
}

/// The request as its recipient will see it.
fn with_signed(
    request: &OutgoingRequest<'_>,
    headers: &[(&'static str, String)],
    base: impl FnOnce(&SignedRequest<'_>) -> Result<Vec<u8>, SignatureFault>,
) -> Result<Vec<u8>, CannotSign> {
    let url = request.url;
    let authority = &url[Position::BeforeHost..Position::AfterPort];
    let origin = format!("{}://{authority}", url.scheme());
    let mut all: Vec<(&str, &[u8])> = vec![("host", authority.as_bytes())];
    all.extend(headers.iter().map(|(name, value)| (*name, value.as_bytes())));
    all.extend(request.content.map(|content| ("content-type", content.media_type.as_bytes())));
    all.extend(request.more.iter().map(|(name, value)| (*name, value.as_bytes())));
    let target = &url[Position::BeforePath..Position::AfterQuery];
    let signed = SignedRequest { method: request.method, origin: &origin, target, headers: &all };
    base(&signed).map_err(CannotSign::Request)
}
