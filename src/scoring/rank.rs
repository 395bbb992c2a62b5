//! The order of tasks: total and stable.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::clock::Timestamp;

use super::change::valid_until;
use super::facts::{Candidate, FactTable};
use super::moment::{Context, Moment};
use super::policy::{Policy, ScoreFault, Scores, Verdict};

/// So many scores are passed over together when all lie below the first ones.
const BLOCK: usize = 64;

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
    rank_facts(policy, &FactTable::new(candidates, moment), &policy.context(moment), count)
}

/// As [`top`], of facts that were derived already at the context's moment.
pub fn rank_facts(policy: &dyn Policy, facts: &FactTable, ctx: &Context, count: usize) -> Ranking {
    Ranking { entries: order(policy, facts, ctx, count), valid_until: valid_until(policy.uses(), facts, ctx) }
}

/// Orders derived facts; see [`Ranking::entries`].
pub fn order(policy: &dyn Policy, facts: &FactTable, ctx: &Context, count: usize) -> Vec<Ranked> {
    let mut first = First { facts, count, row: 0, entries: Vec::new(), last: None, least: f64::NEG_INFINITY };
    policy.score_each(facts, ctx, &mut |some| first.take(some));
    first.in_order()
}

/// The first `count` of the tasks that were seen so far, and some that may be among them.
///
/// Most tasks come after the last of the first `count` and cost one comparison; no more than twice `count` are kept.
struct First<'a> {
    facts: &'a FactTable,
    count: usize,
    /// How many tasks were seen.
    row: usize,
    entries: Vec<Ranked>,
    /// The last of the first `count` when they were picked out last.
    last: Option<Ranked>,
    /// Its score: below it nothing can be among them.
    least: f64,
}

impl First<'_> {
    fn take(&mut self, some: Scores<'_>) {
        let mut others = some.others().iter();
        for block in some.scores().chunks(BLOCK) {
            // Counted, so that there is no branch for each; what has no score lies below none.
            if block.iter().filter(|score| **score < self.least).count() == block.len() {
                self.row += block.len();
                continue;
            }
            for score in block {
                let row = self.row;
                self.row += 1;
                if !score.is_nan() {
                    self.consider(Ranked { row, score: Some(*score), fault: None });
                } else if let Some(Verdict::Fault(fault)) = others.next() {
                    self.consider(Ranked { row, score: None, fault: Some(Arc::clone(fault)) });
                }
            }
        }
    }

    fn consider(&mut self, entry: Ranked) {
        let is_past = |last: &Ranked| compare(self.facts, &entry, last).is_gt();
        if entry.score.is_some_and(|score| score < self.least) || self.last.as_ref().is_some_and(is_past) {
            return;
        }
        self.entries.push(entry);
        if self.entries.len() >= self.count.saturating_mul(2).max(64) {
            self.pick();
        }
    }

    fn pick(&mut self) {
        let Some(last) = self.count.checked_sub(1) else { return self.entries.clear() };
        if self.entries.len() > self.count {
            self.entries.select_nth_unstable_by(last, |a, b| compare(self.facts, a, b));
            self.entries.truncate(self.count);
            self.last = self.entries.last().cloned();
            self.least = self.last.as_ref().and_then(|last| last.score).unwrap_or(f64::NEG_INFINITY);
        }
    }

    fn in_order(mut self) -> Vec<Ranked> {
        self.pick();
        self.entries.sort_unstable_by(|a, b| compare(self.facts, a, b));
        self.entries
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
