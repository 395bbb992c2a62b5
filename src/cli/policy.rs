//! `mindflow policy`: check, explain and test policies without a server, and keep their versions.

mod bench;
mod decided;
mod explain;
mod junit;
mod learn;
pub mod managed;
mod report;
mod schema;
mod simulate;
mod test;
mod trials;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::policies::cases::{ExampleFile, read_case_files, run_cases};
use crate::policies::folder::{SCRIPT_FILE, read_limited};
use crate::policies::lints::{Warning, lint};
use crate::policies::shipped::Shelved;
use crate::policies::{CaseReport, PolicyFault, ScriptPolicy, check, shipped};
use crate::scoring::Policy;
use crate::scoring::lower::Obstacle;

pub use bench::BenchPolicy;
pub use explain::ExplainPolicy;
pub use managed::ManagedCommand;
pub use schema::PolicySchema;
pub use test::TestPolicies;

/// Check, explain and test policies; keep their versions, put them in force, take them back.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Check a policy as the server does before it takes it over
    Check(CheckPolicy),
    /// Say what scores cost, a task
    Bench(BenchPolicy),
    /// Score one task and say why
    Explain(ExplainPolicy),
    /// Say what may stand in a policy: facts, functions, constants, parameters
    Schema(PolicySchema),
    /// Run the worked examples beside policies
    Test(TestPolicies),
    /// What needs the database
    #[command(flatten)]
    Managed(ManagedCommand),
}

/// Arguments of `mindflow policy check`.
#[derive(Debug, Args)]
pub struct CheckPolicy {
    /// The script, its folder, or the name of a policy
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl PolicyCommand {
    /// Runs the command; policies named without a path are those of `policies_dir`.
    ///
    /// The exit code is 0 when all is in order, 1 when a policy has faults.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, an argument that makes no sense.
    pub fn run(self, policies_dir: &Path) -> anyhow::Result<ExitCode> {
        match self {
            Self::Check(command) => command.run(policies_dir),
            Self::Bench(command) => command.run(policies_dir),
            Self::Explain(command) => command.run(policies_dir),
            Self::Schema(command) => command.run(policies_dir),
            Self::Test(command) => command.run(policies_dir),
            Self::Managed(_) => anyhow::bail!("this needs the database"),
        }
    }
}

/// A script with its text.
struct Script {
    name: String,
    file: PathBuf,
    text: String,
    /// The examples of a shipped policy that is not in the folder.
    cases: Option<Vec<ExampleFile>>,
}

impl Script {
    /// Reads a script given by its file, its folder, or its name in the policies folder.
    fn read(given: &Path, policies_dir: &Path) -> anyhow::Result<Self> {
        let named = policies_dir.join(given).join(SCRIPT_FILE);
        let file = if given.is_file() {
            given.to_owned()
        } else if given.is_dir() && given.join(SCRIPT_FILE).is_file() {
            given.join(SCRIPT_FILE)
        } else if named.is_file() {
            named
        } else if let Some(shelved) = given.to_str().and_then(Shelved::find) {
            let (name, text) = (shelved.name.to_owned(), shelved.script.to_owned());
            return Ok(Self { name, file: PathBuf::from("(shipped)"), text, cases: Some(shelved.cases()) });
        } else {
            anyhow::bail!(
                "there is no policy `{}`: neither a file nor a policy in {}",
                given.display(),
                policies_dir.display()
            );
        };
        let text = read_limited(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let folder = file.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        Ok(Self { name: folder.unwrap_or("policy").to_owned(), file, text, cases: None })
    }

    fn check(&self) -> anyhow::Result<Result<ScriptPolicy, Vec<PolicyFault>>> {
        Ok(check(&self.name, &self.file, &self.text, shipped::windows()?))
    }

    fn cases(&self, policy: &ScriptPolicy) -> anyhow::Result<CaseReport> {
        Ok(run_cases(policy, &self.case_files(None)?))
    }

    /// The files of examples beside the script; of them `only` this one, when one is named.
    fn case_files(&self, only: Option<&Path>) -> anyhow::Result<Vec<ExampleFile>> {
        if let Some(files) = &self.cases {
            return Ok(files.clone());
        }
        if let Some(file) = only {
            let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            return Ok(vec![(file.to_owned(), Ok(text))]);
        }
        Ok(read_case_files(self.file.parent().unwrap_or(Path::new("."))))
    }
}

#[derive(Serialize)]
struct Checked<'a> {
    ok: bool,
    name: &'a str,
    file: &'a Path,
    version: Option<&'a str>,
    /// What leaves its scores to the interpreter.
    interpreted: Option<&'a Obstacle>,
    faults: &'a [PolicyFault],
    cases: Option<CaseReport>,
    warnings: Vec<Warning>,
}

impl CheckPolicy {
    fn run(&self, policies_dir: &Path) -> anyhow::Result<ExitCode> {
        let script = Script::read(&self.file, policies_dir)?;
        let checked = script.check()?;
        let cases = checked.as_ref().ok().map(|policy| script.cases(policy)).transpose()?;
        let warnings = if checked.is_ok() {
            lint(&script.file, &script.text, shipped::windows()?).unwrap_or_default()
        } else {
            Vec::new()
        };
        let faults = checked.as_ref().err().map_or(&[][..], Vec::as_slice);
        let report = Checked {
            ok: faults.is_empty(),
            name: &script.name,
            file: &script.file,
            version: checked.as_ref().ok().map(Policy::version),
            interpreted: checked.as_ref().ok().and_then(|policy| policy.program().err()),
            faults,
            cases,
            warnings,
        };
        print(&if self.json { report::json(&report)? } else { report.text() })?;
        Ok(exit_code(report.ok))
    }
}

impl Checked<'_> {
    fn text(&self) -> String {
        let mut lines: Vec<String> = self.faults.iter().map(ToString::to_string).collect();
        if let Some(version) = self.version {
            lines.push(format!("{}: in order, version {version}", self.file.display()));
            lines.push(match self.interpreted {
                None => format!("{}: compiled", self.file.display()),
                Some(obstacle) => format!("{}: interpreted, {obstacle} is not compiled", self.file.display()),
            });
        }
        lines.extend(self.warnings.iter().map(ToString::to_string));
        if let Some(cases) = &self.cases {
            lines.extend(cases.failures.iter().map(|failure| format!("warning: {failure}")));
        }
        report::lines(&lines)
    }
}

fn exit_code(ok: bool) -> ExitCode {
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Writes to standard output; a reader that went away is no error.
fn print(text: &str) -> anyhow::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
