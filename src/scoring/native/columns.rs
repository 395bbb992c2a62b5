//! Computes a graph, some hundreds of tasks at a time, one operation after the other.

use crate::scoring::facts::FactTable;

use super::graph::{Compare, FloatFn, FloatOp, Graph, Id, Lane, Node, Symbol, Table, WholeOp};
use super::inputs::Column;
use super::numbers;
use super::symbols::Symbols;

/// How many rows are computed together: what they need fits into the processor's caches.
pub(super) const CHUNK: usize = 512;

/// Where the facts of each task come from.
pub(super) trait Rows {
    /// How many there are.
    fn len(&self) -> usize;
    /// Fills `out` with a column of whole numbers from row `start` on.
    fn wholes(&self, column: Column, start: usize, out: &mut [i64]);
    /// The same, narrower: see [`Column::narrow`].
    fn narrow(&self, column: Column, start: usize, out: &mut [i32]);
    /// Truth values.
    fn bools(&self, column: Column, start: usize, out: &mut [bool]);
    /// Texts.
    fn texts(&self, column: Column, start: usize, out: &mut [Symbol]);
}

/// Facts of real tasks.
pub(super) struct Tasks<'a> {
    pub(super) facts: &'a FactTable,
    pub(super) symbols: &'a Symbols,
}

impl Rows for Tasks<'_> {
    fn len(&self) -> usize {
        self.facts.len()
    }

    fn wholes(&self, column: Column, start: usize, out: &mut [i64]) {
        column.wholes(self.facts, start, out);
    }

    fn narrow(&self, column: Column, start: usize, out: &mut [i32]) {
        column.narrow(self.facts, start, out);
    }

    fn bools(&self, column: Column, start: usize, out: &mut [bool]) {
        column.bools(self.facts, self.symbols, start, out);
    }

    fn texts(&self, column: Column, start: usize, out: &mut [Symbol]) {
        column.texts(self.facts, self.symbols, start, out);
    }
}

/// A column of one chunk.
#[derive(Debug)]
enum Value {
    /// Nothing needs it.
    Unwanted,
    Bool(Vec<bool>),
    Whole(Vec<i64>),
    Float(Vec<f64>),
    Text(Vec<Symbol>),
}

/// A column for each node of a graph, in their order.
#[derive(Debug)]
pub(super) struct Values(Vec<Value>);

/// The columns of a graph.
pub(super) struct Columns<'g> {
    graph: &'g Graph,
    values: Vec<Value>,
}

impl<'g> Columns<'g> {
    /// Columns for what `results` need; in the place of `again`, which were made for the same.
    pub(super) fn new(graph: &'g Graph, results: &[Id], again: Option<Values>) -> Self {
        let make = || {
            let lanes = graph.lanes().into_iter().zip(graph.leading_to(results));
            graph.nodes().iter().zip(lanes).map(|(node, (lane, wanted))| empty(node, lane, wanted)).collect()
        };
        Self { graph, values: again.map_or_else(make, |Values(values)| values) }
    }

    /// What others may be computed in.
    pub(super) fn into_values(self) -> Values {
        Values(self.values)
    }

    /// Computes all rows and hands each chunk to `take`, with the number of its rows.
    pub(super) fn run(&mut self, rows: &dyn Rows, mut take: impl FnMut(&Self, usize)) {
        for start in (0..rows.len()).step_by(CHUNK) {
            let count = CHUNK.min(rows.len() - start);
            self.compute(rows, start, count);
            take(self, count);
        }
    }

    /// A column of floats.
    pub(super) fn floats(&self, id: Id) -> &[f64] {
        if let Value::Float(values) = &self.values[id.index()] { values } else { &[] }
    }

    /// A column of truth values.
    pub(super) fn bools(&self, id: Id) -> &[bool] {
        if let Value::Bool(values) = &self.values[id.index()] { values } else { &[] }
    }

    fn wholes(&self, id: Id) -> &[i64] {
        if let Value::Whole(values) = &self.values[id.index()] { values } else { &[] }
    }

