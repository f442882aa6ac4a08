//! PostgreSQL: for more than one server process over one database.

mod connect;
#[path = "queries/mod.rs"]
mod queries;
#[path = "schema.rs"]
mod schema;

use crate::OpenError;
use crate::url::PostgresUrl;
#[cfg(not(any(test, feature = "testing")))]
use connect::Connector;
#[cfg(any(test, feature = "testing"))]
pub(crate) use connect::Connector;
use diesel::ConnectionError;
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncMigrationHarness, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use queries::PooledStore;
use tokio::runtime::Handle;

type Backend = diesel::pg::Pg;
type Connection = diesel_async::AsyncPgConnection;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../../migrations/postgres");

mod dialect {
    use super::schema::{assets, peers, users};
    use super::{Backend, Connection};
    use artdag_assets::SearchWords;
    use diesel::prelude::*;
    use diesel::query_builder::AstPass;
    use diesel::result::{DatabaseErrorKind, Error};
    use diesel::sql_types::Text;
    use diesel_async::{AsyncConnection, RunQueryDsl, TransactionManager};

    pub(super) use diesel::sql_types::Timestamptz as Moment;

    /// Writers need no line: rows are locked one by one.
    pub(super) struct Writers;
    pub(super) type Turn = ();

    impl Writers {
        pub(super) const fn new() -> Self {
            Self
        }

        #[expect(clippy::unused_async, reason = "SQLite's waits")]
        pub(super) async fn turn(&self) -> Result<Turn, artdag_kernel::StoreError> {
            Ok(())
        }
    }

    pub(super) async fn begin(conn: &mut Connection) -> QueryResult<()> {
        <Connection as AsyncConnection>::TransactionManager::begin_transaction(conn).await
    }

    /// Closes a connection that cannot go back to the pool; the server rolls back.
    pub(super) fn discard(conn: Connection, _turn: Option<Turn>) {
        drop(conn);
    }

    /// Makes whoever deletes one of these wait for this transaction, and this transaction for them. In the order of
    /// the hashes, so that two transactions cannot wait for each other.
    pub(super) async fn lock_inputs(conn: &mut Connection, hashes: Vec<String>) -> QueryResult<()> {
        let live = assets::deleted_at.is_null().and(assets::content_hash.eq_any(hashes));
        let rows = assets::table.filter(live).order(assets::content_hash).select(assets::id).for_share();
        rows.load::<String>(conn).await.map(drop)
    }

    /// Makes whoever else locks this user wait for this transaction. Rows that refer to the user can be added meanwhile.
    pub(super) async fn lock_user(conn: &mut Connection, username: String) -> QueryResult<()> {
        let rows = users::table.filter(users::username.eq(username)).select(users::username).for_no_key_update();
        rows.load::<String>(conn).await.map(drop)
    }

    /// The words in the engine's own query language.
    pub(super) fn search_query(words: &SearchWords) -> String {
        let prefix = |word: &String| format!("'{}':*", word.replace('\\', "\\\\").replace('\'', "''"));
        words.as_slice().iter().map(prefix).collect::<Vec<_>>().join(" & ")
    }

