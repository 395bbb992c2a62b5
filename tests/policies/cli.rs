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
    shipped::write_to(&folder).unwrap();
    fs::create_dir(folder.join("mine")).unwrap();
    fs::write(folder.join("mine/policy.rhai"), "fn score(task, ctx) { task.priorty }").unwrap();
    let file = folder.join("mine/policy.rhai").display().to_string();

    assert_eq!(run(&folder, "check default"), Ok(true));
    assert_eq!(run(&folder, "check --json default"), Ok(true));
    assert_eq!(run(&folder, &format!("check {file}")), Ok(false));
    assert_eq!(run(&folder, "check --json mine"), Ok(false));
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
