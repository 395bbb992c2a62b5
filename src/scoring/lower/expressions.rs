//! Expressions: constants, variables, fields, logic.

use std::collections::BTreeMap;
use std::rc::Rc;

use rhai::{ASTFlags, BinaryExpr, Expr, Position};

use super::super::native::values::{Data, Value};
use super::{Lowering, MOST_ITEMS, MOST_TEXT, Obstacle, State, at, constant, placed};

/// How the next link of a chain is reached.
#[derive(Clone, Copy)]
enum Link {
    /// `.name` or `.method()`.
    Dot,
    /// `[key]`.
    Index,
}

impl Lowering<'_> {
    /// The value of an expression.
    pub(super) fn expression(&mut self, expr: &Expr, state: &mut State) -> Result<Value, Obstacle> {
        self.check_size(expr.position())?;
        self.expressions += 1;
        match expr {
            Expr::BoolConstant(value, _) => Ok(self.maker.bool(*value)),
            Expr::IntegerConstant(value, _) => Ok(self.maker.whole(*value)),
            Expr::FloatConstant(value, _) => Ok(self.maker.float(**value)),
            Expr::StringConstant(value, position) if value.len() > MOST_TEXT => {
                Err(at(*position, "a text that is so long"))
            }
            Expr::StringConstant(value, _) => Ok(self.maker.text(value.as_str())),
            Expr::DynamicConstant(value, _) => Ok(constant(&mut self.maker, value)),
            Expr::Unit(_) => Ok(self.maker.nothing()),
            // `global::X` is the constant, whatever variable has its name.
            Expr::Variable(variable, _, position) if !variable.2.is_empty() => {
                let global = variable.2.to_string().trim_end_matches("::") == "global";
                let found = self.constants.get(variable.1.as_str()).filter(|_| global).cloned();
                found.ok_or_else(|| at(*position, "a variable of a module"))
            }
            Expr::Variable(variable, _, position) => self.variable(variable.1.as_str(), *position, state),
            Expr::Stmt(block) => self.block(block.statements(), state),
            Expr::FnCall(call, position) => self.call(call, *position, state),
            Expr::Dot(pair, flags, position) => self.chain(Link::Dot, pair, *flags, *position, state),
            Expr::Index(pair, flags, position) => self.chain(Link::Index, pair, *flags, *position, state),
            Expr::And(operands, _) => self.logic(operands, true, state),
            Expr::Or(operands, _) => self.logic(operands, false, state),
            Expr::Coalesce(operands, _) => self.coalesce(operands, state),
            Expr::Array(items, position) => {
                let items: Vec<Value> =
                    items.iter().map(|item| self.expression(item, state)).collect::<Result<_, _>>()?;
                check_items(items.iter(), *position)?;
                let fails = items.iter().fold(self.maker.graph.bool(false), |all, item| self.maker.or(all, item.fails));
                let list = self.maker.sure(Data::List(Rc::new(items)));
                Ok(self.maker.after(fails, list))
            }
            Expr::Map(map, position) => {
                let mut fails = self.maker.graph.bool(false);
                let mut entries = BTreeMap::new();
                for (name, expr) in &map.0 {
                    let value = self.expression(expr, state)?;
                    fails = self.maker.or(fails, value.fails);
                    entries.insert(name.name.to_string(), value);
                }
                check_items(entries.values(), *position)?;
                let map = self.maker.sure(Data::Map(Rc::new(entries)));
                Ok(self.maker.after(fails, map))
            }
            other => Err(at(other.position(), unsupported(other))),
        }
    }

    fn variable(&mut self, name: &str, position: Position, state: &State) -> Result<Value, Obstacle> {
        let own = state.variables.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value);
        let found = own.or_else(|| self.constants.get(name)).cloned();
        found.ok_or_else(|| at(position, &format!("the variable `{name}`")))
    }

    fn chain(
        &mut self,
        link: Link,
        pair: &BinaryExpr,
        flags: ASTFlags,
        position: Position,
        state: &mut State,
    ) -> Result<Value, Obstacle> {
        let base = self.unchanging(&pair.lhs, state)?;
        self.links(link, &base, (&pair.rhs, flags, position), state)
    }

    /// Follows the rest of a chain, such as `.b[c].d` of `a.b[c].d`.
    fn links(
        &mut self,
        link: Link,
        base: &Value,
        (rest, flags, position): (&Expr, ASTFlags, Position),
        state: &mut State,
    ) -> Result<Value, Obstacle> {
        if flags.contains(ASTFlags::NEGATED) {
            return Err(at(position, "`?.` and `?[`"));
        }
        let (next, pair, next_flags, next_position) = match rest {
            Expr::Dot(pair, next_flags, place) if !flags.contains(ASTFlags::BREAK) => {
                (Link::Dot, pair, *next_flags, *place)
            }
            Expr::Index(pair, next_flags, place) if !flags.contains(ASTFlags::BREAK) => {
                (Link::Index, pair, *next_flags, *place)
            }
            last => return self.link(link, base, last, position, state),
        };
        let value = self.link(link, base, &pair.lhs, position, state)?;
        self.links(next, &value, (&pair.rhs, next_flags, next_position), state)
    }

    fn link(
        &mut self,
        link: Link,
        base: &Value,
        expr: &Expr,
        position: Position,
        state: &mut State,
    ) -> Result<Value, Obstacle> {
        match (link, expr) {
            (Link::Dot, Expr::Property(property, place)) => self.named(base, property.2.as_str(), *place),
            (Link::Dot, Expr::MethodCall(call, place)) => {
                let args = self.arguments(&call.args, state)?;
                self.method(base, call.name.as_str(), &args, *place)
            }
            (Link::Index, key) => {
                let key_value = self.unchanging(key, state)?;
                self.maker.index(base, &key_value).map_err(placed(key.position()))
            }
            (Link::Dot, other) => Err(at(other.position().or_else(position), "this property")),
        }
    }

    fn named(&mut self, base: &Value, name: &str, position: Position) -> Result<Value, Obstacle> {
        if matches!(base.data, Data::Map(_) | Data::Nothing) {
            return self.maker.property(base, name).map_err(placed(position));
        }
        self.getter(base, name).map_err(placed(position))
    }

    /// `&&` where `all` is true, `||` where it is false: what comes after the one that decides is not computed.
    fn logic(&mut self, operands: &[Expr], all: bool, state: &mut State) -> Result<Value, Obstacle> {
        let (mut value, mut fails) = (self.maker.graph.bool(all), self.maker.graph.bool(false));
        for operand in operands {
            let next = self.unchanging(operand, state)?;
            let (next, next_fails) = self.maker.condition(&next).map_err(placed(operand.position()))?;
            let reached = if all { value } else { self.maker.not(value) };
            let counts = self.maker.and(reached, next_fails);
            fails = self.maker.or(fails, counts);
            value = if all { self.maker.and(value, next) } else { self.maker.or(value, next) };
        }
        let value = self.maker.sure(Data::Bool(value));
        Ok(Value { fails, ..value })
    }

    fn coalesce(&mut self, operands: &[Expr], state: &mut State) -> Result<Value, Obstacle> {
        let mut values: Vec<Value> = Vec::new();
        for operand in operands {
            values.push(self.unchanging(operand, state)?);
        }
        let mut rest = self.maker.nothing();
        for value in values.iter().rev() {
            let there = self.maker.not(value.absent);
            let picked = self.maker.select(there, value, &rest);
            // What fails is not absent.
            rest = self.maker.after(value.fails, picked);
        }
        Ok(rest)
    }

    /// The value of an expression that must change nothing: it is computed only in some rows, or in another order.
    pub(super) fn unchanging(&mut self, expr: &Expr, state: &mut State) -> Result<Value, Obstacle> {
        let changes = state.changes;
        let value = self.expression(expr, state)?;
        if state.changes != changes {
            return Err(at(expr.position(), "an assignment or a `return` inside of an expression"));
        }
        Ok(value)
    }
}

/// Refuses an array or a map that the interpreter may find too large.
fn check_items<'v>(items: impl Iterator<Item = &'v Value>, position: Position) -> Result<(), Obstacle> {
    let count: usize = items.map(|item| 1 + parts(item)).sum();
    if count > MOST_ITEMS { Err(at(position, "an array or a map with so many parts")) } else { Ok(()) }
}

/// How many parts a value has as the interpreter counts: its items, and theirs.
fn parts(value: &Value) -> usize {
    match &value.data {
        Data::List(items) => items.len() + items.iter().map(parts).sum::<usize>(),
        Data::Map(entries) => entries.len() + entries.values().map(parts).sum::<usize>(),
        // As many as a task has.
        Data::Labels => MOST_ITEMS,
        _ => 0,
    }
}

fn unsupported(expr: &Expr) -> &'static str {
    match expr {
        Expr::InterpolatedString(..) => "a text that is put together",
        Expr::CharConstant(..) => "a character",
        Expr::ThisPtr(_) => "`this`",
        _ => "this expression",
    }
}
