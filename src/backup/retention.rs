//! Which backups stay: some of each day, week and month.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{Datelike as _, NaiveDate};

use crate::clock::Timestamp;

/// How long every backup stays, so that one made before a risky step is not replaced by the next of the same day.
const ALL_FOR: Duration = Duration::from_hours(24);

/// How many days, weeks and months stay; of each the newest backup.
///
/// Days, weeks (of ISO 8601) and months are those of UTC in which a backup was made, so a server that was off for a year
/// loses nothing by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Days.
    pub daily: usize,
    /// Weeks.
    pub weekly: usize,
    /// Months.
    pub monthly: usize,
}

impl Default for Keep {
    fn default() -> Self {
        Self { daily: 30, weekly: 13, monthly: 12 }
    }
}

/// Which backups may go, oldest first. Never the newest, none of the last 24 hours, and none of the future, as a clock
/// that was wrong makes them.
pub fn surplus(made: &[Timestamp], keep: Keep, now: Timestamp) -> Vec<Timestamp> {
    let all: BTreeSet<Timestamp> = made.iter().copied().collect();
    let past: Vec<Timestamp> = all.iter().copied().filter(|made| *made <= now).collect();
    let mut stays: BTreeSet<Timestamp> = all.iter().copied().filter(|made| *made > now).collect();
    stays.extend(past.last());
    stays.extend(past.iter().filter(|made| **made > now.minus(ALL_FOR)));
    let date = |made: Timestamp| made.to_utc().date_naive();
    stays.extend(newest_of_each(&past, keep.daily, date));
    stays.extend(newest_of_each(&past, keep.weekly, |made| {
        let week = date(made).iso_week();
        (week.year(), week.week())
    }));
    stays.extend(newest_of_each(&past, keep.monthly, |made| {
        let day: NaiveDate = date(made);
        (day.year(), day.month())
    }));
    all.difference(&stays).copied().collect()
}

