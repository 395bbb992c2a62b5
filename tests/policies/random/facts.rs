//! Random tasks and moments.

use std::sync::Arc;

use chrono::Days;
use chrono_tz::Tz;
use mindflow::calendar::{Due, TimeOfDay, local_date};
use mindflow::clock::Timestamp;
use mindflow::ids::TaskId;
use mindflow::scoring::{Candidate, Energy, Moment, Status};
use uuid::Uuid;

use super::{Choices, WORDS};

const MINUTE: i64 = 60_000_000;
const NUMBERS: [u32; 14] = [0, 1, 2, 3, 5, 7, 14, 15, 16, 30, 60, 100, 1_000_000, u32::MAX];

/// A random moment.
pub(crate) fn moment(choices: &mut Choices<'_>) -> Moment {
    let zone = choices.pick(&[Tz::UTC, chrono_tz::Europe::Vienna, chrono_tz::Asia::Kathmandu]);
    // Some minute of 2026.
    let minute = i64::try_from(choices.below(60) + 60 * choices.below(24) + 1_440 * choices.below(365)).unwrap_or(0);
    Moment {
        minutes_available: (choices.below(3) > 0).then(|| choices.pick(&NUMBERS)),
        energy: choices.pick(&[None, Some(Energy::Low), Some(Energy::Medium), Some(Energy::High)]),
        open_tasks: choices.pick(&NUMBERS),
        overdue_tasks: choices.pick(&NUMBERS),
        ..Moment::new(Timestamp::from_micros(1_767_225_600_000_000 + minute * MINUTE), zone)
    }
}

/// A random task.
pub(crate) fn task(choices: &mut Choices<'_>, moment: &Moment, number: usize) -> Candidate {
    let sign = if choices.percent(30) { -1 } else { 1 };
    let minutes = i64::from(choices.pick(&NUMBERS) % 10_000_000) * sign;
    let days = Days::new(u64::from(choices.pick(&NUMBERS) % 40_000));
    let today = local_date(moment.now, moment.zone);
    let date = if sign < 0 { today.checked_sub_days(days) } else { today.checked_add_days(days) };
    let due = match choices.below(3) {
        0 => None,
        1 => Some(Due::At(Timestamp::from_micros(moment.now.as_micros() + minutes * MINUTE))),
        _ => date.map(Due::On),
    };
    let labels: Vec<Arc<str>> = (0..choices.below(4)).map(|_| choices.pick(&WORDS).into()).collect();
    let age = i64::from(choices.pick(&NUMBERS) % 20_000) * 1_440 * MINUTE;
    let created_at = Timestamp::from_micros(moment.now.as_micros() - age);
    let priority = u8::try_from(1 + choices.below(5)).unwrap_or(3);
    Candidate {
        status: choices.pick(&Status::ALL),
        due,
        effort_minutes: (choices.below(4) > 0).then(|| choices.pick(&NUMBERS)),
        preferred_time: choices.pick(&[
            None,
            Some(TimeOfDay::Morning),
            Some(TimeOfDay::Afternoon),
            Some(TimeOfDay::Evening),
        ]),
        snooze_count: choices.pick(&NUMBERS),
        labels: labels.into(),
        project: choices
            .pick(&[None, Some("Garden"), Some("urgent"), Some("elsewhere"), Some("morning")])
            .map(Arc::from),
        blocked_by: choices.pick(&NUMBERS),
        blocks: choices.pick(&NUMBERS),
        times_skipped: choices.pick(&NUMBERS),
        ..Candidate::new(TaskId(Uuid::from_u128(number as u128)), priority, created_at)
    }
}
