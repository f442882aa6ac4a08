//! What an activity does whose sender is known.

use super::inbox_desk::{Effect, News, Wish};
use super::inquiry::Inquiry;
use super::receive::ReceiveError;
use super::remote_keys::KeyRefused;
use crate::{Job, PublishError, Registry};
use artdag_federation::{
    Claimant, Evidence, FollowState, Follower, HeardObject, Incoming, Meaning, Notice, RemoteObject, Room, Saying,
    Target, room_for,
};
use artdag_kernel::{ContentHash, Username, new_uuid};
use serde_json::json;
use std::sync::Arc;

/// How much of a notice is kept, and of a stranger's claim.
const MAX_OF_STRANGERS: usize = 64 * 1024;
/// How many claims of strangers to content that is registered here are kept.
const MAX_CLAIMS: u16 = 100;

/// An activity as it came, and what may still be asked because of it.
#[derive(Clone, Copy)]
pub(super) struct Came<'a> {
    pub(super) inquiry: &'a Arc<Inquiry>,
    pub(super) incoming: &'a Incoming,
    pub(super) body: &'a [u8],
}

impl Registry {
    /// What is to be written, with everything looked up and signed that it needs.
    pub(super) async fn effect(&self, came: &Came<'_>, meaning: Meaning) -> Result<Effect, ReceiveError> {
        let Came { incoming, body, .. } = *came;
        let actor = &incoming.actor;
        Ok(match meaning {
            Meaning::Nothing => Effect::Nothing,
            Meaning::Follow(whom) => self.follow_effect(incoming, whom).await?,
            Meaning::Unfollow(whom) => Effect::Unfollow(whom),
            Meaning::Accepted(None, None) | Meaning::Rejected(None, None) => Effect::Nothing,
            Meaning::Accepted(request, user) => Effect::Answered(request, user, FollowState::Accepted),
            Meaning::Rejected(request, user) => Effect::Answered(request, user, FollowState::Rejected),
            Meaning::Published(object) => self.published_effect(came, *object).await?,
            Meaning::Withdrew(object) => {
                // Mail can be late, and a deletion overtake what it deletes. Strangers' are not kept: they could be many.
                let early = self.read().await?.is_followed(actor).await?.then(|| self.new_uuid());
                Effect::Withdraw(object, text(body), early)
            }
            Meaning::Left => Effect::Forget,
            Meaning::ChangedProfile if self.read().await?.is_related(actor).await? => {
                Effect::Push(Job::RefreshActor { actor: actor.to_string() })
            }
            Meaning::ChangedProfile => Effect::Nothing,
            Meaning::Reacted(reaction, Target::Local(hash)) => {
                match self.read().await?.find_latest_about(&hash).await? {
                    Some(_) => Effect::React(reaction, self.parts.site.object(&hash)),
                    None => Effect::Nothing,
                }
            }
            Meaning::Reacted(reaction, Target::LocalActivity(id)) => {
                match self.read().await?.find_activity(id).await? {
                    Some(_) => Effect::React(reaction, self.parts.site.activity(id)),
                    None => Effect::Nothing,
                }
            }
            Meaning::Reacted(reaction, Target::Remote(target)) => {
                if !self.read().await?.is_followed(actor).await? {
                    return Ok(Effect::Nothing);
                }
                Effect::Share(reaction, target)
            }
            Meaning::Undid(activity) => Effect::Undo(activity),
            // About somebody else's affairs, or too long to be read.
            Meaning::Notice(_) if body.len() > MAX_OF_STRANGERS => Effect::Nothing,
            Meaning::Notice(object)
                if !self.parts.site.owns(&object) && !self.read().await?.is_related(actor).await? =>
            {
                Effect::Nothing
            }
            Meaning::Notice(object) => Effect::Notice(Box::new(Notice {
                id: self.new_uuid(),
                kind: incoming.kind.clone(),
                actor: actor.clone(),
                object,
                received_at: self.parts.clock.now(),
                document: text(body),
            })),
        })
    }

