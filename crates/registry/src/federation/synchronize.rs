//! FEP-8fcf: two servers compare who follows whom, without showing anybody else's followers.

use super::fetch_jobs::{fetch_failed, lasting};
use super::inquiry::Inquiry;
use crate::jobs::JobError;
use crate::{Job, Registry};
use artdag_federation::http_signature::collection_synchronization::{CollectionSynchronization, FollowersDigest};
use artdag_federation::{Delivery, Iri, collection_ids};
use artdag_kernel::{ActivityId, StoreError, Username};
use chrono::TimeDelta;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// How long an acceptance may be on its way that the other server does not count yet.
const SECOND_LOOK: TimeDelta = TimeDelta::seconds(20);

/// The headers for mail from these senders to these origins.
#[derive(Default)]
pub(crate) struct SynchronizationHeaders(HashMap<(Username, String), String>);

impl SynchronizationHeaders {
    /// That for a delivery which they were made for.
    pub(crate) fn of(&self, mail: &Delivery) -> Option<&String> {
        self.0.get(&(mail.sender.clone(), mail.inbox.origin().to_owned()))
    }
}

impl Registry {
    /// What the headers on deliveries to followers say: which of the sender's followers the recipient's server has.
    pub(crate) async fn synchronization_headers(
        &self,
        deliveries: &[Delivery],
    ) -> Result<SynchronizationHeaders, StoreError> {
        let pairs: BTreeSet<_> = deliveries.iter().map(|mail| (&mail.sender, mail.inbox.origin())).collect();
        let pairs: Vec<(&Username, &str)> = pairs.into_iter().collect();
        let followers = self.read().await?.followers_at(&pairs).await?;
        let site = &self.parts.site;
        let header = |((sender, origin), followers): ((&Username, &str), Vec<Iri>)| {
            let header = CollectionSynchronization {
                collection_id: site.followers(sender),
                url: site.followers_synchronization(sender),
                digest: FollowersDigest::of(followers.iter().map(Iri::as_str)),
            };
            ((sender.clone(), origin.to_owned()), header.to_string())
        };
        Ok(SynchronizationHeaders(pairs.into_iter().zip(followers).map(header).collect()))
    }

    /// The job that a header asks for: none, unless it speaks of the sender's own followers.
    pub(crate) fn synchronization_job(&self, sender: &Iri, header: Option<&str>) -> Option<Job> {
        let header = CollectionSynchronization::read(header?).ok()?;
        let (collection, url) = (header.collection_id.parse::<Iri>().ok()?, header.url.parse::<Iri>().ok()?);
        (collection.is_beside(sender) && url.is_beside(sender)).then(|| Job::SynchronizeFollowers {
            actor: sender.to_string(),
            collection: collection.to_string(),
            url: url.to_string(),
            digest: header.digest.to_string(),
            doubtful: Vec::new(),
        })
    }

    /// Compares, and where the other server knows less than this one, believes it only when it says so a second time:
    /// the first answer may be older than an acceptance that is on its way. The second look is a job of its own.
    pub(crate) async fn synchronize(&self, job: &Job) -> Result<(), JobError> {
        let Job::SynchronizeFollowers { actor, collection, url, digest, doubtful } = job else {
            return Err(lasting("the job compares no followers"));
        };
        let (actor, url): (Iri, Iri) = (actor.parse().map_err(lasting)?, url.parse().map_err(lasting)?);
        let mut reader = self.read().await?;
        // The collection must be the one that the actor itself calls its followers.
        let known = reader.find_remote_actor(&actor).await?;
        if known.and_then(|known| known.actor.followers).is_none_or(|followers| followers.as_str() != *collection) {
            return Ok(());
        }
        let site = &self.parts.site;
        let here = reader.local_followers_of(&actor).await?;
        drop(reader);
        let ids: Vec<String> = here.iter().map(|(user, _)| site.actor(user)).collect();
        if FollowersDigest::of(ids.iter().map(String::as_str)).to_string() == *digest {
            return Ok(());
        }
        let inquiry = self.inquiry(0).await?;
        let there = match self.followers_there(&inquiry, &url).await {
            // Who is not heard a second time has not said it a second time. The next letter brings it up again.
            Err(_) if !doubtful.is_empty() => return Ok(()),
            there => there?,
        };
        let missing: Vec<_> = here.into_iter().filter(|(user, _)| !there.contains(&site.actor(user))).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let mut unit = self.parts.store.begin().await?;
        if doubtful.is_empty() {
            let doubtful = missing.iter().map(|(user, request)| doubt(user, *request)).collect();
            let (actor, collection) = (actor.to_string(), collection.clone());
            let (url, digest) = (url.to_string(), digest.clone());
            let second = Job::SynchronizeFollowers { actor, collection, url, digest, doubtful };
            self.push_for(unit.as_mut(), &second, SECOND_LOOK).await?;
            return Ok(unit.commit().await?);
        }
        // The user may have ended it meanwhile, and asked anew: then it is another one, and known there before long.
        for (user, request) in missing.into_iter().filter(|(user, request)| doubtful.contains(&doubt(user, *request))) {
            if unit.remove_following(&user, &actor, request).await? {
                tracing::info!(%user, %actor, "the followed actor's server does not know of this follow; it ended");
            }
        }
        Ok(unit.commit().await?)
    }

    async fn followers_there(&self, inquiry: &Arc<Inquiry>, url: &Iri) -> Result<HashSet<String>, JobError> {
        let (document, _) = self.fetch_document(inquiry, url).await.map_err(fetch_failed)?;
        let ids = collection_ids(&document).ok_or_else(|| lasting("the partial collection does not come whole"))?;
        Ok(ids.into_iter().map(|id| id.to_string()).collect())
    }
}

/// A follow that the followed actor's server did not know of, as the job for the second look has it.
fn doubt(user: &Username, request: ActivityId) -> String {
    format!("{user} {request}")
}
