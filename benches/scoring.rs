//! What ranking costs with the default policy: derived facts, scores, order; and one explanation.
#![expect(clippy::expect_used, reason = "a benchmark without the shipped policy measures nothing")]

use std::hint::black_box;
use std::time::Duration;

use chrono::Days;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mindflow::calendar::{Due, TimeOfDay, local_date};
use mindflow::clock::Timestamp;
use mindflow::ids::TaskId;
use mindflow::policies::shipped;
use mindflow::scoring::{Candidate, FactTable, Moment, Policy, levers, next_change, rank, top};

const SIZES: [usize; 4] = [1, 100, 10_000, 100_000];

/// 2025-10-31 08:00 UTC, in Vienna.
fn moment() -> Moment {
    Moment::new(Timestamp::from_micros(1_761_897_600_000_000), chrono_tz::Europe::Vienna)
}

/// Tasks as people have them: a third without a date, few estimates, some with a time of day. No randomness.
fn tasks(count: usize) -> Vec<Candidate> {
    let (moment, efforts) = (moment(), [None, Some(5), Some(15), Some(25), Some(45), Some(90), Some(240)]);
    let today = local_date(moment.now, moment.zone);
    let task = |index: usize| {
        let mixed = index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let pick = |step: usize, among: usize| mixed / step % among;
        let created = Timestamp::from_micros(moment.now.as_micros() - i64::try_from(index).unwrap_or(0) * 7_000_000);
        let priority = u8::try_from(pick(1, 5) + 1).unwrap_or(3);
        let date = today.checked_add_days(Days::new(pick(7, 45) as u64)).map(Due::On);
        let instant = Timestamp::from_micros(
            moment.now.as_micros() + 1_000_000 * i64::try_from(pick(11, 3_000_000)).unwrap_or(0),
        );
        Candidate {
            due: [None, date, Some(Due::At(instant))][pick(5, 3)],
            effort_minutes: efforts[pick(13, efforts.len())],
            preferred_time: [None, None, Some(TimeOfDay::Morning), Some(TimeOfDay::Evening)][pick(17, 4)],
            ..Candidate::new(TaskId(uuid::Uuid::from_u128(index as u128)), priority, created)
        }
    };
    (0..count).map(task).collect()
}

fn ranking(criterion: &mut Criterion) {
    let policy = shipped::policy().expect("the shipped policy runs");
    let mut group = criterion.benchmark_group("scoring");
    group.measurement_time(Duration::from_secs(3)).sample_size(20);
    for size in SIZES {
        let tasks = tasks(size);
        group.throughput(Throughput::Elements(size as u64));
        group.bench_with_input(BenchmarkId::new("facts", size), &tasks, |bencher, tasks| {
            bencher.iter(|| FactTable::new(black_box(tasks), &moment()));
        });
        let facts = FactTable::new(&tasks, &moment());
        let ctx = policy.context(&moment());
        group.bench_with_input(BenchmarkId::new("scores", size), &facts, |bencher, facts| {
            bencher.iter(|| policy.score(black_box(facts), &ctx));
        });
        group.bench_with_input(BenchmarkId::new("rank", size), &tasks, |bencher, tasks| {
            bencher.iter(|| rank(&policy, black_box(tasks), &moment()));
        });
        group.bench_with_input(BenchmarkId::new("best", size), &tasks, |bencher, tasks| {
            bencher.iter(|| top(&policy, black_box(tasks), &moment(), 1));
        });
    }
    group.finish();
}

fn one_task(criterion: &mut Criterion) {
    let policy = shipped::policy().expect("the shipped policy runs");
    let task = tasks(3).swap_remove(1);
    let facts = FactTable::new(std::slice::from_ref(&task), &moment());
    let ctx = policy.context(&moment());
    let mut run = policy.run(&ctx);
    let row = facts.row(0).expect("there is one task");
    criterion.bench_function("interpret", |bencher| bencher.iter(|| policy.judge(&mut run, black_box(&row))));
    criterion.bench_function("explain", |bencher| bencher.iter(|| policy.explain(black_box(&facts), 0, &ctx)));
    criterion.bench_function("next_change", |bencher| {
        bencher.iter(|| next_change(&policy, black_box(&task), &moment(), None));
    });
    criterion.bench_function("levers", |bencher| bencher.iter(|| levers(&policy, black_box(&task), &moment())));
}

criterion_group!(benches, ranking, one_task);
criterion_main!(benches);
