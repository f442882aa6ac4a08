use super::inbox_desk::{Arrival, Effect};
use crate::{Job, Registry, UnitOfWork};
use artdag_federation::{Posting, Reaction, Receipt};
use artdag_kernel::{Instant, StoreError};
use std::collections::HashSet;

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
            Effect::Follow(follower, answer) => {
                unit.save_follower(follower).await?;
                if let Some(message) = answer {
                    unit.add_message(message).await?;
                    let (sender, inbox) = (message.sender.clone(), follower.inbox.clone());
                    return Ok(Some(Posting { message: message.id, sender, inbox }));
                }
            }
            Effect::Unfollow(user) => {
                unit.remove_follower(user, actor).await?;
            }
            Effect::Answered(request, user, state) => {
                unit.answer_following(actor, *request, user.as_ref(), *state).await?;
            }
            Effect::Publish(heard) => {
                unit.save_heard(heard).await?;
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
            Effect::Notice(notice) => unit.add_notice(notice).await?,
            Effect::Push(job) => self.push(unit, job).await?,
        }
        Ok(None)
    }
}
