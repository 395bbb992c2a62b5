//! Worked examples beside a policy: `tests/*.yaml`, run against it.

mod files;
mod outcome;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::files::{ExampleFile, read_case_files};
use crate::calendar::{TimeOfDay, Windows, parse_due, parse_moment, parse_zone};
use crate::clock::Timestamp;
use crate::ids::TaskId;
use crate::scoring::params::ParamValues;
use crate::scoring::{Candidate, Energy, Moment, Policy, Status, rank};

use outcome::Outcome;

/// A file of examples.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    cases: Vec<Case>,
}

/// One example: who, when, which tasks, and what must come of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    now: String,
    zone: Option<String>,
    windows: Option<Windows>,
    minutes_available: Option<u32>,
    open_tasks: Option<u32>,
    overdue_tasks: Option<u32>,
    energy: Option<String>,
    #[serde(default)]
    params: ParamValues,
    #[serde(default)]
    preferences: Preferences,
    tasks: Vec<CaseTask>,
    #[serde(default)]
    expect: Expected,
}

/// The person, as the API's preferences say it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Preferences {
    time_zone: Option<String>,
    windows: Option<Windows>,
    #[serde(default)]
    policy_params: ParamValues,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseTask {
    id: String,
    #[serde(default = "normal")]
    priority: u8,
    status: Option<String>,
    due: Option<String>,
    effort_minutes: Option<u32>,
    preferred_time: Option<TimeOfDay>,
    created_at: Option<String>,
    #[serde(default)]
    snooze_count: u32,
    #[serde(default)]
    labels: Vec<String>,
    project: Option<String>,
    #[serde(default)]
    blocked_by: u32,
    #[serde(default)]
    blocks: u32,
    #[serde(default)]
    times_skipped: u32,
}

/// The priority of a task that names none, as in the API.
const fn normal() -> u8 {
    3
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    order: Option<Vec<String>>,
    #[serde(default)]
    scores: BTreeMap<String, f64>,
    #[serde(default)]
    parts: BTreeMap<String, BTreeMap<String, f64>>,
    #[serde(default)]
    recommendation: BTreeMap<String, String>,
    #[serde(default)]
    left_out: Vec<String>,
    #[serde(default)]
    next_change: BTreeMap<String, Option<String>>,
}

impl Expected {
    fn is_empty(&self) -> bool {
        self.order.is_none()
            && self.scores.is_empty()
            && self.parts.is_empty()
            && self.recommendation.is_empty()
            && self.left_out.is_empty()
            && self.next_change.is_empty()
    }
}

/// An example that does not come out as it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseFailure {
    /// The file.
    pub file: PathBuf,
    /// Where the example begins; where the file cannot be read, the message says it.
    pub line: Option<usize>,
    /// The example's name; absent when the file itself cannot be read.
    pub case: Option<String>,
    /// What was expected and what came.
    pub message: String,
}

/// How many examples fail: each may in several ways.
pub fn count_examples(failures: &[CaseFailure]) -> usize {
    failures.iter().map(|failure| (&failure.file, failure.line, &failure.case)).collect::<BTreeSet<_>>().len()
}

impl fmt::Display for CaseFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        f.write_str(" ")?;
        if let Some(case) = &self.case {
            write!(f, "{case}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// One example that was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseRun {
    /// The file.
    pub file: PathBuf,
    /// Its name.
    pub name: String,
    /// Whether it came out as it says.
    pub ok: bool,
}

/// What came of all examples.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CaseReport {
    /// How many examples there are.
    pub total: usize,
    /// Each of them.
    pub cases: Vec<CaseRun>,
    /// Those that failed; one can fail in several ways.
    pub failures: Vec<CaseFailure>,
}

