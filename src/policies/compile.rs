//! From a script's text to something that runs: syntax, constants, required functions, known fields.

use std::path::{Path, PathBuf};

use rhai::{AST, Engine, Module, OptimizationLevel, ParseErrorType, Position, Scope};
use sha2::{Digest, Sha256};

use crate::scoring::lower::{Obstacle, lower};
use crate::scoring::native::Program;
use crate::scoring::params::{ParamValues, Params};
use crate::scoring::{ScoreRange, Uses};

use super::constants::{Declared, read_declared};
use super::engine::{Batch, Containers, MAX_SCRIPT_BYTES, sandbox};
use super::fault::{Place, PolicyFault, run_fault, syntax_fault};
use super::growth::too_large;
use super::params::{ParamFault, read_params};
use super::sizes::too_many;
use super::suggest::{known_names, nearest};
use super::syntax::{Analysis, ENTRY_POINTS, MOST_FAULTS, analyse, outside};

/// A longer script is left to the interpreter: its tree takes megabytes, and would be held more than once.
const MAX_COMPILED_BYTES: usize = 64 * 1024;

/// A script that compiles and has what a policy needs; not yet tried.
pub struct Compiled {
    /// The file it was read from.
    pub file: PathBuf,
    /// A short hash of the text.
    pub version: String,
    /// The sandbox that holds the script's constants.
    pub engine: Engine,
    /// The functions.
    pub ast: AST,
    /// The fields that they read.
    pub uses: Uses,
    /// What the constants declare.
    pub declared: Declared,
    /// What may be set from outside.
    pub params: Params,
    /// What it is set to.
    pub values: ParamValues,
    /// Whether there is a function `eligible`.
    pub has_eligible: bool,
    /// Where the functions stand that the server calls, in the order of [`ENTRY_POINTS`].
    pub places: [Place; 3],
    /// The scores as a native program of these values, or what leaves them to the interpreter.
    pub program: Result<Program, Obstacle>,
    /// What a program of other values is made of.
    pub recipe: Recipe,
}

/// What a native program is made of, besides the functions and the values of parameters.
pub struct Recipe {
    /// The values of the script's constants.
    pub(super) constants: Scope<'static>,
    /// The text, without a byte order mark.
    pub source: String,
    range: Option<ScoreRange>,
}

impl Recipe {
    /// A program of these functions with these values of the parameters.
    ///
    /// # Errors
    ///
    /// What leaves the scores to the interpreter.
    pub fn program(&self, ast: &AST, values: &ParamValues) -> Result<Program, Obstacle> {
        if self.source.len() > MAX_COMPILED_BYTES {
            let message = format!("a script of more than {MAX_COMPILED_BYTES} bytes is not compiled");
            return Err(Obstacle { message, line: None, column: None });
        }
        lower(ast, &self.constants, &self.source, self.range, values)
    }
}

