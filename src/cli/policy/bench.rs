//! `mindflow policy bench`: what a policy costs, a task.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use clap::Args;
use serde_json::json;

use super::{Script, exit_code, print, report};
use crate::clock::Clock;
use crate::policies::ScriptPolicy;
use crate::policies::corpus::corpus;
use crate::scoring::{FactTable, Moment, Policy as _};

/// How long each kind of run is repeated.
const SPAN: Duration = Duration::from_millis(300);
/// So many tasks are interpreted and explained, at most: each takes thousands of times as long.
const MOST_INTERPRETED: usize = 2_000;

/// Arguments of `mindflow policy bench`.
#[derive(Debug, Args)]
pub struct BenchPolicy {
    /// The script, its folder, or the name of a policy
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How many tasks are scored at once
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    tasks: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl BenchPolicy {
    pub(super) fn run(&self, policies_dir: &Path) -> anyhow::Result<ExitCode> {
        let script = Script::read(&self.file, policies_dir)?;
        let policy = match script.check()? {
            Ok(policy) => policy,
            Err(faults) => {
                let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
                print(&if self.json {
                    report::json(&json!({ "ok": false, "faults": faults }))?
                } else {
                    report::lines(&lines)
                })?;
                return Ok(exit_code(false));
            }
        };
        let cost = Cost::of(&policy, self.tasks as usize);
        print(&if self.json { cost.as_json(&policy)? } else { cost.as_text(&policy) })?;
        Ok(exit_code(true))
    }
}

/// Nanoseconds a task.
struct Cost {
    tasks: usize,
    scored: f64,
    interpreted: f64,
    explained: f64,
}

impl Cost {
    fn of(policy: &ScriptPolicy, count: usize) -> Self {
        let moment = Moment::new(Clock::system().now(), Tz::UTC);
        let ctx = policy.context(&moment);
        let tasks = corpus(&moment, count);
        let facts = FactTable::new(&tasks, &moment);
        let few = count.min(MOST_INTERPRETED);
        let explain = |row: usize| policy.explain(&facts, row, &ctx);
        Self {
            tasks: count,
            scored: nanos(count, || drop(black_box(policy.verdicts(&facts, &ctx)))),
            interpreted: nanos(few, || {
                let mut run = policy.run(&ctx);
                let rows = (0..few).filter_map(|row| facts.row(row));
                rows.for_each(|facts| drop(black_box(policy.judge(&mut run, &facts))));
            }),
            explained: nanos(few, || (0..few).for_each(|row| drop(black_box(explain(row))))),
        }
    }

    fn as_json(&self, policy: &ScriptPolicy) -> anyhow::Result<String> {
        report::json(&json!({
            "name": policy.name(), "version": policy.version(), "execution": policy.execution(Clock::system().now()).as_str(),
            "tasks": self.tasks, "ns_per_task": self.scored, "interpreted_ns_per_task": self.interpreted,
            "explained_ns_per_task": self.explained,
        }))
    }

    fn as_text(&self, policy: &ScriptPolicy) -> String {
        let execution = policy.execution(Clock::system().now()).as_str().replace('_', " ");
        report::lines(&[
            format!("{}, version {}: {execution}", policy.name(), policy.version()),
            format!("scored      {:>12.1} ns a task, {} tasks at once", self.scored, self.tasks),
            format!(
                "interpreted {:>12.1} ns a task, {:.0} times as long",
                self.interpreted,
                self.interpreted / self.scored
            ),
            format!("explained   {:>12.1} ns a task", self.explained),
        ])
    }
}

/// The median of runs over so many tasks.
fn nanos(tasks: usize, mut run: impl FnMut()) -> f64 {
    let mut took = Vec::new();
    let until = Instant::now() + SPAN;
    while took.len() < 3 || Instant::now() < until {
        let begun = Instant::now();
        run();
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    let median = took.get(took.len() / 2).copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "at most a million")]
    let tasks = tasks.max(1) as f64;
    median.as_secs_f64() * 1e9 / tasks
}
