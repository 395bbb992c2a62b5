//! Random policies give the same verdicts compiled and interpreted, to the last bit.

use std::path::Path;

use mindflow::policies::agreement::is_same;
use mindflow::policies::compile::compile;
use mindflow::policies::{ScriptPolicy, shipped};
use mindflow::scoring::native::Outcome;
use mindflow::scoring::{Candidate, FactTable, Moment, Policy, Verdict};

use crate::random::{self, Choices};

/// How many policies each of the tests makes; they run at the same time.
const POLICIES: u64 = 350;
/// How many moments there are, and how many tasks in each.
const MOMENTS: usize = 16;
const TASKS: usize = 250;
/// How many of a moment's tasks each policy judges.
const JUDGED: usize = 60;

fn world() -> Vec<(Moment, Vec<Candidate>)> {
    let mut choices = Choices::of_seed(2026);
    let mut world = Vec::new();
    for _ in 0..MOMENTS {
        let moment = random::moment(&mut choices);
        let tasks = (0..TASKS).map(|number| random::task(&mut choices, &moment, number)).collect();
        world.push((moment, tasks));
    }
    world
}

/// One policy in so many is compared with other values of its parameters too.
const TUNED_EACH: u64 = 5;

/// What became of some policies.
#[derive(Debug, Default)]
struct Tally {
    compiled: usize,
    tuned: usize,
    scores: usize,
    unclear: usize,
    classes: usize,
}

fn compare(seed: u64, source: &str, policy: &ScriptPolicy, world: &[(Moment, Vec<Candidate>)], tally: &mut Tally) {
    let at = usize::try_from(seed).unwrap_or(0);
    let (moment, tasks) = &world[at % world.len()];
    let tasks: Vec<Candidate> = tasks.iter().cycle().skip(at * 7 % TASKS).take(JUDGED).cloned().collect();
    let (facts, ctx) = (FactTable::new(&tasks, moment), policy.context(moment));
    let Ok(program) = policy.program() else { return };
    tally.compiled += 1;

    let (compiled, interpreted) = (policy.verdicts(&facts, &ctx), policy.interpreted(&facts, &ctx));

    for (row, (compiled, interpreted)) in compiled.iter().zip(&interpreted).enumerate() {
        let task = &tasks[row];
        assert!(
            is_same(compiled, interpreted),
            "seed {seed}: compiled {compiled:?}, interpreted {interpreted:?}\n{task:#?}\n{ctx:#?}\n{source}"
        );
    }
    let by_row = program.run_columns(&facts, &ctx);
    assert_eq!(program.run(&facts, &ctx), by_row, "seed {seed}: classes differ from columns\n{source}");
    tally.scores += interpreted.iter().filter(|verdict| matches!(verdict, Verdict::Score(_))).count();
    tally.unclear += by_row.iter().filter(|outcome| **outcome == Outcome::Unclear).count();
    tally.classes += usize::from(program.means(&ctx) == mindflow::scoring::native::Means::Classes);
}

fn run(first: u64) {
    let (world, windows) = (world(), shipped::windows().unwrap());
    let (mut tally, mut refused) = (Tally::default(), Vec::new());
    for seed in first..first + POLICIES {
        let source = random::policy(&mut Choices::of_seed(seed));
        let compiled = match compile(Path::new("policy.rhai"), &source) {
            Ok(compiled) => compiled,
            Err(faults) if faults.iter().all(|fault| fault.message.contains(random::MISSPELT)) => {
                refused.push(faults[0].message.clone());
                continue;
            }
            Err(faults) => panic!("{faults:#?}\n{source}"),
        };
        let policy = ScriptPolicy::new("random", compiled, windows);
        if let Err(obstacle) = policy.program() {
            refused.push(obstacle.to_string());
        }
        compare(seed, &source, &policy, &world, &mut tally);
        for values in policy.params().ends().into_iter().filter(|_| seed % TUNED_EACH == 0) {
            let variant = policy.with_values(values);
            assert!(!variant.is_distrusted(), "seed {seed}: {:?}\n{source}", variant.program().err());
            tally.tuned += usize::from(variant.program().is_ok());
            compare(seed, &source, &variant, &world, &mut Tally::default());
        }
    }
    // What makes the comparison worth something: most are compiled, and most tasks get a score from the compiled form.
    let count = usize::try_from(POLICIES).unwrap();
    refused.sort();
    assert!(tally.compiled * 10 >= count * 8, "{tally:?} {refused:#?}");
    assert!(tally.tuned * 10 >= count * 2, "{tally:?}");
    assert!(tally.scores * 4 >= tally.compiled * JUDGED, "{tally:?}");
    assert!(tally.unclear * 2 <= tally.compiled * JUDGED, "{tally:?}");
    assert!(tally.classes * 20 >= tally.compiled, "{tally:?}");
}

#[test]
fn random_policies_say_the_same_compiled_and_interpreted_1() {
    run(0);
}

#[test]
fn random_policies_say_the_same_compiled_and_interpreted_2() {
    run(10_000);
}

#[test]
fn random_policies_say_the_same_compiled_and_interpreted_3() {
    run(20_000);
}

#[test]
fn random_policies_say_the_same_compiled_and_interpreted_4() {
    run(30_000);
}
