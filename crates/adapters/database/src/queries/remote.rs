//! `RemoteReads`, `RemoteRepository`: what is known of other servers. The queries stand in one file for each thing.

use super::{Mode, Session, Writing, domain_rules, follows, heard, receipts, remote_actors};
use artdag_federation::{
    Claimant, DomainPattern, DomainRule, FollowState, Follower, Following, HeardObject, Iri, KnownActor, KnownKey,
    Notice, Reaction, ReactionCounts, Receipt, RemoteActor, RemoteReads, RemoteRepository,
};
use artdag_kernel::{ActivityId, ContentHash, Instant, Page, Slice, StoreError, Username};
use async_trait::async_trait;
use std::collections::HashSet;
use uuid::Uuid;

#[async_trait]
impl<M: Mode> RemoteReads for Session<M> {
    async fn find_remote_actor(&mut self, id: &Iri) -> Result<Option<KnownActor>, StoreError> {
        remote_actors::find(self, id).await
    }

    async fn find_remote_key(&mut self, id: &Iri) -> Result<Option<KnownKey>, StoreError> {
        remote_actors::find_key(self, id).await
    }

    async fn list_followers(
        &mut self,
        user: &Username,
        state: Option<FollowState>,
        page: Page,
    ) -> Result<Slice<Follower>, StoreError> {
        follows::list_followers(self, user, state, page).await
    }

    async fn count_followers(&mut self, user: &Username) -> Result<u64, StoreError> {
        follows::count_followers(self, user).await
    }

    async fn followers_at(&mut self, of: &[(&Username, &str)]) -> Result<Vec<Vec<Iri>>, StoreError> {
        follows::followers_at(self, of).await
    }

    async fn find_follower(&mut self, user: &Username, actor: &Iri) -> Result<Option<Follower>, StoreError> {
        follows::find_follower(self, user, actor).await
    }

    async fn list_following(
        &mut self,
        user: &Username,
        state: Option<FollowState>,
        page: Page,
    ) -> Result<Slice<Following>, StoreError> {
        follows::list_following(self, user, state, page).await
    }

    async fn count_following(&mut self, user: &Username) -> Result<u64, StoreError> {
        follows::count_following(self, user).await
    }

    async fn find_following(&mut self, user: &Username, actor: &Iri) -> Result<Option<Following>, StoreError> {
        follows::find_following(self, user, actor).await
    }

    async fn local_followers_of(&mut self, actor: &Iri) -> Result<Vec<(Username, ActivityId)>, StoreError> {
        follows::local_followers_of(self, actor).await
    }

    async fn is_related(&mut self, actor: &Iri) -> Result<bool, StoreError> {
        follows::is_related(self, actor).await
    }

    async fn is_followed(&mut self, actor: &Iri) -> Result<bool, StoreError> {
        follows::is_followed(self, actor).await
    }

    async fn find_heard(&mut self, id: &Iri) -> Result<Option<HeardObject>, StoreError> {
        heard::find(self, id).await
    }

    async fn is_heard(&mut self, ids: &[&Iri], actor: &Iri) -> Result<bool, StoreError> {
        heard::is_heard(self, ids, actor).await
    }

    async fn heard_claims(&mut self, hash: &ContentHash, most: u16) -> Result<Vec<HeardObject>, StoreError> {
        heard::claims(self, hash, most).await
    }

    async fn list_claimants(&mut self, hash: &ContentHash, most: u16) -> Result<Vec<Claimant>, StoreError> {
        heard::claimants(self, hash, most).await
    }

    async fn list_heard(&mut self, user: &Username, page: Page) -> Result<Slice<HeardObject>, StoreError> {
        heard::list(self, user, page).await
    }

    async fn count_reactions(&mut self, target: &str) -> Result<ReactionCounts, StoreError> {
        receipts::count_reactions(self, target).await
    }

    async fn list_domain_rules(&mut self) -> Result<Vec<DomainRule>, StoreError> {
        domain_rules::list(self).await
    }

    async fn list_notices(&mut self, page: Page) -> Result<Slice<Notice>, StoreError> {
        receipts::list_notices(self, page).await
    }

    async fn is_fetch_held(&mut self, what: &str, now: Instant) -> Result<bool, StoreError> {
        receipts::is_fetch_held(self, what, now).await
    }
}