/// The newest of each of the latest `count` groups.
fn newest_of_each<G: PartialEq>(made: &[Timestamp], count: usize, group: impl Fn(Timestamp) -> G) -> Vec<Timestamp> {
    let mut found: Vec<Timestamp> = Vec::new();
    for one in made.iter().rev() {
        let known = found.last().is_some_and(|last| group(*last) == group(*one));
        if !known {
            if found.len() == count {
                break;
            }
            found.push(*one);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().into()
    }

    /// One backup at 02:00 of each of `days` days, the last on `last`.
    fn nightly(last: &str, days: u64) -> Vec<Timestamp> {
        (0..days).map(|day| at(last).minus(Duration::from_hours(24 * day))).collect()
    }

    fn kept(made: &[Timestamp], keep: Keep, now: &str) -> Vec<String> {
        let gone = surplus(made, keep, at(now));
        let mut kept: Vec<Timestamp> = made.iter().copied().filter(|one| !gone.contains(one)).collect();
        kept.sort();
        kept.iter().map(|one| one.to_utc().format("%Y-%m-%d").to_string()).collect()
    }

    #[test]
    fn two_years_of_nights_leave_thirty_days_thirteen_weeks_and_twelve_months() {
        let made = nightly("2026-11-21T02:00:00Z", 730);

        let kept = kept(&made, Keep::default(), "2026-11-21T12:00:00Z");

        let days: Vec<String> =
            nightly("2026-11-21T02:00:00Z", 30).iter().map(|day| day.to_utc().format("%Y-%m-%d").to_string()).collect();
        assert!(days.iter().all(|day| kept.contains(day)));
        // Sundays end the weeks of ISO 8601; the thirteenth back from this week is that of August 24.
        for sunday in ["2026-08-30", "2026-09-06", "2026-10-18"] {
            assert!(kept.contains(&sunday.to_owned()), "{sunday}: {kept:?}");
        }
        for end_of_month in ["2025-12-31", "2026-01-31", "2026-02-28", "2026-07-31"] {
            assert!(kept.contains(&end_of_month.to_owned()), "{end_of_month}: {kept:?}");
        }
        assert!(!kept.contains(&"2025-11-30".to_owned()) && !kept.contains(&"2026-08-23".to_owned()));
        // 30 days; 13 weeks of which 5 end or stand within them; 12 months of which this one and October's end do.
        assert_eq!(kept.len(), 30 + 8 + 10, "{kept:?}");
    }

    #[test]
    fn of_a_day_the_newest_stays_once_it_is_past() {
        let made = [at("2026-11-18T02:00:00Z"), at("2026-11-18T14:00:00Z"), at("2026-11-21T02:00:00Z")];

        let gone = surplus(&made, Keep { daily: 5, weekly: 0, monthly: 0 }, at("2026-11-21T12:00:00Z"));

        assert_eq!(gone, [made[0]]);
    }

    #[test]
    fn nothing_of_the_last_day_goes() {
        let made = [at("2026-11-21T09:00:00Z"), at("2026-11-21T10:00:00Z"), at("2026-11-21T11:00:00Z")];

        assert_eq!(surplus(&made, Keep { daily: 1, weekly: 1, monthly: 1 }, at("2026-11-21T12:00:00Z")), []);
    }

    #[test]
    fn the_newest_stays_whatever_is_asked_for_and_however_old() {
        let made = [at("2020-01-01T00:00:00Z"), at("2020-06-01T00:00:00Z")];

        let gone = surplus(&made, Keep { daily: 0, weekly: 0, monthly: 0 }, at("2026-11-21T12:00:00Z"));

        assert_eq!(gone, [made[0]]);
    }

    #[test]
    fn a_server_that_was_off_keeps_its_old_days() {
        let made = nightly("2024-03-01T02:00:00Z", 10);

        assert_eq!(surplus(&made, Keep::default(), at("2026-11-21T12:00:00Z")), []);
    }

    #[test]
    fn backups_of_the_future_stay_and_push_nothing_out() {
        let made = [at("2026-11-10T02:00:00Z"), at("2026-11-19T02:00:00Z"), at("2031-01-01T00:00:00Z")];

        assert_eq!(surplus(&made, Keep { daily: 2, weekly: 0, monthly: 0 }, at("2026-11-21T12:00:00Z")), []);
    }

    #[test]
    fn the_turn_of_the_year_is_one_week() {
        // ISO week 53 of 2026 goes from December 28 to January 3.
        let made = [at("2026-12-30T02:00:00Z"), at("2027-01-02T02:00:00Z"), at("2027-01-04T02:00:00Z")];

        let gone = surplus(&made, Keep { daily: 0, weekly: 2, monthly: 0 }, at("2027-02-01T00:00:00Z"));

        assert_eq!(gone, [made[0]]);
    }

    proptest! {
        #[test]
        fn pruning_is_done_once_and_for_all_and_never_takes_the_newest(
            hours in proptest::collection::vec(0_u64..20_000, 0..200),
            keep in (0_usize..40, 0_usize..20, 0_usize..20),
        ) {
            let now = at("2026-11-21T12:00:00Z");
            let keep = Keep { daily: keep.0, weekly: keep.1, monthly: keep.2 };
            let made: Vec<Timestamp> = hours.iter().map(|hours| now.minus(Duration::from_hours(*hours))).collect();

            let gone = surplus(&made, keep, now);
            let left: Vec<Timestamp> = made.iter().copied().filter(|one| !gone.contains(one)).collect();

            prop_assert_eq!(surplus(&left, keep, now), []);
            prop_assert!(made.iter().max().is_none_or(|newest| left.contains(newest)));
            let recent = left.iter().filter(|one| **one > now.minus(ALL_FOR)).count();
            prop_assert!(left.len() <= recent + keep.daily + keep.weekly + keep.monthly + 1);
        }
    }
}
