//! Scores and reasons as clients see them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use poem_openapi::types::Any;
use poem_openapi::{Enum, Object};
use serde::Serialize;
use serde_json::Value;

use crate::clock::Timestamp;
use crate::scoring::{Explanation, Gap, Lever, NextChange, Part, PolicyUsed, Ranked, round_score};
use crate::tasks::explaining::{Decider, Explained, Versus};
use crate::tasks::ranking::Standing;

use super::policy_params::shown_values;
use super::task_views::TaskView;

/// A named part of a score.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "ScorePart")]
pub struct PartView {
    /// What it is.
    pub name: String,
    /// How much of it there is.
    pub value: f64,
    /// What one of it is worth; for a multiplier, the sum that it multiplies.
    pub weight: f64,
    /// What it adds to the score; the points of all parts add up to it.
    pub points: f64,
}

impl From<&Part> for PartView {
    fn from(part: &Part) -> Self {
        Self { name: part.name.clone(), value: part.value, weight: part.weight, points: part.points }
    }
}

/// Why a task has its score. The classic fields are there when the policy's formula has them all:
/// `(deadline_urgency_score + priority_score + effort_bonus_score) * time_of_day_multiplier` is `total_score`.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "Reasoning", skip_serializing_if_is_none)]
pub struct ReasoningView {
    /// How urgent the due date makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_urgency: Option<f64>,
    /// What that is worth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_urgency_score: Option<f64>,
    /// What the priority is worth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority_score: Option<f64>,
    /// How short the work is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort_bonus: Option<f64>,
    /// What that is worth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort_bonus_score: Option<f64>,
    /// Whether it is the preferred time of day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_of_day_multiplier: Option<f64>,
    /// The score; `null` when the policy failed on this task or leaves it out.
    #[oai(nullable, skip_serializing_if_is_none = false)]
    pub total_score: Option<f64>,
    /// What to do, in the policy's words.
    pub recommendation: String,
    /// The policy's own named parts.
    pub parts: Vec<PartView>,
    /// How the policy failed on this task; its place is the end of the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl From<&Explanation> for ReasoningView {
    fn from(explanation: &Explanation) -> Self {
        let classic = explanation.classic;
        Self {
            deadline_urgency: classic.map(|classic| classic.deadline_urgency),
            deadline_urgency_score: classic.map(|classic| classic.deadline_urgency_score),
            priority_score: classic.map(|classic| classic.priority_score),
            effort_bonus: classic.map(|classic| classic.effort_bonus),
            effort_bonus_score: classic.map(|classic| classic.effort_bonus_score),
            time_of_day_multiplier: classic.map(|classic| classic.time_of_day_multiplier),
            total_score: explanation.total_score,
            recommendation: explanation.recommendation.clone(),
            parts: explanation.parts.iter().map(PartView::from).collect(),
            error: explanation.fault.as_ref().map(ToString::to_string),
        }
    }
}

/// The policy that decided.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "PolicyUsed")]
pub struct PolicyView {
    /// Its name.
    pub name: String,
    /// The hash of its content.
    pub version: String,
    /// The values of its parameters that are set and are not those that it declares, by name.
    pub params: BTreeMap<String, Any<Value>>,
}

impl PolicyView {
    fn of(used: PolicyUsed) -> Self {
        Self { name: used.name, version: used.version, params: shown_values(used.set_values) }
    }
}

/// A task with its score and the reasons.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "RankedTask")]
pub struct RankedView {
    /// The task.
    pub task: TaskView,
    /// Its score; `null` when the policy failed on it.
    #[oai(nullable)]
    pub score: Option<f64>,
    /// Why.
    pub reasoning: ReasoningView,
    /// By which policy.
    pub policy: PolicyView,
}

impl RankedView {
    /// An entry of a ranking.
    pub fn of(standing: &Standing, entry: &Ranked) -> Self {
        Self {
            task: TaskView::from(standing.task(entry)),
            score: entry.score,
            reasoning: ReasoningView::from(standing.explain(entry)),
            policy: PolicyView::of(PolicyUsed::of(&*standing.policy)),
        }
    }
}

/// The next different score of a task that nobody touches.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "NextChange")]
pub struct NextChangeView {
    /// The first moment of the new score.
    pub at: DateTime<Utc>,
    /// The new score.
    #[oai(nullable)]
    pub score: Option<f64>,
}

impl From<&NextChange> for NextChangeView {
    fn from(change: &NextChange) -> Self {
        Self { at: change.at.to_utc(), score: change.score }
    }
}

