//! The database: whether it answers, what it is, how it is set, and whether its schema is this program's.

use std::error::Error as StdError;
use std::path::{Path, PathBuf};

use super::clocks;
use super::finding::{Findings, Level};
use crate::clock::Clock;
use crate::config::Config;
use crate::store::inspect::{Facts, PostgresFacts, SqliteFacts};
use crate::store::migrations::MigrationError;
use crate::store::{PoolLimits, Store};

/// PostgreSQL 15, the oldest that is tested.
const OLDEST_POSTGRES: i32 = 150_000;
/// SQLite's level of `synchronous` from which an acknowledged change survives a power cut.
const FULL: i64 = 2;

/// Whether the configuration names PostgreSQL.
pub(super) fn is_postgres(config: &Config) -> bool {
    config.storage.database_url.expose().starts_with("postgres")
}

/// Looks at the database. Returns it when its schema is there, for what else is kept in it.
pub(super) async fn check(config: &Config, clock: &Clock, findings: &mut Findings) -> Option<Store> {
    let check = "database.reachable";
    if let Some(file) = sqlite_file(config)
        && !file.is_file()
    {
        let message = format!("there is no database at {} yet", file.display());
        findings.warning(check, message, "`mindflow migrate up` or the first start makes it");
        return None;
    }
    // One connection tells it all, and leaves the others to the server.
    let limits = PoolLimits { connections: 1, acquire_timeout: config.storage.wait, ..PoolLimits::default() };
    let store = match Store::connect(config.storage.database_url.expose(), &limits).await {
        Ok(store) => store,
        Err(error) => {
            let advice = "start the database, and look at DATABASE_URL: host, port, database, user, password";
            findings.problem(check, told(&error), advice);
            return None;
        }
    };
    match store.facts().await {
        Ok(facts) => {
            findings.ok(check, "it answers");
            match facts {
                Facts::Sqlite(facts) => sqlite(config, &facts, findings),
                Facts::Postgres(facts) => postgres(config, &facts, clock, findings),
            }
        }
        Err(error) => {
            findings.problem(check, told(&error), "look at the database's own log");
            return None;
        }
    }
    schema(config, &store, findings).await.then_some(store)
}

/// An error with its causes, in one line.
pub(super) fn told(error: &(dyn StdError + 'static)) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line = format!("{line}: {cause}");
        source = cause.source();
    }
    line
}

/// The file of a SQLite database; `None` for PostgreSQL, and for one that is kept in memory.
pub(super) fn sqlite_file(config: &Config) -> Option<PathBuf> {
    let rest = config.storage.database_url.expose().strip_prefix("sqlite:")?;
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    (!path.is_empty() && path != ":memory:").then(|| Path::new(path).to_owned())
}

fn sqlite(config: &Config, facts: &SqliteFacts, findings: &mut Findings) {
    let size = super::disk::in_words(u64::try_from(facts.bytes).unwrap_or(0));
    findings.ok("database.version", format!("SQLite {}, {size}", facts.version));
    let settings = "database.settings";
    if facts.journal_mode != "wal" {
        let message = format!("the journal is `{}` instead of WAL, so readers wait for the writer", facts.journal_mode);
        findings.problem(settings, message, "move the data folder to a local disk: WAL needs shared memory");
    } else if facts.synchronous < FULL || !facts.foreign_keys {
        let message = "acknowledged changes may be lost in a power cut, or references are not checked";
        findings.problem(settings, message, "take `synchronous` and `foreign_keys` out of DATABASE_URL");
    } else {
        findings.ok(settings, "WAL, flushed at each commit, references checked");
    }
    if let Some(folder) = sqlite_file(config).as_deref().and_then(Path::parent) {
        super::disk::check("disk.database", folder, findings);
    }
}

fn postgres(config: &Config, facts: &PostgresFacts, clock: &Clock, findings: &mut Findings) {
    let version = "database.version";
    if facts.version_number < OLDEST_POSTGRES {
        let message = format!("PostgreSQL {} is older than 15", facts.version);
        findings.problem(version, message, "upgrade to PostgreSQL 15 or newer");
    } else {
        findings.ok(version, format!("PostgreSQL {}", facts.version));
    }
    clocks::compare("clock.database", "the database's clock", facts.now(), clock.now(), findings);
    settings(facts, findings);
    connections(config, facts, findings);
    rights(config, facts, findings);
    let check = "database.encryption";
    let url = config.storage.database_url.expose();
    // Without a host the URL names a socket of this machine.
    let host = url::Url::parse(url).ok().filter(|url| url.has_host() && !super::configuration::is_loopback(url));
    match host {
        Some(_) if !facts.encrypted => findings.warning(
            check,
            "the connection to another machine is not encrypted",
            "add ?sslmode=require (better: verify-full) to DATABASE_URL",
        ),
        _ if facts.encrypted => findings.ok(check, "the connection is encrypted"),
        _ => findings.ok(check, "the connection stays on this machine"),
    }
}

