//! `LogReads`, `LogRepository`

use super::super::Backend;
use super::super::schema::{log_checkpoints, log_state, log_witnesses};
use super::rows::Place;
use super::statement::{Select, Statement};
use super::{Mode, Session, Writing, count, place};
use artdag_anchoring::checkpoint::{NoteSignature, SignedCheckpoint};
use artdag_anchoring::log::{Appended, BundleId, EntryBundle, TileId, TileSet};
use artdag_anchoring::{Digest, KeptCheckpoint, LogHead, LogReads, LogRepository, LogWitness};
use artdag_kernel::{Instant, StoreError};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};
use diesel_async::RunQueryDsl;

/// The level at which entries are kept, which are no tile of hashes.
pub(super) const ENTRIES: i64 = -1;

const HEAD: &str = "\
    select size, tree_size, coalesce((select max(size) from log_checkpoints), 0) as signed_size \
    from log_state where id = 1";

const ADD_CHECKPOINT: &str = "\
    insert into log_checkpoints (size, root, note, created_at) values (?, ?, ?, ?) on conflict (size) do nothing";

const SAVE_WITNESS: &str = "\
    insert into log_witnesses (witness, seen_size, cosigned_at, failures, last_error, due_at) \
    values (?, ?, ?, ?, ?, ?) \
    on conflict (witness) do update set seen_size = excluded.seen_size, cosigned_at = excluded.cosigned_at, \
        failures = excluded.failures, last_error = excluded.last_error, due_at = excluded.due_at";

/// Tiles by level and index. Both engines name the columns of `values` so.
pub(super) fn tiles_at(places: &[(i64, i64)]) -> Statement<(BigInt, BigInt, Binary)> {
    let mut query = Statement::new("select log_tiles.level, log_tiles.idx, log_tiles.hashes from (values");
    let mut before = " (cast(? as bigint), cast(";
    for (level, index) in places {
        query = query.then(before).with(*level).then("? as bigint))").with(*index);
        before = ", (cast(? as bigint), cast(";
    }
    query.then(") as wanted join log_tiles on log_tiles.level = wanted.column1 and log_tiles.idx = wanted.column2")
}

#[async_trait]
impl<M: Mode> LogReads for Session<M> {
    async fn log_head(&mut self) -> Result<LogHead, StoreError> {
        let query = Statement::<(BigInt, BigInt, BigInt)>::new(HEAD);
        let (size, tree_size, signed_size): (i64, i64, i64) = self.run(|conn| query.get_result(conn)).await?;
        Ok(LogHead { size: count(size), tree_size: count(tree_size), signed_size: count(signed_size) })
    }

    async fn load_tiles(&mut self, tiles: &[TileId]) -> Result<TileSet, StoreError> {
        let mut found = TileSet::new();
        let places: Vec<_> =
            tiles.iter().filter_map(|tile| Some((i64::from(tile.level()), place(tile.index())?))).collect();
        if places.is_empty() {
            return Ok(found);
        }
        let query = tiles_at(&places);
        let rows: Vec<(i64, i64, Vec<u8>)> = self.run(|conn| query.load(conn)).await?;
        for tile in tiles {
            let row = rows
                .iter()
                .find(|(level, index, _)| i64::from(tile.level()) == *level && place(tile.index()) == Some(*index));
            // One that is narrower than its name says is one that is not there yet.
            if let Some((_, _, hashes)) = row.filter(|(_, _, hashes)| hashes.len() >= 32 * usize::from(tile.width())) {
                let at = Place { table: "log_tiles", row: &tile.to_string() };
                at.sound("hashes", found.insert(*tile, hashes))?;
            }
        }
        Ok(found)
    }

    async fn find_bundle(&mut self, bundle: BundleId) -> Result<Option<EntryBundle>, StoreError> {
        let Some(index) = place(bundle.index()) else {
            return Ok(None);
        };
        let query = tiles_at(&[(ENTRIES, index)]);
        let row: Option<(i64, i64, Vec<u8>)> =
            self.run(|conn| async move { query.get_result(conn).await.optional() }).await?;
        let entries: Vec<Digest> =
            row.iter().flat_map(|(_, _, hashes)| hashes.as_chunks().0).copied().map(Digest::from_bytes).collect();
        Ok(entries.get(..bundle.width().into()).and_then(|entries| EntryBundle::new(entries.to_vec())))
    }

    async fn newest_checkpoint(&mut self) -> Result<Option<KeptCheckpoint>, StoreError> {
        Ok(self.list_checkpoints(None, 1).await?.pop())
    }

    async fn find_checkpoint(&mut self, size: u64) -> Result<Option<KeptCheckpoint>, StoreError> {
        let Some(size) = place(size) else {
            return Ok(None);
        };
        let query = Statement::new("from log_checkpoints where size = ?").with(size);
        Ok(self.load(Select::<CheckpointRow>::new(query)).await?.pop())
    }

    async fn list_checkpoints(&mut self, before: Option<u64>, limit: u16) -> Result<Vec<KeptCheckpoint>, StoreError> {
        // Beyond what can be stored there is nothing to leave out.
        let before = before.and_then(place).unwrap_or(i64::MAX);
        let query = Statement::new("from log_checkpoints where size < ? order by size desc limit ?");
        self.load(Select::<CheckpointRow>::new(query.with(before).with(limit))).await
    }

