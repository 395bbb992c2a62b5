//! Versions that score in the shadow of the one in force: off the way of requests, seen by nobody, counted.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::quiet::Quiet;
use super::script::ScriptPolicy;
use crate::scoring::{FactTable, Moment, Policy, Ranked, rank::order};
use crate::store::policy_candidates::TrialCounts;

/// Rankings that wait to be compared; further ones are left out.
const WAITING: usize = 64;
/// Tasks of a ranking that is compared, at most: a larger one would keep the others waiting.
const MOST_TASKS: usize = 5_000;

/// A ranking that was made, to be made again by another version.
pub struct Shadowed {
    /// What is known of the tasks.
    pub facts: FactTable,
    /// The moment.
    pub moment: Moment,
    /// The version in force, and the one on trial.
    pub policies: [Arc<ScriptPolicy>; 2],
}

/// Trials by the policy's name and the version.
type Counts = BTreeMap<(String, String), TrialCounts>;

/// The thread that compares, and what it found.
pub struct Shadows {
    jobs: SyncSender<Shadowed>,
    counts: Arc<Mutex<Counts>>,
}

impl Shadows {
    /// Begins to compare; ends when this is dropped. Without a thread nothing is compared.
    pub fn start() -> Self {
        let (jobs, received) = sync_channel(WAITING);
        let counts: Arc<Mutex<Counts>> = Arc::default();
        let kept = Arc::clone(&counts);
        let thread = std::thread::Builder::new().name("shadows".to_owned()).spawn(move || work(&received, &kept));
        if let Err(error) = thread {
            tracing::warn!(%error, "no thread compares policies in the shadow");
        }
        Self { jobs, counts }
    }

    /// Gives a ranking to compare; when too many wait, or it is too large, it is left out.
    pub fn give(&self, shadowed: Shadowed) {
        if shadowed.facts.len() <= MOST_TASKS {
            // A full queue leaves a ranking out, as the share of those that are compared does.
            let _ = self.jobs.try_send(shadowed);
        }
    }

    /// What was found since it was last asked for.
    pub fn take(&self) -> Vec<((String, String), TrialCounts)> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *counts).into_iter().collect()
    }

    /// Puts back what could not be kept.
    pub fn put_back(&self, trial: (String, String), counts: TrialCounts) {
        add(&self.counts, trial, counts);
    }
}

fn work(jobs: &Receiver<Shadowed>, counts: &Mutex<Counts>) {
    while let Ok(job) = jobs.recv() {
        let trial = (job.policies[1].name().to_owned(), job.policies[1].version().to_owned());
        add(counts, trial, compare(&job));
    }
}

fn add(counts: &Mutex<Counts>, trial: (String, String), more: TrialCounts) {
    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    let sum = counts.entry(trial).or_default();
    sum.rankings += more.rankings;
    sum.first_changes += more.first_changes;
    sum.tasks += more.tasks;
    sum.moved += more.moved;
    sum.faults += more.faults;
    sum.live_nanos += more.live_nanos;
    sum.candidate_nanos += more.candidate_nanos;
    sum.last_fault = more.last_fault.or(sum.last_fault.take());
}

/// Ranks by both.
fn compare(job: &Shadowed) -> TrialCounts {
    let [live, candidate] = job.policies.each_ref().map(|policy| Quiet(Arc::clone(policy)));
    let (before, live_time) = timed(&live, job);
    let (after, candidate_time) = timed(&candidate, job);
    let place = |entries: &[Ranked]| {
        let mut places = vec![None; job.facts.len()];
        for (index, entry) in entries.iter().enumerate() {
            places[entry.row] = Some(index);
        }
        places
    };
    let moved = place(&before).iter().zip(&place(&after)).filter(|(before, after)| before != after).count();
    let first = |entries: &[Ranked]| entries.first().map(|entry| entry.row);
    let mut faults = after.iter().filter_map(|entry| entry.fault.as_ref());
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    TrialCounts {
        rankings: 1,
        first_changes: i64::from(first(&before) != first(&after)),
        tasks: count(job.facts.len()),
        moved: count(moved),
        faults: count(faults.clone().count()),
        live_nanos: nanos(live_time),
        candidate_nanos: nanos(candidate_time),
        last_fault: faults.next().map(ToString::to_string),
    }
}

fn timed(policy: &dyn Policy, job: &Shadowed) -> (Vec<Ranked>, Duration) {
    let begun = Instant::now();
    let entries = order(policy, &job.facts, &policy.context(&job.moment), usize::MAX);
    (entries, begun.elapsed())
}

fn nanos(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}
