//! Tasks on which a script is looked at: those of the check, and some that are made for it.

use chrono::{Datelike, TimeDelta};
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::calendar::{Due, local_time};
use crate::clock::Timestamp;
use crate::policies::corpus::{candidates, moments};
use crate::policies::coverage::{numbers_in, texts_in};
use crate::scoring::{Candidate, Moment, Status};

/// How many numbers and texts of a script are tried.
const MOST: usize = 48;
/// Numbers beyond this are no days or minutes.
const LARGEST: i64 = 100_000;
/// Before it nothing is ever due.
const FIRST_YEAR: i32 = 1970;
/// Every how many-th task of the check is looked at.
const EACH: usize = 9;
/// Every how many-th moment sees the tasks that are made for the script.
const OWN_EACH: usize = 8;

/// Tasks at a moment. Five that follow one another differ by their priority alone.
pub(super) struct Sample {
    pub(super) moment: Moment,
    pub(super) tasks: Vec<Candidate>,
    /// Whether it has tasks that are made for the script, and so is worth looking at with other parameters too.
    pub(super) is_for_all: bool,
}

/// What a script is looked at with.
pub(super) fn samples(source: &str) -> Vec<Sample> {
    let numbers: BTreeSet<i64> = numbers_in(source)
        .into_iter()
        .filter(|number| (0..=LARGEST).contains(number))
        .take(MOST)
        .flat_map(|number| [number - 1, number, number + 1])
        .collect();
    let texts: BTreeSet<String> = texts_in(source).into_iter().take(MOST).collect();
    let moments = moments().into_iter().enumerate();
    moments
        .map(|(index, moment)| {
            let mut tasks: Vec<Candidate> = candidates(index, &moment).into_iter().step_by(EACH).collect();
            let is_for_all = index.is_multiple_of(OWN_EACH);
            if is_for_all {
                tasks.extend(own(&numbers, &texts, &moment));
            }
            Sample { moment, tasks: tasks.into_iter().flat_map(priorities).collect(), is_for_all }
        })
        .collect()
}

fn priorities(task: Candidate) -> impl Iterator<Item = Candidate> {
    (1..=5).map(move |priority| Candidate { priority, ..task.clone() })
}

fn own(numbers: &BTreeSet<i64>, texts: &BTreeSet<String>, moment: &Moment) -> Vec<Candidate> {
    let Some(plain) = candidates(1, moment).into_iter().next() else { return Vec::new() };
    let plain = Candidate {
        due: None,
        effort_minutes: None,
        preferred_time: None,
        status: Status::Pending,
        labels: Arc::default(),
        project: None,
        created_at: moment.now,
        ..plain
    };
    let today = local_time(moment.now, moment.zone).date_naive();
    let mut tasks = vec![plain.clone()];
    for number in numbers {
        let day = today.checked_add_signed(TimeDelta::days(*number)).map(Due::On);
        let past = today.checked_sub_signed(TimeDelta::days(*number));
        let past = past.filter(|date| date.year() >= FIRST_YEAR).map(Due::On);
        let minutes = Due::At(Timestamp::from_micros(moment.now.as_micros() + number * 60_000_000));
        let made = Timestamp::from_micros(moment.now.as_micros() - number * 86_400_000_000);
        let count = u32::try_from(*number).unwrap_or(0);
        tasks.extend([
            Candidate { due: day, ..plain.clone() },
            Candidate { due: past, ..plain.clone() },
            Candidate { due: Some(minutes), ..plain.clone() },
            Candidate { due: Some(minutes), effort_minutes: Some(count), ..plain.clone() },
            Candidate { effort_minutes: Some(count), ..plain.clone() },
            Candidate { created_at: made, ..plain.clone() },
            Candidate { snooze_count: count, times_skipped: count, blocked_by: count, blocks: count, ..plain.clone() },
        ]);
    }
    for text in texts {
        let text: Arc<str> = Arc::from(text.as_str());
        tasks.extend([
            Candidate { labels: [Arc::clone(&text)].into(), ..plain.clone() },
            Candidate { labels: [Arc::clone(&text), Arc::from("other")].into(), ..plain.clone() },
            Candidate { project: Some(text), ..plain.clone() },
        ]);
    }
    tasks
}
