//! What a score costs: by Rhai's interpreter, by the compiled form, and by Rust written by hand for the same policy, one
//! task after the other and column by column.
#![expect(clippy::expect_used, clippy::panic, reason = "a benchmark of policies that do not compile measures nothing")]

#[path = "native/by_hand.rs"]
mod by_hand;

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use chrono::Days;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mindflow::calendar::{Due, TimeOfDay, local_date};
use mindflow::clock::Timestamp;
use mindflow::ids::TaskId;
use mindflow::policies::{ScriptPolicy, check, shipped};
use mindflow::scoring::native::Outcome;
use mindflow::scoring::rank::order;
use mindflow::scoring::{Candidate, Context, FactTable, Moment, Policy, ScoreSheet, Scores, Verdict, round_score};

use by_hand::Hand;

const SIZES: [usize; 3] = [100, 10_000, 1_000_000];

const EXPLAIN: &str = "fn explain(task, ctx) { #{ total: score(task, ctx), parts: [], recommendation: \"\" } }\n";

/// No sum of terms of one fact each.
const NON_SEPARABLE: &str = r#"
fn score(task, ctx) {
    let days = task.days_until_due ?? 30;
    let minutes = task.effort_minutes ?? 45;
    if days <= 1 && minutes <= 30 { return 100.0 + 5.0 * task.priority; }
    if task.priority >= 4 && minutes > 120 { return if days <= 7 { 80.0 } else { 40.0 }; }
    if task.preferred_time == "morning" && ctx.hour < 12 { 30.0 * task.priority } else { 12.5 * task.priority }
}
"#;

/// Every minute counts.
const CONTINUOUS: &str = r"
fn score(task, ctx) {
    let days = (task.minutes_until_due ?? 43200) / 1440.0;
    let urgency = 40.0 / (1.0 + max(days, 0.0));
    let size = min((task.effort_minutes ?? 60) / 60.0, 8.0);
    task.priority * 10.0 + urgency - 2.0 * size + sqrt(task.age_days.to_float())
}
";

/// 2025-10-31 08:00 UTC, in Vienna.
fn moment() -> Moment {
    Moment::new(Timestamp::from_micros(1_761_897_600_000_000), chrono_tz::Europe::Vienna)
}

/// Tasks as people have them: a third without a date, few estimates, some with a time of day. No randomness.
fn facts(count: usize) -> FactTable {
    let (moment, efforts) = (moment(), [None, Some(5), Some(15), Some(25), Some(45), Some(90), Some(240)]);
    let today = local_date(moment.now, moment.zone);
    let task = |index: usize| {
        let mixed = index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let pick = |step: usize, among: usize| mixed / step % among;
        let created = Timestamp::from_micros(moment.now.as_micros() - i64::try_from(index).unwrap_or(0) * 7_000_000);
        let date = today.checked_add_days(Days::new(pick(7, 45) as u64)).map(Due::On);
        let ahead = i64::try_from(pick(11, 3_000_000)).unwrap_or(0);
        let instant = Timestamp::from_micros(moment.now.as_micros() + 1_000_000 * ahead);
        Candidate {
            due: [None, date, Some(Due::At(instant))][pick(5, 3)],
            effort_minutes: efforts[pick(13, efforts.len())],
            preferred_time: [None, None, Some(TimeOfDay::Morning), Some(TimeOfDay::Evening)][pick(17, 4)],
            ..Candidate::new(
                TaskId(uuid::Uuid::from_u128(index as u128)),
                u8::try_from(pick(1, 5) + 1).unwrap_or(3),
                created,
            )
        }
    };
    FactTable::new(&(0..count).map(task).collect::<Vec<_>>(), &moment)
}

fn policy(name: &str, score: &str) -> ScriptPolicy {
    let windows = shipped::windows().expect("the shipped policy declares windows");
    let source = if name == "default" { shipped::SCRIPT.to_owned() } else { [score, EXPLAIN].concat() };
    let policy = check(name, Path::new("policy.rhai"), &source, windows);
    policy.unwrap_or_else(|faults| panic!("{name}: {faults:#?}"))
}

/// Each task by Rhai, none remembered.
fn interpreted(policy: &ScriptPolicy, facts: &FactTable, ctx: &Context) -> Vec<Verdict> {
    let mut run = policy.run(ctx);
    (0..facts.len()).filter_map(|row| facts.row(row)).map(|facts| policy.judge(&mut run, &facts)).collect()
}

