//! Worked examples beside a policy: `tests/*.yaml`, run against it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::calendar::{TimeOfDay, Windows, parse_due, parse_moment, parse_zone};
use crate::clock::Timestamp;
use crate::ids::TaskId;
use crate::scoring::{
    Candidate, Explanation, FactTable, Moment, Policy, Ranking, Status, next_change, rank, round_score,
};

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
    tasks: Vec<CaseTask>,
    #[serde(default)]
    expect: Expected,
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
    next_change: BTreeMap<String, Option<String>>,
}

/// An example that does not come out as it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseFailure {
    /// The file.
    pub file: PathBuf,
    /// The example's name; absent when the file itself cannot be read.
    pub case: Option<String>,
    /// What was expected and what came.
    pub message: String,
}

impl fmt::Display for CaseFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file.display())?;
        if let Some(case) = &self.case {
            write!(f, "{case}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// What came of all examples.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CaseReport {
    /// How many examples there are.
    pub total: usize,
    /// Those that failed; one can fail in several ways.
    pub failures: Vec<CaseFailure>,
}

/// The example files of a policy's folder with their texts, in the order of their names.
pub fn read_case_files(folder: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let entries = match fs::read_dir(folder.join("tests")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"));
    paths.sort();
    paths.into_iter().map(|path| fs::read_to_string(&path).map(|text| (path, text))).collect()
}

/// Runs the examples of all files against a policy.
pub fn run_cases(policy: &dyn Policy, files: &[(PathBuf, String)]) -> CaseReport {
    let mut report = CaseReport::default();
    for (path, text) in files {
        let fail = |case: Option<&str>, message: String| CaseFailure {
            file: path.clone(),
            case: case.map(ToOwned::to_owned),
            message,
        };
        match serde_yaml_ng::from_str::<CaseFile>(text) {
            Err(error) => report.failures.push(fail(None, error.to_string())),
            Ok(file) => {
                report.total += file.cases.len();
                for case in &file.cases {
                    let faults = run_case(policy, case).unwrap_or_else(|fault| vec![fault]);
                    report.failures.extend(faults.into_iter().map(|fault| fail(Some(&case.name), fault)));
                }
            }
        }
    }
    report
}

fn run_case(policy: &dyn Policy, case: &Case) -> Result<Vec<String>, String> {
    let zone = case.zone.as_deref().map_or(Some(Tz::UTC), parse_zone);
    let zone = zone.ok_or_else(|| format!("`{}` is no time zone", case.zone.as_deref().unwrap_or("")))?;
    let moment = Moment {
        windows: case.windows,
        minutes_available: case.minutes_available,
        open_tasks: case.open_tasks.unwrap_or(0),
        overdue_tasks: case.overdue_tasks.unwrap_or(0),
        ..Moment::new(read_moment("now", &case.now, zone)?, zone)
    };
    let tasks = case.tasks.iter().enumerate();
    let candidates = tasks.map(|(row, task)| read_task(row, task, &moment)).collect::<Result<Vec<_>, _>>()?;
    let outcome = Outcome { policy, case, ranking: rank(policy, &candidates, &moment), candidates, moment };
    let mut faults = outcome.order();
    faults.extend(outcome.scores());
    faults.extend(outcome.explanations());
    faults.extend(outcome.changes());
    Ok(faults)
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

struct Outcome<'a> {
    policy: &'a dyn Policy,
    case: &'a Case,
    candidates: Vec<Candidate>,
    moment: Moment,
    ranking: Ranking,
}

impl Outcome<'_> {
    fn row(&self, id: &str) -> Result<usize, String> {
        self.case.tasks.iter().position(|task| task.id == id).ok_or_else(|| format!("there is no task `{id}`"))
    }

    fn order(&self) -> Vec<String> {
        let Some(expected) = &self.case.expect.order else { return Vec::new() };
        let order: Vec<&str> =
            self.ranking.entries.iter().map(|entry| self.case.tasks[entry.row].id.as_str()).collect();
        if *expected == order {
            return Vec::new();
        }
        vec![format!("the order must be {}, but it is {}", expected.join(", "), order.join(", "))]
    }

    fn scores(&self) -> Vec<String> {
        let check = |(id, expected): (&String, &f64)| {
            let row = match self.row(id) {
                Ok(row) => row,
                Err(fault) => return Some(fault),
            };
            let entry = self.ranking.entries.iter().find(|entry| entry.row == row);
            let score = entry.and_then(|entry| entry.score);
            let fault = entry.and_then(|entry| entry.fault.as_deref());
            (score != Some(round_score(*expected)))
                .then(|| format!("`{id}` must score {expected}, but {}", found(score, fault.map(ToString::to_string))))
        };
        self.case.expect.scores.iter().filter_map(check).collect()
    }

    fn explanations(&self) -> Vec<String> {
        let facts = FactTable::new(&self.candidates, &self.moment);
        let ctx = self.policy.context(&self.moment);
        let explain = |id: &str| self.row(id).map(|row| self.policy.explain(&facts, row, &ctx));
        let mut faults = Vec::new();
        for (id, parts) in &self.case.expect.parts {
            match explain(id) {
                Err(fault) => faults.push(fault),
                Ok(explanation) => faults.extend(parts.iter().filter_map(|(name, expected)| {
                    let value = part(&explanation, name);
                    (value != Some(round_score(*expected)))
                        .then(|| format!("`{name}` of `{id}` must be {expected}, but {}", found(value, None)))
                })),
            }
        }
        for (id, expected) in &self.case.expect.recommendation {
            match explain(id) {
                Err(fault) => faults.push(fault),
                Ok(explanation) if explanation.recommendation == *expected => {}
                Ok(explanation) => faults.push(format!(
                    "`{id}` must be recommended with \"{expected}\", but it says \"{}\"",
                    explanation.recommendation
                )),
            }
        }
        faults
    }

    fn changes(&self) -> Vec<String> {
        let check = |(id, expected): (&String, &Option<String>)| -> Result<(), String> {
            let row = self.row(id)?;
            let zone = self.moment.zone;
            let expected = expected.as_deref().map(|text| read_moment("next_change", text, zone)).transpose()?;
            let change = next_change(self.policy, &self.candidates[row], &self.moment).map(|change| change.at);
            let name = |moment: Option<Timestamp>| moment.map_or("never".to_owned(), |moment| moment.to_string());
            if change == expected {
                return Ok(());
            }
            Err(format!("the score of `{id}` must change next: {}, but it does: {}", name(expected), name(change)))
        };
        self.case.expect.next_change.iter().filter_map(|expected| check(expected).err()).collect()
    }
}

fn found(score: Option<f64>, fault: Option<String>) -> String {
    match (score, fault) {
        (Some(score), _) => format!("it is {score}"),
        (None, Some(fault)) => format!("the policy fails: {fault}"),
        (None, None) => "it is not there".to_owned(),
    }
}

/// A classic field, the total, or the points of a named part.
fn part(explanation: &Explanation, name: &str) -> Option<f64> {
    let classic = explanation.classic.as_ref();
    let value = match name {
        "deadline_urgency" => classic.map(|classic| classic.deadline_urgency),
        "deadline_urgency_score" => classic.map(|classic| classic.deadline_urgency_score),
        "priority_score" => classic.map(|classic| classic.priority_score),
        "effort_bonus" => classic.map(|classic| classic.effort_bonus),
        "effort_bonus_score" => classic.map(|classic| classic.effort_bonus_score),
        "time_of_day_multiplier" => classic.map(|classic| classic.time_of_day_multiplier),
        "total_score" => explanation.total_score,
        _ => None,
    };
    let named = || explanation.parts.iter().find(|part| part.name == name).map(|part| part.points);
    value.or_else(named).map(round_score)
}
