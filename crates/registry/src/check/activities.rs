use super::report::Kind;
use super::stored::Stored;
use super::{Check, CheckError};
use crate::Registry;
use artdag_anchoring::Digest;
use artdag_federation::canonical::jcs;
use artdag_federation::{
    Activity, ActivityKind, KeyMaterial, Site, VerifyingKey, data_integrity, engine_signature, multikey,
};
use artdag_kernel::{Instant, Username, rfc3339};
use serde_json::Value;
use std::collections::HashMap;
use std::error::Error;
use std::ops::Range;
use std::sync::Arc;
use std::thread::available_parallelism;
use tokio::task::spawn_blocking;

/// How many actors' keys are remembered; each takes some kilobytes.
const MOST_ACTORS: usize = 1024;

type Fault = Box<dyn Error + Send + Sync>;

/// The keys that an actor has or had.
struct ActorKeys {
    rsa: Vec<Arc<dyn VerifyingKey>>,
    ed25519: Vec<Arc<dyn VerifyingKey>>,
}

/// The keys of those who were met last, or why there are none.
#[derive(Default)]
pub(super) struct KnownActors(HashMap<Username, Arc<Result<ActorKeys, String>>>);

impl KnownActors {
    async fn keys(&mut self, registry: &Registry, actor: &Username) -> Arc<Result<ActorKeys, String>> {
        if let Some(keys) = self.0.get(actor) {
            return keys.clone();
        }
        if self.0.len() >= MOST_ACTORS {
            self.0.clear();
        }
        let keys = Arc::new(registry.keys_of(actor).await);
        self.0.insert(actor.clone(), keys.clone());
        keys
    }
}

impl Registry {
    async fn keys_of(&self, actor: &Username) -> Result<ActorKeys, String> {
        let history = self.parts.keys.history(actor).await;
        let history = history.map_err(|error| format!("the keys of {actor} cannot be read: {error}"))?;
        if history.rsa_pems.is_empty() && history.ed25519.is_empty() {
            return Err(format!("there are no keys of {actor} here, so its signatures cannot be checked"));
        }
        let read = |material: KeyMaterial| {
            let key = self.parts.key_reader.read(&material);
            key.map_err(|error| format!("a key of {actor} cannot be used: {error}"))
        };
        let rsa = history.rsa_pems.into_iter().map(|pem| read(KeyMaterial::Pem(pem)));
        let ed25519 = history.ed25519.iter().map(|key| read(KeyMaterial::Multibase(multikey::encode(key))));
        Ok(ActorKeys { rsa: rsa.collect::<Result<_, _>>()?, ed25519: ed25519.collect::<Result<_, _>>()? })
    }
}

/// What was found of an activity.
struct Checked {
    activity: Activity,
    entry: Digest,
    faults: Vec<Fault>,
}

impl Check<'_> {
    /// Checks what is stored at these places of the log. Answers the entry that each text makes; none where there is
    /// none.
    pub(super) async fn activities(
        &mut self,
        actors: &mut KnownActors,
        places: Range<u64>,
        stored: Vec<Stored<u64, Activity>>,
    ) -> Result<Vec<Option<Digest>>, CheckError> {
        let mut found = HashMap::new();
        let mut readable = Vec::new();
        for (place, row) in stored {
            found.insert(place, None);
            match row {
                Ok(activity) => {
                    let keys = actors.keys(self.registry, &activity.actor).await;
                    readable.push((activity, keys));
                }
                Err(error) => self.report.faults.add(Kind::Activity, place, error),
            }
        }
        for Checked { activity, entry, faults } in self.verify(readable).await? {
            let Some(place) = activity.index else { continue };
            found.insert(place, Some(entry));
            for fault in faults {
                self.report.faults.add(Kind::Activity, format!("{place} ({})", activity.id), fault);
            }
        }
        self.report.activities += found.len() as u64;
        let mut entries = Vec::new();
        for place in places {
            let entry = found.get(&place);
            if entry.is_none() {
                self.report.faults.add(Kind::Activity, place, "is not there: the log has a gap");
            }
            entries.push(entry.copied().flatten());
        }
        Ok(entries)
    }

    /// Signatures take nearly all of the time, so each core gets its part of them.
    async fn verify(
        &self,
        mut activities: Vec<(Activity, Arc<Result<ActorKeys, String>>)>,
    ) -> Result<Vec<Checked>, CheckError> {
        let cores = available_parallelism().map_or(1, usize::from);
        let part = activities.len().div_ceil(cores).max(1);
        let now = self.registry.now();
        let mut running = Vec::new();
        while !activities.is_empty() {
            let rest = activities.split_off(part.min(activities.len()));
            let part = std::mem::replace(&mut activities, rest);
            let site = self.registry.site().clone();
            running.push(spawn_blocking(move || {
                let check = |(activity, keys): (Activity, Arc<Result<ActorKeys, String>>)| {
                    let faults = faults(&site, &activity, &keys, now);
                    Checked { entry: Digest::of(activity.document.as_str().as_bytes()), activity, faults }
                };
                part.into_iter().map(check).collect::<Vec<_>>()
            }));
        }
        let mut checked = Vec::new();
        for part in running {
            checked.extend(part.await?);
        }
        Ok(checked)
    }
}

