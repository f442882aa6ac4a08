//! Requests that are signed, and signed in another way when the first is refused.

use crate::client::GuardedClient;
use crate::error::{BoxError, FetchError};
use crate::request::{Answer, Request};
use artdag_federation::http_signature::{
    BodyDigest, CannotSign, Challenge, Content, KeyKind, OutgoingRequest, SigningKey, answer,
    collection_synchronization, sign_cavage, sign_rfc9421,
};
use artdag_federation::{ACTIVITY_JSON, Letter, SignAs, SignatureScheme};
use artdag_kernel::Clock;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use std::collections::VecDeque;
use std::sync::Arc;
use url::Url;

/// What requests are signed with, and what is signed of them beside method and address.
pub(super) struct Signature {
    pub(super) sign_as: SignAs,
    pub(super) clock: Arc<dyn Clock>,
    /// What the request carries, if it carries anything.
    pub(super) letter: Option<Letter>,
}

/// What came of a request.
pub(super) struct Knocked {
    pub(super) outcome: Result<Answer, FetchError>,
    /// The way of signing that was accepted, if any was.
    pub(super) scheme: Option<SignatureScheme>,
}

/// One way of signing.
enum Way {
    Plain(SignatureScheme),
    AsAsked(Vec<Challenge>),
}

/// Sends the request, signed in the known way or else by RFC 9421, and once more in the other way if it is refused
/// for what may be its signature. The first challenge on the way is answered. So it is sent three times at most, each
/// time signed anew.
pub(super) async fn knock(
    client: &GuardedClient,
    request: &Request,
    signature: Signature,
    known: Option<SignatureScheme>,
) -> Knocked {
    let signature = Arc::new(signature);
    let first = known.unwrap_or(SignatureScheme::Rfc9421);
    let mut ways = VecDeque::from([Way::Plain(first), Way::Plain(other(first))]);
    let mut is_challenged = false;
    let mut refusals = Vec::new();
    while let Some(way) = ways.pop_front() {
        let scheme = way.scheme();
        let refusal = match client.send(signed(request, &signature, way)).await {
            Ok(answer) if is_refusal(answer.status) => answer,
            // A challenge that cannot be answered, after which nothing was sent.
            Err(FetchError::Unsigned(reason)) if is_challenge(&reason) => continue,
            outcome => {
                let is_accepted = outcome.as_ref().is_ok_and(|answer| answer.status.is_success());
                return Knocked { outcome, scheme: is_accepted.then_some(scheme) };
            }
        };
        if let Some(challenges) = challenges(&refusal).filter(|_| !is_challenged) {
            is_challenged = true;
            ways.push_front(Way::AsAsked(challenges));
        }
        refusals.push(refusal);
    }
    Knocked { outcome: telling(refusals, known.is_some()), scheme: None }
}

/// Of several refusals the one that counts. A server that is known to understand the first way has refused that for
/// its own reasons; one of which nothing is known may have understood either, so the one that leaves hope is taken.
fn telling(mut refusals: Vec<Answer>, is_first_understood: bool) -> Result<Answer, FetchError> {
    let leaves_hope = |answer: &Answer| answer.status != StatusCode::BAD_REQUEST;
    let last = refusals.len().saturating_sub(1);
    let at = if is_first_understood { 0 } else { refusals.iter().rposition(leaves_hope).unwrap_or(last) };
    if at < refusals.len() { Ok(refusals.swap_remove(at)) } else { Err(FetchError::Unsigned("in no way".into())) }
}

fn signed(request: &Request, signature: &Arc<Signature>, way: Way) -> Request {
    let signature = Arc::clone(signature);
    request.clone().signed_by(move |method, url| signature.headers(&way, method, url))
}

/// The statuses by which servers say that they do not like, or do not understand, a signature.
fn is_refusal(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

fn is_challenge(reason: &BoxError) -> bool {
    matches!(reason.downcast_ref(), Some(CannotSign::Challenge(_)))
}

fn challenges(answer: &Answer) -> Option<Vec<Challenge>> {
    if answer.status != StatusCode::UNAUTHORIZED {
        return None;
    }
    let values = answer.headers.get_all("accept-signature").iter().map(HeaderValue::to_str);
    let values = values.collect::<Result<Vec<_>, _>>().ok().filter(|values| !values.is_empty())?;
    Challenge::read(&values.join(", ")).ok()
}

fn other(scheme: SignatureScheme) -> SignatureScheme {
    match scheme {
        SignatureScheme::Rfc9421 => SignatureScheme::Cavage,
        SignatureScheme::Cavage => SignatureScheme::Rfc9421,
    }
}

impl Way {
    fn scheme(&self) -> SignatureScheme {
        match self {
            Self::Plain(scheme) => *scheme,
            Self::AsAsked(_) => SignatureScheme::Rfc9421,
        }
    }
}

impl Signature {
    /// An RSA signature takes about a millisecond, which is not worth another thread.
    fn headers(&self, way: &Way, method: &Method, url: &Url) -> Result<HeaderMap, BoxError> {
        let Self { sign_as, clock, letter } = self;
        let key = |id, kind| SigningKey { id, kind, signer: sign_as.signer.as_ref() };
        let rsa = key(sign_as.rsa_key.as_str(), KeyKind::Rsa);
        let digest = letter.as_ref().map(|letter| letter.body.digest());
        let synchronization = letter.as_ref().and_then(|letter| letter.synchronization.as_deref());
        let more = synchronization.map(|value| (collection_synchronization::HEADER, value));
        let request =
            OutgoingRequest { method: method.as_str(), url, content: digest.map(content), more: more.as_slice() };
        let headers = match way {
            Way::Plain(SignatureScheme::Rfc9421) => sign_rfc9421(&request, &rsa, clock.now()),
            Way::Plain(SignatureScheme::Cavage) => sign_cavage(&request, &rsa, clock.now()),
            Way::AsAsked(challenges) => {
                // Ed25519 is for those that ask for it; nobody else is known to take it.
                let ed25519 = key(sign_as.ed25519_key.as_str(), KeyKind::Ed25519);
                answer(&request, challenges, &[rsa, ed25519], clock.now())
            }
        }?;
        let header = |(name, value)| Ok((HeaderName::from_static(name), HeaderValue::try_from(value)?));
        headers.into_iter().map(header).collect()
    }
}

fn content(digest: &BodyDigest) -> Content<'_> {
    Content { media_type: ACTIVITY_JSON, digest }
}