    pub(super) fn push_search<'b>(out: &mut AstPass<'_, 'b, Backend>, query: &'b str) -> QueryResult<()> {
        out.push_sql("assets.search @@ cast(");
        out.push_bind_param::<Text, str>(query)?;
        out.push_sql(" as tsquery)");
        Ok(())
    }

    /// Two workers that look for work at once pass over each other's finds.
    pub(super) const SKIP_LOCKED: &str = " for update skip locked";

    /// What makes one JSON list of a column.
    pub(super) const JSON_LIST: &str = "json_agg";

    /// The elements of an array in JSON, each as `element.value`: one parameter for any number of rows.
    pub(super) const ELEMENTS: &str = "json_array_elements(cast(? as json)) as element (value)";

    /// What a column of [`Moment`] is called in a cast.
    pub(super) const MOMENT: &str = "timestamptz";

    /// Asks something of each host: what stands behind this may name `lane.host`. One parameter, an array in JSON.
    pub(super) const OF_EACH_LANE: Option<&str> =
        Some("json_array_elements_text(cast(? as json)) as lane (host) cross join lateral");

    /// Makes whoever else changes one of these lanes wait for this transaction. In the order of the hosts, so that two
    /// transactions cannot wait for each other.
    pub(super) async fn lock_lanes(conn: &mut Connection, hosts: Vec<String>) -> QueryResult<()> {
        let rows = peers::table.filter(peers::host.eq_any(hosts)).order(peers::host).select(peers::host).for_update();
        rows.load::<String>(conn).await.map(drop)
    }

    /// A column that no index can give in order. The planner takes a rare word for one in fifty assets and would read
    /// all of them, newest first, in search of a page.
    pub(super) fn unindexed(column: &str) -> String {
        format!("({column} + interval '0')")
    }

    /// Whether the connection is of no more use.
    pub(super) fn is_lost(error: &Error) -> bool {
        use DatabaseErrorKind::{ClosedConnection, UnableToSendCommand};
        match error {
            Error::DatabaseError(ClosedConnection | UnableToSendCommand, _) => true,
            Error::DatabaseError(_, info) => info.message().starts_with("terminating connection"),
            Error::BrokenTransactionManager => true,
            _ => false,
        }
    }

    /// Whether the same may succeed later. The driver keeps the SQLSTATE to itself, so the text must do; of a server
    /// that speaks another language some of these are told as failures instead.
    pub(super) fn is_busy(error: &Error) -> bool {
        const TEXTS: [&str; 7] = [
            "deadlock detected",
            "canceling statement due to lock timeout",
            "canceling statement due to statement timeout",
            "could not obtain lock",
            "the database system is",
            "sorry, too many clients",
            "remaining connection slots",
        ];
        match error {
            Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => true,
            Error::DatabaseError(_, info) => TEXTS.iter().any(|text| info.message().starts_with(text)),
            _ => false,
        }
    }

    #[cfg(test)]
    pub(super) mod plan {
        pub(in super::super) const EXPLAIN: &str = "explain ";
        pub(in super::super) const ANALYZE: &str = "analyze;";
        pub(in super::super) const COSTLY: [&str; 2] = ["Seq Scan", "Sort"];
        pub(in super::super) const TILES: &str = "log_tiles_pkey";
        pub(in super::super) const CHECKPOINTS: &str = "log_checkpoints_pkey";
        pub(in super::super) const ANCHORS: &str = "anchors_pkey";
        pub(in super::super) const ASKS: &str = "anchor_asks_pkey";
        pub(in super::super) const BYTES: &str = "bytea";
        pub(in super::super) const TAGS: &str = "asset_tags_pkey";
        pub(in super::super) const SEARCH: &str = "assets_search";
        pub(in super::super) const IDS: &str = "assets_pkey";
        pub(in super::super) const INPUTS: &str = "asset_inputs_pkey";
        pub(in super::super) const SCANS: [&str; 1] = ["Seq Scan"];
        pub(in super::super) const PEERS: &str = "peers_pkey";
        pub(in super::super) const PEERS_IN_ORDER: &str = PEERS;
        pub(in super::super) const DELIVERIES: &str = "deliveries_pkey";
        pub(in super::super) const DELIVERIES_IN_ORDER: &str = DELIVERIES;
        pub(in super::super) const OBJECTS: &str = "remote_objects_pkey";
        pub(in super::super) const FOLLOWERS: &str = "followers_";
        pub(in super::super) const DELIVERY_SCANS: [&str; 1] = ["Seq Scan"];
        pub(in super::super) const AT: &str = "timestamptz '2026-01-01' + n * interval '30 seconds'";
        pub(in super::super) type Line = diesel::sql_types::Text;
        pub(in super::super) type Row = String;

        pub(in super::super) fn text(row: Row) -> String {
            row
        }
    }
}

#[cfg(test)]
async fn fresh() -> Option<(Connection, crate::testing::TestDatabase)> {
    let (url, database) = crate::testing::fresh_postgres().await?;
    let crate::url::Engine::Postgres(url) = url.engine else {
        return None;
    };
    Some((Connector::new(&url).unwrap().connect().await.unwrap(), database))
}

/// Any number that nothing else in the database is likely to lock.
const MIGRATION_LOCK: i64 = 0x6172_7464_6167_6c32;

pub(crate) async fn migrate(url: &PostgresUrl) -> Result<Vec<String>, OpenError> {
    let mut conn = Connector::new(url)?.connect().await?;
    // Building an index may take longer than any request. The lock goes with the connection.
    conn.batch_execute("set statement_timeout = 0; set lock_timeout = 0; set idle_in_transaction_session_timeout = 0")
        .await?;
    conn.batch_execute(&format!("select pg_advisory_lock({MIGRATION_LOCK})")).await?;
    let work = move || crate::migrate::run(&mut AsyncMigrationHarness::new(conn), &MIGRATIONS);
    tokio::task::spawn_blocking(work).await.map_err(|e| OpenError::Migration(Box::new(e)))?
}

pub(crate) async fn open(url: &PostgresUrl, pool_size: usize) -> Result<PooledStore, OpenError> {
    let connector = Connector::new(url)?;
    // A wrong address or password is better told now than with the first request.
    let mut conn = connector.connect().await?;
    queries::check_schema(&mut conn, &MIGRATIONS).await?;
    drop(conn);

    let mut config = ManagerConfig::default();
    // The default asks the server before every use. `Fast` still notices a connection that is known to be closed.
    config.recycling_method = RecyclingMethod::Fast;
    // What drives a connection ends with the runtime that it was opened on. The pool outlives the server's threads, so
    // their connections are opened on the runtime that made the pool.
    let runtime = Handle::current();
    config.custom_setup = Box::new(move |_| {
        let connector = connector.clone();
        let opened = runtime.spawn(async move { connector.connect().await });
        Box::pin(async move {
            let opened = opened.await.map_err(|e| ConnectionError::BadConnection(e.to_string()))?;
            opened.map_err(|e| ConnectionError::BadConnection(chain(&e)))
        })
    });
    let manager = AsyncDieselConnectionManager::<Connection>::new_with_config("", config);
    Ok(PooledStore::new(Pool::builder(manager).max_size(pool_size.max(1))))
}

/// Diesel takes only text.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
