//! Actors of other servers, and their keys.

use super::super::schema::{remote_actors, remote_keys};
use super::super::{Backend, dialect};
use super::rows::Place;
use super::statement::Statement;
use super::{Mode, Session, Writing, follows};
use artdag_federation::{Iri, KeyMaterial, KnownActor, KnownKey, RemoteActor, RemoteKey};
use artdag_kernel::{Instant, StoreError};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};

/// It locks the actor's row, so that of two who save its keys one comes after the other.
const SAVE: &str = "\
    insert into remote_actors (id, kind, username, name, inbox, shared_inbox, followers, fetched_at) \
    values (?, ?, ?, ?, ?, ?, ?, ?) \
    on conflict (id) do update set kind = excluded.kind, username = excluded.username, name = excluded.name, \
        inbox = excluded.inbox, shared_inbox = excluded.shared_inbox, followers = excluded.followers, \
        fetched_at = excluded.fetched_at";

/// Where mail to it as a follower goes now.
const MOVE_FOLLOWERS: &str = "\
    update followers set inbox = ?, shared_inbox = ?, inbox_host = ? \
    where actor = ? and (inbox <> ? or shared_inbox is distinct from ?)";

const PEM: &str = "pem";
const MULTIBASE: &str = "multibase";

/// A key that another actor listed before stays that actor's.
fn save_keys() -> String {
    let elements = dialect::ELEMENTS;
    format!(
        "insert into remote_keys (id, owner, position, form, material, fetched_at) \
        select element.value ->> 0, ?, cast(element.value ->> 1 as bigint), element.value ->> 2, \
            element.value ->> 3, ? \
        from {elements} where true on conflict do nothing"
    )
}

pub(super) async fn find<M: Mode>(session: &mut Session<M>, id: &Iri) -> Result<Option<KnownActor>, StoreError> {
    let query = remote_actors::table.find(id.to_string()).select(ActorRow::as_select());
    let row = session.run(|conn| async move { query.first(conn).await.optional() }).await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let query = remote_keys::table
        .filter(remote_keys::owner.eq(id.to_string()))
        .order(remote_keys::position)
        .select(KeyRow::as_select());
    let keys: Vec<KeyRow> = session.run(|conn| query.load(conn)).await?;
    let keys = keys.into_iter().map(|row| KnownKey::try_from(row).map(|known| known.key)).collect::<Result<_, _>>()?;
    row.read(keys).map(Some)
}

pub(super) async fn find_key<M: Mode>(session: &mut Session<M>, id: &Iri) -> Result<Option<KnownKey>, StoreError> {
    let query = remote_keys::table.find(id.to_string()).select(KeyRow::as_select());
    let row = session.run(|conn| async move { query.first(conn).await.optional() }).await?;
    row.map(KnownKey::try_from).transpose()
}

pub(super) async fn save(session: &mut Session<Writing>, actor: &RemoteActor, now: Instant) -> Result<(), StoreError> {
    let save = Statement::new(SAVE)
        .with(&actor.id)
        .with(actor.kind.as_str())
        .with(actor.username.clone())
        .with(actor.name.clone())
        .with(&actor.inbox)
        .with(actor.shared_inbox.as_ref())
        .with(actor.followers.as_ref())
        .with(now);
    session.execute(save).await?;
    session.execute(Statement::new("delete from remote_keys where owner = ?").with(&actor.id)).await?;
    // In one order, so that two actors that list the same keys cannot wait for each other.
    let mut keys: Vec<(usize, &RemoteKey)> = actor.keys.iter().enumerate().collect();
    keys.sort_unstable_by_key(|(_, key)| &key.id);
    let keys: Value = keys.iter().map(|(position, key)| key_element(*position, key)).collect();
    session.execute(Statement::new(save_keys()).with(&actor.id).with(now).with(keys.to_string())).await?;
    let host = actor.shared_inbox.as_ref().unwrap_or(&actor.inbox).host();
    let moved = Statement::new(MOVE_FOLLOWERS)
        .with(&actor.inbox)
        .with(actor.shared_inbox.as_ref())
        .with(host)
        .with(&actor.id)
        .with(&actor.inbox)
        .with(actor.shared_inbox.as_ref());
    session.execute(moved).await.map(drop)
}

fn key_element(position: usize, key: &RemoteKey) -> Value {
    let (form, material) = match &key.material {
        KeyMaterial::Pem(text) => (PEM, text),
        KeyMaterial::Multibase(text) => (MULTIBASE, text),
    };
    json!([key.id.as_str(), position, form, material])
}

pub(super) async fn forget(session: &mut Session<Writing>, id: &Iri, now: Instant) -> Result<bool, StoreError> {
    const WITHDRAW: &str = "\
        update remote_objects set name = null, content = null, provenance = null, document = '', \
            proof_checked = false, engine_checked = false, deleted_at = ? \
        where actor = ? and deleted_at is null";
    let mut rows = session.execute(Statement::new(WITHDRAW).with(now).with(id)).await?;
    rows += follows::end(session, || Statement::new("actor = ?").with(id)).await?;
    for text in [
        "delete from following where actor = ?",
        "delete from reactions where actor = ?",
        // And with it its keys.
        "delete from remote_actors where id = ?",
    ] {
        rows += session.execute(Statement::new(text).with(id)).await?;
    }
    Ok(rows > 0)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = remote_actors, check_for_backend(Backend))]
struct ActorRow {
    id: String,
    kind: String,
    username: Option<String>,
    name: Option<String>,
    inbox: String,
    shared_inbox: Option<String>,
    followers: Option<String>,
    fetched_at: Instant,
}

impl ActorRow {
    fn read(self, keys: Vec<RemoteKey>) -> Result<KnownActor, StoreError> {
        let at = Place { table: "remote_actors", row: &self.id };
        let actor = RemoteActor {
            id: at.parse("id", &self.id)?,
            kind: self.kind,
            username: self.username,
            name: self.name,
            inbox: at.parse("inbox", &self.inbox)?,
            shared_inbox: at.parse_some("shared_inbox", self.shared_inbox.as_deref())?,
            followers: at.parse_some("followers", self.followers.as_deref())?,
            keys,
        };
        Ok(KnownActor { actor, fetched_at: self.fetched_at })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = remote_keys, check_for_backend(Backend))]
struct KeyRow {
    id: String,
    owner: String,
    form: String,
    material: String,
    fetched_at: Instant,
}

impl TryFrom<KeyRow> for KnownKey {
    type Error = StoreError;

    fn try_from(row: KeyRow) -> Result<Self, StoreError> {
        let at = Place { table: "remote_keys", row: &row.id };
        let material = match row.form.as_str() {
            PEM => Ok(KeyMaterial::Pem(row.material)),
            MULTIBASE => Ok(KeyMaterial::Multibase(row.material)),
            other => Err(format!("`{other}` is no form of a key")),
        };
        Ok(Self {
            key: RemoteKey { id: at.parse("id", &row.id)?, material: at.sound("form", material)? },
            owner: at.parse("owner", &row.owner)?,
            fetched_at: row.fetched_at,
        })
    }
}
