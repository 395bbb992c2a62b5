//! What is in order and yet probably a slip: a branch that nothing reaches, a name that nobody uses, a term that is always
//! zero, a score that falls when the priority rises, a task on which it fails.
//!
//! Names are looked for in the text (`names`). The rest shows when the script is run, with marks in it, on the corpus of
//! the check and on tasks made for this script (`samples`): its own numbers as days and minutes, its own texts as labels.

mod names;
mod samples;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::calendar::Windows;
use crate::scoring::{Candidate, FactTable, Moment, Policy, Verdict};

use super::compile::find_word;
use super::corpus::describe;
use super::coverage::Marked;
use super::fault::{Place, PolicyFault};
use super::script::ScriptPolicy;
use samples::Sample;

/// Every how many-th sample is explained.
const EXPLAIN_EACH: usize = 7;
/// How long a script is looked at; one in good order takes a small part of it.
const MOST_TIME: Duration = Duration::from_secs(10);

/// What a warning is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lint {
    /// No task reaches a branch.
    Unreachable,
    /// A parameter of a function, or of `PARAMS`, is not read.
    UnusedParameter,
    /// A constant or function is not used.
    Unused,
    /// A part of the explanation never has points.
    AlwaysZero,
    /// A higher priority leads to a lower score.
    NotMonotone,
    /// The script fails on a task.
    Fails,
}

impl Lint {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::UnusedParameter => "unused_parameter",
            Self::Unused => "unused",
            Self::AlwaysZero => "always_zero",
            Self::NotMonotone => "not_monotone",
            Self::Fails => "fails",
        }
    }
}

/// Something that is probably a slip, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// What it is about.
    pub lint: Lint,
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What was found.
    pub message: String,
}

/// `policies/mine/policy.rhai:3:7: warning: message`, as compilers write.
impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: warning: {}", self.file.display(), self.line, self.column, self.message)
    }
}

/// Looks at a script that passes the check.
///
/// # Errors
///
/// What keeps it from being compiled.
pub fn lint(file: &Path, source: &str, windows: Windows) -> Result<Vec<Warning>, Vec<PolicyFault>> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let marked = Marked::new(file, source, windows)?;
    let mut found =
        Found { warnings: Vec::new(), parts: BTreeMap::new(), falls: false, failing: BTreeSet::new(), file, source };
    for (lint, place, message) in names::unused(source, marked.policy.params()) {
        found.warn(lint, place, message);
    }
    let until = Instant::now() + MOST_TIME;
    let mut samples = samples::samples(source);
    let mut is_whole = found.run(&marked.policy, &samples, until);
    // What depends on parameters shows when they are set.
    let ends = marked.policy.params().ends().into_iter().filter(|_| !marked.policy.params().is_empty());
    let ends: Vec<ScriptPolicy> = ends.map(|values| marked.policy.with_values(values)).collect();
    samples.retain(|sample| sample.is_for_all);
    for variant in &ends {
        is_whole = is_whole && found.run(variant, &samples, until);
    }
    // A slow script was not looked at as a whole: what was not seen may be there.
    let unreached = if is_whole { marked.unreached() } else { Vec::new() };
    for branch in unreached {
        let place = Place { line: Some(branch.line), column: Some(branch.column) };
        // What is never called was told already.
        let known = branch.what.starts_with("the function");
        if !known {
            found.warn(Lint::Unreachable, place, format!("no task that was tried reaches {}", branch.what));
        }
    }
    if is_whole {
        found.tell_empty_parts();
    }
    let Found { mut warnings, .. } = found;
    warnings.sort_by_key(|warning| (warning.line, warning.column, warning.lint));
    Ok(warnings)
}

struct Found<'a> {
    warnings: Vec<Warning>,
    /// Whether each part of the explanation ever had points.
    parts: BTreeMap<String, bool>,
    /// Whether it was told that the score falls somewhere.
    falls: bool,
    /// Where it was told that the script fails.
    failing: BTreeSet<(Option<usize>, Option<usize>)>,
    file: &'a Path,
    source: &'a str,
}

impl Found<'_> {
    fn warn(&mut self, about: Lint, place: Place, message: String) {
        let (line, column) = (place.line.unwrap_or(1), place.column.unwrap_or(1));
        self.warnings.push(Warning { lint: about, file: self.file.to_owned(), line, column, message });
    }

    /// Runs the script on samples; whether there was time for all of them.
    fn run(&mut self, policy: &ScriptPolicy, samples: &[Sample], until: Instant) -> bool {
        for Sample { moment, tasks, .. } in samples {
            if Instant::now() >= until {
                return false;
            }
            let (facts, ctx) = (FactTable::new(tasks, moment), policy.context(moment));
            let verdicts = policy.interpreted(&facts, &ctx);
            if let Some(message) = falling(tasks, &verdicts, moment).filter(|_| !self.falls) {
                self.falls = true;
                self.warn(Lint::NotMonotone, find_word(self.source, "fn", "score"), message);
            }
            self.tell_failures(tasks, &verdicts, moment);
            let mut run = policy.run(&ctx);
            for row in (0..tasks.len()).step_by(EXPLAIN_EACH) {
                let Some(Ok(explained)) = facts.row(row).map(|facts| policy.try_explain(&mut run, &facts)) else {
                    continue;
                };
                for part in explained.parts {
                    *self.parts.entry(part.name).or_default() |= part.points != 0.0;
                }
            }
        }
        true
    }

    /// Tells each place where the script fails once, with the first task.
    fn tell_failures(&mut self, tasks: &[Candidate], verdicts: &[Verdict], moment: &Moment) {
        for (task, verdict) in tasks.iter().zip(verdicts) {
            let Verdict::Fault(fault) = verdict else { continue };
            let place = Place { line: fault.line, column: fault.column };
            if self.failing.insert((place.line, place.column)) {
                let message =
                    format!("the policy fails: {} (for a task with {})", fault.message, describe(task, moment));
                self.warn(Lint::Fails, place, message);
            }
        }
    }

    fn tell_empty_parts(&mut self) {
        for (name, _) in std::mem::take(&mut self.parts).into_iter().filter(|(_, has_points)| !has_points) {
            let place = place_of(self.source, &format!("\"{name}\""));
            let message = format!("the part `{name}` has no points for any task that was tried");
            self.warn(Lint::AlwaysZero, place, message);
        }
    }
}

/// The first samples that differ by their priority alone, and of which the higher has the lower score.
fn falling(tasks: &[Candidate], verdicts: &[Verdict], moment: &Moment) -> Option<String> {
    let pairs = tasks.windows(2).zip(verdicts.windows(2));
    pairs.into_iter().find_map(|(tasks, verdicts)| {
        let [lower, higher] = tasks else { return None };
        let raised = Candidate { priority: higher.priority, id: higher.id, ..lower.clone() };
        let (before, after) = (verdicts[0].score()?, verdicts[1].score()?);
        let falls = higher.priority > lower.priority && raised == *higher && after < before;
        falls.then(|| {
            let (from, to) = (lower.priority, higher.priority);
            format!(
                "the score falls from {before} to {after} when the priority rises from {from} to {to} (for a task with {})",
                describe(lower, moment)
            )
        })
    })
}

/// Where a text stands first.
fn place_of(source: &str, text: &str) -> Place {
    let found = source.lines().enumerate().find_map(|(index, line)| {
        let at = line.find(text)?;
        Some(Place { line: Some(index + 1), column: Some(line[..at].chars().count() + 1) })
    });
    found.unwrap_or(Place { line: Some(1), column: Some(1) })
}
