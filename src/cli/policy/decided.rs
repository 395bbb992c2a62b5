//! `mindflow policy decisions | outcomes | replay`: what was recommended, what became of it, and what another version would
//! have recommended.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use chrono_tz::Tz;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::managed::{Output, read_script};
use super::report;
use crate::app::App;
use crate::calendar::parse_moment;
use crate::policies::decisions::kept::{Decision, Outcome};
use crate::policies::decisions::reading::{DecisionQuestion, VersionOutcomes};
use crate::policies::decisions::replaying::{Replay, ReplayQuestion, Replayed};
use crate::policies::versions::Actor;
use crate::policies::versions::listing::PageOf;
use crate::policies::versions::testing::Which;

/// Moves that are told of each recommendation.
const MOVES: usize = 5;

/// Which recommendations.
#[derive(Debug, Args)]
pub(super) struct Chosen {
    /// Of this version only
    #[arg(long, value_name = "VERSION")]
    by: Option<String>,
    /// With this outcome only
    #[arg(long)]
    outcome: Option<OutcomeWord>,
    /// Shown at this moment or later (UTC, where no offset is given)
    #[arg(long)]
    from: Option<String>,
    /// Shown before this moment
    #[arg(long)]
    to: Option<String>,
}

/// What became of a recommendation.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum OutcomeWord {
    /// Nothing yet
    Open,
    /// The task was completed
    Done,
    /// It was put off
    Snoozed,
    /// Another one was completed, or nothing happened
    Ignored,
}

impl Chosen {
    pub(super) fn open(self) -> anyhow::Result<DecisionQuestion> {
        let moment = |text: Option<String>, name: &str| {
            let read = text.map(|text| parse_moment(&text, Tz::UTC)).transpose();
            read.with_context(|| format!("--{name} cannot be read"))
        };
        let question = DecisionQuestion {
            version: self.by,
            outcome: self.outcome.map(|word| match word {
                OutcomeWord::Open => Outcome::Open,
                OutcomeWord::Done => Outcome::Done,
                OutcomeWord::Snoozed => Outcome::Snoozed,
                OutcomeWord::Ignored => Outcome::Ignored,
            }),
            from: moment(self.from, "from")?,
            to: moment(self.to, "to")?,
        };
        if let Some(fault) = question.fault("--to", "--from") {
            anyhow::bail!("{} {}", fault.field, fault.message);
        }
        Ok(question)
    }
}

/// Arguments of `mindflow policy decisions`.
#[derive(Debug, Args)]
pub struct ListDecisions {
    /// The policy
    name: String,
    #[command(flatten)]
    chosen: Chosen,
    /// How many, at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    #[command(flatten)]
    pub(super) output: Output,
}

/// Arguments of `mindflow policy outcomes`.
#[derive(Debug, Args)]
pub struct CountOutcomes {
    /// The policy
    name: String,
    #[command(flatten)]
    chosen: Chosen,
    #[command(flatten)]
    pub(super) output: Output,
}

/// Arguments of `mindflow policy replay`.
#[derive(Debug, Args)]
pub struct ReplayVersion {
    /// The policy
    name: String,
    /// The version
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    version: Option<String>,
    /// Instead of a version: a script, or a folder with one; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    chosen: Chosen,
    /// How many recommendations, the newest
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=2000))]
    limit: u32,
    /// Of how many it is told who moves
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=2000))]
    told: u32,
    #[command(flatten)]
    pub(super) output: Output,
}

/// Lists recommendations; what there is to say goes to `out`.
pub(super) async fn list(args: ListDecisions, app: &App, out: &mut dyn Write) -> anyhow::Result<()> {
    let page = PageOf { limit: args.limit, cursor: None };
    let question = args.chosen.open()?;
    let page = app.decisions.list(Actor::Shell, &args.name, &question, &page).await?;
    if args.output.json {
        let items: Vec<Value> = page.items.iter().map(decision_json).collect();
        return Ok(out.write_all(report::json(&items)?.as_bytes())?);
    }
    for one in &page.items {
        let task = one.tasks.first().map(|task| task.id.to_string()).unwrap_or_default();
        let score = one.tasks.first().and_then(|task| task.score).map_or_else(|| "-".to_owned(), |it| it.to_string());
        let (at, outcome, total) = (one.shown_at(), one.outcome.as_str(), one.row.total);
        writeln!(out, "{at}  {}  {outcome:7}  {task} ({score}), of {total}", one.row.version)?;
    }
    Ok(writeln!(out, "{} of {} recommendations", page.items.len(), page.total)?)
}

fn decision_json(one: &Decision) -> Value {
    json!({
        "id": one.row.id, "at": one.shown_at(), "user_id": one.row.user_id, "time_zone": one.row.time_zone,
        "policy": one.row.policy, "version": one.row.version,
        "params": one.row.params.as_deref().and_then(|params| serde_json::from_str::<Value>(params).ok()),
        "ranked_tasks": one.row.total, "context": one.context, "tasks": one.tasks, "outcome": one.outcome.as_str(),
        "outcome_at": one.row.outcome_at.map(crate::clock::Timestamp::from_micros),
        "instead_task_id": one.row.instead_id,
    })
}

