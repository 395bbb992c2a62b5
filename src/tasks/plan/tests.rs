use super::*;
use crate::calendar::parse_moment;
use crate::ids::TaskId;

fn at(clock: &str) -> Timestamp {
    parse_moment(&format!("2026-11-02T{clock}:00Z"), chrono_tz::UTC).unwrap()
}

fn stretch(start: &str, end: &str) -> Stretch {
    Stretch { start: at(start), end: at(end) }
}

fn a_task(effort: u32, due: Option<&str>) -> Task {
    let now = at("00:00");
    let due = due.map(|clock| Due::At(at(clock)));
    Task { effort_minutes: Some(effort), due, ..Task::blank(TaskId::new(now), now) }
}

fn day(start: &str, end: &str) -> Packing {
    Packing::new(stretch(start, end))
}

#[test]
fn each_task_gets_the_earliest_time_and_a_long_one_is_followed_by_a_rest() {
    let mut day = day("09:00", "12:00");

    assert_eq!(day.place(&a_task(60, None), None), Some(stretch("09:00", "10:00")));
    assert_eq!(day.place(&a_task(12, None), None), Some(stretch("10:05", "10:17")));
    assert_eq!(day.place(&a_task(90, None), None), Some(stretch("10:20", "11:50")));
    assert_eq!(day.place(&a_task(10, None), None), None);
}

#[test]
fn what_prefers_a_window_leaves_the_time_before_it_to_others() {
    let mut day = day("09:00", "22:00");
    let (morning, evening) = (Some(stretch("06:00", "12:00")), Some(stretch("18:00", "22:00")));

    assert_eq!(day.place(&a_task(60, None), evening), Some(stretch("18:00", "19:00")));
    assert_eq!(day.place(&a_task(30, None), morning), Some(stretch("09:00", "09:30")));
    // The window has no room for it.
    assert_eq!(day.place(&a_task(180, None), morning), Some(stretch("09:30", "12:30")));
    assert_eq!(day.place(&a_task(30, None), Some(stretch("06:00", "09:00"))), Some(stretch("12:35", "13:05")));
    // Its rest would reach into the evening's task.
    assert_eq!(day.place(&a_task(295, None), None), None);
}

#[test]
fn what_is_due_at_a_moment_is_done_before_it_where_that_is_possible() {
    let mut day = day("09:00", "22:00");
    let evening = Some(stretch("18:00", "22:00"));

    assert_eq!(day.place(&a_task(30, Some("14:00")), evening), Some(stretch("09:00", "09:30")));
    assert_eq!(day.place(&a_task(30, Some("19:00")), evening), Some(stretch("18:00", "18:30")));
    assert_eq!(day.place(&a_task(45, Some("10:00")), None), Some(stretch("09:30", "10:15")));
    assert_eq!(day.place(&a_task(30, Some("08:00")), evening), Some(stretch("18:30", "19:00")));
}

#[test]
fn no_plan_has_two_things_at_once_or_leaves_the_day() {
    let mut seed: u32 = 7;
    let mut random = |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) % below
    };
    for _ in 0..300 {
        let mut day = day("08:10", "22:00");
        let mut placed = Vec::new();
        for _ in 0..40 {
            let due = ["07:00", "09:30", "13:00", "23:00"].get(random(8) as usize).copied();
            let wanted = [stretch("06:00", "12:00"), stretch("12:00", "18:00"), stretch("18:00", "22:00")];
            let wanted = wanted.get(random(6) as usize).copied();
            placed.extend(day.place(&a_task(random(200) + 1, due), wanted));
        }
        placed.sort_by_key(|slot| slot.start);

        assert!(placed.iter().all(|slot| slot.start >= at("08:10") && slot.end <= at("22:00")), "{placed:?}");
        for pair in placed.windows(2) {
            let long = pair[0].end.as_micros() - pair[0].start.as_micros() >= 3_600_000_000;
            let rest = minutes(if long { REST_MINUTES } else { 0 });
            assert!(pair[0].end.plus(rest) <= pair[1].start, "{pair:?}");
        }
    }
}

#[test]
fn what_can_never_fit_is_told_from_what_came_too_late() {
    let mut day = day("09:00", "10:00");
    day.place(&a_task(50, None), None);

    assert_eq!(day.why_not(&a_task(61, None)), Reason::TooLong);
    assert_eq!(day.why_not(&a_task(60, None)), Reason::NoRoom);
}
