//! The default policy keeps what the formula promises.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::NaiveDate;
use mindflow::calendar::{Due, TimeOfDay};
use mindflow::policies::cases::{read_case_files, run_cases};
use mindflow::policies::check::trial;
use mindflow::policies::shipped;
use mindflow::scoring::{Candidate, FactTable, LeverChange, Policy, levers, rank, rank::order};

use crate::support::{a_task, at, morning, score};

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/policies/default"))
}

#[test]
fn every_worked_example_comes_out() {
    let policy = shipped::policy().unwrap();

    let report = run_cases(&policy, &read_case_files(folder()));

    assert!(report.failures.is_empty(), "{:#?}", report.failures);
    assert!(report.total >= 20, "only {} examples", report.total);
}

#[test]
fn the_shipped_policy_passes_the_trial_that_it_is_spared_elsewhere() {
    let policy = shipped::policy().unwrap();

    assert_eq!(trial(&policy, Path::new("policy.rhai"), shipped::SCRIPT), []);
}

/// Every combination of priority, due date, estimate, and preferred time: here, another, none.
fn combinations() -> Vec<Candidate> {
    let day = |day| NaiveDate::from_ymd_opt(2025, 11, day).map(Due::On);
    let dues = [
        None,
        Some(Due::At(at("2025-10-31T08:00:00Z"))),
        Some(Due::At(at("2025-10-31T18:00:00Z"))),
        day(1),
        day(5),
        day(30),
    ];
    let mut tasks = Vec::new();
    for priority in 1..=5 {
        for due in dues {
            for effort_minutes in [None, Some(10), Some(20), Some(45), Some(200)] {
                for preferred_time in [None, Some(TimeOfDay::Morning), Some(TimeOfDay::Evening)] {
                    tasks.push(Candidate { priority, due, effort_minutes, preferred_time, ..a_task(tasks.len()) });
                }
            }
        }
    }
    tasks
}

#[test]
fn the_450_combinations_have_111_different_scores_from_9_to_121() {
    let policy = shipped::policy().unwrap();

    let tasks = combinations();
    let ranking = rank(&policy, &tasks, &morning());

    let scores: Vec<f64> = ranking.entries.iter().map(|entry| entry.score.unwrap()).collect();
    let distinct: BTreeSet<u64> = scores.iter().map(|score| score.to_bits()).collect();
    assert_eq!((scores.len(), distinct.len()), (450, 111));
    assert_eq!((scores[0], scores[449]), (121.0, 9.0));
}

#[test]
fn explanations_give_their_total_exactly() {
    let policy = shipped::policy().unwrap();
    let (tasks, moment) = (combinations(), morning());
    let (facts, ctx) = (FactTable::new(&tasks, &moment), policy.context(&moment));

    for (row, entry) in policy.score(&facts, &ctx).iter().enumerate() {
        let explanation = policy.explain(&facts, row, &ctx);

        assert_eq!(explanation.total_score, entry.score());
        let total = explanation.total_score.unwrap();
        let points: f64 = explanation.parts.iter().map(|part| part.points).sum();
        assert!((points - total).abs() < 1e-9, "{explanation:?}");
        let classic = explanation.classic.unwrap();
        assert!((classic.total() - total).abs() < 1e-9, "{explanation:?}");
        assert!(explanation.fault.is_none() && !explanation.recommendation.is_empty());
    }
}

#[test]
fn reasoning_has_the_documented_shape() {
    let policy = shipped::policy().unwrap();
    let task = Candidate {
        priority: 4,
        due: Some(Due::At(at("2025-10-31T17:00:00Z"))),
        effort_minutes: Some(30),
        ..a_task(1)
    };
    let facts = FactTable::new(&[task], &morning());

    let reasoning = serde_json::to_value(policy.explain(&facts, 0, &policy.context(&morning()))).unwrap();

    assert_eq!(
        reasoning,
        serde_json::json!({
            "deadline_urgency": 1.0, "deadline_urgency_score": 40.0, "priority_score": 40.0,
            "effort_bonus": 0.75, "effort_bonus_score": 7.5, "time_of_day_multiplier": 1.0, "total_score": 87.5,
            "recommendation": "Due today with high priority - good time to tackle this",
            "parts": [
                { "name": "deadline", "value": 1.0, "weight": 40.0, "points": 40.0 },
                { "name": "priority", "value": 4.0, "weight": 10.0, "points": 40.0 },
                { "name": "effort", "value": 0.75, "weight": 10.0, "points": 7.5 },
                { "name": "time_of_day", "value": 1.0, "weight": 87.5, "points": 0.0 },
            ],
        })
    );
}

#[test]
fn the_order_does_not_depend_on_the_order_of_the_input() {
    let policy = shipped::policy().unwrap();
    let tasks = combinations();
    let mut shuffled = tasks.clone();
    shuffled.reverse();
    shuffled.rotate_left(123);
    let ids = |tasks: &[Candidate], count| -> Vec<_> {
        let facts = FactTable::new(tasks, &morning());
        let entries = order(&policy, &facts, &policy.context(&morning()), count);
        entries.iter().map(|entry| tasks[entry.row].id).collect()
    };

    let all = ids(&tasks, usize::MAX);

    assert_eq!(all, ids(&shuffled, usize::MAX));
    assert_eq!(all[..7], ids(&shuffled, 7));
    assert!(ids(&tasks, 0).is_empty());
}

#[test]
fn levers_say_exactly_what_a_change_brings() {
    let policy = shipped::policy().unwrap();
    let task = Candidate { preferred_time: Some(TimeOfDay::Evening), ..a_task(1) };

    let levers = levers(&policy, &task, &morning());

    let of = |change| levers.iter().find(|lever| lever.change == change).map(|lever| (lever.score, lever.difference));
    assert_eq!(score(&policy, &task, &morning()), 27.0);
    assert_eq!(of(LeverChange::Priority(5)), Some((45.0, 18.0)));
    assert_eq!(of(LeverChange::Priority(3)), None);
    assert_eq!(of(LeverChange::EffortMinutes(Some(15))), Some((36.0, 9.0)));
    assert_eq!(of(LeverChange::DueDate(NaiveDate::from_ymd_opt(2025, 10, 30))), Some((72.0, 45.0)));
    assert_eq!(of(LeverChange::PreferredTime(None)), Some((30.0, 3.0)));
    assert_eq!(of(LeverChange::TimeOfDay(TimeOfDay::Evening)), Some((33.0, 6.0)));
    assert_eq!(
        serde_json::to_value(levers[0]).unwrap(),
        serde_json::json!({ "change": { "priority": 1 }, "score": 9.0, "difference": -18.0 })
    );
}
