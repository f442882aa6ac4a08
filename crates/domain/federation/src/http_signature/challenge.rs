//! `Accept-Signature` (RFC 9421, 5): a server says what it wants signed.

use super::clock::http_date;
use super::digest::BodyDigest;
use super::fields::{MAX_HEADER, inner_list, parse};
use super::read::KeyKind;
use super::sign::{CannotSign, OutgoingRequest, SigningKey, Wanted, sign_wanted};
use artdag_kernel::Instant;
use chrono::TimeDelta;
use sfv::{BareItem, Dictionary, InnerList};

/// How many challenges of one answer are read.
pub const MAX_CHALLENGES: usize = 8;

/// Long enough for a slow network, too short to be worth stealing.
const LIFE: TimeDelta = TimeDelta::minutes(5);

/// One signature that a server asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The label that the answer must have.
    pub label: String,
    /// What must be signed, and nothing else. `None` if some of it has parameters, which are not made here.
    pub components: Option<Vec<String>>,
    /// Whether it must say until when it holds.
    pub expires: bool,
    /// What it must repeat.
    pub nonce: Option<String>,
    /// What it must repeat.
    pub tag: Option<String>,
    /// By which key it must be.
    pub key_id: Option<String>,
    /// How it must be made.
    pub algorithm: Option<String>,
}

/// The text is no list of challenges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the header `Accept-Signature` is malformed")]
pub struct UnreadableChallenge;

impl Challenge {
    /// Reads the value of an `Accept-Signature` header; several headers are joined with commas.
    ///
    /// # Errors
    /// [`UnreadableChallenge`], also when it is very long or has many members.
    pub fn read(value: &str) -> Result<Vec<Self>, UnreadableChallenge> {
        if value.len() > MAX_HEADER {
            return Err(UnreadableChallenge);
        }
        let members: Dictionary = parse(value.as_bytes()).ok_or(UnreadableChallenge)?;
        if members.len() > MAX_CHALLENGES {
            return Err(UnreadableChallenge);
        }
        members
            .iter()
            .map(|(label, entry)| {
                let list = inner_list(entry).ok_or(UnreadableChallenge)?;
                Ok(Self {
                    label: label.as_str().to_owned(),
                    components: components(list),
                    expires: list.params.get("expires") == Some(&BareItem::Boolean(true)),
                    nonce: text(list, "nonce")?,
                    tag: text(list, "tag")?,
                    key_id: text(list, "keyid")?,
                    algorithm: text(list, "alg")?,
                })
            })
            .collect()
    }
}

fn components(list: &InnerList) -> Option<Vec<String>> {
    let name = |item: &sfv::Item| match &item.bare_item {
        BareItem::String(name) if item.params.is_empty() => Some(name.as_str().to_owned()),
        _ => None,
    };
    list.items.iter().map(name).collect()
}

fn text(list: &InnerList, name: &str) -> Result<Option<String>, UnreadableChallenge> {
    match list.params.get(name) {
        None => Ok(None),
        Some(BareItem::String(text)) => Ok(Some(text.as_str().to_owned())),
        Some(_) => Err(UnreadableChallenge),
    }
}

/// Signs the request as the first challenge that can be answered wants it, with the first of `keys` that fits.
/// Returns the headers to add, as [`sign_rfc9421`](super::sign_rfc9421) does.
///
/// A challenge that would have us sign less than the method, the whole address and the body is refused: its answer
/// could be used for another request in our name.
///
/// # Errors
/// [`CannotSign::Challenge`] says what is in the way of the last challenge.
pub fn answer(
    request: &OutgoingRequest<'_>,
    challenges: &[Challenge],
    keys: &[SigningKey<'_>],
    now: Instant,
) -> Result<Vec<(&'static str, String)>, CannotSign> {
    let mut reason = "there is none";
    for challenge in challenges {
        match prepare(request, challenge, keys, now) {
            Ok((key, headers)) => {
                let names: Vec<&str> = challenge.components.iter().flatten().map(String::as_str).collect();
                let wanted = Wanted {
                    label: &challenge.label,
                    components: &names,
                    expires: challenge.expires.then(|| now + LIFE),
                    nonce: challenge.nonce.as_deref(),
                    tag: challenge.tag.as_deref(),
                };
                return sign_wanted(request, key, now, &wanted, headers);
            }
            Err(why) => reason = why,
        }
    }
    Err(CannotSign::Challenge(reason))
}

type Prepared<'a> = (&'a SigningKey<'a>, Vec<(&'static str, String)>);

/// The key to sign with, and the headers that must be there to be signed.
fn prepare<'a>(
    request: &OutgoingRequest<'_>,
    challenge: &Challenge,
    keys: &'a [SigningKey<'a>],
    now: Instant,
) -> Result<Prepared<'a>, &'static str> {
    let fits = |key: &&SigningKey<'_>| {
        let algorithm = match key.kind {
            KeyKind::Rsa => "rsa-v1_5-sha256",
            KeyKind::Ed25519 => "ed25519",
        };
        challenge.algorithm.as_deref().is_none_or(|wanted| wanted == algorithm)
            && challenge.key_id.as_deref().is_none_or(|wanted| wanted == key.id)
    };
    let key = keys.iter().find(fits).ok_or("it wants another key or algorithm")?;
    let components = challenge.components.as_deref().ok_or("it wants components with parameters")?;
    let wants = |name: &str| components.iter().any(|component| component == name);
    let whole_address = wants("@target-uri") || ["@authority", "@path", "@query"].into_iter().all(wants);
    if !wants("@method") || !whole_address || (request.content.is_some() && !wants("content-digest")) {
        return Err("it wants less signed than the method, the address and the body");
    }
    let mut headers: Vec<(&'static str, String)> = Vec::new();
    let empty = BodyDigest::of(&[]);
    let digest = request.content.map_or(&empty, |content| content.digest);
    for component in components {
        match component.as_str() {
            "@method" | "@target-uri" | "@authority" | "@scheme" | "@request-target" | "@path" | "@query" | "host" => {}
            "content-type" if request.content.is_some() => {}
            "content-length" if request.content.is_some() => {
                headers.push(("content-length", digest.length().to_string()));
            }
            "content-digest" => headers.push(("content-digest", digest.content_digest())),
            "digest" => headers.push(("digest", digest.digest())),
            "date" => headers.push(("date", http_date(now))),
            other if request.more.iter().any(|(name, _)| *name == other) => {}
            _ => return Err("it wants a component that the request does not have"),
        }
    }
    Ok((key, headers))
}
