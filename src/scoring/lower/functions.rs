//! The functions of a script, each with its own tree.

use rhai::AST;

/// A function of a script.
pub struct ScriptFunction {
    /// Its name.
    pub name: String,
    /// The names of its parameters.
    pub params: Vec<String>,
    /// Its body: a script with no other function in it.
    pub body: AST,
}

/// The functions of a script; two of one name differ in how many parameters they have.
pub fn functions_of(ast: &AST) -> Vec<ScriptFunction> {
    let alone = |wanted: &str, count: usize| {
        // Rhai's own `clone_functions_only_filtered` clones all of them.
        let mut alone = ast.clone_functions_only();
        alone.retain_functions(|_, _, name, params| name == wanted && params == count);
        alone
    };
    let function = |function: rhai::ScriptFnMetadata<'_>| ScriptFunction {
        name: function.name.to_owned(),
        params: function.params.iter().map(ToString::to_string).collect(),
        body: alone(function.name, function.params.len()),
    };
    ast.iter_functions().map(function).collect()
}
