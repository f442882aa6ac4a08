//! `WitnessReads`, `WitnessRepository`

use super::super::schema::witnessed_logs;
use super::rows::Place;
use super::statement::Statement;
use super::{Mode, Session, Writing, count};
use artdag_anchoring::checkpoint::SignedCheckpoint;
use artdag_anchoring::{Digest, WitnessReads, WitnessRepository};
use artdag_kernel::{Instant, StoreError};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

const SEE_FIRST: &str = "\
    insert into witnessed_logs (size, root, note, seen_at, origin) values (?, ?, ?, ?, ?) \
    on conflict (origin) do nothing";

const SEE_NEXT: &str = "\
    update witnessed_logs set size = ?, root = ?, note = ?, seen_at = ? where origin = ? and size = ? and root = ?";

#[async_trait]
impl<M: Mode> WitnessReads for Session<M> {
    async fn last_seen(&mut self, origin: &str) -> Result<Option<(u64, Digest)>, StoreError> {
        let query = witnessed_logs::table.find(origin.to_owned()).select((witnessed_logs::size, witnessed_logs::root));
        let row: Option<(i64, Vec<u8>)> = self.run(|conn| async move { query.first(conn).await.optional() }).await?;
        let Some((size, root)) = row else {
            return Ok(None);
        };
        let root = Place { table: "witnessed_logs", row: origin }.digest("root", root)?;
        Ok(Some((count(size), root)))
    }
}

#[async_trait]
impl WitnessRepository for Session<Writing> {
    async fn note_seen(
        &mut self,
        (last_size, last_root): (u64, Digest),
        seen: &SignedCheckpoint,
        now: Instant,
    ) -> Result<bool, StoreError> {
        let checkpoint = seen.checkpoint();
        let (Ok(size), Ok(last)) = (i64::try_from(checkpoint.size()), i64::try_from(last_size)) else {
            return Ok(false);
        };
        let note = |text| {
            let values = Statement::new(text).with(size).with(checkpoint.root()).with(seen.to_string()).with(now);
            values.with(checkpoint.origin())
        };
        // Never seen, or seen when it was empty.
        if last == 0 && self.execute(note(SEE_FIRST)).await? > 0 {
            return Ok(true);
        }
        self.execute(note(SEE_NEXT).with(last).with(last_root)).await.map(|n| n > 0)
    }
}
