//! What the check refuses, and in which words.

use mindflow::scoring::Policy;

use crate::support::{a_task, faults, good, morning, score, with_score};

/// The only fault.
#[track_caller]
fn fault(source: &str) -> String {
    let faults = faults(source);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults.into_iter().next().unwrap()
}

const EXPLAIN: &str = "fn explain(task, ctx) { #{ total: 1, parts: [], recommendation: \"\" } }";

#[test]
fn a_syntax_error_has_its_line_and_column() {
    let fault = fault("fn score(task, ctx) {\n    1 +\n}\n");

    assert!(fault.starts_with("policy.rhai:3:1: syntax error: "), "{fault}");
}

#[test]
fn a_missing_function_names_those_that_are_there() {
    assert_eq!(
        fault(&format!("fn scroe(task, ctx) {{ 1 }} {EXPLAIN}")),
        "policy.rhai:1:4: the function `score(task, ctx)` is missing; the file has: explain, scroe; did you mean `score` by `scroe`?"
    );
    assert_eq!(
        fault(&format!("\nfn score(task) {{ 1 }} {EXPLAIN}")),
        "policy.rhai:2:4: `score` must take 2 parameters, `task` and `ctx`, not 1"
    );
    assert_eq!(faults("").len(), 2);
    assert!(faults("// nothing\n").iter().all(|fault| fault.starts_with("policy.rhai:1:1: the function `")));
}

#[test]
fn an_unknown_field_is_found_wherever_it_stands() {
    let source = with_score("if task.priority > 9 { 1 } else { half(task) }") + "fn half(job) {\n  job.priorty / 2\n}";
    let message = fault(&source);

    assert!(
        message.starts_with("policy.rhai:4:7: `task` has no field `priorty`; known: priority, status, "),
        "{message}"
    );
    assert!(message.ends_with("did you mean `priority`?"), "{message}");
    assert!(fault(&with_score("ctx.hours")).ends_with("did you mean `hour`?"));
    assert_eq!(faults(&with_score("ctx.color + task[\"colour\"]")).len(), 2);
}

#[test]
fn a_misspelt_name_is_told_with_the_one_that_was_meant() {
    let constants =
        "const WEIGHTS = #{ deadline: 40.0, priority: 10.0 };\nconst WORDS = #{ overdue: 1.0, today: 2.0 };\n";
    let of = |body: &str| fault(&(constants.to_owned() + &*with_score(body) + "fn urgency(task) { 1 }\n"));

    assert_eq!(
        of("WEIGHTS.prioritty * task.priority"),
        "policy.rhai:3:31: the constant `WEIGHTS` has no `prioritty`; known: deadline, priority; did you mean `priority`?"
    );
    let word = "let word = if task.priority > 2 { \"overdu\" } else { \"today\" }; WORDS[word]";
    assert!(of(word).contains("there is no field `overdu`; did you mean `overdue`? (for"));
    assert!(of("urgncy(task)").ends_with(":3:23: there is no function `urgncy`; did you mean `urgency`?"));
    assert!(of("urgency()").ends_with("`urgency` takes 1 argument, not 0"));
    assert!(of("max(1, 2, 3)").ends_with("`max` takes 2 arguments, not 3"));
    assert!(of("task.labels.lenn()").ends_with("there is no function `lenn`; did you mean `len`?"));
    let rare = "if task.effort_minutes == 77 && task.days_until_due == 334 { urgncy(task) } else { 1 }";
    assert!(
        of(rare).ends_with("there is no function `urgncy`; did you mean `urgency`?"),
        "also where no task comes by"
    );
    assert_eq!(
        of("WEIGHTS.priority = 5.0; 1"),
        "policy.rhai:3:23: `WEIGHTS` is a constant, and its parts cannot be changed"
    );
    assert!(of("if task.priority > 9 { WORDS[\"today\"] += 1.0; } 1").ends_with("its parts cannot be changed"));
    for change in ["A.x = 2", "A.x.y = 2", "A[\"x\"] = 2", "B[0] = 2", "B[0] += 2"] {
        let inside = format!("if task.priority > 9 {{ const A = #{{ x: #{{ y: 1 }} }}; const B = [1]; {change}; }} 1");
        assert!(of(&inside).ends_with("is a constant, and its parts cannot be changed"), "{change}");
    }
    let variables = "let a = #{ x: [1] }; a.x[0] = 2; let b = [1]; b[0] += 1; a.x[0] + b[0]";
    good(&(constants.to_owned() + &*with_score(variables)));
    let keyed = faults(&with_score("[#{ morning: 1 }][0][task.preferred_time ?? \"evening\"]"));
    assert!(keyed.iter().any(|fault| fault.contains("there is no field `evening` (for")), "{keyed:#?}");
    assert!(of("if ctx.windows.morning.activ { 1 } else { 2 }").contains("did you mean `active`?"));
    assert_eq!(
        faults(&format!("{constants}const WEIGHTS = #{{}};\n{}", with_score("1")))[0],
        "policy.rhai:3:1: the constant `WEIGHTS` is declared twice"
    );
    // A variable may have the name of a constant.
    good(&(constants.to_owned() + &*with_score("let WEIGHTS = #{ other: 1.0 }; WEIGHTS.other")));
}

