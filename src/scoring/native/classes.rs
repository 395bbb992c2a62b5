//! Class tables: a policy that can tell only a few inputs apart is computed once for each, and then looked up.
//!
//! A number that is only compared with constants is told apart at those constants; a text, a truth value or a number
//! with few values by what it is. All combinations are the classes.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::columns::{CHUNK, Rows};
use super::graph::{Compare, Graph, Id, Lane, Node, Symbol};
use super::inputs::{ABSENT, Column};
use super::symbols::{self, Symbols};
use super::{Outcome, Results};

/// More classes than this are not worth a table.
const MOST: usize = 4096;
/// A number with so many values or fewer is told apart by each.
const FEW: i64 = 16;

/// How the values of a column are told apart.
#[derive(Debug)]
enum Parts {
    /// A truth value.
    Truth,
    /// By the first number of each part, in order; what lies below all is of the first. And those of all but the first part
    /// again, if they are narrow.
    Numbers(Vec<i64>, Option<Box<[i32]>>),
    /// By the text: the part of each symbol, and a symbol of each part.
    Texts(Vec<u32>, Vec<Symbol>),
}

impl Parts {
    fn numbers(starts: Vec<i64>) -> Self {
        // The first narrow number stands for all below, and for what is absent: no part begins there.
        let narrow = starts.iter().skip(1).map(|start| i32::try_from(*start).ok().filter(|start| *start > i32::MIN));
        let narrow = narrow.collect();
        Self::Numbers(starts, narrow)
    }

    fn count(&self) -> usize {
        match self {
            Self::Truth => 2,
            Self::Numbers(starts, _) => starts.len(),
            Self::Texts(_, symbols) => symbols.len(),
        }
    }
}

/// The classes of a program in one context, with what comes of each.
#[derive(Debug)]
pub(super) struct Classes {
    /// The columns, how each is told apart, and what one part of it is worth in the class's number.
    columns: Vec<(Column, Parts, u32)>,
    count: usize,
    /// What comes of each class.
    pub(super) outcomes: Vec<Outcome>,
    /// What was computed in last: for few tasks it takes as long to make it as to use it.
    spare: Mutex<Scratch>,
}

impl Classes {
    /// The classes, when they are few; not yet with outcomes.
    pub(super) fn of(graph: &Graph, results: Results, symbols: &Symbols) -> Option<Self> {
        let mut columns = Vec::new();
        let mut count = 1_usize;
        for (column, parts) in parts(graph, results, symbols)? {
            let stride = u32::try_from(count).ok()?;
            count = count.checked_mul(parts.count()).filter(|count| *count <= MOST)?;
            columns.push((column, parts, stride));
        }
        Some(Self { columns, count, outcomes: Vec::new(), spare: Mutex::default() })
    }

    /// How many there are.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// One row for each class.
    pub(super) const fn examples(&self) -> Examples<'_> {
        Examples { classes: self }
    }

    /// Hands over what comes of some hundreds of rows at a time.
    pub(super) fn run(&self, rows: &dyn Rows, mut take: impl FnMut(&[Outcome])) {
        // Who comes while it is in use makes another. A panic elsewhere leaves a whole one behind.
        let spare = || self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = std::mem::take(&mut *spare());
        for start in (0..rows.len()).step_by(CHUNK) {
            scratch.number(self, rows, start);
            take(scratch.look_up(&self.outcomes));
        }
        *spare() = scratch;
    }
}

/// The columns of one chunk. What they held before does not matter.
#[derive(Debug, Default)]
struct Scratch {
    /// The number of each row's class.
    classes: Vec<u32>,
    outcomes: Vec<Outcome>,
    wholes: Vec<i64>,
    narrow: Vec<i32>,
    bools: Vec<bool>,
    texts: Vec<Symbol>,
}

impl Scratch {
    /// Numbers the classes of the rows from `start` on.
    fn number(&mut self, of: &Classes, rows: &dyn Rows, start: usize) {
        self.classes.clear();
        self.classes.resize(CHUNK.min(rows.len() - start), 0);
        for told in &of.columns {
            self.add(told, rows, start);
        }
    }

