use super::*;

#[test]
fn a_day_alone_is_a_due_date_alone() {
    check(
        due,
        day("2026-11-18T14:03:20", VIENNA),
        &[
            ("2026-12-24", "Thu 24 Dec 2026"),
            (" 2020-02-29 ", "Sat 29 Feb 2020"),
            ("by 2026-12-24", "Thu 24 Dec 2026"),
            ("today", "Wed 18 Nov 2026"),
            ("Today.", "Wed 18 Nov 2026"),
            ("later today", "Wed 18 Nov 2026"),
            ("end of day", "Wed 18 Nov 2026"),
            ("EOD", "Wed 18 Nov 2026"),
            ("tomorrow", "Thu 19 Nov 2026"),
            ("end of tomorrow", "Thu 19 Nov 2026"),
            ("the day after tomorrow", "Fri 20 Nov 2026"),
            ("friday", "Fri 20 Nov 2026"),
            ("by Friday!", "Fri 20 Nov 2026"),
            ("this friday", "Fri 20 Nov 2026"),
            ("next friday", "Fri 20 Nov 2026"),
            ("this coming tues", "Tue 24 Nov 2026"),
            ("wednesday", "Wed 25 Nov 2026"),
            ("next week", "Mon 23 Nov 2026"),
            ("friday next week", "Fri 27 Nov 2026"),
            ("next week on wed", "Wed 25 Nov 2026"),
            ("this weekend", "Sat 21 Nov 2026"),
            ("the weekend", "Sat 21 Nov 2026"),
            ("next weekend", "Sat 28 Nov 2026"),
            ("end of week", "Fri 20 Nov 2026"),
            ("by the end of the week", "Fri 20 Nov 2026"),
            ("eow", "Fri 20 Nov 2026"),
            ("this week", "Fri 20 Nov 2026"),
            ("end of next week", "Fri 27 Nov 2026"),
            ("end of month", "Mon 30 Nov 2026"),
            ("eom", "Mon 30 Nov 2026"),
            ("end of next month", "Thu 31 Dec 2026"),
            ("end of february", "Sun 28 Feb 2027"),
            ("end of november", "Mon 30 Nov 2026"),
            ("end of the year", "Thu 31 Dec 2026"),
            ("next month", "Tue 1 Dec 2026"),
            ("the 3rd of next month", "Thu 3 Dec 2026"),
            ("next year", "Fri 1 Jan 2027"),
        ],
    );
}

#[test]
fn days_are_counted_and_dates_are_read_in_many_ways() {
    check(
        due,
        day("2026-11-18T14:03:20", VIENNA),
        &[
            ("in 3 days", "Sat 21 Nov 2026"),
            ("in three days", "Sat 21 Nov 2026"),
            ("within 3d", "Sat 21 Nov 2026"),
            ("3 days from now", "Sat 21 Nov 2026"),
            ("in a couple of days", "Fri 20 Nov 2026"),
            ("in 2 weeks", "Wed 2 Dec 2026"),
            ("friday in 2 weeks", "Fri 4 Dec 2026"),
            ("a week from friday", "Fri 27 Nov 2026"),
            ("in a fortnight", "Wed 2 Dec 2026"),
            ("in a month", "Fri 18 Dec 2026"),
            ("in 1 year", "Thu 18 Nov 2027"),
            ("24 dec", "Thu 24 Dec 2026"),
            ("24. December", "Thu 24 Dec 2026"),
            ("dec 24", "Thu 24 Dec 2026"),
            ("Dec. 24th", "Thu 24 Dec 2026"),
            ("december the 24th", "Thu 24 Dec 2026"),
            ("the 24th of december", "Thu 24 Dec 2026"),
            ("december 24th 2027", "Fri 24 Dec 2027"),
            ("december 24th, 2027", "Fri 24 Dec 2027"),
            ("Thursday, 24 December 2026", "Thu 24 Dec 2026"),
            ("24.12.", "Thu 24 Dec 2026"),
            ("24.12.2027", "Fri 24 Dec 2027"),
            ("10.12.", "Thu 10 Dec 2026"),
            ("12/24", "Thu 24 Dec 2026"),
            ("24/12", "Thu 24 Dec 2026"),
            ("12/24/2027", "Fri 24 Dec 2027"),
            ("2027/12/24", "Fri 24 Dec 2027"),
            ("12/12", "Sat 12 Dec 2026"),
            ("18 nov", "Wed 18 Nov 2026"),
            ("17 nov", "Wed 17 Nov 2027"),
            ("the 15th", "Tue 15 Dec 2026"),
            ("by the 18th", "Wed 18 Nov 2026"),
            ("the 31st", "Thu 31 Dec 2026"),
            ("29 feb 2028", "Tue 29 Feb 2028"),
        ],
    );
}

