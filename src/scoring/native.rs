//! Policies at native speed: what a script computes, as operations on columns of tasks.
//!
//! - [`lower`](super::lower) reads a script's syntax tree and makes a [`Program`] of it, or says what prevents that.
//! - [`graph`]: the operations. [`values`], `operators`, `containers`: the kinds of the language, and its operators.
//! - [`inputs`]: what is known of tasks and of the moment. [`symbols`]: texts as numbers.
//! - `columns`: computes operations over many tasks. `classes`: when few inputs can be told apart, once for each.
//!
//! The results are those of Rhai's interpreter to the last bit. Where a script fails on a task, the program only says
//! that it may; the interpreter then says whether, and how.

mod classes;
mod columns;
mod containers;
mod fold;
pub mod graph;
pub mod inputs;
mod numbers;
mod operators;
pub mod symbols;
pub mod values;

use std::sync::{Arc, Mutex, PoisonError};

pub use operators::Arithmetic;

use super::facts::FactTable;
use super::moment::Context;
use super::policy::{ScoreRange, round_score};
use classes::Classes;
use columns::{CHUNK, Columns, Rows, Tasks, Values};
use graph::{Graph, Id, Node};
use inputs::Present;
use symbols::Symbols;

/// For so many different moments the program is kept as it is in them.
const MOST_MOMENTS: usize = 64;

/// What a program says of a task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// Its score: finite, rounded, in the declared range.
    Score(f64),
    /// It is not to be recommended now.
    Ineligible,
    /// The script fails on it, or may.
    Unclear,
}

/// How rows are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// Once for all that the program cannot tell apart.
    Classes,
    /// Each row by itself.
    Columns,
}

/// A compiled policy.
#[derive(Debug)]
pub struct Program {
    graph: Graph,
    symbols: Symbols,
    results: Results,
    range: Option<ScoreRange>,
    /// The facts of the moment that it reads.
    presents: Vec<Present>,
    /// The program in the moments that were asked for last, by the values of `presents`.
    moments: Mutex<Vec<(Vec<Node>, Arc<Settled>)>>,
    /// Columns that were computed last, and in which moment: for few tasks it takes longer to make them than to fill them.
    spare: Mutex<Option<(Arc<Settled>, Values)>>,
}

/// The nodes that say what comes of a task.
#[derive(Clone, Copy, Debug)]
pub struct Results {
    /// The score: floats.
    pub score: Id,
    /// Whether it may be recommended: truth values.
    pub eligible: Id,
    /// Whether the script fails: truth values.
    pub fails: Id,
}

/// A program in one moment: what follows from the moment is constant.
#[derive(Debug)]
struct Settled {
    graph: Graph,
    results: Results,
    classes: Option<Classes>,
}

impl Results {
    const fn all(self) -> [Id; 3] {
        [self.score, self.eligible, self.fails]
    }
}

impl Program {
    /// A program of the operations that lead to `results`; scores outside of `range` are unclear.
    pub fn new(graph: &Graph, symbols: Symbols, results: Results, range: Option<ScoreRange>) -> Self {
        let (graph, [score, eligible, fails]) = graph.reduced(results.all(), |_| None);
        let present = |node: &Node| if let Node::Present(present) = node { Some(*present) } else { None };
        let presents = graph.nodes().iter().filter_map(present).collect();
        let results = Results { score, eligible, fails };
        Self { graph, symbols, results, range, presents, moments: Mutex::default(), spare: Mutex::default() }
    }

    /// How many operations there are.
    pub fn size(&self) -> usize {
        self.graph.nodes().len()
    }

    /// How tasks are computed in a context.
    pub fn means(&self, ctx: &Context) -> Means {
        if self.settled(ctx).classes.is_some() { Means::Classes } else { Means::Columns }
    }

