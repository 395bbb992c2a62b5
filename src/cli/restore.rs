//! `mindflow restore`: makes the configured database from a backup.

use std::fs::DirBuilder;
use std::io::Write;

use anyhow::Context as _;
use clap::Args;

use super::backup::progress::Shown;
use super::backup::{KeyArgs, inspect, secret};
use crate::backup::BackupError;
use crate::backup::restore::{Force, Inspected, Restored, SecretTrouble, Target};
use crate::config::Config;
use crate::objects::Objects;
use crate::store::{PoolLimits, Store};

/// What to restore.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// A file, s3://BUCKET/NAME, a name in `backup.to`, or `latest`
    archive: String,
    /// Replace everything that the database holds
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    keys: KeyArgs,
    /// Leave out the files that are attached to tasks
    #[arg(long)]
    without_attachments: bool,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(args: RestoreArgs, config: &Config, out: &mut impl Write) -> anyhow::Result<()> {
    let inspected = inspect(&args.archive, &args.keys, config).await?;
    let url = config.storage.database_url.expose();
    let warnings = warnings(&inspected, config, url).await?;
    for warning in &warnings {
        eprintln!("mindflow: warning: {warning}");
    }
    make_data_folder(config)?;
    let limits = PoolLimits { connections: 2, acquire_timeout: config.storage.wait, ..PoolLimits::default() };
    let store = Store::connect(url, &limits).await?;
    let restored = into(&args, &inspected, config, &store).await;
    store.close().await;
    tell(&restored?, &warnings, args.json, out)
}

async fn into(
    args: &RestoreArgs,
    inspected: &Inspected,
    config: &Config,
    store: &Store,
) -> Result<Restored, BackupError> {
    let wanted = inspected.contents.head.attachments && !args.without_attachments;
    let attachments = if wanted { Some(Objects::open(config)?) } else { None };
    let shown = Shown::begin();
    let target = Target {
        store,
        attachments: attachments.as_ref(),
        force: if args.force { Force::Replace } else { Force::Never },
        progress: shown.clone(),
    };
    let restored = inspected.restore(&target).await;
    shown.end();
    restored
}

/// What to know before anything is touched.
async fn warnings(inspected: &Inspected, config: &Config, url: &str) -> anyhow::Result<Vec<String>> {
    let mut warnings = Vec::new();
    let sealed = inspected.contents.totals.sealed().join(" and ");
    let head = &inspected.contents.head;
    let fingerprint = head.secret_fingerprint.as_deref().unwrap_or_default();
    match inspected.secret_trouble(secret(config)?.as_ref()) {
        None => {}
        Some(SecretTrouble::Missing) => warnings.push(format!(
            "there is no SECRET_KEY or secret.key here; put the one with the fingerprint {fingerprint} in place before a \
             server starts, or {sealed} are lost"
        )),
        Some(SecretTrouble::Other) => warnings.push(format!(
            "SECRET_KEY or secret.key here is not the one of the backup (fingerprint {fingerprint}): {sealed} cannot be \
             opened with it"
        )),
    }
    if let Some(trouble) = inspected.contents.totals.attachments.trouble() {
        warnings.push(format!("when the backup was made, {trouble}"));
    }
    if Store::seems_served(url).await? {
        warnings.push("a server seems to run on this database; stop it before, or restart it afterwards".to_owned());
    }
    Ok(warnings)
}

/// For the server's own user alone.
fn make_data_folder(config: &Config) -> anyhow::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&config.storage.data_dir).context("the data folder cannot be made (`DATA_DIR`)")
}

fn tell(restored: &Restored, warnings: &[String], json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    if json {
        let mut told = serde_json::to_value(restored)?;
        told["warnings"] = warnings.into();
        return Ok(writeln!(out, "{told:#}")?);
    }
    let Restored { head, rows, attachments_restored, .. } = restored;
    writeln!(out, "Everything is as it was at {}: {rows} rows, {attachments_restored} attachments.", head.created_at)?;
    writeln!(out, "It was a {} database of MindFlow {}.", head.database, head.program_version)?;
    Ok(())
}
