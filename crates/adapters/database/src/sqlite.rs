//! SQLite: the embedded default, for one server process.

mod file;
#[path = "queries/mod.rs"]
mod queries;
#[path = "schema.rs"]
mod schema;

use crate::OpenError;
use diesel::{ConnectionError, SqliteConnection};
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use file::Blocking;
use queries::PooledStore;
use std::path::{Path, PathBuf};

type Backend = diesel::sqlite::Sqlite;
type Connection = SyncConnectionWrapper<SqliteConnection, Blocking>;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../../migrations/sqlite");

/// Readers beyond this wait for disk and processor anyway, and every connection keeps a cache.
const MAX_CONNECTIONS: usize = 8;

mod dialect {
    use super::{Backend, Connection};
    use artdag_assets::SearchWords;
    use artdag_kernel::StoreError;
    use diesel::connection::AnsiTransactionManager;
    use diesel::prelude::*;
    use diesel::query_builder::AstPass;
    use diesel::result::{DatabaseErrorKind, Error};
    use diesel::sql_types::Text;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::sync::{OwnedSemaphorePermit, Semaphore};

    pub(super) use diesel::sql_types::TimestamptzSqlite as Moment;

    /// The line in which this process's writers wait. SQLite lets one write at a time and has the others look again
    /// now and then, so that under load the unlucky never get their turn.
    pub(super) struct Writers(Arc<Semaphore>);
    pub(super) type Turn = OwnedSemaphorePermit;

    const PATIENCE: Duration = Duration::from_secs(30);

    impl Writers {
        pub(super) fn new() -> Self {
            Self(Arc::new(Semaphore::new(1)))
        }

        pub(super) async fn turn(&self) -> Result<Turn, StoreError> {
            let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.0).acquire_owned()).await;
            turn.map_err(|e| StoreError::Busy(Box::new(e)))?.map_err(|e| StoreError::Backend(Box::new(e)))
        }
    }

    /// Takes the write lock at once: a deferred `BEGIN` that reads and then writes fails with "locked".
    pub(super) async fn begin(conn: &mut Connection) -> QueryResult<()> {
        conn.spawn_blocking(|c| AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")).await
    }

    /// Closes a connection that cannot go back to the pool, which rolls back. A statement of it may still be running:
    /// the next writer's turn comes after its end.
    pub(super) fn discard(mut conn: Connection, turn: Option<Turn>) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // What it answers does not matter: it waits for the running statement.
                let _ended = conn.spawn_blocking(|_| Ok(())).await;
                let _closed = tokio::task::spawn_blocking(move || drop(conn)).await;
                drop(turn);
            });
        }
    }

    /// Nobody else can be deleting anything.
    #[expect(clippy::unused_async, reason = "PostgreSQL's waits")]
    pub(super) async fn lock_inputs(_conn: &mut Connection, _hashes: Vec<String>) -> QueryResult<()> {
        Ok(())
    }

    /// There is one writer.
    #[expect(clippy::unused_async, reason = "PostgreSQL's waits")]
    pub(super) async fn lock_user(_conn: &mut Connection, _username: String) -> QueryResult<()> {
        Ok(())
    }

    /// The words in the engine's own query language.
    pub(super) fn search_query(words: &SearchWords) -> String {
        let prefix = |word: &String| format!("\"{}\"*", word.replace('"', "\"\""));
        words.as_slice().iter().map(prefix).collect::<Vec<_>>().join(" AND ")
    }

    pub(super) fn push_search<'b>(out: &mut AstPass<'_, 'b, Backend>, query: &'b str) -> QueryResult<()> {
        out.push_sql("assets.seq in (select rowid from asset_search where asset_search match ");
        out.push_bind_param::<Text, str>(query)?;
        out.push_sql(")");
        Ok(())
    }

    /// Nobody else can be looking for work: there is one writer.
    pub(super) const SKIP_LOCKED: &str = "";

    /// What makes one JSON list of a column.
    pub(super) const JSON_LIST: &str = "json_group_array";

    /// The elements of an array in JSON, each as `element.value`: one parameter for any number of rows.
    pub(super) const ELEMENTS: &str = "json_each(?) as element";

    /// What a column of [`Moment`] is called in a cast.
    pub(super) const MOMENT: &str = "text";

    /// There is no such join: each lane is asked for itself.
    pub(super) const OF_EACH_LANE: Option<&str> = None;

    /// There is one writer.
    #[expect(clippy::unused_async, reason = "PostgreSQL's waits")]
    pub(super) async fn lock_lanes(_conn: &mut Connection, _hosts: Vec<String>) -> QueryResult<()> {
        Ok(())
    }

    /// A column that no index can give in order: what was found is to be sorted, not all looked through.
    pub(super) fn unindexed(column: &str) -> String {
        format!("+{column}")
    }

    /// Whether the connection is of no more use.
    pub(super) fn is_lost(error: &Error) -> bool {
        use DatabaseErrorKind::{ClosedConnection, UnableToSendCommand};
        matches!(
            error,
            Error::DatabaseError(ClosedConnection | UnableToSendCommand, _) | Error::BrokenTransactionManager
        )
    }

    /// Whether the same may succeed later.
    pub(super) fn is_busy(error: &Error) -> bool {
        let texts = ["database is locked", "database table is locked", "database schema is locked"];
        matches!(error, Error::DatabaseError(_, info) if texts.iter().any(|text| info.message().starts_with(text)))
    }

    #[cfg(test)]
    pub(super) mod plan {
        use diesel::sql_types::{Integer, Text};

        pub(in super::super) const EXPLAIN: &str = "explain query plan ";
        /// Nobody analyses a database in service.
        pub(in super::super) const ANALYZE: &str = "";
        pub(in super::super) const COSTLY: [&str; 1] = ["TEMP B-TREE"];
        pub(in super::super) const TILES: &str = "SEARCH log_tiles USING INDEX";
        pub(in super::super) const CHECKPOINTS: &str = "SEARCH log_checkpoints USING INTEGER PRIMARY KEY";
        pub(in super::super) const ANCHORS: &str = "SEARCH anchors USING INTEGER PRIMARY KEY";
        pub(in super::super) const ASKS: &str = "SEARCH anchor_asks USING PRIMARY KEY";
        pub(in super::super) const BYTES: &str = "blob";
        pub(in super::super) const TAGS: &str = "SEARCH asset_tags USING PRIMARY KEY";
        pub(in super::super) const SEARCH: &str = "SCAN asset_search VIRTUAL TABLE INDEX";
        pub(in super::super) const IDS: &str = "SEARCH assets USING INDEX sqlite_autoindex_assets_1";
        pub(in super::super) const INPUTS: &str = "SEARCH asset_inputs USING PRIMARY KEY";
        pub(in super::super) const SCANS: [&str; 5] =
            ["SCAN assets", "SCAN asset_inputs", "SCAN anchors", "SCAN anchor_asks", "TEMP B-TREE"];
        pub(in super::super) const PEERS: &str = "SEARCH peers USING PRIMARY KEY";
        /// In the order of the table itself, which is the primary key's.
        pub(in super::super) const PEERS_IN_ORDER: &str = "SCAN peers";
        pub(in super::super) const DELIVERIES: &str = "SEARCH deliveries USING PRIMARY KEY";
        /// In the order of the table itself, which is the primary key's.
        pub(in super::super) const DELIVERIES_IN_ORDER: &str = "SCAN deliveries";
        pub(in super::super) const OBJECTS: &str =
            "SEARCH remote_objects USING INDEX sqlite_autoindex_remote_objects_1";
        pub(in super::super) const FOLLOWERS: &str = "SEARCH followers USING PRIMARY KEY";
        pub(in super::super) const DELIVERY_SCANS: [&str; 6] =
            ["SCAN deliveries", "SCAN first", "SCAN later", "SCAN head", "SCAN peers", "SCAN followers"];
        pub(in super::super) const AT: &str =
            "strftime('%Y-%m-%d %H:%M:%S+00:00', '2026-01-01', (n * 30) || ' seconds')";
        pub(in super::super) type Line = (Integer, Integer, Integer, Text);
        pub(in super::super) type Row = (i32, i32, i32, String);

        pub(in super::super) fn text(row: Row) -> String {
            row.3
        }
    }
}

