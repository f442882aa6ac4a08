use super::inbox_desk::{Arrival, Effect, News, Wish};
use crate::{Job, Registry, UnitOfWork};
use artdag_federation::{FollowState, Follower, Message, Posting, Reaction, Receipt};
use artdag_kernel::{Instant, StoreError};
use chrono::TimeDelta;
use std::collections::HashSet;

/// How many notices of one host are kept that come within a day.
const MAX_NOTICES: u16 = 100;
/// How long after an answer a follower who asks again is not told so again.
const TELL_AGAIN: TimeDelta = TimeDelta::minutes(1);

impl Registry {
    /// Does in one unit of work what activities say, each of them once.
    pub(crate) async fn apply(&self, arrivals: &[Arrival]) -> Result<(), StoreError> {
        let now = self.parts.clock.now();
        let mut unit = self.parts.store.begin().await?;
        // In the order of their ids, so that two units of work with the same copies cannot wait for each other.
        let mut receipts: Vec<Receipt> = arrivals.iter().map(|arrival| arrival.receipt.clone()).collect();
        receipts.sort_by(|a, b| a.id.cmp(&b.id));
        receipts.dedup_by(|a, b| a.id == b.id);
        let mut first = unit.first_receipts(&receipts, now).await?;
        let mut mail = Vec::new();
        for arrival in arrivals.iter().filter(|arrival| first.remove(&arrival.receipt.id)) {
            mail.extend(self.act(unit.as_mut(), arrival, now).await?);
        }
        let hosts: HashSet<String> = arrivals.iter().map(|arrival| arrival.host.clone()).collect();
        // All at the end, and together: they lock the lanes of many hosts, as the couriers do.
        unit.add_deliveries(&mail, &hosts.into_iter().collect::<Vec<_>>(), now).await?;
        unit.commit().await?;
        if !mail.is_empty() {
            self.mailed.notify_one();
        }
        self.pushed.notify_one();
        Ok(())
    }

    /// Tells the deliveries that a server lives which has sent nothing of interest.
    pub(crate) async fn note_sign_of_life(&self, host: &str) -> Result<(), StoreError> {
        let now = self.parts.clock.now();
        let waits = self.read().await?.find_peer(host).await?.is_some_and(|peer| peer.breaker.open_until > Some(now));
        if waits {
            let mut unit = self.parts.store.begin().await?;
            unit.heard_from(&[host.to_owned()], now).await?;
            unit.commit().await?;
            self.mailed.notify_one();
        }
        Ok(())
    }

    /// What one activity does. Answers what is to be sent for it.
    async fn act(
        &self,
        unit: &mut (dyn UnitOfWork + '_),
        arrival: &Arrival,
        now: Instant,
    ) -> Result<Option<Posting>, StoreError> {
        let Receipt { id, actor, .. } = &arrival.receipt;
        for job in &arrival.jobs {
            self.push(unit, job).await?;
        }
        match &arrival.effect {
            Effect::Nothing => {}
            Effect::Follow(wish) => return take_down_wish(unit, wish, now).await,
            Effect::Unfollow(user) => {
                unit.remove_follower(user, actor).await?;
            }
            Effect::Answered(request, user, state) => {
                unit.answer_following(actor, *request, user.as_ref(), *state).await?;
            }
            Effect::Publish(news) => {
                let News { heard, is_new, in_place_of } = news.as_ref();
                if let Some(other) = in_place_of {
                    unit.remove_heard(other).await?;
                }
                if *is_new {
                    unit.add_heard(heard).await?
                } else {
                    unit.save_heard(heard).await?
                };
            }
            Effect::Withdraw(object, document, early) => {
                if let Some(uuid) = early {
                    unit.forestall_heard(*uuid, object, actor, id, now).await?;
                }
                unit.withdraw_heard(object, actor, document, now).await?;
            }
            Effect::Forget => {
                unit.forget_remote_actor(actor, now).await?;
                self.remote_keys.forget(actor);
            }
            Effect::React(reaction, target) => unit.add_reaction(id, actor, *reaction, target, now).await?,
            Effect::Share(reaction, target) => {
                unit.add_reaction(id, actor, *reaction, target.as_str(), now).await?;
                if *reaction == Reaction::Announce && unit.find_heard(target).await?.is_none() {
                    self.push(unit, &Job::FetchObject { object: target.to_string() }).await?;
                }
            }
            Effect::Undo(activity) => {
                unit.undo_received(activity, actor).await?;
            }
            Effect::Notice(notice) => {
                if !unit.add_notice(notice, MAX_NOTICES).await? {
                    tracing::debug!(%actor, "no more notices are kept of this host today");
                }
            }
            Effect::Push(job) => self.push(unit, job).await?,
        }
        Ok(None)
    }
}

/// Notes that somebody wants to follow, and answers what is said to that, if anything is.
async fn take_down_wish(
    unit: &mut (dyn UnitOfWork + '_),
    wish: &Wish,
    now: Instant,
) -> Result<Option<Posting>, StoreError> {
    let Wish { follower, answer, was_pending } = wish;
    let known = unit.find_follower(&follower.user, &follower.actor).await?;
    let told_at =
        known.filter(|known| known.state == FollowState::Accepted && !was_pending).map(|known| known.created_at);
    if let Some(told_at) = told_at.filter(|told_at| now - *told_at < TELL_AGAIN) {
        // Not even whoever asks without end is told so without end.
        unit.save_follower(&Follower { created_at: told_at, ..follower.clone() }).await?;
        return Ok(None);
    }
    let state = unit.save_follower(follower).await?;
    let Some(message) = answer.as_ref().filter(|_| state == FollowState::Accepted) else { return Ok(None) };
    unit.add_message(message).await?;
    let Message { id, sender, .. } = message;
    Ok(Some(Posting { message: *id, sender: sender.clone(), inbox: follower.inbox.clone() }))
}
