//! What hostile scripts cost: how long each is compiled and run until it is stopped, and what it takes of memory.
//!
//! `cargo bench --bench hostile`. The aim is 10 ms and 10 MB for each.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark without its subject measures nothing")]

#[path = "../tests/policies/hostile/scripts.rs"]
mod scripts;

use std::path::Path;
use std::time::{Duration, Instant};

use mindflow::calendar::parse_moment;
use mindflow::ids::TaskId;
use mindflow::policies::compile::compile;
use mindflow::policies::{ScriptPolicy, shipped};
use mindflow::scoring::{Candidate, FactTable, Moment, Policy, Verdict};
use peak_alloc::PeakAlloc;
use uuid::Uuid;

#[global_allocator]
static PEAK: PeakAlloc = PeakAlloc;

/// Of so many runs the median time and the greatest peak are told.
const RUNS: usize = 11;

struct Cost {
    time: Duration,
    bytes: usize,
}

impl Cost {
    fn of<T>(call: impl FnOnce() -> T) -> (Self, T) {
        PEAK.reset_peak_usage();
        let (before, begun) = (PEAK.current_usage(), Instant::now());
        let result = call();
        (Self { time: begun.elapsed(), bytes: PEAK.peak_usage().saturating_sub(before) }, result)
    }

    fn shown(mut costs: Vec<Self>) -> String {
        costs.sort_by_key(|cost| cost.time);
        let Some(median) = costs.get(costs.len() / 2) else { return format!("{:>9}    {:>9}   ", "-", "-") };
        let most = costs.iter().map(|cost| cost.bytes).max().unwrap_or(0);
        format!("{:>9.3} ms {:>9} kB", median.time.as_secs_f64() * 1e3, most / 1024)
    }
}

fn main() {
    let windows = shipped::windows().expect("the shipped policy has windows");
    let now = parse_moment("2025-10-31T09:00:00Z", chrono_tz::UTC).expect("a moment");
    let moment = Moment::new(now, chrono_tz::UTC);
    let facts = FactTable::new(&[Candidate::new(TaskId(Uuid::from_u128(1)), 3, now)], &moment);
    println!("{:<48} {:>25} {:>25}  outcome", "script", "compiled", "one task scored");
    for (name, script) in scripts::scripts() {
        let (mut compiling, mut scoring, mut outcome) = (Vec::new(), Vec::new(), String::new());
        for _ in 0..RUNS {
            let (cost, compiled) = Cost::of(|| compile(Path::new("policy.rhai"), &script));
            compiling.push(cost);
            match compiled {
                Err(faults) => outcome = faults.first().map(|fault| fault.message.clone()).unwrap_or_default(),
                Ok(compiled) => {
                    let policy = ScriptPolicy::new("mine", compiled, windows);
                    let ctx = policy.context(&moment);
                    let (cost, mut verdicts) = Cost::of(|| policy.verdicts(&facts, &ctx));
                    scoring.push(cost);
                    outcome = match verdicts.pop() {
                        Some(Verdict::Fault(fault)) => fault.message.clone(),
                        Some(verdict) => format!("{verdict:?}"),
                        None => String::new(),
                    };
                }
            }
        }
        let outcome: String = outcome.chars().take(60).collect();
        println!("{name:<48} {} {}  {outcome}", Cost::shown(compiling), Cost::shown(scoring));
    }
}