    /// What comes of the classes that were numbered.
    fn look_up(&mut self, of_each: &[Outcome]) -> &[Outcome] {
        let outcome = |class: &u32| of_each.get(*class as usize).copied().unwrap_or(Outcome::Unclear);
        self.outcomes.clear();
        self.outcomes.extend(self.classes.iter().map(outcome));
        &self.outcomes
    }

    /// Adds a column's share to the number of each row's class.
    fn add(&mut self, told: &(Column, Parts, u32), rows: &dyn Rows, start: usize) {
        let (column, stride) = (told.0, told.2);
        let classes = &mut self.classes;
        match &told.1 {
            Parts::Truth => {
                self.bools.resize(classes.len(), false);
                rows.bools(column, start, &mut self.bools);
                for (class, value) in classes.iter_mut().zip(&self.bools) {
                    *class += stride * u32::from(*value);
                }
            }
            Parts::Numbers(_, Some(starts)) => {
                self.narrow.resize(classes.len(), 0);
                rows.narrow(column, start, &mut self.narrow);
                count_starts(starts, &self.narrow, stride, classes);
            }
            Parts::Numbers(starts, None) => {
                self.wholes.resize(classes.len(), 0);
                rows.wholes(column, start, &mut self.wholes);
                count_starts(starts.get(1..).unwrap_or_default(), &self.wholes, stride, classes);
            }
            Parts::Texts(of, _) => {
                self.texts.resize(classes.len(), Symbols::OTHER);
                rows.texts(column, start, &mut self.texts);
                for (class, Symbol(symbol)) in classes.iter_mut().zip(&self.texts) {
                    *class += stride * of.get(*symbol as usize).copied().unwrap_or(0);
                }
            }
        }
    }
}

/// Adds to each class `stride` for every start that its value has reached; several starts in one go over the rows.
fn count_starts<T: Copy + PartialOrd>(starts: &[T], values: &[T], stride: u32, classes: &mut [u32]) {
    fn count<T: Copy + PartialOrd, const N: usize>(starts: &[T; N], values: &[T], stride: u32, classes: &mut [u32]) {
        for (class, value) in classes.iter_mut().zip(values) {
            for start in starts {
                *class += if value >= start { stride } else { 0 };
            }
        }
    }
    let (fours, rest) = starts.as_chunks::<4>();
    for four in fours {
        count(four, values, stride, classes);
    }
    match rest {
        [] => {}
        [a] => count(&[*a], values, stride, classes),
        [a, b] => count(&[*a, *b], values, stride, classes),
        [a, b, c, ..] => count(&[*a, *b, *c], values, stride, classes),
    }
}

/// One row for each class.
pub(super) struct Examples<'a> {
    classes: &'a Classes,
}

impl Examples<'_> {
    /// How a column is told apart, and which part of it each row from `start` on has.
    fn parts(&self, column: Column, start: usize) -> Option<(&Parts, impl Iterator<Item = usize>)> {
        let (_, parts, stride) = self.classes.columns.iter().find(|(one, ..)| *one == column)?;
        let (stride, count) = (*stride as usize, parts.count());
        Some((parts, (start..).map(move |row| row / stride % count)))
    }
}