#[async_trait]
impl RemoteRepository for Session<Writing> {
    async fn first_receipts(&mut self, receipts: &[Receipt], now: Instant) -> Result<HashSet<Iri>, StoreError> {
        receipts::first(self, receipts, now).await
    }

    async fn save_remote_actor(&mut self, actor: &RemoteActor, now: Instant) -> Result<(), StoreError> {
        remote_actors::save(self, actor, now).await
    }

    async fn forget_remote_actor(&mut self, id: &Iri, now: Instant) -> Result<bool, StoreError> {
        remote_actors::forget(self, id, now).await
    }

    async fn save_follower(&mut self, follower: &Follower) -> Result<FollowState, StoreError> {
        follows::save_follower(self, follower).await
    }

    async fn set_follower_state(
        &mut self,
        user: &Username,
        actor: &Iri,
        state: FollowState,
    ) -> Result<bool, StoreError> {
        follows::set_follower_state(self, user, actor, state).await
    }

    async fn remove_follower(&mut self, user: &Username, actor: &Iri) -> Result<bool, StoreError> {
        follows::remove_follower(self, user, actor).await
    }

    async fn remove_followers_at_inbox(&mut self, inbox: &Iri) -> Result<u64, StoreError> {
        follows::remove_followers_at_inbox(self, inbox).await
    }

    async fn save_following(&mut self, following: &Following) -> Result<(), StoreError> {
        follows::save_following(self, following).await
    }

    async fn answer_following(
        &mut self,
        actor: &Iri,
        request: Option<ActivityId>,
        user: Option<&Username>,
        state: FollowState,
    ) -> Result<bool, StoreError> {
        follows::answer_following(self, actor, request, user, state).await
    }

    async fn remove_following(
        &mut self,
        user: &Username,
        actor: &Iri,
        request: ActivityId,
    ) -> Result<bool, StoreError> {
        follows::remove_following(self, user, actor, request).await
    }

    async fn add_heard(&mut self, heard: &HeardObject) -> Result<bool, StoreError> {
        heard::add(self, heard).await
    }

    async fn remove_heard(&mut self, id: &Iri) -> Result<bool, StoreError> {
        heard::remove(self, id).await
    }

    async fn save_heard(&mut self, heard: &HeardObject) -> Result<bool, StoreError> {
        heard::save(self, heard).await
    }

    async fn withdraw_heard(
        &mut self,
        id: &Iri,
        actor: &Iri,
        document: &str,
        now: Instant,
    ) -> Result<bool, StoreError> {
        heard::withdraw(self, id, actor, document, now).await
    }

    async fn forestall_heard(
        &mut self,
        id: Uuid,
        object: &Iri,
        actor: &Iri,
        activity: &Iri,
        now: Instant,
    ) -> Result<(), StoreError> {
        heard::forestall(self, id, object, actor, activity, now).await
    }

    async fn add_reaction(
        &mut self,
        activity: &Iri,
        actor: &Iri,
        reaction: Reaction,
        target: &str,
        now: Instant,
    ) -> Result<(), StoreError> {
        receipts::react(self, activity, actor, reaction, target, now).await
    }

    async fn undo_received(&mut self, activity: &Iri, actor: &Iri) -> Result<bool, StoreError> {
        receipts::undo(self, activity, actor).await
    }

    async fn add_notice(&mut self, notice: &Notice, a_day: u16) -> Result<bool, StoreError> {
        receipts::add_notice(self, notice, a_day).await
    }

    async fn save_domain_rule(&mut self, rule: &DomainRule) -> Result<(), StoreError> {
        domain_rules::save(self, rule).await
    }

    async fn remove_domain_rule(&mut self, pattern: &DomainPattern) -> Result<bool, StoreError> {
        domain_rules::remove(self, pattern).await
    }

    async fn claim_fetch(&mut self, what: &str, now: Instant, again_at: Instant) -> Result<bool, StoreError> {
        receipts::claim_fetch(self, what, now, again_at).await
    }

    async fn hold_fetch(&mut self, what: &str, until: Instant) -> Result<(), StoreError> {
        receipts::hold_fetch(self, what, until).await
    }

    async fn sweep_federation(&mut self, now: Instant) -> Result<u64, StoreError> {
        receipts::sweep(self, now).await
    }
}
