//! Scripts that mean harm, or only did not think.

use mindflow::policies::compile::compile;
use mindflow::policies::{ScriptPolicy, shipped};
use mindflow::scoring::{Candidate, FactTable, Policy, Verdict};

use crate::support::{a_task, checked, faults, good, morning, verdicts, with_score};

#[test]
fn what_never_ends_or_grows_for_ever_ends_soon_with_a_clear_error() {
    let bodies = [
        ("while true {}", "does not end"),
        ("loop { try { loop {} } catch { } }", "does not end"),
        ("score(task, ctx)", "calls itself too deeply"),
        ("let s = \"x\"; loop { s += s; }", "too large"),
        ("let s = \"x\"; loop { s = `${s}${s}`; }", "too large"),
        ("let a = [1]; loop { a += a; }", "too large"),
        ("let a = []; loop { a.push([1, 2, 3]); }", "too large"),
        ("let a = [1]; a.pad(1000000000, 1); 1", "too large"),
        ("let m = #{}; let i = 0; loop { i += 1; m[`k${i}`] = i; }", "too large"),
        ("let m = #{ a: 0, b: 0 }; loop { m.a = m; m.b = m; }", "too large"),
        ("let m = #{}; let i = 0; loop { i += 1; m[`k${i}`] = m; }", "too large"),
        ("let a = [0, 0]; loop { a[0] = a; a[1] = a; }", "too large"),
        ("let a = []; for i in 0..250 { a.push(250 - i); } loop { let b = a; b.sort(); }", "does not end"),
        (
            "let a = []; for i in 0..250 { a.push(i); } loop { let b = a.map(|x| x * 2).filter(|x| x > 3); }",
            "does not end",
        ),
        ("let s = \"ab\"; s.pad(8000, 'x'); loop { let t = s.to_upper(); t.replace(\"X\", \"yy\"); }", "too large"),
    ];
    for (body, expected) in bodies {
        let message = faults(&with_score(body)).remove(0);

        // On a busy machine, time may be up before anything is too large.
        assert!(message.contains(expected) || message.contains("stopped after 4 ms"), "{body}: {message}");
    }
}

#[test]
fn one_call_ends_at_one_of_the_limits() {
    let compiled = compile("policy.rhai".as_ref(), &with_score("while true {}")).unwrap();
    let policy = ScriptPolicy::new("mine", compiled, shipped::windows().unwrap());

    let verdict = verdicts(&policy, &[a_task(1)], &morning()).remove(0);

    let Verdict::Fault(fault) = &verdict else { panic!("{verdict:?}") };
    assert_eq!(fault.line, Some(1));
    let stopped = ["stopped after 100000 operations", "stopped after 4 ms"];
    assert!(stopped.iter().any(|limit| fault.message.ends_with(limit)), "{fault}");
}

#[test]
fn the_world_is_out_of_reach() {
    let bodies = [
        "sleep(1)",
        "timestamp()",
        "rand()",
        "eval(\"1\")",
        "print(\"x\"); 1",
        "debug(\"x\"); 1",
        "import \"x\" as y; 1",
        "open_file(\"/etc/passwd\")",
        "exit(1)",
        "parse_json(\"1\")",
    ];
    for body in bodies {
        assert!(checked(&with_score(body)).is_err(), "{body}");
    }
    assert!(faults(&with_score("if task.priority > 9 { sleep(1) } 1"))[0].contains("there is no function `sleep`"));
    assert!(checked("import \"x\" as y;").is_err());
    assert!(checked("export const X = 1;").is_err());
}

#[test]
fn a_script_may_not_be_huge_or_nested_for_ever() {
    assert!(faults(&format!("// {}\n", "x".repeat(1 << 20)))[0].contains("a policy may have"));
    assert!(
        faults(&with_score(&format!("`{}`.len()", "${1}".repeat(1_001))))[0]
            .contains("a policy may have it 1000 times")
    );
    let word = faults(&with_score(&format!("{}(1)", "x".repeat(2_001))));
    assert_eq!(word, ["policy.rhai: the file has a word of 2001 bytes, `xxxxxxxxxxxxxxxxxxxx…`; it may have 2000"]);
    assert!(checked(&with_score(&format!("{}1{}", "(".repeat(5_000), ")".repeat(5_000)))).is_err());
    assert!(checked(&with_score(&format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000)))).is_err());
    assert!(checked(&with_score(&"{ ".repeat(5_000))).is_err());
    assert!(checked(&with_score(&format!("1{}", " + 1".repeat(20_000)))).is_err());
    assert!(checked(&"fn f() { 1 } ".repeat(5_000)).is_err());
}

