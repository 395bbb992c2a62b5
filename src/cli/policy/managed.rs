//! `mindflow policy list | versions | show | diff | propose | activate | rollback | …`: versions of policies, and what
//! they recommended, on the configured database. A server that runs on it takes over within a second what is put in force here.

use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::decided::{self, CountOutcomes, ListDecisions, ReplayVersion};
use super::learn::{self, LearnParams};
use super::report;
use super::simulate::{self, SimulateVersion};
use super::trials::{self, RollOut, Shadow};
use crate::app::App;
use crate::clock::Timestamp;
use crate::policies::cases::count_examples;
use crate::policies::folder::{SCRIPT_FILE, read_limited};
use crate::policies::live::PolicyStatus;
use crate::policies::versions::listing::PageOf;
use crate::policies::versions::{Actor, PolicyError, Proposal, Versions};
use crate::store::policy_versions::{ActivationRecord, VersionRecord};

/// Rows that a list shows at most.
const MOST_ROWS: u32 = 1000;

/// Versions of policies.
#[derive(Debug, Subcommand)]
pub enum ManagedCommand {
    /// List policies: what is in force, where it came from, what was refused
    List(Output),
    /// List the versions of a policy, newest first
    Versions(Named),
    /// Show a version's text; of the one in force without
    Show(OneVersion),
    /// Compare two versions: the one in force and the newest without
    Diff(DiffVersions),
    /// Keep a script as a draft
    Propose(ProposeVersion),
    /// Say what a version would do to real tasks
    Simulate(SimulateVersion),
    /// List recommendations that were kept, newest first
    Decisions(ListDecisions),
    /// Say what became of recommendations, by version
    Outcomes(CountOutcomes),
    /// Rank what was recommended again by another version
    Replay(ReplayVersion),
    /// Propose other values of a policy's parameters from what people did: a draft, never more
    Learn(LearnParams),
    /// Give a version to a part of the people, say how that goes, or end it
    Rollout(RollOut),
    /// Let a version score along unseen, say what it would change, or end it
    Shadow(Shadow),
    /// List what came into force, newest first, and by whom
    Activations(Named),
    /// Put a version in force, at every instance; its examples must come out
    Activate(GivenVersion),
    /// Put the version in force that was before the present one
    Rollback(Named),
    /// Delete a draft; what was in force stays
    Delete(GivenVersion),
}

