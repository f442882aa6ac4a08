//! Servers that mail goes to. Each is a lane: a row of `peers` that says when its next mail is due.
//!
//! No delivery may wait in a lane that is not due. Whoever adds one inserts it first and then wakes the lane, which
//! locks the lane's row; whoever gives a lane back locks its row first and then, in another statement, looks what
//! waits. So of the two one sees the other.

use super::super::schema::peers;
use super::super::{Backend, dialect};
use super::rows::Place;
use super::statement::{Select, Statement, moment_text};
use super::{Mode, Session, Writing, micros};
use artdag_federation::delivery::Breaker;
use artdag_federation::{Peer, Standing};
use artdag_kernel::{Instant, StoreError};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Behind an insert of hosts and of the time from which there is mail for them. A row that stays as it is gets locked
/// all the same.
const WAKE: &str = "\
    on conflict (host) do update set due_at = \
        case when peers.open_until > excluded.due_at then peers.open_until else excluded.due_at end \
    where peers.due_at is null or peers.due_at > \
        case when peers.open_until > excluded.due_at then peers.open_until else excluded.due_at end";

/// When the next mail for a host is due, but not before the time {open}: of each inbox only the oldest counts. From one
/// inbox to the next by the index, so that it does not matter how much waits behind the oldest.
const NEXT_DUE: &str = "\
    (select case when {open} > next.due_at then {open} else next.due_at end from ( \
        with recursive line (inbox) as ( \
            select min(first.inbox) from deliveries as first where first.host = ? and first.state = 'waiting' \
            union all \
            select (select min(later.inbox) from deliveries as later \
                where later.host = ? and later.state = 'waiting' and later.inbox > line.inbox) \
            from line where line.inbox is not null \
        ) \
        select min((select head.next_at from deliveries as head \
            where head.host = ? and head.state = 'waiting' and head.inbox = line.inbox \
            order by head.activity limit 1)) as due_at \
        from line where line.inbox is not null \
    ) as next)";

/// The lanes of one standing that mail is due for and nobody holds. Each standing has an index in this order.
const DUE: &str = "\
    select host from peers where {standing} and due_at <= ? and (lease_until is null or lease_until <= ?) \
    order by due_at, host limit ?";

pub(super) async fn find<M: Mode>(session: &mut Session<M>, host: &str) -> Result<Option<Peer>, StoreError> {
    let query = peers::table.find(host.to_owned()).select(PeerRow::as_select());
    let row = session.run(|conn| async move { query.first(conn).await.optional() }).await?;
    row.map(Peer::try_from).transpose()
}

/// Those in trouble, the worst first, or the others.
pub(super) fn of_health(in_trouble: bool, most: u16) -> Select<PeerRow> {
    let of = if in_trouble {
        "from peers where peers.failures > 0 order by peers.failures desc, peers.host limit ?"
    } else {
        "from peers where peers.failures = 0 order by peers.host limit ?"
    };
    Select::new(Statement::new(of).with(most))
}

pub(super) async fn list<M: Mode>(session: &mut Session<M>, most: u16) -> Result<Vec<Peer>, StoreError> {
    let mut peers: Vec<Peer> = session.load(of_health(true, most)).await?;
    let room = room(most, peers.len());
    if room > 0 {
        peers.extend(session.load(of_health(false, room)).await?);
    }
    Ok(peers)
}

/// Few of all hosts have mail at a time; the operator's commands ask for them, and nobody else.
pub(super) fn with_mail(after: &str, most: u16) -> Statement<Text> {
    const WITH_MAIL: &str = "select host from peers where host > ? and due_at is not null order by host limit ?";
    Statement::new(WITH_MAIL).with(after).with(most)
}

/// How many more there may be.
fn room(most: u16, found: usize) -> u16 {
    most.saturating_sub(u16::try_from(found).unwrap_or(u16::MAX))
}