#[test]
fn closures_cannot_be_kept_and_nested_without_end() {
    let bodies = [
        "let f = || 1; loop { f = f.curry(f); }",
        "let f = |a| a; 1",
        "let x = 1; let f = || x; loop { let g = f; f = || g.call(); }",
        "let a = []; a.push(|| 1); 1",
        "let f = [1].map(|x| |y| x); 1",
        "keep(|| 1)",
    ];
    for body in bodies {
        assert!(checked(&(with_score(body) + "fn keep(f) { 1 }")).is_err(), "{body}");
    }
    let policy =
        checked(&with_score("let base = 2; [1, 2].map(|x| x + base).reduce(|sum, x| sum + x, 0)")).ok().unwrap();
    assert_eq!(verdicts(&policy, &[a_task(1)], &morning())[0].score(), Some(7.0));
}

#[test]
fn constants_run_in_the_same_cage() {
    assert!(faults(&("const X = { loop {} };\n".to_owned() + &*with_score("1")))[0].contains("does not end"));
    let nested = |value: &str| {
        let level = |level: usize| format!("const A{} = {};\n", level + 1, value.replace('A', &format!("A{level}")));
        "const A0 = [1, 2, 3, 4];\n".to_owned() + &*(0..30).map(level).collect::<String>()
    };
    for value in ["[A, A, A, A]", "#{ a: A, b: A, c: A }", "[A, A]"] {
        assert!(faults(&(nested(value) + &*with_score("1")))[0].contains("too large"), "{value}");
        let inside = with_score(&format!("{} 1", nested(value)));
        assert!(faults(&inside)[0].contains("more than 50000 values"), "{value}");
    }
    let items = ["A"; 8].join(", ");
    let wide = format!(
        "const A = [1, 2, 3, 4, 5, 6, 7, 8];\nconst B = [{items}];\nconst C = [{}];\n",
        items.replace('A', "B")
    );
    assert!(
        faults(&(wide + &*with_score("1")))[0].contains("too large"),
        "an array holds no more through its constants"
    );
    assert!(faults(&("const X = [1].pad(1000000, 2);\n".to_owned() + &*with_score("1")))[0].contains("too large"));
}

#[test]
fn a_fault_in_one_score_is_contained_marked_and_counted() {
    let body = "if task.snooze_count == 12345 { [1][9] } else { task.priority }";
    let faults = std::sync::Arc::default();
    let policy = checked(&with_score(body)).ok().unwrap().counting(std::sync::Arc::clone(&faults));
    let broken = Candidate { snooze_count: 12345, priority: 5, ..a_task(1) };
    let tasks = [broken, a_task(2), Candidate { priority: 4, ..a_task(3) }];

    let ranking = mindflow::scoring::rank(&policy, &tasks, &morning());

    assert_eq!(ranking.entries.iter().map(|entry| entry.row).collect::<Vec<_>>(), [2, 1, 0]);
    assert_eq!(ranking.entries[2].score, None);
    assert_eq!(ranking.entries[2].fault.as_ref().unwrap().line, Some(1));
    assert_eq!(faults.load(std::sync::atomic::Ordering::Relaxed), 1);
    let facts = FactTable::new(&tasks, &morning());
    assert!(policy.explain(&facts, 0, &policy.context(&morning())).fault.is_some());
    assert!(policy.explain(&facts, 1, &policy.context(&morning())).fault.is_none());
}

#[test]
fn some_tasks_that_run_for_ever_leave_the_others_their_scores() {
    let body =
        "let n = 0; if task.snooze_count == 12345 { loop { n += 1; } } for i in 0..220 { n += 1; } n + task.priority";
    let policy = good(&with_score(body));
    let endless = |number| Candidate { snooze_count: 12345, ..a_task(number) };
    let mut tasks: Vec<_> = (0..6).map(endless).collect();
    tasks.extend((6..60).map(a_task));

    let ranking = mindflow::scoring::rank(&policy, &tasks, &morning());

    let scored = ranking.entries.iter().filter(|entry| entry.score.is_some()).count();
    assert_eq!((scored, ranking.entries.len()), (54, 60));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_is_cut_out_or_repeated_the_answer_is_a_policy_or_a_fault(from in 0..5_000_usize, length in 1..400_usize, copies in 0..3_usize) {
        let text: Vec<char> = shipped::SCRIPT.chars().collect();
        let (from, to) = (from.min(text.len()), (from + length).min(text.len()));
        let cut = text[from..to].repeat(copies);
        let edited: String = text[..from].iter().chain(&cut).chain(&text[to..]).collect();

        if let Err(faults) = compile("policy.rhai".as_ref(), &edited) {
            proptest::prop_assert!(!faults.is_empty() && faults.iter().all(|fault| !fault.message.is_empty()));
        }
    }
}