    fn texts(&self, id: Id) -> &[Symbol] {
        if let Value::Text(values) = &self.values[id.index()] { values } else { &[] }
    }

    fn compute(&mut self, rows: &dyn Rows, start: usize, count: usize) {
        for (index, node) in self.graph.nodes().iter().enumerate() {
            // Filled from the beginning.
            if matches!(node, Node::Bool(_) | Node::Whole(_) | Node::Float(_) | Node::Text(_)) {
                continue;
            }
            let mut values = std::mem::replace(&mut self.values[index], Value::Unwanted);
            match &mut values {
                Value::Unwanted => {}
                Value::Bool(out) => {
                    out.resize(count, false);
                    self.bool_node(node, rows, start, out);
                }
                Value::Whole(out) => {
                    out.resize(count, 0);
                    self.whole_node(node, rows, start, out);
                }
                Value::Float(out) => {
                    out.resize(count, 0.0);
                    self.float_node(node, out);
                }
                Value::Text(out) => {
                    out.resize(count, Symbols::OTHER);
                    self.text_node(node, rows, start, out);
                }
            }
            self.values[index] = values;
        }
    }

    fn bool_node(&self, node: &Node, rows: &dyn Rows, start: usize, out: &mut [bool]) {
        match node {
            Node::Column(column) => rows.bools(*column, start, out),
            Node::Not(a) => one(out, self.bools(*a), |a| !a),
            Node::And(a, b) => two(out, self.bools(*a), self.bools(*b), |a, b| a & b),
            Node::Or(a, b) => two(out, self.bools(*a), self.bools(*b), |a, b| a | b),
            Node::SameBool(a, b) => two(out, self.bools(*a), self.bools(*b), |a, b| a == b),
            Node::SameText(a, b) => two(out, self.texts(*a), self.texts(*b), |a, b| a == b),
            Node::Overflows(op, a, b) => {
                two(out, self.wholes(*a), self.wholes(*b), |a, b| numbers::overflows(*op, a, b));
            }
            Node::CompareWhole(op, a, b) => compare_wholes(*op, out, self.wholes(*a), self.wholes(*b)),
            Node::CompareFloat(op, a, b) => compare_floats(*op, out, self.floats(*a), self.floats(*b)),
            Node::Select(c, a, b) => select(out, self.bools(*c), self.bools(*a), self.bools(*b)),
            Node::Lookup(key, Table::Bools(table)) => {
                one(out, self.texts(*key), |Symbol(at)| table.get(at as usize).copied().unwrap_or(Table::UNKNOWN));
            }
            _ => out.fill(false),
        }
    }

    fn whole_node(&self, node: &Node, rows: &dyn Rows, start: usize, out: &mut [i64]) {
        match node {
            Node::Column(column) => rows.wholes(*column, start, out),
            Node::Whole2(op, a, b) => compute_wholes(*op, out, self.wholes(*a), self.wholes(*b)),
            Node::Select(c, a, b) => select(out, self.bools(*c), self.wholes(*a), self.wholes(*b)),
            Node::Lookup(key, Table::Wholes(table)) => {
                one(out, self.texts(*key), |Symbol(at)| table.get(at as usize).copied().unwrap_or(0));
            }
            _ => out.fill(0),
        }
    }

    fn float_node(&self, node: &Node, out: &mut [f64]) {
        match node {
            Node::ToFloat(a) => one(out, self.wholes(*a), numbers::to_float),
            Node::Float1(function, a) => apply(*function, out, self.floats(*a)),
            Node::Float2(op, a, b) => compute_floats(*op, out, self.floats(*a), self.floats(*b)),
            Node::Select(c, a, b) => select(out, self.bools(*c), self.floats(*a), self.floats(*b)),
            Node::Lookup(key, Table::Floats(table)) => {
                one(out, self.texts(*key), |Symbol(at)| table.get(at as usize).map_or(0.0, |bits| bits.float()));
            }
            _ => out.fill(0.0),
        }
    }

