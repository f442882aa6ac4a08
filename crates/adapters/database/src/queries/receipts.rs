//! What came in: receipts, reactions and notices, and the rights to fetch more.

use super::super::Backend;
use super::super::dialect;
use super::super::schema::{fetches, notices, reactions};
use super::rows::Place;
use super::statement::{Select, Statement, moment_text};
use super::{Mode, Session, Writing, count, follows, micros};
use artdag_federation::{Iri, Notice, Reaction, ReactionCounts, Receipt};
use artdag_kernel::{ContentHash, Instant, Page, Slice, StoreError};
use chrono::TimeDelta;
use diesel::dsl::{count_star, exists};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use std::collections::HashSet;

/// With an id that another unit of work is just taking down it waits for that one's end. Whoever undoes something with
/// the same id as before says so by signing it later; so does who asks again for what has ended.
fn first_receipts() -> String {
    let (elements, moment) = (dialect::ELEMENTS, dialect::MOMENT);
    format!(
        "insert into received_activities (id, actor, kind, received_at, signed_at, is_reopened) \
        select element.value ->> 0, element.value ->> 1, element.value ->> 2, ?, \
            cast(element.value ->> 3 as {moment}), element.value ->> 2 = 'Undo' from {elements} where true \
        on conflict (id) do update set received_at = excluded.received_at, signed_at = excluded.signed_at, \
            is_reopened = excluded.is_reopened \
        where received_activities.is_reopened and received_activities.actor = excluded.actor \
            and received_activities.kind = excluded.kind \
            and coalesce(received_activities.signed_at, received_activities.received_at) < excluded.signed_at \
        returning id"
    )
}

/// The newest like of something is the one that can be undone.
const REACT: &str = "\
    insert into reactions (id, actor, kind, target, activity, received_at) values (?, ?, ?, ?, ?, ?) \
    on conflict (id) do update set activity = excluded.activity, received_at = excluded.received_at";

const NOTE: &str = "\
    insert into notices (id, kind, actor, host, object, received_at, document) \
    select ?, ?, ?, ?, ?, ?, ? where (select count(*) from (select 1 from notices \
        where notices.host = ? and notices.received_at > ? limit ?) as of_today) < ?";

const CLAIM_FETCH: &str = "\
    insert into fetches (what, again_at) values (?, ?) \
    on conflict (what) do update set again_at = excluded.again_at where fetches.again_at <= ?";

const HOLD_FETCH: &str = "\
    insert into fetches (what, again_at) values (?, ?) \
    on conflict (what) do update set again_at = excluded.again_at where fetches.again_at < excluded.again_at";

/// How many rows of a table go at once: a long transaction holds up others, on SQLite all of them.
const SWEEP: u16 = 5000;
/// What is swept: the statement, and how old its rows become.
const SWEEPS: [(&str, TimeDelta); 7] = [
    (
        "delete from received_activities where id in \
            (select id from received_activities where received_at < ? order by received_at limit ?)",
        TimeDelta::days(30),
    ),
    (
        "delete from remote_objects where object_id in (select object_id from remote_objects \
            where kind = 'Tombstone' and content_hash is null and deleted_at < ? order by deleted_at limit ?)",
        TimeDelta::days(30),
    ),
    (
        "delete from remote_objects where object_id in (select object_id from remote_objects \
            where content_hash is null and deleted_at is null and received_at < ? order by received_at limit ?)",
        TimeDelta::days(90),
    ),
    (
        "delete from deliveries where (activity, inbox) in (select activity, inbox from deliveries \
            where state <> 'waiting' and next_at < ? order by next_at limit ?)",
        TimeDelta::days(7),
    ),
    (
        "delete from notices where id in (select id from notices where received_at < ? order by received_at limit ?)",
        TimeDelta::days(90),
    ),
    (
        "delete from fetches where what in (select what from fetches where again_at <= ? order by again_at limit ?)",
        TimeDelta::zero(),
    ),
    (
        "delete from remote_actors where id in (select id from remote_actors where fetched_at < ? \
            and not exists (select 1 from followers where followers.actor = remote_actors.id) \
            and not exists (select 1 from following where following.actor = remote_actors.id) \
            and not exists (select 1 from remote_objects where remote_objects.actor = remote_actors.id) \
            order by fetched_at limit ?)",
        TimeDelta::days(30),
    ),
];

/// What waited for long enough ends now, and stays to be seen for as long as what ended otherwise.
const GIVE_UP: &str = "\
    update deliveries set state = 'failed', next_at = ?, last_error = 'it was held back for seven days' \
    where (activity, inbox) in (select activity, inbox from deliveries \
        where state = 'waiting' and created_at < ? order by created_at limit ?)";

const SWEEP_MESSAGES: &str = "\
    delete from messages where id in (select id from messages where not exists \
        (select 1 from deliveries where deliveries.activity = messages.id) limit ?)";

pub(super) async fn first(
    session: &mut Session<Writing>,
    receipts: &[Receipt],
    now: Instant,
) -> Result<HashSet<Iri>, StoreError> {
    if receipts.is_empty() {
        return Ok(HashSet::new());
    }
    // In one order, so that two who take down the same activities cannot wait for each other.
    let mut sorted: Vec<&Receipt> = receipts.iter().collect();
    sorted.sort_unstable_by_key(|receipt| &receipt.id);
    sorted.dedup_by_key(|receipt| &receipt.id);
    let element = |receipt: &&Receipt| {
        json!([receipt.id.as_str(), receipt.actor.as_str(), receipt.kind, moment_text(receipt.signed_at)])
    };
    let elements: Value = sorted.iter().map(element).collect();
    let query = Statement::<Text>::new(first_receipts()).with(now).with(elements.to_string());
    let first: Vec<String> = session.run(|conn| query.load(conn)).await?;
    let first: HashSet<&str> = first.iter().map(String::as_str).collect();
    Ok(receipts.iter().map(|receipt| &receipt.id).filter(|id| first.contains(id.as_str())).cloned().collect())
}

