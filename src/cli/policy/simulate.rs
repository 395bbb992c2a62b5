//! `mindflow policy simulate`: what a version would do to real tasks, before it is in force.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use super::managed::{Output, read_script};
use super::report;
use crate::accounts::{Caller, Credential, Scope, User};
use crate::app::App;
use crate::calendar::parse_moment;
use crate::policies::comparison::Comparison;
use crate::policies::versions::Actor;
use crate::policies::versions::testing::Which;
use crate::tasks::simulation::{Moved, Sample, Simulation, SimulationQuestion};

/// Arguments of `mindflow policy simulate`.
#[derive(Debug, Args)]
pub struct SimulateVersion {
    /// The policy
    name: String,
    /// The version
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    version: Option<String>,
    /// Instead of a version: a script, or a folder with one; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The e-mail address of whose tasks are ranked
    #[arg(long, value_name = "EMAIL")]
    user: Option<String>,
    /// How many other people's tasks are ranked
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=200))]
    sample: u32,
    /// At this moment instead of now
    #[arg(long)]
    at: Option<String>,
    /// How many moves are told
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
    #[command(flatten)]
    pub(super) output: Output,
}

/// Runs the command; what it has to say goes to `out`.
pub(super) async fn run(args: SimulateVersion, app: &App, out: &mut dyn Write) -> anyhow::Result<()> {
    let which = match (args.version, args.file) {
        (Some(version), _) => Which::Version(version),
        (None, Some(file)) => Which::Source(read_script(&file)?),
        (None, None) => anyhow::bail!("name a version, or a script with --file"),
    };
    anyhow::ensure!(args.user.is_some() || args.sample > 0, "name somebody with --user, or a number with --sample");
    let caller = caller_of(app, args.user.as_deref()).await?;
    let at = args.at.map(|at| parse_moment(&at, caller.zone)).transpose().context("--at cannot be read")?;
    let question = SimulationQuestion { at, moves: args.limit as usize, sample: args.sample };
    let policies = app.versions.pair(Actor::Shell, &args.name, &which, caller.policy_params.get(&args.name)).await?;
    let done = app.tasks.simulate(&caller, policies, question).await?;
    let text = if args.output.json { report::json(&as_json(&done))? } else { as_text(&done) };
    Ok(out.write_all(text.as_bytes())?)
}

/// Somebody with an account, or nobody, who has no tasks.
async fn caller_of(app: &App, email: Option<&str>) -> anyhow::Result<Caller> {
    let user = match email {
        Some(email) => {
            let users = app.accounts.list_users().await?;
            let found = users.into_iter().find(|user| user.email.eq_ignore_ascii_case(email));
            Some(found.with_context(|| format!("there is no account with the e-mail address `{email}`"))?)
        }
        None => None,
    };
    let of = |user: &User| (user.id, user.zone, user.windows, Arc::clone(&user.policy_params));
    let nobody = (crate::ids::UserId(uuid::Uuid::nil()), chrono_tz::Tz::UTC, None, Arc::default());
    let (user_id, zone, windows, policy_params) = user.as_ref().map_or(nobody, of);
    Ok(Caller {
        role: crate::accounts::Role::User,
        user_id,
        scopes: [Scope::Read].into_iter().collect(),
        credential: Credential::Shell,
        client: None,
        zone,
        windows,
        policy: None,
        policy_params,
        data_version: 0,
        request_id: Arc::from(""),
    })
}

fn as_json(done: &Simulation) -> Value {
    let comparison = |one: &Comparison| {
        json!({
            "tasks": one.tasks, "moved": one.moved, "first_changes": one.first_changes, "spearman": one.spearman,
            "kendall": one.kendall, "live_faults": one.faults[0], "draft_faults": one.faults[1],
        })
    };
    let moves = |moves: &[Moved]| -> Value {
        let one = |moved: &Moved| {
            let term = |term: &crate::policies::comparison::Term| json!({ "name": term.name, "points_before": term.points[0], "points_after": term.points[1] });
            json!({
                "task_id": moved.id, "title": moved.title,
                "place_before": moved.to.places[0], "place_after": moved.to.places[1],
                "score_before": moved.to.scores[0], "score_after": moved.to.scores[1],
                "terms": moved.to.terms.iter().map(term).collect::<Value>(),
            })
        };
        moves.iter().map(one).collect()
    };
    let Sample { users, tasks, first_changes, moved, correlations, faults, moves: sampled } = &done.sample;
    json!({
        "at": done.at, "live_version": done.versions[0], "draft_version": done.versions[1],
        "own": comparison(&done.own), "moves": moves(&done.moves),
        "first_changes_hours": done.first_over_hours.0, "looked_at_hours": done.first_over_hours.1,
        "sample": {
            "users": users, "tasks": tasks, "first_changes": first_changes, "moved": moved,
            "spearman": correlations.map(|means| means[0]), "kendall": correlations.map(|means| means[1]),
            "live_faults": faults[0], "draft_faults": faults[1], "moves": moves(sampled),
        },
        "is_partial": done.is_partial,
    })
}

fn as_text(done: &Simulation) -> String {
    let known = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
    let (own, sample) = (&done.own, &done.sample);
    let mut lines = vec![format!("{} -> {} at {}", done.versions[0], done.versions[1], done.at)];
    if own.tasks > 0 {
        lines.push(format!(
            "{} of {} tasks move; the first {}; Spearman {}, Kendall {}",
            own.moved,
            own.tasks,
            if own.first_changes { "changes" } else { "stays" },
            known(own.spearman),
            known(own.kendall)
        ));
        let (differ, looked) = done.first_over_hours;
        lines.push(format!("at {differ} of the next {looked} hours another task is the first"));
    }
    for moved in &done.moves {
        let place = |place: Option<usize>| place.map_or_else(|| "-".to_owned(), |place| place.to_string());
        let terms = moved.to.terms.iter().map(|term| format!("{} {} -> {}", term.name, term.points[0], term.points[1]));
        let [before, after] = moved.to.places.map(place);
        let title = moved.title.as_deref().unwrap_or("");
        lines.push(format!("{before:>4} -> {after:>4}  {title}  ({})", terms.collect::<Vec<_>>().join(", ")));
    }
    if sample.users > 0 {
        lines.push(format!(
            "sample: {} people, {} tasks, {} move; of {} people another task is the first; Spearman {}, Kendall {}",
            sample.users,
            sample.tasks,
            sample.moved,
            sample.first_changes,
            known(sample.correlations.map(|means| means[0])),
            known(sample.correlations.map(|means| means[1]))
        ));
    }
    let faults = [own.faults[0] + sample.faults[0], own.faults[1] + sample.faults[1]];
    lines.push(format!("tasks that fail: {} -> {}", faults[0], faults[1]));
    if done.is_partial {
        lines.push("not everything was looked at: there was too much of it".to_owned());
    }
    report::lines(&lines)
}
