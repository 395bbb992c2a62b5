//! `mindflow backup` itself.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use clap::Args;

use super::progress::{Shown, size};
use super::{keep, place, secret};
use crate::backup::BackupError;
use crate::backup::crypt::Seal;
use crate::backup::make::{Made, Order, make};
use crate::backup::native;
use crate::backup::place::{Place, Prune};
use crate::clock::Clock;
use crate::config::Config;
use crate::objects::Objects;
use crate::store::{PoolLimits, Store};

/// How a backup is made.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct MakeArgs {
    /// A folder, s3://BUCKET/PREFIX, or a new file that ends in .tar.gz or .tar.gz.age; without it `backup.to`
    #[arg(long, value_name = "PLACE")]
    to: Option<String>,
    /// Encrypt it to a public key of age (`age1…`); may be given several times
    #[arg(long, value_name = "RECIPIENT", conflicts_with = "passphrase_file")]
    encrypt_to: Vec<String>,
    /// Encrypt it with a passphrase, the first line of a file
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Leave out the files that are attached to tasks
    #[arg(long)]
    without_attachments: bool,
    /// Also keep a copy that the database's own tools read: of pg_dump where it is, or of the SQLite file
    #[arg(long)]
    native: bool,
    /// Keep all older backups of the place
    #[arg(long)]
    no_prune: bool,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

impl MakeArgs {
    fn seal(&self, config: &Config) -> Result<Seal, BackupError> {
        let backup = &config.backup;
        match (&self.passphrase_file, self.encrypt_to.as_slice()) {
            (Some(file), _) => Seal::choose(&[], Some(file)),
            (None, []) => Seal::choose(&backup.encrypt_to, backup.passphrase_file.as_deref()),
            (None, keys) => Seal::choose(keys, None),
        }
    }

    /// The place, and the name of the file where one was named.
    fn target(&self, seal: &Seal, config: &Config) -> anyhow::Result<(Place, Option<String>)> {
        let Some(file) = self.to.as_deref().filter(|to| to.ends_with(".tar.gz") || to.ends_with(".tar.gz.age")) else {
            return Ok((place(self.to.as_deref(), config)?, None));
        };
        if Path::new(file).extension().is_some_and(|end| end == "age") != seal.is_closed() {
            bail!("`{file}` must end in .age if it is encrypted, and only then");
        }
        let (folder, name) = file.rsplit_once('/').unwrap_or((".", file));
        let folder = if folder.is_empty() { "/" } else { folder };
        Ok((place(Some(folder), config)?, Some(name.to_owned())))
    }
}

pub(super) async fn run(args: MakeArgs, config: &Config, clock: &Clock, out: &mut impl Write) -> anyhow::Result<()> {
    let seal = Arc::new(args.seal(config)?);
    let url = config.storage.database_url.expose();
    if !Store::is_there(url)? {
        return Err(BackupError::NothingThere.into());
    }
    let (place, name) = args.target(&seal, config)?;
    let secret = secret(config)?;
    let with_attachments = config.backup.attachments && !args.without_attachments;
    let attachments = if with_attachments { Some(Objects::open(config)?) } else { None };
    let limits = PoolLimits { connections: 2, acquire_timeout: config.storage.wait, ..PoolLimits::default() };
    let store = Store::connect(url, &limits).await?;
    let (named, shown) = (name.is_some(), Shown::begin());
    let order = Order {
        store: &store,
        attachments: attachments.as_ref(),
        secret: secret.as_ref(),
        seal: Arc::clone(&seal),
        place: &place,
        name,
        now: clock.now(),
        progress: shown.clone(),
    };
    let made = make(order).await;
    shown.end();
    let copied = match &made {
        Ok(made) if args.native => native::copy(&store, url, &place, &seal, made.head.created_at).await,
        _ => Ok(None),
    };
    store.close().await;
    let (made, native) = (made?, copied?);
    if args.native && native.is_none() {
        eprintln!("mindflow: warning: there is no pg_dump here, so there is no native copy");
    }
    let pruned = if args.no_prune || named {
        Vec::new()
    } else {
        place.prune(keep(config), clock.now(), Prune::Really).await?.into_iter().map(|kept| kept.name).collect()
    };
    tell(&made, native.as_deref(), &pruned, args.json, out)
}

fn tell(made: &Made, native: Option<&str>, pruned: &[String], json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    if json {
        let mut told = serde_json::to_value(made)?;
        told["pruned"] = pruned.into();
        told["native"] = native.into();
        return Ok(writeln!(out, "{told:#}")?);
    }
    let attachments = made.totals.attachments;
    writeln!(out, "{}", made.path)?;
    writeln!(
        out,
        "{} rows, {} attachments ({}); the file has {}, SHA-256 {}",
        made.totals.rows(),
        attachments.count,
        size(attachments.bytes),
        size(made.bytes),
        made.sha256
    )?;
    if let Some(native) = native {
        writeln!(out, "Beside it: {native}")?;
    }
    if let Some(trouble) = attachments.trouble() {
        eprintln!("mindflow: warning: {trouble}; an older backup may still have them");
    }
    let sealed = made.totals.sealed();
    if let Some(fingerprint) = made.head.secret_fingerprint.as_deref().filter(|_| !sealed.is_empty()) {
        writeln!(
            out,
            "SECRET_KEY (or secret.key) is not in it: keep it apart, fingerprint {fingerprint}. Without it {} are lost.",
            sealed.join(" and ")
        )?;
    }
    if !pruned.is_empty() {
        writeln!(out, "{} older backups were deleted.", pruned.len())?;
    }
    Ok(())
}
