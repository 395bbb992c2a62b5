//! Why a task has its score: parts that add up to it, and a sentence.

use std::sync::Arc;

use serde::Serialize;

use super::policy::ScoreFault;

/// One named part of a score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// What it is, such as `deadline`.
    pub name: String,
    /// How much of it there is, such as 0.75.
    pub value: f64,
    /// What one of it is worth; for a multiplier, the sum that it multiplies.
    pub weight: f64,
    /// What it adds to the score. The points of all parts add up to the total (6 decimals).
    pub points: f64,
}

/// The six fields of the default policy's formula.
///
/// `(deadline_urgency_score + priority_score + effort_bonus_score) * time_of_day_multiplier` is the total.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Classic {
    /// How urgent the due date makes it.
    pub deadline_urgency: f64,
    /// What that is worth.
    pub deadline_urgency_score: f64,
    /// What the priority is worth.
    pub priority_score: f64,
    /// How short the work is.
    pub effort_bonus: f64,
    /// What that is worth.
    pub effort_bonus_score: f64,
    /// Whether it is the preferred time of day.
    pub time_of_day_multiplier: f64,
}

impl Classic {
    /// The formula over the fields.
    pub fn total(&self) -> f64 {
        (self.deadline_urgency_score + self.priority_score + self.effort_bonus_score) * self.time_of_day_multiplier
    }
}

/// Why a task has its score. Serialises to the shape of `reasoning`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The six classic fields, when the policy gives them all.
    #[serde(flatten)]
    pub classic: Option<Classic>,
    /// The score, rounded; absent when the policy failed or leaves the task out.
    pub total_score: Option<f64>,
    /// What to do, in the policy's words.
    pub recommendation: String,
    /// The policy's own named parts.
    pub parts: Vec<Part>,
    /// Why there is no score, or why the parts cannot be trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Arc<ScoreFault>>,
}

impl Explanation {
    /// The explanation of a task on which the policy failed.
    pub fn failed(fault: Arc<ScoreFault>) -> Self {
        Self { classic: None, total_score: None, recommendation: String::new(), parts: Vec::new(), fault: Some(fault) }
    }
}