/// How the answer is written.
#[derive(Debug, Args)]
pub struct Output {
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// A policy.
#[derive(Debug, Args)]
pub struct Named {
    /// The policy
    name: String,
    #[command(flatten)]
    output: Output,
}

/// A version of a policy.
#[derive(Debug, Args)]
pub struct OneVersion {
    /// The policy
    name: String,
    /// The version
    version: Option<String>,
    #[command(flatten)]
    output: Output,
}

/// A version that must be named.
#[derive(Debug, Args)]
pub struct GivenVersion {
    /// The policy
    name: String,
    /// The version
    version: String,
    #[command(flatten)]
    output: Output,
}

/// Arguments of `mindflow policy diff`.
#[derive(Debug, Args)]
pub struct DiffVersions {
    /// The policy
    name: String,
    /// The version compared with
    #[arg(long)]
    from: Option<String>,
    /// The version compared
    #[arg(long)]
    to: Option<String>,
    #[command(flatten)]
    output: Output,
}

/// Arguments of `mindflow policy propose`.
#[derive(Debug, Args)]
pub struct ProposeVersion {
    /// The policy
    name: String,
    /// The script, or a folder with one; `-` reads standard input
    file: PathBuf,
    /// What the version is for
    #[arg(long, short, default_value = "")]
    message: String,
    #[command(flatten)]
    output: Output,
}

/// Runs the command; what it has to say goes to `out`.
///
/// The exit code is 0 when it was done, 1 when the policy has faults or its examples fail.
///
/// # Errors
///
/// What keeps it from being done.
pub async fn run(command: ManagedCommand, app: &App, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let versions = &*app.versions;
    let is_json = command.output().json;
    let done = match command {
        ManagedCommand::List(output) => list(versions, &output, out).await,
        ManagedCommand::Versions(named) => list_versions(versions, &named, out).await,
        ManagedCommand::Show(one) => show(versions, one, out).await,
        ManagedCommand::Diff(args) => diff(versions, args, out).await,
        ManagedCommand::Propose(args) => propose(versions, args, out).await,
        ManagedCommand::Simulate(args) => simulate::run(args, app, out).await,
        ManagedCommand::Decisions(args) => decided::list(args, app, out).await,
        ManagedCommand::Outcomes(args) => decided::outcomes(args, app, out).await,
        ManagedCommand::Replay(args) => decided::replay(args, app, out).await,
        ManagedCommand::Learn(args) => learn::run(args, app, out).await,
        ManagedCommand::Rollout(args) => trials::roll_out(args, app, out).await,
        ManagedCommand::Shadow(args) => trials::shadow(args, app, out).await,
        ManagedCommand::Activations(named) => list_activations(versions, &named, out).await,
        ManagedCommand::Activate(args) => {
            let status = versions.activate(Actor::Shell, &args.name, &args.version, None).await;
            in_force(status, &args.output, out)
        }
        ManagedCommand::Rollback(named) => {
            let status = versions.roll_back(Actor::Shell, &named.name, None).await;
            in_force(status, &named.output, out)
        }
        ManagedCommand::Delete(args) => delete(versions, &args, out).await,
    };
    match done {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => told(error, is_json, out),
    }
}

impl ManagedCommand {
    const fn output(&self) -> &Output {
        match self {
            Self::List(output) => output,
            Self::Versions(named) | Self::Activations(named) | Self::Rollback(named) => &named.output,
            Self::Show(args) => &args.output,
            Self::Diff(args) => &args.output,
            Self::Propose(args) => &args.output,
            Self::Simulate(args) => &args.output,
            Self::Decisions(args) => &args.output,
            Self::Outcomes(args) => &args.output,
            Self::Replay(args) => &args.output,
            Self::Learn(args) => &args.output,
            Self::Rollout(args) => &args.output,
            Self::Shadow(args) => &args.output,
            Self::Activate(args) | Self::Delete(args) => &args.output,
        }
    }
}

/// Tells faults and failing examples, as JSON or one a line; whatever else is wrong ends the command.
fn told(error: anyhow::Error, is_json: bool, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    match error.downcast_ref::<PolicyError>() {
        Some(PolicyError::TestsFail(failures)) if is_json => {
            out.write_all(report::json(&json!({ "ok": false, "failures": failures }))?.as_bytes())?;
        }
        Some(PolicyError::Faulty(faults)) => {
            out.write_all(report::faults(faults, is_json)?.as_bytes())?;
        }
        Some(PolicyError::TestsFail(failures)) => {
            failures.iter().try_for_each(|failure| writeln!(out, "{failure}"))?;
        }
        Some(PolicyError::Invalid(faults)) => anyhow::bail!(
            "{}",
            faults.iter().map(|fault| format!("{} {}", fault.field, fault.message)).collect::<Vec<_>>().join("; ")
        ),
        _ => return Err(error),
    }
    Ok(ExitCode::FAILURE)
}

async fn list(versions: &Versions, output: &Output, out: &mut dyn Write) -> anyhow::Result<()> {
    let page = PageOf { limit: MOST_ROWS, cursor: None };
    let all = versions.list_policies(Actor::Shell, &page).await?.items;
    if output.json {
        return Ok(out.write_all(report::json(&all)?.as_bytes())?);
    }
    let heading = ["policy", "version", "from", "refused", "failing tests"].map(str::to_owned).to_vec();
    let row = |status: &PolicyStatus| {
        vec![
            status.name.clone(),
            status.live_version.clone().unwrap_or_else(|| "(draft)".to_owned()),
            status.origin.map_or("-", |origin| origin.as_str()).to_owned(),
            status.refused.as_ref().map_or_else(|| "-".to_owned(), |refused| refused.reason.clone()),
            count_examples(&status.failing_cases).to_string(),
        ]
    };
    let rows: Vec<_> = std::iter::once(heading).chain(all.iter().map(row)).collect();
    Ok(out.write_all(report::lines(&report::table(&rows)).as_bytes())?)
}

async fn list_versions(versions: &Versions, named: &Named, out: &mut dyn Write) -> anyhow::Result<()> {
    let page = PageOf { limit: MOST_ROWS, cursor: None };
    let rows = versions.list_versions(Actor::Shell, &named.name, &page).await?.items;
    let live = versions.live_version(&named.name);
    if named.output.json {
        let rows: Vec<Value> = rows.iter().map(|row| version_json(row, live.as_deref())).collect();
        return Ok(out.write_all(report::json(&rows)?.as_bytes())?);
    }
    for row in &rows {
        let at = Timestamp::from_micros(row.created_at);
        let state = state_of(row, live.as_deref());
        let author = row.author.as_deref().unwrap_or(&row.origin);
        writeln!(out, "{}  {state:5}  {at}  {author}  {}", row.version, row.message.replace('\n', " "))?;
    }
    Ok(())
}

fn state_of(row: &VersionRecord, live: Option<&str>) -> &'static str {
    match () {
        () if live == Some(&row.version) => "live",
        () if row.used => "used",
        () => "draft",
    }
}

