//! Calls of functions that are not there. Rhai would find them only when a task comes by.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use rhai::{FnCallExpr, Module};

use crate::policies::coverage::MARK;
use crate::policies::engine::{Containers, sandbox};
use crate::policies::suggest::nearest;

/// Functions that people expect from Rhai and that a policy does not get.
const IMPURE: [&str; 8] = ["sleep", "timestamp", "rand", "rand_float", "rand_bool", "exit", "open_file", "parse_json"];

/// Functions of the language itself, which are in no package.
const OF_RHAI: [&str; 7] = ["Fn", "call", "curry", "is_def_fn", "is_def_var", "is_shared", "type_of"];

/// For so many names it is said what was probably meant: to compare one with all others takes its time.
const MOST_HINTS: u32 = 20;

/// The names of functions, each with how many parameters they have.
type Functions = BTreeMap<String, BTreeSet<usize>>;

/// What the sandbox's packages have.
static PACKAGED: LazyLock<Functions> = LazyLock::new(|| {
    let engine = sandbox(Module::new(), Containers::Read);
    let functions = engine.collect_fn_metadata(
        None,
        |function| Some((function.metadata.name.to_string(), function.metadata.num_params)),
        true,
    );
    by_name(functions.into_iter())
});

fn by_name(functions: impl Iterator<Item = (String, usize)>) -> Functions {
    let mut named = Functions::new();
    for (name, params) in functions {
        named.entry(name).or_default().insert(params);
    }
    named
}

/// The functions that a script may call.
pub(super) struct Callable {
    own: Functions,
    hints_left: Cell<u32>,
}

impl Callable {
    /// Its own ones, and what the packages have.
    pub(super) fn new(own: impl Iterator<Item = (String, usize)>) -> Self {
        Self { own: by_name(own), hints_left: Cell::new(MOST_HINTS) }
    }

    /// What is wrong with a call by name, if anything is.
    pub(super) fn fault_of_call(&self, call: &FnCallExpr) -> Option<String> {
        let (name, given) = (call.name.as_str(), call.args.len());
        if call.is_operator_call() || call.is_qualified() || name == MARK || OF_RHAI.contains(&name) {
            return None;
        }
        let counts: BTreeSet<usize> = self.counts(name).copied().collect();
        if counts.is_empty() {
            return Some(self.missing(name));
        }
        let wanted = counts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        let plural = if wanted == "1" { "" } else { "s" };
        (!counts.contains(&given)).then(|| format!("`{name}` takes {wanted} argument{plural}, not {given}"))
    }

    /// What is wrong with a call as a method, if anything is.
    pub(super) fn fault_of_method(&self, call: &FnCallExpr) -> Option<String> {
        let name = call.name.as_str();
        let is_known = OF_RHAI.contains(&name) || self.counts(name).next().is_some();
        (!is_known).then(|| self.missing(name))
    }

    fn counts(&self, name: &str) -> impl Iterator<Item = &usize> {
        [&self.own, &*PACKAGED].into_iter().filter_map(move |functions| functions.get(name)).flatten()
    }

    fn missing(&self, name: &str) -> String {
        if IMPURE.contains(&name) {
            return format!("there is no function `{name}`: a policy has no clock, no random numbers, no files");
        }
        let Some(hints_left) = self.hints_left.get().checked_sub(1) else {
            return format!("there is no function `{name}`");
        };
        self.hints_left.set(hints_left);
        let is_word =
            |name: &&str| name.starts_with(|letter: char| letter.is_ascii_alphabetic()) && !name.contains('$');
        let near = |functions: &Functions| {
            let words: Vec<&str> = functions.keys().map(String::as_str).filter(is_word).collect();
            nearest(name, &words).map(str::to_owned)
        };
        match near(&self.own).or_else(|| near(&PACKAGED)) {
            Some(meant) => format!("there is no function `{name}`; did you mean `{meant}`?"),
            None => format!("there is no function `{name}`"),
        }
    }
}