#[test]
fn an_unknown_variable_names_the_constants() {
    let message = fault(&("const WEIGHTS = #{ a: 1 };\n".to_owned() + &*with_score("WEIGHT.a")));

    assert!(
        message.contains("there is no variable `WEIGHT` here; known: WEIGHTS; did you mean `WEIGHTS`?"),
        "{message}"
    );
}

#[test]
fn state_is_refused() {
    assert!(
        fault(&format!("let count = 0;\n{}", with_score("1"))).contains("policy.rhai:1:1: outside of functions only")
    );
    assert!(fault(&with_score("this")).contains("`this` is not part"));
}

#[test]
fn every_score_must_be_a_finite_number_inside_the_range() {
    assert!(fault(&with_score("if task.priority == 5 { 1.0 / 0.0 } else { 1.0 }")).contains("finite number, not inf"));
    assert!(fault(&with_score("\"high\"")).contains("`score` must return a number, not a text"));
    let range = "const RANGE = #{ min: 0.0, max: 40.0 };\n".to_owned() + &*with_score("task.priority * 10.0");
    let message = fault(&range);
    assert!(
        message.starts_with(
            "policy.rhai:2:4: the score 50 is outside of the declared range 0 to 40 (for a task with priority 5"
        ),
        "{message}"
    );
}

#[test]
fn what_fails_on_one_combination_only_is_found() {
    let message = fault(&with_score("10 + task.effort_minutes"));
    assert!(message.contains("no estimate"), "{message}");
    assert!(fault(&with_score("if ctx.hour == 23 { [1][5] } else { 1 }")).contains(" 23:"));
    assert!(fault(&with_score("100 / (task.snooze_count - 7)")).contains("ivision by zero"));
}

#[test]
fn explanations_must_add_up() {
    let explain = |body: &str| format!("fn score(task, ctx) {{ 10.0 }} fn explain(task, ctx) {{ {body} }}");

    assert!(
        fault(&explain("#{ total: 11.0, parts: [], recommendation: \"\" }")).contains("total 11, but `score` gives 10")
    );
    let parts = "#{ total: 10.0, parts: [#{ name: \"a\", points: 4.0 }], recommendation: \"\" }";
    assert!(fault(&explain(parts)).contains("the points of `parts` add up to 4, but the total is 10"));
    assert!(fault(&explain("#{ total: 10.0, parts: [] }")).contains("a text as `recommendation`"));
    assert!(fault(&explain("10.0")).contains("must return a map"));
}

