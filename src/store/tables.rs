//! Every table and column there is, and which of them a backup keeps.
//!
//! The statements that read a whole table and fill an empty one are made from this list and from nothing else. A test
//! compares it with the schema of every migration, so a table that is not listed here cannot be released.

use super::Dialect;
use super::migrations::SQLITE;

/// What a column holds, alike in both databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A UUID: a text with hyphens in an archive.
    Id,
    /// Bytes: hexadecimal in an archive.
    Bytes,
    /// A text.
    Text,
    /// A whole number of at most 64 bits.
    Int,
    /// Yes or no.
    Flag,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name, a plain word.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The migration that made it.
    pub since: i64,
}

impl Column {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, since: 0 }
    }

    const fn since(mut self, migration: i64) -> Self {
        self.since = migration;
        self
    }
}

/// What a backup does with a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Its rows are kept.
    Kept,
    /// Its rows are left out, for this reason; a restore leaves the table empty.
    LeftOut(&'static str),
}

/// A table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name, a plain word.
    pub name: &'static str,
    /// The migration that made it.
    pub since: i64,
    /// Whether a backup keeps it.
    pub fate: Fate,
    /// What of it is sealed under the server's secret, in the plural.
    pub sealed: Option<&'static str>,
    /// Whether a server fills it by itself at its first start.
    pub fresh: bool,
    /// The column that a sequence of PostgreSQL counts.
    pub sequence: Option<&'static str>,
    /// Its columns.
    pub columns: &'static [Column],
}

impl Table {
    const fn kept(name: &'static str, since: i64, columns: &'static [Column]) -> Self {
        Self { name, since, fate: Fate::Kept, sealed: None, fresh: false, sequence: None, columns }
    }

    const fn left_out(mut self, reason: &'static str) -> Self {
        self.fate = Fate::LeftOut(reason);
        self
    }

    const fn sealed(mut self, what: &'static str) -> Self {
        self.sealed = Some(what);
        self
    }

    const fn fresh(mut self) -> Self {
        self.fresh = true;
        self
    }

    /// Whether the schema has it after the migration `version`.
    pub fn is_at(&self, version: i64) -> bool {
        made_by(self.since, version)
    }

    /// The columns that the schema has after the migration `version`.
    pub fn columns_at(&self, version: i64) -> impl Iterator<Item = &'static Column> + use<> {
        self.columns.iter().filter(move |column| column.since == 0 || made_by(column.since, version))
    }

    /// Reads all rows.
    pub fn select(&self, version: i64) -> String {
        let columns = self.columns_at(version).map(|column| match column.kind {
            // PostgreSQL has integers of three sizes.
            Kind::Int => format!("CAST({0} AS BIGINT) AS {0}", column.name),
            _ => column.name.to_owned(),
        });
        format!("SELECT {} FROM {}", columns.collect::<Vec<_>>().join(", "), self.name)
    }

    /// Says whether there is a row.
    pub fn any(&self) -> String {
        format!("SELECT EXISTS (SELECT 1 FROM {})", self.name)
    }

    /// Lets PostgreSQL's sequence of the table go on after its last number.
    pub fn count_on(&self) -> Option<String> {
        let (table, column) = (self.name, self.sequence?);
        Some(format!(
            "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), COALESCE(MAX({column}), 1), COUNT(*) > 0)
               FROM {table}"
        ))
    }

    /// Writes the rows of `$1`, a JSON array with one array of values for each row.
    pub fn insert(&self, version: i64, dialect: Dialect) -> String {
        let columns: Vec<&Column> = self.columns_at(version).collect();
        let values = columns.iter().enumerate().map(|(place, column)| match (dialect, column.kind) {
            (Dialect::Sqlite, Kind::Id | Kind::Bytes) => format!("unhex(value ->> {place}, '-')"),
            (Dialect::Postgres, Kind::Id) => format!("(value ->> {place})::uuid"),
            (Dialect::Postgres, Kind::Bytes) => format!("decode(value ->> {place}, 'hex')"),
            (Dialect::Postgres, Kind::Int) => format!("(value ->> {place})::bigint"),
            (Dialect::Postgres, Kind::Flag) => format!("(value ->> {place})::boolean"),
            (Dialect::Sqlite, Kind::Text | Kind::Int | Kind::Flag) | (Dialect::Postgres, Kind::Text) => {
                format!("value ->> {place}")
            }
        });
        let values = values.collect::<Vec<_>>().join(", ");
        let names = columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ");
        let source = match dialect {
            Dialect::Sqlite => "json_each($1)",
            Dialect::Postgres => "json_array_elements($1::json)",
        };
        format!("INSERT INTO {} ({names}) SELECT {values} FROM {source}", self.name)
    }
}

