use crate::delivery::Attempt;
use crate::http_signature::BodyDigest;
use crate::{ActorSigner, Iri, Shunned, SignatureScheme};
use async_trait::async_trait;
use std::error::Error;
use std::sync::Arc;

/// Who signs a request to another server.
#[derive(Clone)]
pub struct SignAs {
    /// The id of the RSA key.
    pub rsa_key: String,
    /// The id of the Ed25519 key.
    pub ed25519_key: String,
    /// The keys.
    pub signer: Arc<dyn ActorSigner>,
}

/// One activity for one inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Where to.
    pub inbox: Iri,
    /// The activity.
    pub body: LetterBody,
    /// `Collection-Synchronization` (FEP-8fcf), for deliveries to followers.
    pub synchronization: Option<String>,
}

impl Letter {
    /// A letter of this text. For many inboxes make the [`LetterBody`] once, and clone it.
    pub fn new(inbox: Iri, body: impl Into<LetterBody>, synchronization: Option<String>) -> Self {
        Self { inbox, body: body.into(), synchronization }
    }
}

/// An activity, exactly as it is to arrive, with the digest that requests say of it: made once for however many
/// inboxes, and cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterBody {
    text: Arc<str>,
    digest: Arc<BodyDigest>,
}

impl LetterBody {
    /// The text.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Its digest.
    pub fn digest(&self) -> &BodyDigest {
        &self.digest
    }
}

impl<T: Into<Arc<str>>> From<T> for LetterBody {
    fn from(text: T) -> Self {
        let text = text.into();
        let digest = Arc::new(BodyDigest::of(text.as_bytes()));
        Self { text, digest }
    }
}

/// What came of handing a letter over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// The answer.
    pub attempt: Attempt,
    /// The way of signing that was accepted, if any was.
    pub scheme: Option<SignatureScheme>,
}

/// A document that another server gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Where it was in the end.
    pub url: Iri,
    /// The body: JSON of an ActivityPub media type, at most 1 MiB.
    pub body: Vec<u8>,
}

/// Why another server gave nothing that can be used.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// It is not there, or no more.
    #[error("there is nothing: the server answered {0}")]
    Gone(u16),
    /// It does not let this server see it.
    #[error("the server answered {0}")]
    Refused(u16),
    /// The guard does not let it be called.
    #[error("it may not be called: {0}")]
    Forbidden(String),
    /// The caller's own [`Gate`] does not let it be asked.
    #[error(transparent)]
    Barred(#[from] Barred),
    /// No connection to it could be made, whatever is asked of it.
    #[error("no connection to the server can be made")]
    NoConnection(#[source] Box<dyn Error + Send + Sync>),
    /// No answer to this, or none in time.
    #[error("the server does not answer")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// What it answered is of no use.
    #[error("the answer is of no use: {0}")]
    Nonsense(String),
}

impl PeerError {
    /// Whether asking again later may help.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::NoConnection(_) | Self::Unreachable(_) => true,
            Self::Refused(status) => *status >= 500 || matches!(status, 401 | 403 | 408 | 425 | 429),
            Self::Gone(_) | Self::Forbidden(_) | Self::Barred(_) | Self::Nonsense(_) => false,
        }
    }
}

/// Why a [`Gate`] is shut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Barred {
    /// The operator does not let this server speak with that one.
    #[error(transparent)]
    Shunned(#[from] Shunned),
    /// Whoever caused it has caused enough.
    #[error("too much was asked of other servers on one occasion")]
    TooMany,
}

/// What every request of a question passes before it is sent: the first one, one that is signed in another way, and
/// those that redirects and other servers' words lead to.
pub trait Gate: Send + Sync {
    /// Whether a request may be sent to this host, which is spelled as in a URL, with its port if that is no default.
    ///
    /// # Errors
    /// [`Barred`], when it may not.
    fn pass(&self, host: &str) -> Result<(), Barred>;
}

/// Other servers of the fediverse.
#[async_trait]
pub trait Peers: Send + Sync {
    /// Gets an ActivityPub document, with a signed request: servers in secure mode answer no other.
    async fn fetch(&self, url: &Iri, sign_as: &SignAs, gate: &Arc<dyn Gate>) -> Result<Fetched, PeerError>;

    /// Who bears a handle: the actor's id that the domain's WebFinger names.
    async fn resolve_handle(&self, username: &str, domain: &str, gate: &Arc<dyn Gate>) -> Result<Iri, PeerError>;

    /// Hands a letter over, signed in the way that the server is known to understand; else first by RFC 9421 and, when
    /// that is refused, as the draft of Cavage has it. Challenges are answered.
    async fn deliver(&self, letter: &Letter, sign_as: &SignAs, known: Option<SignatureScheme>) -> Handover;
}
