//! From a script's syntax tree to a [`Program`], or to the place that prevents it.
//!
//! Functions are put in where they are called; branches are computed both, and the one that holds is taken; a `return`
//! is a truth value that keeps what comes after it from counting. So what is left has no jumps. Loops, closures and
//! texts that are put together do not compile: such scripts are interpreted, which gives the same scores more slowly.

mod calls;
mod expressions;
mod facts;
pub mod functions;
mod statements;
pub mod switch;

use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use rhai::{AST, ASTNode, Dynamic, Position, Scope, Stmt};

use serde::Serialize;

use functions::{ScriptFunction, functions_of};

use super::native::graph::{Id, Node};
use super::native::values::{Data, Maker, Refusal, Value};
use super::native::{Program, Results};
use super::params::ParamValues;
use super::policy::ScoreRange;

/// More operations than this are left to the interpreter.
const MOST_NODES: usize = 20_000;
/// A script with more expressions, each counted as often as it is called, may take the interpreter to its limits.
const MOST_EXPRESSIONS: usize = 20_000;
/// Calls inside of calls; the interpreter allows about as many.
const MOST_CALLS: usize = 20;
/// Variables of a function; the interpreter allows about as many.
const MOST_VARIABLES: usize = 60;
/// Parts of an array or a map, and of its parts; the interpreter allows four times as many.
const MOST_ITEMS: usize = 64;
/// Bytes of a text: so many of the longest are no more together than the interpreter allows.
const MOST_TEXT: usize = 128;
/// The stack on which a script's tree is walked: calls are put in one inside of the other.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// What prevents a script from being compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct Obstacle {
    /// What it is.
    pub message: String,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The column, from 1.
    pub column: Option<usize>,
}

/// `line 3, column 7: a loop`.
impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, "line {line}, column {column}: {}", self.message),
            (Some(line), None) => write!(f, "line {line}: {}", self.message),
            (None, _) => f.write_str(&self.message),
        }
    }
}

/// Compiles a script's `score` and, if there is one, `eligible`.
///
/// - `ast`: the script with its functions.
/// - `constants`: the values of its constants.
/// - `source`: its text, in which the values of `switch` cases are looked for: the tree holds their hashes alone.
/// - `range`: what scores may be.
/// - `params`: the values of the parameters: the program is of these values, and of no others.
///
/// # Errors
///
/// [`Obstacle`]: the first thing that only the interpreter can do.
pub fn lower(
    ast: &AST,
    constants: &Scope<'_>,
    source: &str,
    range: Option<ScoreRange>,
    params: &ParamValues,
) -> Result<Program, Obstacle> {
    let compile = || {
        let mut lowering = Lowering::new(ast, constants, source, params);
        let score = lowering.entry("score")?;
        let eligible = if lowering.has("eligible") { Some(lowering.entry("eligible")?) } else { None };
        lowering.finish(&score, eligible.as_ref(), range)
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("policy-compiler".to_owned()).stack_size(STACK_BYTES);
        let thread = thread.spawn_scoped(scope, compile).map_err(|_| at(Position::NONE, "no thread to compile on"))?;
        thread.join().unwrap_or_else(|_| Err(at(Position::NONE, "the compiler failed on this script")))
    })
}

struct Function {
    params: Vec<String>,
    body: Vec<Stmt>,
}

struct Lowering<'a> {
    maker: Maker,
    functions: HashMap<(String, usize), Rc<Function>>,
    constants: HashMap<String, Value>,
    source: &'a str,
    params: &'a ParamValues,
    /// The calls that are being put in, the innermost last.
    calls: Vec<String>,
    /// How many expressions were read.
    expressions: usize,
}

/// What holds at a place of a function.
#[derive(Clone)]
struct State {
    /// The variables, the innermost last.
    variables: Vec<(String, Value)>,
    /// Whether the function has returned already.
    returned: Id,
    /// What it returned.
    result: Value,
    /// Whether something has failed.
    fails: Id,
    /// How many assignments and returns there were on the way.
    changes: u32,
}

impl<'a> Lowering<'a> {
    fn new(ast: &AST, constants: &Scope<'_>, source: &'a str, params: &'a ParamValues) -> Self {
        let mut maker = Maker::default();
        let constants =
            constants.iter().map(|(name, _, value)| (name.to_owned(), constant(&mut maker, &value))).collect();
        Self { maker, functions: statements_of(ast), constants, source, params, calls: Vec::new(), expressions: 0 }
    }

    fn has(&self, name: &str) -> bool {
        self.functions.contains_key(&(name.to_owned(), 2))
    }

    /// What one of the functions that the server calls returns.
    fn entry(&mut self, name: &str) -> Result<Value, Obstacle> {
        let args = [facts::task(&mut self.maker), facts::context(&mut self.maker, self.params)];
        self.call_function(name, &args)
    }

