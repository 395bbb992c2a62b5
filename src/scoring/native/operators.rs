//! The operators of the language, on values.

use super::graph::{Compare, FloatFn, FloatOp, Id, Node, WholeOp};
use super::inputs::Range;
use super::values::{Data, Maker, Refusal, Value, refuse};

/// Operators of arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the operators say what they do")]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    Min,
    Max,
}

impl Arithmetic {
    const fn whole(self) -> Option<WholeOp> {
        match self {
            Self::Add => Some(WholeOp::Add),
            Self::Subtract => Some(WholeOp::Subtract),
            Self::Multiply => Some(WholeOp::Multiply),
            Self::Divide => Some(WholeOp::Divide),
            Self::Remainder => Some(WholeOp::Remainder),
            Self::Min => Some(WholeOp::Min),
            Self::Max => Some(WholeOp::Max),
            Self::Power => None,
        }
    }

    const fn float(self) -> FloatOp {
        match self {
            Self::Add => FloatOp::Add,
            Self::Subtract => FloatOp::Subtract,
            Self::Multiply => FloatOp::Multiply,
            Self::Divide => FloatOp::Divide,
            Self::Remainder => FloatOp::Remainder,
            Self::Power => FloatOp::Power,
            Self::Min => FloatOp::Min,
            Self::Max => FloatOp::Max,
        }
    }

    /// Whether the result is the same number whether whole numbers or floats are computed with.
    const fn is_same_for_floats(self) -> bool {
        matches!(self, Self::Add | Self::Subtract | Self::Multiply)
    }
}

impl Maker {
    /// `a op b`.
    ///
    /// # Errors
    ///
    /// When there is no such arithmetic.
    pub fn arithmetic(&mut self, op: Arithmetic, a: &Value, b: &Value) -> Result<Value, Refusal> {
        let either = self.or(a.fails, b.fails);
        let absent = self.or(a.absent, b.absent);
        let fails = self.or(either, absent);
        let (data, fails) = match (&a.data, &b.data) {
            (Data::Nothing, _) | (_, Data::Nothing) => return Ok(self.failure()),
            (Data::Whole(x, xs), Data::Whole(y, ys)) => {
                let Some(op) = op.whole() else {
                    return refuse("a power of whole numbers: write one of them as a float, such as `2.0`");
                };
                let overflow = self.overflow(op, (*x, *xs), (*y, *ys));
                let id = self.graph.add(Node::Whole2(op, *x, *y));
                (Data::Whole(id, range(op, *xs, *ys)), self.or(fails, overflow))
            }
            (Data::Float(_), _) | (_, Data::Float(_)) => {
                let (x, y) = (self.as_float(op, &a.data)?, self.as_float(op, &b.data)?);
                (Data::Float(self.graph.add(Node::Float2(op.float(), x, y))), fails)
            }
            (x, y) => (self.number_arithmetic(op, x, y)?, fails),
        };
        let absent = self.graph.bool(false);
        Ok(Value { data, absent, fails })
    }

    fn as_float(&mut self, op: Arithmetic, data: &Data) -> Result<Id, Refusal> {
        match data {
            Data::Whole(id, _) => Ok(self.graph.add(Node::ToFloat(*id))),
            Data::Float(id) | Data::Number(id, _) => Ok(*id),
            _ => refuse(format!("{op:?} with {}", data.kind()).to_lowercase()),
        }
    }

    /// Of numbers that are whole in some rows and floats in others.
    fn number_arithmetic(&mut self, op: Arithmetic, a: &Data, b: &Data) -> Result<Data, Refusal> {
        let numbers = (self.as_number(a), self.as_number(b));
        let (Some((x, Some(xs))), Some((y, Some(ys)))) = numbers else {
            return refuse(format!("{op:?} with {} and {}", a.kind(), b.kind()).to_lowercase());
        };
        // Among whole numbers there is no -0, which a product of floats can be.
        let is_same = op.is_same_for_floats() && (op != Arithmetic::Multiply || (xs.min >= 0 && ys.min >= 0));
        let whole = op.whole().filter(|_| is_same);
        let range = whole.map(|whole| range(whole, xs, ys)).filter(|range| range.is_exact());
        let Some(range) = range else {
            return refuse(
                "a number is whole in some cases and not in others: write all of them with a point, such as `1.0`",
            );
        };
        Ok(Data::Number(self.graph.add(Node::Float2(op.float(), x, y)), range))
    }

    fn overflow(&mut self, op: WholeOp, (x, xs): (Id, Range), (y, ys): (Id, Range)) -> Id {
        if cannot_overflow(op, xs, ys) {
            return self.graph.bool(false);
        }
        self.graph.add(Node::Overflows(op, x, y))
    }

    /// `-a`.
    ///
    /// # Errors
    ///
    /// When it is no number.
    pub fn negate(&mut self, a: &Value) -> Result<Value, Refusal> {
        if matches!(a.data, Data::Whole(..)) {
            let zero = self.whole(0);
            return self.arithmetic(Arithmetic::Subtract, &zero, a);
        }
        self.function(FloatFn::Negate, a)
    }

    /// A function of a float. Whole numbers have functions of their own.
    ///
    /// # Errors
    ///
    /// When it is no float.
    pub fn function(&mut self, function: FloatFn, a: &Value) -> Result<Value, Refusal> {
        let fails = self.or(a.fails, a.absent);
        match a.data {
            Data::Float(id) => {
                let data = Data::Float(self.graph.add(Node::Float1(function, id)));
                Ok(Value { fails, ..self.sure(data) })
            }
            Data::Nothing => Ok(self.failure()),
            _ => refuse(format!("{function:?} of {}", a.data.kind()).to_lowercase()),
        }
    }

