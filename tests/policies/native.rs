//! The compiled form of policies: what it says, what it leaves to the interpreter, and how that is told.

use std::path::Path;
use std::sync::Arc;

use mindflow::calendar::{Due, TimeOfDay};
use mindflow::policies::agreement::is_same;
use mindflow::policies::compile::compile;
use mindflow::policies::{ScriptPolicy, shipped};
use mindflow::scoring::native::{Means, Outcome, Program};
use mindflow::scoring::rank::order;
use mindflow::scoring::{Candidate, FactTable, Moment, Policy, Status};

use crate::random::{self, Choices};
use crate::support::{a_task, at, good, morning, score, with_score};

/// Many tasks at many moments.
fn world() -> Vec<(Moment, Vec<Candidate>)> {
    let mut choices = Choices::of_seed(7);
    let mut moments: Vec<Moment> = (0..24).map(|_| random::moment(&mut choices)).collect();
    moments.push(morning());
    let tasks = |moment: &Moment| (0..400).map(|number| random::task(&mut choices, moment, number)).collect();
    let tasks: Vec<Vec<Candidate>> = moments.iter().map(tasks).collect();
    moments.into_iter().zip(tasks).collect()
}

#[test]
fn the_default_policy_is_compiled_to_classes_and_scores_as_interpreted() {
    let policy = shipped::policy().unwrap();
    let program = policy.program().unwrap();

    for (moment, tasks) in world() {
        let (facts, ctx) = (FactTable::new(&tasks, &moment), policy.context(&moment));
        let compiled = program.run(&facts, &ctx);

        assert_eq!(program.means(&ctx), Means::Classes);
        assert_eq!(compiled, program.run_columns(&facts, &ctx));
        assert!(!compiled.contains(&Outcome::Unclear));
        for (compiled, interpreted) in policy.verdicts(&facts, &ctx).iter().zip(policy.interpreted(&facts, &ctx)) {
            assert!(is_same(compiled, &interpreted), "{compiled:?} {interpreted:?}");
        }
    }
}

/// A policy that was not tried.
fn untried(source: &str) -> ScriptPolicy {
    let compiled = compile(Path::new("policy.rhai"), source).unwrap_or_else(|faults| panic!("{faults:#?}"));
    ScriptPolicy::new("mine", compiled, shipped::windows().unwrap())
}

/// The policy is left to the interpreter because of what stands at `place`.
#[track_caller]
fn assert_obstacle(source: &str, place: &str, message: &str) {
    let (line, text) = source.lines().enumerate().find(|(_, line)| line.contains(place)).unwrap();
    let (line, column) = (line + 1, text.find(place).unwrap() + 1);
    let policy = untried(source);
    let obstacle = policy.program().map(Program::size).expect_err("it must not be compiled");
    assert_eq!(obstacle.to_string(), format!("line {line}, column {column}: {message}"));
}

#[test]
fn what_is_left_to_the_interpreter_is_named_with_its_place() {
    let score = |body: &str| with_score(body);
    assert_obstacle(&score("let sum = 0;\n  for label in task.labels { sum += 1; }\n  sum"), "for", "a loop");
    assert_obstacle(&score("let m = #{}; m.x = 1; m.x"), ".x", "a part of a map or an array is changed");
    assert_obstacle(&score("try { task.priority } catch { 1 }"), "try", "`try` and `catch`");
    assert_obstacle(&score("if task.priority > 9 { throw \"no\"; } 1"), "throw", "`throw`");
    assert_obstacle(&score("task.labels.filter(|l| l == \"a\").len()"), "filter", "the function `filter`");
    assert_obstacle(&score("if `${task.priority}` == \"1\" { 1 } else { 2 }"), "`$", "a text that is put together");
    let recursive =
        format!("{}fn down(n) {{ if n <= 0 {{ 0 }} else {{ 1 + down(n - 1) }} }}\n", score("down(task.priority)"));
    assert_obstacle(&recursive, "down(n -", "`down` calls itself");
}

