//! Two policies over the same tasks: who moves where, by which terms, and how much stays.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::scoring::{Candidate, FactTable, Moment, Policy, Ranked, round_score, top};

/// How many hours are looked at, from the given moment on.
const HOURS: u64 = 24;
const HOUR: Duration = Duration::from_hours(1);

/// How one policy stands to another, over the same tasks at the same moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// How many tasks were scored.
    pub tasks: usize,
    /// How many of them are at another place, or in one ranking alone.
    pub moved: usize,
    /// Whether another task is the first.
    pub first_changes: bool,
    /// Spearman's rank correlation over the tasks that both rank, -1 to 1; absent for fewer than two.
    pub spearman: Option<f64>,
    /// Kendall's, which counts pairs that change their order.
    pub kendall: Option<f64>,
    /// On how many tasks each policy failed: before and after.
    pub faults: [usize; 2],
}

/// Where a task goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// The row of the candidates.
    pub row: usize,
    /// Its place before and after, from 1; absent where the policy leaves it out.
    pub places: [Option<usize>; 2],
    /// Its score before and after; absent where the policy fails or leaves it out.
    pub scores: [Option<f64>; 2],
    /// The terms that differ.
    pub terms: Vec<Term>,
}

/// A named part of a score that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Its name.
    pub name: String,
    /// Its points before and after; 0 where the policy has no such part.
    pub points: [f64; 2],
}

/// Two rankings of the same tasks.
pub struct Rankings<'a> {
    policies: [&'a dyn Policy; 2],
    candidates: &'a [Candidate],
    moment: &'a Moment,
    entries: [Vec<Ranked>; 2],
    places: [HashMap<usize, usize>; 2],
}

