//! What a policy computes, as a graph of operations on columns.
//!
//! Every operation is total: what can go wrong in a script (an overflow, an absent value) is itself a truth value of the
//! graph, beside the number. Equal nodes are one node, and what is constant is computed while the graph is built.

use std::collections::HashMap;

use super::fold::{Folded, folded};
use super::inputs::{Column, Present};

/// A node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u32);

impl Id {
    /// The place in the graph.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A text that the policy knows; see [`Symbols`](super::symbols::Symbols).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(pub u32);

/// A float that can be compared as a key: two are the same when their bits are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bits(u64);

impl Bits {
    /// Of a float.
    pub const fn of(float: f64) -> Self {
        Self(float.to_bits())
    }

    /// The float.
    pub const fn float(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// Arithmetic of whole numbers. What overflows wraps, and dividing by zero gives zero: [`Node::Overflows`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names of the operations say what they do")]
pub enum WholeOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Min,
    Max,
}

/// Arithmetic of floats, as the processor does it (IEEE 754).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names of the operations say what they do")]
pub enum FloatOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    Min,
    Max,
}

/// Functions of one float.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names of the operations say what they do")]
pub enum FloatFn {
    Negate,
    Abs,
    Floor,
    Ceiling,
    Round,
    Int,
    Fraction,
    Sqrt,
    Exp,
    Ln,
}

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names of the operations say what they do")]
pub enum Compare {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// A constant truth value.
    Bool(bool),
    /// A constant whole number.
    Whole(i64),
    /// A constant float.
    Float(Bits),
    /// A constant text.
    Text(Symbol),
    /// A fact of each task.
    Column(Column),
    /// A fact of the moment, the same for all tasks.
    Present(Present),
    /// Not.
    Not(Id),
    /// Both.
    And(Id, Id),
    /// Either.
    Or(Id, Id),
    /// Arithmetic of whole numbers.
    Whole2(WholeOp, Id, Id),
    /// Whether that arithmetic has no result.
    Overflows(WholeOp, Id, Id),
    /// Arithmetic of floats.
    Float2(FloatOp, Id, Id),
    /// A function of a float.
    Float1(FloatFn, Id),
    /// A whole number as a float.
    ToFloat(Id),
    /// A comparison of whole numbers.
    CompareWhole(Compare, Id, Id),
    /// A comparison of floats, with Rhai's tolerance.
    CompareFloat(Compare, Id, Id),
    /// Whether two truth values are the same.
    SameBool(Id, Id),
    /// Whether two texts are the same.
    SameText(Id, Id),
    /// The second where the first holds, else the third; both are of one kind.
    Select(Id, Id, Id),
    /// The entry of a table under a text.
    Lookup(Id, Table),
}

/// Entries by symbol.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    /// Truth values.
    Bools(Box<[bool]>),
    /// Whole numbers.
    Wholes(Box<[i64]>),
    /// Floats.
    Floats(Box<[Bits]>),
    /// Texts.
    Texts(Box<[Symbol]>),
}

/// What a node's column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the kinds say what they are")]
pub enum Lane {
    Bool,
    Whole,
    Float,
    Text,
}

/// The operations, each after those that it uses.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    known: HashMap<Node, Id>,
}

