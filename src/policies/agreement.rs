//! Whether the compiled form of a policy says what the interpreter says.
//!
//! It does by construction, and a fuzz in the tests looks for where it does not. Before a policy goes live the two are
//! compared once more, on that policy: a difference costs speed, never a wrong score.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::calendar::{Due, TimeOfDay};
use crate::clock::Timestamp;
use crate::scoring::lower::Obstacle;
use crate::scoring::{Candidate, FactTable, Moment, Policy, Status, Verdict};

use super::corpus::{describe, moments, sample};
use super::script::ScriptPolicy;
use super::spread::first_found;

/// How many tasks are made of a script's own numbers and texts, for each moment.
const MADE: usize = 24;
/// Every how many-th task of the corpus is compared, a different one first in each moment.
const CORPUS_EACH: usize = 23;
/// Every how many-th moment of the corpus a variant is compared in.
const BRIEF_EACH: usize = 4;
/// How many of a script's numbers and texts are used.
const MOST_WORDS: usize = 256;

/// The policy, with its compiled form only if that gives the same verdicts.
pub(super) fn agreed(policy: ScriptPolicy) -> ScriptPolicy {
    let moments = moments();
    let found = difference(&policy, &moments, |index, moment| sample(index, moment, CORPUS_EACH));
    held_to(policy, found)
}

/// The same for a variant of a policy that was compared already: on fewer tasks, because somebody waits for it.
pub(super) fn agreed_briefly(variant: ScriptPolicy) -> ScriptPolicy {
    let moments: Vec<Moment> = moments().into_iter().step_by(BRIEF_EACH).collect();
    let found = difference(&variant, &moments, |_, _| Vec::new());
    held_to(variant, found)
}

fn held_to(policy: ScriptPolicy, found: Option<String>) -> ScriptPolicy {
    match found {
        None => policy,
        Some(message) => {
            tracing::error!(
                policy.name = policy.name(),
                policy.version = policy.version(),
                reason = message,
                "the compiled policy differs from the interpreter, which is used instead"
            );
            policy.interpreted_because(Obstacle { message, line: None, column: None })
        }
    }
}

/// The first difference, in words.
fn difference(
    policy: &ScriptPolicy,
    moments: &[Moment],
    candidates: impl Fn(usize, &Moment) -> Vec<Candidate> + Sync,
) -> Option<String> {
    policy.program().ok()?;
    let words = Words::of(policy);
    first_found(moments.len(), |index| {
        let moment = moments.get(index)?;
        let mut tasks = candidates(index, moment);
        tasks.extend((0..MADE).map(|number| words.task(index * MADE + number, moment)));
        let (facts, ctx) = (FactTable::new(&tasks, moment), policy.context(moment));
        let (compiled, interpreted) = (policy.verdicts(&facts, &ctx), policy.interpreted(&facts, &ctx));
        let rows = compiled.iter().zip(&interpreted).zip(&tasks);
        let mut different = rows.filter(|((compiled, interpreted), _)| !is_same(compiled, interpreted));
        different.next().map(|((compiled, interpreted), task)| {
            let (compiled, interpreted) = (told(compiled), told(interpreted));
            let task = describe(task, moment);
            format!("the compiled form gives {compiled}, the interpreter {interpreted} (for a task with {task})")
        })
    })
}

/// Whether two verdicts are the same, scores to the last bit.
pub fn is_same(a: &Verdict, b: &Verdict) -> bool {
    match (a, b) {
        (Verdict::Score(a), Verdict::Score(b)) => a.to_bits() == b.to_bits(),
        _ => a == b,
    }
}

fn told(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Score(score) => format!("{score:?}"),
        Verdict::Ineligible => "no score".to_owned(),
        Verdict::Fault(fault) => format!("a fault (`{fault}`)"),
    }
}

/// What a script compares facts with: its numbers and their neighbours, its texts.
struct Words {
    numbers: Vec<u32>,
    texts: Vec<Arc<str>>,
}

impl Words {
    fn of(policy: &ScriptPolicy) -> Self {
        let source = policy.source();
        // Parameters before the script, so that they are among the first.
        let values: Vec<String> = policy.values().values().map(ToString::to_string).collect();
        let texts = values.iter().map(String::as_str).chain([source]);
        let digits = texts.flat_map(|text| text.split(|letter: char| !letter.is_ascii_digit()));
        let digits = digits.filter_map(|word| word.parse::<u32>().ok());
        let numbers: BTreeSet<u32> = digits
            .take(MOST_WORDS)
            .flat_map(|number| [number.saturating_sub(1), number, number.saturating_add(1)])
            .chain([0, u32::MAX])
            .collect();
        let quoted = source.lines().flat_map(|line| line.split('"').skip(1).step_by(2));
        let texts: BTreeSet<&str> = quoted.take(MOST_WORDS).chain(["", "elsewhere"]).collect();
        Self { numbers: numbers.into_iter().collect(), texts: texts.into_iter().map(Arc::from).collect() }
    }

    /// A task of these words; the same for the same number.
    fn task(&self, number: usize, moment: &Moment) -> Candidate {
        let mut state = number as u64;
        // SplitMix64: https://prng.di.unimi.it/splitmix64.c
        let mut next = move |below: usize| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            usize::try_from((mixed ^ (mixed >> 31)) % (below.max(1) as u64)).unwrap_or(0)
        };
        let numbers: [u32; 8] =
            std::array::from_fn(|_| self.numbers.get(next(self.numbers.len())).copied().unwrap_or(0));
        let text = |index: usize| self.texts.get(index).cloned().unwrap_or_default();
        let later = |minutes: i64| Timestamp::from_micros(moment.now.as_micros() + minutes * 60_000_000);
        let sign = if next(3) == 0 { -1 } else { 1 };
        let due = match next(4) {
            0 => None,
            // Not past what calendars know.
            1 => Some(later(sign * i64::from(numbers[0] % 1_000_000_000))),
            _ => Some(later(sign * i64::from(numbers[0] % 100_000) * 1_440)),
        };
        let labels: Vec<Arc<str>> = (0..next(4)).map(|_| text(next(self.texts.len()))).collect();
        let age = i64::from(numbers[1] % 20_000) * 86_400_000_000;
        Candidate {
            status: Status::ALL[next(4)],
            due: due.map(Due::At),
            effort_minutes: (next(4) > 0).then_some(numbers[2]),
            preferred_time: (next(4) > 0).then(|| TimeOfDay::ALL[next(TimeOfDay::ALL.len())]),
            snooze_count: numbers[3],
            labels: labels.into(),
            project: (next(3) > 0).then(|| text(next(self.texts.len()))),
            blocked_by: numbers[4],
            blocks: numbers[5],
            times_skipped: numbers[6],
            ..Candidate::new(
                crate::ids::TaskId(uuid::Uuid::from_u128(number as u128)),
                u8::try_from(1 + next(5)).unwrap_or(3),
                Timestamp::from_micros(moment.now.as_micros() - age),
            )
        }
    }
}
