//! Arithmetic exactly as Rhai's interpreter does it.

use super::graph::{Compare, FloatFn, FloatOp, WholeOp};

/// Wraps where it overflows; 0 where there is no result.
#[inline]
pub(super) fn whole(op: WholeOp, a: i64, b: i64) -> i64 {
    match op {
        WholeOp::Add => a.wrapping_add(b),
        WholeOp::Subtract => a.wrapping_sub(b),
        WholeOp::Multiply => a.wrapping_mul(b),
        WholeOp::Divide => a.checked_div(b).unwrap_or(0),
        WholeOp::Remainder => a.checked_rem(b).unwrap_or(0),
        WholeOp::Min => a.min(b),
        WholeOp::Max => a.max(b),
    }
}

/// Whether there is no result.
#[inline]
pub(super) fn overflows(op: WholeOp, a: i64, b: i64) -> bool {
    match op {
        WholeOp::Add => a.checked_add(b).is_none(),
        WholeOp::Subtract => a.checked_sub(b).is_none(),
        WholeOp::Multiply => a.checked_mul(b).is_none(),
        WholeOp::Divide => a.checked_div(b).is_none(),
        WholeOp::Remainder => a.checked_rem(b).is_none(),
        WholeOp::Min | WholeOp::Max => false,
    }
}

#[inline]
pub(super) fn float(op: FloatOp, a: f64, b: f64) -> f64 {
    match op {
        FloatOp::Add => a + b,
        FloatOp::Subtract => a - b,
        FloatOp::Multiply => a * b,
        FloatOp::Divide => a / b,
        FloatOp::Remainder => a % b,
        FloatOp::Power => a.powf(b),
        FloatOp::Min => {
            if a <= b {
                a
            } else {
                b
            }
        }
        FloatOp::Max => {
            if a >= b {
                a
            } else {
                b
            }
        }
    }
}

#[inline]
pub(super) fn function(function: FloatFn, a: f64) -> f64 {
    match function {
        FloatFn::Negate => -a,
        FloatFn::Abs => a.abs(),
        FloatFn::Floor => a.floor(),
        FloatFn::Ceiling => a.ceil(),
        FloatFn::Round => a.round(),
        FloatFn::Int => a.trunc(),
        FloatFn::Fraction => a.fract(),
        FloatFn::Sqrt => a.sqrt(),
        FloatFn::Exp => a.exp(),
        FloatFn::Ln => a.ln(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "as Rhai's own arithmetic of mixed numbers")]
#[inline]
pub(super) const fn to_float(whole: i64) -> f64 {
    whole as f64
}

#[inline]
pub(super) fn compare_whole(op: Compare, a: i64, b: i64) -> bool {
    match op {
        Compare::Equal => a == b,
        Compare::NotEqual => a != b,
        Compare::Less => a < b,
        Compare::LessEqual => a <= b,
        Compare::Greater => a > b,
        Compare::GreaterEqual => a >= b,
    }
}

/// Rhai's comparison: numbers whose difference is not larger than the relative rounding error are equal.
#[inline]
pub(super) fn compare_float(op: Compare, a: f64, b: f64) -> bool {
    let size = if a * b == 0.0 { 1.0 } else { a.abs().max(b.abs()) };
    // Not a number against zero: the interpreter holds them equal.
    if size == 0.0 {
        return matches!(op, Compare::Equal | Compare::LessEqual | Compare::GreaterEqual);
    }
    match op {
        Compare::Equal => (a - b).abs() / size <= f64::EPSILON,
        Compare::NotEqual => (a - b).abs() / size > f64::EPSILON,
        Compare::Less => (b - a) / size > f64::EPSILON,
        Compare::LessEqual => (b - a) / size > -f64::EPSILON,
        Compare::Greater => (a - b) / size > f64::EPSILON,
        Compare::GreaterEqual => (a - b) / size > -f64::EPSILON,
    }
}
