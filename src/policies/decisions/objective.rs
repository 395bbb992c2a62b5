//! How well values of parameters agree with what people did, and the search for better ones.
//!
//! An example is a recommendation of whose tasks one was done. A policy agrees with it as far as it puts that task above the
//! others: each pair counts as in a logistic regression, over score differences in units of their spread, so that larger
//! scores alone are no better. The search goes along one parameter at a time, over a grid that narrows, so the same
//! examples and the same seed lead to the same values.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::scoring::params::{Param, ParamKind, ParamValue, ParamValues, Params};
use crate::scoring::{Candidate, FactTable, Moment, Policy};

/// How often values are tried at most.
pub const MOST_TRIALS: usize = 240;
/// How many values of one parameter are tried in a row.
const GRID: i32 = 9;
/// How often the grid narrows.
const ROUNDS: u32 = 4;
/// By how much the loss must fall for a step to be taken: below that it is noise.
const LEAST_STEP: f64 = 1e-4;
/// What the score of a task stands for that has none: far below the others.
const NO_SCORE: f64 = -3.0;

/// A recommendation of whose tasks one was done.
pub struct Example {
    /// What the policy saw.
    pub candidates: Vec<Candidate>,
    /// When.
    pub moment: Moment,
    /// The task that was done.
    pub done: usize,
}

/// How well a policy agrees with examples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Agreement {
    /// How many examples.
    pub examples: usize,
    /// The mean loss of a pair; less is better.
    pub loss: f64,
    /// In how many examples the task that was done stands first.
    pub first: usize,
    /// The mean place of the task that was done, from 1.
    pub mean_place: f64,
}

impl Agreement {
    /// Whether these values are better on examples from which they were not learned: less loss, and no lower places.
    pub fn is_better_than(&self, other: &Self) -> bool {
        self.loss < other.loss - LEAST_STEP && self.mean_place <= other.mean_place && self.first >= other.first
    }
}

/// Whether an example is held back from the search: a quarter of them, the same for the same seed.
pub fn is_held_back(seed: u64, id: Uuid) -> bool {
    lot(seed, id.as_bytes()).is_multiple_of(4)
}

fn lot(seed: u64, what: &[u8]) -> u32 {
    let digest = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(what).finalize();
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

/// How well a policy agrees with examples.
#[expect(clippy::cast_precision_loss, reason = "there are at most some thousand examples")]
pub fn agreement(policy: &dyn Policy, examples: &[Example]) -> Agreement {
    let (mut sum, mut places) = (Agreement { examples: examples.len(), ..Agreement::default() }, 0);
    for example in examples {
        let (loss, place) = judge(policy, example);
        sum.loss += loss;
        sum.first += usize::from(place == 0);
        places += place + 1;
    }
    let count = examples.len().max(1) as f64;
    Agreement { loss: sum.loss / count, mean_place: places as f64 / count, ..sum }
}

/// The mean loss of the pairs of one example, and the place of the task that was done.
#[expect(clippy::cast_precision_loss, reason = "a recommendation has at most twenty tasks")]
fn judge(policy: &dyn Policy, example: &Example) -> (f64, usize) {
    let facts = FactTable::new(&example.candidates, &example.moment);
    let verdicts = policy.score(&facts, &policy.context(&example.moment));
    let scores: Vec<Option<f64>> = verdicts.iter().map(crate::scoring::Verdict::score).collect();
    let known: Vec<f64> = scores.iter().flatten().copied().collect();
    let count = known.len().max(1) as f64;
    let mean = known.iter().sum::<f64>() / count;
    let spread = (known.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / count).sqrt();
    let scaled = |score: Option<f64>| match score {
        Some(score) if spread > 0.0 => (score - mean) / spread,
        Some(_) => 0.0,
        None => NO_SCORE,
    };
    let own = scaled(scores.get(example.done).copied().flatten());
    let others = scores.iter().enumerate().filter(|(row, _)| *row != example.done);
    let (mut loss, mut place, mut pairs) = (0.0, 0, 0.0);
    for (row, score) in others {
        let other = scaled(*score);
        loss += (other - own).exp().ln_1p();
        pairs += 1.0;
        // Of equal scores the older task stands first.
        let (a, b) = (&example.candidates[row], &example.candidates[example.done]);
        let is_older = (a.created_at, a.id) < (b.created_at, b.id);
        place += usize::from(other > own || (other.to_bits() == own.to_bits() && is_older));
    }
    (if pairs > 0.0 { loss / pairs } else { 0.0 }, place)
}

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The values that differ from where it began.
    pub values: ParamValues,
    /// How often values were tried.
    pub trials: usize,
}