    /// A number as a float.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn to_float(&mut self, a: &Value) -> Result<Value, Refusal> {
        let fails = self.or(a.fails, a.absent);
        match a.data {
            Data::Whole(id, _) => {
                let data = Data::Float(self.graph.add(Node::ToFloat(id)));
                Ok(Value { fails, ..self.sure(data) })
            }
            Data::Float(id) => Ok(Value { fails, ..self.sure(Data::Float(id)) }),
            Data::Nothing => Ok(self.failure()),
            _ => refuse(format!("a float of {}", a.data.kind())),
        }
    }

    /// `a op b`, true or false. `()` is equal to itself alone, and neither less nor greater than anything.
    ///
    /// # Errors
    ///
    /// When such things are not compared by compiled policies.
    pub fn compare(&mut self, op: Compare, a: &Value, b: &Value) -> Result<Value, Refusal> {
        let fails = self.or(a.fails, b.fails);
        let there = self.compare_data(op, &a.data, &b.data)?;
        let (both, either) = (self.and(a.absent, b.absent), self.or(a.absent, b.absent));
        let unequal = self.graph.bool(op == Compare::NotEqual);
        let if_both = self.graph.bool(op == Compare::Equal);
        let one = self.graph.add(Node::Select(either, unequal, there));
        let id = self.graph.add(Node::Select(both, if_both, one));
        Ok(Value { fails, ..self.sure(Data::Bool(id)) })
    }

    fn compare_data(&mut self, op: Compare, a: &Data, b: &Data) -> Result<Id, Refusal> {
        let equality = matches!(op, Compare::Equal | Compare::NotEqual);
        let same = match (a, b) {
            (Data::Whole(x, _), Data::Whole(y, _)) => return Ok(self.graph.add(Node::CompareWhole(op, *x, *y))),
            (Data::Float(_), Data::Whole(..) | Data::Float(_) | Data::Number(..))
            | (Data::Whole(..) | Data::Number(..), Data::Float(_)) => {
                let (x, y) = (self.as_float(Arithmetic::Add, a)?, self.as_float(Arithmetic::Add, b)?);
                return Ok(self.graph.add(Node::CompareFloat(op, x, y)));
            }
            (Data::Number(..), Data::Whole(..) | Data::Number(..)) | (Data::Whole(..), Data::Number(..)) => {
                let (Some((x, _)), Some((y, _))) = (self.as_number(a), self.as_number(b)) else {
                    return refuse("a number that is whole in some cases is compared with a very large one");
                };
                return Ok(self.graph.add(Node::CompareFloat(op, x, y)));
            }
            (Data::Bool(x), Data::Bool(y)) if equality => self.graph.add(Node::SameBool(*x, *y)),
            (Data::Text(x, _), Data::Text(y, _)) if equality => self.graph.add(Node::SameText(*x, *y)),
            (Data::Bool(_), Data::Bool(_)) | (Data::Text(..), Data::Text(..)) => {
                return refuse(format!("{} compared by order", a.kind()));
            }
            (Data::Map(_) | Data::List(_) | Data::Labels | Data::Mixed, _)
            | (_, Data::Map(_) | Data::List(_) | Data::Labels | Data::Mixed) => {
                if equality && (matches!(a, Data::Nothing) || matches!(b, Data::Nothing)) {
                    self.graph.bool(false)
                } else {
                    return refuse(format!("{} compared with {}", a.kind(), b.kind()));
                }
            }
            // Things of different kinds are unequal, and neither is less.
            _ => return Ok(self.graph.bool(op == Compare::NotEqual)),
        };
        Ok(if op == Compare::NotEqual { self.not(same) } else { same })
    }
}

/// What the results can be; everything when they can overflow.
fn range(op: WholeOp, a: Range, b: Range) -> Range {
    let (lo, hi) = match op {
        WholeOp::Min => return Range::new(a.min.min(b.min), a.max.min(b.max)),
        WholeOp::Max => return Range::new(a.min.max(b.min), a.max.max(b.max)),
        _ => match bounds(op, a, b) {
            Some(bounds) => bounds,
            None => return Range::ALL,
        },
    };
    match (i64::try_from(lo), i64::try_from(hi)) {
        (Ok(lo), Ok(hi)) => Range::new(lo, hi),
        _ => Range::ALL,
    }
}

fn cannot_overflow(op: WholeOp, a: Range, b: Range) -> bool {
    if matches!(op, WholeOp::Min | WholeOp::Max) {
        return true;
    }
    let inside = |number: i128| i64::try_from(number).is_ok();
    bounds(op, a, b).is_some_and(|(lo, hi)| inside(lo) && inside(hi))
}

/// The least and the greatest result; `None` when there may be none at all.
fn bounds(op: WholeOp, a: Range, b: Range) -> Option<(i128, i128)> {
    let [a0, a1, b0, b1] = [a.min, a.max, b.min, b.max].map(i128::from);
    let has_zero = b0 <= 0 && b1 >= 0;
    match op {
        WholeOp::Add => Some((a0 + b0, a1 + b1)),
        WholeOp::Subtract => Some((a0 - b1, a1 - b0)),
        WholeOp::Multiply => {
            let products = [a0 * b0, a0 * b1, a1 * b0, a1 * b1];
            Some((products.into_iter().min()?, products.into_iter().max()?))
        }
        WholeOp::Divide if !has_zero => {
            let quotients = [a0 / b0, a0 / b1, a1 / b0, a1 / b1];
            Some((quotients.into_iter().min()?.min(0), quotients.into_iter().max()?.max(0)))
        }
        // `i64::MIN % -1` overflows like the division.
        WholeOp::Remainder if !has_zero && a0 > i128::from(i64::MIN) => {
            let most = b0.abs().max(b1.abs()) - 1;
            Some((-most, most))
        }
        _ => None,
    }
}
