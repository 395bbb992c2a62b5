//! What editors are told is true.

use std::path::{Path, PathBuf};

use mindflow::policies::cases::run_cases;
use mindflow::policies::coverage::cover;
use mindflow::policies::lints::lint;
use mindflow::policies::schema::{FUNCTIONS, context_field, schema, task_field};
use mindflow::policies::shipped;
use mindflow::scoring::{ContextField, TaskField};

use crate::support::{good, with_score};

#[test]
fn every_function_that_is_told_runs() {
    for function in FUNCTIONS {
        good(&with_score(&format!("let value = {}; 1", function.example)));
    }
}

#[test]
fn every_fact_is_told_with_what_it_may_be() {
    let schema = schema();

    assert_eq!(schema["task"].as_array().unwrap().len(), TaskField::ALL.len());
    assert_eq!(schema["ctx"].as_array().unwrap().len(), ContextField::ALL.len());
    assert_eq!(
        serde_json::to_value(task_field(TaskField::Priority)).unwrap(),
        serde_json::json!({ "name": "priority", "type": "whole", "nullable": false, "min": 1, "max": 5,
            "about": "from 1 (low) to 5 (high)" })
    );
    assert!(context_field(ContextField::Energy).nullable);
    assert_eq!(context_field(ContextField::Energy).words, ["low", "medium", "high"]);
}

#[test]
fn the_example_of_the_guide_is_what_it_says() {
    let guide = include_str!("../../docs/write-a-policy.md");
    let block = |language: &str| guide.split(&format!("```{language}\n")).nth(1).unwrap().split("```").next().unwrap();
    let (script, examples) = (block("rhai"), block("yaml"));
    let windows = shipped::windows().unwrap();
    good(script);

    let files = [(PathBuf::from("noon.yaml"), Ok(examples.to_owned()))];
    let (report, coverage) = cover(Path::new("policy.rhai"), script, windows, &files).unwrap();

    assert_eq!((report.failures, report.total), (Vec::new(), 3));
    assert!(guide.contains(&format!("{} of {} branches reached, 100 %", coverage.reached, coverage.branches)));
    assert_eq!(lint(Path::new("policy.rhai"), script, windows).unwrap(), []);
}

#[test]
fn an_unknown_key_of_an_example_is_refused_with_its_place() {
    let policy = good(&with_score("1"));
    let file = |text: &str| [(PathBuf::from("a.yaml"), Ok(text.to_owned()))];
    let failure = |text: &str| run_cases(&policy, &file(text)).failures.remove(0);

    let unknown =
        failure("cases:\n  - name: one\n    now: 2025-10-31\n    tasks: []\n    expect: { scors: { a: 1 } }\n");
    assert!(unknown.message.contains("unknown field `scors`, expected one of `order`, `scores`"), "{unknown}");
    assert!(unknown.message.contains("at line 5 column"), "{unknown}");
    let expecting = "expect: { order: [a, a] }";
    let twice = failure(&format!(
        "cases:\n  - name: one\n    now: 2025-10-31\n    tasks: [{{ id: a }}, {{ id: a }}]\n    {expecting}\n"
    ));
    assert_eq!(twice.to_string(), "a.yaml:2: one: there are two tasks `a`");
    let completed = "cases:\n  - { name: one, now: 2025-10-31, tasks: [{ id: a, status: completed }, { id: b }], \
                     expect: { order: [b], left_out: [a], scores: { a: 1 } } }\n";
    assert_eq!(run_cases(&policy, &file(completed)).failures, []);
    let ranked = failure("cases:\n  - { name: one, now: 2025-10-31, tasks: [{ id: a }], expect: { left_out: [a] } }\n");
    assert_eq!(ranked.message, "`a` must be left out, but it is ranked");
    let nothing = failure("cases:\n  - { name: one, now: 2025-10-31, tasks: [{ id: a }], expect: {} }\n");
    assert!(nothing.message.starts_with("it expects nothing"), "{nothing}");
    let tuned = failure("cases:\n  - { name: one, now: 2025-10-31, params: { x: 1 }, tasks: [] }\n");
    assert_eq!(tuned.message, "the policy has no parameter `x`");
}
