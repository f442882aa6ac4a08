//! Sessions, and what every repository uses. Compiled once for each engine: see the crate's own words.

mod activities;
mod anchors;
mod assets;
mod attachments;
mod bulk;
mod deliveries;
mod domain_rules;
mod follows;
mod heard;
mod invites;
mod job_lists;
mod jobs;
mod lanes;
mod lineage;
mod listing;
mod log;
#[cfg(test)]
mod plans;
mod provenance;
mod receipts;
mod remote;
mod remote_actors;
mod revocations;
mod rows;
mod statement;
mod stored;
mod tree;
mod users;
mod window;
mod witness;

use super::{Backend, Connection, dialect};
use crate::OpenError;
use artdag_kernel::{Instant, StoreError};
use artdag_registry::{Reader, Store, UnitOfWork};
use async_trait::async_trait;
use chrono::SubsecRound;
use diesel::QueryResult;
use diesel::result::Error as DieselError;
use diesel_async::pooled_connection::deadpool::{Object, Pool, PoolBuilder};
use diesel_async::{AsyncConnection, RunQueryDsl, TransactionManager};
use diesel_migrations::EmbeddedMigrations;
use std::future::Future;
use std::marker::PhantomData;
use std::time::Duration;

type Transactions = <Connection as AsyncConnection>::TransactionManager;

/// How long to wait for a connection of the pool, and for a new one to be made.
const CHECKOUT: Duration = Duration::from_secs(5);

pub(crate) struct PooledStore {
    pool: Pool<Connection>,
    writers: dialect::Writers,
}

impl PooledStore {
    #[expect(clippy::expect_used, reason = "building fails only for timeouts without a runtime, and none are set")]
    pub(super) fn new(builder: PoolBuilder<Connection>) -> Self {
        Self { pool: builder.build().expect("no timeouts are set"), writers: dialect::Writers::new() }
    }

    async fn session<M: Mode>(&self) -> Result<Session<M>, StoreError> {
        let checkout = tokio::time::timeout(CHECKOUT, self.pool.get()).await;
        let conn = checkout.map_err(|e| StoreError::Busy(Box::new(e)))?.map_err(|e| StoreError::Busy(Box::new(e)))?;
        Ok(Session { conn: Some(conn), state: State::Sound, turn: None, mode: PhantomData })
    }
}

#[async_trait]
impl Store for PooledStore {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        // Before a connection is taken: whoever waits leaves them to the readers.
        let turn = self.writers.turn().await?;
        for _ in 0..=self.pool.status().max_size {
            let mut session = self.session::<Writing>().await?;
            match session.run(dialect::begin).await {
                Ok(()) => {
                    session.turn = Some(turn);
                    return Ok(Box::new(session));
                }
                // The server was restarted while this one lay idle, and so, maybe, while the next one did.
                Err(_) if session.state == State::Lost => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Busy("every connection was closed by the server".into()))
    }

    async fn read(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(self.session::<Reading>().await?))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let mut session = self.session::<Reading>().await?;
        session.run(|conn| diesel::sql_query("select 1").execute(conn)).await.map(drop)
    }
}

/// What a session may do.
pub(super) trait Mode: Send + 'static {
    const WRITES: bool;
}

/// Reads, each statement for itself.
pub(super) enum Reading {}
/// Reads and writes in one transaction.
pub(super) enum Writing {}

impl Mode for Reading {
    const WRITES: bool = false;
}
impl Mode for Writing {
    const WRITES: bool = true;
}

/// What became of the connection so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Sound,
    /// A statement is running; seen by others only when its caller was cancelled.
    Running,
    /// A statement failed, and with it the transaction.
    Failed,
    /// There is no more connection.
    Lost,
}

/// One connection of the pool while somebody works with it.
///
/// A unit of work that is dropped unfinished (a cancelled request) closes its connection: giving it back to the pool
/// would leave the transaction, and its locks, open there. So does a reader that is dropped in the middle of a
/// statement.
pub(super) struct Session<M: Mode> {
    /// There until the unit of work is finished.
    conn: Option<Object<Connection>>,
    state: State,
    turn: Option<dialect::Turn>,
    mode: PhantomData<fn() -> M>,
}

impl<M: Mode> Session<M> {
    /// Runs a query and remembers how it went.
    async fn run<'s, T, Q>(&'s mut self, query: impl FnOnce(&'s mut Connection) -> Q) -> Result<T, StoreError>
    where
        Q: Future<Output = QueryResult<T>>,
    {
        let conn = self.conn.as_mut().ok_or_else(|| StoreError::Backend("the session is over".into()))?;
        let before = std::mem::replace(&mut self.state, State::Running);
        let result = query(conn).await;
        self.state = match &result {
            Ok(_) => before,
            Err(error) if dialect::is_lost(error) => State::Lost,
            Err(_) => State::Failed,
        };
        result.map_err(store_error)
    }
}

impl<M: Mode> Drop for Session<M> {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take()
            && (M::WRITES || matches!(self.state, State::Running | State::Lost))
        {
            dialect::discard(Object::take(conn), self.turn.take());
        }
    }
}

#[async_trait]
impl UnitOfWork for Session<Writing> {
    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        // PostgreSQL answers the commit of a failed transaction with success, and rolls back.
        if self.state != State::Sound {
            return Err(StoreError::Backend("a statement of this unit of work failed or was cancelled".into()));
        }
        self.run(Transactions::commit_transaction).await?;
        self.conn = None;
        Ok(())
    }

    async fn rollback(mut self: Box<Self>) -> Result<(), StoreError> {
        if self.state == State::Sound {
            self.run(Transactions::rollback_transaction).await?;
            self.conn = None;
        }
        // Otherwise the connection is closed, which rolls back too.
        Ok(())
    }
}

fn store_error(error: DieselError) -> StoreError {
    if dialect::is_lost(&error) || dialect::is_busy(&error) {
        StoreError::Busy(Box::new(error))
    } else {
        StoreError::Backend(Box::new(error))
    }
}

/// PostgreSQL keeps microseconds; both engines must give back and compare the same instant.
fn micros(at: Instant) -> Instant {
    at.trunc_subsecs(6)
}

/// Counters are maintained in log order, which clocks that differ between servers can turn around for a moment.
fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// A place in the log as the databases count. Their numbers end earlier, and nothing is stored beyond.
fn place(number: u64) -> Option<i64> {
    number.try_into().ok()
}

#[derive(diesel::QueryableByName)]
struct Version {
    #[diesel(sql_type = diesel::sql_types::Text)]
    version: String,
}

/// Fails unless exactly this version's migrations were applied.
pub(super) async fn check_schema(conn: &mut Connection, migrations: &EmbeddedMigrations) -> Result<(), OpenError> {
    let versions = diesel::sql_query("select version from __diesel_schema_migrations").load::<Version>(conn).await;
    // The table is missing until the first migration.
    let applied: Vec<String> = versions.unwrap_or_default().into_iter().map(|row| row.version).collect();
    crate::migrate::check::<Backend>(&applied, migrations)
}
