//! The five policies of the folder `policies`.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use mindflow::calendar::Due;
use mindflow::clock::Clock;
use mindflow::policies::agreement::is_same;
use mindflow::policies::cases::{read_case_files, run_cases};
use mindflow::policies::check::trial;
use mindflow::policies::compile::compile;
use mindflow::policies::shipped::{self, SHELF, Shelved};
use mindflow::policies::{CaseRule, LivePolicies, ScriptPolicy};
use mindflow::scoring::{Candidate, FactTable, Policy, Status};

use tempfile::TempDir;

use crate::random::{self, Choices};
use crate::support::{a_task, at, morning, score};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")
}

fn policy(name: &str, script: &str) -> ScriptPolicy {
    ScriptPolicy::new(name, compile(Path::new("policy.rhai"), script).unwrap(), shipped::windows().unwrap())
}

#[test]
fn every_policy_of_the_folder_is_on_the_shelf_and_says_what_it_is() {
    let mut there: Vec<String> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    there.sort();
    let mut shelved = SHELF.map(|shelved| shelved.name);
    shelved.sort_unstable();

    assert_eq!(there, shelved);
    for name in shelved {
        let about = fs::read_to_string(folder().join(name).join("README.md")).unwrap();
        assert!(about.contains(&format!("mindflow policy test {name}")), "{name}");
    }
}

#[test]
fn every_worked_example_comes_out() {
    for Shelved { name, script, .. } in SHELF {
        let report = run_cases(&policy(name, script), &read_case_files(&folder().join(name)));

        assert!(report.failures.is_empty(), "{:#?}", report.failures);
        assert!(report.total >= 3, "{name}: only {} examples", report.total);
    }
}

#[test]
fn every_policy_of_the_shelf_passes_the_trial_that_it_is_spared_elsewhere() {
    for Shelved { name, script, .. } in SHELF {
        assert_eq!(trial(&policy(name, script), Path::new("policy.rhai"), script), [], "{name}");
    }
}

#[test]
fn every_one_is_compiled_and_scores_as_interpreted() {
    let mut choices = Choices::of_seed(2026);
    for Shelved { name, script, .. } in SHELF {
        let policy = policy(name, script);
        assert!(policy.program().is_ok(), "{name}");
        for _ in 0..12 {
            let moment = random::moment(&mut choices);
            let tasks: Vec<Candidate> = (0..200).map(|number| random::task(&mut choices, &moment, number)).collect();
            let (facts, ctx) = (FactTable::new(&tasks, &moment), policy.context(&moment));
            let (compiled, interpreted) = (policy.verdicts(&facts, &ctx), policy.interpreted(&facts, &ctx));
            let rows = compiled.iter().zip(&interpreted);
            assert!(rows.clone().all(|(a, b)| is_same(a, b)), "{name}");
        }
    }
}

#[test]
fn none_of_them_gives_more_priority_less_score() {
    let dues = [None, Some(Due::At(at("2025-10-31T12:00:00Z"))), NaiveDate::from_ymd_opt(2025, 11, 3).map(Due::On)];
    for Shelved { name, script, .. } in SHELF {
        let policy = policy(name, script);
        for due in dues {
            for effort_minutes in [None, Some(5), Some(500)] {
                for status in [Status::Pending, Status::InProgress] {
                    let of = |priority| {
                        score(&policy, &Candidate { priority, due, effort_minutes, status, ..a_task(1) }, &morning())
                    };
                    let scores: Vec<f64> = (1..=5).map(of).collect();
                    assert!(scores.windows(2).all(|pair| pair[0] < pair[1]), "{name}: {scores:?}");
                }
            }
        }
    }
}

#[test]
fn a_new_folder_gets_all_of_them_with_every_file() {
    let home = TempDir::new().unwrap();
    let new = home.path().join("policies");

    let policies = LivePolicies::open(&new, CaseRule::Require, Clock::fixed(at("2025-10-31T09:00:00Z"))).unwrap();

    let files = |root: &Path| {
        let (mut files, mut folders) = (Vec::new(), vec![root.to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push((path.strip_prefix(root).unwrap().to_owned(), fs::read_to_string(&path).unwrap()));
                }
            }
        }
        files.sort();
        files
    };
    assert_eq!(files(&new), files(&folder()));
    assert!(policies.is_healthy());
    assert_eq!(policies.snapshot().names(), ["deadline-first", "default", "eisenhower", "quick-wins", "taskwarrior"]);
}
