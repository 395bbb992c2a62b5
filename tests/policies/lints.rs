//! What is in order and yet probably a slip.

use std::path::Path;

use mindflow::policies::lints::lint;
use mindflow::policies::shipped::{self, SHELF};

use crate::support::with_score;

fn warnings(source: &str) -> Vec<String> {
    let found = lint(Path::new("policy.rhai"), source, shipped::windows().unwrap()).unwrap();
    found.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn only(source: &str, expected: &str) {
    let found = warnings(source);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with(expected), "{found:#?}");
}

#[test]
fn the_shelf_is_clean() {
    for shelved in SHELF {
        let windows = shipped::windows().unwrap();
        let found = lint(Path::new(shelved.name), shelved.script, windows).unwrap();
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[test]
fn each_slip_is_told_with_its_place() {
    only(
        &with_score("if task.priority > 5 { 2 } else { task.priority }"),
        "policy.rhai:1:23: warning: no task that was tried reaches the branch of `if`",
    );
    only(&with_score("switch task.priority { 6 => 2, _ => 3 }"), "policy.rhai:1:");
    only(
        &("const WEIGHT = 3;\n".to_owned() + &*with_score("task.priority")),
        "policy.rhai:1:7: warning: the constant `WEIGHT` is never used",
    );
    only(
        &(with_score("task.priority") + "fn half(x) { x / 2 }"),
        "policy.rhai:3:4: warning: the function `half` is never called",
    );
    only(
        &(with_score("half(task.priority, 1)") + "fn half(x, y) { x / 2 }"),
        "policy.rhai:3:12: warning: `half` never uses its parameter `y`",
    );
    only(
        &("const PARAMS = #{ a: #{ type: \"bool\", default: true } };\n".to_owned() + &*with_score("task.priority")),
        "policy.rhai:1:19: warning: no function reads the parameter `a`",
    );
    only(
        &with_score("10 - task.priority"),
        "policy.rhai:1:4: warning: the score falls from 9 to 8 when the priority rises from 1 to 2",
    );
    let rare = "if task.priority == 5 && task.days_until_due == 50 && task.effort_minutes == () { return task.effort_minutes * 2; }";
    only(
        &with_score(&format!("{rare} task.priority * 1")),
        "policy.rhai:1:184: warning: the policy fails: `*` with nothing",
    );
    let zero = "fn score(task, ctx) { 10 }
fn explain(task, ctx) { #{ total: 10, parts: [#{ name: \"all\", points: 10 }, #{ name: \"none\", points: 0 }], recommendation: \"\" } }";
    only(zero, "policy.rhai:2:86: warning: the part `none` has no points");
}

#[test]
fn own_numbers_and_texts_of_a_script_are_tried() {
    let body = "if \"garden\" in task.labels { 3 } else if (task.days_until_due ?? 0) == 37 { 2 } else if task.project == \"Home\" { 4 } else { 1 }";
    assert_eq!(warnings(&with_score(body)), Vec::<String>::new());
}

#[test]
fn what_depends_on_a_parameter_is_reached_by_setting_it() {
    let params = "const PARAMS = #{ loud: #{ type: \"bool\", default: false }, days: #{ type: \"whole\", min: 0, max: 9, default: 3 } };";
    let body = "if ctx.params.loud { 100 } else { 1 } + if ctx.params.days > 5 { 10 } else { 20 }";
    assert_eq!(warnings(&format!("{params}\n{}", with_score(body))), Vec::<String>::new());
    only(
        &format!("{params}\n{}", with_score(&body.replace("> 5", "> 9"))),
        "policy.rhai:2:63: warning: no task that was tried reaches",
    );
}
