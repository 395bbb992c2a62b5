//! Edits while the program runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mindflow::clock::{Clock, Timestamp};
use mindflow::policies::compile::version_of;
use mindflow::policies::live::Execution;
use mindflow::policies::pins::Pin;
use mindflow::policies::shipped::{SCRIPT, SHELF};
use mindflow::policies::{CaseRule, Events, LivePolicies, PolicyWatch, Reload, WatchOptions};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::support::{a_task, at, morning, score, with_score};

fn clock() -> Clock {
    Clock::fixed(at("2025-10-31T09:00:00Z"))
}

/// The policies of a folder; a new one has the default policy alone.
fn open(folder: &Path) -> LivePolicies {
    if !folder.exists() {
        SHELF[0].write_to(folder).unwrap();
    }
    LivePolicies::open(folder, CaseRule::Warn, clock()).unwrap()
}

fn write(folder: &Path, name: &str, script: &str) {
    fs::create_dir_all(folder.join(name)).unwrap();
    fs::write(folder.join(name).join("policy.rhai"), script).unwrap();
}

/// The score of a plain task of priority 3 under the default policy.
fn plain_score(policies: &LivePolicies) -> f64 {
    score(&*policies.current(), &a_task(1), &morning())
}

#[test]
fn a_first_start_writes_the_shipped_policies_down() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("policies");

    let policies = LivePolicies::open(&folder, CaseRule::Warn, clock()).unwrap();

    assert_eq!(fs::read_to_string(folder.join("default/policy.rhai")).unwrap(), SCRIPT);
    assert!(folder.join("default/tests/formula.yaml").is_file() && folder.join("default/README.md").is_file());
    assert_eq!((policies.is_healthy(), plain_score(&policies)), (true, 30.0));
    let status = policies.status();
    assert!(status.len() == 5 && status.iter().all(|one| one.failing_cases.is_empty()), "{status:#?}");
    let default = status.iter().find(|one| one.name == "default").unwrap();
    assert_eq!(default.live_version.as_deref(), Some(policies.current().version()));
}

#[test]
fn a_good_edit_goes_live_and_a_broken_one_keeps_the_last_good() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("policies");
    let policies = open(&folder);
    let clock_start: Timestamp = at("2025-10-31T09:00:00Z");

    write(&folder, "default", &SCRIPT.replace("priority: 10.0", "priority: 20.0"));
    assert_eq!(policies.reload(), Reload::Changed);
    let version = policies.current().version().to_owned();
    assert_eq!((plain_score(&policies), policies.is_healthy()), (60.0, true));
    assert!(policies.status()[0].failing_cases.len() > 3);

    write(&folder, "default", &SCRIPT.replace("priority: 10.0", "priority: 10.0 +"));
    assert_eq!(policies.reload(), Reload::Changed);
    assert_eq!((plain_score(&policies), policies.is_healthy()), (60.0, false));
    let status = policies.status().remove(0);
    let refused = status.refused.unwrap();
    assert_eq!((refused.line, refused.since), (Some(8), clock_start));
    assert_eq!(refused.file, folder.join("default/policy.rhai"));
    assert_eq!(status.live_version, Some(version));

    assert_eq!(policies.reload(), Reload::Unchanged);
    write(&folder, "default", SCRIPT);
    policies.reload();
    assert_eq!((plain_score(&policies), policies.is_healthy()), (30.0, true));
}

#[test]
fn a_broken_file_at_the_start_leaves_the_shipped_policy_running() {
    let home = TempDir::new().unwrap();
    write(home.path(), "default", "fn score(");
    write(home.path(), "mine", "fn score(");

    let policies = open(home.path());

    assert_eq!((plain_score(&policies), policies.is_healthy()), (30.0, false));
    assert!(policies.get("mine").is_none() && policies.get("default").is_some() && policies.get("other").is_none());
    assert_eq!(policies.snapshot().names(), ["default"]);
    assert_eq!(policies.status()[1].live_version, None);
}