/// Whether what a migration made is there after the migration `version`. Numbers may have gaps while several people work
/// on the schema.
fn made_by(since: i64, version: i64) -> bool {
    since <= version && SQLITE.version_exists(since)
}

/// The tables that a backup of the schema after the migration `version` keeps, in the order of an archive.
pub fn kept_at(version: i64) -> impl Iterator<Item = &'static Table> {
    TABLES.iter().filter(move |table| table.fate == Fate::Kept && table.is_at(version))
}

/// What is made from other columns, or counts rows for one database alone.
pub const DERIVED: &[&str] = &["tasks.seq", "tasks.search", "tasks_search"];

const fn id(name: &'static str) -> Column {
    Column::new(name, Kind::Id)
}

const fn bytes(name: &'static str) -> Column {
    Column::new(name, Kind::Bytes)
}

const fn text(name: &'static str) -> Column {
    Column::new(name, Kind::Text)
}

const fn int(name: &'static str) -> Column {
    Column::new(name, Kind::Int)
}

/// All tables, each after those that it refers to.
pub const TABLES: &[Table] = &[
    Table::kept(
        "users",
        1,
        &[
            id("id"),
            text("email"),
            text("email_key"),
            text("password_hash"),
            text("full_name"),
            text("time_zone"),
            text("windows"),
            text("policy"),
            text("role"),
            text("status"),
            int("data_version"),
            int("created_at"),
            int("updated_at"),
            int("email_verified_at").since(3),
            text("digest").since(7),
            int("digest_at").since(7),
            text("policy_params").since(12),
        ],
    ),
    Table::kept(
        "sessions",
        1,
        &[
            id("id"),
            id("user_id"),
            text("user_agent"),
            text("address"),
            int("created_at"),
            int("last_seen_at"),
            int("expires_at"),
            bytes("cookie_hash").since(3),
            int("authenticated_at").since(3),
            text("methods").since(3),
        ],
    ),
    Table::kept(
        "refresh_tokens",
        1,
        &[
            bytes("token_hash"),
            id("session_id"),
            int("created_at"),
            int("used_at"),
            bytes("successor_hash"),
            bytes("answer"),
        ],
    ),
    Table::kept(
        "personal_tokens",
        1,
        &[
            id("id"),
            id("user_id"),
            text("name"),
            bytes("token_hash"),
            text("scopes"),
            int("expires_at"),
            int("last_used_at"),
            int("created_at"),
        ],
    ),
    Table::kept("invites", 1, &[bytes("code_hash"), int("created_at"), int("expires_at")]),
    Table::kept(
        "audit_log",
        1,
        &[
            id("id"),
            id("user_id"),
            text("actor"),
            id("credential_id"),
            text("action"),
            text("entity"),
            id("entity_id"),
            text("details"),
            text("request_id"),
            text("address"),
            int("created_at"),
        ],
    ),
    Table::kept(
        "projects",
        2,
        &[
            id("id"),
            id("user_id"),
            text("name"),
            text("name_key"),
            text("description"),
            int("version"),
            int("created_at"),
            int("updated_at"),
        ],
    ),
    Table::kept(
        "labels",
        2,
        &[
            id("id"),
            id("user_id"),
            text("name"),
            text("name_key"),
            int("version"),
            int("created_at"),
            int("updated_at"),
        ],
    ),
    Table::kept(
        "tasks",
        2,
        &[
            id("id"),
            id("user_id"),
            id("project_id"),
            id("parent_id"),
            text("title"),
            text("description"),
            text("status"),
            int("priority"),
            text("due_on"),
            int("due_at"),
            int("effort_minutes"),
            text("preferred_time"),
            int("snoozed_until"),
            int("snooze_count"),
            int("completed_at"),
            text("search_title"),
            text("search_body"),
            int("version"),
            int("created_at"),
            int("updated_at"),
            int("deleted_at"),
        ],
    ),
    Table::kept("task_labels", 2, &[id("task_id"), id("label_id")]),
    Table::kept(
        "undo_tokens",
        2,
        &[
            bytes("token_hash"),
            id("user_id"),
            text("action"),
            text("snapshot"),
            int("created_at"),
            int("expires_at"),
            int("used_at"),
            text("via").since(5),
            int("number").since(5),
        ],
    ),
    Table::kept(
        "receipts",
        2,
        &[id("user_id"), text("key"), bytes("fingerprint"), text("answer"), int("created_at"), int("expires_at")],
    ),
    Table::kept(
        "oauth_keys",
        3,
        &[
            text("kid"),
            text("alg"),
            text("state"),
            bytes("sealed"),
            int("created_at"),
            int("activated_at"),
            int("retired_at"),
        ],
    )
    .sealed("signing keys")
    .fresh(),
    Table::kept(
        "oauth_clients",
        3,
        &[
            id("id"),
            text("client_id"),
            text("kind"),
            text("name"),
            text("auth_method"),
            bytes("secret_hash"),
            text("metadata"),
            bytes("registration_token_hash"),
            text("address"),
            int("created_at"),
            int("updated_at"),
            int("last_used_at"),
            int("expires_at"),
            int("fetched_at"),
        ],
    )
    .fresh(),
    Table::kept(
        "oauth_grants",
        3,
        &[
            id("id"),
            id("user_id"),
            id("client_ref"),
            id("session_id"),
            text("scopes"),
            text("resources"),
            int("created_at"),
            int("last_used_at"),
            int("expires_at"),
        ],
    ),
    Table::kept(
        "oauth_codes",
        3,
        &[
            bytes("code_hash"),
            id("grant_id"),
            id("user_id"),
            id("client_ref"),
            id("session_id"),
            text("redirect_uri"),
            text("challenge"),
            text("scopes"),
            text("resources"),
            text("nonce"),
            int("authenticated_at"),
            text("methods"),
            int("created_at"),
            int("expires_at"),
            int("used_at"),
        ],
    )
    .left_out("a code lives for a minute; whoever was on the way signs in again"),
    Table::kept(
        "oauth_refresh_tokens",
        3,
        &[
            bytes("token_hash"),
            id("grant_id"),
            int("created_at"),
            int("used_at"),
            bytes("successor_hash"),
            bytes("answer"),
        ],
    ),
    Table::kept(
        "oauth_consents",
        3,
        &[id("user_id"), id("client_ref"), text("resources"), text("scopes"), int("created_at"), int("updated_at")],
    ),
    Table::kept(
        "oauth_devices",
        3,
        &[
            bytes("device_hash"),
            bytes("user_code_hash"),
            id("client_ref"),
            text("scopes"),
            text("resources"),
            text("state"),
            id("user_id"),
            id("session_id"),
            int("authenticated_at"),
            text("methods"),
            int("last_polled_at"),
            int("interval_seconds"),
            int("created_at"),
            int("expires_at"),
        ],
    )
    .left_out("a device waits for minutes; it asks again"),
    Table::kept("oauth_assertions", 3, &[bytes("assertion_hash"), int("expires_at")]),
    Table::kept(
        "email_tokens",
        3,
        &[bytes("token_hash"), id("user_id"), text("purpose"), text("email_key"), int("created_at"), int("expires_at")],
    ),
    Table::kept(
        "second_factors",
        3,
        &[id("user_id"), bytes("sealed_secret"), int("confirmed_at"), int("last_step"), int("created_at")],
    )
    .sealed("second factors"),
    Table::kept("recovery_codes", 3, &[id("user_id"), bytes("code_hash"), int("used_at")]),
    Table::kept(
        "identities",
        3,
        &[
            id("id"),
            id("user_id"),
            text("provider"),
            text("subject"),
            text("email"),
            int("created_at"),
            int("last_used_at"),
        ],
    ),
    Table::kept("events", 6, &[id("user_id"), int("version"), int("size"), text("content"), int("created_at")])
        .left_out("who listens is told that something was forgotten, and reads everything anew"),
    Table::kept(
        "duties",
        7,
        &[
            text("name"),
            int("due_at"),
            id("holder"),
            int("lease_until"),
            int("runs"),
            int("failures"),
            int("last_success_at"),
            text("last_error"),
        ],
    )
    .left_out("which instance does what, and when, is settled anew"),
    Table::kept(
        "mails",
        7,
        &[
            id("id"),
            id("user_id"),
            text("kind"),
            bytes("sealed"),
            int("attempts"),
            int("next_at"),
            int("expires_at"),
            int("died_at"),
            text("last_error"),
            int("created_at"),
        ],
    )
    .sealed("waiting mail"),
    Table::kept("digests", 7, &[id("user_id"), text("local_date"), int("created_at")]),
    Table::kept(
        "attachments",
        8,
        &[
            id("id"),
            id("user_id"),
            id("task_id"),
            text("object_key"),
            text("file_name"),
            text("media_type"),
            int("size_bytes"),
            bytes("sha256"),
            int("created_at"),
            int("deleted_at"),
            int("gone_at"),
        ],
    ),
    Table::kept("object_removals", 8, &[text("object_key"), text("state"), int("due_at")]),
    Table::kept(
        "passkeys",
        9,
        &[
            id("id"),
            id("user_id"),
            bytes("credential_id"),
            text("rp_id"),
            text("credential"),
            text("name"),
            int("sign_count"),
            int("created_at"),
            int("last_used_at"),
        ],
    ),
    Table::kept("passkey_ceremonies", 9, &[bytes("id"), int("expires_at")]),
    Table::kept("policy_ledger", 10, &[int("id"), int("number")]).fresh(),
    Table::kept(
        "policy_versions",
        10,
        &[
            id("id"),
            text("policy"),
            text("version"),
            text("parent"),
            text("source"),
            text("origin"),
            id("author_id"),
            text("message"),
            int("created_at"),
        ],
    )
    .fresh(),
    Table::kept("policy_approvals", 10, &[id("version_id"), id("user_id"), int("created_at")]),
    Table::kept(
        "policy_activations",
        10,
        &[
            int("number"),
            text("policy"),
            text("version"),
            int("prior"),
            text("file_version"),
            text("action"),
            text("actor"),
            id("actor_id"),
            int("created_at"),
        ],
    )
    .fresh(),
    Table::kept(
        "policy_candidates",
        11,
        &[
            text("policy"),
            text("kind"),
            text("version"),
            text("salt"),
            int("percent"),
            text("users"),
            text("roles"),
            text("state"),
            int("rankings"),
            int("first_changes"),
            int("tasks"),
            int("moved"),
            int("faults"),
            int("live_nanos"),
            int("candidate_nanos"),
            text("last_fault"),
            id("actor_id"),
            int("started_at"),
            int("updated_at"),
        ],
    ),
    Table::kept(
        "policy_decisions",
        13,
        &[
            id("id"),
            id("user_id"),
            text("policy"),
            text("version"),
            text("params"),
            int("data_version"),
            int("shown_at"),
            text("time_zone"),
            text("context"),
            text("candidates"),
            int("total"),
            id("task_id"),
            int("snoozes"),
            text("outcome"),
            int("outcome_at"),
            id("instead_id"),
        ],
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::store::testing::test_stores;

    /// Every column that the list knows of the schema after a migration.
    fn listed(version: i64) -> BTreeSet<String> {
        let tables = TABLES.iter().filter(|table| table.is_at(version));
        let columns = tables.flat_map(|table| table.columns_at(version).map(|column| (table.name, column.name)));
        columns.map(|(table, column)| format!("{table}.{column}")).collect()
    }

    fn is_derived(column: &str) -> bool {
        let tables = DERIVED.iter().filter(|name| !name.contains('.'));
        DERIVED.contains(&column) || tables.into_iter().any(|table| column.starts_with(table))
    }

    #[tokio::test]
    async fn the_list_agrees_with_the_schema_of_every_migration() {
        for test in test_stores().await {
            let versions: Vec<i64> =
                test.store.migration_status().await.unwrap().iter().map(|known| known.version).collect();
            for version in versions.into_iter().rev() {
                test.store.migrate_down(version).await.unwrap();
                let schema = test.store.columns().await.unwrap();
                let schema: BTreeSet<String> = schema.into_iter().filter(|column| !is_derived(column)).collect();

                let known = listed(version);

                let unlisted: Vec<_> = schema.difference(&known).collect();
                let imagined: Vec<_> = known.difference(&schema).collect();
                assert!(
                    unlisted.is_empty() && imagined.is_empty(),
                    "migration {version} on {}: say in src/store/tables.rs what a backup does with {unlisted:#?}; \
                     not there: {imagined:#?}",
                    test.name
                );
            }
        }
    }

    #[test]
    fn names_are_plain_words_that_need_no_quotes() {
        let plain = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        for table in TABLES {
            assert!(plain(table.name) && table.columns.iter().all(|column| plain(column.name)), "{}", table.name);
        }
    }

    #[test]
    fn what_is_left_out_is_not_referred_to_by_what_is_kept() {
        let left_out: Vec<_> = TABLES.iter().filter(|table| table.fate != Fate::Kept).collect();
        assert!(left_out.iter().all(|table| table.sealed.is_none()), "what is sealed is worth keeping");
        assert!(left_out.iter().all(|table| matches!(table.fate, Fate::LeftOut(reason) if reason.len() > 10)));
    }
}
