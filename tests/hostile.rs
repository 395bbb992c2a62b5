//! What hostile scripts take of memory. Alone in its program, because all that the program allocates is counted.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "policies/hostile/scripts.rs"]
mod scripts;

use std::cmp::Reverse;
use std::path::Path;

use mindflow::calendar::parse_moment;
use mindflow::ids::TaskId;
use mindflow::policies::compile::compile;
use mindflow::policies::{ScriptPolicy, shipped};
use mindflow::scoring::{Candidate, FactTable, Moment, Policy, Verdict};
use peak_alloc::PeakAlloc;
use uuid::Uuid;

#[global_allocator]
static PEAK: PeakAlloc = PeakAlloc;

/// What one script may take, to be compiled or to score a task.
const MOST_BYTES: usize = 10 * 1024 * 1024;

/// What a call took at its peak.
fn peak_of<T>(call: impl FnOnce() -> T) -> (usize, T) {
    PEAK.reset_peak_usage();
    let before = PEAK.current_usage();
    let result = call();
    (PEAK.peak_usage().saturating_sub(before), result)
}

fn verdict(policy: &ScriptPolicy) -> Verdict {
    let moment = Moment::new(parse_moment("2025-10-31T09:00:00Z", chrono_tz::UTC).unwrap(), chrono_tz::UTC);
    let task = Candidate::new(TaskId(Uuid::from_u128(1)), 3, moment.now);
    policy.score(&FactTable::new(&[task], &moment), &policy.context(&moment)).remove(0)
}

#[test]
fn no_script_takes_more_than_ten_megabytes() {
    let windows = shipped::windows().unwrap();
    // What is made once is no script's.
    verdict(&shipped::policy().unwrap());
    let mut taken = Vec::new();
    for (name, script) in scripts::scripts() {
        let (compiling, compiled) = peak_of(|| compile(Path::new("policy.rhai"), &script));
        let scoring = compiled.map_or(0, |compiled| {
            let policy = ScriptPolicy::new("mine", compiled, windows);
            let (bytes, verdict) = peak_of(|| verdict(&policy));
            // It ran into a limit, or was harmless.
            assert!(matches!(verdict, Verdict::Fault(_) | Verdict::Score(_)), "{name}: {verdict:?}");
            bytes
        });
        taken.push((compiling, scoring, name));
    }
    taken.sort_by_key(|(compiling, scoring, _)| Reverse(*compiling.max(scoring)));
    let most = taken[0].0.max(taken[0].1);
    // A count of nothing would count nothing.
    assert!(most > 0 && most < MOST_BYTES, "{taken:#?}");
}
