//! What is in order and yet probably a slip: a branch that nothing reaches, a name that nobody uses, a term that is always
//! zero, a score that falls when the priority rises.
//!
//! Names are looked for in the text (`names`). The rest shows when the script is run, with marks in it, on the corpus of
//! the check and on tasks made for this script (`samples`): its own numbers as days and minutes, its own texts as labels.

mod names;
mod samples;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::calendar::Windows;
use crate::scoring::{Candidate, FactTable, Moment, Policy, Verdict};

use super::compile::find_word;
use super::corpus::describe;
use super::coverage::Marked;
use super::fault::{Place, PolicyFault};
use super::script::ScriptPolicy;

/// Every how many-th sample is explained.
const EXPLAIN_EACH: usize = 7;

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
    let mut found = Found { warnings: Vec::new(), file, source };
    for (lint, place, message) in names::unused(source, marked.policy.params()) {
        found.warn(lint, place, message);
    }
    found.run(&marked.policy, source);
    for branch in marked.unreached() {
        let place = Place { line: Some(branch.line), column: Some(branch.column) };
        // What is never called was told already.
        let known = branch.what.starts_with("the function");
        if !known {
            found.warn(Lint::Unreachable, place, format!("no task that was tried reaches {}", branch.what));
        }
    }
    let Found { mut warnings, .. } = found;
    warnings.sort_by_key(|warning| (warning.line, warning.column, warning.lint));
    Ok(warnings)
}

struct Found<'a> {
    warnings: Vec<Warning>,
    file: &'a Path,
    source: &'a str,
}

impl Found<'_> {
    fn warn(&mut self, lint: Lint, place: Place, message: String) {
        let (line, column) = (place.line.unwrap_or(1), place.column.unwrap_or(1));
        self.warnings.push(Warning { lint, file: self.file.to_owned(), line, column, message });
    }

    fn run(&mut self, policy: &ScriptPolicy, source: &str) {
        // Whether each part ever had points.
        let mut parts: BTreeMap<String, bool> = BTreeMap::new();
        let mut falls = None;
        for (moment, tasks) in samples::samples(source) {
            let (facts, ctx) = (FactTable::new(&tasks, &moment), policy.context(&moment));
            let verdicts = policy.verdicts(&facts, &ctx);
            falls = falls.or_else(|| falling(&tasks, &verdicts, &moment));
            let mut run = policy.run(&ctx);
            for row in (0..tasks.len()).step_by(EXPLAIN_EACH) {
                let Some(Ok(explained)) = facts.row(row).map(|facts| policy.try_explain(&mut run, &facts)) else {
                    continue;
                };
                for part in explained.parts {
                    *parts.entry(part.name).or_default() |= part.points != 0.0;
                }
            }
        }
        for (name, _) in parts.into_iter().filter(|(_, has_points)| !has_points) {
            let place = place_of(self.source, &format!("\"{name}\""));
            let message = format!("the part `{name}` has no points for any task that was tried");
            self.warn(Lint::AlwaysZero, place, message);
        }
        if let Some(message) = falls {
            self.warn(Lint::NotMonotone, find_word(self.source, "fn", "score"), message);
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