    fn text_node(&self, node: &Node, rows: &dyn Rows, start: usize, out: &mut [Symbol]) {
        match node {
            Node::Column(column) => rows.texts(*column, start, out),
            Node::Select(c, a, b) => select(out, self.bools(*c), self.texts(*a), self.texts(*b)),
            Node::Lookup(key, Table::Texts(table)) => {
                one(out, self.texts(*key), |Symbol(at)| table.get(at as usize).copied().unwrap_or(Symbols::OTHER));
            }
            _ => out.fill(Symbols::OTHER),
        }
    }
}

/// The column of a node before the first chunk; of a constant, for all chunks.
fn empty(node: &Node, lane: Lane, wanted: bool) -> Value {
    match (node, lane) {
        _ if !wanted => Value::Unwanted,
        (Node::Bool(value), _) => Value::Bool(vec![*value; CHUNK]),
        (Node::Whole(value), _) => Value::Whole(vec![*value; CHUNK]),
        (Node::Float(value), _) => Value::Float(vec![value.float(); CHUNK]),
        (Node::Text(value), _) => Value::Text(vec![*value; CHUNK]),
        (_, Lane::Bool) => Value::Bool(Vec::new()),
        (_, Lane::Whole) => Value::Whole(Vec::new()),
        (_, Lane::Float) => Value::Float(Vec::new()),
        (_, Lane::Text) => Value::Text(Vec::new()),
    }
}

// Loops over slices without branches: what a compiler turns into vector instructions. The operation is chosen outside
// of the loop.

fn one<A: Copy, T>(out: &mut [T], a: &[A], f: impl Fn(A) -> T) {
    for (out, a) in out.iter_mut().zip(a) {
        *out = f(*a);
    }
}

fn two<A: Copy, B: Copy, T>(out: &mut [T], a: &[A], b: &[B], f: impl Fn(A, B) -> T) {
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        *out = f(*a, *b);
    }
}

fn select<T: Copy>(out: &mut [T], holds: &[bool], yes: &[T], no: &[T]) {
    for (((out, holds), yes), no) in out.iter_mut().zip(holds).zip(yes).zip(no) {
        *out = if *holds { *yes } else { *no };
    }
}

/// One loop for each of the named operations.
macro_rules! for_each {
    ($op:expr, $kind:ident { $($name:ident),+ }, $loop:expr) => {
        match $op {
            $($kind::$name => $loop($kind::$name)),+
        }
    };
}

fn compare_wholes(op: Compare, out: &mut [bool], a: &[i64], b: &[i64]) {
    for_each!(op, Compare { Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual }, |op| {
        two(out, a, b, |a, b| numbers::compare_whole(op, a, b));
    });
}

fn compare_floats(op: Compare, out: &mut [bool], a: &[f64], b: &[f64]) {
    for_each!(op, Compare { Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual }, |op| {
        two(out, a, b, |a, b| numbers::compare_float(op, a, b));
    });
}

fn compute_wholes(op: WholeOp, out: &mut [i64], a: &[i64], b: &[i64]) {
    for_each!(op, WholeOp { Add, Subtract, Multiply, Divide, Remainder, Min, Max }, |op| {
        two(out, a, b, |a, b| numbers::whole(op, a, b));
    });
}

fn compute_floats(op: FloatOp, out: &mut [f64], a: &[f64], b: &[f64]) {
    for_each!(op, FloatOp { Add, Subtract, Multiply, Divide, Remainder, Power, Min, Max }, |op| {
        two(out, a, b, |a, b| numbers::float(op, a, b));
    });
}

fn apply(function: FloatFn, out: &mut [f64], a: &[f64]) {
    for_each!(function, FloatFn { Negate, Abs, Floor, Ceiling, Round, Int, Fraction, Sqrt, Exp, Ln }, |function| one(
        out,
        a,
        |a| numbers::function(function, a)
    ));
}
