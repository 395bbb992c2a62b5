//! Broken edits, one after the other: the last good version answers throughout, and the message names the place.

use std::collections::BTreeSet;
use std::fs;

use mindflow::clock::Clock;
use mindflow::policies::shipped::SCRIPT;
use mindflow::policies::{CaseRule, LivePolicies, Reload};
use tempfile::TempDir;

use crate::support::{a_task, at, morning, score};

/// Mistakes that are made on purpose here: what is replaced, and by what.
const MADE: [(&str, &str); 62] = [
    ("task.has_due", "task.has_du"),
    ("task.is_overdue", "task.is_overdu"),
    ("task.days_until_due", "task.days_until"),
    ("task.effort_minutes", "task.effort"),
    ("task.preferred_time", "task.prefered_time"),
    ("task.priority >= PRIORITY_WORDS", "task.priorty >= PRIORITY_WORDS"),
    ("task.priority <= PRIORITY_WORDS", "task.prio <= PRIORITY_WORDS"),
    ("ctx.windows[preferred]", "ctx.window[preferred]"),
    ("ctx.windows[preferred]", "ctx.colour[preferred]"),
    ("ctx.windows[preferred].active", "ctx.windows[preferred].activ"),
    ("URGENCY[urgency(task)]", "URGENCIES[urgency(task)]"),
    ("EFFORT_BONUS[effort(task)]", "EFORT_BONUS[effort(task)]"),
    ("TIME_OF_DAY[time_of_day(task, ctx)]", "TIME_OF_DAYS[time_of_day(task, ctx)]"),
    ("{ URGENCY[urgency(task)] }", "{ URGENCY[urgencies(task)] }"),
    ("{ EFFORT_BONUS[effort(task)] }", "{ EFFORT_BONUS[effort(task, 1)] }"),
    ("{ TIME_OF_DAY[time_of_day(task, ctx)] }", "{ TIME_OF_DAY[time_of_day(task)] }"),
    ("(deadline_urgency(task) * WEIGHTS.deadline", "(deadline_urgenci(task) * WEIGHTS.deadline"),
    ("effort_bonus(task) * WEIGHTS.effort)", "effort_bonis(task) * WEIGHTS.effort)"),
    ("* time_of_day_multiplier(task, ctx)\n}", "* time_of_day_multiplyer(task, ctx)\n}"),
    ("fn score(task, ctx)", "fn scores(task, ctx)"),
    ("fn score(task, ctx)", "fn score(task)"),
    ("fn score(task, ctx)", "fn score(task, ctx, more)"),
    ("fn score(task, ctx)", "fnscore(task, ctx)"),
    ("fn explain(task, ctx)", "fn explian(task, ctx)"),
    ("fn explain(task, ctx)", "fn explain(ctx)"),
    ("const WEIGHTS", "cost WEIGHTS"),
    ("const WEIGHTS", "let WEIGHTS"),
    ("const WEIGHTS = #{", "const WEIGHTS = {"),
    ("deadline: 40.0, priority", "deadline: 40.0 priority"),
    ("deadline: 40.0", "deadline: forty"),
    ("deadline: 40.0", "deadline: \"40.0\""),
    ("deadline: 40.0", "deadline: 1e308"),
    ("deadline: 40.0", "deadline: 40000000.0"),
    ("deadline: 40.0, ", ""),
    ("overdue: 1.25, today: 1.0", "overdu: 1.25, today: 1.0"),
    ("overdue: 1.25, today: 1.0", "overdue: 1.25, todai: 1.0"),
    ("tomorrow: 0.75, week: 0.5", "week: 0.5"),
    ("later: 0.25, none: 0.0 };", "later: 0.25 };"),
    ("quick: 15, short: 30", "quick: fifteen, short: 30"),
    ("long: 0.25, unknown: 0.0", "long: 0.25"),
    ("matches: 1.1,", "match: 1.1,"),
    ("another: 0.9 };", "another: () };"),
    ("\"06:00\", \"12:00\"]", "\"06:00\", \"25:00\"]"),
    ("\"06:00\", \"12:00\"]", "\"06:00\"]"),
    ("morning: [\"06:00\"", "mornings: [\"06:00\""),
    ("min: -10000.0", "min: 10000.0"),
    ("min: -10000.0, max: 10000.0", "min: -10000.0"),
    ("min: -10000.0, max: 10000.0", "min: 20.0, max: 10000.0"),
    ("if days <= 0 { \"today\" }", "if days < = 0 { \"today\" }"),
    ("if days <= 0 { \"today\" }", "if days => 0 { \"today\" }"),
    ("if days <= 0 { \"today\" }", "if days <= 0 \"today\""),
    ("if days <= 0 { \"today\" }", "if days <= 0 { \"toda\" }"),
    ("else if days == 1", "else if days = 1"),
    ("else if days == 1", "elseif days == 1"),
    ("{ \"matches\" } else { \"another\" }", "{ \"matches\" } else { \"other\" }"),
    ("if minutes == () { return \"unknown\"; }", "if minutes == () { return \"unknow\"; }"),
    ("if minutes == () { return \"unknown\"; }", "if minutes == () { return \"unknown\""),
    ("total: sum * multiplier,", "total: sum * multiplie,"),
    ("total: sum * multiplier,", "total: sum,"),
    ("points: effort_points }", "points: effort_points * 2.0 }"),
    ("points: sum * multiplier - sum", "points: sum"),
    ("let sum = deadline_points + priority_points + effort_points;", "let sum = deadline_points + priority_points;"),
];