#[test]
fn one_bad_policy_does_not_touch_the_others_and_a_deleted_one_stays() {
    let home = TempDir::new().unwrap();
    write(home.path(), "default", SCRIPT);
    write(home.path(), "mine", &with_score("1"));
    write(home.path(), "Not A Name", "fn score(");
    let policies = open(home.path());
    assert_eq!(policies.snapshot().names(), ["default", "mine"]);

    write(home.path(), "mine", "nonsense(");
    write(home.path(), "default", &SCRIPT.replace("priority: 10.0", "priority: 11.0"));
    policies.reload();
    assert_eq!((plain_score(&policies), score(&*policies.get("mine").unwrap(), &a_task(1), &morning())), (33.0, 1.0));

    fs::remove_dir_all(home.path().join("mine")).unwrap();
    policies.reload();
    assert_eq!(score(&*policies.get("mine").unwrap(), &a_task(1), &morning()), 1.0);
    assert!(policies.status()[1].refused.as_ref().unwrap().reason.contains("the file is not there"));

    let snapshot = policies.snapshot();
    write(home.path(), "mine", &with_score("2"));
    policies.reload();
    assert_eq!(score(&*policies.get("mine").unwrap(), &a_task(1), &morning()), 2.0);
    assert_eq!(score(&*snapshot.get("mine").unwrap(), &a_task(1), &morning()), 1.0);
}

#[test]
fn failing_examples_warn_or_where_required_refuse() {
    let home = TempDir::new().unwrap();
    write(home.path(), "default", SCRIPT);
    write(home.path(), "mine", &with_score("1"));
    fs::create_dir(home.path().join("mine/tests")).unwrap();
    let example = "cases: [{ name: two, now: 2025-10-31, tasks: [{ id: a }], expect: { scores: { a: 2 } } }]";
    fs::write(home.path().join("mine/tests/mine.yaml"), example).unwrap();

    let warned = open(home.path());
    let required = LivePolicies::open(home.path(), CaseRule::Require, clock()).unwrap();

    assert!(warned.is_healthy() && warned.get("mine").is_some());
    assert_eq!(warned.status()[1].failing_cases[0].message, "`a` must score 2, but it is 1");
    assert!(!required.is_healthy() && required.get("mine").is_none());
    assert_eq!(required.status()[1].refused.as_ref().unwrap().line, Some(1));
    fs::write(home.path().join("mine/tests/mine.yaml"), example.replace("a: 2", "a: 1")).unwrap();
    required.reload();
    assert!(required.is_healthy() && required.get("mine").is_some());
}

#[test]
fn what_was_activated_holds_again_once_the_file_is_as_it_was() {
    let home = TempDir::new().unwrap();
    write(home.path(), "default", SCRIPT);
    write(home.path(), "mine", &with_score("1"));
    let policies = open(home.path());
    let pin = Pin {
        version: version_of(&with_score("2")),
        source: with_score("2").into(),
        file_version: Some(version_of(&with_score("1"))),
    };
    let score_of = || score(&*policies.get("mine").unwrap(), &a_task(1), &morning());
    policies.set_pins([("mine".to_owned(), pin)].into());
    assert_eq!(score_of().to_bits(), 2.0_f64.to_bits());

    for (text, expected) in [("3", 3.0_f64), ("broken(", 3.0), ("1", 2.0)] {
        write(home.path(), "mine", &with_score(text));
        policies.reload();
        assert_eq!(score_of().to_bits(), expected.to_bits(), "{text}");
    }
}