/// There is new mail for hosts, and mail came from others. In one statement and in the order of the hosts, so that two
/// who do this cannot wait for each other.
pub(super) async fn wake(
    session: &mut Session<Writing>,
    mail_for: &[&str],
    heard_from: &[String],
    now: Instant,
) -> Result<(), StoreError> {
    let shut = shut_off(session, heard_from, now).await?;
    let mut lanes: BTreeMap<&str, Option<Instant>> = shut.iter().map(|host| (host.as_str(), None)).collect();
    lanes.extend(mail_for.iter().map(|host| (*host, Some(now))));
    if lanes.is_empty() {
        return Ok(());
    }
    let (elements, moment) = (dialect::ELEMENTS, dialect::MOMENT);
    // A lane without a time is locked and stays as it is.
    let text = format!(
        "insert into peers (host, due_at) select element.value ->> 0, cast(element.value ->> 1 as {moment}) \
        from {elements} where true {WAKE}"
    );
    let lanes: Value = lanes.iter().map(|(host, due_at)| json!([host, due_at.map(moment_text)])).collect();
    session.execute(Statement::new(text).with(lanes.to_string())).await?;
    for host in shut {
        const PROBE: &str = "\
            update peers set open_until = ?, due_at = case when due_at > ? then ? else due_at end \
            where host = ? and open_until > ?";
        let now = micros(now);
        let probe = Statement::new(PROBE).with(now).with(now).with(now).with(host).with(now);
        session.execute(probe).await?;
    }
    Ok(())
}

/// Which of these hosts are held back by their breakers. Nearly always there is none, and nothing to lock.
async fn shut_off(
    session: &mut Session<Writing>,
    hosts: &[String],
    now: Instant,
) -> Result<BTreeSet<String>, StoreError> {
    if hosts.is_empty() {
        return Ok(BTreeSet::new());
    }
    let of = peers::table.filter(peers::host.eq_any(hosts.to_vec())).filter(peers::open_until.gt(micros(now)));
    let query = of.select(peers::host);
    let hosts: Vec<String> = session.run(|conn| query.load(conn)).await?;
    Ok(hosts.into_iter().collect())
}

/// The lanes that may be claimed, at most so many of each standing.
pub(super) fn due(now: Instant, most: [u16; 3]) -> Statement<Text> {
    let of = |standing: Standing| {
        let standing = match standing {
            Standing::Proven => "failures = 0 and last_success_at is not null",
            Standing::New => "failures = 0 and last_success_at is null",
            Standing::Troubled => "failures > 0",
        };
        format!("select host from ({}{}) as due", DUE.replace("{standing}", standing), dialect::SKIP_LOCKED)
    };
    let all = Statement::new(Standing::ALL.map(of).join(" union all "));
    most.into_iter().fold(all, |all, most| all.with(now).with(now).with(most))
}

pub(super) async fn claim(
    session: &mut Session<Writing>,
    holder: &str,
    now: Instant,
    until: Instant,
    most: [u16; 3],
) -> Result<Vec<Peer>, StoreError> {
    let query = due(now, most);
    let hosts: Vec<String> = session.run(|conn| query.load(conn)).await?;
    // A worker that finds nothing writes nothing.
    if hosts.is_empty() {
        return Ok(Vec::new());
    }
    let query = diesel::update(peers::table.filter(peers::host.eq_any(hosts.clone())))
        .set((peers::holder.eq(holder.to_owned()), peers::lease_until.eq(micros(until))))
        .returning(PeerRow::as_returning());
    let mut rows: Vec<PeerRow> = session.run(|conn| query.get_results(conn)).await?;
    rows.sort_by_cached_key(|row| hosts.iter().position(|host| *host == row.host));
    rows.into_iter().map(Peer::try_from).collect()
}

pub(super) async fn renew(
    session: &mut Session<Writing>,
    holder: &str,
    hosts: &[String],
    until: Instant,
) -> Result<Vec<String>, StoreError> {
    session.run(|conn| dialect::lock_lanes(conn, hosts.to_vec())).await?;
    let held = peers::table.filter(peers::host.eq_any(hosts.to_vec())).filter(peers::holder.eq(holder.to_owned()));
    let query = diesel::update(held).set(peers::lease_until.eq(micros(until))).returning(peers::host);
    let mut kept: Vec<String> = session.run(|conn| query.get_results(conn)).await?;
    kept.sort_unstable();
    Ok(kept)
}

pub(super) async fn release(
    session: &mut Session<Writing>,
    holder: &str,
    peers: &[&Peer],
) -> Result<Vec<String>, StoreError> {
    if peers.is_empty() {
        return Ok(Vec::new());
    }
    let hosts: Vec<String> = peers.iter().map(|peer| peer.host.clone()).collect();
    session.run(|conn| dialect::lock_lanes(conn, hosts)).await?;
    let release = released(holder, peers);
    let mut hosts: Vec<String> = session.run(|conn| release.load(conn)).await?;
    hosts.sort_unstable();
    Ok(hosts)
}