    /// What comes of each task, in their order.
    pub fn run(&self, facts: &FactTable, ctx: &Context) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(facts.len());
        self.run_chunks(facts, ctx, |chunk| outcomes.extend_from_slice(chunk));
        outcomes
    }

    /// As [`run`](Self::run), but each row by itself, whatever there is for classes of tasks.
    pub fn run_columns(&self, facts: &FactTable, ctx: &Context) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(facts.len());
        self.columns_again(&self.settled(ctx), &self.tasks(facts), |chunk| outcomes.extend_from_slice(chunk));
        outcomes
    }

    /// Hands over what comes of some hundreds of tasks at a time, in their order.
    pub fn run_chunks(&self, facts: &FactTable, ctx: &Context, take: impl FnMut(&[Outcome])) {
        let settled = self.settled(ctx);
        match &settled.classes {
            Some(classes) => classes.run(&self.tasks(facts), take),
            None => self.columns_again(&settled, &self.tasks(facts), take),
        }
    }

    /// Computes columns in those that were computed in the same moment before, if nobody else does.
    fn columns_again(&self, settled: &Arc<Settled>, rows: &dyn Rows, take: impl FnMut(&[Outcome])) {
        // A panic elsewhere leaves a whole value behind, or none.
        let spare = || self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let values = spare().take_if(|(of, _)| Arc::ptr_eq(of, settled)).map(|(_, values)| values);
        let mut columns = Columns::new(&settled.graph, &settled.results.all(), values);
        self.columns(&mut columns, settled.results, rows, take);
        *spare() = Some((Arc::clone(settled), columns.into_values()));
    }

    const fn tasks<'a>(&'a self, facts: &'a FactTable) -> Tasks<'a> {
        Tasks { facts, symbols: &self.symbols }
    }

    fn columns(&self, columns: &mut Columns<'_>, results: Results, rows: &dyn Rows, mut take: impl FnMut(&[Outcome])) {
        let mut chunk = Vec::with_capacity(rows.len().min(CHUNK));
        columns.run(rows, |columns, count| {
            chunk.clear();
            let scores = columns.floats(results.score).iter();
            let rows = scores.zip(columns.bools(results.eligible)).zip(columns.bools(results.fails)).take(count);
            chunk.extend(rows.map(|((score, eligible), fails)| self.outcome(*score, *eligible, *fails)));
            take(&chunk);
        });
    }

    fn outcome(&self, score: f64, eligible: bool, fails: bool) -> Outcome {
        if fails {
            return Outcome::Unclear;
        }
        if !eligible {
            return Outcome::Ineligible;
        }
        let rounded = round_score(score);
        let is_valid = self.range.map_or(rounded.is_finite(), |range| range.contains(rounded));
        if is_valid { Outcome::Score(rounded) } else { Outcome::Unclear }
    }

    fn settled(&self, ctx: &Context) -> Arc<Settled> {
        let values = || self.presents.iter().map(|present| present.value(ctx));
        // The present was asked for last.
        let find = |moments: &[(Vec<Node>, Arc<Settled>)]| {
            let is_it = |known: &[Node]| known.iter().zip(values()).all(|(known, value)| *known == value);
            moments.iter().rev().find(|(known, _)| is_it(known)).map(|(_, settled)| Arc::clone(settled))
        };
        // A panic elsewhere leaves whole entries behind: each is pushed in one go.
        if let Some(settled) = find(&self.moments.lock().unwrap_or_else(PoisonError::into_inner)) {
            return settled;
        }
        let settled = Arc::new(self.settle(ctx));
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        if moments.len() >= MOST_MOMENTS {
            moments.clear();
        }
        moments.push((values().collect(), Arc::clone(&settled)));
        settled
    }

    fn settle(&self, ctx: &Context) -> Settled {
        let (graph, [score, eligible, fails]) = self.graph.reduced(self.results.all(), |node| match node {
            Node::Present(present) => Some(present.value(ctx)),
            _ => None,
        });
        let results = Results { score, eligible, fails };
        let mut settled = Settled { graph, results, classes: None };
        if let Some(mut classes) = Classes::of(&settled.graph, results, &self.symbols) {
            let mut outcomes = Vec::with_capacity(classes.count());
            let mut columns = Columns::new(&settled.graph, &results.all(), None);
            self.columns(&mut columns, results, &classes.examples(), |chunk| outcomes.extend_from_slice(chunk));
            classes.outcomes = outcomes;
            settled.classes = Some(classes);
        }
        settled
    }
}