#[cfg(test)]
async fn fresh() -> Option<(Connection, tempfile::TempDir)> {
    let (url, folder) = crate::testing::fresh_sqlite().await;
    let crate::url::Engine::Sqlite(path) = url.engine else {
        return None;
    };
    Some((file::connect_async(path).await.unwrap(), folder))
}

pub(crate) async fn migrate(path: PathBuf) -> Result<Vec<String>, OpenError> {
    let work = move || {
        file::prepare(&path)?;
        let mut conn = file::connect(&path)?;
        // One transaction around all: the process that comes second waits here, longer than for a write, and then finds
        // nothing to do.
        file::wait_long(&mut conn)?;
        conn.immediate_transaction(|conn| crate::migrate::run(conn, &MIGRATIONS))
    };
    tokio::task::spawn_blocking(work).await.map_err(|e| OpenError::Migration(Box::new(e)))?
}

pub(crate) async fn open(path: &Path, pool_size: usize) -> Result<PooledStore, OpenError> {
    let mut conn = file::connect_async(path.to_owned()).await?;
    queries::check_schema(&mut conn, &MIGRATIONS).await?;
    dialect::discard(conn, None);

    let path = path.to_owned();
    let mut config = ManagerConfig::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |_| {
        let path = path.clone();
        Box::pin(
            async move { file::connect_async(path).await.map_err(|e| ConnectionError::BadConnection(e.to_string())) },
        )
    });
    let manager = AsyncDieselConnectionManager::<Connection>::new_with_config("", config);
    Ok(PooledStore::new(Pool::builder(manager).max_size(pool_size.clamp(2, MAX_CONNECTIONS))))
}
