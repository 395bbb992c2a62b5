//! Calls: operators, the script's own functions, and those of the language.

use rhai::{Expr, FnCallExpr, Position};

use super::super::native::Arithmetic;
use super::super::native::graph::{Compare, FloatFn, Node};
use super::super::native::inputs::{Column, Range};
use super::super::native::values::{Data, Refusal, Value, refuse};
use super::statements::arithmetic;
use super::{Lowering, MOST_CALLS, Obstacle, State, at, placed};

impl Lowering<'_> {
    /// A call of whatever the name stands for.
    pub(super) fn call(&mut self, call: &FnCallExpr, position: Position, state: &mut State) -> Result<Value, Obstacle> {
        let args = self.arguments(&call.args, state)?;
        let name = call.name.as_str();
        if self.functions.contains_key(&(name.to_owned(), args.len())) {
            return self.own(name, &args, position);
        }
        self.native(name, &args).map_err(placed(position))
    }

    /// The values of a call's arguments. The interpreter looks at a variable in the first place after all others, so none of
    /// them may change anything.
    pub(super) fn arguments(&mut self, args: &[Expr], state: &mut State) -> Result<Vec<Value>, Obstacle> {
        args.iter().map(|arg| self.unchanging(arg, state)).collect()
    }

    fn own(&mut self, name: &str, args: &[Value], position: Position) -> Result<Value, Obstacle> {
        if self.calls.iter().any(|caller| caller == name) {
            return Err(at(position, &format!("`{name}` calls itself")));
        }
        if self.calls.len() >= MOST_CALLS {
            return Err(at(position, "calls inside of calls go too deep"));
        }
        let value = self.call_function(name, args)?;
        let fails = args.iter().fold(self.maker.graph.bool(false), |all, arg| self.maker.or(all, arg.fails));
        Ok(self.maker.after(fails, value))
    }

    /// What one of the script's functions returns.
    pub(super) fn call_function(&mut self, name: &str, args: &[Value]) -> Result<Value, Obstacle> {
        let Some(function) = self.functions.get(&(name.to_owned(), args.len())).cloned() else {
            return Err(at(Position::NONE, &format!("there is no function `{name}`")));
        };
        let mut state = self.state();
        state.variables = function.params.iter().cloned().zip(args.iter().cloned()).collect();
        self.calls.push(name.to_owned());
        let last = self.block(&function.body, &mut state);
        self.calls.pop();
        let value = self.maker.select(state.returned, &state.result, &last?);
        Ok(self.maker.after(state.fails, value))
    }

    fn native(&mut self, name: &str, args: &[Value]) -> Result<Value, Refusal> {
        match (name, args) {
            ("!", [a]) => {
                let (holds, fails) = self.maker.condition(a)?;
                let data = Data::Bool(self.maker.not(holds));
                Ok(Value { fails, ..self.maker.sure(data) })
            }
            ("-", [a]) => self.maker.negate(a),
            ("+", [a]) if matches!(a.data, Data::Whole(..) | Data::Float(_) | Data::Number(..)) => {
                let (absent, fails) = (self.maker.graph.bool(false), self.maker.or(a.absent, a.fails));
                Ok(Value { absent, fails, ..a.clone() })
            }
            ("min", [a, b]) => self.maker.arithmetic(Arithmetic::Min, a, b),
            ("max", [a, b]) => self.maker.arithmetic(Arithmetic::Max, a, b),
            // `item in container` is `contains(container, item)`.
            ("contains", [container, item]) => self.maker.contains(container, item),
            (_, [a, b]) => match (arithmetic(name), compare(name)) {
                (Some(arithmetic), _) => self.maker.arithmetic(arithmetic, a, b),
                (_, Some(compare)) => self.maker.compare(compare, a, b),
                _ => self.function(name, args),
            },
            _ => self.function(name, args),
        }
    }

    /// A call in the form `a.name(…)`.
    pub(super) fn method(
        &mut self,
        base: &Value,
        name: &str,
        args: &[Value],
        position: Position,
    ) -> Result<Value, Obstacle> {
        let mut all = vec![base.clone()];
        all.extend_from_slice(args);
        if self.functions.contains_key(&(name.to_owned(), args.len())) {
            return Err(at(position, &format!("the function `{name}` called as a method")));
        }
        self.native(name, &all).map_err(placed(position))
    }

    /// What some values have as a property, `a.name`, although they are no maps.
    pub(super) fn getter(&mut self, base: &Value, name: &str) -> Result<Value, Refusal> {
        match (&base.data, name) {
            (Data::Labels | Data::List(_), "len") => self.length(base),
            (Data::Float(_), "floor" | "ceiling" | "round" | "int" | "fraction") => {
                self.function(name, std::slice::from_ref(base))
            }
            (other, _) => refuse(format!("the property `{name}` of {}", other.kind())),
        }
    }

    fn function(&mut self, name: &str, args: &[Value]) -> Result<Value, Refusal> {
        match (name, args) {
            ("to_float", [a]) => self.maker.to_float(a),
            ("abs", [a]) if matches!(a.data, Data::Whole(..)) => self.whole_abs(a),
            ("len", [a]) => self.length(a),
            (name, [a]) => match float_function(name) {
                Some(function) => self.maker.function(function, a),
                None => refuse(format!("the function `{name}`")),
            },
            (name, _) => refuse(format!("the function `{name}`")),
        }
    }

    fn whole_abs(&mut self, a: &Value) -> Result<Value, Refusal> {
        let zero = self.maker.whole(0);
        let negative = self.maker.compare(Compare::Less, a, &zero)?;
        let (negative, _) = self.maker.condition(&negative)?;
        let negated = self.maker.negate(a)?;
        let value = self.maker.select(negative, &negated, a);
        let fails = self.maker.or(value.fails, a.absent);
        let absent = self.maker.graph.bool(false);
        Ok(Value { absent, fails, ..value })
    }

    fn length(&mut self, a: &Value) -> Result<Value, Refusal> {
        let fails = self.maker.or(a.fails, a.absent);
        let value = match &a.data {
            Data::Labels => {
                let id = self.maker.graph.add(Node::Column(Column::LabelCount));
                self.maker.sure(Data::Whole(id, Range::new(0, i64::from(u32::MAX))))
            }
            Data::List(items) => self.maker.whole(i64::try_from(items.len()).unwrap_or(i64::MAX)),
            Data::Map(entries) => self.maker.whole(i64::try_from(entries.len()).unwrap_or(i64::MAX)),
            other => return refuse(format!("the length of {}", other.kind())),
        };
        Ok(self.maker.after(fails, value))
    }
}

fn compare(operator: &str) -> Option<Compare> {
    match operator {
        "==" => Some(Compare::Equal),
        "!=" => Some(Compare::NotEqual),
        "<" => Some(Compare::Less),
        "<=" => Some(Compare::LessEqual),
        ">" => Some(Compare::Greater),
        ">=" => Some(Compare::GreaterEqual),
        _ => None,
    }
}

fn float_function(name: &str) -> Option<FloatFn> {
    match name {
        "abs" => Some(FloatFn::Abs),
        "floor" => Some(FloatFn::Floor),
        "ceiling" => Some(FloatFn::Ceiling),
        "round" => Some(FloatFn::Round),
        "int" => Some(FloatFn::Int),
        "fraction" => Some(FloatFn::Fraction),
        "sqrt" => Some(FloatFn::Sqrt),
        "exp" => Some(FloatFn::Exp),
        "ln" => Some(FloatFn::Ln),
        _ => None,
    }
}
