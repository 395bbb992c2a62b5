//! A policy's script: scored by its compiled form, and by Rhai's interpreter, the reference of what a policy means.

mod explained;
mod remembered;
mod tuned;

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rhai::{AST, CallFnOptions, Dynamic, Engine, EvalAltResult, Scope};

use crate::calendar::Windows;
use crate::ids::TaskId;
use crate::scoring::lower::Obstacle;
use crate::scoring::native::{Outcome, Program};
use crate::scoring::params::{ParamValues, Params, values_key};
use crate::scoring::{
    Context, Explanation, FactTable, Facts, Policy, ScoreFault, ScoreRange, ScoreSheet, Scores, Uses, Verdict,
    round_score,
};

pub(super) use self::explained::adds_up;
use self::explained::shown;
use super::compile::{Compiled, Recipe};
use super::engine::Batch;
use super::fault::{Place, run_fault};
use super::hints::Names;
use super::memo::{Memo, has_keys};
use super::syntax::ENTRY_POINTS;
use super::values::{Explained, context_value, kind, number, read_explained, task_value};

/// More tasks on which a policy failed are not told apart.
const MOST_FAILED: usize = 100_000;

/// A compiled script with what it declares.
pub struct ScriptPolicy {
    name: String,
    version: String,
    file: PathBuf,
    engine: Arc<Engine>,
    ast: AST,
    uses: Uses,
    windows: Windows,
    range: Option<ScoreRange>,
    params: Params,
    values: ParamValues,
    has_eligible: bool,
    places: [Place; 3],
    program: Result<Program, Obstacle>,
    recipe: Arc<Recipe>,
    is_distrusted: bool,
    memo: Memo,
    faults: Arc<AtomicU64>,
    evaluations: Arc<AtomicU64>,
    failed: Arc<Mutex<HashSet<TaskId>>>,
}

impl ScriptPolicy {
    /// Makes a policy of a compiled script; `windows` apply when the script declares none.
    pub fn new(name: &str, compiled: Compiled, windows: Windows) -> Self {
        Self {
            name: name.to_owned(),
            version: compiled.version,
            file: compiled.file,
            engine: Arc::new(compiled.engine),
            ast: compiled.ast,
            uses: compiled.uses,
            windows: compiled.declared.windows.unwrap_or(windows),
            range: compiled.declared.range,
            params: compiled.params,
            values: compiled.values,
            has_eligible: compiled.has_eligible,
            places: compiled.places,
            program: compiled.program,
            recipe: Arc::new(compiled.recipe),
            is_distrusted: false,
            memo: Memo::default(),
            faults: Arc::default(),
            evaluations: Arc::default(),
            failed: Arc::default(),
        }
    }

    /// Counts its faults in `faults` from now on.
    #[must_use]
    pub fn counting(mut self, faults: Arc<AtomicU64>) -> Self {
        self.faults = faults;
        self
    }

    /// Forgets what it scored on trial.
    pub fn count_from_now(&self) {
        self.evaluations.store(0, Ordering::Relaxed);
        self.failed().clear();
    }

    /// On how many tasks it failed when they were ranked for somebody, up to 100,000.
    pub fn failures(&self) -> u64 {
        self.failed().len() as u64
    }

    fn failed(&self) -> MutexGuard<'_, HashSet<TaskId>> {
        // A set is whole after each step, also after a panic elsewhere.
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many batches of tasks it scored.
    pub fn evaluations(&self) -> u64 {
        self.evaluations.load(Ordering::Relaxed)
    }

    /// The compiled form, or what leaves the scores to the interpreter.
    ///
    /// # Errors
    ///
    /// The first thing in the script that only the interpreter can do.
    pub const fn program(&self) -> Result<&Program, &Obstacle> {
        self.program.as_ref()
    }

    /// Leaves the scores to the interpreter from now on.
    #[must_use]
    pub fn interpreted_because(mut self, obstacle: Obstacle) -> Self {
        self.program = Err(obstacle);
        self.is_distrusted = true;
        self
    }

    /// Whether a compiled form was made that did not agree with the interpreter.
    pub const fn is_distrusted(&self) -> bool {
        self.is_distrusted
    }

    /// The names of its functions and of the keys of its constants.
    pub(super) fn names(&self) -> Names {
        let functions = self.ast.iter_functions().map(|function| (function.name.to_owned(), function.params.len()));
        Names::new(functions, &self.recipe.constants)
    }

