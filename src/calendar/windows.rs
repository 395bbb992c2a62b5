//! Parts of the day, and where they lie in a person's day.

use chrono::NaiveTime;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::two_digits;

/// A part of the day in which a task can be preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeOfDay {
    /// The user's morning window.
    Morning,
    /// The user's afternoon window.
    Afternoon,
    /// The user's evening window.
    Evening,
}

impl TimeOfDay {
    /// All of them, in the order of the day.
    pub const ALL: [Self; 3] = [Self::Morning, Self::Afternoon, Self::Evening];

    /// The name that clients and policies use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Morning => "morning",
            Self::Afternoon => "afternoon",
            Self::Evening => "evening",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|time| time.as_str() == text)
    }
}

/// A span of the local day in minutes since midnight: start included, end excluded; it may run over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    start: u16,
    end: u16,
}

impl Window {
    /// Makes a window from minutes since midnight; `end` may be 1440 (24:00). Not empty.
    pub fn new(start: u16, end: u16) -> Option<Self> {
        (start < 1440 && end <= 1440 && start != end).then_some(Self { start, end })
    }

    /// Reads `["06:00", "12:00"]`; the end may be `24:00`.
    pub fn parse(start: &str, end: &str) -> Option<Self> {
        Self::new(parse_minute(start)?, parse_minute(end)?)
    }

    /// Minutes from midnight to the start.
    pub const fn start_minute(self) -> u16 {
        self.start
    }

    /// Minutes from midnight to the end.
    pub const fn end_minute(self) -> u16 {
        self.end
    }

    /// The start as a time of day.
    pub fn start_time(self) -> NaiveTime {
        NaiveTime::from_num_seconds_from_midnight_opt(u32::from(self.start) * 60, 0).unwrap_or(NaiveTime::MIN)
    }

    /// Whether a minute of the day lies in the window.
    pub const fn contains(self, minute: u16) -> bool {
        if self.start < self.end {
            minute >= self.start && minute < self.end
        } else {
            minute >= self.start || minute < self.end
        }
    }
}

/// Reads a time of day such as `06:00`, in minutes since midnight; `24:00` is the end of the day.
pub fn parse_minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute) = (two_digits(hour).ok()?, two_digits(minute).ok()?);
    let minutes = u16::try_from(hour * 60 + minute).ok()?;
    (minute < 60 && minutes <= 1440).then_some(minutes)
}

/// As `["06:00", "12:00"]`.
impl Serialize for Window {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        [clock(self.start), clock(self.end)].serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Window {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let [start, end] = <[String; 2]>::deserialize(deserializer)?;
        Self::parse(&start, &end).ok_or_else(|| D::Error::custom("must be a start and an end such as 06:00 and 12:00"))
    }
}

/// A person's day: where morning, afternoon and evening lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Windows {
    /// The morning.
    pub morning: Window,
    /// The afternoon.
    pub afternoon: Window,
    /// The evening.
    pub evening: Window,
}

impl Windows {
    /// The window of a part of the day.
    pub const fn of(&self, time: TimeOfDay) -> Window {
        match time {
            TimeOfDay::Morning => self.morning,
            TimeOfDay::Afternoon => self.afternoon,
            TimeOfDay::Evening => self.evening,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_includes_its_start_and_may_cross_midnight() {
        let morning = Window::parse("06:00", "12:00").unwrap();
        let night = Window::parse("22:00", "02:00").unwrap();

        assert!(morning.contains(360) && !morning.contains(720) && !morning.contains(359));
        assert!(night.contains(1439) && night.contains(0) && !night.contains(120));
        assert!(Window::parse("06:00", "06:00").is_none() && Window::parse("24:00", "06:00").is_none());
        assert!(Window::parse("18:00", "24:00").is_some() && Window::parse("18:00", "24:01").is_none());
    }
}
