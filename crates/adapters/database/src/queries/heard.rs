//! What actors elsewhere published.

use super::super::schema::{Moment, remote_objects};
use super::super::{Backend, dialect};
use super::rows::{Place, provenance_text};
use super::statement::{Select, Statement};
use super::{Mode, Session, Writing};
use artdag_federation::{Claimant, Evidence, HeardObject, Iri, RemoteObject};
use artdag_kernel::{ContentHash, Instant, Page, Slice, StoreError, Username};
use artdag_provenance::Provenance;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use uuid::Uuid;

/// A withdrawal of what was never heard of. Nothing that is published has this kind and claims nothing.
const UNHEARD: &str = "remote_objects.kind = 'Tombstone' and remote_objects.content_hash is null";

/// Since when a claim is known must not be older than the claim: with another hash it begins anew. What somebody else
/// withdrew who never published it is nothing that could stand in the way.
const SAVE: &str = "\
    insert into remote_objects \
        (object_id, id, actor, kind, content_hash, provenance, name, content, published_at, activity, document, \
        proof_checked, engine_checked, received_at, deleted_at) \
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
    on conflict (object_id) do update set \
        actor = excluded.actor, deleted_at = null, kind = excluded.kind, content_hash = excluded.content_hash, provenance = excluded.provenance, \
        name = excluded.name, content = excluded.content, published_at = excluded.published_at, \
        activity = excluded.activity, document = excluded.document, proof_checked = excluded.proof_checked, \
        engine_checked = excluded.engine_checked, received_at = case \
            when remote_objects.content_hash is distinct from excluded.content_hash \
                or remote_objects.deleted_at is not null then excluded.received_at \
            else remote_objects.received_at end \
    where {where}";

const CHANGE: &str = "\
    case when remote_objects.actor = excluded.actor then remote_objects.deleted_at is null else {unheard} end";

/// Somebody else's withdrawal of it is no news of it.
const ADD: &str = "{unheard} and remote_objects.actor <> excluded.actor";

const FORESTALL: &str = "\
    insert into remote_objects (object_id, id, actor, kind, activity, document, proof_checked, engine_checked, \
        received_at, deleted_at) \
    values (?, ?, ?, 'Tombstone', ?, '', false, false, ?, ?) on conflict do nothing";

/// The checks were of another document. Of a post no document is kept.
const WITHDRAW: &str = "\
    update remote_objects set name = null, content = null, provenance = null, \
        document = case when content_hash is null then '' else ? end, \
        proof_checked = false, engine_checked = false, deleted_at = ? \
    where object_id = ? and actor = ? and deleted_at is null";

const OF_FOLLOWED: &str = "\
    from remote_objects where remote_objects.deleted_at is null and exists (select 1 from following \
        where following.username = ? and following.actor = remote_objects.actor and following.state = 'accepted')";

const CLAIMS: &str = "\
    from remote_objects where remote_objects.content_hash = ? \
    order by remote_objects.received_at, remote_objects.id limit ?";

pub(super) async fn find<M: Mode>(session: &mut Session<M>, id: &Iri) -> Result<Option<HeardObject>, StoreError> {
    let found = Statement::new(format!("from remote_objects where remote_objects.object_id = ? and not ({UNHEARD})"));
    let found = session.load(Select::<HeardRow>::new(found.with(id))).await?;
    Ok(found.into_iter().next())
}

pub(super) async fn is_heard<M: Mode>(session: &mut Session<M>, ids: &[&Iri], actor: &Iri) -> Result<bool, StoreError> {
    let query = heard_of(ids, actor);
    session.run(|conn| query.get_result(conn)).await
}

/// By each id for itself: a plan for all of them, made while the table is small, reads the whole of it when it no longer
/// is.
pub(super) fn heard_of(ids: &[&Iri], actor: &Iri) -> Statement<Bool> {
    let text = format!(
        "select exists (select 1 from {} where \
            (select remote_objects.actor from remote_objects where remote_objects.object_id = element.value ->> 0) = ?)",
        dialect::ELEMENTS
    );
    let ids: Vec<Value> = ids.iter().map(|id| json!([id.as_str()])).collect();
    Statement::new(text).with(json!(ids).to_string()).with(actor)
}

pub(super) fn claims_to(hash: &ContentHash, most: u16) -> Select<HeardRow> {
    Select::new(Statement::new(CLAIMS).with(hash.to_bare_hex()).with(most))
}

pub(super) async fn claims<M: Mode>(
    session: &mut Session<M>,
    hash: &ContentHash,
    most: u16,
) -> Result<Vec<HeardObject>, StoreError> {
    session.load(claims_to(hash, most)).await
}

pub(super) fn claimants_of(hash: &ContentHash, most: u16) -> Statement<(Text, Bool, Bool, Bool, Bool, Moment)> {
    const CLAIMANTS: &str = "\
        select remote_objects.object_id, exists (select 1 from following \
                where following.actor = remote_objects.actor and following.state = 'accepted'), \
            remote_objects.proof_checked, remote_objects.engine_checked, remote_objects.deleted_at is not null, \
            remote_objects.received_at ";
    Statement::new(format!("{CLAIMANTS} {CLAIMS}")).with(hash.to_bare_hex()).with(most)
}

