//! `mindflow policy`: check, explain and test policies without a server, and keep their versions.

mod decided;
mod explain;
pub mod managed;
mod report;
mod simulate;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::policies::cases::{read_case_files, run_cases};
use crate::policies::folder::{SCRIPT_FILE, read_limited};
use crate::policies::{CaseReport, PolicyFault, ScriptPolicy, check, shipped};
use crate::scoring::Policy;
use crate::scoring::lower::Obstacle;

pub use explain::ExplainPolicy;
pub use managed::ManagedCommand;

/// Check, explain and test policies; keep their versions, put them in force, take them back.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Check a policy as the server does before it takes it over
    Check(CheckPolicy),
    /// Score one task and say why
    Explain(ExplainPolicy),
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

/// Arguments of `mindflow policy test`.
#[derive(Debug, Args)]
pub struct TestPolicies {
    /// The name or folder of one policy; all without
    #[arg(value_name = "NAME")]
    policy: Option<PathBuf>,
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
            Self::Explain(command) => command.run(policies_dir),
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
        } else if given == Path::new(shipped::DEFAULT) {
            let text = shipped::SCRIPT.to_owned();
            return Ok(Self { name: shipped::DEFAULT.to_owned(), file: PathBuf::from("(shipped)"), text });
        } else {
            anyhow::bail!(
                "there is no policy `{}`: neither a file nor a policy in {}",
                given.display(),
                policies_dir.display()
            );
        };
        let text = read_limited(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let folder = file.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        Ok(Self { name: folder.unwrap_or("policy").to_owned(), file, text })
    }

    fn check(&self) -> anyhow::Result<Result<ScriptPolicy, Vec<PolicyFault>>> {
        Ok(check(&self.name, &self.file, &self.text, shipped::windows()?))
    }

    fn cases(&self, policy: &ScriptPolicy) -> anyhow::Result<CaseReport> {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let files =
            read_case_files(folder).with_context(|| format!("cannot read the examples in {}", folder.display()))?;
        Ok(run_cases(policy, &files))
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
}

impl CheckPolicy {
    fn run(&self, policies_dir: &Path) -> anyhow::Result<ExitCode> {
        let script = Script::read(&self.file, policies_dir)?;
        let checked = script.check()?;
        let cases = checked.as_ref().ok().map(|policy| script.cases(policy)).transpose()?;
        let faults = checked.as_ref().err().map_or(&[][..], Vec::as_slice);
        let report = Checked {
            ok: faults.is_empty(),
            name: &script.name,
            file: &script.file,
            version: checked.as_ref().ok().map(Policy::version),
            interpreted: checked.as_ref().ok().and_then(|policy| policy.program().err()),
            faults,
            cases,
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
        if let Some(cases) = &self.cases {
            lines.extend(cases.failures.iter().map(|failure| format!("warning: {failure}")));
        }
        report::lines(&lines)
    }
}

#[derive(Serialize)]
struct Tested {
    name: String,
    ok: bool,
    faults: Vec<PolicyFault>,
    cases: CaseReport,
}

impl TestPolicies {
    fn run(&self, policies_dir: &Path) -> anyhow::Result<ExitCode> {
        let policies = match &self.policy {
            Some(policy) => vec![policy.clone()],
            None => all_policies(policies_dir)?,
        };
        let tested = policies.iter().map(|policy| test(policy, policies_dir)).collect::<anyhow::Result<Vec<_>>>()?;
        let ok = tested.iter().all(|tested| tested.ok);
        print(&if self.json { report::json(&tested)? } else { tested.iter().map(Tested::text).collect() })?;
        Ok(exit_code(ok))
    }
}

fn all_policies(policies_dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let sources = crate::policies::folder::read_folder(policies_dir)
        .with_context(|| format!("cannot list {}", policies_dir.display()))?;
    anyhow::ensure!(!sources.is_empty(), "there is no policy in {}", policies_dir.display());
    Ok(sources.into_keys().map(PathBuf::from).collect())
}

fn test(policy: &Path, policies_dir: &Path) -> anyhow::Result<Tested> {
    let script = Script::read(policy, policies_dir)?;
    Ok(match script.check()? {
        Ok(policy) => {
            let cases = script.cases(&policy)?;
            Tested { name: script.name, ok: cases.failures.is_empty(), faults: Vec::new(), cases }
        }
        Err(faults) => Tested { name: script.name, ok: false, faults, cases: CaseReport::default() },
    })
}

impl Tested {
    fn text(&self) -> String {
        let mut lines: Vec<String> = self.faults.iter().map(ToString::to_string).collect();
        lines.extend(self.cases.failures.iter().map(ToString::to_string));
        let failed = self.cases.failures.len();
        lines.push(match (self.faults.len(), failed) {
            (0, 0) => format!("{}: {} examples, all as they should be", self.name, self.cases.total),
            (0, _) => format!("{}: {} examples, {failed} failures", self.name, self.cases.total),
            _ => format!("{}: not in order, so no example was run", self.name),
        });
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
