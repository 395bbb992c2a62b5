//! `mindflow migrate`: the database's schema.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use crate::config::Config;
use crate::store::{PoolLimits, Store};

/// What to do with the schema.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    #[command(subcommand)]
    command: MigrateCommand,
}

#[derive(Debug, Subcommand)]
enum MigrateCommand {
    /// Apply every migration that is missing
    Up,
    /// Take back the newest migration, or all above a number; their data is lost
    Down {
        /// The last migration that stays; 0 takes back all of them
        #[arg(long, value_name = "NUMBER")]
        to: Option<i64>,
    },
    /// Show which migrations are applied
    Status {
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Take over a database that has the tables but no record of migrations
    Adopt,
}

/// Runs the subcommand; what it has to say goes to `out`.
pub async fn run(args: MigrateArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(&config.storage.data_dir).context("the data folder cannot be made (`DATA_DIR`)")?;
    let limits = PoolLimits { acquire_timeout: config.storage.wait, ..PoolLimits::default() };
    let store = Store::connect(config.storage.database_url.expose(), &limits).await?;
    match args.command {
        MigrateCommand::Up => {
            let count = store.migrate_up().await?;
            writeln!(out, "{count} migration(s) applied; the schema is up to date.")?;
        }
        MigrateCommand::Down { to } => {
            let applied = store.migration_status().await?.into_iter().filter(|migration| migration.applied);
            let versions: Vec<i64> = applied.map(|migration| migration.version).collect();
            let before_last = versions.len().checked_sub(2).and_then(|index| versions.get(index)).copied();
            let target = to.unwrap_or(before_last.unwrap_or(0));
            store.migrate_down(target).await?;
            let count = versions.iter().filter(|version| **version > target).count();
            writeln!(out, "{count} migration(s) taken back.")?;
        }
        MigrateCommand::Status { json } => {
            let status = store.migration_status().await?;
            if json {
                writeln!(out, "{}", serde_json::to_string_pretty(&status)?)?;
            } else {
                for migration in status {
                    let state = if migration.applied { "applied" } else { "missing" };
                    writeln!(out, "{:04}  {state}  {}", migration.version, migration.name)?;
                }
            }
        }
        MigrateCommand::Adopt => {
            store.adopt().await?;
            writeln!(out, "The database is adopted; its migrations are recorded.")?;
        }
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