pub(super) fn released(holder: &str, peers: &[&Peer]) -> Statement<Text> {
    let (elements, moment) = (dialect::ELEMENTS, dialect::MOMENT);
    let due = NEXT_DUE.replace("{open}", "lane.open_until").replace('?', "peers.host");
    let text = format!(
        "update peers set failures = lane.failures, failing_since = lane.failing_since, open_until = lane.open_until, \
            scheme = lane.scheme, scheme_known_at = lane.scheme_known_at, width = lane.width, \
            last_success_at = lane.last_success_at, last_error = lane.last_error, \
            holder = null, lease_until = null, due_at = {due} \
        from (select element.value ->> 0 as host, cast(element.value ->> 1 as bigint) as failures, \
                cast(element.value ->> 2 as {moment}) as failing_since, \
                cast(element.value ->> 3 as {moment}) as open_until, element.value ->> 4 as scheme, \
                cast(element.value ->> 5 as {moment}) as scheme_known_at, \
                cast(element.value ->> 6 as bigint) as width, \
                cast(element.value ->> 7 as {moment}) as last_success_at, element.value ->> 8 as last_error \
            from {elements} limit ?) as lane \
        where peers.host = lane.host and peers.holder = ? returning peers.host"
    );
    let elements: Vec<Value> = peers.iter().map(|peer| released_element(peer)).collect();
    Statement::new(text)
        .with(json!(elements).to_string())
        .with(i64::try_from(elements.len()).unwrap_or(i64::MAX))
        .with(holder)
}

fn released_element(peer: &Peer) -> Value {
    // Every field is named, so that a new one cannot be forgotten here.
    let Peer { host, breaker, scheme, width, last_success_at, last_error, due_at: _ } = peer;
    let Breaker { failures, since, open_until } = breaker;
    json!([
        host,
        failures,
        since.map(moment_text),
        open_until.map(moment_text),
        scheme.map(|(scheme, _)| scheme.as_str()),
        scheme.map(|(_, known_at)| moment_text(known_at)),
        width,
        last_success_at.map(moment_text),
        last_error,
    ])
}

/// What waits for a host, or for all, may go at once.
pub(super) async fn hurry(session: &mut Session<Writing>, host: Option<&str>, now: Instant) -> Result<(), StoreError> {
    const SLOW: &str = "where (failures > 0 or due_at > ?)";
    const HURRY: &str = "\
        update peers set failures = 0, failing_since = null, open_until = null, \
            due_at = case when due_at > ? then ? else due_at end ";
    let slow = |text: &str| Statement::new(text.to_owned()).then(SLOW);
    let query: Statement<Text> = Statement::new(format!("select host from peers {SLOW}")).with(now);
    let query = query.then_if(" and host = ?", host);
    let hosts: Vec<String> = session.run(|conn| query.load(conn)).await?;
    session.run(|conn| dialect::lock_lanes(conn, hosts)).await?;
    let hurry = slow(HURRY).with(now).with(now).with(now).then_if(" and host = ?", host);
    session.execute(hurry).await.map(drop)
}

/// After something that waited for a host was taken away.
pub(super) async fn settle(session: &mut Session<Writing>, host: &str) -> Result<(), StoreError> {
    session.run(|conn| dialect::lock_lanes(conn, vec![host.to_owned()])).await?;
    session.execute(settled(host)).await.map(drop)
}

pub(super) fn settled(host: &str) -> Statement {
    let due = NEXT_DUE.replace("{open}", "peers.open_until");
    let settle = Statement::new(format!("update peers set due_at = {due} where host = ?"));
    settle.with(host).with(host).with(host).with(host)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = peers, check_for_backend(Backend))]
pub(super) struct PeerRow {
    host: String,
    due_at: Option<Instant>,
    failures: i64,
    failing_since: Option<Instant>,
    open_until: Option<Instant>,
    scheme: Option<String>,
    scheme_known_at: Option<Instant>,
    width: i64,
    last_success_at: Option<Instant>,
    last_error: Option<String>,
}

impl TryFrom<PeerRow> for Peer {
    type Error = StoreError;

    fn try_from(row: PeerRow) -> Result<Self, StoreError> {
        let at = Place { table: "peers", row: &row.host };
        let breaker = Breaker {
            failures: at.sound("failures", u32::try_from(row.failures))?,
            since: row.failing_since,
            open_until: row.open_until,
        };
        Ok(Self {
            breaker,
            scheme: at.parse_some("scheme", row.scheme.as_deref())?.zip(row.scheme_known_at),
            width: at.sound("width", u16::try_from(row.width))?,
            last_success_at: row.last_success_at,
            last_error: row.last_error,
            due_at: row.due_at,
            host: row.host,
        })
    }
}