impl<'a> Rankings<'a> {
    /// Ranks by both policies: the one in force, then the other.
    pub fn new(policies: [&'a dyn Policy; 2], candidates: &'a [Candidate], moment: &'a Moment) -> Self {
        let entries = policies.map(|policy| top(policy, candidates, moment, usize::MAX).entries);
        let places = entries.each_ref().map(|entries| {
            entries.iter().enumerate().map(|(place, entry)| (entry.row, place)).collect::<HashMap<_, _>>()
        });
        Self { policies, candidates, moment, entries, places }
    }

    /// How the rankings stand to each other.
    pub fn compare(&self) -> Comparison {
        let common: Vec<(usize, usize)> = self.entries[0].iter().filter_map(|entry| self.both(entry.row)).collect();
        let first = self.first_rows();
        let failed = |entries: &[Ranked]| entries.iter().filter(|entry| entry.fault.is_some()).count();
        let order = relative(&common);
        Comparison {
            tasks: self.candidates.len(),
            moved: (0..self.candidates.len()).filter(|row| self.place(0, *row) != self.place(1, *row)).count(),
            first_changes: first[0] != first[1],
            spearman: spearman(&order),
            kendall: kendall(&order),
            faults: self.entries.each_ref().map(|entries| failed(entries)),
        }
    }

    /// The rows that stand first.
    pub fn first_rows(&self) -> [Option<usize>; 2] {
        self.entries.each_ref().map(|entries| entries.first().map(|entry| entry.row))
    }

    /// The place of a row in one of the rankings, from 0; `None` where the policy leaves it out.
    pub fn place_of(&self, which: usize, row: usize) -> Option<usize> {
        self.places.get(which)?.get(&row).copied()
    }

    /// The tasks that move, those that move furthest first, at most `most`.
    pub fn moves(&self, most: usize) -> Vec<Move> {
        let mut rows: Vec<usize> =
            (0..self.candidates.len()).filter(|row| self.place(0, *row) != self.place(1, *row)).collect();
        rows.sort_by_key(|row| (std::cmp::Reverse(self.distance(*row)), self.place(1, *row), *row));
        rows.truncate(most);
        let facts = FactTable::new(self.candidates, self.moment);
        rows.into_iter().map(|row| self.move_of(row, &facts)).collect()
    }

    fn move_of(&self, row: usize, facts: &FactTable) -> Move {
        let score = |which: usize| {
            let place = self.place(which, row)?;
            self.entries[which].get(place).and_then(|entry| entry.score)
        };
        let points = [0, 1].map(|which: usize| {
            let policy = self.policies[which];
            let explained = score(which).map(|_| policy.explain(facts, row, &policy.context(self.moment)));
            explained.map(|explained| explained.parts).unwrap_or_default()
        });
        let mut terms: Vec<Term> = Vec::new();
        for (which, parts) in points.iter().enumerate() {
            for part in parts {
                if let Some(term) = terms.iter_mut().find(|term| term.name == part.name) {
                    term.points[which] = round_score(term.points[which] + part.points);
                } else {
                    let mut term = Term { name: part.name.clone(), points: [0.0; 2] };
                    term.points[which] = part.points;
                    terms.push(term);
                }
            }
        }
        terms.retain(|term| term.points[0].to_bits() != term.points[1].to_bits());
        let places = [0, 1].map(|which| self.place(which, row).map(|place| place + 1));
        Move { row, places, scores: [score(0), score(1)], terms }
    }

    fn place(&self, which: usize, row: usize) -> Option<usize> {
        self.places[which].get(&row).copied()
    }

    fn both(&self, row: usize) -> Option<(usize, usize)> {
        self.place(0, row).zip(self.place(1, row))
    }

    /// How far a task goes; who comes or goes moves by the whole list.
    fn distance(&self, row: usize) -> usize {
        self.both(row).map_or(self.candidates.len(), |(before, after)| before.abs_diff(after))
    }
}

/// At how many of the hours from the moment on the first task differs, and how many were looked at before `until`.
pub fn first_over_hours(
    policies: [&dyn Policy; 2],
    candidates: &[Candidate],
    moment: &Moment,
    until: Instant,
) -> (usize, usize) {
    let (mut differ, mut looked) = (0, 0);
    for hour in 0..HOURS {
        if Instant::now() >= until {
            break;
        }
        let moment = moment.at(moment.now.plus(HOUR * u32::try_from(hour).unwrap_or(0)));
        let first = policies.map(|policy| top(policy, candidates, &moment, 1).entries.first().map(|entry| entry.row));
        looked += 1;
        differ += usize::from(first[0] != first[1]);
    }
    (differ, looked)
}

/// The places after of the tasks in the order before, as a permutation of 0..n.
fn relative(common: &[(usize, usize)]) -> Vec<usize> {
    let mut before = common.to_vec();
    before.sort_unstable();
    let mut by_after: Vec<usize> = (0..before.len()).collect();
    by_after.sort_unstable_by_key(|index| before[*index].1);
    let mut order = vec![0; before.len()];
    for (rank, index) in by_after.into_iter().enumerate() {
        order[index] = rank;
    }
    order
}

#[expect(clippy::cast_precision_loss, reason = "a person has fewer than 2^52 tasks")]
fn spearman(order: &[usize]) -> Option<f64> {
    let n = order.len() as f64;
    let squares: f64 = order.iter().enumerate().map(|(before, after)| (before.abs_diff(*after) as f64).powi(2)).sum();
    (order.len() > 1).then(|| round_score(1.0 - 6.0 * squares / (n * (n * n - 1.0))))
}

#[expect(clippy::cast_precision_loss, reason = "a person has fewer than 2^52 tasks")]
fn kendall(order: &[usize]) -> Option<f64> {
    let pairs = order.len() as f64 * (order.len() as f64 - 1.0) / 2.0;
    let turned = inversions(&mut order.to_vec());
    (order.len() > 1).then(|| round_score(1.0 - 2.0 * turned as f64 / pairs))
}

/// How many pairs stand in the wrong order; sorts them.
fn inversions(order: &mut Vec<usize>) -> usize {
    if order.len() < 2 {
        return 0;
    }
    let mut right = order.split_off(order.len() / 2);
    let mut count = inversions(order) + inversions(&mut right);
    let left = std::mem::take(order);
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(l), Some(r)) = (left.peek(), right.peek()) {
        if r < l {
            count += left.len();
            order.extend(right.next());
        } else {
            order.extend(left.next());
        }
    }
    order.extend(left.chain(right));
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlations_are_one_for_the_same_order_and_minus_one_for_the_reverse() {
        let same: Vec<usize> = (0..10).collect();
        let reverse: Vec<usize> = (0..10).rev().collect();

        assert_eq!((spearman(&same), kendall(&same)), (Some(1.0), Some(1.0)));
        assert_eq!((spearman(&reverse), kendall(&reverse)), (Some(-1.0), Some(-1.0)));
        assert_eq!((spearman(&[0]), kendall(&[])), (None, None));
    }

    #[test]
    fn one_swap_of_neighbours_turns_one_pair() {
        assert_eq!(inversions(&mut vec![0, 2, 1, 3]), 1);
        assert_eq!(kendall(&[0, 2, 1, 3]), Some(round_score(1.0 - 2.0 / 6.0)));
        assert_eq!(spearman(&[0, 2, 1, 3]), Some(0.8));
        assert_eq!(relative(&[(5, 9), (1, 2), (7, 3)]), [0, 2, 1]);
    }
}
