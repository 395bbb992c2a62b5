//! `mindflow keys`: the keys that sign access tokens, from the operator's shell.

use std::io::Write;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::app::Keys;
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::oauth::KeyError;
use crate::oauth::key_ring::{Rotate, Rotated};
use crate::oauth::key_shelf::{Kept, KeyState};

/// What to do with the keys.
#[derive(Debug, Args)]
pub struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// List the keys, oldest first
    List {
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Replace the key that signs; without options it first is published for an hour, so that nobody notices
    Rotate(RotateArgs),
}

#[derive(Debug, Args)]
struct RotateArgs {
    /// Let the new key sign at once; the old one still verifies
    #[arg(long, conflicts_with = "leaked")]
    now: bool,
    /// The keys leaked, or their SECRET_KEY is lost: give all of them up, so that access tokens must be refreshed
    #[arg(long)]
    leaked: bool,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// A key as it is listed.
#[derive(Serialize)]
struct Line {
    kid: String,
    alg: String,
    state: KeyState,
    /// `database`, or the name of the setting.
    source: &'static str,
    created_at: Option<Timestamp>,
    activated_at: Option<Timestamp>,
    retired_at: Option<Timestamp>,
}

impl Line {
    fn kept(key: Kept) -> Self {
        let Kept { kid, alg, state, created_at, activated_at, retired_at, .. } = key;
        Self { kid, alg, state, source: "database", created_at: Some(created_at), activated_at, retired_at }
    }

    fn configured(kid: &str) -> Self {
        Self {
            kid: kid.to_owned(),
            alg: "RS256".to_owned(),
            state: KeyState::Active,
            source: "OAUTH_PRIVATE_KEY",
            created_at: None,
            activated_at: None,
            retired_at: None,
        }
    }
}

/// Runs the command; a server may run on the same data meanwhile, and notices within a minute.
pub async fn run(args: KeysArgs, config: &Config, clock: Clock, out: &mut impl Write) -> anyhow::Result<()> {
    let keys = Keys::reach(config, clock.clone()).await?;
    match args.command {
        KeysCommand::List { json } => list(&keys, json, out).await,
        KeysCommand::Rotate(args) => {
            let rotated = if args.leaked {
                let ring = keys.open_anew().await?;
                Rotated { kid: ring.keys().active().kid().to_owned(), signs_from: clock.now() }
            } else {
                let how = if args.now { Rotate::AtOnce } else { Rotate::Announced };
                keys.open().await?.rotate(how).await?
            };
            tell(&rotated, clock.now(), args.json, out)
        }
    }
}

async fn list(keys: &Keys, json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let ring = keys.open().await?;
    let lines: Vec<Line> = match ring.list().await {
        Ok(kept) => kept.into_iter().map(Line::kept).collect(),
        Err(KeyError::Configured) => vec![Line::configured(ring.keys().active().kid())],
        Err(error) => return Err(error.into()),
    };
    if json {
        serde_json::to_writer_pretty(&mut *out, &lines).context("the list cannot be written")?;
        return Ok(writeln!(out)?);
    }
    for line in lines {
        let since = line.retired_at.or(line.activated_at).or(line.created_at);
        let since = since.map_or_else(|| line.source.to_owned(), |at| format!("since {at}"));
        writeln!(out, "{}  {}  {:<7}  {since}", line.kid, line.alg, line.state.as_str())?;
    }
    Ok(())
}

fn tell(rotated: &Rotated, now: Timestamp, json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let Rotated { kid, signs_from } = rotated;
    if json {
        let told = serde_json::json!({ "kid": kid, "signs_from": signs_from });
        return Ok(writeln!(out, "{told:#}")?);
    }
    if *signs_from > now {
        writeln!(out, "Key {kid} is published, and signs from {signs_from} on, when a server runs.")?;
    } else {
        writeln!(out, "Key {kid} signs now.")?;
    }
    Ok(())
}
