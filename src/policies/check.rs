//! The check that a policy must pass before it goes live.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::calendar::Windows;
use crate::scoring::{Candidate, FactTable, Moment, Policy, ScoreFault, Verdict};

use super::agreement::agreed;
use super::compile::{compile, find_word};
use super::corpus::{candidates, describe, moments};
use super::fault::{Place, PolicyFault};
use super::hints::Names;
use super::script::{ScriptPolicy, adds_up};
use super::shipped::is_shipped;
use super::spread::first_found;

/// How many different faults of a trial are told.
const MAX_FAULTS: usize = 5;
/// How long the whole trial may take; a policy in good order takes a small part of it, even on a busy machine.
const MAX_TRIAL: Duration = Duration::from_secs(30);
/// How many tasks are tried before faults are looked at: a broken policy need not fail on all of them.
const CHUNK: usize = 200;
/// Every how many-th task of the corpus is explained in each moment.
const EXPLAIN_EACH: usize = 23;
/// In which moments of the corpus the ends of parameters are tried: one with all combinations, at noon; the others at night.
const TRIED_ENDS: [usize; 3] = [12, 3, 21];

/// Compiles a script and tries it on the whole corpus, as [`trial`] does.
///
/// Of its parameters all are tried at their least and at their most too, on a part of the corpus.
///
/// A compiled form that does not agree with the interpreter on a sample of the corpus, and on tasks that are made of the
/// script's own numbers and texts, is not used.
///
/// - `windows`: apply when the script declares none.
///
/// # Errors
///
/// Every fault with its place: syntax, missing functions, unknown fields, or what the trial found.
pub fn check(name: &str, file: &Path, source: &str, windows: Windows) -> Result<ScriptPolicy, Vec<PolicyFault>> {
    // A script must not take the server's reload with it, whatever it makes the interpreter do.
    let checked = catch_unwind(AssertUnwindSafe(|| try_check(name, file, source, windows)));
    checked.unwrap_or_else(|_| Err(vec![PolicyFault::new(file, "the interpreter failed on this script")]))
}

fn try_check(name: &str, file: &Path, source: &str, windows: Windows) -> Result<ScriptPolicy, Vec<PolicyFault>> {
    let policy = ScriptPolicy::new(name, compile(file, source)?, windows);
    // Our tests tried it, and compared its compiled form with the interpreter.
    if is_shipped(source) {
        return Ok(policy);
    }
    // First of all: where the two differ, the trial is of the interpreter.
    let policy = agreed(policy);
    let mut faults = trial(&policy, file, source);
    if !policy.params().is_empty() {
        let ends = policy.params().ends().into_iter().filter(|_| faults.is_empty()).map(|end| policy.with_values(end));
        for variant in ends.collect::<Vec<_>>() {
            let found = Trial::of(&variant, file, source).run(&TRIED_ENDS);
            let reworded = found
                .into_iter()
                .map(|fault| PolicyFault { message: format!("{}, with {}", fault.message, told(&variant)), ..fault });
            faults.extend(reworded);
        }
    }
    if faults.is_empty() { Ok(policy) } else { Err(faults) }
}

/// `days: 3, mood: calm`.
fn told(variant: &ScriptPolicy) -> String {
    variant.values().iter().map(|(name, value)| format!("`{name}` {value}")).collect::<Vec<_>>().join(", ")
}

/// Tries a policy on the whole corpus: every score finite and in range, every explanation adding up, each answer the
/// same again. The shipped scripts are tried by our tests; elsewhere they are spared.
pub fn trial(policy: &ScriptPolicy, file: &Path, source: &str) -> Vec<PolicyFault> {
    Trial::of(policy, file, source).run(&(0..moments().len()).collect::<Vec<_>>())
}

struct Trial<'a> {
    policy: &'a ScriptPolicy,
    file: &'a Path,
    source: &'a str,
    names: Names,
    /// When it has taken too long.
    until: Instant,
}

/// What was found in one moment.
struct Found<'a> {
    trial: &'a Trial<'a>,
    told: HashSet<(Option<usize>, String)>,
    faults: Vec<PolicyFault>,
}

impl<'a> Trial<'a> {
    fn of(policy: &'a ScriptPolicy, file: &'a Path, source: &'a str) -> Self {
        Self { policy, file, source, names: policy.names(), until: Instant::now() + MAX_TRIAL }
    }

    /// Tries the policy in the moments of the corpus with these numbers, up to the first in which it has faults.
    fn run(&self, tried: &[usize]) -> Vec<PolicyFault> {
        let moments = moments();
        let faults = first_found(tried.len(), |place| {
            let index = *tried.get(place)?;
            let faults = self.moment(index, moments.get(index)?);
            (!faults.is_empty()).then_some(faults)
        });
        faults.unwrap_or_default()
    }

    fn moment(&self, index: usize, moment: &Moment) -> Vec<PolicyFault> {
        let mut found = Found { trial: self, told: HashSet::new(), faults: Vec::new() };
        for tasks in candidates(index, moment).chunks(CHUNK) {
            found.chunk(index, moment, tasks);
            if Instant::now() > self.until {
                let message = format!("is too slow: the trial took more than {} s", MAX_TRIAL.as_secs());
                found.tell("score", &tasks[0], moment, &plain(&message));
            }
            if !found.faults.is_empty() {
                break;
            }
        }
        found.faults
    }
}

impl Found<'_> {
    fn chunk(&mut self, index: usize, moment: &Moment, tasks: &[Candidate]) {
        let policy = self.trial.policy;
        let (facts, ctx) = (FactTable::new(tasks, moment), policy.context(moment));
        let verdicts = policy.verdicts(&facts, &ctx);
        for (task, verdict) in tasks.iter().zip(&verdicts) {
            if let Verdict::Fault(fault) = verdict {
                self.tell("score", task, moment, fault);
            }
        }
        if !self.faults.is_empty() {
            return;
        }
        let mut run = policy.run(&ctx);
        for row in (index % EXPLAIN_EACH..tasks.len()).step_by(EXPLAIN_EACH) {
            let Some(facts) = facts.row(row) else { continue };
            // A compiled form cannot be anything but pure.
            if policy.program().is_err() && policy.judge(&mut run, &facts) != verdicts[row] {
                let message = "`score` gives different answers for the same input: it must be pure";
                self.tell("score", &tasks[row], moment, &plain(message));
            }
            let explained = policy.try_explain(&mut run, &facts).and_then(|explained| {
                let score = verdicts[row].score();
                score.map_or(Ok(()), |score| adds_up(&explained, score)).map_err(|text| plain(&text))
            });
            if let Err(fault) = explained {
                self.tell("explain", &tasks[row], moment, &fault);
            }
        }
    }

    /// Tells each kind of fault once, with the first combination on which it was seen.
    fn tell(&mut self, function: &str, candidate: &Candidate, moment: &Moment, fault: &ScoreFault) {
        // Numbers in messages differ from task to task; the fault is the same.
        let kind: String = fault.message.chars().filter(|letter| !letter.is_ascii_digit()).collect();
        if self.faults.len() >= MAX_FAULTS || !self.told.insert((fault.line, kind)) {
            return;
        }
        let place = match fault.line {
            None => find_word(self.trial.source, "fn", function),
            Some(_) => Place { line: fault.line, column: fault.column },
        };
        let message = self.trial.names.hinted(&fault.message);
        let message = format!("{message} (for a task with {})", describe(candidate, moment));
        self.faults.push(PolicyFault::new(self.trial.file, message).at(place));
    }
}

fn plain(message: &str) -> ScoreFault {
    ScoreFault { message: message.to_owned(), line: None, column: None }
}
