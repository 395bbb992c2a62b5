//! Why a task has its score, and why another stands above or below it.

use crate::accounts::Caller;
use crate::clock::Timestamp;
use crate::ids::TaskId;
use crate::scoring::{
    Candidate, Crowd, Explanation, FactTable, Gap, Lever, Moment, NextChange, Policy, PolicyUsed, Verdict, by_score,
    gaps, levers, next_change,
};

use super::Tasks;
use super::error::{TaskError, both};
use super::lineup::is_candidate;
use super::ranking::RankQuestion;
use super::task::Task;

/// Everything about one task's score.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The task.
    pub task: Task,
    /// Whether it can be recommended at all.
    pub candidacy: Candidacy,
    /// Its score; absent when the policy failed or leaves it out.
    pub score: Option<f64>,
    /// Why.
    pub explanation: Explanation,
    /// The policy.
    pub policy: PolicyUsed,
    /// The moment of the explanation.
    pub moment: Moment,
    /// When it changes by itself.
    pub next_change: Option<NextChange>,
    /// What would move it.
    pub levers: Vec<Lever>,
    /// Why another task stands above or below it, if that was asked.
    pub versus: Option<Versus>,
}

/// Another task beside the one that is explained.
#[derive(Clone, Debug)]
pub struct Versus {
    /// The other task.
    pub task: Task,
    /// Whether it can be recommended at all.
    pub candidacy: Candidacy,
    /// Its score; absent when the policy failed or leaves it out.
    pub score: Option<f64>,
    /// Whether the task that is explained stands above it.
    pub is_outranked: bool,
    /// What decides which of the two stands above.
    pub decided_by: Decider,
    /// The parts that set the scores apart, the widest gap first.
    pub gaps: Vec<Gap>,
}

/// Whether a task can be recommended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Candidacy {
    /// It can.
    Given,
    /// It is completed, or snoozed.
    NotOpen,
    /// The policy leaves it out.
    LeftOut,
}

impl Candidacy {
    fn of(task: &Task, verdict: &Verdict, now: Timestamp) -> Self {
        match verdict {
            _ if !is_candidate(task, now) => Self::NotOpen,
            Verdict::Ineligible => Self::LeftOut,
            Verdict::Score(_) | Verdict::Fault(_) => Self::Given,
        }
    }

    /// Whether it can.
    pub const fn is_given(self) -> bool {
        matches!(self, Self::Given)
    }
}

/// What decides which of two tasks stands above the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decider {
    /// One of them cannot be recommended at all.
    Candidacy,
    /// The scores.
    Score,
    /// The scores are equal: the older task stands above.
    Age,
}

/// A task with its score at a moment.
struct Scored {
    task: Task,
    candidate: Candidate,
    candidacy: Candidacy,
    score: Option<f64>,
    explanation: Explanation,
}

impl Scored {
    fn new(task: Task, candidate: Candidate, policy: &dyn Policy, moment: &Moment) -> Self {
        let facts = FactTable::new(std::slice::from_ref(&candidate), moment);
        let context = policy.context(moment);
        let verdict = policy.score(&facts, &context).pop().unwrap_or(Verdict::Ineligible);
        let explanation = policy.explain(&facts, 0, &context);
        let candidacy = Candidacy::of(&task, &verdict, moment.now);
        Self { candidacy, score: verdict.score(), task, candidate, explanation }
    }

    fn beside(&self, other: Self) -> Versus {
        let candidacy = other.candidacy.is_given().cmp(&self.candidacy.is_given());
        let scores = by_score(self.score, other.score);
        let ages = (self.task.created_at, self.task.id).cmp(&(other.task.created_at, other.task.id));
        let decided_by = match (candidacy.is_eq(), scores.is_eq()) {
            (false, _) => Decider::Candidacy,
            (true, false) => Decider::Score,
            (true, true) => Decider::Age,
        };
        Versus {
            is_outranked: candidacy.then(scores).then(ages).is_lt(),
            decided_by,
            gaps: gaps(&self.explanation, &other.explanation),
            candidacy: other.candidacy,
            score: other.score,
            task: other.task,
        }
    }
}

impl Tasks {
    /// Explains one task's score, whatever its status; and what sets it apart from the task `versus`.
    ///
    /// # Errors
    ///
    /// [`TaskError::NotFound`], an unknown policy or second task, or what keeps the store from reading.
    pub async fn explain(
        &self,
        caller: &Caller,
        id: TaskId,
        question: &RankQuestion,
        versus: Option<TaskId>,
    ) -> Result<Explained, TaskError> {
        let policy = self.rankings.policy(caller, question.policy.as_deref());
        let other = match versus {
            Some(other) if other == id => Err(TaskError::fault("?versus", "must be the id of another task")),
            Some(other) => self.get_task(caller, other).await.map(Some).map_err(not_yours),
            None => Ok(None),
        };
        let (policy, other) = both(policy, other)?;
        let task = self.get_task(caller, id).await?;
        let at = question.at.unwrap_or_else(|| self.now());
        let lineup = self.lineup(caller).await?;
        let moment = lineup.moment(caller.windows, at, question.available_minutes);
        let scored = |task: Task| {
            let candidate = lineup.candidate(&task);
            Scored::new(task, candidate, &*policy, &moment)
        };
        let one = scored(task);
        let crowd = Crowd::matters(policy.uses()).then(|| lineup.crowd());
        let versus = other.map(|other| one.beside(scored(other)));
        Ok(Explained {
            candidacy: one.candidacy,
            score: one.score,
            next_change: next_change(&*policy, &one.candidate, &moment, crowd.as_ref()),
            levers: levers(&*policy, &one.candidate, &moment),
            explanation: one.explanation,
            policy: PolicyUsed::of(&*policy),
            task: one.task,
            moment,
            versus,
        })
    }
}

fn not_yours(error: TaskError) -> TaskError {
    match error {
        TaskError::NotFound(_) => TaskError::fault("?versus", "must be the id of one of your tasks"),
        other => other,
    }
}
