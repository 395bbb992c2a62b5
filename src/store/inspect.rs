//! What a database says of itself, for whoever checks a deployment: version, clock, settings, rights.
//!
//! Questions that only one of the two databases understands, asked by an operator now and then: they are not among
//! the statements that both are held against.

use super::{Pools, Store, StoreResult};
use crate::clock::Timestamp;

/// What SQLite says.
#[derive(Clone, Debug)]
pub struct SqliteFacts {
    /// Such as `3.50.4`.
    pub version: String,
    /// `wal`, when readers go on while somebody writes.
    pub journal_mode: String,
    /// 2 and more: an acknowledged change survives a power cut.
    pub synchronous: i64,
    /// Whether references are checked.
    pub foreign_keys: bool,
    /// The size of the database, in bytes.
    pub bytes: i64,
}

/// What PostgreSQL says.
#[derive(Clone, Debug, sqlx::FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question that the database answers")]
pub struct PostgresFacts {
    /// Such as 150008 for 15.8.
    pub version_number: i32,
    /// Such as `15.8`.
    pub version: String,
    /// Its time in microseconds since the epoch.
    pub now_micros: i64,
    /// The session's time zone.
    pub time_zone: String,
    /// How the database's text is encoded.
    pub encoding: String,
    /// The most connections of everybody.
    pub max_connections: i32,
    /// How many there are now.
    pub connections: i64,
    /// `off` loses changes when the machine stops.
    pub fsync: String,
    /// `off` may lose the last changes when the machine stops.
    pub synchronous_commit: String,
    /// Whether it is a copy that only follows another.
    pub is_replica: bool,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
    /// The role.
    pub role: String,
    /// Whether the role may do anything at all.
    pub is_superuser: bool,
    /// Whether the role may make tables.
    pub may_create: bool,
    /// The tables of MindFlow that the role may not read and change in every way; empty is as it should be.
    pub closed_tables: String,
}

impl PostgresFacts {
    /// The database's clock.
    pub const fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now_micros)
    }
}

/// What a database says of itself.
#[derive(Clone, Debug)]
pub enum Facts {
    /// SQLite.
    Sqlite(SqliteFacts),
    /// PostgreSQL.
    Postgres(Box<PostgresFacts>),
}

/// The settings of the connections that read.
const SQLITE_FACTS: &str = "
    SELECT sqlite_version(), (SELECT journal_mode FROM pragma_journal_mode), (SELECT synchronous FROM pragma_synchronous),
           (SELECT foreign_keys FROM pragma_foreign_keys),
           (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size)
";
/// One row.
const POSTGRES_FACTS: &str = "
    SELECT current_setting('server_version_num')::integer AS version_number,
           current_setting('server_version') AS version,
           (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now_micros,
           current_setting('TimeZone') AS time_zone,
           current_setting('server_encoding') AS encoding,
           current_setting('max_connections')::integer AS max_connections,
           (SELECT coalesce(sum(numbackends), 0)::bigint FROM pg_stat_database) AS connections,
           current_setting('fsync') AS fsync,
           current_setting('synchronous_commit') AS synchronous_commit,
           pg_is_in_recovery() AS is_replica,
           coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS encrypted,
           current_user::text AS role,
           coalesce((SELECT rolsuper FROM pg_roles WHERE rolname = current_user), false) AS is_superuser,
           coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
           coalesce((SELECT string_agg(tablename::text, ', ' ORDER BY tablename) FROM pg_tables
                      WHERE schemaname = current_schema() AND tablename <> '_sqlx_migrations'
                        AND NOT (has_table_privilege(format('%I.%I', schemaname, tablename), 'SELECT')
                             AND has_table_privilege(format('%I.%I', schemaname, tablename), 'INSERT')
                             AND has_table_privilege(format('%I.%I', schemaname, tablename), 'UPDATE')
                             AND has_table_privilege(format('%I.%I', schemaname, tablename), 'DELETE'))), '')
               AS closed_tables
";

impl Store {
    /// Asks the database about itself.
    pub async fn facts(&self) -> StoreResult<Facts> {
        match &self.pools {
            Pools::Sqlite { reader, .. } => {
                let (version, journal_mode, synchronous, foreign_keys, bytes) =
                    sqlx::query_as::<_, (String, String, i64, bool, i64)>(SQLITE_FACTS).fetch_one(reader).await?;
                Ok(Facts::Sqlite(SqliteFacts { version, journal_mode, synchronous, foreign_keys, bytes }))
            }
            Pools::Postgres(pool) => {
                let facts = sqlx::query_as::<_, PostgresFacts>(POSTGRES_FACTS).fetch_one(pool).await?;
                Ok(Facts::Postgres(Box::new(facts)))
            }
        }
    }
}