#[test]
fn what_was_activated_elsewhere_on_a_newer_file_never_brings_the_older_file_back() {
    let home = TempDir::new().unwrap();
    write(home.path(), "default", SCRIPT);
    write(home.path(), "mine", &with_score("1"));
    let policies = open(home.path());
    let pin = |text: &str, file: &str| {
        let (source, file_version) = (with_score(text), Some(version_of(&with_score(file))));
        [("mine".to_owned(), Pin { version: version_of(&source), source: source.into(), file_version })].into()
    };
    let score_of = || score(&*policies.get("mine").unwrap(), &a_task(1), &morning());
    policies.set_pins(pin("2", "1"));
    assert_eq!(score_of().to_bits(), 2.0_f64.to_bits());
    write(home.path(), "mine", &with_score("3"));

    // Of a file that is not here yet: everything stays. Of the one that is here: it holds, seen or not.
    policies.set_pins(pin("5", "4"));
    assert_eq!(score_of().to_bits(), 2.0_f64.to_bits());
    policies.set_pins(pin("6", "3"));
    assert_eq!(score_of().to_bits(), 6.0_f64.to_bits());
    policies.set_pins(BTreeMap::new());
    assert_eq!(score_of().to_bits(), 3.0_f64.to_bits());
}

/// Such as what an editor leaves beside a file, or one that somebody may not read.
#[test]
fn examples_that_cannot_be_read_are_examples_that_fail() {
    let home = TempDir::new().unwrap();
    write(home.path(), "default", SCRIPT);
    write(home.path(), "mine", &with_score("1"));
    fs::create_dir(home.path().join("mine/tests")).unwrap();
    fs::write(home.path().join("mine/tests/mine.yaml"), [0xff, 0xfe]).unwrap();

    let warned = open(home.path());
    let required = LivePolicies::open(home.path(), CaseRule::Require, clock()).unwrap();

    assert!(warned.get("mine").is_some() && required.get("mine").is_none());
    assert!(warned.status()[1].failing_cases[0].message.starts_with("the file cannot be read"));
    fs::rename(home.path().join("mine/tests/mine.yaml"), home.path().join("mine/tests/.#mine.yaml")).unwrap();
    required.reload();
    assert!(required.get("mine").is_some());
}

#[test]
fn a_pipe_in_the_place_of_a_policy_stops_nothing() {
    let home = TempDir::new().unwrap();
    write(home.path(), "default", SCRIPT);
    fs::create_dir(home.path().join("pipe")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(home.path().join("pipe/policy.rhai")).status();
    assert!(made.unwrap().success());

    let policies = open(home.path());

    assert!(policies.status()[1].refused.as_ref().unwrap().reason.contains("it is no file"));
}

const EVENTS: WatchOptions =
    WatchOptions { events: Events::Heard, settle: Duration::from_millis(20), poll_every: Duration::from_hours(1) };
const POLLING: WatchOptions =
    WatchOptions { events: Events::Ignored, settle: Duration::from_millis(20), poll_every: Duration::from_millis(50) };

/// Changes something and waits until it is live.
async fn expect_score(policies: &LivePolicies, expected: f64, change: impl FnOnce()) {
    let mut changes = policies.changes();
    change();
    let seen =
        timeout(Duration::from_secs(20), changes.wait_for(|_| (plain_score(policies) - expected).abs() < 1e-9)).await;
    assert!(seen.is_ok(), "the score is {} and not {expected}", plain_score(policies));
}

fn edited(weight: &str) -> String {
    SCRIPT.replace("priority: 10.0", &format!("priority: {weight}"))
}

#[tokio::test]
async fn every_way_of_saving_is_noticed_by_events() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("policies");
    write(&folder, "default", SCRIPT);
    let policies = Arc::new(open(&folder));
    let watch = PolicyWatch::start(Arc::clone(&policies), EVENTS).unwrap();
    let file = folder.join("default/policy.rhai");

    expect_score(&policies, 60.0, || fs::write(&file, edited("20.0")).unwrap()).await;
    for (weight, score) in [("30.0", 90.0), ("40.0", 120.0)] {
        let renamed = || {
            fs::write(folder.join("default/.policy.rhai.swp"), edited(weight)).unwrap();
            fs::rename(folder.join("default/.policy.rhai.swp"), &file).unwrap();
        };
        expect_score(&policies, score, renamed).await;
    }
    for (weight, score) in [("50.0", 150.0), ("60.0", 180.0)] {
        let replaced = || {
            write(home.path(), "next", "");
            write(&home.path().join("next"), "default", &edited(weight));
            fs::rename(&folder, home.path().join(format!("old{weight}"))).unwrap();
            fs::rename(home.path().join("next"), &folder).unwrap();
        };
        expect_score(&policies, score, replaced).await;
    }
    expect_score(&policies, 33.0, || fs::write(&file, edited("11.0")).unwrap()).await;
    drop(watch);
}

