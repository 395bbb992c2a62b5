//! Days and moments written out for people, in their own zone.

use chrono_tz::Tz;

use crate::calendar::{Due, local_time};
use crate::clock::Timestamp;

/// A due date as a person reads it: `Thu 24 Dec 2026`, or `Thu 24 Dec 2026, 10:00` when it has a time.
pub fn say_due(due: Due, zone: Tz) -> String {
    match due {
        Due::On(date) => date.format("%a %-d %b %Y").to_string(),
        Due::At(moment) => say_moment(moment, zone),
    }
}

/// A moment as a person reads it: `Thu 24 Dec 2026, 10:00`.
pub fn say_moment(moment: Timestamp, zone: Tz) -> String {
    local_time(moment, zone).format("%a %-d %b %Y, %H:%M").to_string()
}

/// The wall clock of a moment: `09:00`.
pub fn say_clock(moment: Timestamp, zone: Tz) -> String {
    local_time(moment, zone).format("%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::parse_due;

    #[test]
    fn a_moment_is_said_in_the_zone_of_who_reads_it_and_a_date_as_it_is() {
        let vienna = chrono_tz::Europe::Vienna;
        let at = parse_due("2026-12-24T23:30:00Z", vienna).unwrap();
        let on = parse_due("2026-12-05", vienna).unwrap();

        assert_eq!(say_due(at, vienna), "Fri 25 Dec 2026, 00:30");
        assert_eq!(say_due(at, chrono_tz::America::St_Johns), "Thu 24 Dec 2026, 20:00");
        assert_eq!(say_due(on, chrono_tz::Pacific::Kiritimati), "Sat 5 Dec 2026");
    }
}