/// All four give the same scores, or there is nothing to compare.
fn agree(policy: &ScriptPolicy, hand: Hand, ctx: &Context) {
    let facts = facts(5_000);
    let program = policy.program().unwrap_or_else(|obstacle| panic!("{obstacle}"));
    let (scalar, columnar) = (hand.scalar(&facts, ctx), hand.columnar(&facts, ctx));
    for (row, (outcome, verdict)) in program.run(&facts, ctx).iter().zip(interpreted(policy, &facts, ctx)).enumerate() {
        let expected = round_score(scalar[row]);
        assert_eq!(expected.to_bits(), round_score(columnar[row]).to_bits());
        assert_eq!((outcome, &verdict), (&Outcome::Score(expected), &Verdict::Score(expected)));
    }
}

fn scores(criterion: &mut Criterion) {
    let policies = [
        (policy("default", ""), Hand::Default),
        (policy("non-separable", NON_SEPARABLE), Hand::NonSeparable),
        (policy("continuous", CONTINUOUS), Hand::Continuous),
    ];
    for (policy, hand) in &policies {
        let ctx = policy.context(&moment());
        agree(policy, *hand, &ctx);
        let mut group = criterion.benchmark_group(policy.name());
        group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2)).sample_size(10);
        for size in SIZES {
            let facts = facts(size);
            group.throughput(Throughput::Elements(size as u64));
            group.bench_with_input(BenchmarkId::new("rhai", size), &facts, |bencher, facts| {
                bencher.iter(|| interpreted(policy, black_box(facts), &ctx));
            });
            group.bench_with_input(BenchmarkId::new("compiled", size), &facts, |bencher, facts| {
                bencher.iter(|| policy.program().map(|program| program.run(black_box(facts), &ctx)).ok());
            });
            group.bench_with_input(BenchmarkId::new("scalar", size), &facts, |bencher, facts| {
                bencher.iter(|| hand.scalar(black_box(facts), &ctx));
            });
            group.bench_with_input(BenchmarkId::new("columnar", size), &facts, |bencher, facts| {
                bencher.iter(|| hand.columnar(black_box(facts), &ctx));
            });
        }
        group.finish();
    }
}

/// Scores that are there already.
struct Known(ScoreSheet);

impl Policy for Known {
    fn name(&self) -> &'static str {
        "known"
    }

    fn version(&self) -> &'static str {
        "0"
    }

    fn windows(&self) -> mindflow::calendar::Windows {
        shipped::windows().expect("the shipped policy declares windows")
    }

    fn range(&self) -> Option<mindflow::scoring::ScoreRange> {
        None
    }

    fn uses(&self) -> mindflow::scoring::Uses {
        mindflow::scoring::Uses::ALL
    }

    fn score(&self, _: &FactTable, _: &Context) -> Vec<Verdict> {
        self.0.all().verdicts().collect()
    }

    fn score_each(&self, _: &FactTable, _: &Context, take: &mut dyn FnMut(Scores<'_>)) {
        take(self.0.all());
    }

    fn explain(&self, _: &FactTable, _: usize, _: &Context) -> mindflow::scoring::Explanation {
        panic!("nobody asks")
    }
}

/// The first 50 of a million: from scores that are there, and with the scoring.
fn first_of_many(criterion: &mut Criterion) {
    let (policy, facts) = (policy("default", ""), facts(1_000_000));
    let ctx = policy.context(&moment());
    let known = Known(policy.score(&facts, &ctx).into_iter().collect());
    let mut group = criterion.benchmark_group("first-50-of-1000000");
    group.sample_size(20);
    group.bench_function("from-scores", |bencher| bencher.iter(|| order(&known, black_box(&facts), &ctx, 50)));
    group.bench_function("scored", |bencher| bencher.iter(|| order(&policy, black_box(&facts), &ctx, 50)));
    group.bench_function("all-sorted", |bencher| bencher.iter(|| order(&known, black_box(&facts), &ctx, usize::MAX)));
    group.finish();
}

/// From a saved script to something that scores.
fn compilation(criterion: &mut Criterion) {
    criterion.bench_function("compile", |bencher| {
        bencher.iter(|| {
            mindflow::policies::compile::compile(Path::new("policy.rhai"), black_box(shipped::SCRIPT)).is_ok()
        });
    });
}

criterion_group!(benches, scores, first_of_many, compilation);
criterion_main!(benches);
