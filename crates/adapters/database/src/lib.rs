//! The registry's store on PostgreSQL and SQLite: one text of queries for both.
//!
//! [`migrate`] brings a database to this version's schema, [`open`] gives the [`Store`]. Nothing else is public:
//! the use cases speak to the ports and never learn which engine is below.
//!
//! `schema.rs` and `queries/` are compiled twice, once below `postgres` and once below `sqlite`. They may use only
//! what their parent names: `Connection`, `Backend` and the items of `dialect`. What the two engines do differently
//! stands in that parent's `dialect`, never behind a `cfg`.
//!
//! - **A new query** is a method of the port's `impl` in `queries/<repository>.rs`. It runs through `Session::run`,
//!   which remembers what became of the connection. Prefer diesel's builder; an upsert, and what the builder cannot
//!   say to both engines, is a text: a `Statement` of `queries/statement.rs`. A list that pages takes its condition and
//!   order from `queries/window.rs` and its index from both migrations, and `queries/plans.rs` proves that the index
//!   is used. Instants go through `micros`, since PostgreSQL keeps no more.
//! - **A new column** is a new migration in `migrations/postgres` and `migrations/sqlite` (never an edit of one that
//!   was released), a line in `schema.rs`, a field of the private row struct, and its conversion in that struct's
//!   `TryFrom`, which names table, column and row when the value cannot be read.
//! - **A difference between the engines** is a function or a type of one name in both `dialect` modules.
//! - **A new promise** is a test in `tests/contract/`, which runs over both engines.
//!
//! An insert that may meet its like says `on conflict do nothing` and counts rows: an error would leave
//! PostgreSQL's transaction unusable. A unit of work that saw any error refuses to commit for the same reason:
//! PostgreSQL answers such a `commit` with success and rolls back.
#![expect(clippy::duplicate_mod, reason = "one text of queries is compiled for each engine")]

mod error;
mod migrate;
mod postgres;
mod sqlite;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod url;

use artdag_registry::Store;
use std::sync::Arc;

pub use error::OpenError;
pub use url::{DatabaseUrl, InvalidDatabaseUrl};

/// Brings the database to this version's schema and says which migrations that took. Several processes may do so
/// at once. An SQLite file is made, with its folder, if it is not there.
///
/// # Errors
/// [`OpenError`], also when the database belongs to a newer version.
pub async fn migrate(url: &DatabaseUrl) -> Result<Vec<String>, OpenError> {
    match &url.engine {
        url::Engine::Postgres(url) => postgres::migrate(url).await,
        url::Engine::Sqlite(path) => sqlite::migrate(path.clone()).await,
    }
}

/// Opens a database that [`migrate`] has prepared, with at most `pool_size` connections (SQLite takes no more than
/// a few: its writers stand in one line anyway).
///
/// # Errors
/// [`OpenError`], also when the schema is not this version's.
pub async fn open(url: &DatabaseUrl, pool_size: usize) -> Result<Arc<dyn Store>, OpenError> {
    match &url.engine {
        url::Engine::Postgres(url) => Ok(Arc::new(postgres::open(url, pool_size).await?)),
        url::Engine::Sqlite(path) => Ok(Arc::new(sqlite::open(path, pool_size).await?)),
    }
}