impl Graph {
    /// All nodes, in an order in which they can be computed.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The nodes by name, in the same order.
    pub fn ids(&self) -> impl Iterator<Item = Id> {
        (0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)).map(Id)
    }

    /// A node.
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id.index()]
    }

    /// A constant truth value.
    pub fn bool(&mut self, value: bool) -> Id {
        self.put(Node::Bool(value))
    }

    /// A constant whole number.
    pub fn whole(&mut self, value: i64) -> Id {
        self.put(Node::Whole(value))
    }

    /// A constant float.
    pub fn float(&mut self, value: f64) -> Id {
        self.put(Node::Float(Bits::of(value)))
    }

    /// The truth value, if it is constant.
    pub fn known_bool(&self, id: Id) -> Option<bool> {
        match self.node(id) {
            Node::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Adds a node, or finds the one that computes the same.
    pub fn add(&mut self, node: Node) -> Id {
        let apart = if let Node::CompareWhole(op, a, b) = node { self.compared_apart(op, a, b) } else { None };
        let node = apart.unwrap_or(node);
        match folded(self, node) {
            Folded::Same(id) => id,
            Folded::Node(node) => self.put(node),
        }
    }

    /// A fact or what stands for it where there is none (`task.effort_minutes ?? 30`), compared with a constant: each is
    /// compared by itself, so that it shows at which numbers the fact is told apart.
    fn compared_apart(&mut self, op: Compare, a: Id, b: Id) -> Option<Node> {
        let (chosen, constant) = match (self.node(a), self.node(b)) {
            (Node::Select(..), Node::Whole(_)) => (a, b),
            (Node::Whole(_), Node::Select(..)) => (b, a),
            _ => return None,
        };
        let Node::Select(condition, yes, no) = *self.node(chosen) else { return None };
        let is_fact_or_constant = matches!(
            (self.node(yes), self.node(no)),
            (Node::Whole(_), Node::Column(_)) | (Node::Column(_), Node::Whole(_))
        );
        if !is_fact_or_constant {
            return None;
        }
        let compared = |arm: Id| {
            if chosen == a { Node::CompareWhole(op, arm, constant) } else { Node::CompareWhole(op, constant, arm) }
        };
        let (yes, no) = (self.add(compared(yes)), self.add(compared(no)));
        Some(Node::Select(condition, yes, no))
    }

    fn put(&mut self, node: Node) -> Id {
        if let Some(id) = self.known.get(&node) {
            return *id;
        }
        let id = Id(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(node.clone());
        self.known.insert(node, id);
        id
    }

    /// What the column of each node holds.
    pub fn lanes(&self) -> Vec<Lane> {
        let mut lanes: Vec<Lane> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let lane = match node {
                Node::Bool(_)
                | Node::Not(_)
                | Node::And(..)
                | Node::Or(..)
                | Node::Overflows(..)
                | Node::CompareWhole(..)
                | Node::CompareFloat(..)
                | Node::SameBool(..)
                | Node::SameText(..)
                | Node::Lookup(_, Table::Bools(_)) => Lane::Bool,
                Node::Whole(_) | Node::Whole2(..) | Node::Lookup(_, Table::Wholes(_)) => Lane::Whole,
                Node::Float(_)
                | Node::Float2(..)
                | Node::Float1(..)
                | Node::ToFloat(_)
                | Node::Lookup(_, Table::Floats(_)) => Lane::Float,
                Node::Text(_) | Node::Lookup(_, Table::Texts(_)) => Lane::Text,
                Node::Column(column) => column.lane(),
                Node::Present(present) => present.lane(),
                Node::Select(_, yes, _) => lanes[yes.index()],
            };
            lanes.push(lane);
        }
        lanes
    }

    /// Which nodes lead to any of `results`.
    pub fn leading_to(&self, results: &[Id]) -> Vec<bool> {
        let mut wanted = vec![false; self.nodes.len()];
        for id in results {
            wanted[id.index()] = true;
        }
        for (index, node) in self.nodes.iter().enumerate().rev() {
            if wanted[index] {
                node.operands().for_each(|id| wanted[id.index()] = true);
            }
        }
        wanted
    }

    /// The nodes that lead to `results` alone, each put through `change`.
    pub fn reduced<const N: usize>(&self, results: [Id; N], change: impl Fn(&Node) -> Option<Node>) -> (Self, [Id; N]) {
        let wanted = self.leading_to(&results);
        let (mut graph, mut places) = (Self::default(), Vec::with_capacity(self.nodes.len()));
        let nothing = graph.bool(false);
        for (node, wanted) in self.nodes.iter().zip(wanted) {
            let place: Id = if wanted {
                let node = change(node).unwrap_or_else(|| node.with(|id: Id| places[id.index()]));
                graph.add(node)
            } else {
                nothing
            };
            places.push(place);
        }
        (graph, results.map(|id| places[id.index()]))
    }
}

impl Table {
    /// The truth about texts that a table was made without: tables say what fails, and there is nothing for them.
    pub const UNKNOWN: bool = true;

    /// The constant under a symbol.
    pub(super) fn entry(&self, Symbol(symbol): Symbol) -> Node {
        let at = symbol as usize;
        match self {
            Self::Bools(entries) => Node::Bool(entries.get(at).copied().unwrap_or(Self::UNKNOWN)),
            Self::Wholes(entries) => Node::Whole(entries.get(at).copied().unwrap_or_default()),
            Self::Floats(entries) => Node::Float(entries.get(at).copied().unwrap_or(Bits::of(0.0))),
            Self::Texts(entries) => Node::Text(entries.get(at).copied().unwrap_or(Symbol(0))),
        }
    }
}

impl Node {
    /// The nodes that it uses.
    pub fn operands(&self) -> impl Iterator<Item = Id> {
        let operands = match *self {
            Self::Bool(_) | Self::Whole(_) | Self::Float(_) | Self::Text(_) | Self::Column(_) | Self::Present(_) => {
                [None, None, None]
            }
            Self::Not(a) | Self::Float1(_, a) | Self::ToFloat(a) | Self::Lookup(a, _) => [Some(a), None, None],
            Self::And(a, b)
            | Self::Or(a, b)
            | Self::Whole2(_, a, b)
            | Self::Overflows(_, a, b)
            | Self::Float2(_, a, b)
            | Self::CompareWhole(_, a, b)
            | Self::CompareFloat(_, a, b)
            | Self::SameBool(a, b)
            | Self::SameText(a, b) => [Some(a), Some(b), None],
            Self::Select(a, b, c) => [Some(a), Some(b), Some(c)],
        };
        operands.into_iter().flatten()
    }

    /// The same operation on other nodes.
    #[must_use]
    pub fn with(&self, map: impl Fn(Id) -> Id) -> Self {
        match self {
            Self::Bool(_) | Self::Whole(_) | Self::Float(_) | Self::Text(_) | Self::Column(_) | Self::Present(_) => {
                self.clone()
            }
            Self::Not(a) => Self::Not(map(*a)),
            Self::Float1(function, a) => Self::Float1(*function, map(*a)),
            Self::ToFloat(a) => Self::ToFloat(map(*a)),
            Self::Lookup(a, table) => Self::Lookup(map(*a), table.clone()),
            Self::And(a, b) => Self::And(map(*a), map(*b)),
            Self::Or(a, b) => Self::Or(map(*a), map(*b)),
            Self::Whole2(op, a, b) => Self::Whole2(*op, map(*a), map(*b)),
            Self::Overflows(op, a, b) => Self::Overflows(*op, map(*a), map(*b)),
            Self::Float2(op, a, b) => Self::Float2(*op, map(*a), map(*b)),
            Self::CompareWhole(op, a, b) => Self::CompareWhole(*op, map(*a), map(*b)),
            Self::CompareFloat(op, a, b) => Self::CompareFloat(*op, map(*a), map(*b)),
            Self::SameBool(a, b) => Self::SameBool(map(*a), map(*b)),
            Self::SameText(a, b) => Self::SameText(map(*a), map(*b)),
            Self::Select(a, b, c) => Self::Select(map(*a), map(*b), map(*c)),
        }
    }
}
