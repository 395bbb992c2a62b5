//! `switch`: its cases stand in the syntax tree as hashes of their values alone, so the values are looked for.

use std::collections::BTreeSet;

use std::fmt::Write as _;

use rhai::{Engine, Expr, OptimizationLevel, Position, RangeCase, Stmt, SwitchCasesCollection};

use super::super::native::graph::{Compare, Id};
use super::super::native::symbols::Symbols;
use super::super::native::values::{Data, Value};
use super::{Lowering, Obstacle, State, at, placed};

/// A number with so many values or fewer is tried with each; others with the numbers that stand in the script.
const FEW: i64 = 64;

/// A value that a case may have.
#[derive(Clone, Debug)]
enum Literal {
    Whole(i64),
    Text(String),
    Bool(bool),
    Nothing,
    /// A range of whole numbers as it is written: it has a hash too, under which nothing is found.
    Range(String),
}

impl Lowering<'_> {
    /// The value of the case that holds.
    pub(super) fn switch(
        &mut self,
        expr: &Expr,
        cases: &SwitchCasesCollection,
        position: Position,
        state: &mut State,
    ) -> Result<Value, Obstacle> {
        let value = self.noted(expr, state)?;
        let mut branches: Vec<(Id, &Expr)> = Vec::new();
        let mut known = 0;
        let mut literals = self.literals(&value);
        literals.extend(cases.ranges.iter().map(|range| Literal::Range(written(range))));
        let Some(hashes) = hashes(&literals) else {
            return Err(at(position, "this `switch`"));
        };
        for (hash, literal) in hashes {
            let Some(case) = cases.cases.get(&hash) else { continue };
            known += 1;
            let Some(literal) = self.literal(&literal) else { continue };
            let same = self.maker.compare(Compare::Equal, &value, &literal).map_err(placed(position))?;
            let (same, _) = self.maker.condition(&same).map_err(placed(position))?;
            for block in &case.blocks {
                let block = &cases.expressions[*block];
                let holds = self.guarded(same, &block.lhs, state)?;
                branches.push((holds, &block.rhs));
            }
        }
        // What cannot be of the value's kind cannot hold either; what cannot be told is left to the interpreter.
        if known < cases.cases.len() && !is_told(&value) {
            return Err(at(position, "a `switch` over numbers that do not stand in the script as they are"));
        }
        for range in &cases.ranges {
            let Data::Whole(..) = value.data else {
                return Err(at(position, "a `switch` with ranges over something else than a whole number"));
            };
            let inside = self.inside(&value, range, position)?;
            let block = &cases.expressions[range.index()];
            let holds = self.guarded(inside, &block.lhs, state)?;
            branches.push((holds, &block.rhs));
        }
        let default = cases.def_case.map(|index| &cases.expressions[index].rhs);
        self.branches(&branches, default, state)
    }

    /// `holds` and the case's own condition.
    fn guarded(&mut self, holds: Id, guard: &Expr, state: &mut State) -> Result<Id, Obstacle> {
        if let Expr::BoolConstant(true, _) = guard {
            return Ok(holds);
        }
        let changes = state.changes;
        let value = self.expression(guard, state)?;
        if state.changes != changes {
            return Err(at(guard.position(), "an assignment or a `return` inside of a condition"));
        }
        let (guarded, fails) = self.maker.condition(&value).map_err(placed(guard.position()))?;
        let counts = self.maker.and(holds, fails);
        self.note(state, counts);
        Ok(self.maker.and(holds, guarded))
    }

    fn inside(&mut self, value: &Value, range: &RangeCase, position: Position) -> Result<Id, Obstacle> {
        let (first, last, op) = match range {
            RangeCase::ExclusiveInt(range, _) => (range.start, range.end, Compare::Less),
            RangeCase::InclusiveInt(range, _) => (*range.start(), *range.end(), Compare::LessEqual),
        };
        let (first, last) = (self.maker.whole(first), self.maker.whole(last));
        let mut holds = self.maker.graph.bool(true);
        for (op, bound) in [(Compare::GreaterEqual, first), (op, last)] {
            let one = self.maker.compare(op, value, &bound).map_err(placed(position))?;
            let (one, _) = self.maker.condition(&one).map_err(placed(position))?;
            holds = self.maker.and(holds, one);
        }
        Ok(holds)
    }

    fn literal(&mut self, literal: &Literal) -> Option<Value> {
        match literal {
            Literal::Whole(value) => Some(self.maker.whole(*value)),
            Literal::Text(value) => Some(self.maker.text(value)),
            Literal::Bool(value) => Some(self.maker.bool(*value)),
            Literal::Nothing => Some(self.maker.nothing()),
            Literal::Range(_) => None,
        }
    }

    /// What the value can be, and what it may be compared with.
    fn literals(&self, value: &Value) -> Vec<Literal> {
        let mut literals = match &value.data {
            Data::Bool(_) => vec![Literal::Bool(true), Literal::Bool(false)],
            Data::Text(_, words) => {
                let texts = words.iter().filter(|word| **word != Symbols::OTHER);
                let mut texts: BTreeSet<String> = texts.map(|word| self.maker.symbols.text(*word).to_owned()).collect();
                if words.contains(&Symbols::OTHER) {
                    texts.extend(texts_in(self.source));
                }
                texts.into_iter().map(Literal::Text).collect()
            }
            Data::Whole(_, range) if range.max.saturating_sub(range.min) < FEW => {
                (range.min..=range.max).map(Literal::Whole).collect()
            }
            Data::Whole(..) => numbers_in(self.source).into_iter().map(Literal::Whole).collect(),
            _ => Vec::new(),
        };
        literals.push(Literal::Nothing);
        literals
    }
}

