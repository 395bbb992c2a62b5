//! A policy, a moment and tasks of the fuzzer's choice: compiled and interpreted they give the same verdicts.
#![no_main]

#[path = "../../tests/policies/random.rs"]
#[expect(dead_code, reason = "the tests choose by a seed")]
mod random;

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use mindflow::policies::agreement::is_same;
use mindflow::policies::compile::compile;
use mindflow::policies::{ScriptPolicy, shipped};
use mindflow::scoring::{Candidate, FactTable, Policy};

use random::Choices;

/// Tasks for each policy.
const TASKS: usize = 64;

fuzz_target!(|bytes: &[u8]| {
    let mut choices = Choices::of_bytes(bytes);
    let source = random::policy(&mut choices);
    let compiled = match compile(Path::new("policy.rhai"), &source) {
        Ok(compiled) => compiled,
        Err(faults) if faults.iter().all(|fault| fault.message.contains(random::MISSPELT)) => return,
        Err(faults) => panic!("{faults:#?}\n{source}"),
    };
    let policy = ScriptPolicy::new("random", compiled, shipped::windows().expect("the shipped policy has windows"));
    let moment = random::moment(&mut choices);
    let tasks: Vec<Candidate> = (0..TASKS).map(|number| random::task(&mut choices, &moment, number)).collect();
    let (facts, ctx) = (FactTable::new(&tasks, &moment), policy.context(&moment));
    for (row, (compiled, interpreted)) in
        policy.verdicts(&facts, &ctx).iter().zip(policy.interpreted(&facts, &ctx)).enumerate()
    {
        let task = &tasks[row];
        assert!(is_same(compiled, &interpreted), "{compiled:?} {interpreted:?}\n{task:#?}\n{ctx:#?}\n{source}");
    }
});
