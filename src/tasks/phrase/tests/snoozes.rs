use super::*;

#[test]
fn a_snooze_ends_when_people_mean() {
    // A Saturday; clocks change that night.
    check(
        wake,
        day("2026-10-24T14:00:00", VIENNA),
        &[
            ("tomorrow", "Sun 25 Oct 2026, 06:00"),
            ("Tomorrow Morning", "Sun 25 Oct 2026, 06:00"),
            ("tomorrow 9am", "Sun 25 Oct 2026, 09:00"),
            ("morning", "Sun 25 Oct 2026, 06:00"),
            ("afternoon", "Sun 25 Oct 2026, 12:00"),
            ("this evening", "Sat 24 Oct 2026, 18:00"),
            ("tonight", "Sat 24 Oct 2026, 18:00"),
            ("today 16:30", "Sat 24 Oct 2026, 16:30"),
            ("13:00", "Sun 25 Oct 2026, 13:00"),
            ("noon", "Sun 25 Oct 2026, 12:00"),
            ("saturday", "Sat 31 Oct 2026, 06:00"),
            ("until monday morning", "Mon 26 Oct 2026, 06:00"),
            ("friday 5:30 pm", "Fri 30 Oct 2026, 17:30"),
            ("next week", "Mon 26 Oct 2026, 06:00"),
            ("next tuesday evening", "Tue 27 Oct 2026, 18:00"),
            ("in 30 minutes", "Sat 24 Oct 2026, 14:30"),
            ("in 1 day", "Sun 25 Oct 2026, 14:00"),
            ("in 24 hours", "Sun 25 Oct 2026, 13:00"),
            ("in 2 weeks", "Sat 7 Nov 2026, 14:00"),
            ("until dec 24", "Thu 24 Dec 2026, 06:00"),
            ("24.12.2026", "Thu 24 Dec 2026, 06:00"),
            ("2026-12-24", "Thu 24 Dec 2026, 06:00"),
            ("until 2026-12-24T09:00:00Z", "Thu 24 Dec 2026, 10:00"),
            ("in an hour", "Sat 24 Oct 2026, 15:00"),
            ("in half an hour", "Sat 24 Oct 2026, 14:30"),
            ("a week", "Sat 31 Oct 2026, 14:00"),
            ("for a week", "Sat 31 Oct 2026, 14:00"),
            ("for 2 hours", "Sat 24 Oct 2026, 16:00"),
            ("for 2 days", "Mon 26 Oct 2026, 14:00"),
            ("in 2 days at 9am", "Mon 26 Oct 2026, 09:00"),
            ("a month", "Tue 24 Nov 2026, 14:00"),
            ("later", "Sat 24 Oct 2026, 17:00"),
            ("later today", "Sat 24 Oct 2026, 17:00"),
            ("later this evening", "Sat 24 Oct 2026, 18:00"),
            ("the weekend", "Sat 31 Oct 2026, 06:00"),
            ("end of day", "Sat 24 Oct 2026, 18:00"),
            ("end of tomorrow", "Sun 25 Oct 2026, 18:00"),
            ("next month", "Sun 1 Nov 2026, 06:00"),
            ("the 1st", "Sun 1 Nov 2026, 06:00"),
            ("midnight", "Sun 25 Oct 2026, 00:00"),
        ],
    );
    check(
        wake,
        day("2026-10-24T20:00:00", VIENNA),
        &[("end of day", "Sat 24 Oct 2026, 22:00"), ("tonight", "Sun 25 Oct 2026, 18:00")],
    );
}

#[test]
fn a_snooze_never_ends_before_it_begins_or_at_a_guess() {
    let cases = "|soon|today|today 9am|yesterday|in -1 days|in 0 hours|25:00|13pm|monday x y|2020-01-01|24 oct|\
                 for now|for the weekend|this week|later tomorrow|12/10|at 5|in 4294967295 weeks|\
                 in 999999999 hours and 999999999 hours";

    check(wake, day("2026-10-24T14:00:00", VIENNA), &cases.split('|').map(|text| (text, "-")).collect::<Vec<_>>());
    assert_eq!(moment_of(&"é".repeat(500), day("2026-10-24T14:00:00", VIENNA)), None);
}