/// The version of a text: the first 12 hexadecimal digits of its SHA-256.
pub fn version_of(source: &str) -> String {
    let digest = Sha256::digest(source.as_bytes());
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.take(12).filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// Compiles a script.
///
/// # Errors
///
/// All faults that can be told without running a function, each with its place.
pub fn compile(file: &Path, source: &str) -> Result<Compiled, Vec<PolicyFault>> {
    if source.len() > MAX_SCRIPT_BYTES {
        // Of a file no more is read than it takes to see this.
        let message = format!("the script has more than the {MAX_SCRIPT_BYTES} bytes that a policy may have");
        return Err(vec![PolicyFault::new(file, message)]);
    }
    if let Some(message) = too_many(source) {
        return Err(vec![PolicyFault::new(file, message)]);
    }
    let version = version_of(source);
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let (constants, analysis) = read_constants(file, source)?;
    let declared = read_declared(&constants)
        .map_err(|(name, message)| vec![PolicyFault::new(file, message).at(find_word(source, "const", name))])?;
    let params = read_params(&constants).map_err(|faults| param_faults(file, source, faults))?;
    let engine = engine_with(&constants, analysis.containers);
    let mut ast =
        engine.compile_with_scope(&constants, source).map_err(|error| vec![strict_fault(file, &error, &constants)])?;
    let mut faults: Vec<PolicyFault> =
        analysis.faults.iter().map(|(place, message)| PolicyFault::new(file, message).at((*place).into())).collect();
    faults.extend(unknown_keys(file, &analysis, &constants));
    faults.extend(unknown_params(file, &analysis, &params));
    faults.extend(missing_functions(file, source, &ast));
    if !faults.is_empty() {
        return Err(faults);
    }
    let has_eligible = ast.iter_functions().any(|function| function.name == "eligible");
    ast.clear_statements();
    let values = params.defaults();
    let recipe = Recipe { constants, source: source.to_owned(), range: declared.range };
    let program = recipe.program(&ast, &values);
    Ok(Compiled {
        file: file.to_owned(),
        version,
        engine,
        ast,
        uses: analysis.uses,
        declared,
        values,
        params,
        has_eligible,
        places: ENTRY_POINTS.map(|name| find_word(source, "fn", name)),
        program,
        recipe,
    })
}

/// Functions do not see a script's constants. So the top level is run once, alone, and what it leaves is put where
/// functions do look: into a global module of the engine.
fn read_constants(file: &Path, source: &str) -> Result<(Scope<'static>, Analysis), Vec<PolicyFault>> {
    let mut engine = sandbox(Module::new(), Containers::Changed);
    engine.set_optimization_level(OptimizationLevel::None);
    // As it was written: what Rhai simplifies is not held to the limits of what runs.
    let ast = engine.compile(source).map_err(|error| vec![syntax_fault(file, &error)])?;
    let told = |(place, message): (Position, String)| PolicyFault::new(file, message).at(place.into());
    let faults: Vec<PolicyFault> = outside(&ast).into_iter().map(told).collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut scope = Scope::new();
    let run = Batch::begin().run(|| {
        scope.clear();
        engine.run_ast_with_scope(&mut scope, &ast)
    });
    run.map_err(|error| vec![PolicyFault::of_run(file, "a constant cannot be computed", &run_fault(*error))])?;
    if let Some(fault) = too_large(&ast, &scope) {
        return Err(vec![told(fault)]);
    }
    let simplified = engine.optimize_ast(&Scope::new(), ast, OptimizationLevel::Simple);
    Ok((scope, analyse(&simplified, source)))
}

fn engine_with(constants: &Scope<'_>, containers: Containers) -> Engine {
    let mut module = Module::new();
    for (name, _, value) in constants.iter() {
        module.set_var(name, value);
    }
    let mut engine = sandbox(module, containers);
    engine.set_strict_variables(true);
    engine
}

/// A syntax error; for an unknown variable with the names that exist.
fn strict_fault(file: &Path, error: &rhai::ParseError, constants: &Scope<'_>) -> PolicyFault {
    let ParseErrorType::VariableUndefined(name) = &*error.0 else { return syntax_fault(file, error) };
    let mut known: Vec<&str> = constants.iter_raw().map(|(name, ..)| name).collect();
    known.sort_unstable();
    let message = format!("there is no variable `{name}` here; {}", known_names(name, &known));
    PolicyFault::new(file, message).at(error.1.into())
}

/// The functions that the server calls: `score` and `explain` must be there, each with two parameters.
fn missing_functions(file: &Path, source: &str, ast: &AST) -> Vec<PolicyFault> {
    let functions: Vec<(&str, usize)> =
        ast.iter_functions().map(|function| (function.name, function.params.len())).collect();
    let mut names: Vec<&str> = functions.iter().map(|(name, _)| *name).filter(|name| !name.contains('$')).collect();
    names.sort_unstable();
    let check = |wanted: &str| {
        let found: Vec<usize> =
            functions.iter().filter(|(name, _)| *name == wanted).map(|(_, params)| *params).collect();
        match found.first() {
            _ if found.contains(&2) => None,
            None if wanted == "eligible" => None,
            None => {
                let message =
                    format!("the function `{wanted}(task, ctx)` is missing; {}", functions_there(wanted, &names));
                // The function that was probably meant; else the file's beginning.
                let meant = nearest(wanted, &names).map(|name| find_word(source, "fn", name));
                let place = meant.filter(|place| place.line.is_some());
                Some(PolicyFault::new(file, message).at(place.unwrap_or(Place { line: Some(1), column: Some(1) })))
            }
            Some(params) => {
                let message = format!("`{wanted}` must take 2 parameters, `task` and `ctx`, not {params}");
                Some(PolicyFault::new(file, message).at(find_word(source, "fn", wanted)))
            }
        }
    };
    ENTRY_POINTS.into_iter().filter_map(check).collect()
}

fn param_faults(file: &Path, source: &str, faults: Vec<ParamFault>) -> Vec<PolicyFault> {
    let place = |name: Option<String>| {
        let whole = find_word(source, "const", "PARAMS");
        name.and_then(|name| find_key(source, whole.line?, &name)).unwrap_or(whole)
    };
    faults.into_iter().map(|(name, message)| PolicyFault::new(file, message).at(place(name))).collect()
}

/// Where `name:` stands, from this line on.
pub fn find_key(source: &str, from_line: usize, name: &str) -> Option<Place> {
    let is_key = |line: &str, at: usize| {
        let word = |letter: char| letter.is_alphanumeric() || letter == '_';
        !line[..at].ends_with(word) && line[at + name.len()..].trim_start_matches('"').trim_start().starts_with(':')
    };
    source.lines().enumerate().skip(from_line.saturating_sub(1)).find_map(|(index, line)| {
        let at = line.match_indices(name).map(|(at, _)| at).find(|at| is_key(line, *at))?;
        Some(Place { line: Some(index + 1), column: Some(line[..at].chars().count() + 1) })
    })
}

/// Keys that the functions read of constant maps which have none of that name: without this, they would be nothing.
fn unknown_keys(file: &Path, analysis: &Analysis, constants: &Scope<'_>) -> Vec<PolicyFault> {
    let check = |((owner, key, _), position): (&(String, String, _), &Position)| {
        let (_, _, value) = constants.iter().find(|(name, ..)| name == owner)?;
        let map = value.as_map_ref().ok().filter(|map| !map.contains_key(key.as_str()))?;
        let known: Vec<&str> = map.keys().map(AsRef::<str>::as_ref).collect();
        let message = format!("the constant `{owner}` has no `{key}`; {}", known_names(key, &known));
        Some(PolicyFault::new(file, message).at((*position).into()))
    };
    analysis.keys.iter().filter_map(check).take(MOST_FAULTS).collect()
}

/// Parameters that the functions read and nobody declared.
fn unknown_params(file: &Path, analysis: &Analysis, params: &Params) -> Vec<PolicyFault> {
    let known: Vec<&str> = params.iter().map(|param| param.name.as_str()).collect();
    let check = |((name, _), position): (&(Option<String>, _), &Position)| {
        let message = match name {
            _ if params.is_empty() => "`ctx` has no field `params`: the script declares no `PARAMS`".to_owned(),
            Some(name) if params.get(name).is_none() => {
                format!("`PARAMS` has no `{name}`; {}", known_names(name, &known))
            }
            _ => return None,
        };
        Some(PolicyFault::new(file, message).at((*position).into()))
    };
    analysis.params.iter().filter_map(check).take(MOST_FAULTS).collect()
}

fn functions_there(wanted: &str, names: &[&str]) -> String {
    if names.is_empty() {
        return "the file has no functions".to_owned();
    }
    let there = format!("the file has: {}", names.join(", "));
    nearest(wanted, names).map_or(there.clone(), |name| format!("{there}; did you mean `{wanted}` by `{name}`?"))
}

/// Where `fn name` or `const name` stands: Rhai keeps no place for either.
pub fn find_word(source: &str, keyword: &str, name: &str) -> Place {
    let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
    let last_word =
        |text: &str| text.split(|letter| !is_letter(letter)).rfind(|word| !word.is_empty()).map(str::to_owned);
    let mut before = None;
    for (index, line) in source.lines().enumerate() {
        let code = line.split("//").next().unwrap_or("");
        for (at, _) in code.match_indices(name) {
            let (ahead, rest) = (&code[..at], &code[at + name.len()..]);
            let is_whole = !ahead.ends_with(is_letter) && !rest.starts_with(is_letter);
            if is_whole && last_word(ahead).or_else(|| before.clone()).as_deref() == Some(keyword) {
                return Place { line: Some(index + 1), column: Some(ahead.chars().count() + 1) };
            }
        }
        before = last_word(code).or(before);
    }
    Place::default()
}