    /// The file it was read from.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Scores one task, without any memory.
    pub fn judge(&self, run: &mut Run<'_>, facts: &Facts<'_>) -> Verdict {
        match catch_unwind(AssertUnwindSafe(|| self.try_judge(run, facts))) {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(fault)) => Verdict::Fault(fault.into()),
            Err(_) => Verdict::Fault(Arc::new(plain("the interpreter failed on this task"))),
        }
    }

    fn try_judge(&self, run: &mut Run<'_>, facts: &Facts<'_>) -> Result<Verdict, ScoreFault> {
        if self.has_eligible {
            let eligible = self.call(run, "eligible", facts)?;
            match eligible.as_bool() {
                Ok(true) => {}
                Ok(false) => return Ok(Verdict::Ineligible),
                Err(_) => return Err(plain(&format!("`eligible` must return true or false, not {}", kind(&eligible)))),
            }
        }
        let value = self.call(run, "score", facts)?;
        let Some(score) = number(&value) else {
            return Err(plain(&format!("`score` must return a number, not {}", kind(&value))));
        };
        self.within_range(score).map(Verdict::Score)
    }

    fn within_range(&self, score: f64) -> Result<f64, ScoreFault> {
        if !score.is_finite() {
            return Err(plain(&format!("`score` must return a finite number, not {score}")));
        }
        let rounded = round_score(score);
        match self.range {
            Some(range) if !range.contains(rounded) => Err(plain(&format!(
                "the score {rounded} is outside of the declared range {} to {}",
                range.min, range.max
            ))),
            _ => Ok(rounded),
        }
    }

    fn call(&self, run: &mut Run<'_>, function: &str, facts: &Facts<'_>) -> Result<Dynamic, ScoreFault> {
        let Run { batch, scope, ctx } = run;
        let call = || -> Result<Dynamic, Box<EvalAltResult>> {
            let options = CallFnOptions::new().eval_ast(false).rewind_scope(true);
            let args = (task_value(facts, self.uses), ctx.clone());
            self.engine.call_fn_with_options(options, scope, &self.ast, function, args)
        };
        batch.run(call).map_err(|error| self.placed(run_fault(*error), function))
    }

    /// A fault that Rhai gives no place to is put where the function begins.
    fn placed(&self, mut fault: ScoreFault, function: &str) -> ScoreFault {
        let place = ENTRY_POINTS.iter().zip(&self.places).find(|(name, _)| **name == function);
        if let (None, Some((_, place))) = (fault.line, place) {
            (fault.line, fault.column) = (place.line, place.column);
        }
        fault
    }

    /// What `explain` says, unchecked.
    pub(super) fn try_explain(&self, run: &mut Run<'_>, facts: &Facts<'_>) -> Result<Explained, ScoreFault> {
        let call = AssertUnwindSafe(|| {
            let value = self.call(run, "explain", facts)?;
            read_explained(&value).map_err(|message| plain(&format!("`explain` {message}")))
        });
        catch_unwind(call).unwrap_or_else(|_| Err(plain("the interpreter failed on this task")))
    }

    /// A run in one context.
    pub fn run(&self, ctx: &Context) -> Run<'static> {
        Run { batch: Batch::begin(), scope: Scope::new(), ctx: context_value(ctx, self.uses, &self.values) }
    }

    /// Scores a batch; faults are neither counted nor logged.
    pub fn verdicts(&self, facts: &FactTable, ctx: &Context) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(facts.len());
        self.each(facts, ctx, |some| verdicts.extend(some.verdicts()));
        verdicts
    }

    /// What the program cannot say of a row, the interpreter does.
    fn each(&self, facts: &FactTable, ctx: &Context, mut take: impl FnMut(Scores<'_>)) {
        let Ok(program) = &self.program else {
            return take(self.interpreted(facts, ctx).into_iter().collect::<ScoreSheet>().all());
        };
        let (mut row, mut run, mut sheet) = (0, None, ScoreSheet::default());
        program.run_chunks(facts, ctx, |outcomes| {
            sheet.clear();
            for outcome in outcomes {
                sheet.push(match outcome {
                    Outcome::Score(score) => Verdict::Score(*score),
                    Outcome::Ineligible => Verdict::Ineligible,
                    Outcome::Unclear => self.judge_row(run.get_or_insert_with(|| self.run(ctx)), facts, row),
                });
                row += 1;
            }
            take(sheet.all());
        });
    }

    /// Scores a batch as the interpreter does; faults are neither counted nor logged.
    pub fn interpreted(&self, facts: &FactTable, ctx: &Context) -> Vec<Verdict> {
        if has_keys(self.uses) {
            return self.score_with_memo(facts, ctx);
        }
        let mut run = self.run(ctx);
        (0..facts.len()).map(|row| self.judge_row(&mut run, facts, row)).collect()
    }

    fn judge_row(&self, run: &mut Run<'_>, facts: &FactTable, row: usize) -> Verdict {
        facts.row(row).map_or(Verdict::Ineligible, |facts| self.judge(run, &facts))
    }

    /// Counts faults, and logs each kind once: `told` are those of the batch so far.
    fn report(&self, verdicts: &[Verdict], told: &mut HashSet<String>) {
        for verdict in verdicts {
            let Verdict::Fault(fault) = verdict else { continue };
            self.faults.fetch_add(1, Ordering::Relaxed);
            if told.insert(fault.as_ref().to_string()) {
                tracing::warn!(
                    policy.name = self.name,
                    policy.version = self.version,
                    file = %self.file.display(),
                    line = fault.line,
                    reason = fault.message,
                    "policy failed on a task"
                );
            }
        }
    }
}

