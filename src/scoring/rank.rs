//! The order of tasks: total and stable.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::clock::Timestamp;

use super::change::valid_until;
use super::facts::{Candidate, FactTable};
use super::moment::{Context, Moment};
use super::policy::{Policy, ScoreFault, Verdict};

/// One task's place.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// The row of the candidates.
    pub row: usize,
    /// The score; absent when the policy failed on this task.
    pub score: Option<f64>,
    /// How the policy failed.
    pub fault: Option<Arc<ScoreFault>>,
}

/// Tasks in the order in which they are recommended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// Highest score first; equal scores: the older task first, then by id; tasks without a score last. Tasks that
    /// the policy holds ineligible are absent.
    pub entries: Vec<Ranked>,
    /// The first moment at which the same candidates may rank differently; `None` when time does not matter. A task
    /// that wakes from a snooze is a new candidate: the caller knows when.
    pub valid_until: Option<Timestamp>,
}

/// Scores `candidates` at `moment` and puts all of them in order.
pub fn rank(policy: &dyn Policy, candidates: &[Candidate], moment: &Moment) -> Ranking {
    top(policy, candidates, moment, usize::MAX)
}

/// As [`rank`], but keeps only the first `count`; cheaper than sorting all.
pub fn top(policy: &dyn Policy, candidates: &[Candidate], moment: &Moment, count: usize) -> Ranking {
    let facts = FactTable::new(candidates, moment);
    let ctx = policy.context(moment);
    Ranking { entries: order(policy, &facts, &ctx, count), valid_until: valid_until(policy.uses(), &facts, &ctx) }
}

/// Orders derived facts; see [`Ranking::entries`].
pub fn order(policy: &dyn Policy, facts: &FactTable, ctx: &Context, count: usize) -> Vec<Ranked> {
    let mut entries: Vec<Ranked> = policy.score(facts, ctx).into_iter().enumerate().filter_map(place).collect();
    let compare = |a: &Ranked, b: &Ranked| compare(facts, a, b);
    if count < entries.len() {
        if count > 0 {
            entries.select_nth_unstable_by(count - 1, compare);
        }
        entries.truncate(count);
    }
    entries.sort_unstable_by(compare);
    entries
}

fn place((row, verdict): (usize, Verdict)) -> Option<Ranked> {
    match verdict {
        Verdict::Score(score) => Some(Ranked { row, score: Some(score), fault: None }),
        Verdict::Fault(fault) => Some(Ranked { row, score: None, fault: Some(fault) }),
        Verdict::Ineligible => None,
    }
}

/// Which of two scores stands first: the higher one; none stands after every score.
///
/// Scores are rounded, so `total_cmp` on them is the order that people see.
pub fn by_score(a: Option<f64>, b: Option<f64>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => b.total_cmp(&a),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

fn compare(facts: &FactTable, a: &Ranked, b: &Ranked) -> Ordering {
    by_score(a.score, b.score)
        .then_with(|| facts.created_at[a.row].cmp(&facts.created_at[b.row]))
        .then_with(|| facts.id[a.row].cmp(&facts.id[b.row]))
}
