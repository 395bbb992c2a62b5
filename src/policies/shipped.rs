//! The policies that the program brings along: what runs where there is no other, and what can be chosen beside it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::calendar::Windows;

use super::cases::ExampleFile;
use super::compile::compile;
use super::fault::PolicyFault;
use super::folder::SCRIPT_FILE;
use super::script::ScriptPolicy;

/// The name of the policy that is used when nobody chose another.
pub const DEFAULT: &str = "default";

/// Its script.
pub const SCRIPT: &str = include_str!("../../policies/default/policy.rhai");

/// A policy of the shelf with all its files.
#[derive(Clone, Copy, Debug)]
pub struct Shelved {
    /// Its name: its folder's.
    pub name: &'static str,
    /// Its script.
    pub script: &'static str,
    /// Its other files, each with its path in the folder.
    files: &'static [(&'static str, &'static str)],
}

macro_rules! shelved {
    ($name:literal, $($file:literal),+) => {
        Shelved {
            name: $name,
            script: include_str!(concat!("../../policies/", $name, "/policy.rhai")),
            files: &[$(($file, include_str!(concat!("../../policies/", $name, "/", $file)))),+],
        }
    };
}

/// The policies that the program brings along; the default comes first.
pub const SHELF: [Shelved; 5] = [
    shelved!("default", "README.md", "tests/days.yaml", "tests/windows.yaml", "tests/formula.yaml"),
    shelved!("deadline-first", "README.md", "tests/slack.yaml"),
    shelved!("eisenhower", "README.md", "tests/quadrants.yaml"),
    shelved!("quick-wins", "README.md", "tests/wins.yaml"),
    shelved!("taskwarrior", "README.md", "tests/urgency.yaml"),
];

impl Shelved {
    /// The policy of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        SHELF.iter().find(|shelved| shelved.name == name)
    }

    /// The policy, ready to score. It was tried by the tests, so it is not tried again.
    ///
    /// # Errors
    ///
    /// It is broken, which the tests see first.
    pub fn policy(&self) -> Result<ScriptPolicy, ShippedError> {
        let compiled = compile(Path::new("(shipped)"), self.script).map_err(|faults| ShippedError(first(&faults)))?;
        Ok(ScriptPolicy::new(self.name, compiled, windows()?))
    }

    /// Writes it into a policies folder, for operators to edit.
    pub fn write_to(&self, folder: &Path) -> io::Result<()> {
        let folder = folder.join(self.name);
        for (path, content) in self.files.iter().chain([&(SCRIPT_FILE, self.script)]) {
            let path = folder.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, content)?;
        }
        Ok(())
    }

    /// The worked examples beside it, each file with its name.
    pub fn cases(&self) -> Vec<ExampleFile> {
        let files = self.files.iter().filter(|(path, _)| path.starts_with("tests/"));
        files.map(|(path, text)| (PathBuf::from(path), Ok((*text).to_owned()))).collect()
    }
}

/// Whether this text is, to the byte, a script that the program brings along, and so is known to be in order.
pub fn is_shipped(source: &str) -> bool {
    SHELF.iter().any(|shelved| shelved.script == source)
}

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

/// The shipped default policy itself.
pub fn policy() -> Result<ScriptPolicy, ShippedError> {
    SHELF[0].policy()
}

/// Writes all of them into a new policies folder, for operators to edit and people to choose.
pub fn write_to(folder: &Path) -> io::Result<()> {
    SHELF.iter().try_for_each(|shelved| shelved.write_to(folder))
}