/// A run of a policy over several tasks in one context.
pub struct Run<'a> {
    batch: Batch,
    scope: Scope<'a>,
    ctx: Dynamic,
}

impl Policy for ScriptPolicy {
    fn name(&self) -> &str {
        &self.name
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn windows(&self) -> Windows {
        self.windows
    }

    fn range(&self) -> Option<ScoreRange> {
        self.range
    }

    fn uses(&self) -> Uses {
        self.uses
    }

    fn tuned(&self, values: &ParamValues) -> Result<Arc<dyn Policy>, String> {
        let mut all = self.values.clone();
        for (name, value) in values {
            let param = self.params.get(name).ok_or_else(|| format!("the policy has no parameter `{name}`"))?;
            all.insert(name.clone(), param.accept(value).map_err(|rule| format!("the parameter `{name}` {rule}"))?);
        }
        Ok(Arc::new(self.with_values(all)))
    }

    fn variant(&self) -> u64 {
        values_key(&self.values)
    }

    fn set_values(&self) -> ParamValues {
        self.params.set_among(&self.values)
    }

    fn score(&self, facts: &FactTable, ctx: &Context) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(facts.len());
        self.score_each(facts, ctx, &mut |some| verdicts.extend(some.verdicts()));
        verdicts
    }

    fn score_each(&self, facts: &FactTable, ctx: &Context, take: &mut dyn FnMut(Scores<'_>)) {
        self.evaluations.fetch_add(1, Ordering::Relaxed);
        let mut told = HashSet::new();
        self.each(facts, ctx, |some| {
            self.report(some.others(), &mut told);
            take(some);
        });
    }

    fn note_failures(&self, tasks: &mut dyn Iterator<Item = TaskId>) {
        let Some(first) = tasks.next() else { return };
        let mut failed = self.failed();
        let room = MOST_FAILED.saturating_sub(failed.len());
        failed.extend(std::iter::once(first).chain(tasks).take(room));
    }

    fn explain(&self, facts: &FactTable, row: usize, ctx: &Context) -> Explanation {
        let mut run = self.run(ctx);
        let Some(facts) = facts.row(row) else {
            return Explanation::failed(Arc::new(plain("there is no such task")));
        };
        let verdict = self.judge(&mut run, &facts);
        let result = match &verdict {
            Verdict::Fault(fault) => Err(Arc::clone(fault)),
            Verdict::Score(_) | Verdict::Ineligible => self.try_explain(&mut run, &facts).map_err(Arc::new),
        };
        let explained = result.and_then(|explained| match verdict.score() {
            Some(score) => adds_up(&explained, score).map(|()| explained).map_err(|message| Arc::new(plain(&message))),
            None => Ok(explained),
        });
        match explained {
            Ok(explained) => shown(explained, verdict.score()),
            Err(fault) => {
                self.report(&[Verdict::Fault(Arc::clone(&fault))], &mut HashSet::new());
                Explanation { total_score: verdict.score(), ..Explanation::failed(fault) }
            }
        }
    }
}

fn plain(message: &str) -> ScoreFault {
    ScoreFault { message: message.to_owned(), line: None, column: None }
}
