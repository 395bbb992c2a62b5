//! Values of a script while it is compiled: what kind they have, and the nodes that compute them.
//!
//! A value is three columns: the data, whether it is absent, and whether computing it fails. A row whose score fails is
//! given to the interpreter, which says the same or better; so `fails` may be true too often, never too rarely.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::graph::{Compare, Graph, Id, Lane, Node, Symbol};
use super::inputs::{ABSENT, Column, Present, Range};
use super::symbols::Symbols;

/// The texts that a value can be; [`Symbols::OTHER`] among them when it can be any.
pub type Words = Rc<BTreeSet<Symbol>>;

/// A value.
#[derive(Clone, Debug)]
pub struct Value {
    /// What it is where it is there.
    pub data: Data,
    /// Whether it is `()`.
    pub absent: Id,
    /// Whether computing it fails.
    pub fails: Id,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Data {
    /// Nothing: always `()`, or never reached.
    Nothing,
    /// A truth value.
    Bool(Id),
    /// A whole number.
    Whole(Id, Range),
    /// A float.
    Float(Id),
    /// A whole number in some rows and a float in others, as a float; the whole ones lie in the range, in which a
    /// float is exact.
    Number(Id, Range),
    /// A text.
    Text(Id, Words),
    /// A map whose keys are known.
    Map(Rc<BTreeMap<String, Value>>),
    /// An array whose length is known.
    List(Rc<Vec<Value>>),
    /// The labels of the task.
    Labels,
    /// Things of different kinds: it may be passed on, but not used.
    Mixed,
}

/// Why something cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// A refusal in words.
pub fn refuse<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(message.into()))
}

/// Whole numbers up to here are exact as floats, and further apart than Rhai's tolerance.
const EXACT: Range = Range::new(-(1 << 40), 1 << 40);

impl Range {
    /// Whether floats can stand for these numbers.
    pub(super) const fn is_exact(self) -> bool {
        self.min >= EXACT.min && self.max <= EXACT.max
    }
}

impl Data {
    /// In words.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Bool(_) => "a truth value",
            Self::Whole(..) | Self::Float(_) | Self::Number(..) => "a number",
            Self::Text(..) => "a text",
            Self::Map(_) => "a map",
            Self::List(_) | Self::Labels => "an array",
            Self::Mixed => "things of different kinds",
        }
    }
}

/// Makes values and their nodes.
#[derive(Debug, Default)]
pub struct Maker {
    /// The nodes.
    pub graph: Graph,
    /// The texts.
    pub symbols: Symbols,
}

impl Maker {
    /// A value that is there and computed without fail.
    pub fn sure(&mut self, data: Data) -> Value {
        let no = self.graph.bool(false);
        Value { data, absent: no, fails: no }
    }

    /// `()`.
    pub fn nothing(&mut self) -> Value {
        let (no, yes) = (self.graph.bool(false), self.graph.bool(true));
        Value { data: Data::Nothing, absent: yes, fails: no }
    }

    /// What always fails.
    pub fn failure(&mut self) -> Value {
        let (no, yes) = (self.graph.bool(false), self.graph.bool(true));
        Value { data: Data::Nothing, absent: no, fails: yes }
    }

    /// A constant truth value.
    pub fn bool(&mut self, value: bool) -> Value {
        let id = self.graph.bool(value);
        self.sure(Data::Bool(id))
    }

    /// A constant whole number.
    pub fn whole(&mut self, value: i64) -> Value {
        let id = self.graph.whole(value);
        self.sure(Data::Whole(id, Range::one(value)))
    }

    /// A constant float.
    pub fn float(&mut self, value: f64) -> Value {
        let id = self.graph.float(value);
        self.sure(Data::Float(id))
    }

    /// A constant text.
    pub fn text(&mut self, text: &str) -> Value {
        let symbol = self.symbols.of(text);
        let id = self.graph.add(Node::Text(symbol));
        self.sure(Data::Text(id, Rc::new(BTreeSet::from([symbol]))))
    }

    /// A fact of the task. A text is one of `words`; without words, any.
    pub fn column(&mut self, column: Column, words: &[&str]) -> Value {
        let id = self.graph.add(Node::Column(column));
        let data = self.fact(id, column.lane(), column.range(), words);
        self.absent_if(column.is_nullable(), data)
    }

    /// A fact of the moment. A text is one of `words`.
    pub fn present(&mut self, present: Present, words: &[&str]) -> Value {
        let id = self.graph.add(Node::Present(present));
        let data = self.fact(id, present.lane(), present.range(), words);
        self.absent_if(present.is_nullable(), data)
    }

    /// The value of a fact that may be absent.
    fn absent_if(&mut self, nullable: bool, data: Data) -> Value {
        let absent = match data {
            Data::Whole(id, _) if nullable => {
                let absent = self.graph.whole(ABSENT);
                self.graph.add(Node::CompareWhole(Compare::Equal, id, absent))
            }
            Data::Text(id, _) if nullable => {
                let absent = self.graph.add(Node::Text(Symbols::ABSENT));
                self.graph.add(Node::SameText(id, absent))
            }
            _ => self.graph.bool(false),
        };
        Value { absent, ..self.sure(data) }
    }