/// Rhai evaluates a variable in the first place of a call last, and counts parts of parts.
#[test]
fn what_the_interpreter_takes_in_another_order_or_finds_too_large_is_left_to_it() {
    let rarely = |body: &str| {
        with_score(&format!("if \"deep\" in task.labels && task.preferred_time == \"afternoon\" {{ {body} }} 1.0"))
    };
    let list = |count: usize| format!("[{}]", vec!["task.priority + 0"; count].join(", "));
    let nested = format!("let x = [{}]; return x[2][3] * 1.0;", vec![list(50); 7].join(", "));
    let labels = "let x = [task.labels, task.labels, task.labels]; return x.len() * 1.0;";
    for body in [
        "let x = 1.0; return max(x, { x = 5.0; 1.0 });",
        "let x = 1.0; return x.max({ x = 5.0; 1.0 });",
        "let x = 1.0; return x + { x = 5.0; 1.0 };",
        "let x = -3; return x.max({ x = 5; 1 }) * 1.0;",
        "let x = [1.0, 2.0]; return x[{ x = [7.0, 8.0]; 0 }];",
        &nested,
        labels,
    ] {
        assert!(untried(&rarely(body)).program().is_err(), "{body}");
    }
    let deep: Vec<Arc<str>> = vec!["deep".into()];
    let task = Candidate { labels: deep.into(), preferred_time: Some(TimeOfDay::Afternoon), ..a_task(1) };
    let policy = good(&rarely("let x = 1.0; return max(x, { x = 5.0; 1.0 });"));
    assert_eq!(score(&policy, &task, &morning()).to_bits(), 5.0_f64.to_bits());
}

#[test]
fn parts_add_up_to_the_total_as_they_are_shown() {
    let thirds = "fn score(task, ctx) { 1.0 / 3.0 * 3.0 + task.priority }\n\
                  fn explain(task, ctx) { #{ total: score(task, ctx), \
                  parts: [#{ name: \"a\", value: 1.0, weight: 1.0, points: 1.0 / 3.0 }, #{ name: \"b\", value: 1.0, weight: 1.0, points: 1.0 / 3.0 }, \
                  #{ name: \"c\", value: 1.0, weight: 1.0, points: 1.0 / 3.0 + task.priority }], recommendation: \"\" } }\n";
    let (policy, facts) = (good(thirds), FactTable::new(&[a_task(1)], &morning()));

    let explanation = policy.explain(&facts, 0, &policy.context(&morning()));

    let points: Vec<f64> = explanation.parts.iter().map(|part| part.points).collect();
    assert!((points.iter().sum::<f64>() - 4.0).abs() < 1e-9, "{points:?}");
    assert_eq!(explanation.total_score, Some(4.0));
}

#[test]
fn what_is_interpreted_scores_all_the_same() {
    let policy = good(&with_score("let sum = 0; for label in task.labels { sum += 2; } sum + task.priority"));
    let task = Candidate { labels: ["a", "b"].into_iter().map(Into::into).collect(), ..a_task(1) };

    assert!(policy.program().is_err());
    assert_eq!(crate::support::score(&policy, &task, &morning()), 7.0);
}

/// Where rows differ, each gets its own: those that fail go to the interpreter, for its words.
#[test]
fn a_row_that_fails_carries_the_words_of_the_interpreter_and_the_others_their_scores() {
    let source = "const BY = #{ morning: 1.0, afternoon: 2.0, evening: 3.0 };\nfn score(task, ctx) { BY[task.preferred_time ?? \"night\"] }\nfn explain(task, ctx) { #{ total: score(task, ctx), parts: [], recommendation: \"\" } }\n";
    let policy = untried(source);
    let tasks = [
        Candidate { preferred_time: Some(TimeOfDay::Evening), ..a_task(1) },
        a_task(2),
        Candidate { preferred_time: Some(TimeOfDay::Morning), ..a_task(3) },
    ];
    let (facts, ctx) = (FactTable::new(&tasks, &morning()), policy.context(&morning()));

    let verdicts = policy.score(&facts, &ctx);

    assert_eq!(policy.program().unwrap().run(&facts, &ctx)[1], Outcome::Unclear);
    assert_eq!((verdicts[0].score(), verdicts[2].score()), (Some(3.0), Some(1.0)));
    assert_eq!(verdicts[1], policy.interpreted(&facts, &ctx)[1]);
    assert!(format!("{:?}", verdicts[1]).contains("night"), "{:?}", verdicts[1]);
}

#[test]
fn whole_numbers_overflow_and_divide_as_in_the_interpreter() {
    for body in [
        "task.snooze_count * 9000000000000000000",
        "100 / (task.priority - 3)",
        "100 % (task.priority - 3)",
        "(0 - 9223372036854775807 - 1) / (task.priority - 4)",
        "-(task.age_days * 4611686018427387904)",
        "abs(0 - 9223372036854775807 - task.priority)",
    ] {
        let source = with_score(&format!("let x = {body}; if x > 5 {{ 1.0 }} else {{ 2.0 }}"));
        let policy = untried(&source);
        assert!(policy.program().is_ok(), "{body}: {:?}", policy.program().err());
        for (moment, tasks) in world().into_iter().take(4) {
            let (facts, ctx) = (FactTable::new(&tasks, &moment), policy.context(&moment));
            for (compiled, interpreted) in policy.verdicts(&facts, &ctx).iter().zip(policy.interpreted(&facts, &ctx)) {
                assert!(is_same(compiled, &interpreted), "{body}: {compiled:?} {interpreted:?}");
            }
        }
    }
}