    fn finish(
        mut self,
        score: &Value,
        eligible: Option<&Value>,
        range: Option<ScoreRange>,
    ) -> Result<Program, Obstacle> {
        let (score, score_fails) = self.maker.score(score).map_err(unplaced)?;
        let (eligible, eligible_fails) = match eligible {
            Some(value) => self.maker.condition(value).map_err(unplaced)?,
            None => (self.maker.graph.bool(true), self.maker.graph.bool(false)),
        };
        // The interpreter does not compute the score of what is not eligible.
        let counts = self.maker.and(eligible, score_fails);
        let fails = self.maker.or(eligible_fails, counts);
        let Maker { graph, symbols } = self.maker;
        Ok(Program::new(&graph, symbols, Results { score, eligible, fails }, range))
    }

    fn state(&mut self) -> State {
        let no = self.maker.graph.bool(false);
        State { variables: Vec::new(), returned: no, result: self.maker.nothing(), fails: no, changes: 0 }
    }

    /// Notes that something was computed: its failure counts, unless the function has returned before.
    fn note(&mut self, state: &mut State, fails: Id) {
        let still = self.maker.not(state.returned);
        let counts = self.maker.and(still, fails);
        state.fails = self.maker.or(state.fails, counts);
    }

    /// The state after a branch.
    fn merge(&mut self, holds: Id, yes: &State, no: &State) -> State {
        let pick = |maker: &mut Maker, a: Id, b: Id| maker.graph.add(Node::Select(holds, a, b));
        let variables = yes.variables.iter().zip(&no.variables);
        State {
            variables: variables
                .map(|((name, a), (_, b))| (name.clone(), merged(&mut self.maker, holds, a, b)))
                .collect(),
            returned: pick(&mut self.maker, yes.returned, no.returned),
            result: self.maker.select(holds, &yes.result, &no.result),
            fails: pick(&mut self.maker, yes.fails, no.fails),
            changes: yes.changes.max(no.changes),
        }
    }

    fn check_size(&self, position: Position) -> Result<(), Obstacle> {
        if self.maker.graph.nodes().len() > MOST_NODES || self.expressions > MOST_EXPRESSIONS {
            return Err(at(position, "the script is too large to be compiled"));
        }
        Ok(())
    }
}

/// Variables that no branch changed stay as they are, whatever they hold.
fn merged(maker: &mut Maker, holds: Id, yes: &Value, no: &Value) -> Value {
    let same = yes.absent == no.absent
        && yes.fails == no.fails
        && match (&yes.data, &no.data) {
            (Data::Map(a), Data::Map(b)) => Rc::ptr_eq(a, b),
            (Data::List(a), Data::List(b)) => Rc::ptr_eq(a, b),
            _ => false,
        };
    if same { yes.clone() } else { maker.select(holds, yes, no) }
}

fn at(position: Position, message: &str) -> Obstacle {
    Obstacle { message: message.to_owned(), line: position.line(), column: position.position() }
}

fn placed(position: Position) -> impl Fn(Refusal) -> Obstacle {
    move |Refusal(message)| at(position, &message)
}

fn unplaced(Refusal(message): Refusal) -> Obstacle {
    Obstacle { message, line: None, column: None }
}

/// The functions by name and number of parameters.
fn statements_of(ast: &AST) -> HashMap<(String, usize), Rc<Function>> {
    let read = |ScriptFunction { name, params, body }: ScriptFunction| {
        let mut statements: Vec<Stmt> = Vec::new();
        body.walk(&mut |path: &[ASTNode]| {
            if let [ASTNode::Stmt(statement)] = path {
                statements.push((*statement).clone());
            }
            true
        });
        ((name, params.len()), Rc::new(Function { params, body: statements }))
    };
    functions_of(ast).into_iter().map(read).collect()
}

/// A constant of the script as a value; what has no place in compiled scripts is mixed, and refused where it is used.
fn constant(maker: &mut Maker, value: &Dynamic) -> Value {
    if value.is_unit() {
        return maker.nothing();
    }
    if let Ok(truth) = value.as_bool() {
        return maker.bool(truth);
    }
    if let Ok(whole) = value.as_int() {
        return maker.whole(whole);
    }
    if let Ok(float) = value.as_float() {
        return maker.float(float);
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return maker.text(text.as_str());
    }
    if let Ok(map) = value.as_map_ref() {
        let entries = map.iter().map(|(name, value)| (name.to_string(), constant(maker, value))).collect();
        return maker.sure(Data::Map(Rc::new(entries)));
    }
    if let Ok(array) = value.as_array_ref() {
        let items = array.iter().map(|value| constant(maker, value)).collect();
        return maker.sure(Data::List(Rc::new(items)));
    }
    maker.sure(Data::Mixed)
}
