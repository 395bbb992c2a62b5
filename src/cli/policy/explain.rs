//! `mindflow policy explain`: score one task, given by flags.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use chrono::Days;
use chrono_tz::Tz;
use clap::Args;
use serde::Serialize;

use crate::calendar::{Due, TimeOfDay, local_date, parse_due, parse_moment, parse_zone};
use crate::clock::{Clock, Timestamp};
use crate::ids::TaskId;
use crate::policies::ScriptPolicy;
use crate::scoring::lower::Obstacle;
use crate::scoring::{
    Candidate, Explanation, FactTable, Lever, LeverChange, Moment, NextChange, Policy, Status, levers, next_change,
};

use super::{Script, exit_code, print, report};

/// Arguments of `mindflow policy explain`.
#[derive(Debug, Args)]
pub struct ExplainPolicy {
    /// The policy: a file, a folder, or a name
    #[arg(long, default_value = "default")]
    policy: PathBuf,
    /// Priority, 1 to 5
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=5))]
    priority: u8,
    /// Due date: today, tomorrow, yesterday, a date, or a date-time
    #[arg(long)]
    due: Option<String>,
    /// Estimate in minutes
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=525_600))]
    effort: Option<u32>,
    /// Preferred time: morning, afternoon or evening
    #[arg(long, value_parser = parse_time_of_day)]
    preferred_time: Option<TimeOfDay>,
    /// Status: pending, in_progress, completed or snoozed
    #[arg(long, default_value = "pending", value_parser = parse_status)]
    status: Status,
    /// A label; may be given several times
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,
    /// The project
    #[arg(long)]
    project: Option<String>,
    /// How often the task was put off
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    snooze_count: u32,
    /// When the task was made; now without
    #[arg(long, value_name = "MOMENT")]
    created: Option<String>,
    /// The moment for which to score; now without
    #[arg(long, value_name = "MOMENT")]
    at: Option<String>,
    /// The time zone in which days are counted
    #[arg(long, default_value = "UTC", value_parser = parse_zone_name)]
    zone: Tz,
    /// How long you have, in minutes
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=1440))]
    available_minutes: Option<u32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn parse_time_of_day(text: &str) -> Result<TimeOfDay, String> {
    TimeOfDay::parse(text).ok_or_else(|| "must be morning, afternoon or evening".to_owned())
}

fn parse_status(text: &str) -> Result<Status, String> {
    Status::parse(text).ok_or_else(|| "must be pending, in_progress, completed or snoozed".to_owned())
}

fn parse_zone_name(text: &str) -> Result<Tz, String> {
    parse_zone(text).ok_or_else(|| "must be an IANA time zone such as Europe/Vienna".to_owned())
}

#[derive(Serialize)]
struct Explained {
    score: Option<f64>,
    reasoning: Explanation,
    next_change: Option<NextChange>,
    what_would_move_it: Vec<Lever>,
    policy: PolicyName,
    evaluated_at: Timestamp,
    time_zone: &'static str,
}

#[derive(Serialize)]
struct PolicyName {
    name: String,
    version: String,
    /// What leaves its scores to the interpreter.
    #[serde(skip_serializing_if = "Option::is_none")]
    interpreted: Option<Obstacle>,
}

impl ExplainPolicy {
    pub(super) fn run(&self, policies_dir: &Path) -> anyhow::Result<ExitCode> {
        let script = Script::read(&self.policy, policies_dir)?;
        let policy = match script.check()? {
            Ok(policy) => policy,
            Err(faults) => {
                print(&report::faults(&faults, self.json)?)?;
                return Ok(exit_code(false));
            }
        };
        let explained = self.explain(&policy)?;
        print(&if self.json { report::json(&explained)? } else { explained.text(self.zone) })?;
        Ok(exit_code(explained.reasoning.fault.is_none()))
    }

    fn explain(&self, policy: &ScriptPolicy) -> anyhow::Result<Explained> {
        let now = match &self.at {
            Some(text) => self.moment("--at", text)?,
            None => Clock::system().now(),
        };
        let moment = Moment { minutes_available: self.available_minutes, ..Moment::new(now, self.zone) };
        let candidate = self.candidate(now)?;
        let facts = FactTable::new(std::slice::from_ref(&candidate), &moment);
        let reasoning = policy.explain(&facts, 0, &policy.context(&moment));
        Ok(Explained {
            score: reasoning.total_score,
            reasoning,
            next_change: next_change(policy, &candidate, &moment, None),
            what_would_move_it: levers(policy, &candidate, &moment),
            policy: PolicyName {
                name: policy.name().to_owned(),
                version: policy.version().to_owned(),
                interpreted: policy.program().err().cloned(),
            },
            evaluated_at: now,
            time_zone: self.zone.name(),
        })
    }