#[test]
fn the_moment_decides_anew_each_time() {
    let policy = good(&with_score("if ctx.hour < 12 { task.priority } else { 10.0 * task.priority }"));
    let evening = Moment { now: at("2025-10-31T19:00:00Z"), ..morning() };

    for _ in 0..2 {
        assert_eq!(crate::support::score(&policy, &a_task(1), &morning()), 3.0);
        assert_eq!(crate::support::score(&policy, &a_task(1), &evening), 30.0);
    }
}

#[test]
fn a_policy_that_tells_every_minute_apart_is_computed_row_by_row() {
    let policy = good(&with_score("(task.minutes_until_due ?? 1000) * 0.001 + task.priority"));
    let ctx = policy.context(&morning());
    let due = |minutes: i64| {
        Some(Due::At(mindflow::clock::Timestamp::from_micros(morning().now.as_micros() + minutes * 60_000_000)))
    };
    let tasks: Vec<Candidate> = (0..2_000).map(|row| Candidate { due: due(row), ..a_task(1) }).collect();

    let facts = FactTable::new(&tasks, &morning());
    let outcomes = policy.program().unwrap().run(&facts, &ctx);

    assert_eq!(policy.program().unwrap().means(&ctx), Means::Columns);
    assert_eq!(outcomes[1_500], Outcome::Score(4.5));
    assert_eq!(outcomes.len(), 2_000);
}

#[test]
fn a_policy_is_compiled_anew_for_other_values_of_its_parameters() {
    let params = "const PARAMS = #{
        weight: #{ type: \"number\", min: 0.1, max: 9.0, default: 0.3 },
        days: #{ type: \"whole\", min: 0, max: 30, default: 1 },
        late: #{ type: \"bool\", default: false },
        time: #{ type: \"word\", words: [\"morning\", \"evening\"], default: \"morning\" }
    };
    const BY = #{ morning: 1.5, evening: 2.5 };";
    let score = with_score(
        "let near = task.has_due && task.days_until_due <= ctx.params.days;
         if ctx.params.late && task.is_overdue { return 1000; }
         task.priority * ctx.params.weight + BY[ctx.params.time] + if near { 100 } else { 0 }
             + if task.preferred_time == ctx.params[\"time\"] { 7 } else { 0 }",
    );
    let source = format!("{params}\n{score}");
    let policy = good(&source);
    let [least, most] = policy.params().ends().map(|values| policy.with_values(values));

    for variant in [&least, &policy, &most] {
        assert!(!variant.is_distrusted() && variant.program().is_ok(), "{:?}", variant.program().err());
        for (moment, tasks) in world() {
            let (facts, ctx) = (FactTable::new(&tasks, &moment), variant.context(&moment));
            for (compiled, interpreted) in variant.verdicts(&facts, &ctx).iter().zip(variant.interpreted(&facts, &ctx))
            {
                assert!(is_same(compiled, &interpreted), "{compiled:?} {interpreted:?}");
            }
        }
    }
    let of = |policy: &ScriptPolicy| crate::support::score(policy, &a_task(1), &morning());
    assert_eq!([&least, &policy, &most].map(of), [1.8, 2.4, 29.5]);
}

#[test]
fn what_is_left_out_is_left_out() {
    let source = with_score("task.priority") + "fn eligible(task, ctx) { task.status != \"snoozed\" }\n";
    let policy = good(&source);
    let tasks = [a_task(1), Candidate { status: Status::Snoozed, ..a_task(2) }];
    let (facts, ctx) = (FactTable::new(&tasks, &morning()), policy.context(&morning()));

    assert_eq!(policy.program().unwrap().run(&facts, &ctx), [Outcome::Score(3.0), Outcome::Ineligible]);
}

#[test]
fn the_first_few_are_those_of_the_whole_order() {
    let policy = untried(
        &(with_score("if task.priority == 2 { throw \"no\"; } task.priority * 10")
            + "fn eligible(task, ctx) { task.blocks != 3 }"),
    );
    let compiled = shipped::policy().unwrap();
    let mut choices = Choices::of_seed(3);
    let tasks: Vec<Candidate> = (0..3_000).map(|number| random::task(&mut choices, &morning(), number)).collect();

    for policy in [&policy as &dyn Policy, &compiled] {
        let (facts, ctx) = (FactTable::new(&tasks, &morning()), policy.context(&morning()));
        let all = order(policy, &facts, &ctx, usize::MAX);
        for count in [0, 1, 2, 31, 32, 33, 50, 500, 1_499, 2_999, 3_000, 4_000] {
            assert_eq!(order(policy, &facts, &ctx, count), all[..count.min(all.len())], "{count}");
        }
        assert!(all.len() > 2_000, "{}", all.len());
    }
}