#[test]
fn other_shapes_of_parts_are_understood() {
    let source = "fn score(task, ctx) { 10 }
        fn explain(task, ctx) { #{ total: 10, parts: #{ age: 4, rest: #{ value: 2, weight: 3, points: 6 } }, recommendation: \"Do it\" } }";

    let policy = good(source);

    let moment = morning();
    let facts = mindflow::scoring::FactTable::new(&[a_task(1)], &moment);
    let explanation = policy.explain(&facts, 0, &policy.context(&moment));
    let parts: Vec<_> =
        explanation.parts.iter().map(|part| (part.name.as_str(), part.value, part.weight, part.points)).collect();
    assert_eq!(parts, [("age", 4.0, 1.0, 4.0), ("rest", 2.0, 3.0, 6.0)]);
    assert_eq!((explanation.classic, explanation.total_score), (None, Some(10.0)));
}

#[test]
fn constants_reach_functions_and_may_build_on_each_other() {
    let policy =
        good(&("const BASE = 4; const TABLE = #{ two: BASE * 2 };\n".to_owned() + &*with_score("TABLE.two + BASE")));

    assert_eq!(score(&policy, &a_task(1), &morning()), 12.0);
    let global = good(&("\u{feff}const BASE = 4;\n".to_owned() + &*with_score("global::BASE")));
    assert_eq!(score(&global, &a_task(1), &morning()), 4.0);
}

#[test]
fn declared_windows_and_ranges_must_make_sense() {
    let windows = fault(&("const WINDOWS = #{ morning: [\"6\", \"12:00\"] };".to_owned() + &*with_score("1")));
    assert!(
        windows.contains("`WINDOWS` must have `morning:") && windows.ends_with("not [\"6\", \"12:00\"]"),
        "{windows}"
    );
    assert!(
        fault(&("\nconst RANGE = #{ min: 5, max: 5 };".to_owned() + &*with_score("1")))
            .starts_with("policy.rhai:2:7: `RANGE` must be")
    );
    let unknown = fault(&("const RANGE = #{ min: 1, max: 5, step: 2 };".to_owned() + &*with_score("1")));
    assert!(unknown.ends_with("`RANGE` has no use for `step`; known: min, max"), "{unknown}");
    let placed = |text: &str| fault(&(text.to_owned() + &*with_score("1")));
    assert!(placed("const A = 1; const RANGE = #{ min: 5, max: 5 };").starts_with("policy.rhai:1:20: "));
    assert!(placed("const\n  RANGE = #{ min: 5, max: 5 };").starts_with("policy.rhai:2:3: "));
}

#[test]
fn whoever_is_ineligible_is_left_out() {
    let policy = good(&(with_score("task.priority") + "fn eligible(task, ctx) { task.priority > 2 }"));
    let low = mindflow::scoring::Candidate { priority: 2, ..a_task(1) };

    let ranking = mindflow::scoring::rank(&policy, &[low, a_task(2)], &morning());

    assert_eq!(ranking.entries.iter().map(|entry| entry.row).collect::<Vec<_>>(), [1]);
    assert!(
        fault(&(with_score("1") + "fn eligible(task, ctx) { 1 }")).contains("`eligible` must return true or false")
    );
}

#[test]
fn a_word_that_a_fact_can_never_be_is_found_behind_variables_parameters_and_switches() {
    let never = |body: &str, more: &str| fault(&(with_score(body) + more));

    let case = never("switch task.status { \"pendng\" => 5.0, _ => 1.0 }", "");
    assert!(
        case.contains("`task.status` is never `pendng`; known: pending, in_progress, completed, snoozed"),
        "{case}"
    );
    assert!(case.ends_with("did you mean `pending`?"), "{case}");
    assert!(never("let s = task.status; if s == \"done\" { 5.0 } else { 1.0 }", "").contains("is never `done`"));
    assert!(
        never("if (task.preferred_time ?? \"none\") == \"mornig\" { 5 } else { 1 }", "").contains("is never `mornig`")
    );
    let handed = never("bonus(task.preferred_time)", "fn bonus(time) { if time == \"mornig\" { 5 } else { 1 } }");
    assert!(handed.contains("`task.preferred_time` is never `mornig`"), "{handed}");
    assert!(never("let e = ctx.energy; switch e { \"hi\" => 1, _ => 2 }", "").contains("`ctx.energy` is never `hi`"));

    let fine = [
        "switch task.status { \"pending\" => 5.0, () => 2.0, _ => 1.0 }",
        "let s = task.status; s = \"done\"; if s == \"done\" { 5.0 } else { 1.0 }",
        "let s = task.status; if s == \"pending\" { let s = \"x\"; if s == \"x\" { return 1; } } 2",
        "if (task.preferred_time ?? \"none\") == \"none\" { 5 } else { 1 }",
        "bonus(task.preferred_time) + bonus(\"mornig\")",
        "switch task.project { \"Gardn\" => 1, _ => 2 }",
    ];
    for body in fine {
        good(&(with_score(body) + "fn bonus(time) { if time == \"mornig\" { 5 } else { 1 } }"));
    }
}