impl Rows for Examples<'_> {
    fn len(&self) -> usize {
        self.classes.count
    }

    fn wholes(&self, column: Column, start: usize, out: &mut [i64]) {
        if let Some((Parts::Numbers(starts, _), parts)) = self.parts(column, start) {
            for (out, part) in out.iter_mut().zip(parts) {
                *out = starts.get(part).copied().unwrap_or(ABSENT);
            }
        }
    }

    fn narrow(&self, column: Column, start: usize, out: &mut [i32]) {
        if let Some((Parts::Numbers(starts, _), parts)) = self.parts(column, start) {
            let narrow = |part| starts.get(part).and_then(|start: &i64| i32::try_from(*start).ok());
            for (out, part) in out.iter_mut().zip(parts) {
                *out = narrow(part).unwrap_or(i32::MIN);
            }
        }
    }

    fn bools(&self, column: Column, start: usize, out: &mut [bool]) {
        if let Some((Parts::Truth, parts)) = self.parts(column, start) {
            for (out, part) in out.iter_mut().zip(parts) {
                *out = part == 1;
            }
        }
    }

    fn texts(&self, column: Column, start: usize, out: &mut [Symbol]) {
        if let Some((Parts::Texts(_, symbols), parts)) = self.parts(column, start) {
            for (out, part) in out.iter_mut().zip(parts) {
                *out = symbols.get(part).copied().unwrap_or(Symbols::OTHER);
            }
        }
    }
}

/// How each column that matters is told apart; `None` when one has too many values that matter.
fn parts(graph: &Graph, results: Results, symbols: &Symbols) -> Option<BTreeMap<Column, Parts>> {
    let wanted = graph.leading_to(&results.all());
    let columns: Vec<(Id, Column)> = graph
        .ids()
        .filter(|id| wanted[id.index()])
        .filter_map(|id| match graph.node(id) {
            Node::Column(column) => Some((id, *column)),
            _ => None,
        })
        .collect();
    let mut found = BTreeMap::new();
    for (id, column) in columns {
        let parts = match column.lane() {
            Lane::Bool => Parts::Truth,
            Lane::Text => texts(column, symbols)?,
            Lane::Whole | Lane::Float => Parts::numbers(starts(graph, results, &wanted, id, column)?),
        };
        found.insert(column, parts);
    }
    Some(found)
}

fn texts(column: Column, symbols: &Symbols) -> Option<Parts> {
    let all = symbols::of_facts(column, symbols);
    let mut of = vec![0; symbols.count()];
    for (part, Symbol(symbol)) in all.iter().enumerate() {
        *of.get_mut(*symbol as usize)? = u32::try_from(part).ok()?;
    }
    Some(Parts::Texts(of, all))
}

/// The numbers at which something that is computed from the column can change.
fn starts(graph: &Graph, results: Results, wanted: &[bool], column: Id, kind: Column) -> Option<Vec<i64>> {
    let mut starts = Vec::new();
    let mut each = results.all().contains(&column);
    for (index, node) in graph.nodes().iter().enumerate() {
        if !wanted[index] || !node.operands().any(|id| id == column) {
            continue;
        }
        let Node::CompareWhole(op, a, b) = node else {
            each = true;
            continue;
        };
        let (constant, op) = match (graph.node(*a), graph.node(*b)) {
            (_, Node::Whole(constant)) => (*constant, *op),
            (Node::Whole(constant), _) => (*constant, mirrored(*op)),
            _ => {
                each = true;
                continue;
            }
        };
        match op {
            Compare::Less | Compare::GreaterEqual => starts.push(constant),
            Compare::LessEqual | Compare::Greater => starts.push(constant.saturating_add(1)),
            Compare::Equal | Compare::NotEqual => starts.extend([constant, constant.saturating_add(1)]),
        }
    }
    let range = kind.range();
    if each {
        if range.max.saturating_sub(range.min) >= FEW {
            return None;
        }
        starts.extend(range.min..=range.max);
    }
    // What is absent lies below all numbers, and between there is nothing.
    starts.retain(|start| (range.min..=range.max).contains(start));
    starts.push(range.min);
    if kind.is_nullable() {
        starts.push(ABSENT);
    }
    starts.sort_unstable();
    starts.dedup();
    Some(starts)
}

const fn mirrored(op: Compare) -> Compare {
    match op {
        Compare::Less => Compare::Greater,
        Compare::LessEqual => Compare::GreaterEqual,
        Compare::Greater => Compare::Less,
        Compare::GreaterEqual => Compare::LessEqual,
        other => other,
    }
}