pub(super) async fn claimants<M: Mode>(
    session: &mut Session<M>,
    hash: &ContentHash,
    most: u16,
) -> Result<Vec<Claimant>, StoreError> {
    let query = claimants_of(hash, most);
    let rows: Vec<(String, bool, bool, bool, bool, Instant)> = session.run(|conn| query.load(conn)).await?;
    let claimant = |(object, is_followed, proof, engine, is_withdrawn, received_at): (String, _, _, _, _, _)| {
        let at = Place { table: "remote_objects", row: &object };
        let object = at.parse("object_id", &object)?;
        Ok(Claimant { object, is_followed, is_signed: proof || engine, is_withdrawn, received_at })
    };
    rows.into_iter().map(claimant).collect()
}

pub(super) async fn remove(session: &mut Session<Writing>, id: &Iri) -> Result<bool, StoreError> {
    let text = "delete from remote_objects where object_id = ?";
    session.execute(Statement::new(text).with(id)).await.map(|n| n > 0)
}

pub(super) fn timeline(user: &Username, page: Page) -> Select<HeardRow> {
    let of = Statement::new(OF_FOLLOWED).with(user);
    Select::new(of).page(page, "remote_objects.received_at", "remote_objects.id")
}

pub(super) async fn list<M: Mode>(
    session: &mut Session<M>,
    user: &Username,
    page: Page,
) -> Result<Slice<HeardObject>, StoreError> {
    session.load_page(timeline(user, page), page).await
}

pub(super) async fn save(session: &mut Session<Writing>, heard: &HeardObject) -> Result<bool, StoreError> {
    write(session, heard, CHANGE).await
}

pub(super) async fn add(session: &mut Session<Writing>, heard: &HeardObject) -> Result<bool, StoreError> {
    write(session, heard, ADD).await
}

/// Adds an object, or puts it in place of the one with its id, if that fulfils the condition.
async fn write(session: &mut Session<Writing>, heard: &HeardObject, over: &str) -> Result<bool, StoreError> {
    // Every field is named, so that a new one cannot be forgotten here.
    let HeardObject { id, object, activity, document, evidence, received_at, deleted_at } = heard;
    let RemoteObject { id: object_id, actor, kind, content_hash, provenance, name, content, published } = object;
    let save = Statement::new(SAVE.replace("{where}", over).replace("{unheard}", UNHEARD))
        .with(object_id)
        .with(id.to_string())
        .with(actor)
        .with(kind.as_str())
        .with(content_hash.as_ref().map(ContentHash::to_bare_hex))
        .with(provenance.as_ref().map(provenance_text))
        .with(name.clone())
        .with(content.clone())
        .with(*published)
        .with(activity)
        .with(document.as_str())
        .with(evidence.proof)
        .with(evidence.engine)
        .with(*received_at)
        .with(*deleted_at);
    session.execute(save).await.map(|n| n > 0)
}

pub(super) async fn withdraw(
    session: &mut Session<Writing>,
    id: &Iri,
    actor: &Iri,
    document: &str,
    now: Instant,
) -> Result<bool, StoreError> {
    let withdraw = Statement::new(WITHDRAW).with(document).with(now).with(id).with(actor);
    session.execute(withdraw).await.map(|n| n > 0)
}

pub(super) async fn forestall(
    session: &mut Session<Writing>,
    id: Uuid,
    object: &Iri,
    actor: &Iri,
    activity: &Iri,
    now: Instant,
) -> Result<(), StoreError> {
    let forestall =
        Statement::new(FORESTALL).with(object).with(id.to_string()).with(actor).with(activity).with(now).with(now);
    session.execute(forestall).await.map(drop)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = remote_objects, check_for_backend(Backend))]
pub(super) struct HeardRow {
    object_id: String,
    id: String,
    actor: String,
    kind: String,
    content_hash: Option<String>,
    provenance: Option<String>,
    name: Option<String>,
    content: Option<String>,
    published_at: Option<Instant>,
    activity: String,
    document: String,
    proof_checked: bool,
    engine_checked: bool,
    received_at: Instant,
    deleted_at: Option<Instant>,
}

impl TryFrom<HeardRow> for HeardObject {
    type Error = StoreError;

    fn try_from(row: HeardRow) -> Result<Self, StoreError> {
        let at = Place { table: "remote_objects", row: &row.object_id };
        let provenance: Option<Value> = at.parse_some("provenance", row.provenance.as_deref())?;
        let object = RemoteObject {
            id: at.parse("object_id", &row.object_id)?,
            actor: at.parse("actor", &row.actor)?,
            kind: row.kind,
            content_hash: at.parse_some("content_hash", row.content_hash.as_deref())?,
            provenance: at.sound("provenance", provenance.as_ref().map(Provenance::from_json).transpose())?,
            name: row.name,
            content: row.content,
            published: row.published_at,
        };
        Ok(Self {
            id: at.parse("id", &row.id)?,
            object,
            activity: at.parse("activity", &row.activity)?,
            document: row.document,
            evidence: Evidence { proof: row.proof_checked, engine: row.engine_checked },
            received_at: row.received_at,
            deleted_at: row.deleted_at,
        })
    }
}
