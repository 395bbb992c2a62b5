//! Statements: blocks, variables, branches, returns.

use rhai::{ASTFlags, Expr, Stmt};

use super::super::native::Arithmetic;
use super::super::native::values::Value;
use super::{Lowering, MOST_VARIABLES, Obstacle, State, at, placed};

impl Lowering<'_> {
    /// The value of a block: its last statement's.
    pub(super) fn block(&mut self, statements: &[Stmt], state: &mut State) -> Result<Value, Obstacle> {
        let depth = state.variables.len();
        let mut value = self.maker.nothing();
        for statement in statements {
            value = self.statement(statement, state)?;
        }
        state.variables.truncate(depth);
        Ok(value)
    }

    fn statement(&mut self, statement: &Stmt, state: &mut State) -> Result<Value, Obstacle> {
        self.check_size(statement.position())?;
        match statement {
            Stmt::Noop(_) => Ok(self.maker.nothing()),
            Stmt::Expr(expr) => self.noted(expr, state),
            Stmt::FnCall(call, position) => {
                let value = self.call(call, *position, state)?;
                self.note(state, value.fails);
                Ok(value)
            }
            Stmt::Block(block) => self.block(block.statements(), state),
            Stmt::If(flow, _) => {
                let condition = self.noted(&flow.expr, state)?;
                let (holds, fails) = self.maker.condition(&condition).map_err(placed(flow.expr.position()))?;
                self.note(state, fails);
                let mut other = state.clone();
                let yes = self.block(flow.body.statements(), state)?;
                let no = self.block(flow.branch.statements(), &mut other)?;
                *state = self.merge(holds, state, &other);
                Ok(self.maker.select(holds, &yes, &no))
            }
            Stmt::Switch(switch, position) => self.switch(&switch.0, &switch.1, *position, state),
            Stmt::Var(variable, _, position) => {
                let value = self.noted(&variable.1, state)?;
                if state.variables.len() >= MOST_VARIABLES {
                    return Err(at(*position, "so many variables"));
                }
                state.variables.push((variable.0.name.to_string(), value));
                Ok(self.maker.nothing())
            }
            Stmt::Assignment(assignment) => {
                let (operation, pair) = &**assignment;
                let operator = operation.get_op_assignment_info().map(|info| info.5);
                self.assign(&pair.lhs, operator, &pair.rhs, state)
            }
            Stmt::Return(value, flags, position) if !flags.contains(ASTFlags::BREAK) => {
                let value = match value {
                    Some(expr) => self.noted(expr, state)?,
                    None => self.maker.nothing(),
                };
                self.check_size(*position)?;
                state.result = self.maker.select(state.returned, &state.result.clone(), &value);
                state.returned = self.maker.graph.bool(true);
                state.changes += 1;
                Ok(self.maker.nothing())
            }
            other => Err(at(other.position(), unsupported(other))),
        }
    }

    /// The value of an expression whose failure counts from now on.
    pub(super) fn noted(&mut self, expr: &Expr, state: &mut State) -> Result<Value, Obstacle> {
        let value = self.expression(expr, state)?;
        self.note(state, value.fails);
        Ok(value)
    }

    fn assign(
        &mut self,
        target: &Expr,
        operator: Option<&str>,
        expr: &Expr,
        state: &mut State,
    ) -> Result<Value, Obstacle> {
        let Expr::Variable(variable, ..) = target else {
            return Err(at(target.position(), "a part of a map or an array is changed"));
        };
        let value = self.noted(expr, state)?;
        let name = variable.1.as_str();
        let Some(place) = state.variables.iter().rposition(|(known, _)| known == name) else {
            return Err(at(target.position(), "a constant is assigned to"));
        };
        let value = match operator {
            None => value,
            Some(operator) => {
                let Some(arithmetic) = arithmetic(operator) else {
                    return Err(at(target.position(), &format!("the operator `{operator}=`")));
                };
                let before = state.variables[place].1.clone();
                self.maker.arithmetic(arithmetic, &before, &value).map_err(placed(expr.position()))?
            }
        };
        self.note(state, value.fails);
        state.variables[place].1 = value;
        state.changes += 1;
        Ok(self.maker.nothing())
    }

    /// Goes into one of several branches; the first whose condition holds counts.
    pub(super) fn branches(
        &mut self,
        branches: &[(super::Id, &Expr)],
        default: Option<&Expr>,
        state: &mut State,
    ) -> Result<Value, Obstacle> {
        let Some(((holds, expr), rest)) = branches.split_first() else {
            return match default {
                Some(expr) => self.noted(expr, state),
                None => Ok(self.maker.nothing()),
            };
        };
        let mut other = state.clone();
        let yes = self.noted(expr, state)?;
        let no = self.branches(rest, default, &mut other)?;
        *state = self.merge(*holds, state, &other);
        Ok(self.maker.select(*holds, &yes, &no))
    }
}

/// The arithmetic of an operator.
pub(super) fn arithmetic(operator: &str) -> Option<Arithmetic> {
    match operator {
        "+" => Some(Arithmetic::Add),
        "-" => Some(Arithmetic::Subtract),
        "*" => Some(Arithmetic::Multiply),
        "/" => Some(Arithmetic::Divide),
        "%" => Some(Arithmetic::Remainder),
        "**" => Some(Arithmetic::Power),
        _ => None,
    }
}

const fn unsupported(statement: &Stmt) -> &'static str {
    match statement {
        Stmt::While(..) | Stmt::Do(..) | Stmt::For(..) | Stmt::BreakLoop(..) => "a loop",
        Stmt::TryCatch(..) => "`try` and `catch`",
        Stmt::Return(..) => "`throw`",
        _ => "this statement",
    }
}
