//! The interface of a policy: what turns facts into scores.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::calendar::Windows;
use crate::ids::TaskId;

use super::explain::Explanation;
use super::facts::FactTable;
use super::fields::Uses;
use super::moment::{Context, Moment};
use super::params::ParamValues;

/// Which policy decided.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyUsed {
    /// Its name.
    pub name: String,
    /// The hash of its content.
    pub version: String,
    /// The values of its parameters that are not those that it declares.
    pub set_values: ParamValues,
}

impl PolicyUsed {
    /// This policy.
    pub fn of(policy: &dyn Policy) -> Self {
        let (name, version) = (policy.name().to_owned(), policy.version().to_owned());
        Self { name, version, set_values: policy.set_values() }
    }
}

/// Why one task has no score. The other tasks keep theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct ScoreFault {
    /// What went wrong, in a sentence's form without full stop.
    pub message: String,
    /// The line of the policy, from 1.
    pub line: Option<usize>,
    /// The column of the line, from 1.
    pub column: Option<usize>,
}

/// `line 3, column 7: division by zero`.
impl fmt::Display for ScoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, "line {line}, column {column}: {}", self.message),
            (Some(line), None) => write!(f, "line {line}: {}", self.message),
            (None, _) => f.write_str(&self.message),
        }
    }
}

/// What a policy says of one task.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Its score: finite, rounded by [`round_score`].
    Score(f64),
    /// It is not to be recommended now.
    Ineligible,
    /// The policy failed on this task.
    Fault(Arc<ScoreFault>),
}

impl Verdict {
    /// The score, if there is one.
    pub const fn score(&self) -> Option<f64> {
        match self {
            Self::Score(score) => Some(*score),
            Self::Ineligible | Self::Fault(_) => None,
        }
    }
}

/// What a policy says of tasks that follow one another, as columns: a ranking looks at most scores only once.
#[derive(Clone, Copy, Debug)]
pub struct Scores<'a> {
    scores: &'a [f64],
    others: &'a [Verdict],
}

impl<'a> Scores<'a> {
    /// For each task its score, or what is not a number where there is none.
    pub const fn scores(self) -> &'a [f64] {
        self.scores
    }

    /// For each task without a score, in their order, what the policy says instead.
    pub const fn others(self) -> &'a [Verdict] {
        self.others
    }

    /// For each task what the policy says of it.
    pub fn verdicts(self) -> impl Iterator<Item = Verdict> + 'a {
        let mut others = self.others.iter();
        let other = move || others.next().cloned().unwrap_or(Verdict::Ineligible);
        self.scores
            .iter()
            .scan(other, |other, score| Some(if score.is_nan() { other() } else { Verdict::Score(*score) }))
    }
}

/// Where [`Scores`] are put together.
#[derive(Clone, Debug, Default)]
pub struct ScoreSheet {
    scores: Vec<f64>,
    others: Vec<Verdict>,
}

impl ScoreSheet {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.scores.clear();
        self.others.clear();
    }

    /// Adds what a policy says of the next task.
    pub fn push(&mut self, verdict: Verdict) {
        if let Verdict::Score(score) = verdict {
            self.scores.push(score);
        } else {
            self.scores.push(f64::NAN);
            self.others.push(verdict);
        }
    }

    /// All of it.
    pub fn all(&self) -> Scores<'_> {
        Scores { scores: &self.scores, others: &self.others }
    }
}

impl FromIterator<Verdict> for ScoreSheet {
    fn from_iter<I: IntoIterator<Item = Verdict>>(verdicts: I) -> Self {
        let mut sheet = Self::default();
        verdicts.into_iter().for_each(|verdict| sheet.push(verdict));
        sheet
    }
}

/// The range that a policy declares for its scores, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ScoreRange {
    /// The lowest score.
    pub min: f64,
    /// The highest score.
    pub max: f64,
}

impl ScoreRange {
    /// Whether a score is finite and inside the range.
    pub fn contains(self, score: f64) -> bool {
        score.is_finite() && (self.min..=self.max).contains(&score)
    }
}

/// Turns facts into scores. The same facts and context give the same answer for ever.
pub trait Policy: Send + Sync {
    /// The name: its folder's.
    fn name(&self) -> &str;

    /// The version: a short hash of the content.
    fn version(&self) -> &str;

