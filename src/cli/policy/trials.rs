//! `mindflow policy rollout | shadow`: versions that a part of the people has, or that score along unseen.

use std::io::Write;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use super::managed::Output;
use super::report;
use crate::accounts::Role;
use crate::app::App;
use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::policies::versions::Actor;
use crate::policies::versions::trials::{Trial, TrialWish, part_of};
use crate::store::policy_candidates::CandidateRecord;

/// Arguments of `mindflow policy rollout`.
#[derive(Debug, Args)]
pub struct RollOut {
    /// The policy
    name: String,
    /// The version that a part of the people gets; without one the present roll-out is shown
    version: Option<String>,
    /// The share of all people
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100), requires = "version")]
    percent: u8,
    /// The e-mail address of somebody who gets it whatever the share; may be repeated
    #[arg(long = "user", value_name = "EMAIL", requires = "version")]
    users: Vec<String>,
    /// A role that gets it whatever the share: user or admin; may be repeated
    #[arg(long = "role", value_name = "ROLE", value_parser = role, requires = "version")]
    roles: Vec<Role>,
    /// End it: everybody has the version in force again
    #[arg(long, conflicts_with = "version")]
    end: bool,
    #[command(flatten)]
    pub(super) output: Output,
}

/// Arguments of `mindflow policy shadow`.
#[derive(Debug, Args)]
pub struct Shadow {
    /// The policy
    name: String,
    /// The version that scores along; without one the present shadow is shown
    version: Option<String>,
    /// The share of rankings that are compared
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=100), requires = "version")]
    percent: u8,
    /// End it
    #[arg(long, conflicts_with = "version")]
    end: bool,
    #[command(flatten)]
    pub(super) output: Output,
}

fn role(text: &str) -> Result<Role, &'static str> {
    Role::parse(text).map_err(|_| "must be user or admin")
}

/// Runs `rollout`; what it has to say goes to `out`.
pub(super) async fn roll_out(args: RollOut, app: &App, out: &mut dyn Write) -> anyhow::Result<()> {
    let wish = match args.version {
        Some(version) => {
            let users = people(app, &args.users).await?;
            Some(TrialWish { version, percent: args.percent, users, roles: args.roles })
        }
        None => None,
    };
    run(app, (&args.name, Trial::Rollout), (wish, args.end), &args.output, out).await
}

/// Runs `shadow`; what it has to say goes to `out`.
pub(super) async fn shadow(args: Shadow, app: &App, out: &mut dyn Write) -> anyhow::Result<()> {
    let percent = args.percent;
    let wish = args.version.map(|version| TrialWish { version, percent, ..TrialWish::default() });
    run(app, (&args.name, Trial::Shadow), (wish, args.end), &args.output, out).await
}

async fn run(
    app: &App,
    (name, trial): (&str, Trial),
    (wish, ends): (Option<TrialWish>, bool),
    output: &Output,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let versions = &app.versions;
    let row = if let Some(wish) = wish {
        versions.put_trial(Actor::Shell, name, trial, wish).await?
    } else {
        if ends {
            versions.end_trial(Actor::Shell, name, trial).await?;
        }
        versions.get_trial(Actor::Shell, name, trial).await?
    };
    let text = if output.json { report::json(&as_json(&row, trial))? } else { as_text(&row, trial) };
    Ok(out.write_all(text.as_bytes())?)
}

/// The ids of people with an account, each once.
async fn people(app: &App, emails: &[String]) -> anyhow::Result<Vec<UserId>> {
    if emails.is_empty() {
        return Ok(Vec::new());
    }
    let users = app.accounts.list_users().await?;
    let find = |email: &String| {
        let found = users.iter().find(|user| user.email.eq_ignore_ascii_case(email));
        found.map(|user| user.id).with_context(|| format!("there is no account with the e-mail address `{email}`"))
    };
    let mut found = emails.iter().map(find).collect::<anyhow::Result<Vec<UserId>>>()?;
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn as_json(row: &CandidateRecord, trial: Trial) -> Value {
    let part = part_of(row);
    let mut value = json!({
        "policy": row.policy, "version": row.version, "state": row.state, "percent": row.percent,
        "started_at": Timestamp::from_micros(row.started_at), "updated_at": Timestamp::from_micros(row.updated_at),
    });
    match trial {
        Trial::Rollout => {
            value["users"] = part.users.iter().map(|user| user.0.to_string()).collect();
            value["roles"] = part.roles.iter().map(|role| role.as_str()).collect();
        }
        Trial::Shadow => {
            let counts = &row.counts;
            value["rankings"] = json!(counts.rankings);
            value["first_changes"] = json!(counts.first_changes);
            value["tasks"] = json!(counts.tasks);
            value["moved"] = json!(counts.moved);
            value["faults"] = json!(counts.faults);
            value["last_fault"] = json!(counts.last_fault);
        }
    }
    value
}

fn as_text(row: &CandidateRecord, trial: Trial) -> String {
    let (policy, version, state, percent) = (&row.policy, &row.version, &row.state, row.percent);
    let part = part_of(row);
    let line = match trial {
        Trial::Rollout => {
            let (users, roles) = (part.users.len(), part.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>());
            let roles = if roles.is_empty() { "no role".to_owned() } else { roles.join(", ") };
            format!(
                "{policy}: roll-out of version {version}, {state}: {percent} % of all, {users} people by name, {roles}"
            )
        }
        Trial::Shadow => {
            let counts = &row.counts;
            format!(
                "{policy}: version {version} in the shadow, {state}: {percent} % of rankings; of {} another task is the \
                 first in {}, {} of {} tasks move, {} fail",
                counts.rankings, counts.first_changes, counts.moved, counts.tasks, counts.faults
            )
        }
    };
    report::lines(&[line])
}
