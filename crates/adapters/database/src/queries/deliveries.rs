//! `DeliveryReads`, `DeliveryQueue`: what is on its way. The lanes of the hosts are in `lanes.rs`.

use super::super::schema::{deliveries, messages};
use super::super::{Backend, dialect};
use super::lanes;
use super::rows::Place;
use super::statement::{Select, Statement, moment_text};
use super::{Mode, Session, Writing, count};
use artdag_federation::{
    Concluded, Delivery, DeliveryQueue, DeliveryReads, DeliveryState, Iri, Message, Peer, Posting, SignedDocument,
};
use artdag_kernel::{ActivityId, Instant, StoreError, Username};
use async_trait::async_trait;
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};

const ADD_MESSAGE: &str = "\
    insert into messages (id, sender, created_at, document) values (?, ?, ?, ?) on conflict do nothing";

const ADD: &str = "\
    insert into deliveries (activity, inbox, host, sender, state, attempts, next_at, created_at) \
    values (?, ?, ?, ?, 'waiting', 0, ?, ?) on conflict do nothing";

const ADD_TO_FOLLOWERS: &str = "\
    insert into deliveries (activity, inbox, host, sender, state, attempts, next_at, created_at) \
    select distinct ?, coalesce(followers.shared_inbox, followers.inbox), followers.inbox_host, followers.username, \
        'waiting', 0, ?, ? \
    from followers where followers.username = ? and followers.state = 'accepted' and followers.actor > ?";

/// The last of so many followers, and nothing when there are fewer.
const LAST_FOLLOWER: &str = "\
    select case when count(*) = ? then max(page.actor) end from (\
        select followers.actor from followers \
        where followers.username = ? and followers.state = 'accepted' and followers.actor > ? \
        order by followers.actor limit ?) as page";

/// What may go to one host. In the index of what waits for it, so that the limit ends the search.
const DUE_OF_HOST: &str = "\
    select * from deliveries where deliveries.host = {host} and deliveries.state = 'waiting' \
    and deliveries.next_at <= ? and not exists (select 1 from deliveries as older \
        where older.host = deliveries.host and older.inbox = deliveries.inbox and older.state = 'waiting' \
        and older.activity < deliveries.activity and older.next_at > ?) \
    order by deliveries.activity, deliveries.inbox limit ?";

/// Takes down the elements that [`concluded_element`] makes. The state is no plain column here: SQLite would look
/// through all that waits for each of them. The limit tells PostgreSQL how few they are.
pub(super) fn conclude(concluded: &[Value]) -> Statement {
    let (elements, moment) = (dialect::ELEMENTS, dialect::MOMENT);
    let text = format!(
        "update deliveries set state = done.state, next_at = done.next_at, \
            attempts = deliveries.attempts + done.attempts, last_status = done.status, last_error = done.error \
        from (select element.value ->> 0 as activity, element.value ->> 1 as inbox, element.value ->> 2 as state, \
                cast(element.value ->> 3 as {moment}) as next_at, cast(element.value ->> 4 as bigint) as attempts, \
                cast(element.value ->> 5 as bigint) as status, element.value ->> 6 as error \
            from {elements} limit ?) as done \
        where deliveries.activity = done.activity and deliveries.inbox = done.inbox \
        and deliveries.state || '' = 'waiting'"
    );
    Statement::new(text).with(json!(concluded).to_string()).with(i64::try_from(concluded.len()).unwrap_or(i64::MAX))
}

/// For the followers behind one, up to another. Answers the hosts of what was added.
pub(super) fn add_to_followers(
    activity: ActivityId,
    sender: &Username,
    (after, last): (Option<&Iri>, Option<&str>),
    now: Instant,
) -> Statement<Text> {
    let add = Statement::new(ADD_TO_FOLLOWERS).with(activity).with(now).with(now).with(sender);
    let add = add.with(after.map_or("", Iri::as_str)).then_if(" and followers.actor <= ?", last);
    add.then(" on conflict do nothing returning host")
}

pub(super) fn last_follower(sender: &Username, after: Option<&Iri>, most: u16) -> Statement<Nullable<Text>> {
    Statement::new(LAST_FOLLOWER).with(most).with(sender).with(after.map_or("", Iri::as_str)).with(most)
}

#[async_trait]
impl<M: Mode> DeliveryReads for Session<M> {
    async fn list_deliveries(
        &mut self,
        state: Option<DeliveryState>,
        host: Option<&str>,
        most: u16,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.load(newest(state, host, most)).await
    }

    async fn list_failing(
        &mut self,
        sender: &Username,
        state: DeliveryState,
        most: u16,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.load(failing(sender, state, most)).await
    }