    async fn follow_effect(&self, incoming: &Incoming, user: Username) -> Result<Effect, ReceiveError> {
        let mut reader = self.read().await?;
        if reader.find_user(&user).await?.is_none() {
            return Ok(Effect::Nothing);
        }
        // Whose signature was good is known here, unless the key was still at hand when the actor was forgotten.
        let Some(known) = reader.find_remote_actor(&incoming.actor).await? else {
            self.remote_keys.forget(&incoming.actor);
            return Err(KeyRefused::Waiting.into());
        };
        let earlier = reader.find_follower(&user, &incoming.actor).await?.map(|follower| follower.state);
        drop(reader);
        let accept = self.parts.policy.federation.accept_followers;
        let follower = Follower {
            id: self.new_uuid(),
            user,
            actor: incoming.actor.clone(),
            inbox: known.actor.inbox,
            shared_inbox: known.actor.shared_inbox,
            request: incoming.id.clone(),
            state: if accept { FollowState::Accepted } else { FollowState::Pending },
            created_at: self.parts.clock.now(),
        };
        // Whoever asked before may be accepted by the time that this is written down.
        let answer = if accept || earlier.is_some() { Some(self.answer_to(&follower, true).await?) } else { None };
        let was_pending = earlier == Some(FollowState::Pending);
        Ok(Effect::Follow(Box::new(Wish { follower, answer, was_pending })))
    }

    /// The message that tells a follower what became of the request.
    pub(crate) async fn answer_to(
        &self,
        follower: &Follower,
        accept: bool,
    ) -> Result<artdag_federation::Message, PublishError> {
        let site = &self.parts.site;
        let request = json!({
            "id": follower.request.as_str(),
            "type": "Follow",
            "actor": follower.actor.as_str(),
            "object": site.actor(&follower.user),
        });
        let saying = if accept {
            Saying::Accept(request, follower.actor.clone())
        } else {
            Saying::Reject(request, follower.actor.clone())
        };
        self.sign_message(&saying, &follower.user).await
    }

    async fn published_effect(&self, came: &Came<'_>, object: RemoteObject) -> Result<Effect, ReceiveError> {
        let Came { inquiry, incoming, body } = *came;
        let mut reader = self.read().await?;
        let is_followed = reader.is_followed(&incoming.actor).await?;
        // Somebody else claims what is registered here.
        let contested = match object.content_hash.filter(|_| !is_followed && body.len() <= MAX_OF_STRANGERS) {
            Some(hash) => reader.find_asset_by_hash(&hash).await?.map(|_| hash),
            None => None,
        };
        let concerns = is_followed || contested.is_some();
        // What is known is changed by an `Update` alone; and its actor may have withdrawn it before it came.
        let is_new = incoming.kind == "Create";
        let known = is_new && concerns && reader.is_heard(&[&object.id, &incoming.id], &incoming.actor).await?;
        drop(reader);
        if !concerns || known {
            return Ok(Effect::Nothing);
        }
        let is_claim = object.content_hash.is_some();
        let evidence = if is_claim {
            Evidence {
                proof: self.has_proof(inquiry, incoming).await?,
                engine: self.has_engine_signature(inquiry, incoming).await?,
            }
        } else {
            Evidence::default()
        };
        let heard = HeardObject {
            id: self.new_uuid(),
            object,
            activity: incoming.id.clone(),
            // It is what a claim can be judged by; a post has nothing to be judged.
            document: if is_claim { text(body) } else { String::new() },
            evidence,
            received_at: self.parts.clock.now(),
            deleted_at: None,
        };
        let room = match contested {
            Some(hash) => self.room_for(&heard, &hash).await?,
            None => Room::Free,
        };
        let publish = |in_place_of| Effect::Publish(Box::new(News { heard, is_new, in_place_of }));
        Ok(match room {
            Room::Free => publish(None),
            Room::InPlaceOf(other) => publish(Some(other)),
            Room::None => Effect::Nothing,
        })
    }

    /// Whether a stranger's claim is kept, or another goes for it.
    async fn room_for(&self, heard: &HeardObject, hash: &ContentHash) -> Result<Room, ReceiveError> {
        let claim = Claimant {
            object: heard.object.id.clone(),
            is_followed: false,
            is_signed: heard.evidence.proof || heard.evidence.engine,
            is_withdrawn: false,
            received_at: heard.received_at,
        };
        let kept = self.read().await?.list_claimants(hash, MAX_CLAIMS).await?;
        Ok(room_for(&claim, &kept, usize::from(MAX_CLAIMS)))
    }

    pub(crate) fn new_uuid(&self) -> uuid::Uuid {
        new_uuid(self.parts.clock.now(), self.parts.randomness.as_ref())
    }
}

/// What was parsed as JSON is text.
fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}
