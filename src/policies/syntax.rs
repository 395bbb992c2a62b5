//! What a script reads and does, found in its syntax tree without running it.
//!
//! The parameters of `score`, `explain` and `eligible` are `task` and `ctx`; calls carry them into other functions.
//! Wherever one of them is used other than by naming a field, nothing is known any more and everything counts as read.

mod calls;
pub(super) mod nodes;
mod worded;

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTFlags, ASTNode, Expr, FnCallExpr, Position, Stmt};

use crate::scoring::lower::functions::{ScriptFunction as Function, functions_of};
use crate::scoring::params::PARAMS_FIELD;
use crate::scoring::{ContextField, TaskField, Uses};

use self::calls::Callable;
use self::nodes::{call_of, changed, first_access, introduced, is_constant, named, place_of, variable};
use self::worded::{HandedOn, Worded, handed_on, misspelt_cases};
use super::coverage::texts_in;
use super::engine::Containers;
use super::suggest::known_names;
use super::words::misspelt;

/// What a parameter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Task,
    Context,
    Both,
}

/// The functions a policy may define for the server, and how many parameters each takes.
pub const ENTRY_POINTS: [&str; 3] = ["score", "explain", "eligible"];

/// The functions that use a closure up. Elsewhere closures could be kept, and hold closures that hold closures without
/// end: no limit of the interpreter counts them.
const TAKE_CLOSURES: [&str; 17] = [
    "map",
    "filter",
    "reduce",
    "reduce_rev",
    "some",
    "all",
    "find",
    "find_map",
    "index_of",
    "for_each",
    "sort",
    "sort_by",
    "order",
    "order_by",
    "retain",
    "drain",
    "dedup",
];

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Analysis {
    /// The fields that may be read.
    pub uses: Uses,
    /// The parameters that are read, and where; without a name where it cannot be told which.
    pub params: BTreeMap<(Option<String>, (usize, usize)), Position>,
    /// The keys that are read of what is no variable of a function, and where: `NAME.key`.
    pub keys: BTreeMap<(String, String, (usize, usize)), Position>,
    /// Whether parts of containers are assigned to.
    pub containers: Containers,
    /// What is not allowed inside of functions: where, and why.
    pub faults: Vec<(Position, String)>,
}

/// So many faults of a script are told.
pub(super) const MOST_FAULTS: usize = 100;

type Bindings = BTreeMap<(String, usize), Vec<Option<Holds>>>;

/// So many different texts of a script are looked for in the cases of a `switch`.
const MOST_TEXTS: usize = 200;

/// Analyses a compiled script; `source` is its text.
pub fn analyse(ast: &AST, source: &str) -> Analysis {
    let functions = functions_of(ast);
    let bindings = bind(&functions);
    let mut reader = Reader {
        analysis: Analysis {
            uses: Uses::NONE,
            params: BTreeMap::new(),
            keys: BTreeMap::new(),
            containers: Containers::Read,
            faults: Vec::new(),
        },
        bindings: &bindings,
        callable: Callable::new(bindings.keys().cloned()),
        handed_on: handed_on(&functions, &bindings),
        texts: texts_in(source).into_iter().collect::<BTreeSet<_>>().into_iter().take(MOST_TEXTS).collect(),
    };
    for function in &functions {
        reader.function(function);
    }
    reader.analysis
}

/// What is wrong outside of functions: where, and why. What is in order there can be run by itself.
pub fn outside(ast: &AST) -> Vec<(Position, String)> {
    let mut names = BTreeSet::new();
    let fault = |statement: &Stmt| match statement {
        Stmt::Var(constant, flags, position) if flags.contains(ASTFlags::CONSTANT) => {
            let name = constant.0.name.as_str();
            let is_new = names.insert(name.to_owned());
            (!is_new).then(|| (*position, format!("the constant `{name}` is declared twice")))
        }
        Stmt::Noop(_) => None,
        other => {
            let message = "outside of functions only `const` is allowed: a policy keeps no state";
            Some((other.position(), message.to_owned()))
        }
    };
    AsRef::<[Stmt]>::as_ref(ast).iter().filter_map(fault).collect()
}

/// Follows `task` and `ctx` through the calls until nothing new is learnt.
fn bind(functions: &[Function]) -> Bindings {
    let mut bindings: Bindings = functions
        .iter()
        .map(|function| {
            let mut holds = vec![None; function.params.len()];
            if ENTRY_POINTS.contains(&function.name.as_str()) && holds.len() == 2 {
                holds = vec![Some(Holds::Task), Some(Holds::Context)];
            }
            ((function.name.clone(), function.params.len()), holds)
        })
        .collect();
    let places: BTreeMap<(&str, usize), usize> = functions
        .iter()
        .enumerate()
        .map(|(place, function)| ((function.name.as_str(), function.params.len()), place))
        .collect();
    // A function is looked at again only when its own parameters have come to hold more.
    let mut open: BTreeSet<usize> = (0..functions.len()).collect();
    while let Some(function) = open.pop_first().and_then(|place| functions.get(place)) {
        let names = names_in(function, &bindings);
        if names.is_empty() {
            continue;
        }
        function.body.walk(&mut |path: &[ASTNode]| {
            if let Some(call) = path.last().and_then(call_of)
                && carry(call, &names, &mut bindings)
            {
                open.extend(places.get(&(call.name.as_str(), call.args.len())));
            }
            true
        });
    }
    bindings
}

