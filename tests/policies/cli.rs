//! `mindflow policy` as people call it.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use mindflow::cli::policy::PolicyCommand;
use mindflow::policies::shipped;
use tempfile::TempDir;

#[derive(Parser)]
struct Program {
    #[command(subcommand)]
    command: PolicyCommand,
}

fn run(folder: &Path, args: &str) -> Result<bool, String> {
    let args = ["policy"].into_iter().chain(args.split_whitespace());
    let program = Program::try_parse_from(args).map_err(|error| error.to_string())?;
    let code = program.command.run(folder).map_err(|error| format!("{error:#}"))?;
    // Exit codes can be printed, not compared.
    Ok(format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS))
}

#[test]
fn check_and_test_say_by_their_exit_code_whether_all_is_in_order() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("policies");
    shipped::SHELF[0].write_to(&folder).unwrap();
    fs::create_dir(folder.join("mine")).unwrap();
    fs::write(folder.join("mine/policy.rhai"), "fn score(task, ctx) { task.priorty }").unwrap();
    let file = folder.join("mine/policy.rhai").display().to_string();

    assert_eq!(run(&folder, "check default"), Ok(true));
    assert_eq!(run(&folder, "check --json default"), Ok(true));
    assert_eq!(run(&folder, &format!("check {file}")), Ok(false));
    assert_eq!(run(&folder, "check --json mine"), Ok(false));
    assert_eq!(run(&folder, "schema --json"), Ok(true));
    assert_eq!(run(&folder, "schema eisenhower"), Ok(true));
    assert_eq!(run(&folder, "schema mine"), Ok(false));
    assert_eq!(run(&folder, "bench default --tasks 100"), Ok(true));
    assert_eq!(run(&folder, "bench default --tasks 1 --json"), Ok(true));
    assert_eq!(run(&folder, "bench mine --json"), Ok(false));
    assert!(run(&folder, "bench default --tasks 0").is_err());
    assert_eq!(run(&folder, "test default"), Ok(true));
    assert_eq!(run(&folder, "test"), Ok(false));
    assert!(run(&folder, "check other").is_err_and(|error| error.contains("there is no policy `other`")));
}

#[test]
fn explain_takes_a_task_by_flags() {
    let home = TempDir::new().unwrap();
    let at = "--at 2025-10-31T09:00:00Z --zone Europe/Vienna";

    let good = [
        "--priority 4 --due today --effort 30",
        "--due 2025-11-02T10:00 --preferred-time evening --json",
        "--label a --label b",
    ];
    for flags in good {
        assert_eq!(run(home.path(), &format!("explain {at} {flags}")), Ok(true), "{flags}");
    }
    for flags in
        ["--priority 6", "--due soon", "--zone Nowhere", "--preferred-time noon", "--policy other", "--at 2026-02-30"]
    {
        assert!(run(home.path(), &format!("explain {flags}")).is_err(), "{flags}");
    }
}

#[test]
fn test_says_what_the_examples_reach_and_fails_below_the_threshold() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("policies");
    shipped::SHELF[0].write_to(&folder).unwrap();
    let half = "fn score(task, ctx) { if task.priority > 3 { 2 } else { 1 } }
        fn explain(task, ctx) { #{ total: score(task, ctx), parts: [], recommendation: \"\" } }";
    fs::create_dir_all(folder.join("half/tests")).unwrap();
    fs::write(folder.join("half/policy.rhai"), half).unwrap();
    let example = |name: &str, expected| {
        format!("{{ name: {name}, now: 2025-10-31, tasks: [{{ id: a }}], expect: {{ scores: {{ a: {expected} }} }} }}")
    };
    let file = folder.join("half/tests/a.yaml");
    fs::write(&file, format!("cases: [{}]", example("low", 1))).unwrap();
    let junit = home.path().join("junit.xml");

    // Of two functions and two branches, two are reached.
    assert_eq!(run(&folder, "test half --coverage"), Ok(true));
    assert_eq!(run(&folder, "test half --coverage --threshold 50"), Ok(true));
    assert_eq!(run(&folder, "test half --threshold 51 --json"), Ok(false));
    assert_eq!(
        run(&folder, &format!("test {} --threshold 90 --junit {}", folder.display(), junit.display())),
        Ok(false)
    );
    let xml = fs::read_to_string(&junit).unwrap();
    assert!(xml.contains(r#"<testsuite name="half" tests="2" failures="1" errors="0" skipped="0">"#), "{xml}");
    assert!(xml.contains("50 % of the script is reached, and 90 % must be"), "{xml}");
    assert!(run(&folder, "test half --threshold 101").is_err());
    // Without a name it goes to standard output.
    assert_eq!(run(&folder, "test half --coverage --threshold 50 --junit"), Ok(true));
    assert_eq!(run(&folder, "test half --junit --threshold 90"), Ok(false));

    fs::write(&file, format!("cases: [{}, {}]", example("low", 1), example("\"high & mighty\"", 2))).unwrap();
    assert_eq!(run(&folder, &format!("test {} --junit {}", file.display(), junit.display())), Ok(false));
    let xml = fs::read_to_string(&junit).unwrap();
    assert!(xml.contains(r#"name="high &amp; mighty""#) && xml.contains("`a` must score 2, but it is 1"), "{xml}");
}

#[test]
fn the_examples_of_the_shelf_reach_nine_tenths_of_each_script() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("policies");
    shipped::write_to(&folder).unwrap();

    assert_eq!(run(&folder, "test --coverage --threshold 90"), Ok(true));
}
