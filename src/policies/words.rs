//! Words that a fact can never be: a comparison with one is a slip of the keyboard, and no run of the script shows it.

use rhai::{Expr, FnCallExpr, Position};

use crate::calendar::TimeOfDay;
use crate::scoring::{ContextField, Energy, Status, TaskField};

use super::suggest::known_names;

/// The words that a field of `task` can be, when they are known.
pub(super) fn of_task(field: TaskField) -> Option<Vec<&'static str>> {
    match field {
        TaskField::Status => Some(Status::ALL.iter().map(|status| status.as_str()).collect()),
        TaskField::PreferredTime => Some(TimeOfDay::ALL.iter().map(|time| time.as_str()).collect()),
        _ => None,
    }
}

/// The words that a field of `ctx` can be, when they are known.
pub(super) fn of_context(field: ContextField) -> Option<Vec<&'static str>> {
    let energies = [Energy::Low, Energy::Medium, Energy::High];
    (field == ContextField::Energy).then(|| energies.iter().map(|energy| energy.as_str()).collect())
}

/// What a call compares a fact with in vain: where, and what the fact can be.
///
/// - `words`: what an expression can be, and its name, when it is such a fact.
pub(super) fn misspelt(
    call: &FnCallExpr,
    words: impl Fn(&Expr) -> Option<(String, Vec<String>)>,
) -> Vec<(Position, String)> {
    let [a, b] = call.args.as_slice() else { return Vec::new() };
    let compared: Vec<(&Expr, String, Position)> = match call.name.as_str() {
        "==" | "!=" => texts(b)
            .map(|(word, place)| (a, word, place))
            .chain(texts(a).map(|(word, place)| (b, word, place)))
            .collect(),
        // `fact in [words]`.
        "contains" => texts(a).map(|(word, place)| (b, word, place)).collect(),
        _ => Vec::new(),
    };
    let fault = |(fact, word, place): (&Expr, String, Position)| {
        let (name, known) = words(fact)?;
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let is_known = known.contains(&word.as_str());
        (!is_known).then(|| (place, format!("`{name}` is never `{word}`; {}", known_names(&word, &known))))
    };
    compared.into_iter().filter_map(fault).collect()
}

/// A text, or those of an array, each with its place.
fn texts(expr: &Expr) -> impl Iterator<Item = (String, Position)> {
    let found: Vec<(String, Position)> = match expr {
        Expr::StringConstant(word, position) => vec![(word.to_string(), *position)],
        Expr::Array(items, _) => items.iter().flat_map(texts).collect(),
        Expr::DynamicConstant(value, position) => match value.as_array_ref() {
            Ok(items) => items.iter().filter_map(|item| Some((item.clone().into_string().ok()?, *position))).collect(),
            Err(_) => Vec::new(),
        },
        _ => Vec::new(),
    };
    found.into_iter()
}