#[cfg(unix)]
#[tokio::test]
async fn links_swapped_as_kubernetes_does_are_noticed() {
    use std::os::unix::fs::symlink;

    let home = TempDir::new().unwrap();
    let folder = home.path().join("policies");
    let mount = folder.join("default");
    let version = |name: &str, weight: &str| {
        fs::create_dir_all(mount.join(name)).unwrap();
        fs::write(mount.join(name).join("policy.rhai"), edited(weight)).unwrap();
    };
    version("..1", "10.0");
    symlink("..1", mount.join("..data")).unwrap();
    symlink("..data/policy.rhai", mount.join("policy.rhai")).unwrap();
    let policies = Arc::new(open(&folder));
    let _watch = PolicyWatch::start(Arc::clone(&policies), EVENTS).unwrap();

    for (name, weight, score) in [("..2", "20.0", 60.0), ("..3", "30.0", 90.0)] {
        let swap = || {
            version(name, weight);
            symlink(name, mount.join("..data_tmp")).unwrap();
            fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
        };
        expect_score(&policies, score, swap).await;
    }
}

#[tokio::test]
async fn new_folders_are_noticed_and_watched() {
    let home = TempDir::new().unwrap();
    let policies = Arc::new(open(&home.path().join("policies")));
    let _watch = PolicyWatch::start(Arc::clone(&policies), EVENTS).unwrap();
    let mine = |policies: &LivePolicies| policies.get("mine").map(|mine| score(&*mine, &a_task(1), &morning()));

    for value in ["1", "2"] {
        let mut changes = policies.changes();
        write(policies.folder(), "mine", &with_score(value));
        let seen = changes.wait_for(|_| mine(&policies) == value.parse().ok());
        assert!(timeout(Duration::from_secs(20), seen).await.is_ok(), "{:?}", mine(&policies));
    }
}

#[tokio::test]
async fn without_events_the_folder_is_polled() {
    let home = TempDir::new().unwrap();
    write(home.path(), "default", SCRIPT);
    let policies = Arc::new(open(home.path()));
    let _watch = PolicyWatch::start(Arc::clone(&policies), POLLING).unwrap();

    expect_score(&policies, 60.0, || write(home.path(), "default", &edited("20.0"))).await;
    expect_score(&policies, 30.0, || write(home.path(), "default", SCRIPT)).await;
}

#[test]
fn what_is_in_use_and_probably_a_slip_is_told_until_it_is_mended() {
    let home = TempDir::new().unwrap();
    write(home.path(), "default", SCRIPT);
    write(home.path(), "mine", &with_score("let unused = 1; 10 - task.priority"));
    let policies = open(home.path());
    policies.look_for_slips();
    let of = |name: &str| policies.status().into_iter().find(|status| status.name == name).unwrap();

    let messages: Vec<String> = of("mine").warnings.iter().map(ToString::to_string).collect();
    let place = home.path().join("mine/policy.rhai:1:4: warning: the score falls from 9 to 8");
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].starts_with(place.to_str().unwrap()), "{messages:?}");
    assert!(policies.is_healthy() && of("default").warnings.is_empty());
    assert_eq!([of("default").execution, of("mine").execution], [Some(Execution::ClassTable); 2]);

    write(home.path(), "mine", &with_score("let sum = 0; for label in task.labels { sum += 1; } sum"));
    policies.reload();
    policies.look_for_slips();

    assert_eq!(of("mine").warnings, []);
    assert_eq!(of("mine").execution, Some(Execution::Interpreted));
    assert!(of("mine").interpreted.unwrap().to_string().starts_with("line 1, column "));
}
