//! Who bears a handle, as WebFinger (RFC 7033) has it.

use super::media_type::is_activity;
use super::{GuestList, HttpPeers, expect_success};
use crate::error::FetchError;
use crate::policy::{GuardPolicy, Refusal};
use crate::request::{Answer, Request};
use artdag_federation::{Iri, PeerError, parse_document};
use serde_json::{Map, Value};
use std::fmt;
use url::{Host, Position, Url};

/// A descriptor, in whichever of its two names.
const JRD: &[&str] = &["application/jrd+json", "application/json"];
/// How many links and aliases are looked at.
const MAX_ITEMS: usize = 100;
/// Longer than any server lets its users be called.
const MAX_USERNAME: usize = 255;

/// The actor that the handle's domain names. When the domain says that this is another handle of somebody elsewhere,
/// that server is asked too, and must name the same actor.
pub(super) async fn resolve(
    peers: &HttpPeers,
    username: &str,
    domain: &str,
    gate: &GuestList,
) -> Result<Iri, PeerError> {
    let asked = Account::new(username, domain)
        .ok_or_else(|| PeerError::Forbidden("the handle names no user of a proper host".to_owned()))?;
    let found = Descriptor::read(&ask(peers, &asked, gate).await?)?;
    let actor = found.actor()?;
    let Some(other) = found.other_account(&asked, &actor)? else { return Ok(actor) };
    let confirmed = Descriptor::read(&ask(peers, &other, gate).await?)?;
    let confirms = confirmed.actor()? == actor && confirmed.other_account(&other, &actor)?.is_none();
    if confirms { Ok(actor) } else { Err(nonsense("it names a user elsewhere who is another")) }
}

/// `user@host`, with the host spelled in one way.
#[derive(Clone, Debug)]
struct Account {
    username: String,
    /// `https://host:port/`
    server: Url,
}

impl Account {
    fn new(username: &str, domain: &str) -> Option<Self> {
        let is_name = |c: char| !(c.is_control() || c.is_whitespace() || "@/?#\\".contains(c));
        let is_proper = |text: &str| !text.is_empty() && text.len() <= MAX_USERNAME && text.chars().all(is_name);
        if !is_proper(username) || !is_proper(domain) {
            return None;
        }
        let server = Url::parse(&format!("https://{}/", domain.strip_suffix('.').unwrap_or(domain))).ok()?;
        Some(Self { username: username.to_owned(), server })
    }

    /// Reads `acct:user@host`.
    fn read(text: &str) -> Option<Self> {
        let (scheme, account) = text.split_once(':')?;
        let (username, domain) = account.trim_start_matches('@').rsplit_once('@')?;
        Self::new(username, domain).filter(|_| scheme.eq_ignore_ascii_case("acct"))
    }

    fn domain(&self) -> &str {
        &self.server[Position::BeforeHost..Position::AfterPort]
    }

    /// Servers do not tell users apart by the case of letters.
    fn is(&self, other: &Self) -> bool {
        self.domain() == other.domain() && self.username.eq_ignore_ascii_case(&other.username)
    }

    fn query(&self, scheme: &str) -> Option<Url> {
        let mut url = Url::parse(&format!("{scheme}://{}/.well-known/webfinger", self.domain())).ok()?;
        url.query_pairs_mut().append_pair("resource", &self.to_string());
        Some(url)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "acct:{}@{}", self.username, self.domain())
    }
}

/// Asks the account's server, in the second way when it does not understand the first. The guard sees to it that plain
/// http goes nowhere but into networks that the operator has opened.
async fn ask(peers: &HttpPeers, account: &Account, gate: &GuestList) -> Result<Answer, PeerError> {
    let mut first = None;
    for scheme in schemes(peers.client.policy(), &account.server) {
        let Some(url) = account.query(scheme) else { continue };
        let request = gate.before(Request::get(url)).accept(JRD).limits(peers.limits.handle);
        match peers.client.send(request).await {
            Ok(answer) => return expect_success(answer.status).map(|()| answer),
            Err(
                error @ (FetchError::Connect(_)
                | FetchError::Broken(_)
                | FetchError::Protocol(_)
                | FetchError::Refused(Refusal::PlainHttp | Refusal::Port)),
            ) => {
                first.get_or_insert(error);
            }
            Err(error) => {
                first.get_or_insert(error);
                break;
            }
        }
    }
    Err(gate.unusable(first.unwrap_or(FetchError::Refused(Refusal::Host))))
}

/// A handle names no scheme. It is https, but for servers in networks that the operator has opened: these have http if
/// they are at an address, or at a port that does not look like one of TLS.
fn schemes(policy: &GuardPolicy, server: &Url) -> &'static [&'static str] {
    let is_inside = match server.host() {
        Some(Host::Ipv4(address)) => policy.opens(Some(address.into())),
        Some(Host::Ipv6(address)) => policy.opens(Some(address.into())),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let looks_like_tls = server.port().map_or(!is_inside, |port| port % 1000 == 443);
    match (policy.opens(None), looks_like_tls) {
        (false, _) => &["https"],
        (true, true) => &["https", "http"],
        (true, false) => &["http", "https"],
    }
}

/// A JSON Resource Descriptor.
struct Descriptor(Map<String, Value>);

impl Descriptor {
    fn read(answer: &Answer) -> Result<Self, PeerError> {
        parse_document(&answer.body).map(Self).map_err(|fault| PeerError::Nonsense(fault.to_string()))
    }

    fn items(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.0.get(name).and_then(Value::as_array).into_iter().flatten().take(MAX_ITEMS)
    }

    /// The first link to an ActivityPub document of the user itself.
    fn actor(&self) -> Result<Iri, PeerError> {
        let to_actor = |link: &Value| {
            let text = |name| link.get(name).and_then(Value::as_str);
            let is_actor = text("rel") == Some("self") && text("type").is_some_and(is_activity);
            text("href").filter(|_| is_actor)?.parse().ok()
        };
        self.items("links").find_map(to_actor).ok_or_else(|| nonsense("it names no actor"))
    }

    /// The account elsewhere that this is about, if it is not about the one that was asked for.
    fn other_account(&self, asked: &Account, actor: &Iri) -> Result<Option<Account>, PeerError> {
        let names = |text: &str| Account::read(text).is_some_and(|account| account.is(asked));
        let subject = match self.0.get("subject") {
            None | Some(Value::Null) => None,
            Some(Value::String(subject)) => Some(subject.as_str()),
            Some(_) => return Err(nonsense("its subject is no text")),
        };
        let mut own = subject.into_iter().chain(self.items("aliases").filter_map(Value::as_str));
        if own.any(names) {
            return Ok(None);
        }
        // Some say only the actor's own id, which binds the handle as long as it lives there.
        let says_actor = subject.is_none_or(|subject| subject == actor.as_str());
        if says_actor && actor.host() == asked.domain() {
            return Ok(None);
        }
        let other = subject.and_then(Account::read).filter(|account| account.domain() != asked.domain());
        other.map(Some).ok_or_else(|| nonsense("it is about somebody else"))
    }
}

fn nonsense(text: &str) -> PeerError {
    PeerError::Nonsense(text.to_owned())
}
