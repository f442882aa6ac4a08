//! `ActivityLog`

use super::super::schema::{Moment, log_state};
use super::{Session, Writing, count, micros};
use artdag_federation::ActivityLog;
use artdag_kernel::{Instant, StoreError};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;

const TAKE_LEASE: &str = "\
    insert into leases (name, holder, expires_at) values ($1, $2, $3) \
    on conflict (name) do update set holder = excluded.holder, expires_at = excluded.expires_at \
    where leases.holder = excluded.holder or leases.expires_at <= $4";

/// The numbers from $1 on, to the first $2 of those that wait.
pub(super) const NUMBER: &str = "\
    update activities set log_index = waiting.log_index from (\
        select id, $1 - 1 + row_number() over (order by published_at, id) as log_index \
        from activities where log_index is null order by published_at, id limit $2\
    ) as waiting where activities.id = waiting.id";

/// Adds to each actor's counters what stands in the log from $1 on, before $2.
const COUNT_FOR_ACTORS: &str = "\
    update users set \
        activity_count = users.activity_count + news.activities, asset_count = users.asset_count + news.assets \
    from (\
        select actor, count(*) as activities, \
            sum(case kind when 'Create' then 1 when 'Delete' then -1 else 0 end) as assets \
        from activities where log_index >= $1 and log_index < $2 group by actor\
    ) as news where users.username = news.actor";

/// The same for everybody together; the log ends before $1 then.
const COUNT_FOR_ALL: &str = "\
    update log_state set size = $1, assets = log_state.assets + news.assets \
    from (\
        select coalesce(sum(case kind when 'Create' then 1 when 'Delete' then -1 else 0 end), 0) as assets \
        from activities where log_index >= $2 and log_index < $3\
    ) as news where log_state.id = 1";

#[async_trait]
impl ActivityLog for Session<Writing> {
    async fn take_lease(&mut self, name: &str, holder: &str, now: Instant, until: Instant) -> Result<bool, StoreError> {
        let query = sql_query(TAKE_LEASE)
            .bind::<Text, _>(name.to_owned())
            .bind::<Text, _>(holder.to_owned())
            .bind::<Moment, _>(micros(until))
            .bind::<Moment, _>(micros(now));
        self.run(|conn| query.execute(conn)).await.map(|n| n > 0)
    }

    async fn release_lease(&mut self, name: &str, holder: &str) -> Result<(), StoreError> {
        let query = sql_query("delete from leases where name = $1 and holder = $2")
            .bind::<Text, _>(name.to_owned())
            .bind::<Text, _>(holder.to_owned());
        self.run(|conn| query.execute(conn)).await.map(drop)
    }

    async fn log_size(&mut self) -> Result<u64, StoreError> {
        let query = log_state::table.select(log_state::size);
        self.run(|conn| query.first(conn)).await.map(count)
    }

    async fn extend_log(&mut self, size: u64, limit: u16) -> Result<Option<u64>, StoreError> {
        let Ok(from) = i64::try_from(size) else { return Ok(None) };
        // Changes nothing, but locks the row: another sequencer waits here, then finds another size.
        let same = log_state::table.filter(log_state::id.eq(1)).filter(log_state::size.eq(from));
        let lock = diesel::update(same).set(log_state::size.eq(from));
        if self.run(|conn| lock.execute(conn)).await? == 0 {
            return Ok(None);
        }
        let number = sql_query(NUMBER).bind::<BigInt, _>(from).bind::<BigInt, _>(i64::from(limit));
        let given = self.run(|conn| number.execute(conn)).await?;
        if given > 0 {
            let to = from.saturating_add_unsigned(given as u64);
            let actors = sql_query(COUNT_FOR_ACTORS).bind::<BigInt, _>(from).bind::<BigInt, _>(to);
            self.run(|conn| actors.execute(conn)).await?;
            let all = sql_query(COUNT_FOR_ALL).bind::<BigInt, _>(to).bind::<BigInt, _>(from).bind::<BigInt, _>(to);
            self.run(|conn| all.execute(conn)).await?;
        }
        Ok(Some(given as u64))
    }
}