fn settings(facts: &PostgresFacts, findings: &mut Findings) {
    let check = "database.settings";
    let mut faults = Vec::new();
    if facts.is_replica {
        faults.push("it is a replica that cannot be written to");
    }
    if facts.fsync != "on" {
        faults.push("`fsync` is off, so the database may be destroyed in a power cut");
    }
    if facts.encoding != "UTF8" {
        faults.push("its encoding is not UTF8");
    }
    if !faults.is_empty() {
        let advice = "connect to the primary; set fsync = on; make the database with ENCODING 'UTF8'";
        findings.problem(check, faults.join("; "), advice);
    } else if facts.synchronous_commit == "off" {
        findings.warning(
            check,
            "`synchronous_commit` is off: acknowledged changes of the last moment may be lost in a power cut",
            "set synchronous_commit = on for this database",
        );
    } else {
        findings
            .ok(check, format!("UTF8, flushed at each commit, time zone {} (times are kept in UTC)", facts.time_zone));
    }
}

/// Every instance takes as many connections as its pool allows, and so does the one that replaces it in an update.
fn connections(config: &Config, facts: &PostgresFacts, findings: &mut Findings) {
    let check = "database.connections";
    let pool = i64::from(config.storage.max_connections);
    let most = i64::from(facts.max_connections);
    let message = format!("{} of {most} connections in use, up to {pool} an instance", facts.connections);
    if pool * 2 > most {
        let advice =
            "raise max_connections of PostgreSQL, or lower storage.max_connections: an update runs two instances";
        findings.warning(check, message, advice);
    } else if facts.connections * 10 > most * 8 {
        findings.warning(
            check,
            message,
            "raise max_connections of PostgreSQL, or end what does not need its connections",
        );
    } else {
        findings.ok(check, message);
    }
}

fn rights(config: &Config, facts: &PostgresFacts, findings: &mut Findings) {
    let check = "database.rights";
    let role = &facts.role;
    if !facts.closed_tables.is_empty() {
        findings.problem(
            check,
            format!("the role `{role}` may not read and change {}", facts.closed_tables),
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO the role (deploy/postgres/roles.sql)",
        );
    } else if config.storage.migrate_on_start && !facts.may_create {
        findings.problem(
            check,
            format!("the role `{role}` may not make tables, which a start does after an upgrade"),
            "set MINDFLOW__STORAGE__MIGRATE_ON_START=false and run `mindflow migrate up` as the tables' owner",
        );
    } else if facts.is_superuser {
        findings.warning(
            check,
            format!("the role `{role}` is a superuser"),
            "give the server a role that may only SELECT, INSERT, UPDATE and DELETE (deploy/postgres/roles.sql)",
        );
    } else {
        let more = if facts.may_create { ", and make tables" } else { "" };
        findings.ok(check, format!("the role `{role}` may read and change every table{more}"));
    }
}

/// Whether the schema is this program's.
async fn schema(config: &Config, store: &Store, findings: &mut Findings) -> bool {
    let check = "database.schema";
    match store.expect_schema().await {
        Ok(newer) if newer.is_empty() => {
            findings.ok(check, "up to date");
            true
        }
        Ok(newer) => {
            let level = if config.storage.migrate_on_start { Level::Problem } else { Level::Warning };
            findings.fault(
                level,
                check,
                format!("it has {} migration(s) that this program does not know", newer.len()),
                "run the newer program; or take them back with it: `mindflow migrate down --to NUMBER`",
            );
            true
        }
        Err(error @ MigrationError::Lacking(_)) => {
            let message = error.to_string();
            let message = message.split(", and").next().unwrap_or_default();
            findings.problem(check, message, "run `mindflow migrate up` with this program");
            false
        }
        Err(error) => {
            findings.problem(check, told(&error), "look at `mindflow migrate status`");
            false
        }
    }
}
