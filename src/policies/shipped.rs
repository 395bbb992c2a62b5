//! The policy that the program brings along: what runs where there is no other.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::LazyLock;

use crate::calendar::Windows;

use super::compile::compile;
use super::fault::PolicyFault;
use super::script::ScriptPolicy;

/// The name of the policy that is used when nobody chose another.
pub const DEFAULT: &str = "default";

/// Its script.
pub const SCRIPT: &str = include_str!("../../policies/default/policy.rhai");

/// A script of the folder `policies` of the source.
macro_rules! script {
    ($name:literal) => {
        ($name, include_str!(concat!("../../policies/", $name, "/policy.rhai")))
    };
}

/// The policies that the program knows to be in order, by name, with their scripts: our tests tried them.
pub const SHELF: [(&str, &str); 5] = [
    (DEFAULT, SCRIPT),
    script!("deadline-first"),
    script!("eisenhower"),
    script!("quick-wins"),
    script!("taskwarrior"),
];

/// Whether this text is, to the byte, a script of the [`SHELF`].
pub fn is_shipped(source: &str) -> bool {
    SHELF.iter().any(|(_, script)| *script == source)
}

/// What is written into an empty policies folder, with the path of each file in it.
const FILES: [(&str, &str); 5] = [
    ("default/policy.rhai", SCRIPT),
    ("default/README.md", include_str!("../../policies/default/README.md")),
    ("default/tests/days.yaml", include_str!("../../policies/default/tests/days.yaml")),
    ("default/tests/windows.yaml", include_str!("../../policies/default/tests/windows.yaml")),
    ("default/tests/formula.yaml", include_str!("../../policies/default/tests/formula.yaml")),
];

/// Why the shipped policy cannot run: it is tested, so this does not happen to a user.
#[derive(Debug, thiserror::Error)]
#[error("the shipped policy is broken: {0}")]
pub struct ShippedError(String);

static WINDOWS: LazyLock<Result<Windows, String>> = LazyLock::new(|| {
    let windows = compile(Path::new("(shipped)"), SCRIPT).map(|compiled| compiled.declared.windows);
    windows.map_err(|faults| first(&faults))?.ok_or_else(|| "it declares no windows".to_owned())
});

fn first(faults: &[PolicyFault]) -> String {
    faults.first().map(PolicyFault::to_string).unwrap_or_default()
}

/// The windows of people who have set none, where a policy declares none either.
pub fn windows() -> Result<Windows, ShippedError> {
    WINDOWS.clone().map_err(ShippedError)
}

/// The shipped policy itself. It was tried by the tests, so it is not tried again.
pub fn policy() -> Result<ScriptPolicy, ShippedError> {
    let compiled = compile(Path::new("(shipped)"), SCRIPT).map_err(|faults| ShippedError(first(&faults)))?;
    Ok(ScriptPolicy::new(DEFAULT, compiled, windows()?))
}

/// Writes the shipped policy into a new policies folder, for operators to edit.
pub fn write_to(folder: &Path) -> io::Result<()> {
    for (path, content) in FILES {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, content)?;
    }
    Ok(())
}