/// Brackets and quotes of the functions, one of them lost: each a mistake of its own.
fn lost_signs() -> Vec<String> {
    let begin = SCRIPT.find("fn urgency").unwrap();
    let signs = SCRIPT.char_indices().filter(|(at, sign)| *at >= begin && "{}()\"".contains(*sign));
    signs.map(|(at, sign)| format!("{}{}", &SCRIPT[..at], &SCRIPT[at + sign.len_utf8()..])).collect()
}

#[test]
fn two_hundred_broken_edits_in_a_row_are_refused_with_their_place() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("policies");
    let policies = LivePolicies::open(&folder, CaseRule::Warn, Clock::fixed(at("2025-10-31T09:00:00Z"))).unwrap();
    let version = policies.current().version().to_owned();
    let mut edits: Vec<String> = MADE
        .iter()
        .map(|(from, to)| {
            assert!(SCRIPT.contains(from), "{from}");
            SCRIPT.replacen(from, to, 1)
        })
        .collect();
    edits.extend(lost_signs());
    edits.truncate(200);
    assert_eq!((edits.len(), edits.iter().collect::<BTreeSet<_>>().len()), (200, 200));

    let mut told = Vec::new();
    for edit in &edits {
        let changed: Vec<String> = edit
            .lines()
            .zip(SCRIPT.lines())
            .filter(|(a, b)| a != b)
            .map(|(a, _)| a.trim().to_owned())
            .take(1)
            .collect();
        fs::write(folder.join("default/policy.rhai"), edit).unwrap();

        assert_eq!(policies.reload(), Reload::Changed, "{changed:?}");

        let status = policies.status().into_iter().find(|status| status.name == "default").unwrap();
        let refused = status.refused.unwrap_or_else(|| panic!("went live: {changed:?}"));
        assert!(refused.line.is_some() && refused.column.is_some(), "{changed:?}: {refused:?}");
        assert_eq!(status.live_version.as_deref(), Some(version.as_str()));
        assert_eq!(score(&*policies.current(), &a_task(1), &morning()), 30.0);
        told.push(format!("{}:{}: {} {changed:?}", refused.line.unwrap(), refused.column.unwrap(), refused.reason));
    }
    // Read them as an operator would: `cargo nextest run two_hundred --no-capture`.
    println!("{}", told.join("\n"));
}