/// Whether every value that it can have was tried.
fn is_told(value: &Value) -> bool {
    match &value.data {
        Data::Bool(_) | Data::Nothing => true,
        Data::Text(_, words) => !words.contains(&Symbols::OTHER),
        Data::Whole(_, range) => range.max.saturating_sub(range.min) < FEW,
        _ => false,
    }
}

/// Texts by the hash under which a case with each stands in a syntax tree.
pub fn cases_of_texts(texts: Vec<String>) -> Vec<(u64, String)> {
    let literals: Vec<Literal> = texts.into_iter().map(Literal::Text).collect();
    let text = |(hash, literal)| if let Literal::Text(text) = literal { Some((hash, text)) } else { None };
    hashes(&literals).unwrap_or_default().into_iter().filter_map(text).collect()
}

/// The hash that a case with each value has: the interpreter is asked for it.
fn hashes(literals: &[Literal]) -> Option<Vec<(u64, Literal)>> {
    let mut script = "switch value { ".to_owned();
    for (index, literal) in literals.iter().enumerate() {
        let text = match literal {
            Literal::Whole(value) => value.to_string(),
            Literal::Text(text) => quoted(text),
            Literal::Bool(value) => value.to_string(),
            Literal::Nothing => "()".to_owned(),
            Literal::Range(text) => text.clone(),
        };
        // Writing to a String cannot fail.
        let _ = write!(script, "{text} => {index}, ");
    }
    script.push('}');
    let mut engine = Engine::new_raw();
    engine.set_optimization_level(OptimizationLevel::None);
    let ast = engine.compile(&script).ok()?;
    let statements: &[Stmt] = ast.as_ref();
    let Stmt::Switch(switch, _) = statements.first()? else { return None };
    let found = switch.1.cases.iter().map(|(hash, case)| {
        let literal = literals.get(*case.blocks.first()?)?;
        Some((*hash, literal.clone()))
    });
    found.collect()
}

fn written(range: &RangeCase) -> String {
    match range {
        RangeCase::ExclusiveInt(range, _) => format!("{}..{}", range.start, range.end),
        RangeCase::InclusiveInt(range, _) => format!("{}..={}", range.start(), range.end()),
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for letter in text.chars() {
        let _ = write!(quoted, "\\U{:08x}", u32::from(letter));
    }
    quoted.push('"');
    quoted
}

/// The whole numbers that stand in a script, with both signs.
fn numbers_in(source: &str) -> BTreeSet<i64> {
    let words = source.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_' && letter != '.');
    let numbers = words.filter_map(|word| word.replace('_', "").parse::<i64>().ok());
    numbers.flat_map(|number| [number, number.wrapping_neg()]).collect()
}

/// The texts between double quotes.
fn texts_in(source: &str) -> BTreeSet<String> {
    source.lines().flat_map(|line| line.split('"').skip(1).step_by(2)).map(ToOwned::to_owned).collect()
}
