use crate::activity::SignError;
use crate::canonical::jcs;
use crate::{ActorSigner, Iri, SignedDocument, Site, data_integrity, engine_signature, vocabulary};
use artdag_kernel::{ActivityId, Instant, Username, rfc3339, rfc3339_seconds};
use serde_json::{Value, json};

/// An activity between two actors that is no claim: it is sent to one inbox, and is in no outbox and not in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The last segment of its id.
    pub id: ActivityId,
    /// Who sends it.
    pub sender: Username,
    /// When it was made.
    pub created_at: Instant,
    /// The document, with both signatures.
    pub document: SignedDocument,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub enum Saying {
    /// The sender wants to follow an actor.
    Follow(Iri),
    /// The sender no longer follows the actor that it asked with the activity of this id.
    Unfollow(ActivityId, Iri),
    /// The sender lets the author of this `Follow` follow. The activity as it came, or its id.
    Accept(Value, Iri),
    /// The sender does not let the author of this `Follow` follow.
    Reject(Value, Iri),
}

impl Saying {
    /// Makes the message and signs it with both of the sender's keys.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign(
        &self,
        site: &Site,
        sender: &Username,
        id: ActivityId,
        now: Instant,
        signer: &dyn ActorSigner,
    ) -> Result<Message, SignError> {
        let actor = site.actor(sender);
        let follow = |id: ActivityId, whom: &Iri| json!({"id": site.activity(id), "type": "Follow", "actor": actor, "object": whom.as_str()});
        let (kind, object, to) = match self {
            Self::Follow(whom) => ("Follow", json!(whom.as_str()), whom),
            Self::Unfollow(asked, whom) => ("Undo", follow(*asked, whom), whom),
            Self::Accept(asked, whom) => ("Accept", asked.clone(), whom),
            Self::Reject(asked, whom) => ("Reject", asked.clone(), whom),
        };
        let mut document = json!({
            "@context": vocabulary::activity_context(site),
            "id": site.activity(id),
            "type": kind,
            "actor": actor,
            "published": rfc3339(now),
            "to": [to.as_str()],
            "object": object,
        });
        let created = rfc3339_seconds(now);
        engine_signature::attach(&mut document, signer, &site.main_key(sender), &created)?;
        data_integrity::attach(&mut document, signer, &site.ed25519_key(sender), &created)?;
        let document = SignedDocument::from_stored(jcs(&document)?);
        Ok(Message { id, sender: sender.clone(), created_at: now, document })
    }
}