/// One thing that would move the score.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "Lever")]
pub struct LeverView {
    /// Which field; `time_of_day` is not the task's, but the hour at which it is asked.
    pub field: String,
    /// The value that it would have.
    #[oai(nullable)]
    pub value: Option<Any<serde_json::Value>>,
    /// The score afterwards.
    pub score: f64,
    /// The score afterwards less the score now.
    pub difference: f64,
}

impl From<&Lever> for LeverView {
    fn from(lever: &Lever) -> Self {
        let (field, value) = lever.change.named();
        Self {
            field,
            value: Some(value).filter(|value| !value.is_null()).map(Any),
            score: lever.score,
            difference: lever.difference,
        }
    }
}

/// Everything about one task's score.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "ExplainedTask")]
pub struct ExplainedView {
    /// The task.
    pub task: TaskView,
    /// Its score; `null` when the policy failed on it or leaves it out.
    #[oai(nullable)]
    pub score: Option<f64>,
    /// Why.
    pub reasoning: ReasoningView,
    /// By which policy.
    pub policy: PolicyView,
    /// Whether it can be recommended: it is open, not put off, and the policy does not leave it out.
    pub is_candidate: bool,
    /// The moment of the explanation.
    pub evaluated_at: DateTime<Utc>,
    /// The zone in which days were counted.
    pub time_zone: String,
    /// When the score changes by itself; `null` when it stays, as far as that is looked ahead: some thousands of the moments at
    /// which a fact changes, two days where every minute counts.
    #[oai(nullable)]
    pub next_change: Option<NextChangeView>,
    /// What would move it.
    pub levers: Vec<LeverView>,
    /// What sets it apart from the task `versus`; `null` when none was named.
    #[oai(nullable)]
    pub versus: Option<VersusView>,
}

/// Why another task stands above or below.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "Versus")]
pub struct VersusView {
    /// The other task.
    pub task: TaskView,
    /// Its score; `null` when the policy failed on it or leaves it out.
    #[oai(nullable)]
    pub score: Option<f64>,
    /// Whether it can be recommended.
    pub is_candidate: bool,
    /// Whether the task that is explained stands above it.
    pub is_outranked: bool,
    /// What decides it.
    pub decided_by: DeciderName,
    /// The score that is explained less the other one; `null` when one of the two has none.
    #[oai(nullable)]
    pub difference: Option<f64>,
    /// The parts that differ, the widest gap first; their differences add up to `difference`.
    pub gaps: Vec<GapView>,
}

/// What decides which of two tasks stands above: one cannot be recommended, the scores, or, when they are equal, the age.
#[derive(Clone, Copy, Debug, Enum, Serialize)]
#[oai(rename = "Decider", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum DeciderName {
    /// One of the two cannot be recommended.
    Candidacy,
    /// The higher score stands above.
    Score,
    /// The scores are equal, and the older task stands above.
    Age,
}

/// What one part adds to each of two scores.
#[derive(Clone, Debug, Object, Serialize)]
#[oai(rename = "ScoreGap")]
pub struct GapView {
    /// The part's name.
    pub name: String,
    /// Its points for the task that is explained.
    pub points: f64,
    /// Its points for the other task.
    pub versus_points: f64,
    /// The first less the second.
    pub difference: f64,
}

impl From<&Gap> for GapView {
    fn from(gap: &Gap) -> Self {
        Self { name: gap.name.clone(), points: gap.points, versus_points: gap.other, difference: gap.difference }
    }
}

impl VersusView {
    fn of(score: Option<f64>, versus: &Versus) -> Self {
        Self {
            task: TaskView::from(&versus.task),
            score: versus.score,
            is_candidate: versus.candidacy.is_given(),
            is_outranked: versus.is_outranked,
            decided_by: match versus.decided_by {
                Decider::Candidacy => DeciderName::Candidacy,
                Decider::Score => DeciderName::Score,
                Decider::Age => DeciderName::Age,
            },
            difference: score.zip(versus.score).map(|(one, other)| round_score(one - other)),
            gaps: versus.gaps.iter().map(GapView::from).collect(),
        }
    }
}

impl From<&Explained> for ExplainedView {
    fn from(explained: &Explained) -> Self {
        Self {
            task: TaskView::from(&explained.task),
            score: explained.score,
            reasoning: ReasoningView::from(&explained.explanation),
            policy: PolicyView::of(explained.policy.clone()),
            is_candidate: explained.candidacy.is_given(),
            evaluated_at: Timestamp::to_utc(explained.moment.now),
            time_zone: explained.moment.zone.to_string(),
            next_change: explained.next_change.as_ref().map(NextChangeView::from),
            levers: explained.levers.iter().map(LeverView::from).collect(),
            versus: explained.versus.as_ref().map(|versus| VersusView::of(explained.score, versus)),
        }
    }
}
