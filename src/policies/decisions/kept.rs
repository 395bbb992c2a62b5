//! The form in which a recommendation is kept: facts that a policy saw, no titles and no texts.

use std::collections::HashMap;
use std::sync::Arc;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::masking::Mask;
use super::recording::Shown;
use crate::calendar::{Due, TimeOfDay, Windows};
use crate::clock::Timestamp;
use crate::ids::{TaskId, UserId, new_uuid};
use crate::scoring::{Candidate, Energy, Moment, Status};
use crate::store::policy_decisions::DecisionRecord;
use crate::store::{StoreError, StoreResult};

/// A task that was ranked: its score, and what the policy saw of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptTask {
    /// The task.
    pub id: TaskId,
    /// Its score; absent when the policy failed on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// 1 to 5.
    pub priority: u8,
    /// Where it stood.
    pub status: Status,
    /// When it is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Due>,
    /// The estimate, in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort_minutes: Option<u32>,
    /// The preferred part of the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_time: Option<TimeOfDay>,
    /// When it was made, in microseconds since the epoch.
    pub created_at: i64,
    /// How often it was put off.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub snooze_count: u32,
    /// What stands for its labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// What stands for its project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// How many open tasks it waits for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub blocked_by: u32,
    /// How many open tasks wait for it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub blocks: u32,
    /// How often it was recommended and left.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub times_skipped: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What the policy knew beside the tasks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeptContext {
    /// The person's own windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<Windows>,
    /// How long they had, in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes_available: Option<u32>,
    /// How much energy they had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<String>,
    /// How many tasks were open.
    pub open_tasks: u32,
    /// How many of them were overdue.
    pub overdue_tasks: u32,
}

/// What became of a recommendation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Nothing yet, and there is still time.
    Open,
    /// The task was completed.
    Done,
    /// It was put off.
    Snoozed,
    /// Another one was completed, or nothing happened.
    Ignored,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Done, Self::Snoozed, Self::Ignored];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Snoozed => "snoozed",
            Self::Ignored => "ignored",
        }
    }

    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

/// A recommendation that was shown.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Its row.
    pub row: DecisionRecord,
    /// What the policy knew beside the tasks.
    pub context: KeptContext,
    /// The first tasks, best first.
    pub tasks: Vec<KeptTask>,
    /// What became of it.
    pub outcome: Outcome,
}

impl TryFrom<DecisionRecord> for Decision {
    type Error = StoreError;

    fn try_from(row: DecisionRecord) -> StoreResult<Self> {
        let corrupt = |what, text: &str| StoreError::corrupt(what, text.to_owned());
        let outcome = row.outcome.as_deref().map_or(Some(Outcome::Open), Outcome::parse);
        Ok(Self {
            context: serde_json::from_str(&row.context).map_err(|_| corrupt("context", &row.context))?,
            tasks: serde_json::from_str(&row.candidates).map_err(|_| corrupt("candidates", &row.candidates))?,
            outcome: outcome.ok_or_else(|| corrupt("outcome", row.outcome.as_deref().unwrap_or_default()))?,
            row,
        })
    }
}

impl Decision {
    /// When it was shown.
    pub const fn shown_at(&self) -> Timestamp {
        Timestamp::from_micros(self.row.shown_at)
    }

    /// Whose it is.
    pub const fn user(&self) -> UserId {
        UserId(self.row.user_id)
    }

    /// The task that was done of those that were ranked: the one recommended, or another one instead.
    pub fn done(&self) -> Option<usize> {
        match self.outcome {
            Outcome::Done => Some(0),
            _ => self.tasks.iter().position(|task| Some(task.id.0) == self.row.instead_id),
        }
    }

    /// The moment, as a policy knows it.
    pub fn moment(&self) -> Moment {
        let energies = [Energy::Low, Energy::Medium, Energy::High];
        let energy = |word: &str| energies.into_iter().find(|energy| energy.as_str() == word);
        Moment {
            windows: self.context.windows,
            minutes_available: self.context.minutes_available,
            energy: self.context.energy.as_deref().and_then(energy),
            open_tasks: self.context.open_tasks,
            overdue_tasks: self.context.overdue_tasks,
            // Zones are never taken out of the list; one that a newer program knew is read as UTC.
            ..Moment::new(self.shown_at(), self.row.time_zone.parse().unwrap_or(Tz::UTC))
        }
    }

    /// The tasks as a policy sees them; `words` are put back in the place of what stands for them.
    pub fn candidates(&self, words: &HashMap<String, Arc<str>>) -> Vec<Candidate> {
        let word = |hidden: &String| words.get(hidden).cloned().unwrap_or_else(|| Arc::from(hidden.as_str()));
        let candidate = |task: &KeptTask| Candidate {
            status: task.status,
            due: task.due,
            effort_minutes: task.effort_minutes,
            preferred_time: task.preferred_time,
            snooze_count: task.snooze_count,
            labels: task.labels.iter().map(word).collect(),
            project: task.project.as_ref().map(word),
            blocked_by: task.blocked_by,
            blocks: task.blocks,
            times_skipped: task.times_skipped,
            ..Candidate::new(task.id, task.priority, Timestamp::from_micros(task.created_at))
        };
        self.tasks.iter().map(candidate).collect()
    }
}

/// The row of what was shown.
pub(super) fn row_of(shown: &Shown, mask: &Mask) -> Value {
    let task = |(candidate, score): &(Candidate, Option<f64>)| KeptTask {
        id: candidate.id,
        score: *score,
        priority: candidate.priority,
        status: candidate.status,
        due: candidate.due,
        effort_minutes: candidate.effort_minutes,
        preferred_time: candidate.preferred_time,
        created_at: candidate.created_at.as_micros(),
        snooze_count: candidate.snooze_count,
        labels: candidate.labels.iter().map(|label| mask.hide(shown.user, label)).collect(),
        project: candidate.project.as_ref().map(|project| mask.hide(shown.user, project)),
        blocked_by: candidate.blocked_by,
        blocks: candidate.blocks,
        times_skipped: candidate.times_skipped,
    };
    let context = KeptContext {
        windows: shown.moment.windows,
        minutes_available: shown.moment.minutes_available,
        energy: shown.moment.energy.map(|energy| energy.as_str().to_owned()),
        open_tasks: shown.moment.open_tasks,
        overdue_tasks: shown.moment.overdue_tasks,
    };
    let tasks: Vec<KeptTask> = shown.tasks.iter().map(task).collect();
    let first = shown.tasks.first().map(|(first, _)| (first.id.0, first.snooze_count)).unwrap_or_default();
    json!({
        "id": new_uuid(shown.moment.now).simple().to_string(),
        "user": shown.user.0.simple().to_string(),
        "policy": shown.policy.name(),
        "version": shown.policy.version(),
        "params": Some(shown.policy.set_values()).filter(|values| !values.is_empty()),
        "data_version": shown.data_version,
        "shown_at": shown.moment.now.as_micros(),
        "time_zone": shown.moment.zone.name(),
        "context": context,
        "candidates": tasks,
        "total": shown.total,
        "task": first.0.simple().to_string(),
        "snoozes": first.1,
    })
}