    /// The windows of a person who has set none.
    fn windows(&self) -> Windows;

    /// The declared range of scores.
    fn range(&self) -> Option<ScoreRange>;

    /// The fields that scores and explanations may depend on; from them follows until when a score is right.
    fn uses(&self) -> Uses;

    /// Scores a batch of tasks in one context.
    ///
    /// - `facts`: columns of equal length `n`, derived at the context's moment.
    /// - Returns `n` verdicts in input order. A fault in one row leaves the others untouched.
    fn score(&self, facts: &FactTable, ctx: &Context) -> Vec<Verdict>;

    /// As [`score`](Self::score), but hands over some hundreds at a time, in input order.
    fn score_each(&self, facts: &FactTable, ctx: &Context, take: &mut dyn FnMut(Scores<'_>)) {
        take(self.score(facts, ctx).into_iter().collect::<ScoreSheet>().all());
    }

    /// Takes note of tasks on which it failed when they were ranked for somebody; each counts once.
    fn note_failures(&self, _tasks: &mut dyn Iterator<Item = TaskId>) {}

    /// Explains one row's score; its parts add up to the score, or it carries a fault that says so.
    fn explain(&self, facts: &FactTable, row: usize, ctx: &Context) -> Explanation;

    /// Tells apart what has one name and one version, but other values of its parameters; 0 where there are none.
    fn variant(&self) -> u64 {
        0
    }

    /// The values of its parameters that are not those that it declares.
    fn set_values(&self) -> ParamValues {
        ParamValues::new()
    }

    /// The same policy with other values of some of its parameters.
    ///
    /// # Errors
    ///
    /// A parameter that it does not have, or a value that does not fit.
    fn tuned(&self, values: &ParamValues) -> Result<Arc<dyn Policy>, String> {
        let first = values.keys().next().map_or("", String::as_str);
        Err(format!("the policy has no parameter `{first}`"))
    }

    /// The context of a moment under this policy: the person's windows, or the policy's.
    fn context(&self, moment: &Moment) -> Context {
        Context::new(moment, self.windows())
    }
}

/// Rounds to 6 decimals, so that float noise (50 * 1.1 against 40 + 10 + 5) never decides an order.
///
/// Numbers past 2^53 / 10^6 have no sixth decimal to round and stay as they are; -0 becomes 0.
pub fn round_score(score: f64) -> f64 {
    const SCALE: f64 = 1e6;
    let scaled = score * SCALE;
    if scaled.abs() < 9_007_199_254_740_992.0 { nearest(scaled) / SCALE + 0.0 } else { score }
}

/// `f64::round` of what fits into 2^53: without it, processors of the oldest kind that we build for call a function.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "it is a whole number below 2^53")]
fn nearest(number: f64) -> f64 {
    let whole = number as i64 as f64;
    // Exact: the two have the same exponent, or the difference has fewer digits than the number.
    let rest = number - whole;
    whole + f64::from(rest >= 0.5) - f64::from(rest <= -0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn float_noise_vanishes_and_nothing_else() {
        let bits = |score: f64| round_score(score).to_bits();

        assert_eq!(bits(50.0 * 1.1), bits(40.0 + 10.0 + 5.0));
        assert_eq!(bits(110.0 * 1.1), bits(121.0));
        assert_ne!(bits(1.000_001), bits(1.000_002));
        assert_eq!(bits(-0.000_000_1), bits(0.0));
        assert_eq!(bits(1e300), 1e300_f64.to_bits());
        assert!(round_score(f64::INFINITY).is_infinite() && round_score(f64::NAN).is_nan());
    }

    #[test]
    fn halves_go_away_from_zero_as_the_standard_library_rounds() {
        let halves = (-20..20).map(|half| f64::from(half) / 2.0);
        let near = halves.flat_map(|half| [half, half.next_up(), half.next_down()]);
        let large = (0..53).flat_map(|bit| [-1.0, 1.0].map(|sign| sign * (f64::from(bit).exp2() + 0.5)));
        let small = [0.499_999_999_999_999_94, -0.499_999_999_999_999_94, f64::MIN_POSITIVE];

        for number in near.chain(large).chain(small) {
            assert_eq!(nearest(number).to_bits(), (number.round() + 0.0).to_bits(), "{number}");
        }
    }
}