/// Says what became of recommendations; it goes to `out`.
pub(super) async fn outcomes(args: CountOutcomes, app: &App, out: &mut dyn Write) -> anyhow::Result<()> {
    let question = args.chosen.open()?;
    let versions = app.decisions.outcomes(Actor::Shell, &args.name, &question).await?;
    if args.output.json {
        let of = |one: &VersionOutcomes| {
            json!({
                "version": one.counts.version, "shown": one.counts.shown, "done": one.counts.done,
                "snoozed": one.counts.snoozed, "ignored": one.counts.ignored, "open": one.open,
                "done_share": one.shares.map(|shares| shares[0]),
                "snoozed_share": one.shares.map(|shares| shares[1]),
                "ignored_share": one.shares.map(|shares| shares[2]),
            })
        };
        let value = json!({ "policy": args.name, "versions": versions.iter().map(of).collect::<Vec<_>>() });
        return Ok(out.write_all(report::json(&value)?.as_bytes())?);
    }
    let heading = ["version", "shown", "done", "snoozed", "ignored", "open"].map(str::to_owned).to_vec();
    let row = |one: &VersionOutcomes| {
        let share = |count: i64, index: usize| match one.shares {
            Some(shares) => format!("{count} ({:.0} %)", shares[index] * 100.0),
            None => count.to_string(),
        };
        let counts = &one.counts;
        let (done, snoozed, ignored) = (share(counts.done, 0), share(counts.snoozed, 1), share(counts.ignored, 2));
        vec![counts.version.clone(), counts.shown.to_string(), done, snoozed, ignored, one.open.to_string()]
    };
    let rows: Vec<_> = std::iter::once(heading).chain(versions.iter().map(row)).collect();
    Ok(out.write_all(report::lines(&report::table(&rows)).as_bytes())?)
}

/// Ranks what was recommended again; what comes of it goes to `out`.
pub(super) async fn replay(args: ReplayVersion, app: &App, out: &mut dyn Write) -> anyhow::Result<()> {
    let which = match (args.version, args.file) {
        (Some(version), _) => Which::Version(version),
        (None, Some(file)) => Which::Source(read_script(&file)?),
        (None, None) => anyhow::bail!("name a version, or a script with --file"),
    };
    let decisions = args.chosen.open()?;
    let question = ReplayQuestion { decisions, limit: args.limit, told: args.told as usize, moves: MOVES };
    let done = app.decisions.replay(Actor::Shell, &args.name, &which, question).await?;
    let text = if args.output.json { report::json(&replay_json(&done))? } else { report::lines(&replay_text(&done)) };
    Ok(out.write_all(text.as_bytes())?)
}

pub(super) fn replay_json(done: &Replay) -> Value {
    let change = |one: &Replayed| {
        json!({
            "decision_id": one.id, "at": one.at, "recommended_by": one.version, "outcome": one.outcome.as_str(),
            "first_before": one.first[0], "first_after": one.first[1], "moved": one.comparison.moved,
            "tasks": one.comparison.tasks, "spearman": one.comparison.spearman, "kendall": one.comparison.kendall,
            "moves": one.moves.iter().map(|(id, to)| json!({
                "task_id": id, "place_before": to.places[0], "place_after": to.places[1],
                "score_before": to.scores[0], "score_after": to.scores[1],
            })).collect::<Vec<_>>(),
        })
    };
    json!({
        "version": done.version, "decisions": done.decisions, "first_changes": done.first_changes,
        "first_changes_share": done.first_changes_share(), "tasks": done.tasks, "moved": done.moved,
        "spearman": done.correlations.map(|means| means[0]), "kendall": done.correlations.map(|means| means[1]),
        "shown_faults": done.faults[0], "draft_faults": done.faults[1],
        "done": {
            "decisions": done.done.decisions,
            "first_before": done.done.first[0], "first_after": done.done.first[1],
            "mean_place_before": done.done.mean_place.map(|places| places[0]),
            "mean_place_after": done.done.mean_place.map(|places| places[1]),
        },
        "changes": done.changes.iter().map(change).collect::<Vec<_>>(),
        "is_partial": done.is_partial,
    })
}

pub(super) fn replay_text(done: &Replay) -> Vec<String> {
    let known = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
    let mut lines = vec![
        format!("{}: {} recommendations ranked again", done.version, done.decisions),
        format!(
            "of {} another task is the first; {} of {} tasks move; Spearman {}, Kendall {}",
            done.first_changes,
            done.moved,
            done.tasks,
            known(done.correlations.map(|means| means[0])),
            known(done.correlations.map(|means| means[1]))
        ),
    ];
    if let Some([place_before, place_after]) = done.done.mean_place {
        let ([before, after], count) = (done.done.first, done.done.decisions);
        lines.push(format!(
            "of {count} a task was done: first in {before} -> {after}, mean place {place_before:.2} -> {place_after:.2}"
        ));
    }
    lines.push(format!("tasks that fail: {} -> {}", done.faults[0], done.faults[1]));
    for one in &done.changes {
        lines.push(format!("{}  {}  {}", one.at, one.version, one.outcome.as_str()));
        for (id, to) in &one.moves {
            let place = |place: Option<usize>| place.map_or_else(|| "-".to_owned(), |place| place.to_string());
            let [before, after] = to.places.map(place);
            let terms = to.terms.iter().map(|term| format!("{} {} -> {}", term.name, term.points[0], term.points[1]));
            lines.push(format!("  {before:>3} -> {after:>3}  {id}  ({})", terms.collect::<Vec<_>>().join(", ")));
        }
    }
    if done.is_partial {
        lines.push("not everything was ranked again: there was too much of it".to_owned());
    }
    lines
}
