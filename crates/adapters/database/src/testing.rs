//! Fresh, migrated databases for tests, here and in the app. Only with the feature `testing`.
//!
//! PostgreSQL's are copies of one template, which is made once for each state of the migrations, so a test pays for
//! a copy and not for the migrations.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that gets no database has failed, and one that is skipped must be seen"
)]

use crate::postgres::Connector;
use crate::{DatabaseUrl, url};
use diesel::sql_types::Text;
use diesel::{Connection, QueryableByName, SqliteConnection};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use std::collections::hash_map::{DefaultHasher, RandomState};
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A fresh SQLite database. Its file goes with the folder.
pub async fn fresh_sqlite() -> (DatabaseUrl, TempDir) {
    let folder = tempfile::tempdir().expect("a folder for the database");
    let url = DatabaseUrl::from(folder.path().join("artdag.db").as_path());
    crate::migrate(&url).await.expect("the migrations run");
    (url, folder)
}

/// A PostgreSQL database of one test. Dropped, it removes the database, whoever is still connected.
pub struct TestDatabase {
    server: String,
    name: String,
}

impl TestDatabase {
    /// The URL with its password, for a program that is started.
    pub fn url(&self) -> String {
        in_database(&self.server, &self.name)
    }
}

/// A fresh database on the server that `TEST_DATABASE_URL` names. `None`, and a line on stderr, when there is no such
/// server and `ARTDAG_TEST_SKIP_POSTGRES=1` says to do without.
///
/// # Panics
/// When neither is set, or the server does not do as told.
pub async fn fresh_postgres() -> Option<(DatabaseUrl, TestDatabase)> {
    let Some(server) = variable("TEST_DATABASE_URL") else {
        if variable("ARTDAG_TEST_SKIP_POSTGRES").as_deref() == Some("1") {
            eprintln!("SKIPPED: this test needs PostgreSQL, and ARTDAG_TEST_SKIP_POSTGRES=1 says to do without");
            return None;
        }
        panic!("this test needs PostgreSQL: run `cargo xtask test`, or set TEST_DATABASE_URL");
    };
    let mut admin = connect(&server).await;
    let template = template(&mut admin, &server).await;
    let name = format!("artdag_test_{:016x}", RandomState::new().build_hasher().finish());
    run(&mut admin, &format!("create database {name} template {template}")).await;
    let url = in_database(&server, &name).parse().expect("the server's URL is sound");
    Some((url, TestDatabase { server, name }))
}

/// Does to a database what no program does: damages it.
///
/// # Panics
/// When it does not do as told.
pub async fn execute(database: &DatabaseUrl, sql: &str) {
    match &database.engine {
        url::Engine::Postgres(url) => {
            let connector = Connector::new(url).expect("the database's URL can be used");
            run(&mut connector.connect().await.expect("the database answers"), sql).await;
        }
        url::Engine::Sqlite(path) => {
            // Another process may be writing, or closing the file.
            let sql = format!("pragma busy_timeout = 30000; {sql}");
            let mut conn = SqliteConnection::establish(&path.to_string_lossy()).expect("the file opens");
            diesel::connection::SimpleConnection::batch_execute(&mut conn, &sql)
                .unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "tests are told their server by the environment; the store never is")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The template's name, after it was made if need be. The lock goes with the connection.
async fn template(admin: &mut AsyncPgConnection, server: &str) -> String {
    #[derive(QueryableByName)]
    struct Database {
        #[diesel(sql_type = Text)]
        datname: String,
    }

    let name = format!("artdag_template_{:016x}", migrations_hash());
    run(admin, "select pg_advisory_lock(7311)").await;
    let known: Vec<Database> =
        diesel::sql_query("select datname::text from pg_database").load(admin).await.expect("the server answers");
    if !known.iter().any(|database| database.datname == name) {
        // Under another name until it is whole, in case this is interrupted.
        let draft = format!("{name}_draft");
        run(admin, &format!("drop database if exists {draft}")).await;
        run(admin, &format!("create database {draft} template template0 encoding 'UTF8'")).await;
        let url: DatabaseUrl = in_database(server, &draft).parse().expect("the server's URL is sound");
        crate::migrate(&url).await.expect("the migrations run");
        // The connection that migrated may not be gone yet, and would forbid the new name.
        let others = format!("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{draft}'");
        run(admin, &others).await;
        run(admin, &format!("alter database {draft} rename to {name}")).await;
    }
    run(admin, "select pg_advisory_unlock(7311)").await;
    name
}

fn migrations_hash() -> u64 {
    let mut hasher = DefaultHasher::new();
    for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../migrations/postgres")) {
        hasher.write(path.as_os_str().as_encoded_bytes());
        hasher.write(&fs::read(&path).expect("a readable migration"));
    }
    hasher.finish()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder of the migrations");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

async fn connect(server: &str) -> AsyncPgConnection {
    let url: DatabaseUrl = server.parse().expect("TEST_DATABASE_URL is a URL of PostgreSQL");
    let url::Engine::Postgres(url) = url.engine else { panic!("TEST_DATABASE_URL names no PostgreSQL") };
    let connector = Connector::new(&url).expect("TEST_DATABASE_URL can be used");
    let mut conn = connector.connect().await.expect("the server of TEST_DATABASE_URL answers");
    run(&mut conn, "set statement_timeout = 0; set lock_timeout = 0").await;
    conn
}

async fn run(conn: &mut AsyncPgConnection, sql: &str) {
    if let Err(error) = conn.batch_execute(sql).await {
        panic!("{sql}: {error}");
    }
}

fn in_database(server: &str, name: &str) -> String {
    let (base, query) = server.split_once('?').unwrap_or((server, ""));
    // The first slash behind `//` ends the host.
    let authority = base.find("//").map_or(0, |at| at + 2);
    let host = base[authority..].find('/').map_or(base, |at| &base[..authority + at]);
    format!("{host}/{name}?{query}")
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let mut admin = connect(&server).await;
                run(&mut admin, &format!("drop database if exists {name} with (force)")).await;
            });
        };
        // The test's own runtime may be the only thread, or on its way out. What fails here is only untidy.
        let _untidy = std::thread::spawn(work).join();
    }
}
