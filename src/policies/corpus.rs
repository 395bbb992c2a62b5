//! Tasks and moments on which every policy is tried before it goes live: all combinations, and the extremes.

use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};
use chrono_tz::Tz;

use crate::calendar::{Due, TimeOfDay, Window, Windows, local_time, resolve_local};
use crate::clock::Timestamp;
use crate::ids::TaskId;
use crate::scoring::{Candidate, Energy, Moment, Status};

const PRIORITIES: usize = 5;
const TIMES: [Option<TimeOfDay>; 4] =
    [Some(TimeOfDay::Morning), Some(TimeOfDay::Afternoon), Some(TimeOfDay::Evening), None];
const EFFORTS: [Option<u32>; 8] = [None, Some(1), Some(15), Some(30), Some(45), Some(60), Some(61), Some(1_000_000)];
const NUMBERS: [u32; 4] = [0, 1, 7, 100_000];
const AGES_DAYS: [i64; 5] = [0, 1, 30, 400, 18_000];

/// The moments: every hour of the day, on all weekdays, in zones far apart, with and without what may be unknown.
pub(super) fn moments() -> Vec<Moment> {
    let zones = [Tz::UTC, chrono_tz::Europe::Vienna, chrono_tz::Pacific::Kiritimati, chrono_tz::Asia::Kathmandu];
    let energies = [None, Some(Energy::Low), Some(Energy::Medium), Some(Energy::High)];
    (0..24_u32)
        .filter_map(|hour| {
            let index = hour as usize;
            let zone = zones[index % zones.len()];
            let date = NaiveDate::from_ymd_opt(2026, 3, 20)?.checked_add_days(Days::new(u64::from(hour) * 2 / 3))?;
            let time = NaiveTime::from_hms_opt(hour, [0, 59, 30, 1, 15][index % 5], 0)?;
            Some(Moment {
                windows: (index % 6 == 5).then(odd_windows).flatten(),
                minutes_available: [None, Some(1), Some(30), Some(1440)][index % 4],
                energy: energies[(index / 2) % 4],
                open_tasks: NUMBERS[(index + 1) % 4],
                overdue_tasks: NUMBERS[index % 4],
                ..Moment::new(resolve_local(date.and_time(time), zone), zone)
            })
        })
        .collect()
}

/// Windows that overlap and run over midnight.
fn odd_windows() -> Option<Windows> {
    Some(Windows {
        morning: Window::new(240, 780)?,
        afternoon: Window::new(720, 1440)?,
        evening: Window::new(1200, 120)?,
    })
}

/// The tasks for the `index`-th moment.
///
/// Each sixth moment (at night, in the morning, the afternoon, the evening) sees all combinations of priorities, due
/// dates, estimates and preferred times; the others see every eleventh. What else there is changes along the way.
pub(super) fn candidates(index: usize, moment: &Moment) -> Vec<Candidate> {
    sample(index, moment, 1)
}

/// Of the same tasks every `each`-th, from another one on in each moment.
pub(super) fn sample(index: usize, moment: &Moment, each: usize) -> Vec<Candidate> {
    let dues = dues(moment);
    let (first, step) = if index.is_multiple_of(6) { (0, 1) } else { (index % 11, 11) };
    (first..PRIORITIES * dues.len() * EFFORTS.len() * TIMES.len())
        .step_by(step)
        .skip(index % each)
        .step_by(each)
        .map(|number| combination(number, &dues, moment))
        .collect()
}

/// So many tasks for a moment: all combinations, over and over.
pub fn corpus(moment: &Moment, count: usize) -> Vec<Candidate> {
    let all = candidates(0, moment);
    let again = |(number, task): (usize, &Candidate)| Candidate { id: id(number), ..task.clone() };
    (0..count).zip(all.iter().cycle()).map(again).collect()
}

/// The combination of that number, counted with the preferred time as the lowest digit and the priority as the highest.
fn combination(number: usize, dues: &[Option<Due>], moment: &Moment) -> Candidate {
    let (rest, time) = (number / TIMES.len(), TIMES[number % TIMES.len()]);
    let (rest, effort) = (rest / EFFORTS.len(), EFFORTS[rest % EFFORTS.len()]);
    let (rest, due) = (rest / dues.len(), dues[rest % dues.len()]);
    let priority = u8::try_from(rest + 1).unwrap_or(u8::MAX);
    Candidate { due, effort_minutes: effort, preferred_time: time, ..candidate(number, priority, moment) }
}

fn dues(moment: &Moment) -> Vec<Option<Due>> {
    let today = local_time(moment.now, moment.zone).date_naive();
    let day = |days: i64| today.checked_add_signed(TimeDelta::days(days)).map(Due::On);
    let minutes = |minutes: i64| Some(Due::At(Timestamp::from_micros(moment.now.as_micros() + minutes * 60_000_000)));
    let far = NaiveDate::from_ymd_opt(9999, 12, 31).map(Due::On);
    let long_ago = NaiveDate::from_ymd_opt(1970, 1, 1).map(Due::On);
    vec![None, long_ago, day(-1), minutes(0), minutes(1), day(0), day(1), day(4), minutes(60_000), far]
}

fn candidate(index: usize, priority: u8, moment: &Moment) -> Candidate {
    // Steps without common factors: over the corpus each value meets each.
    let of = |numbers: &[u32; 4], step: usize| numbers[(index / step) % 4];
    let age = AGES_DAYS[(index / 3) % AGES_DAYS.len()] * 86_400_000_000;
    let labels: [&[&str]; 3] = [&[], &["home"], &["work", "urgent", "waiting"]];
    Candidate {
        status: [Status::Pending, Status::InProgress, Status::Snoozed][(index / 7) % 3],
        snooze_count: of(&NUMBERS, 5),
        labels: labels[(index / 11) % 3].iter().map(|label| Arc::from(*label)).collect(),
        project: (index / 13 % 2 == 1).then(|| Arc::from("Garden")),
        blocked_by: of(&NUMBERS, 17),
        blocks: of(&NUMBERS, 19),
        times_skipped: of(&NUMBERS, 23),
        ..Candidate::new(id(index), priority, Timestamp::from_micros(moment.now.as_micros() - age))
    }
}

fn id(index: usize) -> TaskId {
    TaskId(uuid::Uuid::from_u128(index as u128))
}

/// The combination in words, for a message that says where a policy failed.
pub(super) fn describe(candidate: &Candidate, moment: &Moment) -> String {
    let mut text = format!("priority {}", candidate.priority);
    // Writing to a String cannot fail.
    let _ = match candidate.due {
        Some(due) => write!(text, ", due {due}"),
        None => write!(text, ", no due date"),
    };
    let _ = match candidate.effort_minutes {
        Some(minutes) => write!(text, ", {minutes} min"),
        None => write!(text, ", no estimate"),
    };
    if let Some(time) = candidate.preferred_time {
        let _ = write!(text, ", prefers {}", time.as_str());
    }
    let local = local_time(moment.now, moment.zone);
    let _ = write!(text, ", at {} ({})", local.format("%Y-%m-%d %H:%M"), moment.zone);
    text
}
