//! Time: the [`Timestamp`] that everything stores, and the [`Clock`] that alone reads the system's time.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio::sync::Notify;

/// How long somebody sleeps at most before the system's clock is read again, which may have been set meanwhile.
const LOOKS_AGAIN: Duration = Duration::from_mins(1);

/// A moment, in microseconds since 1970-01-01T00:00:00Z: what both databases keep exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first moment the product accepts: 1970-01-01T00:00:00Z.
    pub const MIN: Self = Self(0);
    /// The last moment the product accepts: 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// Makes a timestamp from microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down, as JWT claims count.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The same moment for calendar arithmetic; moments outside chrono's range are clamped.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
    }

    /// How long it is from here to `later`; nothing when that has passed.
    pub fn until(self, later: Self) -> Duration {
        Duration::from_micros(u64::try_from(later.0.saturating_sub(self.0)).unwrap_or(0))
    }

    /// The moment `duration` later, clamped at the end of the range.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The moment `duration` earlier, clamped at the beginning of the range.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(moment: DateTime<Utc>) -> Self {
        Self(moment.timestamp_micros())
    }
}

/// RFC 3339 in UTC with `Z`; a fraction only where there is one.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DateTime::<Utc>::deserialize(deserializer).map(Self::from)
    }
}

/// The only reader of the system's time; tests hold one that they move by hand.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<Hand>>);

/// What a fixed clock shows, and who waits for it to move.
#[derive(Debug)]
struct Hand {
    micros: AtomicI64,
    moved: Notify,
}

impl Clock {
    /// The system's clock.
    pub const fn system() -> Self {
        Self(None)
    }

    /// A clock that stands at `moment` until it is moved; clones share it.
    pub fn fixed(moment: Timestamp) -> Self {
        Self(Some(Arc::new(Hand { micros: AtomicI64::new(moment.0), moved: Notify::new() })))
    }

    /// The present moment.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's time")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            None => Timestamp::from(Utc::now()),
            Some(hand) => Timestamp(hand.micros.load(Ordering::SeqCst)),
        }
    }

    /// Waits until it is `moment` or later, also when the clock is set meanwhile.
    pub async fn reached(&self, moment: Timestamp) {
        loop {
            // Before the look, so that a move right after it is noticed.
            let moved = self.0.as_ref().map(|hand| hand.moved.notified());
            let mut moved = std::pin::pin!(moved);
            if let Some(moved) = moved.as_mut().as_pin_mut() {
                moved.enable();
            }
            let now = self.now();
            if now >= moment {
                return;
            }
            match moved.as_pin_mut() {
                Some(moved) => moved.await,
                None => tokio::time::sleep(now.until(moment).min(LOOKS_AGAIN)).await,
            }
        }
    }

    /// Moves a fixed clock forward; the system's clock cannot be moved and stays as it is.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().plus(by));
    }

    /// Sets a fixed clock; the system's clock cannot be set and stays as it is.
    pub fn set(&self, to: Timestamp) {
        if let Some(hand) = &self.0 {
            hand.micros.store(to.0, Ordering::SeqCst);
            hand.moved.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_for_a_moment_wakes_when_the_clock_is_moved_there_and_not_before() {
        let clock = Clock::fixed(Timestamp(0));
        let mut waiting = Box::pin(clock.reached(Timestamp(2_000_000)));
        assert!(futures_util::poll!(&mut waiting).is_pending());

        clock.advance(Duration::from_secs(1));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        clock.advance(Duration::from_secs(1));

        waiting.await;
        clock.reached(Timestamp(0)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn the_systems_clock_is_waited_for_too() {
        let clock = Clock::system();

        clock.reached(clock.now()).await;
        let mut later = Box::pin(clock.reached(clock.now().plus(Duration::from_hours(1))));

        assert!(futures_util::poll!(&mut later).is_pending());
    }
}
