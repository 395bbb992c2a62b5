//! Names that are declared and not used.

use std::collections::{BTreeMap, BTreeSet};

use crate::policies::coverage::words_in;
use crate::policies::fault::Place;
use crate::policies::syntax::ENTRY_POINTS;
use crate::scoring::params::Params;

use super::Lint;

/// The constants that the server itself reads.
const SERVER_CONSTANTS: [&str; 3] = ["WINDOWS", "RANGE", "PARAMS"];

/// Unused constants, functions, parameters of functions, and parameters of the policy.
pub(super) fn unused(source: &str, params: &Params) -> Vec<(Lint, Place, String)> {
    let script = Script::read(source);
    let mut found = Vec::new();
    let everything: Vec<&str> = script.words.iter().map(|(word, _)| *word).collect();
    let count = |name: &str| everything.iter().filter(|word| **word == name).count();
    for (name, at) in &script.constants {
        if !SERVER_CONSTANTS.contains(name) && count(name) < 2 {
            found.push((Lint::Unused, place(source, *at), format!("the constant `{name}` is never used")));
        }
    }
    let called = script.called();
    for function in &script.functions {
        let Function { name, at, params, body } = function;
        if !called.contains(name) {
            found.push((Lint::Unused, place(source, *at), format!("the function `{name}` is never called")));
            continue;
        }
        let own = params
            .iter()
            .filter(|(param, _)| !param.starts_with('_') && !ENTRY_POINTS.contains(name) && !body.contains(param));
        found.extend(own.map(|(param, at)| {
            (Lint::UnusedParameter, place(source, *at), format!("`{name}` never uses its parameter `{param}`"))
        }));
    }
    for param in params.iter() {
        // Once where it is declared; a script that takes `ctx.params` as a whole may use any.
        let whole = script
            .words
            .windows(2)
            .any(|pair| pair[0].0 == "params" && !params.iter().any(|param| param.name == pair[1].0));
        if count(&param.name) < 2 && !whole {
            let line = super::find_word(source, "const", "PARAMS").line.unwrap_or(1);
            let place = crate::policies::compile::find_key(source, line, &param.name).unwrap_or_default();
            found.push((Lint::UnusedParameter, place, format!("no function reads the parameter `{}`", param.name)));
        }
    }
    found
}

struct Function<'a> {
    name: &'a str,
    at: usize,
    params: Vec<(&'a str, usize)>,
    body: BTreeSet<&'a str>,
}

struct Script<'a> {
    words: Vec<(&'a str, usize)>,
    constants: Vec<(&'a str, usize)>,
    functions: Vec<Function<'a>>,
}

impl<'a> Script<'a> {
    fn read(source: &'a str) -> Self {
        let words = words_in(source);
        let after = |keyword: &str| {
            let pairs = words.windows(2).enumerate().filter(|(_, pair)| pair[0].0 == keyword);
            pairs.map(|(index, pair)| (index + 1, pair[1])).collect::<Vec<_>>()
        };
        let starts = after("fn");
        let functions = starts.iter().enumerate().map(|(number, (index, (name, at)))| {
            // Up to the next function or constant; nothing else stands outside of functions.
            let next = starts.get(number + 1).map_or(words.len(), |(next, _)| next - 1);
            let end = words[*index..next].iter().position(|(word, _)| *word == "const").map_or(next, |end| index + end);
            let closing = source[*at..].find(')').map_or(source.len(), |end| at + end);
            let rest = &words[index + 1..end];
            let inside = rest.iter().take_while(|(_, at)| *at < closing).count();
            Function {
                name,
                at: *at,
                params: rest[..inside].to_vec(),
                body: rest[inside..].iter().map(|(word, _)| *word).collect(),
            }
        });
        let functions = functions.collect();
        let constants = after("const").into_iter().map(|(_, constant)| constant).collect();
        Self { words, constants, functions }
    }

    /// The functions that the server's calls lead to.
    fn called(&self) -> BTreeSet<&'a str> {
        let mut bodies: BTreeMap<&str, BTreeSet<&'a str>> = BTreeMap::new();
        for function in &self.functions {
            bodies.entry(function.name).or_default().extend(&function.body);
        }
        let mut called: BTreeSet<&'a str> = BTreeSet::new();
        let mut open: Vec<&'a str> =
            self.functions.iter().map(|function| function.name).filter(|name| ENTRY_POINTS.contains(name)).collect();
        while let Some(name) = open.pop() {
            if called.insert(name) {
                open.extend(bodies.get(name).into_iter().flatten().filter(|word| bodies.contains_key(**word)));
            }
        }
        called
    }
}

fn place(source: &str, at: usize) -> Place {
    let before = &source[..at];
    let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
    Place { line: Some(before.matches('\n').count() + 1), column: Some(column) }
}
