//! The database file, and one connection to it.

use crate::OpenError;
use diesel::connection::SimpleConnection;
use diesel::{Connection as _, SqliteConnection};
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper};
use std::error::Error;
use std::fs;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::{Duration, Instant};

/// `full`: what was acknowledged survives a power cut, which WAL's usual `normal` does not promise.
/// `cache_size`: 2 MiB a connection; the system's file cache does the rest.
const SETUP: &str = "pragma busy_timeout = 5000; pragma journal_mode = wal; pragma synchronous = full;
    pragma foreign_keys = on; pragma cache_size = -2048; pragma journal_size_limit = 67108864;";

/// How long a new connection is tried while others make the file. SQLite itself does not wait when two want to change
/// the journal's mode at once, since both could be waiting for each other.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

/// Makes the file, readable for its owner alone, and its folder, unless they are there.
pub(super) fn prepare(path: &Path) -> Result<(), OpenError> {
    let make = || {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made.map(drop),
        }
    };
    make().map_err(|e| OpenError::File { path: path.to_owned(), source: Box::new(e) })
}

/// Opens the file, which must be there. For a thread that may block.
#[expect(clippy::disallowed_methods, reason = "it is called on threads for blocking work")]
pub(super) fn connect(path: &Path) -> Result<SqliteConnection, OpenError> {
    let open = || -> Result<SqliteConnection, Box<dyn Error + Send + Sync>> {
        // SQLite would make a missing one, empty and readable for all.
        fs::metadata(path)?;
        // An absolute path cannot be taken for one of SQLite's URIs.
        let absolute = std::path::absolute(path)?;
        let mut conn = SqliteConnection::establish(absolute.to_str().ok_or("its path is not UTF-8")?)?;
        let began = Instant::now();
        loop {
            match conn.batch_execute(SETUP) {
                Err(e) if super::dialect::is_busy(&e) && began.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
                done => return Ok(done.map(|()| conn)?),
            }
        }
    };
    open().map_err(|source| OpenError::File { path: path.to_owned(), source })
}

/// Lets a connection wait for a minute where others wait for seconds.
pub(super) fn wait_long(conn: &mut SqliteConnection) -> Result<(), OpenError> {
    conn.batch_execute("pragma busy_timeout = 60000").map_err(|e| OpenError::Migration(Box::new(e)))
}

pub(super) async fn connect_async(path: PathBuf) -> Result<super::Connection, OpenError> {
    let work = move || connect(&path);
    let conn = tokio::task::spawn_blocking(work).await.map_err(|e| OpenError::Migration(Box::new(e)))?;
    conn.map(SyncConnectionWrapper::new)
}

/// Runs statements on the runtime's threads for blocking work. The driver's own way also waits, when the caller was
/// cancelled, for the running statement to end: it would hold up an executor thread, and panics where that is the
/// only one, as in actix's workers. `Session` instead throws such a connection away.
pub(super) struct Blocking;

impl SpawnBlocking for Blocking {
    fn spawn_blocking<'a, R: Send + 'static>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> Pin<Box<dyn Future<Output = Result<R, Box<dyn Error + Send + Sync>>> + Send + 'a>> {
        let running = tokio::task::spawn_blocking(task);
        Box::pin(async move { running.await.map_err(Into::into) })
    }

    fn get_runtime() -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::QueryableByName;
    use diesel::RunQueryDsl;
    use diesel::sql_types::BigInt;

    #[derive(QueryableByName)]
    struct Setting {
        #[diesel(sql_type = BigInt)]
        value: i64,
    }

    #[test]
    fn nothing_acknowledged_is_lost_and_references_hold() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        prepare(&path).unwrap();
        let mut conn = connect(&path).unwrap();
        for (name, column, expected) in
            [("synchronous", "synchronous", 2), ("foreign_keys", "foreign_keys", 1), ("busy_timeout", "timeout", 5000)]
        {
            let sql = format!("select {column} as value from pragma_{name}");
            let setting: Setting = diesel::sql_query(sql).get_result(&mut conn).unwrap();
            assert_eq!(setting.value, expected, "{name}");
        }
        assert!(folder.path().join("a.db-wal").exists());
    }
}
