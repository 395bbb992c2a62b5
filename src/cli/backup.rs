//! `mindflow backup`: makes, lists, prunes and tries backups.

mod making;
pub mod progress;

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use self::progress::Shown;
use crate::backup::crypt::Unlock;
use crate::backup::place::{Kept, Place, Prune};
use crate::backup::restore::Inspected;
use crate::backup::retention::Keep;
use crate::backup::verify::{Scratch, verify};
use crate::clock::Clock;
use crate::config::Config;
use crate::secret_key::SecretKey;
use crate::store::{Store, migrations};

/// What to do with backups; without a command, one is made.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BackupArgs {
    #[command(subcommand)]
    command: Option<BackupCommand>,
    #[command(flatten)]
    make: making::MakeArgs,
}

#[derive(Debug, Subcommand)]
enum BackupCommand {
    /// List the backups of a place, oldest first
    List(PlaceArgs),
    /// Delete the backups that need not stay; done after each backup anyway
    Prune {
        #[command(flatten)]
        place: PlaceArgs,
        /// Only say which
        #[arg(long)]
        dry_run: bool,
    },
    /// Restore a backup into a scratch database, and compare every table with it
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
struct PlaceArgs {
    /// A folder or s3://BUCKET/PREFIX; without it `backup.to`
    #[arg(long, value_name = "PLACE", visible_alias = "to")]
    from: Option<String>,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// A file, s3://BUCKET/NAME, a name in `backup.to`, or `latest`
    archive: String,
    #[command(flatten)]
    keys: KeyArgs,
    /// A PostgreSQL database to try it in, in a schema that goes again; without it a SQLite file
    #[arg(long = "in", value_name = "URL")]
    scratch: Option<String>,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// With what an archive is opened.
#[derive(Debug, Args)]
pub(super) struct KeyArgs {
    /// The file with the secret key of age to which it is encrypted
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    identity: Option<PathBuf>,
    /// The file whose first line is the passphrase
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl KeyArgs {
    /// What was named, or else the passphrase with which this server's backups are sealed.
    fn unlock(&self, config: &Config) -> anyhow::Result<Unlock> {
        let usual = config.backup.passphrase_file.as_deref().filter(|_| self.identity.is_none());
        Ok(Unlock::choose(self.identity.as_deref(), self.passphrase_file.as_deref().or(usual))?)
    }
}

/// Runs the command; a server may run on the same data meanwhile.
pub async fn run(args: BackupArgs, config: &Config, clock: Clock, out: &mut impl Write) -> anyhow::Result<()> {
    match args.command {
        None => making::run(args.make, config, &clock, out).await,
        Some(BackupCommand::List(args)) => list(&args, config, out).await,
        Some(BackupCommand::Prune { place: args, dry_run }) => {
            let how = if dry_run { Prune::Rehearsal } else { Prune::Really };
            let gone = place(args.from.as_deref(), config)?.prune(keep(config), clock.now(), how).await?;
            tell_kept(&gone, args.json, out)?;
            if !args.json {
                writeln!(out, "{} {}.", gone.len(), if dry_run { "would go" } else { "deleted" })?;
            }
            Ok(())
        }
        Some(BackupCommand::Verify(args)) => try_it(&args, config, out).await,
    }
}

/// The place that was named, or the configured one.
fn place(named: Option<&str>, config: &Config) -> anyhow::Result<Place> {
    let url = named.map_or_else(|| config.backup.place(&config.storage.data_dir), ToOwned::to_owned);
    Place::open(&url, &config.objects).with_context(|| format!("backups cannot be kept in `{url}`"))
}

const fn keep(config: &Config) -> Keep {
    let [daily, weekly, monthly] = config.backup.keep;
    Keep { daily, weekly, monthly }
}

/// The server's secret, if there is one; none is made.
pub(super) fn secret(config: &Config) -> anyhow::Result<Option<SecretKey>> {
    match &config.server.secret_key {
        Some(secret) => Ok(Some(SecretKey::new(secret.expose()))),
        None => SecretKey::load(&config.storage.data_dir).context("the server's secret cannot be read (`SECRET_KEY`)"),
    }
}

/// Has an archive at hand, and reads it from beginning to end.
pub(super) async fn inspect(archive: &str, keys: &KeyArgs, config: &Config) -> anyhow::Result<Inspected> {
    let usual = config.backup.place(&config.storage.data_dir);
    let archive = Place::find(archive, &config.objects, &usual).await?;
    Ok(Inspected::read(archive, keys.unlock(config)?, migrations::newest()).await?)
}

async fn list(args: &PlaceArgs, config: &Config, out: &mut impl Write) -> anyhow::Result<()> {
    tell_kept(&place(args.from.as_deref(), config)?.list().await?, args.json, out)
}

fn tell_kept(kept: &[Kept], json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    if json {
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(kept)?)?);
    }
    for one in kept {
        let Kept { name, created_at, bytes, encrypted, .. } = one;
        let sealed = if *encrypted { "encrypted" } else { "" };
        writeln!(out, "{created_at}  {:>10}  {sealed:<9}  {name}", progress::size(*bytes))?;
    }
    Ok(())
}

async fn try_it(args: &VerifyArgs, config: &Config, out: &mut impl Write) -> anyhow::Result<()> {
    let inspected = inspect(&args.archive, &args.keys, config).await?;
    let scratch = match &args.scratch {
        None => Scratch::File,
        Some(url) if Store::is_sqlite(url) => Scratch::File,
        Some(url) => Scratch::Schema(url.clone()),
    };
    let shown = Shown::begin();
    let restored = verify(&inspected, &scratch, shown.clone()).await;
    shown.end();
    let restored = restored?;
    let trouble = restored.totals.attachments.trouble();
    if args.json {
        let mut told = serde_json::to_value(&restored)?;
        told["verified"] = trouble.is_none().into();
        writeln!(out, "{told:#}")?;
        return trouble.map_or(Ok(()), |trouble| Err(anyhow::anyhow!("{trouble}")));
    }
    for table in &restored.totals.tables {
        writeln!(out, "{:>10}  {:<22}  {}", table.rows, table.name, table.digest)?;
    }
    let attachments = restored.totals.attachments;
    writeln!(out, "{:>10}  {:<22}  {}", attachments.count, "attachments", progress::size(attachments.bytes))?;
    if let Some(trouble) = trouble {
        anyhow::bail!("every table came out as it was, but when the backup was made, {trouble}");
    }
    writeln!(out, "The backup of {} is good: every table came out as it was.", restored.head.created_at)?;
    Ok(())
}