/// Searches for values that agree better with examples than the declared ones do; `tune` makes the policy with values.
pub fn search<P: Policy>(tune: &dyn Fn(&ParamValues) -> P, params: &Params, examples: &[Example], seed: u64) -> Found {
    let from = params.defaults();
    let mut order: Vec<&Param> = params.iter().collect();
    order.sort_by_key(|param| (lot(seed, param.name.as_bytes()), param.name.clone()));
    let (mut best, mut trials) = (from.clone(), 0);
    let mut least = agreement(&tune(&from), examples).loss;
    for round in 0..ROUNDS {
        let before = best.clone();
        for param in &order {
            let Some(center) = best.get(&param.name).cloned() else { continue };
            for value in grid(param, &center, round) {
                if value == center || trials >= MOST_TRIALS {
                    continue;
                }
                trials += 1;
                let mut values = best.clone();
                values.insert(param.name.clone(), value);
                let loss = agreement(&tune(&values), examples).loss;
                if loss < least - LEAST_STEP {
                    (least, best) = (loss, values);
                }
            }
        }
        // Whole numbers, words and truth values have no finer grid.
        let is_finest = params.iter().all(|param| !matches!(param.kind, ParamKind::Number { .. }));
        if best == before && (is_finest || round > 1) {
            break;
        }
    }
    best.retain(|name, value| from.get(name) != Some(value));
    Found { values: best, trials }
}

/// The values of a parameter that are tried: over its whole range at first, then nearer and nearer to the best so far.
fn grid(param: &Param, center: &ParamValue, round: u32) -> Vec<ParamValue> {
    match (&param.kind, center) {
        (ParamKind::Bool, _) => vec![ParamValue::Bool(false), ParamValue::Bool(true)],
        (ParamKind::Word { words }, _) => words.iter().cloned().map(ParamValue::Word).collect(),
        (ParamKind::Whole { min, max }, ParamValue::Whole(center)) => whole((*min, *max), *center, round),
        (ParamKind::Number { min, max }, ParamValue::Number(center)) => number((*min, *max), *center, round),
        _ => Vec::new(),
    }
}

fn whole((min, max): (i64, i64), center: i64, round: u32) -> Vec<ParamValue> {
    let width = i128::from(max) - i128::from(min);
    if width <= 32 {
        return (min..=max).map(ParamValue::Whole).collect();
    }
    let step = (width / i128::from(GRID - 1) / i128::from(4_u32.pow(round))).max(1);
    let first = if round == 0 { i128::from(min) } else { i128::from(center) - step * i128::from(GRID / 2) };
    let tried = (0..GRID).map(|index| (first + step * i128::from(index)).clamp(min.into(), max.into()));
    let mut values: Vec<i64> = tried.filter_map(|value| i64::try_from(value).ok()).collect();
    values.dedup();
    values.into_iter().map(ParamValue::Whole).collect()
}

fn number((min, max): (f64, f64), center: f64, round: u32) -> Vec<ParamValue> {
    let step = (max - min) / f64::from(GRID - 1) / 4_f64.powi(i32::try_from(round).unwrap_or(0));
    let first = if round == 0 { min } else { center - step * f64::from(GRID / 2) };
    let tried = (0..GRID).map(|index| round_to(step, step.mul_add(f64::from(index), first)).clamp(min, max));
    let mut values: Vec<f64> = tried.collect();
    values.dedup_by(|a, b| a.to_bits() == b.to_bits());
    values.into_iter().map(ParamValue::Number).collect()
}

