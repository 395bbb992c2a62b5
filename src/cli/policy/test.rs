//! `mindflow policy test`: run the worked examples beside policies, and say what they reach.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;

use crate::policies::coverage::{Coverage, cover};
use crate::policies::folder::{SCRIPT_FILE, read_folder};
use crate::policies::{CaseReport, PolicyFault, shipped};

use super::{Script, exit_code, junit, print, report};

/// How much of a script must be reached when nobody says.
const NO_THRESHOLD: f64 = 0.0;

/// Arguments of `mindflow policy test`.
#[derive(Debug, Args)]
pub struct TestPolicies {
    /// The name, the folder or the script of one policy, a folder of policies, or one file of examples; all policies
    /// without
    #[arg(value_name = "PATH")]
    policy: Option<PathBuf>,
    /// Say which functions, branches and cases of the script no example reaches
    #[arg(long)]
    coverage: bool,
    /// Fail when less than this part is reached
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent)]
    threshold: Option<f64>,
    /// Write what came of the examples into this file, as JUnit's XML; without a name, print that instead
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    junit: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn parse_percent(text: &str) -> Result<f64, String> {
    let percent = text.parse().ok().filter(|percent| (0.0..=100.0).contains(percent));
    percent.ok_or_else(|| "must be a number from 0 to 100".to_owned())
}

/// What came of one policy's examples.
#[derive(Debug, Serialize)]
pub(super) struct Tested {
    /// The policy.
    pub(super) name: String,
    /// Whether the script is in order, all examples came out, and enough of the script was reached.
    pub(super) ok: bool,
    /// What is wrong with the script.
    pub(super) faults: Vec<PolicyFault>,
    /// The examples.
    pub(super) cases: CaseReport,
    /// What they reached, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) coverage: Option<Coverage>,
    #[serde(skip)]
    file: PathBuf,
    #[serde(skip)]
    threshold: f64,
}

impl TestPolicies {
    pub(super) fn run(&self, policies_dir: &Path) -> anyhow::Result<ExitCode> {
        let policies = self.policies(policies_dir)?;
        let tested = policies.iter().map(|given| self.test(given, policies_dir)).collect::<anyhow::Result<Vec<_>>>()?;
        let ok = tested.iter().all(|tested| tested.ok);
        let xml = self.junit.as_deref().map(|file| (file, junit::xml(&tested)));
        match xml {
            Some((file, xml)) if file == Path::new("-") => print(&xml)?,
            xml => {
                if let Some((file, xml)) = xml {
                    fs::write(file, xml).with_context(|| format!("cannot write {}", file.display()))?;
                }
                print(&if self.json { report::json(&tested)? } else { tested.iter().map(Tested::text).collect() })?;
            }
        }
        Ok(exit_code(ok))
    }

    /// What is to be tested: one policy, or all of a folder.
    fn policies(&self, policies_dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
        let folder = match &self.policy {
            None => policies_dir,
            Some(given) if given.is_dir() && !given.join(SCRIPT_FILE).is_file() => given,
            Some(given) => return Ok(vec![given.clone()]),
        };
        let sources = read_folder(folder).with_context(|| format!("cannot list {}", folder.display()))?;
        anyhow::ensure!(!sources.is_empty(), "there is no policy in {}", folder.display());
        Ok(sources.into_keys().map(|name| folder.join(name)).collect())
    }

    fn test(&self, given: &Path, policies_dir: &Path) -> anyhow::Result<Tested> {
        let (script, only) = match examples_of(given) {
            Some(folder) => (Script::read(folder, policies_dir)?, Some(given)),
            None => (Script::read(given, policies_dir)?, None),
        };
        let threshold = self.threshold.unwrap_or(NO_THRESHOLD);
        let mut tested = Tested {
            name: script.name.clone(),
            ok: false,
            faults: Vec::new(),
            cases: CaseReport::default(),
            coverage: None,
            file: script.file.clone(),
            threshold,
        };
        let policy = match script.check()? {
            Ok(policy) => policy,
            Err(faults) => return Ok(Tested { faults, ..tested }),
        };
        let files = script.case_files(only)?;
        tested.cases = crate::policies::cases::run_cases(&policy, &files);
        if self.coverage || self.threshold.is_some() {
            match cover(&script.file, &script.text, shipped::windows()?, &files) {
                Ok((_, coverage)) => tested.coverage = Some(coverage),
                Err(faults) => {
                    let why = faults.first().map(ToString::to_string).unwrap_or_default();
                    anyhow::bail!("what the examples of {} reach cannot be measured: {why}", script.name);
                }
            }
        }
        tested.ok = tested.cases.failures.is_empty() && tested.is_covered();
        Ok(tested)
    }
}

/// The policy's folder, when a file of examples in its `tests` is given.
fn examples_of(given: &Path) -> Option<&Path> {
    let is_yaml = given.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    if is_yaml && given.is_file() { given.parent()?.parent() } else { None }
}

impl Tested {
    pub(super) fn is_covered(&self) -> bool {
        self.coverage.as_ref().is_none_or(|coverage| coverage.percent >= self.threshold)
    }

    /// What is missing, in words.
    pub(super) fn too_little(&self) -> Option<String> {
        let coverage = self.coverage.as_ref().filter(|_| !self.is_covered())?;
        Some(format!("{} % of the script is reached, and {} % must be", coverage.percent, self.threshold))
    }

    fn text(&self) -> String {
        let mut lines: Vec<String> = self.faults.iter().map(ToString::to_string).collect();
        lines.extend(self.cases.failures.iter().map(ToString::to_string));
        if let Some(coverage) = &self.coverage {
            let file = self.file.display();
            lines.extend(
                coverage.unreached.iter().map(|branch| {
                    format!("{file}:{}:{}: no example reaches {}", branch.line, branch.column, branch.what)
                }),
            );
        }
        let failed = self.cases.failures.len();
        lines.push(match (self.faults.len(), failed) {
            (0, 0) => format!("{}: {} examples, all as they should be", self.name, self.cases.total),
            (0, _) => format!("{}: {} examples, {failed} failures", self.name, self.cases.total),
            _ => format!("{}: not in order, so no example was run", self.name),
        });
        if let Some(Coverage { branches, reached, percent, .. }) = &self.coverage {
            lines.push(format!("{}: {reached} of {branches} branches reached, {percent} %", self.name));
        }
        lines.extend(self.too_little().map(|missing| format!("{}: {missing}", self.name)));
        report::lines(&lines)
    }
}
