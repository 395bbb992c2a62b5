//! Facts that are words, such as `task.status`: what they can be, also behind a variable, a `??` or a parameter.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{ASTNode, Expr, Position, Stmt, SwitchCasesCollection};

use super::nodes::{call_of, introduced, variable};
use super::{Bindings, Function, Holds, names_in};
use crate::policies::suggest::known_names;
use crate::policies::words;
use crate::scoring::lower::switch::cases_of_texts;
use crate::scoring::{ContextField, TaskField};

/// A fact's name, and the words that it can be.
pub(super) type Words = (String, Vec<String>);

/// The words that each parameter of each function can be; `None` where calls do not agree, or hand on something else.
pub(super) type HandedOn = BTreeMap<(String, usize), Vec<Option<Words>>>;

/// The variables of a function that hold such facts.
pub(super) struct Worded<'a> {
    names: &'a BTreeMap<&'a str, Holds>,
    variables: BTreeMap<String, Words>,
}

impl<'a> Worded<'a> {
    /// Those that are set once and never again; `handed_on`: what its parameters hold.
    pub(super) fn in_function(
        function: &Function,
        names: &'a BTreeMap<&'a str, Holds>,
        handed_on: Option<&Vec<Option<Words>>>,
    ) -> Self {
        let params = function.params.iter().zip(handed_on.into_iter().flatten());
        let params = params.filter_map(|(name, words)| Some((name.clone(), words.clone()?)));
        let mut worded = Self { names, variables: params.collect() };
        let mut seen: BTreeSet<String> = function.params.iter().cloned().collect();
        let mut changed: BTreeSet<String> = BTreeSet::new();
        let mut found = BTreeMap::new();
        let mut places = BTreeSet::new();
        function.body.walk(&mut |path: &[ASTNode]| {
            let Some(node) = path.last() else { return true };
            // Rhai lists a function's last statement twice.
            if let ASTNode::Stmt(Stmt::Var(var, ..)) = node
                && places.insert(place(var.0.pos))
            {
                found.extend(worded.of(&var.1).map(|words| (var.0.name.to_string(), words)));
                changed.extend(introduced(node).into_iter().filter(|name| !seen.insert(name.clone())));
            } else if !matches!(node, ASTNode::Stmt(Stmt::Var(..))) {
                changed.extend(introduced(node));
            }
            if let ASTNode::Stmt(Stmt::Assignment(assignment)) = node {
                changed.extend(variable(&assignment.1.lhs).map(ToOwned::to_owned));
            }
            true
        });
        worded.variables.extend(found);
        worded.variables.retain(|name, _| !changed.contains(name));
        worded
    }

    /// What an expression can be, with the fact's name, if it is such a fact.
    pub(super) fn of(&self, expr: &Expr) -> Option<Words> {
        match expr {
            Expr::Dot(pair, ..) => {
                let (owner, Expr::Property(property, _)) = (variable(&pair.lhs)?, &pair.rhs) else { return None };
                let name = property.2.as_str();
                let words = match self.names.get(owner)? {
                    Holds::Task => words::of_task(TaskField::parse(name)?)?,
                    Holds::Context => words::of_context(ContextField::parse(name)?)?,
                    Holds::Both => return None,
                };
                Some((format!("{owner}.{name}"), words.into_iter().map(ToOwned::to_owned).collect()))
            }
            Expr::Coalesce(choices, _) => {
                let (fact, others) = choices.split_first()?;
                let (name, mut words) = self.of(fact)?;
                for other in others {
                    let Expr::StringConstant(word, _) = other else { return None };
                    words.push(word.to_string());
                }
                Some((name, words))
            }
            other => self.variables.get(variable(other)?).cloned(),
        }
    }
}

fn place(position: Position) -> (Option<usize>, Option<usize>) {
    (position.line(), position.position())
}

/// What calls hand on to the script's functions, as far as it is such a fact each time.
pub(super) fn handed_on(functions: &[Function], bindings: &Bindings) -> HandedOn {
    let mut handed: BTreeMap<(String, usize), Vec<Option<Option<Words>>>> = functions
        .iter()
        .map(|function| ((function.name.clone(), function.params.len()), vec![None; function.params.len()]))
        .collect();
    for function in functions {
        let names = names_in(function, bindings);
        let worded = Worded::in_function(function, &names, None);
        function.body.walk(&mut |path: &[ASTNode]| {
            let Some(call) = path.last().and_then(call_of) else { return true };
            let Some(params) = handed.get_mut(&(call.name.to_string(), call.args.len())) else { return true };
            for (param, arg) in params.iter_mut().zip(&call.args) {
                let words = worded.of(arg);
                *param = Some(match param.take() {
                    None => words,
                    Some(before) => before.filter(|before| Some(before) == words.as_ref()),
                });
            }
            true
        });
    }
    handed.into_iter().map(|(key, params)| (key, params.into_iter().map(Option::flatten).collect())).collect()
}

/// The cases of a `switch` that hold for none of a fact's words: where, and what the fact can be.
///
/// - `texts`: those that stand in the script; a case shows in the syntax tree as the hash of its value alone.
pub(super) fn misspelt_cases(
    (name, known): &Words,
    cases: &SwitchCasesCollection,
    texts: &[String],
) -> Vec<(Position, String)> {
    let fault = |(hash, word): (u64, String)| {
        let block = cases.cases.get(&hash)?.blocks.first()?;
        let place = cases.expressions.get(*block)?.rhs.position();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        Some((place, format!("`{name}` is never `{word}`; {}", known_names(&word, &known))))
    };
    let strange = texts.iter().filter(|text| !known.contains(text)).cloned().collect();
    cases_of_texts(strange).into_iter().filter_map(fault).collect()
}
