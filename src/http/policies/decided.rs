//! Recommendations that were shown, and what became of them, as people see them.

use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object};
use serde::Serialize;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::http::fields::Moment;
use crate::http::task_views::{StatusName, TimeOfDayName};
use crate::policies::decisions::kept::{Decision, KeptTask, Outcome};
use crate::policies::decisions::reading::VersionOutcomes;

/// What became of a recommendation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize)]
#[oai(rename = "DecisionOutcome", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub(super) enum OutcomeName {
    /// Nothing yet; there is time for 24 hours.
    Open,
    /// The task was completed.
    Done,
    /// It was put off.
    Snoozed,
    /// Another one was completed, or nothing happened for 24 hours.
    Ignored,
}

impl OutcomeName {
    /// The domain's word.
    pub(super) const fn outcome(self) -> Outcome {
        match self {
            Self::Open => Outcome::Open,
            Self::Done => Outcome::Done,
            Self::Snoozed => Outcome::Snoozed,
            Self::Ignored => Outcome::Ignored,
        }
    }

    pub(super) const fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Open => Self::Open,
            Outcome::Done => Self::Done,
            Outcome::Snoozed => Self::Snoozed,
            Outcome::Ignored => Self::Ignored,
        }
    }
}

/// A recommendation that was shown.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Decision")]
pub struct DecisionView {
    /// Its id.
    id: Uuid,
    /// When it was shown.
    at: DateTime<Utc>,
    /// To whom.
    user_id: Uuid,
    /// The zone in which their days were counted.
    time_zone: String,
    /// The policy that recommended.
    policy: String,
    /// Its version.
    version: String,
    /// The values of its parameters that somebody had set, as JSON; `null` when nobody had.
    #[oai(nullable)]
    params: Option<String>,
    /// How long the person had, in minutes.
    #[oai(nullable)]
    available_minutes: Option<u32>,
    /// How many tasks were ranked; more than are kept here.
    ranked_tasks: i64,
    /// The first tasks, best first: the first one was recommended.
    tasks: Vec<DecidedTaskView>,
    /// What became of it.
    outcome: OutcomeName,
    /// When.
    #[oai(nullable)]
    outcome_at: Option<DateTime<Utc>>,
    /// The task that was completed instead.
    #[oai(nullable)]
    instead_task_id: Option<Uuid>,
}

/// A task that was ranked, with what the policy saw of it.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "DecidedTask")]
struct DecidedTaskView {
    /// The task.
    task_id: Uuid,
    /// Its score; `null` when the policy failed on it.
    #[oai(nullable)]
    score: Option<f64>,
    /// Its priority then.
    #[oai(validator(minimum(value = "1"), maximum(value = "5")))]
    priority: u8,
    /// Where it stood.
    status: StatusName,
    /// When it was due.
    #[oai(nullable)]
    due_date: Option<Moment>,
    /// The estimate.
    #[oai(nullable)]
    effort_estimate_minutes: Option<u32>,
    /// The preferred part of the day.
    #[oai(nullable)]
    preferred_time: Option<TimeOfDayName>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// How often it had been put off.
    snooze_count: u32,
    /// Keyed hashes that stand for its labels.
    labels: Vec<String>,
    /// The keyed hash that stands for its project.
    #[oai(nullable)]
    project: Option<String>,
    /// How many open tasks it waited for.
    blocked_by: u32,
    /// How many open tasks waited for it.
    blocks: u32,
}

impl From<KeptTask> for DecidedTaskView {
    fn from(task: KeptTask) -> Self {
        Self {
            task_id: task.id.0,
            score: task.score,
            priority: task.priority,
            status: StatusName::from(task.status),
            due_date: task.due.map(|due| Moment(due.to_string())),
            effort_estimate_minutes: task.effort_minutes,
            preferred_time: task.preferred_time.map(TimeOfDayName::from),
            created_at: Timestamp::from_micros(task.created_at).to_utc(),
            snooze_count: task.snooze_count,
            labels: task.labels,
            project: task.project,
            blocked_by: task.blocked_by,
            blocks: task.blocks,
        }
    }
}

impl From<Decision> for DecisionView {
    fn from(decision: Decision) -> Self {
        let at = decision.shown_at().to_utc();
        let Decision { row, context, tasks, outcome } = decision;
        Self {
            id: row.id,
            at,
            user_id: row.user_id,
            time_zone: row.time_zone,
            policy: row.policy,
            version: row.version,
            params: row.params,
            available_minutes: context.minutes_available,
            ranked_tasks: row.total,
            tasks: tasks.into_iter().map(DecidedTaskView::from).collect(),
            outcome: OutcomeName::of(outcome),
            outcome_at: row.outcome_at.map(|at| Timestamp::from_micros(at).to_utc()),
            instead_task_id: row.instead_id,
        }
    }
}

/// Recommendations, newest first.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "DecisionPage")]
pub(super) struct DecisionPage {
    /// The recommendations.
    pub(super) items: Vec<DecisionView>,
    /// Where the next page begins; `null` on the last one.
    #[oai(nullable)]
    pub(super) next_cursor: Option<String>,
}

/// What became of the recommendations of a policy.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "PolicyOutcomes")]
pub(super) struct OutcomesView {
    /// The policy.
    pub(super) policy: String,
    /// Its versions, those that recommended last first.
    pub(super) versions: Vec<VersionOutcomesView>,
}

/// What became of the recommendations of a version.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "VersionOutcomes")]
pub(super) struct VersionOutcomesView {
    /// The version.
    version: String,
    /// How many recommendations are kept.
    shown: i64,
    /// Of how many the task was completed.
    done: i64,
    /// Of how many it was put off.
    snoozed: i64,
    /// Of how many another one was completed, or nothing happened for 24 hours.
    ignored: i64,
    /// Of how many nothing has become yet.
    open: i64,
    /// The share of `done` among those that are not open, 0 to 1; `null` when all are.
    #[oai(nullable)]
    done_share: Option<f64>,
    /// The share of `snoozed`.
    #[oai(nullable)]
    snoozed_share: Option<f64>,
    /// The share of `ignored`.
    #[oai(nullable)]
    ignored_share: Option<f64>,
    /// When the first of them was shown.
    first_at: DateTime<Utc>,
    /// When the last of them was shown.
    last_at: DateTime<Utc>,
}

impl From<VersionOutcomes> for VersionOutcomesView {
    fn from(one: VersionOutcomes) -> Self {
        let share = |index: usize| one.shares.map(|shares| shares[index]);
        let at = |micros| Timestamp::from_micros(micros).to_utc();
        Self {
            done_share: share(0),
            snoozed_share: share(1),
            ignored_share: share(2),
            first_at: at(one.counts.first_at),
            last_at: at(one.counts.last_at),
            shown: one.counts.shown,
            done: one.counts.done,
            snoozed: one.counts.snoozed,
            ignored: one.counts.ignored,
            version: one.counts.version,
            open: one.open,
        }
    }
}