    async fn count_deliveries(&mut self) -> Result<[u64; 3], StoreError> {
        let query = deliveries::table.group_by(deliveries::state).select((deliveries::state, count_star()));
        let rows: Vec<(String, i64)> = self.run(|conn| query.load(conn)).await?;
        let of = |state: DeliveryState| rows.iter().find(|(word, _)| word == state.as_str());
        Ok(DeliveryState::ALL.map(|state| of(state).map_or(0, |(_, n)| count(*n))))
    }

    async fn find_peer(&mut self, host: &str) -> Result<Option<Peer>, StoreError> {
        lanes::find(self, host).await
    }

    async fn list_peers(&mut self, most: u16) -> Result<Vec<Peer>, StoreError> {
        lanes::list(self, most).await
    }

    async fn hosts_with_mail(&mut self, after: &str, most: u16) -> Result<Vec<String>, StoreError> {
        let query = lanes::with_mail(after, most);
        self.run(|conn| query.load(conn)).await
    }

    async fn find_message(&mut self, id: ActivityId) -> Result<Option<Message>, StoreError> {
        let query = messages::table.find(id.to_string()).select(MessageRow::as_select());
        let row = self.run(|conn| async move { query.first(conn).await.optional() }).await?;
        row.map(Message::try_from).transpose()
    }

    async fn due_deliveries(
        &mut self,
        hosts: &[String],
        now: Instant,
        per_host: u16,
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut due: Vec<Delivery> = Vec::new();
        for hosts in hosts.chunks(MOST_HOSTS) {
            due.extend(self.load(due_of(hosts, now, per_host)).await?);
        }
        Ok(due)
    }
}

#[async_trait]
impl DeliveryQueue for Session<Writing> {
    async fn add_message(&mut self, message: &Message) -> Result<(), StoreError> {
        let add = Statement::new(ADD_MESSAGE)
            .with(message.id)
            .with(&message.sender)
            .with(message.created_at)
            .with(message.document.as_str());
        match self.execute(add).await? {
            0 => Err(StoreError::Conflict("message")),
            _ => Ok(()),
        }
    }

    async fn add_delivery(
        &mut self,
        activity: ActivityId,
        sender: &Username,
        inbox: &Iri,
        now: Instant,
    ) -> Result<(), StoreError> {
        let posting = Posting { message: activity, sender: sender.clone(), inbox: inbox.clone() };
        self.add_deliveries(&[posting], &[], now).await
    }

    async fn add_deliveries(
        &mut self,
        mail: &[Posting],
        heard_from: &[String],
        now: Instant,
    ) -> Result<(), StoreError> {
        let mut hosts = Vec::new();
        for Posting { message, sender, inbox } in mail {
            let add =
                Statement::new(ADD).with(*message).with(inbox).with(inbox.host()).with(sender).with(now).with(now);
            if self.execute(add).await? > 0 {
                hosts.push(inbox.host());
            }
        }
        lanes::wake(self, &hosts, heard_from, now).await
    }

    async fn add_deliveries_to_followers(
        &mut self,
        activities: &[ActivityId],
        sender: &Username,
        after: Option<&Iri>,
        most: u16,
        now: Instant,
    ) -> Result<(u64, Option<Iri>), StoreError> {
        // Before anything is added: whoever comes or goes meanwhile moves nobody else to the other side of it.
        let last = last_follower(sender, after, most);
        let last: Option<String> = self.run(|conn| last.get_result(conn)).await?;
        let mut added: Vec<String> = Vec::new();
        for activity in activities {
            let add = add_to_followers(*activity, sender, (after, last.as_deref()), now);
            added.append(&mut self.run(|conn| add.load(conn)).await?);
        }
        let hosts: Vec<&str> = added.iter().map(String::as_str).collect();
        lanes::wake(self, &hosts, &[], now).await?;
        let at = Place { table: "followers", row: sender.as_str() };
        let last = last.map(|actor| at.parse("actor", &actor)).transpose()?;
        Ok((added.len() as u64, last))
    }

    async fn claim_lanes(
        &mut self,
        holder: &str,
        now: Instant,
        until: Instant,
        most: [u16; 3],
    ) -> Result<Vec<Peer>, StoreError> {
        lanes::claim(self, holder, now, until, most).await
    }

    async fn renew_lanes(&mut self, holder: &str, hosts: &[String], until: Instant) -> Result<Vec<String>, StoreError> {
        lanes::renew(self, holder, hosts, until).await
    }

    async fn conclude_deliveries(&mut self, concluded: &[Concluded]) -> Result<(), StoreError> {
        if concluded.is_empty() {
            return Ok(());
        }
        // In one order, so that two who conclude the same cannot wait for each other.
        let mut sorted: Vec<&Concluded> = concluded.iter().collect();
        sorted.sort_unstable_by_key(|done| (done.activity, &done.inbox));
        let elements: Vec<Value> = sorted.into_iter().map(concluded_element).collect();
        self.execute(conclude(&elements)).await.map(drop)
    }

    async fn release_lanes(&mut self, holder: &str, peers: &[&Peer]) -> Result<Vec<String>, StoreError> {
        lanes::release(self, holder, peers).await
    }

