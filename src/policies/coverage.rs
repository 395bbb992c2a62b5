//! Which branches of a script its worked examples reach.
//!
//! The script is run with marks in it (`marks`): a call at the beginning of each function, branch and case, and an `else`
//! where there is none. What is served knows nothing of this: the marked script exists only while its examples run.

mod marks;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rhai::INT;
use serde::Serialize;

use crate::calendar::Windows;

use super::cases::{CaseReport, ExampleFile, run_cases};
use super::compile::compile;
use super::fault::PolicyFault;
use super::script::ScriptPolicy;
pub(super) use marks::MARK;
use marks::mark;
pub(super) use marks::{numbers_in, texts_in, words_in};

/// A branch that no example reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreached {
    /// The line on which it begins, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What it is.
    pub what: String,
}

/// How much of a script its examples reach.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Coverage {
    /// How many functions, branches and cases there are.
    pub branches: usize,
    /// How many of them were reached.
    pub reached: usize,
    /// The same in percent, rounded down to one decimal; 100 when there are none.
    pub percent: f64,
    /// The others, in the order of the script.
    pub unreached: Vec<Unreached>,
}

/// Runs the examples of all files against a script, and says what they reached of it.
///
/// # Errors
///
/// What keeps the script from being compiled.
pub fn cover(
    file: &Path,
    source: &str,
    windows: Windows,
    cases: &[ExampleFile],
) -> Result<(CaseReport, Coverage), Vec<PolicyFault>> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let marked = Marked::new(file, source, windows)?;
    let report = run_cases(&marked.policy, cases);
    let (branches, unreached) = (marked.seen.len(), marked.unreached());
    let reached = branches - unreached.len();
    Ok((report, Coverage { branches, reached, percent: percent(reached, branches), unreached }))
}

/// A script with marks in it, and which of them were passed.
pub(super) struct Marked {
    /// The script.
    pub(super) policy: ScriptPolicy,
    branches: Vec<Unreached>,
    seen: Arc<[AtomicBool]>,
}

impl Marked {
    /// Compiles a script, without its byte order mark, with marks in it.
    pub(super) fn new(file: &Path, source: &str, windows: Windows) -> Result<Self, Vec<PolicyFault>> {
        let (marked, branches) = mark(source);
        let seen: Arc<[AtomicBool]> = branches.iter().map(|_| AtomicBool::new(false)).collect();
        let mut compiled = compile(file, &marked)?;
        let marks = Arc::clone(&seen);
        compiled.engine.register_fn(MARK, move |number: INT| {
            if let Some(mark) = usize::try_from(number).ok().and_then(|number| marks.get(number)) {
                mark.store(true, Ordering::Relaxed);
            }
        });
        Ok(Self { policy: ScriptPolicy::new("marked", compiled, windows), branches, seen })
    }

    /// The branches that nothing reached so far, in the order of the script.
    pub(super) fn unreached(&self) -> Vec<Unreached> {
        let passed = self.branches.iter().zip(self.seen.iter());
        let mut unreached: Vec<Unreached> =
            passed.filter(|(_, seen)| !seen.load(Ordering::Relaxed)).map(|(branch, _)| branch.clone()).collect();
        unreached.sort_by_key(|branch| (branch.line, branch.column));
        unreached
    }
}

#[expect(clippy::cast_precision_loss, reason = "a script has at most 128 KiB, and fewer branches")]
fn percent(reached: usize, branches: usize) -> f64 {
    (reached * 1_000).checked_div(branches).map_or(100.0, |thousandths| thousandths as f64 / 10.0)
}
