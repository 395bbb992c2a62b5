//! Databases of their own for tests, of both kinds.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use mindflow::store::{PoolLimits, Store};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;
use uuid::Uuid;

/// Names the PostgreSQL server of the test run.
const POSTGRES_URL: &str = "MINDFLOW_TEST_POSTGRES_URL";

/// Which of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Db {
    Sqlite,
    Postgres,
}

/// An empty database that is nobody else's; gone when this is dropped.
pub(crate) struct TestDatabase {
    pub(crate) kind: Db,
    url: String,
    place: Place,
}

enum Place {
    Folder(TempDir),
    Server { name: String },
}

impl TestDatabase {
    /// Makes a database: a file in a folder of its own, or a database of a random name on the server of the test run.
    pub(crate) async fn new(kind: Db) -> Self {
        match kind {
            Db::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite://{}", folder.path().join("mindflow.db").display());
                Self { kind, url, place: Place::Folder(folder) }
            }
            Db::Postgres => {
                let name = format!("test_{}", Uuid::now_v7().simple());
                on_server(&format!("CREATE DATABASE {name} TEMPLATE template0")).await.unwrap();
                let mut url = server();
                url.set_path(&name);
                Self { kind, url: url.into(), place: Place::Server { name } }
            }
        }
    }

    /// The database as `DATABASE_URL` names it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The SQLite file, which need not exist yet.
    #[track_caller]
    pub(crate) fn file(&self) -> PathBuf {
        self.folder().join("mindflow.db")
    }

    /// The folder that holds nothing but the SQLite database.
    #[track_caller]
    pub(crate) fn folder(&self) -> &Path {
        match &self.place {
            Place::Folder(folder) => folder.path(),
            Place::Server { .. } => panic!("a PostgreSQL database has no folder"),
        }
    }

    /// A store over the database as it is.
    pub(crate) async fn connect(&self) -> Store {
        Store::connect(&self.url, &PoolLimits::default()).await.unwrap()
    }

    /// A store over the database, its schema up to date.
    pub(crate) async fn store(&self) -> Store {
        let store = self.connect().await;
        store.migrate_up().await.unwrap();
        store
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Place::Server { name } = &self.place else { return };
        let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        // Drop cannot wait for a future, and the test's runtime may be ending.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(on_server(&statement)).map_err(std::io::Error::other)
        });
        let dropped = dropping.join();
        if !std::thread::panicking() {
            dropped.unwrap().unwrap();
        }
    }
}

fn server() -> url::Url {
    let url = std::env::var(POSTGRES_URL).unwrap_or_else(|_| {
        panic!(
            "{POSTGRES_URL} names no PostgreSQL server: start the tests with `tests/run`, or with \
             `tests/services/with postgres -- cargo nextest run`"
        )
    });
    url.parse().unwrap()
}

async fn on_server(statement: &str) -> Result<(), sqlx::Error> {
    let options = PgConnectOptions::from_str(server().as_str())?.disable_statement_logging();
    let mut connection = PgConnection::connect_with(&options).await?;
    connection.execute(AssertSqlSafe(statement)).await?;
    connection.close().await
}

/// Writes a test once for both databases: `name::sqlite` and `name::postgres`.
#[allow(unused_macros, reason = "not every binary writes tests for both databases")]
macro_rules! both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: TestDatabase) $body:block)+) => {
        $(
            mod $name {
                use super::*;

                $(#[$meta])*
                async fn prove($db: TestDatabase) $body

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite() {
                    prove(TestDatabase::new($crate::support::databases::Db::Sqlite).await).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres() {
                    prove(TestDatabase::new($crate::support::databases::Db::Postgres).await).await;
                }
            }
        )+
    };
}
#[allow(unused_imports, reason = "not every binary writes tests for both databases")]
pub(crate) use both_databases;