    async fn heard_from(&mut self, hosts: &[String], now: Instant) -> Result<(), StoreError> {
        lanes::wake(self, &[], hosts, now).await
    }

    async fn hurry_deliveries(&mut self, host: Option<&str>, now: Instant) -> Result<u64, StoreError> {
        let text = "update deliveries set next_at = ? where state = 'waiting'";
        let hurried = self.execute(Statement::new(text).with(now).then_if(" and host = ?", host)).await?;
        lanes::hurry(self, host, now).await?;
        Ok(hurried)
    }

    async fn drop_deliveries(&mut self, host: &str, reason: &str, now: Instant) -> Result<u64, StoreError> {
        const DROP: &str = "\
            update deliveries set state = 'failed', next_at = ?, last_error = ? where host = ? and state = 'waiting'";
        let dropped = self.execute(Statement::new(DROP).with(now).with(reason).with(host)).await?;
        lanes::settle(self, host).await?;
        Ok(dropped)
    }
}

fn concluded_element(done: &Concluded) -> Value {
    json!([
        done.activity.to_string(),
        done.inbox.as_str(),
        done.state.as_str(),
        moment_text(done.next_at),
        i64::from(done.attempted),
        done.status,
        done.error,
    ])
}

/// By the primary key, past those that are not asked for, or by an index of those that wait or of those that failed. Such an
/// index is known by its condition, which is why the state stands in the text.
pub(super) fn newest(state: Option<DeliveryState>, host: Option<&str>, most: u16) -> Select<DeliveryRow> {
    let in_state = state.map(|state| format!(" and deliveries.state = '{}'", state.as_str())).unwrap_or_default();
    let of = Statement::new(format!("from deliveries where 1 = 1{in_state}")).then_if(" and deliveries.host = ?", host);
    Select::new(of.then(" order by deliveries.activity desc, deliveries.inbox desc limit ?").with(most))
}

pub(super) fn failing(sender: &Username, state: DeliveryState, most: u16) -> Select<DeliveryRow> {
    const FAILING: &str = "\
        from deliveries where deliveries.sender = ? and deliveries.state = ? and deliveries.last_error is not null \
        order by deliveries.created_at desc, deliveries.activity desc limit ?";
    Select::new(Statement::new(FAILING).with(sender).with(state.as_str()).with(most))
}

/// SQLite takes 500 queries in one.
const MOST_HOSTS: usize = 250;

/// What may go to each of these hosts, in their order.
pub(super) fn due_of(hosts: &[String], now: Instant, per_host: u16) -> Select<DeliveryRow> {
    let due = |of: Statement| of.with(now).with(now).with(per_host);
    Select::new(match dialect::OF_EACH_LANE {
        Some(each) => {
            let of_each = DUE_OF_HOST.replace("{host}", "lane.host");
            let hosts = json!(hosts).to_string();
            due(Statement::new(format!("from {each} ({of_each}) as deliveries")).with(hosts))
        }
        None => {
            let of_one = format!("select * from ({})", DUE_OF_HOST.replace("{host}", "?"));
            let texts = vec![of_one; hosts.len()].join(" union all ");
            let all = Statement::new(format!("from ({texts}) as deliveries")).varied();
            hosts.iter().fold(all, |all, host| due(all.with(host.as_str())))
        }
    })
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = deliveries, check_for_backend(Backend))]
pub(super) struct DeliveryRow {
    activity: String,
    inbox: String,
    sender: String,
    state: String,
    attempts: i64,
    next_at: Instant,
    created_at: Instant,
    last_status: Option<i64>,
    last_error: Option<String>,
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self, StoreError> {
        let at = Place { table: "deliveries", row: &row.activity };
        Ok(Self {
            activity: at.parse("activity", &row.activity)?,
            sender: at.parse("sender", &row.sender)?,
            inbox: at.parse("inbox", &row.inbox)?,
            state: at.one_of("state", &DeliveryState::ALL, DeliveryState::as_str, &row.state)?,
            attempts: at.sound("attempts", u32::try_from(row.attempts))?,
            next_at: row.next_at,
            created_at: row.created_at,
            last_status: at.sound("last_status", row.last_status.map(u16::try_from).transpose())?,
            last_error: row.last_error,
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = messages, check_for_backend(Backend))]
struct MessageRow {
    id: String,
    sender: String,
    created_at: Instant,
    document: String,
}

impl TryFrom<MessageRow> for Message {
    type Error = StoreError;

    fn try_from(row: MessageRow) -> Result<Self, StoreError> {
        let at = Place { table: "messages", row: &row.id };
        Ok(Self {
            id: at.parse("id", &row.id)?,
            sender: at.parse("sender", &row.sender)?,
            created_at: row.created_at,
            document: SignedDocument::from_stored(row.document),
        })
    }
}
