//! What all of these tests say.

use std::path::Path;

use chrono_tz::Tz;
use mindflow::calendar::parse_moment;
use mindflow::clock::Timestamp;
use mindflow::ids::TaskId;
use mindflow::policies::{PolicyFault, ScriptPolicy, check, shipped};
use mindflow::scoring::{Candidate, FactTable, Moment, Policy, Verdict};
use uuid::Uuid;

pub(crate) fn at(text: &str) -> Timestamp {
    parse_moment(text, Tz::UTC).unwrap()
}

/// A Friday morning.
pub(crate) fn morning() -> Moment {
    Moment::new(at("2025-10-31T09:00:00Z"), Tz::UTC)
}

pub(crate) fn a_task(number: usize) -> Candidate {
    Candidate::new(TaskId(Uuid::from_u128(number as u128)), 3, at("2025-10-01T00:00:00Z"))
}

/// A policy of one `score` function's body.
pub(crate) fn with_score(body: &str) -> String {
    format!(
        "fn score(task, ctx) {{ {body} }}\nfn explain(task, ctx) {{ #{{ total: score(task, ctx), parts: [], recommendation: \"\" }} }}\n"
    )
}

pub(crate) fn checked(source: &str) -> Result<ScriptPolicy, Vec<PolicyFault>> {
    check("mine", Path::new("policy.rhai"), source, shipped::windows().unwrap())
}

#[track_caller]
pub(crate) fn good(source: &str) -> ScriptPolicy {
    checked(source).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// The faults as they are shown.
#[track_caller]
pub(crate) fn faults(source: &str) -> Vec<String> {
    let faults = checked(source).err().expect("the policy must be refused");
    faults.iter().map(ToString::to_string).collect()
}

pub(crate) fn verdicts(policy: &dyn Policy, candidates: &[Candidate], moment: &Moment) -> Vec<Verdict> {
    policy.score(&FactTable::new(candidates, moment), &policy.context(moment))
}

#[track_caller]
pub(crate) fn score(policy: &dyn Policy, candidate: &Candidate, moment: &Moment) -> f64 {
    let verdict = verdicts(policy, std::slice::from_ref(candidate), moment).remove(0);
    verdict.score().unwrap_or_else(|| panic!("{verdict:?}"))
}