/// Runs the examples of all files against a policy.
pub fn run_cases(policy: &dyn Policy, files: &[ExampleFile]) -> CaseReport {
    let mut report = CaseReport::default();
    for (path, text) in files {
        let fail = |case: Option<&str>, message: String| CaseFailure {
            file: path.clone(),
            line: case.zip(text.as_ref().ok()).and_then(|(case, text)| line_of(text, case)),
            case: case.map(ToOwned::to_owned),
            message,
        };
        match text.as_deref().map_err(String::clone).and_then(parse) {
            Err(error) => report.failures.push(fail(None, error)),
            Ok(file) => {
                report.total += file.cases.len();
                for case in &file.cases {
                    let faults = run_case(policy, case).unwrap_or_else(|fault| vec![fault]);
                    let run = CaseRun { file: path.clone(), name: case.name.clone(), ok: faults.is_empty() };
                    report.cases.push(run);
                    report.failures.extend(faults.into_iter().map(|fault| fail(Some(&case.name), fault)));
                }
            }
        }
    }
    report
}

/// The line of the example of that name.
fn line_of(text: &str, name: &str) -> Option<usize> {
    let named = |line: &str| {
        let value = line.split_once("name:").map(|(_, value)| value.trim_start_matches([' ', '"', '\'']));
        value.is_some_and(|value| value.starts_with(name))
    };
    text.lines().position(named).map(|line| line + 1)
}

fn parse(text: &str) -> Result<CaseFile, String> {
    files::check_depth(text)?;
    serde_yaml_ng::from_str(text).map_err(|error| error.to_string())
}

fn run_case(policy: &dyn Policy, case: &Case) -> Result<Vec<String>, String> {
    let zone = case.zone.as_deref().or(case.preferences.time_zone.as_deref());
    let zone = parse_zone(zone.unwrap_or("UTC")).ok_or_else(|| format!("`{}` is no time zone", zone.unwrap_or("")))?;
    let mut params = case.preferences.policy_params.clone();
    params.extend(case.params.clone());
    let tuned = if params.is_empty() { None } else { Some(policy.tuned(&params)?) };
    let policy = tuned.as_deref().unwrap_or(policy);
    let moment = Moment {
        windows: case.windows.or(case.preferences.windows),
        minutes_available: case.minutes_available,
        open_tasks: case.open_tasks.unwrap_or(0),
        overdue_tasks: case.overdue_tasks.unwrap_or(0),
        energy: case.energy.as_deref().map(read_energy).transpose()?,
        ..Moment::new(read_moment("now", &case.now, zone)?, zone)
    };
    let tasks = case.tasks.iter().enumerate();
    let candidates = tasks.map(|(row, task)| read_task(row, task, &moment)).collect::<Result<Vec<_>, _>>()?;
    let ranking = rank(policy, &candidates, &moment);
    Ok(Outcome { policy, case, candidates, moment, ranking }.faults())
}

fn read_energy(text: &str) -> Result<Energy, String> {
    let known = [Energy::Low, Energy::Medium, Energy::High];
    let found = known.into_iter().find(|energy| energy.as_str() == text);
    found.ok_or_else(|| format!("`energy: {text}` must be low, medium or high"))
}

fn read_moment(field: &str, text: &str, zone: Tz) -> Result<Timestamp, String> {
    parse_moment(text, zone).map_err(|error| format!("`{field}: {text}` {error}"))
}

fn read_task(row: usize, task: &CaseTask, moment: &Moment) -> Result<Candidate, String> {
    let zone = moment.zone;
    let due = task.due.as_deref().map(|text| parse_due(text, zone).map_err(|error| format!("`due: {text}` {error}")));
    let status = task.status.as_deref().map_or(Some(Status::Pending), Status::parse);
    let created_at = task.created_at.as_deref().map(|text| read_moment("created_at", text, zone)).transpose()?;
    if !(1..=5).contains(&task.priority) {
        return Err(format!("`priority: {}` must be between 1 and 5", task.priority));
    }
    Ok(Candidate {
        status: status.ok_or("`status` must be pending, in_progress, completed or snoozed")?,
        due: due.transpose()?,
        effort_minutes: task.effort_minutes,
        preferred_time: task.preferred_time,
        snooze_count: task.snooze_count,
        labels: task.labels.iter().map(|label| Arc::from(label.as_str())).collect(),
        project: task.project.as_deref().map(Arc::from),
        blocked_by: task.blocked_by,
        blocks: task.blocks,
        times_skipped: task.times_skipped,
        ..Candidate::new(TaskId(Uuid::from_u128(row as u128)), task.priority, created_at.unwrap_or(moment.now))
    })
}