/// A number that people can read, nearer to the given one than a tenth of the step.
fn round_to(step: f64, value: f64) -> f64 {
    let digits = (1.0 - step.abs().log10().floor()).clamp(0.0, 9.0);
    let scale = 10_f64.powf(digits);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::clock::Timestamp;
    use crate::ids::TaskId;
    use crate::policies::decisions::tuning::tuned;
    use crate::policies::{ScriptPolicy, check, shipped};

    const SCRIPT: &str = r#"
        const PARAMS = #{
            priority: #{ type: "number", min: 0.0, max: 10.0, "default": 5.0, label: "Worth of a priority" },
            quick: #{ type: "number", min: 0.0, max: 50.0, "default": 1.0, label: "Worth of being done quickly" },
            minutes: #{ type: "whole", min: 5, max: 600, "default": 15, label: "What is quick" }
        };
        fn is_quick(task, ctx) { task.effort_minutes != () && task.effort_minutes <= ctx.params.minutes }
        fn score(task, ctx) {
            task.priority * ctx.params.priority + if is_quick(task, ctx) { ctx.params.quick } else { 0.0 }
        }
        fn explain(task, ctx) {
            let points = score(task, ctx);
            #{ total: points, parts: [#{ name: "points", points: points }], recommendation: "Do it" }
        }
    "#;

    fn script() -> ScriptPolicy {
        check("plain", Path::new("plain"), SCRIPT, shipped::windows().unwrap()).unwrap()
    }

    /// Somebody who does what is quick, whatever its priority.
    fn likes_quick(number: u128) -> Example {
        let task = |index: u128, priority, minutes| {
            let made = Timestamp::from_micros(1_000_000);
            let id = TaskId(Uuid::from_u128(number * 10 + index));
            Candidate { effort_minutes: Some(minutes), ..Candidate::new(id, priority, made) }
        };
        let mixed = u8::try_from(1 + number % 2).unwrap();
        let candidates = vec![task(0, 5, 120), task(1, 4, 90), task(2, mixed, 10), task(3, 3, 300)];
        let moment = Moment::new(Timestamp::from_micros(2_000_000), chrono_tz::UTC);
        Example { candidates, moment, done: 2 }
    }

    #[test]
    fn the_parameter_that_people_care_about_moves_the_right_way() {
        let script = script();
        let tune = |values: &ParamValues| tuned(&script, values);
        let examples: Vec<Example> = (0..60).map(likes_quick).collect();
        let from = script.params().defaults();
        let before = agreement(&tune(&from), &examples);

        let found = search(&tune, script.params(), &examples, 7);

        assert_eq!((before.first, before.examples), (0, 60));
        let after = agreement(&tune(&found.values), &examples);
        assert!(after.is_better_than(&before) && after.first == 60, "{after:?}");
        let number = |name: &str| match found.values.get(name).or(from.get(name)) {
            Some(ParamValue::Number(value)) => *value,
            other => panic!("{other:?}"),
        };
        assert!(number("quick") > 4.0 * number("priority"), "{found:?}");
        assert!(found.trials <= MOST_TRIALS);
    }

    #[test]
    fn the_same_seed_finds_the_same() {
        let script = script();
        let tune = |values: &ParamValues| tuned(&script, values);
        let examples: Vec<Example> = (0..40).map(likes_quick).collect();
        let find = |seed| search(&tune, script.params(), &examples, seed);

        assert_eq!(find(3), find(3));
        let ids: Vec<Uuid> = (0..400_u128).map(|number| Uuid::from_u128(number * 97)).collect();
        let held = |seed| ids.iter().filter(|id| is_held_back(seed, **id)).count();
        assert!((70..130).contains(&held(1)), "{}", held(1));
        assert!(ids.iter().any(|id| is_held_back(1, *id) != is_held_back(2, *id)));
    }

    #[test]
    fn who_does_what_is_recommended_teaches_nothing() {
        let script = script();
        let tune = |values: &ParamValues| tuned(&script, values);
        let first = |number| Example { done: 0, ..likes_quick(number) };
        let examples: Vec<Example> = (0..40).map(first).collect();

        let found = search(&tune, script.params(), &examples, 1);

        let after = agreement(&tune(&found.values), &examples);
        assert!(!found.values.contains_key("minutes") || after.first == 40, "{found:?}");
        assert_eq!(after.first, 40);
    }
}