    fn moment(&self, flag: &str, text: &str) -> anyhow::Result<Timestamp> {
        parse_moment(text, self.zone).with_context(|| format!("`{flag} {text}`"))
    }

    fn candidate(&self, now: Timestamp) -> anyhow::Result<Candidate> {
        let created_at = self.created.as_deref().map(|text| self.moment("--created", text)).transpose()?;
        Ok(Candidate {
            status: self.status,
            due: self.due.as_deref().map(|text| self.due(text, now)).transpose()?,
            effort_minutes: self.effort,
            preferred_time: self.preferred_time,
            labels: self.labels.iter().map(|label| Arc::from(label.as_str())).collect(),
            project: self.project.as_deref().map(Arc::from),
            snooze_count: self.snooze_count,
            ..Candidate::new(TaskId::new(now), self.priority, created_at.unwrap_or(now))
        })
    }

    fn due(&self, text: &str, now: Timestamp) -> anyhow::Result<Due> {
        let today = local_date(now, self.zone);
        let day = match text {
            "today" => Some(today),
            "tomorrow" => today.checked_add_days(Days::new(1)),
            "yesterday" => today.checked_sub_days(Days::new(1)),
            _ => return parse_due(text, self.zone).with_context(|| format!("`--due {text}`")),
        };
        day.map(Due::On).ok_or_else(|| anyhow!("there is no such day"))
    }
}

impl Explained {
    fn text(&self, zone: Tz) -> String {
        let score = self.score.map_or("no score".to_owned(), |score| score.to_string());
        let mut lines = vec![format!("{score}  {}", self.reasoning.recommendation)];
        if let Some(fault) = &self.reasoning.fault {
            lines.push(format!("the policy failed: {fault}"));
        }
        lines.push(String::new());
        lines.extend(self.parts());
        lines.push(String::new());
        let local = |moment: Timestamp| crate::calendar::local_time(moment, zone).format("%Y-%m-%d %H:%M:%S %Z");
        lines.push(match &self.next_change {
            Some(change) => {
                let score = change.score.map_or("no score".to_owned(), |score| score.to_string());
                format!("changes next at {} to {score}", local(change.at))
            }
            None => "does not change with time".to_owned(),
        });
        if !self.what_would_move_it.is_empty() {
            lines.extend([String::new(), "what would move it:".to_owned()]);
            let rows: Vec<_> = self.what_would_move_it.iter().map(lever).collect();
            lines.extend(report::table(&rows));
        }
        lines.extend([String::new(), self.origin(&local(self.evaluated_at).to_string())]);
        report::lines(&lines)
    }

    fn origin(&self, at: &str) -> String {
        let how = self.policy.interpreted.as_ref().map(|obstacle| format!(", interpreted ({obstacle})"));
        let how = how.unwrap_or_default();
        format!("policy {}, version {}{how}, at {at} ({})", self.policy.name, self.policy.version, self.time_zone)
    }

    fn parts(&self) -> Vec<String> {
        let mut rows = vec![["part", "value", "weight", "points"].map(ToOwned::to_owned).to_vec()];
        rows.extend(self.reasoning.parts.iter().map(|part| {
            vec![part.name.clone(), part.value.to_string(), part.weight.to_string(), part.points.to_string()]
        }));
        if let Some(score) = self.score {
            rows.push(vec!["total".to_owned(), String::new(), String::new(), score.to_string()]);
        }
        report::table(&rows)
    }
}

fn lever(lever: &Lever) -> Vec<String> {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
    let change = match lever.change {
        LeverChange::Priority(priority) => format!("priority {priority}"),
        LeverChange::EffortMinutes(minutes) => {
            format!("estimate {}", or_none(minutes.map(|minutes| format!("{minutes} min"))))
        }
        LeverChange::DueDate(date) => format!("due {}", or_none(date.map(|date| date.to_string()))),
        LeverChange::PreferredTime(time) => {
            format!("preferred time {}", or_none(time.map(|time| time.as_str().to_owned())))
        }
        LeverChange::TimeOfDay(time) => format!("in the {}", time.as_str()),
    };
    vec![format!("  {change}"), format!("{:+}", lever.difference), lever.score.to_string()]
}