#[test]
fn a_day_with_a_time_is_a_moment() {
    check(
        due,
        day("2026-11-18T14:03:20", VIENNA),
        &[
            ("2026-12-24T09:00:00Z", "Thu 24 Dec 2026, 10:00"),
            ("by 2026-12-24T09:00Z", "Thu 24 Dec 2026, 10:00"),
            ("2026-12-24 09:00:00+00:00", "Thu 24 Dec 2026, 10:00"),
            ("2026-12-24 09:00", "Thu 24 Dec 2026, 09:00"),
            ("2020-12-24 at 9am", "Thu 24 Dec 2020, 09:00"),
            ("Thu 24 Dec 2026, 10:00", "Thu 24 Dec 2026, 10:00"),
            ("friday 5pm", "Fri 20 Nov 2026, 17:00"),
            ("friday at 5 p.m.", "Fri 20 Nov 2026, 17:00"),
            ("5pm on friday", "Fri 20 Nov 2026, 17:00"),
            ("next friday 17:30:00", "Fri 20 Nov 2026, 17:30"),
            ("tomorrow at noon", "Thu 19 Nov 2026, 12:00"),
            ("tomorrow at 12am", "Thu 19 Nov 2026, 00:00"),
            ("today 17:30", "Wed 18 Nov 2026, 17:30"),
            ("by 5pm", "Wed 18 Nov 2026, 17:00"),
            ("9am", "Thu 19 Nov 2026, 09:00"),
            ("at 9", "Thu 19 Nov 2026, 09:00"),
            ("9 o'clock", "Thu 19 Nov 2026, 09:00"),
            ("tomorrow at 11", "Thu 19 Nov 2026, 11:00"),
            ("tomorrow at 5 in the afternoon", "Thu 19 Nov 2026, 17:00"),
            ("friday afternoon at 3", "Fri 20 Nov 2026, 15:00"),
            ("at 9 tonight", "Wed 18 Nov 2026, 21:00"),
            ("half past 9", "Thu 19 Nov 2026, 09:30"),
            ("tomorrow at quarter to 1", "Thu 19 Nov 2026, 12:45"),
            ("quarter to 6pm", "Wed 18 Nov 2026, 17:45"),
            ("10 past 8 tomorrow", "Thu 19 Nov 2026, 08:10"),
            ("midnight", "Thu 19 Nov 2026, 00:00"),
            ("friday at midnight", "Sat 21 Nov 2026, 00:00"),
            ("tonight", "Wed 18 Nov 2026, 18:00"),
            ("tomorrow morning", "Thu 19 Nov 2026, 06:00"),
            ("first thing tomorrow", "Thu 19 Nov 2026, 06:00"),
            ("in the morning", "Thu 19 Nov 2026, 06:00"),
            ("friday night", "Fri 20 Nov 2026, 18:00"),
            ("this afternoon", "Wed 18 Nov 2026, 18:00"),
            ("in 2 hours", "Wed 18 Nov 2026, 16:04"),
            ("in half an hour", "Wed 18 Nov 2026, 14:34"),
            ("in an hour and a half", "Wed 18 Nov 2026, 15:34"),
            ("in 1 hour and 5 minutes", "Wed 18 Nov 2026, 15:09"),
            ("2h 30m", "Wed 18 Nov 2026, 16:34"),
            ("in 1.5 hours", "Wed 18 Nov 2026, 15:34"),
            ("in 3 days at 5pm", "Sat 21 Nov 2026, 17:00"),
            ("dec 24 10:00", "Thu 24 Dec 2026, 10:00"),
            ("24.12. 10:00", "Thu 24 Dec 2026, 10:00"),
            ("dec 24 at 9", "Thu 24 Dec 2026, 09:00"),
        ],
    );
}