/// All that is wrong with an activity by itself.
fn faults(site: &Site, activity: &Activity, keys: &Result<ActorKeys, String>, now: Instant) -> Vec<Fault> {
    let document = match activity.document.parse() {
        Ok(document) => document,
        Err(error) => return vec![format!("its text is not JSON: {error}").into()],
    };
    let mut faults: Vec<Fault> = Vec::new();
    match jcs(&document) {
        Ok(text) if text == activity.document.as_str() => {}
        Ok(_) => faults.push("its text is not canonical JSON".into()),
        Err(error) => faults.push(error.into()),
    }
    faults.extend(disagreements(site, activity, &document));
    match keys {
        Ok(keys) => faults.extend(bad_signatures(site, activity, &document, keys, now)),
        Err(error) => faults.push(error.clone().into()),
    }
    faults
}

/// Where the row says something else than the signed text.
fn disagreements(site: &Site, activity: &Activity, document: &Value) -> Vec<Fault> {
    let Activity { id, kind, actor, content_hash, published_at, document: _, index: _ } = activity;
    let mut expected = vec![
        ("/id", site.activity(*id)),
        ("/type", kind.to_string()),
        ("/actor", site.actor(actor)),
        ("/published", rfc3339(*published_at)),
    ];
    match kind {
        ActivityKind::Create | ActivityKind::Update | ActivityKind::Delete => {
            expected.push(("/object/id", site.object(content_hash)));
        }
        // Its object is somebody else's, and does not tell the hash.
        ActivityKind::Announce => {}
    }
    let differs = |(pointer, expected): (&str, String)| {
        let told = document.pointer(pointer).and_then(Value::as_str);
        (told != Some(expected.as_str()))
            .then(|| format!("its text does not say `{expected}` at {pointer}, as its row does").into())
    };
    expected.into_iter().filter_map(differs).collect()
}

/// Of two signatures those that are by no key that the actor has or had.
fn bad_signatures(site: &Site, activity: &Activity, document: &Value, keys: &ActorKeys, now: Instant) -> Vec<Fault> {
    let Some(document) = document.as_object() else {
        return vec!["its text is no object".into()];
    };
    let by_one_of = |keys: &[Arc<dyn VerifyingKey>], message: &[u8], signature: &[u8]| {
        keys.iter().any(|key| key.verify(message, signature))
    };
    let engine = engine_signature::verify(document, |message, signature| by_one_of(&keys.rsa, message, signature));
    let method = site.ed25519_key(&activity.actor);
    let proof = data_integrity::verify(document, &method, now, |message, signature| {
        by_one_of(&keys.ed25519, message, signature)
    });
    let engine = engine.err().map(|fault| format!("its signature is not good: {fault}").into());
    engine.into_iter().chain(proof.err().map(|fault| format!("its proof is not good: {fault}").into())).collect()
}
