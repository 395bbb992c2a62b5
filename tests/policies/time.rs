//! Until when a ranking holds follows from what its policy reads.

use chrono_tz::Tz;
use mindflow::calendar::Due;
use mindflow::policies::shipped;
use mindflow::scoring::{Candidate, ContextField, Crowd, Moment, Policy, TaskField, Uses, next_change, rank};

use crate::support::{a_task, at, good, morning, with_score};

fn valid_until(body: &str, tasks: &[Candidate], moment: &Moment) -> Option<String> {
    rank(&good(&with_score(body)), tasks, moment).valid_until.map(|until| until.to_string())
}

#[test]
fn a_policy_is_known_to_read_what_it_names_and_no_more() {
    let uses = |source: &str| {
        let uses = good(source).uses();
        (uses.task_fields().collect::<Vec<_>>(), uses.context_fields().collect::<Vec<_>>())
    };
    let explain = "fn explain(t, c) { #{ total: score(t, c), parts: [], recommendation: \"\" } }";

    let helper = format!("fn part(t) {{ t.priority * 2 }} fn score(a, b) {{ part(a) + b[\"hour\"] }} {explain}");
    assert_eq!(uses(&helper), (vec![TaskField::Priority], vec![ContextField::Hour]));
    let nested =
        format!("fn score(a, b) {{ if b.windows.morning.active {{ 1 }} else {{ a.labels.len() }} }} {explain}");
    assert_eq!(uses(&nested), (vec![TaskField::Labels], vec![ContextField::Windows]));
    let default = shipped::policy().unwrap().uses();
    assert!(!default.context(ContextField::Minute) && !default.task(TaskField::AgeDays));
}

#[test]
fn a_policy_that_hides_what_it_reads_reads_everything() {
    let bodies = [
        "task.keys().len()",
        "let t = task; t.priority",
        "let name = \"priority\"; task[name]",
        "let x = `${task.priority}`; if ctx == 1 { 1 } else { 2 }",
        "[1].map(|n| task.priority + n)[0]",
        "for task in [1, 2] { if task == 2 { return 1 } } 0",
        "task = 1; task",
    ];
    for body in bodies {
        assert_eq!(good(&with_score(body)).uses(), Uses::ALL, "{body}");
    }
}

#[test]
fn a_ranking_holds_until_the_first_fact_that_is_read_changes() {
    let moment = Moment::new(at("2025-10-31T09:10:20.5Z"), Tz::UTC);
    let tasks = [a_task(1), Candidate { due: Some(Due::At(at("2025-10-31T12:34:50Z"))), ..a_task(2) }];
    let cases = [
        ("1", None),
        ("task.priority", None),
        ("ctx.minute", Some("2025-10-31T09:11:00Z")),
        ("ctx.hour", Some("2025-10-31T10:00:00Z")),
        ("if ctx.windows.evening.active { 1 } else { 0 }", Some("2025-10-31T12:00:00Z")),
        ("if task.is_overdue { 1 } else { 0 }", Some("2025-10-31T12:34:50Z")),
        ("ctx.overdue_tasks", Some("2025-10-31T12:34:50Z")),
        ("task.age_days", Some("2025-11-01T00:00:00Z")),
        ("ctx.weekday", Some("2025-11-01T00:00:00Z")),
        // 204 minutes until 12:34:50, rounded down: until 09:10:50, and a moment longer.
        ("task.minutes_until_due ?? 0", Some("2025-10-31T09:10:50.000001Z")),
    ];
    for (body, expected) in cases {
        assert_eq!(valid_until(body, &tasks, &moment).as_deref(), expected, "{body}");
    }
}

#[test]
fn what_becomes_of_other_tasks_changes_a_score_too() {
    let policy = good(&with_score("ctx.open_tasks * 10 + ctx.overdue_tasks"));
    let (wakes, due) = (at("2025-10-31T10:00:07Z"), at("2025-10-31T12:34:50Z"));
    let crowd = Crowd::new([(None, None), (None, Some(due)), (Some(wakes), Some(at("2025-10-30T00:00:00Z")))]);
    let mut moment = Moment { open_tasks: 2, ..morning() };
    let mut changes = Vec::new();

    while let Some(change) = next_change(&policy, &a_task(1), &moment, Some(&crowd)) {
        changes.push((change.at, change.score.unwrap()));
        let overdue_tasks = if change.at == wakes { 1 } else { 2 };
        moment = Moment { open_tasks: 3, overdue_tasks, ..moment.at(change.at) };
    }

    assert_eq!(changes, [(wakes, 31.0), (due, 32.0)]);
}

#[test]
fn a_change_of_the_clock_ends_what_the_clock_decides() {
    // At 01:00 UTC the clocks in Vienna go from 02:00 to 03:00.
    let moment = Moment::new(at("2026-03-29T00:40:00Z"), chrono_tz::Europe::Vienna);

    assert_eq!(valid_until("ctx.hour", &[a_task(1)], &moment).as_deref(), Some("2026-03-29T01:00:00Z"));
    let windows = "if ctx.windows.morning.active { 1 } else { 0 }";
    assert_eq!(valid_until(windows, &[a_task(1)], &moment).as_deref(), Some("2026-03-29T01:00:00Z"));
}

#[test]
fn a_ranking_is_right_until_it_says_and_its_scores_are_stable_before() {
    let policy = shipped::policy().unwrap();
    let task = Candidate { due: Some(Due::At(at("2025-11-09T10:00:00Z"))), ..a_task(1) };
    let mut moment = morning();
    let mut changes = Vec::new();

    while let Some(change) = next_change(&policy, &task, &moment, None) {
        changes.push((change.at.to_string(), change.score.unwrap()));
        moment = moment.at(change.at);
    }

    let expected = [
        ("2025-11-02T00:00:00Z", 50.0),
        ("2025-11-08T00:00:00Z", 60.0),
        ("2025-11-09T00:00:00Z", 70.0),
        ("2025-11-09T10:00:00Z", 80.0),
    ];
    assert_eq!(changes, expected.map(|(at, score)| (at.to_owned(), score)));
}