/// Notes what a call hands on; whether that is more than was known.
fn carry(call: &FnCallExpr, names: &BTreeMap<&str, Holds>, bindings: &mut Bindings) -> bool {
    let Some(params) = bindings.get_mut(&(call.name.to_string(), call.args.len())) else { return false };
    let mut is_more = false;
    for (param, arg) in params.iter_mut().zip(&call.args) {
        let Some(holds) = variable(arg).and_then(|name| names.get(name)) else { continue };
        let now = match *param {
            None => Some(*holds),
            Some(other) if other == *holds => Some(other),
            Some(_) => Some(Holds::Both),
        };
        is_more |= now != *param;
        *param = now;
    }
    is_more
}

fn names_in<'a>(function: &'a Function, bindings: &Bindings) -> BTreeMap<&'a str, Holds> {
    let holds = bindings.get(&(function.name.clone(), function.params.len()));
    function
        .params
        .iter()
        .zip(holds.into_iter().flatten())
        .filter_map(|(name, holds)| Some((name.as_str(), (*holds)?)))
        .collect()
}

struct Reader<'a> {
    analysis: Analysis,
    bindings: &'a Bindings,
    callable: Callable,
    handed_on: HandedOn,
    texts: Vec<String>,
}

impl Reader<'_> {
    fn function(&mut self, function: &Function) {
        let mut names = names_in(function, self.bindings);
        let mut local: BTreeSet<String> = function.params.iter().cloned().collect();
        let mut variables = local.clone();
        let mut shadowed = Vec::new();
        function.body.walk(&mut |path: &[ASTNode]| {
            for name in path.last().into_iter().flat_map(introduced) {
                if names.contains_key(name.as_str()) {
                    shadowed.push(name.clone());
                }
                if !path.last().is_some_and(is_constant) {
                    variables.insert(name.clone());
                }
                local.insert(name);
            }
            true
        });
        for name in shadowed {
            names.remove(name.as_str());
            self.analysis.uses = Uses::ALL;
        }
        let words = self.handed_on.get(&(function.name.clone(), function.params.len()));
        let worded = Worded::in_function(function, &names, words);
        function.body.walk(&mut |path: &[ASTNode]| {
            self.node(path, &names, &worded);
            self.key(path, &local);
            self.constant(path, &variables);
            true
        });
    }

    fn node(&mut self, path: &[ASTNode], names: &BTreeMap<&str, Holds>, worded: &Worded<'_>) {
        self.closure(path);
        match path.last() {
            Some(ASTNode::Expr(Expr::ThisPtr(position))) => {
                self.fault(*position, "`this` is not part of the policy language: pass `task` and `ctx` as parameters");
            }
            Some(ASTNode::Stmt(Stmt::Assignment(assignment))) if variable(&assignment.1.lhs).is_none() => {
                self.analysis.containers = Containers::Changed;
            }
            Some(node @ (ASTNode::Expr(Expr::FnCall(_, position)) | ASTNode::Stmt(Stmt::FnCall(_, position)))) => {
                if let Some(call) = call_of(node) {
                    self.call(*position, |callable| callable.fault_of_call(call));
                    for (place, message) in misspelt(call, |expr| worded.of(expr)) {
                        self.fault(place, &message);
                    }
                }
            }
            Some(ASTNode::Expr(Expr::MethodCall(call, position))) => {
                self.call(*position, |callable| callable.fault_of_method(call));
            }
            Some(ASTNode::Stmt(Stmt::Switch(parts, _))) => {
                let (expr, cases) = &**parts;
                let faults = worded.of(expr).map(|words| misspelt_cases(&words, cases, &self.texts));
                for (place, message) in faults.into_iter().flatten() {
                    self.fault(place, &message);
                }
            }
            Some(ASTNode::Expr(expr)) => {
                if let Some(holds) = variable(expr).and_then(|name| names.get(name)) {
                    self.mention(path, expr, *holds);
                }
            }
            _ => {}
        }
    }

    /// `NAME.key`, where `NAME` is no variable of the function.
    fn key(&mut self, path: &[ASTNode], local: &BTreeSet<String>) {
        let Some(ASTNode::Expr(Expr::Dot(pair, ..))) = path.last() else { return };
        let Some(owner) = variable(&pair.lhs).filter(|name| !local.contains(*name)) else { return };
        if let Expr::Property(property, position) = first_access(&pair.rhs, false) {
            let key = (owner.to_owned(), property.2.to_string(), place_of(*position));
            self.analysis.keys.insert(key, *position);
        }
    }

    /// `NAME.key = …`: Rhai would find it when a task comes by, and in no words that help.
    fn constant(&mut self, path: &[ASTNode], variables: &BTreeSet<String>) {
        let Some(owner) = path.last().and_then(changed) else { return };
        match variable(owner) {
            Some(name) if variables.contains(name) => {}
            Some(name) => {
                self.fault(owner.position(), &format!("`{name}` is a constant, and its parts cannot be changed"));
            }
            None if owner.is_constant() => {
                self.fault(owner.position(), "this is a constant, and its parts cannot be changed");
            }
            None => {}
        }
    }

    /// A closure is a constant; one that captures variables is a call of `curry` with that constant, in a block that
    /// first shares the variables.
    fn closure(&mut self, path: &[ASTNode]) {
        let Some((node, above)) = path.split_last() else { return };
        let is_curry = |node: &ASTNode| call_of(node).is_some_and(|call| call.name == "curry");
        let shares = |node: &ASTNode| matches!(node, ASTNode::Expr(Expr::Stmt(block)) if matches!(block.statements().first(), Some(Stmt::Share(_))));
        let parent = match node {
            node if is_curry(node) => above.iter().rposition(shares).and_then(|block| above.get(block.checked_sub(1)?)),
            ASTNode::Expr(Expr::DynamicConstant(value, _)) if value.is_fnptr() => match above.last() {
                Some(parent) if is_curry(parent) => return,
                parent => parent,
            },
            _ => return,
        };
        let used_up = |node: &ASTNode| matches!(node, ASTNode::Expr(Expr::MethodCall(call, _)) if TAKE_CLOSURES.contains(&call.name.as_str()));
        if !parent.is_some_and(used_up) {
            let takers = TAKE_CLOSURES.join(", ");
            let message = format!(
                "a closure may only be given to a method that uses it at once, as in `array.map(|x| x + 1)`: {takers}"
            );
            self.fault(node.position(), &message);
        }
    }

    fn call(&mut self, position: Position, fault_of: impl FnOnce(&Callable) -> Option<String>) {
        if self.analysis.faults.len() < MOST_FAULTS
            && let Some(message) = fault_of(&self.callable)
        {
            self.fault(position, &message);
        }
    }

    /// `task` or `ctx` is named: as the owner of a field, as an argument, or in a way that hides what is read.
    fn mention(&mut self, path: &[ASTNode], expr: &Expr, holds: Holds) {
        let parent = path.len().checked_sub(2).and_then(|index| path.get(index));
        match parent {
            Some(ASTNode::Expr(Expr::Dot(pair, flags, _) | Expr::Index(pair, flags, _)))
                if std::ptr::eq(&raw const pair.lhs, expr) =>
            {
                let indexed = matches!(parent, Some(ASTNode::Expr(Expr::Index(..))));
                if holds == Holds::Context && self.param(&pair.rhs) {
                    return;
                }
                self.access(first_access(&pair.rhs, indexed && flags.contains(ASTFlags::BREAK)), holds);
            }
            Some(node)
                if call_of(node)
                    .is_some_and(|call| self.bindings.contains_key(&(call.name.to_string(), call.args.len()))) => {}
            _ => self.analysis.uses = Uses::ALL,
        }
    }

    /// `ctx.params.name`; whether it is that.
    fn param(&mut self, rhs: &Expr) -> bool {
        let field = first_access(rhs, false);
        if named(field).is_none_or(|(name, _)| name != PARAMS_FIELD) {
            return false;
        }
        let next = match rhs {
            Expr::Dot(pair, ..) | Expr::Index(pair, ..) => named(first_access(&pair.rhs, false)),
            _ => None,
        };
        let (name, position) = next.map_or((None, field.position()), |(name, at)| (Some(name.to_owned()), at));
        // Rhai lists a function's last statement twice.
        self.analysis.params.insert((name, place_of(position)), position);
        true
    }

    fn access(&mut self, field: &Expr, holds: Holds) {
        let Some((name, position)) = named(field) else {
            self.analysis.uses = Uses::ALL;
            return;
        };
        match holds {
            Holds::Task => match TaskField::parse(name) {
                Some(field) => self.analysis.uses.add_task(field),
                None => self.unknown("task", name, position, TaskField::ALL.iter().map(|field| field.as_str())),
            },
            Holds::Context => match ContextField::parse(name) {
                Some(field) => self.analysis.uses.add_context(field),
                None => self.unknown("ctx", name, position, ContextField::ALL.iter().map(|field| field.as_str())),
            },
            Holds::Both => self.analysis.uses = Uses::ALL,
        }
    }

    fn unknown(&mut self, owner: &str, name: &str, place: Position, known: impl Iterator<Item = &'static str>) {
        if self.analysis.faults.len() >= MOST_FAULTS {
            return;
        }
        let known: Vec<&str> = known.collect();
        self.fault(place, &format!("`{owner}` has no field `{name}`; {}", known_names(name, &known)));
    }

    fn fault(&mut self, position: Position, message: &str) {
        let fault = (position, message.to_owned());
        // Rhai lists a function's last statement twice.
        if self.analysis.faults.len() < MOST_FAULTS && !self.analysis.faults.contains(&fault) {
            self.analysis.faults.push(fault);
        }
    }
}
