//! Runs programs of others.

use std::path::Path;
use std::process::{Command, Stdio};

/// No program here may take longer than this; the first run of a machine installs some.
const LIMIT_SECONDS: &str = "900";

/// The folder that the repository is checked out in.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A program that starts in the repository, with what it `needs` (words of `tests/services/with`); not yet run.
pub(crate) fn with(needs: &[&str], program: &str) -> Command {
    let mut command = Command::new(repository().join("tests/services/with"));
    command.args(needs).args(["--", "timeout", LIMIT_SECONDS, program]);
    command.current_dir(repository()).stdin(Stdio::null());
    command
}

/// Runs a program to its end; what it said is given, and shown when it fails.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let (good, said) = outcome(command);
    assert!(good, "{command:?} failed:\n{said}");
    said
}

/// Runs a program to its end: whether it was content, and what it said.
#[track_caller]
pub(crate) fn outcome(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).join("\n");
    (output.status.success(), said)
}