fn version_json(row: &VersionRecord, live: Option<&str>) -> Value {
    json!({
        "policy": row.policy,
        "version": row.version,
        "parent": row.parent,
        "status": state_of(row, live),
        "origin": row.origin,
        "author": row.author,
        "message": row.message,
        "approvals": row.approvals,
        "created_at": Timestamp::from_micros(row.created_at),
    })
}

async fn show(versions: &Versions, one: OneVersion, out: &mut dyn Write) -> anyhow::Result<()> {
    let live = versions.live_version(&one.name);
    let version = one.version.or_else(|| live.clone()).context("no version of this policy is in force")?;
    let shown = versions.show_version(Actor::Shell, &one.name, &version).await?;
    if !one.output.json {
        return Ok(out.write_all(shown.source.as_bytes())?);
    }
    let mut value = version_json(&shown.version, live.as_deref());
    value["approved_by"] = json!(shown.approved_by);
    value["source"] = json!(shown.source);
    Ok(out.write_all(report::json(&value)?.as_bytes())?)
}

async fn diff(versions: &Versions, args: DiffVersions, out: &mut dyn Write) -> anyhow::Result<()> {
    let (from, to, diff) = versions.diff(Actor::Shell, &args.name, (args.from, args.to)).await?;
    if !args.output.json {
        return Ok(out.write_all(diff.unified.as_bytes())?);
    }
    let value = json!({ "from": from, "to": to, "added": diff.added, "removed": diff.removed, "diff": diff.unified });
    Ok(out.write_all(report::json(&value)?.as_bytes())?)
}

async fn propose(versions: &Versions, args: ProposeVersion, out: &mut dyn Write) -> anyhow::Result<()> {
    let source = read_script(&args.file)?;
    let proposal = Proposal { source, message: args.message, known: None };
    let proposed = versions.propose(Actor::Shell, &args.name, proposal, None).await?;
    let live = versions.live_version(&args.name);
    if args.output.json {
        let mut value = version_json(&proposed.version, live.as_deref());
        value["is_new"] = json!(proposed.is_new);
        value["warnings"] = json!(proposed.warnings);
        return Ok(out.write_all(report::json(&value)?.as_bytes())?);
    }
    proposed.warnings.iter().try_for_each(|warning| writeln!(out, "{warning}"))?;
    let what = if proposed.is_new { "is kept as a draft" } else { "was there already" };
    Ok(writeln!(out, "{}: version {} {what}", args.name, proposed.version.version)?)
}

async fn delete(versions: &Versions, args: &GivenVersion, out: &mut dyn Write) -> anyhow::Result<()> {
    let (name, version) = (&args.name, &args.version);
    versions.delete_draft(Actor::Shell, name, version).await?;
    if args.output.json {
        return Ok(
            out.write_all(report::json(&json!({ "policy": name, "version": version, "deleted": true }))?.as_bytes())?
        );
    }
    Ok(writeln!(out, "{name}: version {version} is deleted")?)
}

pub(super) fn read_script(file: &Path) -> anyhow::Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).context("standard input cannot be read")?;
        return Ok(text);
    }
    let file = if file.is_dir() { file.join(SCRIPT_FILE) } else { file.to_owned() };
    read_limited(&file).with_context(|| format!("cannot read {}", file.display()))
}

async fn list_activations(versions: &Versions, named: &Named, out: &mut dyn Write) -> anyhow::Result<()> {
    let page = PageOf { limit: MOST_ROWS, cursor: None };
    let rows = versions.list_activations(Actor::Shell, &named.name, &page).await?.items;
    if named.output.json {
        let row = |row: &ActivationRecord| {
            let at = Timestamp::from_micros(row.created_at);
            json!({
                "number": row.number, "policy": row.policy, "version": row.version, "action": row.action,
                "actor": row.actor, "by": row.actor_email, "created_at": at,
            })
        };
        return Ok(out.write_all(report::json(&rows.iter().map(row).collect::<Vec<_>>())?.as_bytes())?);
    }
    for row in &rows {
        let by = row.actor_email.as_deref().unwrap_or(&row.actor);
        writeln!(out, "{}  {}  {}  {by}", Timestamp::from_micros(row.created_at), row.version, row.action)?;
    }
    Ok(())
}

fn in_force(status: Result<PolicyStatus, PolicyError>, output: &Output, out: &mut dyn Write) -> anyhow::Result<()> {
    let status = status?;
    if output.json {
        return Ok(out.write_all(report::json(&status)?.as_bytes())?);
    }
    let version = status.live_version.as_deref().unwrap_or("none");
    Ok(writeln!(out, "{}: version {version} is in force", status.name)?)
}
