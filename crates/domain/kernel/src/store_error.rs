use std::error::Error;

/// What a store can answer instead of a result. Every repository port uses it.
///
/// Absence is never an error: look-ups answer `Ok(None)`.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row with the same unique key exists. The unit of work stays usable.
    #[error("{0} already exists")]
    Conflict(&'static str),
    /// The database is locked, out of connections or restarting; the same call may succeed later.
    #[error("the store is busy")]
    Busy(#[source] Box<dyn Error + Send + Sync>),
    /// A row does not hold what this version can read.
    #[error("table {table}, row {row}: column {column} cannot be read")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's primary key.
        row: String,
        /// What is wrong with the value.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Anything else the database reports.
    #[error("the store failed")]
    Backend(#[source] Box<dyn Error + Send + Sync>),
}