    /// Without words, a text can be any.
    fn fact(&mut self, id: Id, lane: Lane, range: Range, words: &[&str]) -> Data {
        match lane {
            Lane::Bool => Data::Bool(id),
            Lane::Whole => Data::Whole(id, range),
            Lane::Float => Data::Float(id),
            Lane::Text if words.is_empty() => Data::Text(id, Rc::new(BTreeSet::from([Symbols::OTHER]))),
            Lane::Text => Data::Text(id, Rc::new(words.iter().map(|word| self.symbols.of(word)).collect())),
        }
    }

    /// Either holds.
    pub fn or(&mut self, a: Id, b: Id) -> Id {
        self.graph.add(Node::Or(a, b))
    }

    /// Both hold.
    pub fn and(&mut self, a: Id, b: Id) -> Id {
        self.graph.add(Node::And(a, b))
    }

    /// It does not hold.
    pub fn not(&mut self, a: Id) -> Id {
        self.graph.add(Node::Not(a))
    }

    /// `value`, failing where `fails` holds as well: what was computed before it, and its result thrown away.
    #[must_use]
    pub fn after(&mut self, fails: Id, value: Value) -> Value {
        Value { fails: self.or(fails, value.fails), ..value }
    }

    /// The truth value that a condition must be, and where that fails.
    ///
    /// # Errors
    ///
    /// When it can never be one.
    pub fn condition(&mut self, value: &Value) -> Result<(Id, Id), Refusal> {
        let fails = self.or(value.absent, value.fails);
        match value.data {
            Data::Bool(id) => Ok((id, fails)),
            Data::Nothing => Ok((self.graph.bool(false), self.graph.bool(true))),
            _ => refuse(format!("a condition must be true or false, not {}", value.data.kind())),
        }
    }

    /// `yes` where `holds` is true, else `no`.
    pub fn select(&mut self, holds: Id, yes: &Value, no: &Value) -> Value {
        match self.graph.known_bool(holds) {
            Some(true) => return yes.clone(),
            Some(false) => return no.clone(),
            None => {}
        }
        let mut pick = |yes, no| self.graph.add(Node::Select(holds, yes, no));
        let (absent, fails) = (pick(yes.absent, no.absent), pick(yes.fails, no.fails));
        Value { data: self.select_data(holds, &yes.data, &no.data), absent, fails }
    }

    fn select_data(&mut self, holds: Id, yes: &Data, no: &Data) -> Data {
        match (yes, no) {
            (Data::Nothing, other) | (other, Data::Nothing) => other.clone(),
            (Data::Bool(yes), Data::Bool(no)) => Data::Bool(self.graph.add(Node::Select(holds, *yes, *no))),
            (Data::Whole(yes, a), Data::Whole(no, b)) => {
                Data::Whole(self.graph.add(Node::Select(holds, *yes, *no)), a.or(*b))
            }
            (Data::Float(yes), Data::Float(no)) => Data::Float(self.graph.add(Node::Select(holds, *yes, *no))),
            (Data::Text(yes, a), Data::Text(no, b)) => {
                let words = a.union(b).copied().collect();
                Data::Text(self.graph.add(Node::Select(holds, *yes, *no)), Rc::new(words))
            }
            (Data::Labels, Data::Labels) => Data::Labels,
            (Data::Map(yes), Data::Map(no)) if yes.keys().eq(no.keys()) => {
                let entries = yes.iter().zip(no.values());
                Data::Map(Rc::new(
                    entries.map(|((name, yes), no)| (name.clone(), self.select(holds, yes, no))).collect(),
                ))
            }
            _ => match (self.as_number(yes), self.as_number(no)) {
                (Some((yes, a)), Some((no, b))) => {
                    let range = a.into_iter().chain(b).reduce(Range::or).unwrap_or(Range::one(0));
                    Data::Number(self.graph.add(Node::Select(holds, yes, no)), range)
                }
                _ => Data::Mixed,
            },
        }
    }

    /// As a float lane that keeps what Rhai would compute, with the range of its whole numbers; if there is such a thing.
    pub(super) fn as_number(&mut self, data: &Data) -> Option<(Id, Option<Range>)> {
        match data {
            Data::Whole(id, range) if range.is_exact() => Some((self.graph.add(Node::ToFloat(*id)), Some(*range))),
            Data::Float(id) => Some((*id, None)),
            Data::Number(id, range) => Some((*id, Some(*range))),
            _ => None,
        }
    }

    /// The float that a score must be, and where it is none.
    ///
    /// # Errors
    ///
    /// When it can never be one.
    pub fn score(&mut self, value: &Value) -> Result<(Id, Id), Refusal> {
        let fails = self.or(value.absent, value.fails);
        match value.data {
            Data::Whole(id, _) => Ok((self.graph.add(Node::ToFloat(id)), fails)),
            Data::Float(id) | Data::Number(id, _) => Ok((id, fails)),
            Data::Nothing => Ok((self.graph.float(0.0), self.graph.bool(true))),
            _ => refuse(format!("`score` must return a number, not {}", value.data.kind())),
        }
    }
}
