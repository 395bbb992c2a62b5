//! `mindflow mail`: mail that waits or was given up, from the operator's shell.

use std::io::Write;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use uuid::Uuid;

use crate::mail::{Post, Waiting};

/// What to do with mail.
#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// List what waits to be sent, and what was given up and why
    List {
        /// Only what was given up
        #[arg(long)]
        dead: bool,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Let mail be tried anew at once
    Retry(Which),
    /// Throw mail away
    Discard(Which),
}

/// Which mail.
#[derive(Debug, Args)]
pub struct Which {
    /// Ids, as `mindflow mail list` shows them
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<Uuid>,
    /// All that was given up
    #[arg(long)]
    all: bool,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command; a server may run on the same data meanwhile, and notices within a minute.
pub async fn run(command: MailCommand, post: &Post, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        MailCommand::List { dead, json } => {
            let mut mails = post.list().await?;
            mails.retain(|mail| !dead || mail.state == "dead");
            list(&mails, json, out)
        }
        MailCommand::Retry(which) => {
            let mut missing = Vec::new();
            let mut count = if which.all { post.retry(None).await? } else { 0 };
            for id in &which.ids {
                let found = post.retry(Some(*id)).await?;
                count += found;
                missing.extend((found == 0).then_some(*id));
            }
            tell(("retried", count), &missing, which.json, out)
        }
        MailCommand::Discard(which) => {
            let mut missing = Vec::new();
            let mut count = if which.all { post.discard(None).await? } else { 0 };
            for id in &which.ids {
                let found = post.discard(Some(*id)).await?;
                count += found;
                missing.extend((found == 0).then_some(*id));
            }
            tell(("discarded", count), &missing, which.json, out)
        }
    }
}

fn list(mails: &[Waiting], json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    if json {
        serde_json::to_writer_pretty(&mut *out, mails).context("the list cannot be written")?;
        return Ok(writeln!(out)?);
    }
    if mails.is_empty() {
        return Ok(writeln!(out, "No mail waits, and none was given up.")?);
    }
    for mail in mails {
        let to = mail.to.as_deref().unwrap_or("(sealed under another SECRET_KEY)");
        let tries = if mail.attempts == 1 { "try" } else { "tries" };
        let when = match (mail.died_at, mail.next_at) {
            (Some(at), _) => format!("given up {at}"),
            (None, Some(at)) => format!("next try {at}"),
            (None, None) => String::new(),
        };
        writeln!(out, "{}  {:<7}  {}  {to}  {} {tries}, {when}", mail.id, mail.state, mail.kind, mail.attempts)?;
        if let Some(error) = &mail.last_error {
            writeln!(out, "    {error}")?;
        }
    }
    Ok(())
}

fn tell((done, count): (&str, u64), missing: &[Uuid], json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    if json {
        let told = serde_json::json!({ done: count, "missing": missing });
        writeln!(out, "{told:#}")?;
    } else {
        writeln!(out, "{count} {done}.")?;
    }
    if !missing.is_empty() {
        let ids: Vec<String> = missing.iter().map(ToString::to_string).collect();
        bail!("there is no such mail, or its link has expired: {}", ids.join(", "));
    }
    Ok(())
}