pub(super) async fn count_reactions<M: Mode>(
    session: &mut Session<M>,
    target: &str,
) -> Result<ReactionCounts, StoreError> {
    let of = reactions::table.filter(reactions::target.eq(target.to_owned()));
    let query = of.group_by(reactions::kind).select((reactions::kind, count_star()));
    let rows: Vec<(String, i64)> = session.run(|conn| query.load(conn)).await?;
    let of = |kind: Reaction| rows.iter().find(|(word, _)| word == kind.as_str()).map_or(0, |(_, n)| count(*n));
    Ok(ReactionCounts { likes: of(Reaction::Like), shares: of(Reaction::Announce) })
}

pub(super) async fn react(
    session: &mut Session<Writing>,
    activity: &Iri,
    actor: &Iri,
    reaction: Reaction,
    target: &str,
    now: Instant,
) -> Result<(), StoreError> {
    let id = ContentHash::of(json!([target, reaction.as_str(), actor.as_str()]).to_string().as_bytes());
    let react = Statement::new(REACT)
        .with(id.to_bare_hex())
        .with(actor)
        .with(reaction.as_str())
        .with(target)
        .with(activity)
        .with(now);
    session.execute(react).await.map(drop)
}

pub(super) async fn undo(session: &mut Session<Writing>, activity: &Iri, actor: &Iri) -> Result<bool, StoreError> {
    let react = "delete from reactions where activity = ? and actor = ?";
    let reactions = session.execute(Statement::new(react).with(activity).with(actor)).await?;
    let of = || Statement::new("request = ? and actor = ?").with(activity).with(actor);
    Ok(reactions + follows::end(session, of).await? > 0)
}

pub(super) fn notices_page(page: Page) -> Select<NoticeRow> {
    // Always true; it gives the other conditions something to follow.
    Select::new(Statement::new("from notices where 1 = 1")).page(page, "notices.received_at", "notices.id")
}

pub(super) async fn list_notices<M: Mode>(session: &mut Session<M>, page: Page) -> Result<Slice<Notice>, StoreError> {
    session.load_page(notices_page(page), page).await
}

pub(super) async fn add_notice(
    session: &mut Session<Writing>,
    notice: &Notice,
    a_day: u16,
) -> Result<bool, StoreError> {
    let note = Statement::new(NOTE)
        .with(notice.id.to_string())
        .with(notice.kind.as_str())
        .with(&notice.actor)
        .with(notice.actor.host())
        .with(&notice.object)
        .with(notice.received_at)
        .with(notice.document.as_str())
        .with(notice.actor.host())
        .with(notice.received_at - TimeDelta::days(1))
        .with(a_day)
        .with(a_day);
    session.execute(note).await.map(|n| n > 0)
}

pub(super) async fn is_fetch_held<M: Mode>(
    session: &mut Session<M>,
    what: &str,
    now: Instant,
) -> Result<bool, StoreError> {
    let held = fetches::what.eq(what.to_owned()).and(fetches::again_at.gt(micros(now)));
    let query = diesel::select(exists(fetches::table.filter(held)));
    session.run(|conn| query.get_result(conn)).await
}

pub(super) async fn claim_fetch(
    session: &mut Session<Writing>,
    what: &str,
    now: Instant,
    again_at: Instant,
) -> Result<bool, StoreError> {
    let claim = Statement::new(CLAIM_FETCH).with(what).with(again_at).with(now);
    session.execute(claim).await.map(|n| n > 0)
}

pub(super) async fn hold_fetch(session: &mut Session<Writing>, what: &str, until: Instant) -> Result<(), StoreError> {
    session.execute(Statement::new(HOLD_FETCH).with(what).with(until)).await.map(drop)
}

pub(super) async fn sweep(session: &mut Session<Writing>, now: Instant) -> Result<u64, StoreError> {
    let mut rows = 0;
    for (text, age) in SWEEPS {
        rows += session.execute(Statement::new(text).with(now - age).with(SWEEP)).await?;
    }
    let give_up = Statement::new(GIVE_UP).with(now).with(now - artdag_federation::delivery::GIVE_UP).with(SWEEP);
    rows += session.execute(give_up).await?;
    // After the deliveries, whose going may leave a message without any.
    rows += session.execute(Statement::new(SWEEP_MESSAGES).with(SWEEP)).await?;
    Ok(rows)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = notices, check_for_backend(Backend))]
pub(super) struct NoticeRow {
    id: String,
    kind: String,
    actor: String,
    object: String,
    received_at: Instant,
    document: String,
}

impl TryFrom<NoticeRow> for Notice {
    type Error = StoreError;

    fn try_from(row: NoticeRow) -> Result<Self, StoreError> {
        let at = Place { table: "notices", row: &row.id };
        Ok(Self {
            id: at.parse("id", &row.id)?,
            kind: row.kind,
            actor: at.parse("actor", &row.actor)?,
            object: at.parse("object", &row.object)?,
            received_at: row.received_at,
            document: row.document,
        })
    }
}