#[test]
fn what_is_not_clear_past_or_no_date_is_no_due_date() {
    let cases = "| |.|soon|asap|someday|yesterday|last friday|3 days ago|the|by|at|in|next|a|week|12/10|1/2/2027|\
                 13/13|0/5|29 feb|feb 29|30 feb|feb 29 2027|2026-02-30|the 32nd|the 0th|32 dec|december|dec 2026|\
                 24 dec 1969|24 dec 2025|24.12.2025|today 9am|this morning|18 nov 9am|25:00|13pm|0am|5:7|at 5|\
                 tomorrow at 3|at 24|1730|friday 17|friday saturday|friday tomorrow|friday 24 dec|\
                 monday and tuesday|today tomorrow|evening 9am|tonight at noon|12 tonight|in 0 days|in -1 days|\
                 in 2|in days|2 hours friday|in 4294967295 weeks|in 999999999 years|in 9000 years|\
                 in 99999999999999999999 days|a week from|dec 24 2026 2027|24 24 dec|half to 9|half past|\
                 61 past 9|next next week|this 2026-12-24x|２４ dec|+5 dec|5pm 6pm|in 3 days in 2 weeks";

    check(due, day("2026-11-18T14:03:20", VIENNA), &cases.split('|').map(|text| (text, "-")).collect::<Vec<_>>());
    assert_eq!(due_of(&"é".repeat(500), day("2026-11-18T14:03:20", VIENNA)), None);
}

#[test]
fn the_weekend_and_late_hours_leave_what_is_left() {
    check(
        due,
        day("2026-11-21T20:30:00", VIENNA),
        &[
            ("this weekend", "Sun 22 Nov 2026"),
            ("end of week", "Sun 22 Nov 2026"),
            ("next weekend", "Sat 28 Nov 2026"),
            ("saturday", "Sat 28 Nov 2026"),
            ("sunday", "Sun 22 Nov 2026"),
            ("tonight", "Sat 21 Nov 2026, 22:00"),
            ("tomorrow evening", "Sun 22 Nov 2026, 18:00"),
        ],
    );
    check(due, day("2026-11-21T23:30:00", VIENNA), &[("tonight", "Sun 22 Nov 2026, 00:00"), ("this afternoon", "-")]);
}

#[test]
fn years_end_and_months_are_short() {
    check(
        due,
        day("2026-12-31T10:00:00", VIENNA),
        &[
            ("tomorrow", "Fri 1 Jan 2027"),
            ("end of month", "Thu 31 Dec 2026"),
            ("next month", "Fri 1 Jan 2027"),
            ("1 jan", "Fri 1 Jan 2027"),
            ("end of january", "Sun 31 Jan 2027"),
            ("the 30th", "Sat 30 Jan 2027"),
            ("in 2 months", "Sun 28 Feb 2027"),
            ("next week", "Mon 4 Jan 2027"),
        ],
    );
    check(
        due,
        day("2028-01-31T10:00:00", VIENNA),
        &[("feb 29", "Tue 29 Feb 2028"), ("in a month", "Tue 29 Feb 2028"), ("the 30th", "Thu 30 Mar 2028")],
    );
}

#[test]
fn days_are_the_days_of_the_zone() {
    // One moment: the 18th in St. John's, the 19th in Kiritimati.
    check(
        due,
        day("2026-11-18T10:30:00Z", chrono_tz::Pacific::Kiritimati),
        &[("today", "Thu 19 Nov 2026"), ("tomorrow", "Fri 20 Nov 2026"), ("7am", "Thu 19 Nov 2026, 07:00")],
    );
    check(
        due,
        day("2026-11-18T10:30:00Z", chrono_tz::America::St_Johns),
        &[
            ("today", "Wed 18 Nov 2026"),
            ("tomorrow", "Thu 19 Nov 2026"),
            ("7am", "Thu 19 Nov 2026, 07:00"),
            ("8am", "Wed 18 Nov 2026, 08:00"),
        ],
    );
}

#[test]
fn clocks_that_change_are_read_as_they_show() {
    let spring = day("2026-03-28T14:00:00", VIENNA);
    check(due, spring, &[("tomorrow 02:30", "Sun 29 Mar 2026, 03:30"), ("tomorrow 9am", "Sun 29 Mar 2026, 09:00")]);
    check(wake, spring, &[("in 1 day", "Sun 29 Mar 2026, 14:00"), ("in 24 hours", "Sun 29 Mar 2026, 15:00")]);
    let autumn = day("2026-10-24T14:00:00", VIENNA);
    assert_eq!(due_of("tomorrow 02:30", autumn).unwrap().to_string(), "2026-10-25T00:30:00Z");
}