    async fn log_witnesses(&mut self) -> Result<Vec<LogWitness>, StoreError> {
        let query = Statement::new("from log_witnesses order by witness");
        self.load(Select::<WitnessRow>::new(query)).await
    }
}

#[async_trait]
impl LogRepository for Session<Writing> {
    async fn advance_tree(&mut self, from: u64, to: u64) -> Result<bool, StoreError> {
        let (Some(from), Some(to)) = (place(from), place(to)) else {
            return Ok(false);
        };
        let same = log_state::table.filter(log_state::id.eq(1)).filter(log_state::tree_size.eq(from));
        let query = diesel::update(same).set(log_state::tree_size.eq(to));
        self.run(|conn| query.execute(conn)).await.map(|n| n > 0)
    }

    async fn write_tiles(&mut self, appended: &Appended) -> Result<(), StoreError> {
        let tiles = appended.tiles().map(|(tile, bytes)| (i64::from(tile.level()), tile.index(), bytes));
        let bundles = appended.entries().map(|(bundle, entries)| {
            (ENTRIES, bundle.index(), entries.iter().flat_map(|entry| *entry.as_bytes()).collect::<Vec<u8>>())
        });
        let mut write = Statement::new("insert into log_tiles (level, idx, hashes) values");
        let mut before = " (?, ";
        for (level, index, hashes) in tiles.chain(bundles) {
            let at = Place { table: "log_tiles", row: &index.to_string() };
            let index: i64 = at.sound("idx", index.try_into())?;
            write = write.then(before).with(level).then("?, ").with(index).then("?)").with(hashes);
            before = ", (?, ";
        }
        if appended.tiles().next().is_none() {
            return Ok(());
        }
        let write = write.then(" on conflict (level, idx) do update set hashes = excluded.hashes");
        self.execute(write).await.map(drop)
    }

    async fn add_checkpoint(&mut self, signed: &SignedCheckpoint, now: Instant) -> Result<(), StoreError> {
        let (size, root) = (signed.checkpoint().size(), signed.checkpoint().root());
        let at = Place { table: "log_checkpoints", row: &size.to_string() };
        let stored: i64 = at.sound("size", size.try_into())?;
        let add = Statement::new(ADD_CHECKPOINT).with(stored).with(root).with(signed.to_string()).with(now);
        if self.execute(add).await? > 0 {
            return Ok(());
        }
        match self.find_checkpoint(size).await? {
            Some(kept) if kept.signed.checkpoint().root() == root => Ok(()),
            _ => Err(StoreError::Conflict("checkpoint")),
        }
    }

    async fn add_cosignatures(&mut self, size: u64, signatures: &[NoteSignature]) -> Result<bool, StoreError> {
        // Whoever was quicker has changed what this was added to, so it ends.
        loop {
            let Some(mut kept) = self.find_checkpoint(size).await? else {
                return Ok(false);
            };
            let before = kept.signed.to_string();
            let at = Place { table: "log_checkpoints", row: &size.to_string() };
            for signature in signatures {
                at.sound("note", kept.signed.add(signature.clone()))?;
            }
            let after = kept.signed.to_string();
            if after == before {
                return Ok(true);
            }
            let size: i64 = at.sound("size", size.try_into())?;
            let change = Statement::new("update log_checkpoints set note = ? where size = ? and note = ?");
            if self.execute(change.with(after).with(size).with(before)).await? > 0 {
                return Ok(true);
            }
        }
    }

    async fn save_log_witness(&mut self, witness: &LogWitness) -> Result<(), StoreError> {
        // Every field is named, so that a new one cannot be forgotten here.
        let LogWitness { key, seen_size, cosigned_at, failures, last_error, due_at } = witness;
        let key = key.to_string();
        let at = Place { table: "log_witnesses", row: &key };
        let seen_size: i64 = at.sound("seen_size", (*seen_size).try_into())?;
        let save = Statement::new(SAVE_WITNESS).with(key.as_str()).with(seen_size).with(*cosigned_at);
        let save = save.with(i64::from(*failures)).with(last_error.clone()).with(*due_at);
        self.execute(save).await.map(drop)
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = log_checkpoints, check_for_backend(Backend))]
pub(super) struct CheckpointRow {
    size: i64,
    note: String,
    created_at: Instant,
}

impl TryFrom<CheckpointRow> for KeptCheckpoint {
    type Error = StoreError;

    fn try_from(row: CheckpointRow) -> Result<Self, StoreError> {
        let at = Place { table: "log_checkpoints", row: &row.size.to_string() };
        let signed = at.sound("note", SignedCheckpoint::parse(&row.note))?;
        Ok(Self { signed, created_at: row.created_at })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = log_witnesses, check_for_backend(Backend))]
pub(super) struct WitnessRow {
    witness: String,
    seen_size: i64,
    cosigned_at: Option<Instant>,
    failures: i64,
    last_error: Option<String>,
    due_at: Instant,
}

impl TryFrom<WitnessRow> for LogWitness {
    type Error = StoreError;

    fn try_from(row: WitnessRow) -> Result<Self, StoreError> {
        let at = Place { table: "log_witnesses", row: &row.witness };
        Ok(Self {
            key: at.parse("witness", &row.witness)?,
            seen_size: at.sound("seen_size", row.seen_size.try_into())?,
            cosigned_at: row.cosigned_at,
            failures: at.sound("failures", row.failures.try_into())?,
            last_error: row.last_error,
            due_at: row.due_at,
        })
    }
}
